"""How a sweep is run: images, draws, processes, and where the results go."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QIntValidator
from PySide6.QtWidgets import QFileDialog, QGridLayout, QLabel, QLineEdit, QPushButton, QWidget

from workbench.desktop.sweep.axes import AxesEditor
from workbench.document import Document
from workbench.engine.sweep_axes import Axes, read_axes
from workbench.engine.sweep_serve import Request
from workbench.errors import InputError

MOST = 2**31 - 1


class SweepForm(QWidget):
    """Numbers and a folder; an empty field means the natural choice."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(8)
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnStretch(3, 1)
        self.samples = self._number("Test images", "all", "only the first so many", 0, 0)
        self.jobs = self._number("Processes", "one a core", "that share the cores", 0, 2)
        self.draws = self._number("Random draws", "", "how many times to draw from ranges", 1, 0)
        self.seed = self._number("Seed", "", "of the draws", 1, 2, least=0)
        self.draws.setText("50")
        self.seed.setText("0")
        self.dask = self._field("Dask cluster", "none: this machine", 2)
        self.dask.setToolTip("Address of a scheduler, such as tcp://10.0.0.1:8786")
        self.folder = self._field("Results in", "", 3)
        self.folder.setToolTip("What is there already is not run again")
        choose = QPushButton("Choose …", autoDefault=False)
        choose.setAccessibleName("Choose the folder of results")
        choose.clicked.connect(self._choose)
        self._grid.addWidget(choose, 3, 3)
        self._grid.addWidget(self.folder, 3, 1, 1, 2)
        self.show_draws(False)

    def _number(
        self, words: str, empty: str, tip: str, row: int, column: int, least: int = 1
    ) -> QLineEdit:
        field = QLineEdit(placeholderText=empty)
        field.setValidator(QIntValidator(least, MOST, field))
        field.setAccessibleName(words)
        field.setToolTip(f"{words}: {tip}")
        field.textChanged.connect(lambda: self.changed.emit())
        self._grid.addWidget(QLabel(words), row, column)
        self._grid.addWidget(field, row, column + 1)
        return field

    def _field(self, words: str, empty: str, row: int) -> QLineEdit:
        field = QLineEdit(placeholderText=empty)
        field.setAccessibleName(words)
        self._grid.addWidget(QLabel(words), row, 0)
        self._grid.addWidget(field, row, 1, 1, 3)
        return field

    def show_draws(self, wanted: bool) -> None:
        """Draws and their seed matter only where a range is given."""
        for field in (self.draws, self.seed):
            field.setEnabled(wanted)

    def _choose(self) -> None:
        title = "Choose the folder of results"
        chosen = QFileDialog.getExistingDirectory(self, title, self.folder.text())
        if chosen:
            self.folder.setText(chosen)

    def axes(self, document: Document, editor: AxesEditor) -> Axes:
        """What is varied.

        Raises:
            InputError: in one line, what is wrong with the fields.
        """
        draws = (number(self.draws) or 1) if editor.ranges else None
        seed = number(self.seed) or 0
        return read_axes(document, editor.grids, editor.ranges, draws, seed)

    def request(self, document: Document, stem: str, editor: AxesEditor) -> Request:
        """The whole, for the process that runs it; ``stem`` names the session.

        Raises:
            InputError: as `axes`, or there is no folder.
        """
        axes, samples = self.axes(document, editor), number(self.samples)
        if self.path is None:
            raise InputError("name a folder for the results")
        images = f"first {samples}" if samples else "all"
        return Request(
            document=document.model_dump(),
            folder=str(self.path),
            about=f"{stem}, {images} test images",
            grids=tuple(editor.grids),
            ranges=tuple(editor.ranges),
            draws=axes.draws or None,
            seed=axes.seed,
            samples=samples,
            jobs=number(self.jobs),
            dask=self.dask.text().strip() or None,
        )

    @property
    def path(self) -> Path | None:
        """The folder of results, if one is named."""
        text = self.folder.text().strip()
        return Path(text) if text else None


def number(field: QLineEdit) -> int | None:
    """What a field holds, if that is a number it takes."""
    return int(field.text()) if field.hasAcceptableInput() else None
