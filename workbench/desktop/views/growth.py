"""Classes of a dictionary that takes in new exemplars, before and after."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QIntValidator, QPainter
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from workbench import palette
from workbench.desktop.theme import theme
from workbench.desktop.views.base import View, plain, quiet_combo
from workbench.desktop.workspace import Workspace

MOST_ROWS = 20
FULL = "All images are atoms: leave a class out (dictionary ▸ more) to see it join."


class ClassRows(QWidget):
    """A row a class: its exemplars, and how well its test images are decided."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Exemplars and accuracy of each class")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._rows: list[tuple[int, str, str, float | None, float | None, bool]] = []
        self._classes = 1

    def show_rows(
        self, rows: list[tuple[int, str, str, float | None, float | None, bool]], classes: int
    ) -> None:
        """Rows of (class, name, exemplars, accuracy before, accuracy after, is it growing)."""
        self._rows, self._classes = rows, classes
        self.update()

    def paintEvent(self, event: Any) -> None:
        if not self._rows:
            return
        painter = QPainter(self)
        painter.setFont(theme.font(11))
        metrics = painter.fontMetrics()
        height = min(self.height() / (len(self._rows) + 1), theme.px(30))
        names = ["class", *(row[1] for row in self._rows)]
        wide = min(max(map(metrics.horizontalAdvance, names)) + 12, self.width() // 4)
        counts = max(metrics.horizontalAdvance(row[2]) for row in self._rows)
        counts = max(counts, metrics.horizontalAdvance("exemplars")) + 16
        self._paint_heading(painter, height, wide, counts)
        for place, row in enumerate(self._rows, 1):
            self._paint_row(
                painter, QRectF(0, place * height, self.width(), height), row, wide, counts
            )

    def _paint_heading(self, painter: QPainter, height: float, wide: int, counts: int) -> None:
        painter.setPen(QColor(theme.colours.muted))
        flags = Qt.AlignmentFlag.AlignVCenter
        right = flags | Qt.AlignmentFlag.AlignRight
        painter.drawText(QRectF(0, 0, wide - 8, height), right, "class")
        painter.drawText(QRectF(wide, 0, counts - 8, height), right, "exemplars")
        rest = QRectF(wide + counts + 8, 0, self.width() - wide - counts - 8, height)
        painter.drawText(rest, flags, "test images right, before (line) and after (bar)")

    def _paint_row(
        self, painter: QPainter, place: QRectF, row: tuple, wide: int, counts: int
    ) -> None:
        label, name, exemplars, before, after, grows = row
        flags = Qt.AlignmentFlag.AlignVCenter
        right = flags | Qt.AlignmentFlag.AlignRight
        painter.setPen(QColor(theme.colours.text if grows else theme.colours.muted))
        short = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, wide - 8)
        painter.drawText(QRectF(0, place.top(), wide - 8, place.height()), right, short)
        box = QRectF(wide, place.top(), counts - 8, place.height())
        painter.drawText(box, right, exemplars)
        left = wide + counts + 8
        words = painter.fontMetrics().horizontalAdvance("100.0 % → 100.0 %") + 16
        room = max(self.width() - left - words, 1)
        thick = min(place.height() * 0.6, theme.px(16))
        top = place.top() + (place.height() - thick) / 2
        painter.fillRect(QRectF(left, top, room, thick), QColor(theme.colours.hairline))
        shown = before if after is None else after
        if shown is not None:
            bar = QRectF(left, top, room * shown, thick)
            painter.fillRect(bar, QColor(palette.class_colour(label, self._classes)))
        if before is not None and after is not None:
            mark = QRectF(left + room * before - 1, top - 3, 2, thick + 6)
            painter.fillRect(mark, QColor(theme.colours.text))
        text = QRectF(left + room + 8, place.top(), words, place.height())
        painter.drawText(text, flags, _change(before, after))


def _change(before: float | None, after: float | None) -> str:
    if before is None:
        return ""
    first = f"{100 * before:.1f} %"
    return first if after is None else f"{first} → {100 * after:.1f} %"


