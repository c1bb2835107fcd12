"""One row for one declared parameter: symbol, control, value. The model checks; rows only show."""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSlider,
    QToolButton,
    QWidget,
)

from workbench.desktop.theme import theme
from workbench.parameters import Parameter

TICKS = 200  # positions of a slider


def subscripted(symbol: str) -> str:
    """A symbol as the papers set it: "t_ref" with its index lowered."""
    head, underscore, index = symbol.partition("_")
    return f"{head}<sub>{index}</sub>" if underscore else symbol


class _NoWheel(QObject):
    """Lets the wheel scroll the rail instead of turning what happens to lie under the mouse."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() != QEvent.Type.Wheel:
            return False
        event.ignore()
        return True


def tame(control: QWidget) -> None:
    """No wheel; and after a click the bare keys still belong to the run, as with the buttons."""
    control.installEventFilter(_NoWheel(control))
    if not isinstance(control, QLineEdit):
        control.setFocusPolicy(Qt.FocusPolicy.TabFocus)


class Field(QWidget):
    """A row of the parameter panel."""

    edited = Signal(object, bool)  # new value, whether more changes are to be expected at once
    tried = Signal(object)  # a value under a slider that is held; let go of, it is edited

    def __init__(self, place: str, declared: Parameter) -> None:
        super().__init__()
        self.place, self.declared = place, declared
        self.setObjectName(place)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        name = QLabel(subscripted(declared.symbol) or declared.label)
        name.setToolTip(self._tooltip())
        row.addWidget(name)
        self._name = name
        self.build(row)
        theme.changed.connect(self.rescale)
        self.rescale()

    def rescale(self) -> None:
        """Widths at the theme's scale."""
        self._name.setMinimumWidth(theme.px(28 if self.declared.symbol else 72))

    def build(self, row: QHBoxLayout) -> None:
        """Add the control."""
        raise NotImplementedError

    def show_value(self, value: Any) -> None:
        """Show a value of the document; emits nothing."""
        raise NotImplementedError

    def _named(self, control: QWidget) -> QWidget:
        unit = f" ({self.declared.unit})" if self.declared.unit else ""
        control.setAccessibleName(f"{self.declared.label}{unit}")
        control.setToolTip(self._tooltip())
        tame(control)
        return control

    def _tooltip(self) -> str:
        declared = self.declared
        unit = f" in {declared.unit}" if declared.unit else ""
        equation = f" Equation {declared.equation}." if declared.equation else ""
        acts = "Starts the run again." if declared.restart else "Acts on the next step."
        meaning = declared.meaning[:1].upper() + declared.meaning[1:].rstrip(".")
        return (
            f"<p><b>{declared.label}</b>{unit}</p><p>{meaning}.{equation}</p>"
            f"<p>Must be {declared.allowed}. {acts}</p>"
        )


class NumberField(Field):
    """A number: typed, stepped with the arrow keys, or dragged along its slider."""

    def build(self, row: QHBoxLayout) -> None:
        self.slider: QSlider | None = None
        if self.declared.slider is not None:
            self.slider = QSlider(Qt.Orientation.Horizontal)
            self.slider.setRange(0, TICKS)
            self.slider.valueChanged.connect(self._slid)
            self.slider.sliderReleased.connect(self._released)
            row.addWidget(self._named(self.slider), 1)
        else:
            row.addStretch(1)
        self.text = QLineEdit()
        self.text.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.text.editingFinished.connect(self._typed)
        row.addWidget(self._named(self.text))
        self._value: Any = None
        self._held: Any = None  # under the slider, while it is held

    def rescale(self) -> None:
        super().rescale()
        self.text.setFixedWidth(theme.px(64))

    def show_value(self, value: Any) -> None:
        self._value = value
        self.text.setText(self._format(value))
        self.text.setPlaceholderText(self.declared.nothing if self.declared.optional else "")
        self._mark(False)
        if self.slider is not None and value is not None and not self.slider.isSliderDown():
            blocker = QSignalBlocker(self.slider)
            self.slider.setValue(self._to_tick(value))
            blocker.unblock()

    def _format(self, value: Any) -> str:
        if value is None:
            return ""
        return str(value) if isinstance(value, (int, str)) else f"{value:.6g}"

    def _typed(self) -> None:
        text = self.text.text().strip()
        if text == self._format(self._value):
            self._mark(False)
        else:
            self.edited.emit(self._read(text), False)
        if not self.text.property("wrong"):
            self.text.clearFocus()  # bare keys belong to the window again

    def _read(self, text: str) -> Any:
        """The typed text as a number, as nothing, or as it is: then the model complains."""
        if not text and self.declared.optional:
            return None
        try:
            return int(text) if self.declared.type == "int" else float(text.replace(",", "."))
        except ValueError:
            return text

    def refuse(self) -> None:
        """The typed value was not taken: keep it on show, marked."""
        self._mark(True)

    def _mark(self, wrong: bool) -> None:
        if self.text.property("wrong") != wrong:
            self.text.setProperty("wrong", wrong)
            self.text.style().unpolish(self.text)
            self.text.style().polish(self.text)

    def _slid(self, tick: int) -> None:
        value = self._from_tick(tick)
        if self.slider.isSliderDown():
            self._held = value
            self.tried.emit(value)
        else:
            self.edited.emit(value, True)

    def show_tried(self, value: Any) -> None:
        """Show a value that the document does not hold, while the slider is held."""
        self.text.setText(self._format(value))

    def _released(self) -> None:
        if self._held is None:
            return
        value, self._held = self._held, None
        blocker = QSignalBlocker(self.slider)
        self.slider.setValue(self._to_tick(value))
        blocker.unblock()
        self.edited.emit(value, False)

    def _to_tick(self, value: float) -> int:
        low, high = self.declared.slider
        value = min(max(value, low), high)
        if self.declared.log:
            return round(TICKS * math.log(value / low) / math.log(high / low))
        return round(TICKS * (value - low) / (high - low))

    def _from_tick(self, tick: int) -> float | int:
        low, high = self.declared.slider
        part = tick / TICKS
        value = low * (high / low) ** part if self.declared.log else low + part * (high - low)
        return round(value) if self.declared.type == "int" else float(f"{value:.3g}")


