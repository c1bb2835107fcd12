"""What a sweep varies: rows of a key and its values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QCompleter,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from workbench.parameters import Parameter

NUMBER = r"\s*[-+]?[\d.]+(?:[eE][-+]?\d+)?\s*"
RANGE = re.compile(rf"{NUMBER}:{NUMBER}(?::\s*log\s*)?")
HINT = "0.5, 1, 2   or a range 0.5:8:log"


class AxisRow(QWidget):
    """One key, and its values as text: listed between commas, or a range."""

    changed = Signal()
    removed = Signal(object)  # this row

    def __init__(self, known: Mapping[str, Parameter], present: Mapping[str, Any]) -> None:
        super().__init__()
        self._known, self._present = known, present
        self._suggested = ""
        self.key = QComboBox(editable=True)
        self.key.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.key.setAccessibleName("Key that is varied")
        for place, parameter in known.items():
            self.key.addItem(place)
            words = f"{parameter.label}: {parameter.meaning}"
            self.key.setItemData(self.key.count() - 1, words, Qt.ItemDataRole.ToolTipRole)
        self.key.completer().setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        self.key.completer().setFilterMode(Qt.MatchFlag.MatchContains)
        self.values = QLineEdit(placeholderText=HINT)
        self.values.setAccessibleName("Values of the key")
        remove = QToolButton(text="✕", toolTip="Vary this key no more")
        remove.setAccessibleName("Vary this key no more")
        remove.clicked.connect(lambda: self.removed.emit(self))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.key, 2)
        row.addWidget(self.values, 3)
        row.addWidget(remove)
        self.key.currentTextChanged.connect(self._key_changed)
        self.values.textChanged.connect(lambda: self.changed.emit())

    def choose(self, key: str, values: str | None = None) -> None:
        """Vary this key; None: values worth a try."""
        blocker = QSignalBlocker(self.key)
        self.key.setCurrentText(key)
        blocker.unblock()
        self._key_changed(key)
        if values is not None:
            self.values.setText(values)

    def follow(self, present: Mapping[str, Any]) -> None:
        """Other values of the session, around which values are proposed."""
        self._present = present

    def _key_changed(self, key: str) -> None:
        parameter = self._known.get(key)
        if parameter is not None:
            self.values.setToolTip(f"{parameter.meaning}. Must be {parameter.allowed}")
            if self.values.text() in ("", self._suggested):
                self._suggested = suggested(parameter, self._present.get(key, parameter.default))
                self.values.setText(self._suggested)
        self.changed.emit()

    @property
    def assignment(self) -> str:
        """The row as ``--grid`` and ``--range`` take it."""
        return f"{self.key.currentText().strip()}={self.values.text().strip()}"

    @property
    def is_range(self) -> bool:
        """Whether values are to be drawn."""
        return RANGE.fullmatch(self.values.text()) is not None


class AxesEditor(QWidget):
    """The rows, and a button for one more."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._known: Mapping[str, Parameter] = {}
        self._present: Mapping[str, Any] = {}
        self.rows: list[AxisRow] = []
        self.add = QPushButton("Vary another key")
        self.add.setAutoDefault(False)
        self.add.setAccessibleName("Vary another key")
        self.add.clicked.connect(lambda: self.add_row())
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        heading = QLabel("VARIED")
        heading.setProperty("role", "section")
        self._column.addWidget(heading)
        self._column.addWidget(self.add, 0, Qt.AlignmentFlag.AlignLeft)
        self._column.addStretch(1)

    def offer(self, known: Mapping[str, Parameter], present: Mapping[str, Any]) -> None:
        """Other keys: those of another kind of system. Rows whose key is gone go, too."""
        if list(known) != list(self._known):
            kept = [(r.key.currentText(), r.values.text()) for r in self.rows]
            for row in list(self.rows):
                self._remove(row)
            self._known, self._present = known, present
            for key, values in kept:
                if key in known:
                    self.add_row(key, values)
        self._known, self._present = known, present
        for row in self.rows:
            row.follow(present)

    def add_row(self, key: str | None = None, values: str | None = None) -> AxisRow:
        """One more key; None: the first that is worth varying and is not yet."""
        row = AxisRow(self._known, self._present)
        taken = {other.key.currentText() for other in self.rows}
        free = [k for k, p in self._known.items() if k not in taken and p.slider is not None]
        row.changed.connect(self.changed)
        row.removed.connect(self._remove)
        self.rows.append(row)
        self._column.insertWidget(self._column.indexOf(self.add), row)
        QWidget.setTabOrder(row, self.add)
        row.choose(key or next(iter(free), next(iter(self._known))), values)
        return row

    def _remove(self, row: AxisRow) -> None:
        self.rows.remove(row)
        self._column.removeWidget(row)
        row.deleteLater()
        self.changed.emit()

    @property
    def grids(self) -> list[str]:
        """Rows with listed values, as ``--grid`` takes them."""
        return [row.assignment for row in self.rows if not row.is_range]

    @property
    def ranges(self) -> list[str]:
        """Rows with ranges, as ``--range`` takes them."""
        return [row.assignment for row in self.rows if row.is_range]


def suggested(parameter: Parameter, present: Any) -> str:
    """Values worth a try around the present one."""
    if parameter.type == "choice" and parameter.low is None:
        return ", ".join(parameter.choices)
    if parameter.type == "bool":
        return "true, false"
    if isinstance(present, bool) or not isinstance(present, int | float) or present <= 0:
        return "" if parameter.slider is None else ", ".join(map(_short, _spread(parameter)))
    values = [present / 2, present, present * 2]
    if parameter.type == "int":
        values = sorted({max(1, round(value)) for value in values})
    fits = [v for v in values if parameter.high is None or v <= parameter.high]
    return ", ".join(_short(value) for value in fits)


def _spread(parameter: Parameter) -> list[float]:
    low, high = parameter.slider
    return [low, (low + high) / 2, high]


def _short(value: float) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
