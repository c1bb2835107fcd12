"""The images of the dataset: all of them, by class, and which of them are atoms."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from workbench.desktop.theme import theme
from workbench.desktop.thumbnails import Thumbnails
from workbench.desktop.views.balance import Balance
from workbench.desktop.views.base import View, quiet_combo
from workbench.desktop.views.grid import Grid
from workbench.desktop.workspace import Workspace

TEST, TRAINING = "test", "training"
WRONG = "decided wrongly"
EXPORTED = 24  # images on a contact sheet


class BrowserView(View):
    """Every test or training image, to look through and to choose from."""

    name = "browser"
    title = "Dataset"
    shows = (
        "The images of the test or of the training set, framed in the colour of their class, and "
        "how many there are of each class. The image that is coded has a thick frame. A dot marks "
        "a training image that is an atom of the dictionary. Arrows move, Enter chooses."
    )
    look_for = (
        "classes that are rare or look alike, and images that are odd. Click a test image to code "
        "it, an atom to select its neuron, a bar to see one class only. Once the test set is "
        "evaluated, those that were decided wrongly can be chosen like a class."
    )

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.thumbnails = Thumbnails()
        self.which = quiet_combo("Which images", [f"{TEST} images", f"{TRAINING} images"])
        self.which.currentIndexChanged.connect(self._forget)
        self.classes = quiet_combo("Which class", [])
        self.classes.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.classes.setMinimumContentsLength(10)
        self.classes.currentIndexChanged.connect(self._filter)
        self.index = QLineEdit()
        self.index.setPlaceholderText("index")
        self.index.setAccessibleName("Go to index")
        self.index.setToolTip("Type an index and press Enter to go there")
        self.index.returnPressed.connect(self._go_to_typed)
        self.balance = Balance()
        self.balance.chosen.connect(self._class_clicked)
        self.grid = Grid(self.thumbnails, self._describe)
        self.grid.chosen.connect(self._chosen)
        self.grid.moved.connect(self._say)
        self._layout.addWidget(self._body(), 1)
        self._split: Any = None
        self._labels = np.empty(0, int)
        self._names: tuple[str, ...] = ()
        self._dictionary: Any = None
        self._neurons = np.empty(0, int)  # [n], the neuron of each image of the split, or -1
        self._wrong = np.empty(0, int)  # the test images that were decided wrongly, ascending
        workspace.experimentChanged.connect(self._let_go)
        workspace.closing.connect(self._stop)

    def _body(self) -> QWidget:
        body = QWidget()
        column, row = QVBoxLayout(body), QHBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        row.setSpacing(4)
        self.index.setFixedWidth(theme.px(64))
        for widget in (self.which, self.classes, self.index):
            row.addWidget(widget)
        row.addStretch(1)
        column.addLayout(row)
        column.addWidget(self.balance)
        column.addWidget(self.grid, 1)
        return body

    # -- drawing ---------------------------------------------------------------------------------

    @property
    def part(self) -> str:
        """Which set is shown, "test" or "training"."""
        return TRAINING if self.which.currentIndex() else TEST

    def depends_on(self, snapshot: Any) -> tuple:
        workspace = self.workspace
        shown = (snapshot.experiment, snapshot.sample, workspace.neuron, workspace.evaluation)
        return (self.thumbnails.made, *shown)

    def draw(self, snapshot: Any) -> None:
        experiment = snapshot.experiment
        dataset = experiment.dataset
        split = dataset.train if self.part == TRAINING else dataset.test
        if split is not self._split:
            self._show_split(split, dataset.class_names)
        if experiment.dictionary is not self._dictionary:
            self._show_atoms(experiment.dictionary)
        self._offer_wrong()
        self.grid.mark(self._watched(snapshot))
        self.grid.viewport().update()
        self._say()

    def _show_split(self, split: Any, names: tuple[str, ...]) -> None:
        chosen = self.classes.currentIndex() if names == self._names else 0
        chosen = chosen if chosen <= len(names) else 0
        self._split, self._labels, self._names = split, split.labels.numpy(), names
        self._dictionary, self._neurons = None, np.full(len(split), -1)
        self.balance.show_counts(np.bincount(self._labels, minlength=len(names)), names)
        blocker = QSignalBlocker(self.classes)
        self.classes.clear()
        self.classes.addItems(["all classes", *names])
        self.classes.setCurrentIndex(chosen)
        blocker.unblock()
        self.grid.show_split(split, self._labels, len(names))
        self._filter()

    def _offer_wrong(self) -> None:
        """Offer the test images that were decided wrongly, as far as these are known."""
        found = self.workspace.decisions if self.part == TEST else None
        wrong = np.empty(0, int)
        if found is not None:
            own = self.workspace.evaluated_document.decoder.kind
            decided = found.decided.get(own, next(iter(found.decided.values())))
            wrong = np.sort(found.samples[decided != self._labels[found.samples]])
        place, chosen = self.classes.findText(WRONG), self.classes.currentText() == WRONG
        if found is not None and place < 0:
            self.classes.addItem(WRONG)
        elif found is None and place >= 0:
            if chosen:
                self.classes.setCurrentIndex(0)
            self.classes.removeItem(place)
        changed, self._wrong = not np.array_equal(wrong, self._wrong), wrong
        if changed and chosen and found is not None:
            self._filter()

    def _let_go(self, experiment: Any) -> None:
        """Other data: a view that nobody looks at does not keep the old ones in memory."""
        if self._split not in (None, experiment.dataset.train, experiment.dataset.test):
            self._split, self._labels = None, np.empty(0, int)
            self.grid.show_split(None, self._labels, 1)
            self.grid.show_images(self._labels)

    def _show_atoms(self, dictionary: Any) -> None:
        self._dictionary = dictionary
        self._neurons = np.full(len(self._split), -1)
        if self.part == TRAINING and dictionary is not None and dictionary.source is not None:
            self._neurons[dictionary.source.numpy()] = np.arange(len(dictionary.source))
        self.grid.dot(self._neurons >= 0)

    def _watched(self, snapshot: Any) -> int | None:
        """The image that the window shows: the coded one, or the selected neuron's."""
        if self.part == TEST:
            return snapshot.sample
        neuron = self.workspace.neuron
        found = np.flatnonzero(self._neurons == neuron) if neuron is not None else ()
        return int(found[0]) if len(found) else None

    def _say(self) -> None:
        shown, all_, current = len(self.grid.images), len(self._labels), self.grid.current
        words = [] if current is None else [f"image {current} of {all_}", *self._facts(current)]
        if shown != all_:
            words.append(f"{shown} shown")
        self.summarise(" · ".join(words))

    def _describe(self, index: int) -> str:
        return ", ".join([f"{self.part} image {index}", *self._facts(index)])

    def _facts(self, index: int) -> list[str]:
        """Class and neuron of an image, in words."""
        label, neuron = self._labels[index], self._neurons[index]
        return [f"class {self._names[label]}", *([f"neuron {neuron}"] if neuron >= 0 else [])]

    def restyle(self) -> None:
        super().restyle()
        self._split = self._dictionary = None  # thumbnails are made for one scale
        self.index.setFixedWidth(theme.px(64))
        self.balance.updateGeometry()

    # -- what the user does ----------------------------------------------------------------------

    def _forget(self) -> None:
        self._drawn = None

    def _filter(self) -> None:
        label = self.classes.currentIndex() - 1
        chosen = label if 0 <= label < len(self._names) else None
        self.balance.show_chosen(chosen)
        if chosen is not None:
            self.grid.show_images(np.flatnonzero(self._labels == chosen))
        elif label >= len(self._names):
            self.grid.show_images(self._wrong)
        else:
            self.grid.show_images(np.arange(len(self._labels)))
        self._say()

    def _class_clicked(self, label: int | None) -> None:
        self.classes.setCurrentIndex(0 if label is None else label + 1)

    def _go_to_typed(self) -> None:
        text = self.index.text().strip()
        if not text.isdecimal() or int(text) >= len(self._labels):
            last = len(self._labels) - 1
            self.workspace.said.emit(f"There are {self.part} images 0 to {last}, no {text or '–'}")
            return
        if not self.grid.go_to(int(text)):
            self.classes.setCurrentIndex(0)  # it is of another class
            self.grid.go_to(int(text))
        self.grid.setFocus(Qt.FocusReason.OtherFocusReason)

    def _chosen(self, index: int) -> None:
        if self.part == TEST:
            self.workspace.select_sample(index)
        elif self._neurons[index] >= 0:
            self.workspace.select_neuron(int(self._neurons[index]))
        else:
            self.workspace.said.emit(f"Training image {index} is no atom of the dictionary")

    def _stop(self) -> None:
        self.thumbnails.close()

    # -- export ----------------------------------------------------------------------------------

    def figure(self) -> Any:
        shown = self.grid.visible[:EXPORTED] or self.grid.images[:EXPORTED].tolist()
        if not shown:
            return None
        from workbench.analysis import figures

        images = [self._split.image(index) for index in shown]
        titles = [f"{index}: {self._names[self._labels[index]]}" for index in shown]
        return figures.images_figure(images, titles, [False] * len(shown), self.caption())

    def caption(self) -> str:
        name = self.workspace.experiment.dataset.name
        return f"{name}, {len(self._labels)} {self.part} images"

    def table(self) -> tuple[list[str], np.ndarray] | None:
        if not len(self.grid.images):
            return None
        shown = self.grid.images
        return ["index", "class"], np.column_stack([shown, self._labels[shown]])
