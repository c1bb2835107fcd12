"""The picker of the watched image: thumbnails of the test set, and which one it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from workbench.desktop.icons import icon
from workbench.desktop.theme import theme
from workbench.desktop.thumbnails import Thumbnails
from workbench.desktop.workspace import Workspace

COLUMNS, ROWS = 6, 3


class Page(QWidget):
    """A page of test images; a click chooses one."""

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Test images")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._pictures = Thumbnails()
        self._made = 0  # of the pictures when they were painted last
        self._split: Any = None
        self._sample = 0
        self._marked = True

    def show_split(self, split: Any) -> None:
        """Another test set."""
        self._split = split
        self._pictures.show_split(split, max(self._place(0).width(), 1))
        self.update()

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        if self._split is not None:
            self.show_split(self._split)  # the pictures are made for one size

    def refresh(self) -> None:
        """Paint again if a picture was made since the last time."""
        if self._made != self._pictures.made:
            self._made = self._pictures.made
            self.update()

    def close_pictures(self) -> None:
        """No more pictures are made."""
        self._pictures.close()

    def show_sample(self, sample: int, marked: bool) -> None:
        """Show the page of a sample, and mark it if it is the image that is coded."""
        self._sample, self._marked = sample, marked
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.px(200), ROWS * theme.px(36))

    @property
    def _first(self) -> int:
        page = COLUMNS * ROWS
        return self._sample // page * page

    def _place(self, index: int) -> QRect:
        width, height = self.width() / COLUMNS, self.height() / ROWS
        row, column = divmod(index, COLUMNS)
        side = int(min(width, height)) - 3
        return QRect(int(column * width), int(row * height), side, side)

    def paintEvent(self, event: Any) -> None:
        if self._split is None:
            return
        painter = QPainter(self)
        page = range(self._first, min(self._first + COLUMNS * ROWS, len(self._split)))
        self._pictures.want(page)
        for index, sample in enumerate(page):
            self._pictures.paint(painter, self._place(index), sample)
            if sample == self._sample and self._marked:
                painter.setPen(QPen(QColor(theme.colours.accent), 3))
                painter.drawRect(self._place(index))

    def mousePressEvent(self, event: Any) -> None:
        if self._split is None:
            return
        for index in range(COLUMNS * ROWS):
            sample = self._first + index
            if sample < len(self._split) and self._place(index).contains(
                event.position().toPoint()
            ):
                self.chosen.emit(sample)


class SamplesPanel(QWidget):
    """Thumbnails, previous and next, the index, and the true class."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        self.heading = QLabel("INPUT")
        self.heading.setProperty("role", "section")
        column.addWidget(self.heading)
        self.thumbnails = Page()
        self.thumbnails.chosen.connect(workspace.select_sample)
        column.addWidget(self.thumbnails)
        row = QHBoxLayout()
        self.previous = self._arrow("previous", "Previous image", -1)
        self.next = self._arrow("next", "Next image", +1)
        self.index = QLineEdit()
        self.index.setAccessibleName("Index of the test image")
        self.index.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.index.setFixedWidth(theme.px(56))
        self.index.setPlaceholderText("–")  # while a picture is coded
        self.index.editingFinished.connect(self._typed)
        self.label = QLabel()
        self.label.setMinimumWidth(1)  # a long name is cut, and does not widen the rail
        row.addWidget(self.previous)
        row.addWidget(self.index)
        row.addWidget(self.next)
        row.addWidget(self.label, 1, Qt.AlignmentFlag.AlignRight)
        column.addLayout(row)
        workspace.closing.connect(self.thumbnails.close_pictures)
        workspace.experimentChanged.connect(self._show_experiment)
        workspace.documentChanged.connect(self._show_document)
        theme.changed.connect(self._restyle)
        self._restyle()

    def _arrow(self, name: str, words: str, by: int) -> QToolButton:
        button = QToolButton()
        button.setProperty("icon_name", name)
        button.setAccessibleName(words)
        button.setToolTip(words)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(self.go_back if by < 0 else self.go_on)
        return button

    def go_back(self) -> None:
        """The image before."""
        self._go_to(self._workspace.document.view.sample - 1)

    def go_on(self) -> None:
        """The next image."""
        self._go_to(self._workspace.document.view.sample + 1)

    def _typed(self) -> None:
        text = self.index.text().strip()
        if text.isdecimal():
            self._go_to(int(text))
        self._show_document(self._workspace.document)
        self.index.clearFocus()  # bare keys belong to the window again

    def _go_to(self, sample: int) -> None:
        experiment = self._workspace.experiment
        if experiment is not None:
            last = len(experiment.dataset.test) - 1
            self._workspace.select_sample(min(max(sample, 0), last))

    def _restyle(self) -> None:
        self.thumbnails.updateGeometry()
        for button in (self.previous, self.next):
            button.setIcon(icon(button.property("icon_name"), theme.colours.text))

    def _show_experiment(self, experiment: Any) -> None:
        dataset = experiment.dataset
        if self.thumbnails._split is not dataset.test:
            self.thumbnails.show_split(dataset.test)
        self._show_document(self._workspace.document)

    def _show_document(self, document: Any) -> None:
        sample, picture = document.view.sample, document.view.picture
        self.index.setText(str(sample) if picture is None else "")
        self.thumbnails.show_sample(sample, marked=picture is None)
        experiment = self._workspace.experiment
        if experiment is None:
            return
        dataset = experiment.dataset
        self.heading.setText(f"INPUT · {len(dataset.test)} TEST IMAGES")
        if picture is not None:
            self.label.setText(Path(picture).name)
            self.label.setToolTip(f"{picture} is coded, of unknown class; a test image ends that")
        elif sample < len(dataset.test):
            name = dataset.class_names[int(dataset.test.labels[sample])]
            self.label.setText(f"“{name}”")
            self.label.setToolTip(f"the true class of test image {sample}")