class GrowthView(View):
    """Lets exemplars join the dictionary of the run, and shows what that changes."""

    name = "growth"
    title = "Growing dictionary"
    tab = "Growth"
    shows = (
        "How many exemplars of each class are in the dictionary, of how many training images. Add "
        "some: they join the network at once, nothing is trained. Test images are coded before and "
        "after: up to 100 of the class that grows, and 10 of every other class."
    )
    equation = "Φ ← [Φ  f(x) / ‖f(x)‖]: the cost is that of the new columns"
    look_for = (
        "a class that the network has never seen: leave one out (dictionary ▸ more ▸ leave out), "
        "see it decided wrongly, add a few exemplars, and see it decided rightly, while the other "
        "classes stay as they were. Undo takes an addition back."
    )

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.classes = quiet_combo("Class that grows", [])
        self.classes.setProperty("role", "")
        self.classes.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.count = QLineEdit("20")
        self.count.setValidator(QIntValidator(1, 1_000_000, self.count))
        self.count.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.count.setFixedWidth(theme.px(64))
        self.count.setAccessibleName("Number of exemplars to add")
        self.count.returnPressed.connect(self._add)
        self.button = QPushButton("Add")
        self.button.setProperty("role", "primary")
        self.button.setAccessibleName("Add exemplars to the dictionary")
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.button.clicked.connect(self._add)
        bar = QWidget()
        row = QHBoxLayout(bar)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.button)
        row.addWidget(self.count)
        row.addWidget(QLabel("of class"))
        row.addWidget(self.classes)
        self.words = QLabel()
        self.words.setMinimumWidth(1)
        self.words.setProperty("role", "small")
        row.addSpacing(8)
        row.addWidget(self.words, 1)
        self.rows = ClassRows()
        self._layout.addWidget(bar)
        self._layout.addWidget(self.rows, 1)

    def applies(self, system: type) -> bool:
        return system.uses_dictionary

    def depends_on(self, snapshot: Any) -> tuple:
        growth = self.workspace.growth
        measures = (growth.before, growth.after, growth.label, growth.busy)
        return (snapshot.experiment, self.classes.currentIndex(), *measures)

    def reset(self, snapshot: Any) -> None:
        if not _can_grow(snapshot.experiment):
            self.show_empty("Only a dictionary of exemplars can take in more of them.")
            return
        names = list(snapshot.experiment.dataset.class_names)
        if [self.classes.itemText(i) for i in range(self.classes.count())] != names:
            self.classes.clear()
            self.classes.addItems(names)
            self.classes.setCurrentIndex(self._rarest(snapshot.experiment))

    def _rarest(self, experiment: Any) -> int:
        """The class with the fewest exemplars: the one to try first."""
        counts = np.bincount(experiment.dictionary.labels.numpy(), minlength=self.classes.count())
        return int(counts.argmin())

    def _add(self) -> None:
        experiment = self.workspace.experiment
        known = experiment is not None and self.classes.currentIndex() >= 0
        if known and self.count.hasAcceptableInput() and self.button.isEnabled():
            self.workspace.growth.add(self.classes.currentIndex(), int(self.count.text()))

    def draw(self, snapshot: Any) -> None:
        experiment, growth = snapshot.experiment, self.workspace.growth
        if not _can_grow(experiment):
            return
        names = experiment.dataset.class_names
        table = self._table(experiment)
        chosen = growth.label if growth.label is not None else self.classes.currentIndex()
        rows = []
        for label in _worth_showing(len(names), chosen):
            exemplars = f"{table[label, 1]} of {table[label, 2]}"
            before = growth.before.accuracy(label) if growth.before else None
            after = growth.after.accuracy(label) if growth.after else None
            rows.append((label, names[label], exemplars, before, after, label == growth.label))
        self.rows.show_rows(rows, len(names))
        self.button.setEnabled(not growth.busy)
        full = bool((table[:, 1] >= table[:, 2]).all())
        self.words.setText(self._outcome(growth) or (FULL if full else ""))
        self.words.setToolTip(self.words.text())
        count = f"{len(experiment.dictionary)} exemplars"
        self.summarise(count)
        self.setAccessibleDescription(plain(self.words.text()) or count)

    def _outcome(self, growth: Any) -> str:
        """What the last addition did, in a line."""
        if growth.label is None:
            return ""
        took = "" if growth.seconds is None else f" in {1000 * growth.seconds:.1f} ms"
        words = f"{growth.count} joined{took}"
        before = growth.before.accuracy(growth.label) if growth.before else None
        after = growth.after.accuracy(growth.label) if growth.after else None
        if before is None or after is None:
            return f"{words}, coding test images …" if growth.busy else words
        others = _change(
            growth.before.of_others(growth.label), growth.after.of_others(growth.label)
        )
        return f"<b>{_change(before, after)}</b> right · others {others} · {words}"

    def _table(self, experiment: Any) -> np.ndarray:
        """Class, exemplars, training images; [classes, 3]."""
        classes = len(experiment.dataset.class_names)
        exemplars = np.bincount(experiment.dictionary.labels.numpy(), minlength=classes)
        there = np.bincount(experiment.dataset.train.labels.numpy(), minlength=classes)
        return np.column_stack([np.arange(classes), exemplars, there])

    def figure(self) -> Any:
        experiment, growth = self.workspace.experiment, self.workspace.growth
        if not _can_grow(experiment):
            return None
        from workbench.analysis import figures

        names = experiment.dataset.class_names
        label = growth.label if growth.label is not None else self.classes.currentIndex()
        shown = _worth_showing(len(names), label)
        accuracies = [
            [measure.accuracy(label) if measure else None for label in shown]
            for measure in (growth.before, growth.after)
        ]
        exemplars = self._table(experiment)[shown, 1]
        return figures.classes_figure(
            [names[label] for label in shown], exemplars, *accuracies, self.caption()
        )

    def table(self) -> tuple[list[str], np.ndarray] | None:
        experiment, growth = self.workspace.experiment, self.workspace.growth
        if not _can_grow(experiment):
            return None
        heads, columns = ["class", "exemplars", "training images"], [self._table(experiment)]
        for when, measure in (("before", growth.before), ("after", growth.after)):
            if measure is not None:
                heads += [f"right {when}", f"images {when}"]
                columns += [measure.right, measure.images]
        return heads, np.column_stack(columns)


def _can_grow(experiment: Any) -> bool:
    """Whether there is a dictionary of exemplars."""
    dictionary = experiment.dictionary if experiment is not None else None
    return dictionary is not None and dictionary.source is not None


def _worth_showing(classes: int, chosen: int) -> list[int]:
    """All classes, or the first ones and the one that matters."""
    labels = list(range(min(classes, MOST_ROWS)))
    if chosen >= MOST_ROWS:
        labels[-1] = chosen
    return labels
