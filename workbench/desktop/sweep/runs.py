"""The runs of a sweep: a table, pictures of it, and what two of them differ in."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QSortFilterProxyModel,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLabel,
    QSplitter,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from workbench.desktop.sweep.pictures import AxisOf, SweepPictures
from workbench.desktop.sweep.table import SORT, Row, RunsModel, differences
from workbench.desktop.theme import theme
from workbench.parameters import Parameter

INTERVAL = 300  # milliseconds between two pictures of a sweep under way
SELECT = QItemSelectionModel.SelectionFlag
HINT = "Select two runs to compare them; double-click one to open it as a session."


class RunsTable(QTableView):
    """Rows that can be sorted; Enter opens one."""

    entered_on = Signal(QModelIndex)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Runs of the sweep")
        self.setSortingEnabled(True)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.verticalHeader().hide()
        self.horizontalHeader().setStretchLastSection(True)

    def keyPressEvent(self, event: Any) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.entered_on.emit(self.currentIndex())
        else:
            super().keyPressEvent(event)


class RunsPanel(QWidget):
    """Everything that is known of the runs so far."""

    opened = Signal(Path)  # the session of a run
    said = Signal(str)  # why it cannot be opened

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path()
        self.model = RunsModel(self)
        self.proxy = QSortFilterProxyModel(self)
        self.proxy.setSourceModel(self.model)
        self.proxy.setSortRole(SORT)
        self.table = RunsTable()
        self.table.setModel(self.proxy)
        self.pictures = SweepPictures(self.describe)
        self.details = QLabel(HINT, wordWrap=True)
        self.details.setAccessibleName("What two runs differ in")
        self.details.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.details.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._later = QTimer(self, singleShot=True, interval=INTERVAL)
        self._later.timeout.connect(self._draw)
        self.table.selectionModel().selectionChanged.connect(self._selected)
        self.table.doubleClicked.connect(self._open_index)
        self.table.entered_on.connect(self._open_index)
        self.pictures.chosen.connect(self.select)
        self.pictures.opened.connect(self.open_row)
        split = QSplitter(Qt.Orientation.Horizontal, childrenCollapsible=False)
        split.addWidget(self.table)
        split.addWidget(self.pictures)
        split.setSizes([540, 500])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(split, 1)
        column.addWidget(self.details)
        theme.changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        self.details.setFixedHeight(theme.px(56))
        self.table.verticalHeader().setDefaultSectionSize(theme.px(22))

    # -- what is shown ---------------------------------------------------------------------------

    def begin(
        self,
        folder: Path,
        keys: Sequence[str],
        axis_of: AxisOf,
        declared: Mapping[str, Parameter],
    ) -> None:
        """Runs of another sweep, whose results are in a folder."""
        self._folder = folder
        self.model.begin(keys)
        self.pictures.begin(keys, axis_of, declared)
        self.table.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self._fit = True
        self._selected()

    def add(self, rows: Sequence[Row]) -> None:
        """More runs; the pictures follow a little later."""
        self.model.add(rows)
        if self._fit and rows:
            self._fit = False
            self.table.resizeColumnsToContents()
        if not self._later.isActive():
            self._later.start()

    def show_importance(self, found: Mapping[str, Any] | None) -> None:
        """Which keys decide, as ``sweep.json`` has it."""
        self.pictures.show_importance(found)

    def stop(self) -> None:
        """Draw nothing later."""
        self._later.stop()

    def _draw(self) -> None:
        self.pictures.show_rows(self.model.rows)

    def describe(self, rows: Sequence[int]) -> str:
        """A few lines on some runs, for who points at them."""
        one = self.model.rows[rows[0]]
        lines = [
            f"{key} = {json.dumps(one['values'].get(key), ensure_ascii=False)}"
            for key in self.model.keys
        ]
        column = self.pictures.column
        if len(rows) == 1:
            lines += [f"{c.title} {c.text(one)}" for c in self.model.columns if c.text(one)]
            return "\n".join([*lines, "double-click opens it"])
        values = [column.of(self.model.rows[row]) for row in rows]
        lines.append(f"{column.title} {column.words(values[0])}, the best of {len(rows)} here")
        lines.append(f"their mean {column.words(float(np.mean(values)))}")
        return "\n".join([*lines, "double-click opens the best"])

    # -- selecting and opening -------------------------------------------------------------------

    def selected(self) -> list[int]:
        """The rows that are selected, in the order of the table."""
        indices = sorted(self.table.selectionModel().selectedRows(), key=QModelIndex.row)
        return [self.proxy.mapToSource(index).row() for index in indices]

    def select(self, rows: Sequence[int]) -> None:
        """Select these rows, and bring the first into sight."""
        chosen = QItemSelection()
        for row in rows:
            index = self.proxy.mapFromSource(self.model.index(row, 0))
            chosen.select(index, index)
        flags = SELECT.ClearAndSelect | SELECT.Rows
        self.table.selectionModel().select(chosen, flags)
        if rows:
            self.table.scrollTo(self.proxy.mapFromSource(self.model.index(rows[0], 0)))

    def _selected(self) -> None:
        rows = self.selected()
        self.pictures.show_selected(frozenset(rows))
        self.details.setText(self._comparison(rows) if len(rows) == 2 else HINT)

    def _comparison(self, rows: Sequence[int]) -> str:
        found = differences(*(self.model.rows[row] for row in rows))
        words = [f"<b>{html.escape(name)}</b> {_arrow(a, b)}" for name, a, b in found]
        return " &nbsp;·&nbsp; ".join(words) or "They differ in nothing but the time they took."

    def _open_index(self, index: QModelIndex) -> None:
        self.open_row(self.proxy.mapToSource(index).row())

    def open_row(self, row: int) -> None:
        """Open the session of a run."""
        found = self.model.rows[row]
        if found["session"] is None:
            self.said.emit(f"It was refused, so there is no session: {found['error']}")
        else:
            self.opened.emit(self._folder / found["session"])


def _arrow(before: str, after: str) -> str:
    return f"{html.escape(before) or '–'} → {html.escape(after) or '–'}"
