"""Which classes are taken for which, as the test set is coded in the background."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QToolTip,
    QWidget,
)

from workbench.desktop.pictures import lookup
from workbench.desktop.theme import theme
from workbench.desktop.views.base import View, quiet_combo
from workbench.desktop.workspace import Workspace, same_run

ELIDE = Qt.TextElideMode.ElideRight


class Matrix(QWidget):
    """True classes downwards, decided classes rightwards, one more column for "undecided"."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Confusion matrix")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 120)
        self.setMouseTracking(True)
        self._counts = np.zeros((0, 1), int)
        self._names: tuple[str, ...] = ()

    def show_counts(self, counts: np.ndarray, names: tuple[str, ...]) -> None:
        """Counts [classes, classes + 1] and the classes' names."""
        self._counts, self._names = counts, names
        self.update()

    def _cells(self) -> tuple[float, float, float]:
        """Left and top of the cells and their side."""
        metrics = QFontMetricsF(theme.font(11))
        widest = max(metrics.horizontalAdvance(name) for name in self._names)
        margin = min(max(widest + 12, theme.px(28)), theme.px(88))
        columns = len(self._names) + 1
        below = theme.px(38)  # two lines of small type
        side = min((self.width() - margin) / columns, (self.height() - below) / len(self._names))
        return margin, theme.px(4), max(side, 1.0)

    def paintEvent(self, event: Any) -> None:
        if not self._names:
            return
        painter = QPainter(self)
        painter.setFont(theme.font(11))
        left, top, side = self._cells()
        most = max(int(self._counts.max()), 1)
        colours = lookup(False)
        for true, row in enumerate(self._counts):
            for decided, count in enumerate(row.tolist()):
                cell = QRectF(left + decided * side, top + true * side, side - 1, side - 1)
                shade = colours[int(255 * (count / most) ** 0.5)] if count else None
                fill = QColor(*shade.tolist()) if count else QColor(theme.colours.hairline)
                painter.fillRect(cell, fill)
                if count and side > theme.px(15):
                    painter.setPen(QColor("#000000" if fill.lightnessF() > 0.5 else "#ffffff"))
                    painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, str(count))
        self._paint_names(painter, left, top, side)

    def _paint_names(self, painter: QPainter, left: float, top: float, side: float) -> None:
        painter.setPen(QColor(theme.colours.muted))
        bottom = top + side * len(self._names) - 1
        for label, name in enumerate((*self._names, "–")):
            under = QRectF(left + label * side, bottom, side, theme.px(16))
            short = painter.fontMetrics().elidedText(name, ELIDE, round(side))
            painter.drawText(under, Qt.AlignmentFlag.AlignCenter, short)
            if label < len(self._names):
                beside = QRectF(0, top + label * side, left - 6, side)
                flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                wide = painter.fontMetrics().elidedText(name, ELIDE, round(left - 8))
                painter.drawText(beside, flags, wide)
        width = side * (len(self._names) + 1)
        words = QRectF(left, bottom + theme.px(14), width, theme.px(16))
        painter.drawText(words, Qt.AlignmentFlag.AlignCenter, "decided (– undecided)")

    def mouseMoveEvent(self, event: Any) -> None:
        if not self._names:
            return
        left, top, side = self._cells()
        decided = int((event.position().x() - left) // side)
        true = int((event.position().y() - top) // side)
        if 0 <= true < len(self._names) and 0 <= decided <= len(self._names):
            names = (*self._names, "undecided")
            text = f"{self._counts[true, decided]} images of {names[true]} decided {names[decided]}"
            QToolTip.showText(event.globalPosition().toPoint(), text, self)


class ConfusionView(View):
    """The confusion matrix of the last evaluation, filling up while it runs."""

    name = "confusion"
    title = "Confusion matrix"
    shows = (
        "The whole test set, coded and classified in the background: true classes downwards, "
        "decided ones rightwards. Colour grows with the square root of the count."
    )
    equation = "max: class of argmax a_i;  sum: argmax_c Σ |a_i| over class c"
    look_for = (
        "a bright diagonal, and the pairs beside it: digits that share strokes. Compare the "
        "decoders: one strong neuron decides, or the sum over a class."
    )

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.decoder = quiet_combo("Decoder", ["sum", "max"])
        self.decoder.currentIndexChanged.connect(self._forget)
        self.header.controls.addWidget(self.decoder)
        self.button = QPushButton("Evaluate test set")
        self.button.setAccessibleName("Evaluate the test set, or cancel")
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.button.clicked.connect(self._clicked)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Progress of the evaluation")
        self.words = QLabel()
        self.words.setMinimumWidth(48)
        self.words.setProperty("role", "small")
        bar = QWidget()
        row = QHBoxLayout(bar)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.button)
        row.addWidget(self.progress, 1)
        row.addWidget(self.words)
        self.matrix = Matrix()
        self._layout.addWidget(bar)
        self._layout.addWidget(self.matrix, 1)

    def applies(self, system: type) -> bool:
        return system.code is not None and system.uses_dictionary

    def depends_on(self, snapshot: Any) -> tuple:
        workspace = self.workspace
        return (workspace.evaluation, workspace.evaluating, snapshot.experiment)

    def _forget(self) -> None:
        self._drawn = None

    def _clicked(self) -> None:
        if self.workspace.evaluating:
            self.workspace.cancel_evaluation()
            self.button.setText("Cancelling …")
        else:
            self.workspace.evaluate()

    def draw(self, snapshot: Any) -> None:
        evaluation, running = self.workspace.evaluation, self.workspace.evaluating
        names = snapshot.experiment.dataset.class_names
        self.button.setText("Cancel" if running else "Evaluate test set")
        self.progress.setVisible(running)
        counts = evaluation.confusion.get(self.decoder.currentText()) if evaluation else None
        if counts is None:
            counts = np.zeros((len(names), len(names) + 1), int)
        self.matrix.show_counts(counts, names)
        if evaluation is None:
            self.progress.setRange(0, 0 if running else 1)
            images = len(snapshot.experiment.dataset.test)
            self.words.setText("" if running else f"{images} images")
            self.summarise("coding …" if running else "not evaluated yet")
            return
        self.progress.setRange(0, evaluation.total)
        self.progress.setValue(evaluation.done)
        self._say(evaluation, running, snapshot)

    def _say(self, evaluation: Any, running: bool, snapshot: Any) -> None:
        left = f", {evaluation.seconds_left:.0f} s left" if running else ""
        part = "" if evaluation.done == evaluation.total else f" of {evaluation.total}"
        accuracy = evaluation.accuracy
        chosen = self.decoder.currentText()
        others = [f" · {n} {100 * a:.1f} %" for n, a in accuracy.items() if n != chosen]
        self.words.setText(f"{evaluation.done}{part} images{left}{''.join(others)}")
        if not accuracy:
            self.summarise("nothing to decide: the neurons have no classes")
            return
        text = f"<b>{100 * accuracy[chosen]:.1f} %</b> right"
        evaluated = self.workspace.evaluated_document
        if evaluated is not None and not same_run(evaluated, snapshot.experiment.document):
            text += " · of earlier settings"
        self.summarise(text)

    def figure(self) -> Any:
        found = self._counts()
        if found is None:
            return None
        from workbench.analysis import figures

        names = self.workspace.experiment.dataset.class_names
        return figures.confusion_figure(found, names, self.caption())

    def caption(self) -> str:
        path, evaluation = self.workspace.path, self.workspace.evaluation
        return (
            f"{path.stem if path else 'untitled'}, {self.decoder.currentText()} decoder, "
            f"{evaluation.done} test images, fingerprint {evaluation.fingerprint}"
        )

    def table(self) -> tuple[list[str], np.ndarray] | None:
        found = self._counts()
        if found is None:
            return None
        names = self.workspace.experiment.dataset.class_names
        columns = ["true", *(f"decided {name}" for name in names), "undecided"]
        return columns, np.column_stack([np.arange(len(found)), found])

    def _counts(self) -> np.ndarray | None:
        evaluation = self.workspace.evaluation
        return evaluation.confusion.get(self.decoder.currentText()) if evaluation else None
