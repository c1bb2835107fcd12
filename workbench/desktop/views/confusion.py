"""Which classes are taken for which, as the test set is coded in the background."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from workbench.desktop.curve import Curve
from workbench.desktop.theme import theme
from workbench.desktop.views.base import View, quiet_combo
from workbench.desktop.views.cell_images import CellImages
from workbench.desktop.views.matrix import Matrix
from workbench.desktop.workspace import Workspace

DECODERS = ("sum", "max", "perceptron")
SIDE_BY_SIDE = "side by side"


class ConfusionView(View):
    """The confusion matrix of the last evaluation, filling up while it runs."""

    watched = Signal(int)  # a test image of a cell was chosen, to see its run

    name = "confusion"
    title = "Confusion matrix"
    tab = "Confusion"
    shows = (
        "The whole test set, coded and classified in the background: true classes downwards, "
        "decided ones rightwards. Colour grows with the square root of the count. A click on a "
        "cell shows its images, a click on one of these how the network came to its decision."
    )
    equation = (
        "max: class of argmax a_i;  sum: argmax_c Σ |a_i| over class c;  perceptron: argmax w_c·a"
    )
    look_for = (
        "a bright diagonal, and the pairs beside it: digits that share strokes. Compare the "
        "decoders: one strong neuron decides, the sum over a class, or a layer trained on codes. "
        "Choose the perceptron as the decoder (at the left) and evaluate to train it."
    )

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.decoder = quiet_combo("Decoder", [*DECODERS, SIDE_BY_SIDE])
        self.decoder.currentIndexChanged.connect(self._decoder_chosen)
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
        self.edits = QLabel()
        self.edits.setProperty("role", "small")
        self.edits.hide()
        bar = QWidget()
        row = QHBoxLayout(bar)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.button)
        row.addWidget(self.progress, 1)
        row.addWidget(self.words)
        self.curve = Curve("Loss of the perceptron while it is trained")
        self.curve.hide()
        self.matrix = Matrix()
        self.beside = QWidget()
        self._layout.addWidget(bar)
        self._layout.addWidget(self.edits)
        self._layout.addWidget(self.curve)
        self._layout.addWidget(self.matrix, 1)
        self._layout.addWidget(self.beside, 1)
        self._make_beside()
        self.images = CellImages()
        self.images.chosen.connect(self.watched)
        self.images.closed.connect(self._forget)
        self._layout.addWidget(self.images)
        self._seldom = {self.edits, self.curve, self.beside, self.images}
        for matrix in (self.matrix, *self.matrices.values()):
            matrix.chosen.connect(self._cell_chosen)
        workspace.experimentChanged.connect(self._let_go)
        workspace.closing.connect(self.images.thumbnails.close)

    def _make_beside(self) -> None:
        """The matrices of all decoders in a row, each under its name and accuracy."""
        row = QHBoxLayout(self.beside)
        row.setContentsMargins(0, 0, 0, 0)
        self.titles: dict[str, QLabel] = {}
        self.matrices: dict[str, Matrix] = {}
        for name in DECODERS:
            column = QVBoxLayout()
            self.titles[name], self.matrices[name] = QLabel(name), Matrix()
            self.titles[name].setProperty("role", "small")
            self.titles[name].setMinimumWidth(1)
            self.matrices[name].setAccessibleName(f"Confusion matrix, {name} decoder")
            column.addWidget(self.titles[name])
            column.addWidget(self.matrices[name], 1)
            row.addLayout(column, 1)
        self.beside.hide()

    def applies(self, system: type) -> bool:
        return system.code is not None and system.uses_dictionary

    def depends_on(self, snapshot: Any) -> tuple:
        workspace = self.workspace
        made = (self.images.thumbnails.made, snapshot.sample)
        return (workspace.evaluation, workspace.evaluating, snapshot.experiment, *made)

    def _forget(self) -> None:
        self._drawn = None

    def _decoder_chosen(self) -> None:
        self.images.close_cell()

    def _cell_chosen(self, true: int, decided: int) -> None:
        """Show the images of a cell, if there are any and they are there."""
        names = {matrix: name for name, matrix in self.matrices.items()}
        decoder = names.get(self.sender(), self.decoder.currentText())
        workspace = self.workspace
        if workspace.decisions is None:
            workspace.said.emit("Evaluate the test set first; then a cell shows its images")
        elif not workspace.decisions.confusion[decoder][true, decided]:
            workspace.said.emit("There is no image in this cell")
        else:
            self.images.toggle(decoder, (true, decided))
            self._forget()

    def _let_go(self, experiment: Any) -> None:
        """Other data: a view that nobody looks at does not keep the old ones in memory."""
        if self.images.cell is not None and self.workspace.decisions is None:
            self.images.close_cell()

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
        self._show_matrices(evaluation, names)
        self._show_training(evaluation)
        self._show_images(snapshot)
        self.edits.setText(self.workspace.evaluated_words)
        self.edits.setVisible(bool(self.edits.text()))
        if evaluation is None:
            self.progress.setRange(0, 0 if running else 1)
            images = len(snapshot.experiment.dataset.test)
            self.words.setText("" if running else f"{images} images")
            self.summarise("coding …" if running else "not evaluated yet")
            return
        if evaluation.stage:
            self.progress.setRange(0, 1000)
            self.progress.setValue(round(1000 * evaluation.stage_part))
            self.words.setText(_stage(evaluation) if running else "")
            self.summarise("training" if running else "not evaluated yet")
            return
        self.progress.setRange(0, evaluation.total)
        self.progress.setValue(evaluation.done)
        self._say(evaluation, running)

    def _show_matrices(self, evaluation: Any, names: tuple[str, ...]) -> None:
        chosen = self.decoder.currentText()
        self.matrix.setVisible(chosen != SIDE_BY_SIDE)
        self.beside.setVisible(chosen == SIDE_BY_SIDE)
        found = evaluation.confusion if evaluation else {}
        empty = np.zeros((len(names), len(names) + 1), int)
        self.matrix.show_counts(found.get(chosen, empty), names)
        for name, matrix in self.matrices.items():
            matrix.show_counts(found.get(name, empty), names)
            known = f"{100 * evaluation.accuracy[name]:.1f} %" if name in found else "–"
            self.titles[name].setText(f"{name} {known}")

    def _show_images(self, snapshot: Any) -> None:
        images = self.images
        images.follow(self.workspace.decisions, snapshot.experiment.dataset, snapshot.sample)
        beside = self.decoder.currentText() == SIDE_BY_SIDE
        self.matrix.mark(None if beside else images.cell)
        for name, matrix in self.matrices.items():
            matrix.mark(images.cell if beside and name == images.decoder else None)

    def _show_training(self, evaluation: Any) -> None:
        training = evaluation.training if evaluation else None
        wanted = training is not None and (
            bool(evaluation.stage) or self.decoder.currentText() == "perceptron"
        )
        self.curve.setVisible(wanted)
        if wanted:
            lines = [
                ("training", [e.training_loss for e in training.epochs], theme.colours.muted),
                ("validation", [e.validation_loss for e in training.epochs], theme.colours.accent),
            ]
            self.curve.show_lines(lines, len(training.epochs), training.best)

    def _say(self, evaluation: Any, running: bool) -> None:
        left = f", {evaluation.seconds_left:.0f} s left" if running else ""
        part = "" if evaluation.done == evaluation.total else f" of {evaluation.total}"
        accuracy = evaluation.accuracy
        chosen = self.decoder.currentText()
        beside = {} if chosen == SIDE_BY_SIDE else accuracy
        others = [f" · {n} {100 * a:.1f} %" for n, a in beside.items() if n != chosen]
        self.words.setText(f"{evaluation.done}{part} images{left}{''.join(others)}")
        if not accuracy:
            self.summarise("nothing to decide: the neurons have no classes")
            return
        if chosen not in accuracy and chosen != SIDE_BY_SIDE:
            self.summarise(
                "not trained: choose it as the decoder and evaluate"
                if chosen == "perceptron"
                else "nothing to decide: the neurons have no classes"
            )
            return
        shown = [chosen] if chosen in accuracy else [name for name in DECODERS if name in accuracy]
        named = "" if chosen in accuracy else f" ({shown[0]})"
        text = f"<b>{100 * accuracy[shown[0]]:.1f} %</b> right{named}"
        if self.workspace.evaluated_earlier:
            text += " · of earlier settings"
        self.summarise(text)

    def restyle(self) -> None:
        super().restyle()
        self.images.forget()  # thumbnails are made for one scale

    def figure(self) -> Any:
        found = self._counts()
        if found is None:
            return None
        from workbench.analysis import figures

        names = self.workspace.experiment.dataset.class_names
        return figures.confusion_figure(found, names, self.caption())

    def caption(self) -> str:
        return self.workspace.evaluation_caption(f"{self._exported()} decoder")

    def table(self) -> tuple[list[str], np.ndarray] | None:
        found = self._counts()
        if found is None:
            return None
        names = self.workspace.experiment.dataset.class_names
        columns = ["true", *(f"decided {name}" for name in names), "undecided"]
        return columns, np.column_stack([np.arange(len(found)), found])

    def _exported(self) -> str:
        """The decoder that a figure or a table is of."""
        chosen = self.decoder.currentText()
        return self.workspace.document.decoder.kind if chosen == SIDE_BY_SIDE else chosen

    def _counts(self) -> np.ndarray | None:
        evaluation = self.workspace.evaluation
        return evaluation.confusion.get(self._exported()) if evaluation else None


def _stage(evaluation: Any) -> str:
    """What is done before the first test image, in few words."""
    training = evaluation.training
    return f"epoch {len(training.epochs)}" if training is not None else evaluation.stage
