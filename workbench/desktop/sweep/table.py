"""The runs of a sweep as rows: the keys in which they differ, and what came out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt

from workbench.analysis.sweep_axis import word
from workbench.engine.sweep_measures import COLUMNS, Column

Row = dict[str, Any]
SORT = Qt.ItemDataRole.UserRole  # numbers as numbers, so that 10 comes after 9
ROLE = Qt.ItemDataRole
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class RunsModel(QAbstractTableModel):
    """Rows as they come; columns appear when the first row has something for them."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.keys: tuple[str, ...] = ()
        self.rows: list[Row] = []
        self.columns: list[Column] = []
        self._refused = False  # somebody was
        self._words: set[str] = set()  # the keys of which some values are no numbers

    def begin(self, keys: Sequence[str]) -> None:
        """No rows, over these keys."""
        self.beginResetModel()
        self.keys, self.rows, self.columns, self._refused = tuple(keys), [], [], False
        self._words = set()
        self.endResetModel()

    def add(self, rows: Sequence[Row]) -> None:
        """More rows at the end."""
        self._words |= {
            key for key in self.keys if not all(_is_number(row["values"].get(key)) for row in rows)
        }
        columns = [c for c in COLUMNS if c in self.columns or any(_tells(c, row) for row in rows)]
        refused = self._refused or any(row["error"] for row in rows)
        if (columns, refused) != (self.columns, self._refused):
            self.beginResetModel()
            self.columns, self._refused = columns, refused
            self.rows += rows
            self.endResetModel()
        elif rows:
            first = len(self.rows)
            self.beginInsertRows(QModelIndex(), first, first + len(rows) - 1)
            self.rows += rows
            self.endInsertRows()

    def rowCount(self, parent: Any = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: Any = None) -> int:
        if parent is not None and parent.isValid():
            return 0
        return len(self.keys) + len(self.columns) + self._refused

    def headerData(self, section: int, orientation: Any, role: int = ROLE.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == ROLE.DisplayRole:
            return self._title(section)
        return self._alignment(section) if role == ROLE.TextAlignmentRole else None

    def _title(self, section: int) -> str:
        titles = [*self.keys, *(column.title for column in self.columns), "refused because"]
        return titles[section]

    def data(self, index: QModelIndex, role: int = ROLE.DisplayRole) -> Any:
        row, column = self.rows[index.row()], index.column()
        if role == ROLE.DisplayRole or (role == ROLE.ToolTipRole and row["error"]):
            return row["error"] if role == ROLE.ToolTipRole else self._text(row, column)
        if role == SORT:
            return self._sortable(row, column)
        return self._alignment(column) if role == ROLE.TextAlignmentRole else None

    def _alignment(self, column: int) -> Any:
        return RIGHT if len(self.keys) <= column < self._last else LEFT

    @property
    def _last(self) -> int:
        """The column after those of results."""
        return len(self.keys) + len(self.columns)

    def _text(self, row: Row, column: int) -> str:
        if column < len(self.keys):
            key = self.keys[column]
            return word(row["values"][key]) if key in row["values"] else ""
        if column < self._last:
            return self.columns[column - len(self.keys)].text(row)
        return row["error"] or ""

    def _sortable(self, row: Row, column: int) -> float | str:
        """A number, or where a column holds anything else a text."""
        if column < len(self.keys):
            key = self.keys[column]
            value = row["values"].get(key)
            return word(value) if key in self._words else value
        if column < self._last:
            value = self.columns[column - len(self.keys)].of(row)
            return float("-inf") if value is None else value
        return row["error"] or ""


def _tells(column: Column, row: Row) -> bool:
    """Whether a column has something of a row that the accuracy does not say already."""
    own = f"{row['decoder']} decoder"
    return column.of(row) is not None and column.title != own


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def differences(one: Row, other: Row) -> list[tuple[str, str, str]]:
    """Key or result, its text in one row and in the other, where these differ."""
    keys = dict.fromkeys((*one["values"], *other["values"]))
    found = [
        (key, *(word(row["values"][key]) if key in row["values"] else "" for row in (one, other)))
        for key in keys
    ]
    told = [c for c in COLUMNS if c.title != "seconds" and (_tells(c, one) or _tells(c, other))]
    found += [(column.title, column.text(one), column.text(other)) for column in told]
    return [(name, a, b) for name, a, b in found if a != b]
