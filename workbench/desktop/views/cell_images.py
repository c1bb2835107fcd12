"""The images that a cell of the confusion matrix counts."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from workbench.desktop.theme import theme
from workbench.desktop.thumbnails import Thumbnails
from workbench.desktop.views.grid import TILE, Grid
from workbench.desktop.views.matrix import Cell

ROWS = 2  # of images that are seen without scrolling, where there is room


class CellImages(QWidget):
    """A few rows of test images; a click on one chooses it. Hidden while no cell is open."""

    chosen = Signal(int)  # a test sample
    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.thumbnails = Thumbnails()
        self.grid = Grid(self.thumbnails, self._describe)
        self.grid.setAccessibleName("Images of the cell")
        wide, low = QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred
        self.grid.setSizePolicy(wide, low)  # the matrix takes what is left
        self.grid.chosen.connect(self.chosen)
        self.words = QLabel()
        self.words.setProperty("role", "small")
        self.words.setMinimumWidth(1)
        self.button = QPushButton("Close")
        self.button.setAccessibleName("Close the images of the cell")
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.button.clicked.connect(self.close_cell)
        row, column = QHBoxLayout(), QVBoxLayout(self)
        row.addWidget(self.words, 1)
        row.addWidget(self.button)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.grid)
        self.decoder, self.cell = "", None  # whose cell is open
        self._split: Any = None
        self._names: tuple[str, ...] = ()
        self.hide()

    def toggle(self, decoder: str, cell: Cell) -> None:
        """Open a cell of a decoder's matrix; close it, if it is the open one."""
        if (decoder, cell) == (self.decoder, self.cell):
            self.close_cell()
        else:
            self.decoder, self.cell = decoder, cell

    def close_cell(self) -> None:
        """Show no images any more."""
        self.cell = None
        self.forget()
        self.closed.emit()

    def follow(self, evaluation: Any, dataset: Any, watched: int | None) -> None:
        """Show the images of the open cell, as far as they are coded.

        Args:
            evaluation: of this dataset; None: there is none.
            dataset: whose test images these are.
            watched: the test image that is coded in the window, framed.
        """
        decided = evaluation.decided.get(self.decoder) if evaluation is not None else None
        if self.cell is None or decided is None:
            self.hide()
            return
        self._names = (*dataset.class_names, "undecided")
        true, label = self.cell
        undecided = label == len(dataset.class_names)
        here = decided == (-1 if undecided else label)
        truth = dataset.test.labels.numpy()[evaluation.samples]
        self._show(dataset, np.sort(evaluation.samples[here & (truth == true)]), watched)

    def _show(self, dataset: Any, samples: np.ndarray, watched: int | None) -> None:
        if dataset.test is not self._split:
            self._split = dataset.test
            labels, classes = dataset.test.labels.numpy(), len(dataset.class_names)
            self.grid.show_split(dataset.test, labels, classes)
        if not np.array_equal(samples, self.grid.images):
            self.grid.show_images(samples)
        self.grid.mark(watched if watched in samples else None)
        count = "1 image" if len(samples) == 1 else f"{len(samples)} images"
        true, label = (self._names[c] for c in self.cell)
        words = f"{count} of “{true}” decided “{label}”: click one to see its run"
        self.words.setText(words)
        self.words.setToolTip(words)
        self.grid.setMinimumHeight(theme.px(TILE))
        self.grid.setMaximumHeight(ROWS * theme.px(TILE))
        self.show()
        self.grid.viewport().update()

    def _describe(self, sample: int) -> str:
        if self.cell is None:
            return ""
        true, label = (self._names[c] for c in self.cell)
        return f"test image {sample}, class {true}, decided {label}; click to see its run"

    def forget(self) -> None:
        """Show none, and keep no images in memory."""
        self.hide()
        self.grid.show_images(np.empty(0, int))
        if self._split is not None:
            self._split = None
            self.grid.show_split(None, np.empty(0, int), 1)