class ChoiceField(Field):
    """One of a few names, or none of them."""

    def build(self, row: QHBoxLayout) -> None:
        none = (None,) if self.declared.optional else ()
        self.values: tuple[str | None, ...] = (*none, *self.declared.choices)
        self.combo = QComboBox()
        words = [value or self.declared.nothing for value in self.values]
        self.combo.addItems([word.replace("_", " ") for word in words])
        self.combo.currentIndexChanged.connect(
            lambda index: self.edited.emit(self.values[index], False)
        )
        row.addWidget(self._named(self.combo), 1)

    def show_value(self, value: Any) -> None:
        blocker = QSignalBlocker(self.combo)
        self.combo.setCurrentIndex(self.values.index(value))
        blocker.unblock()

    def show_resolved(self, value: str) -> None:
        """Say beside "auto" what it stands for in the run on screen."""
        if "auto" in self.values:
            self.combo.setItemText(self.values.index("auto"), f"auto ({value})")


class SwitchField(Field):
    """Yes or no."""

    def build(self, row: QHBoxLayout) -> None:
        row.itemAt(0).widget().setText(self.declared.label)
        row.addStretch(1)
        self.box = QCheckBox()
        self.box.toggled.connect(lambda on: self.edited.emit(on, False))
        row.addWidget(self._named(self.box))

    def show_value(self, value: Any) -> None:
        blocker = QSignalBlocker(self.box)
        self.box.setChecked(bool(value))
        blocker.unblock()


class TextField(Field):
    """A name or a folder; a folder can be looked for."""

    def build(self, row: QHBoxLayout) -> None:
        self.text = QLineEdit()
        self.text.editingFinished.connect(self._typed)
        row.addWidget(self._named(self.text), 1)
        self._value: str | None = None
        if self.place == "data.root":
            browse = QToolButton()
            browse.setText("…")
            browse.setAccessibleName("Choose the data folder")
            browse.clicked.connect(self._browse)
            row.addWidget(browse)

    def show_value(self, value: Any) -> None:
        self._value = value
        self.text.setText(value or "")
        self.text.setPlaceholderText("none" if self.declared.optional else "")

    def _typed(self) -> None:
        text = self.text.text().strip()
        if text != (self._value or ""):
            self.edited.emit(text or None, False)
        self.text.clearFocus()

    def _browse(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Data folder", self._value or "")
        if folder:
            self.edited.emit(folder, False)


def make_field(place: str, declared: Parameter) -> Field:
    """The row that fits a declaration."""
    kinds = {"choice": ChoiceField, "bool": SwitchField, "text": TextField}
    # a number that may also be a word ("signal.norm") is typed, and checked by the model
    numeric_choice = declared.type == "choice" and declared.low is not None
    kind = NumberField if numeric_choice else kinds.get(declared.type, NumberField)
    return kind(place, declared)
