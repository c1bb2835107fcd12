"""The selected neuron: its atom, its class, and what it does at the cursor's step."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFormLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from workbench.desktop.pictures import neuron_picture
from workbench.desktop.theme import theme
from workbench.desktop.views.base import coloured
from workbench.desktop.views.images import Picture
from workbench.desktop.workspace import Workspace

HINT = "The strongest neuron now. Click a trace, a mark in the raster or an atom to select one."


def shown_neuron(snapshot: Any, selected: int | None) -> int | None:
    """The selected neuron; without one, who puts out most, or else has gathered most."""
    system = snapshot.experiment.system
    if _is_there(selected, system):
        return selected
    traces = [o.name for o in system.observables if o.kind == "trace"]
    for name in (system.code, *traces):
        values = snapshot.observed.get(name)
        if values is not None and np.any(values):
            return int(np.nanargmax(np.abs(values)))
    return 0 if system.neurons else None


def _is_there(neuron: int | None, system: Any) -> bool:
    return neuron is not None and neuron < system.neurons


def _words(value: Any) -> str:
    """A value of a neuron in words."""
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    return f"{value:.4g}"


class InspectorPanel(QWidget):
    """All quantities of one neuron; made from what the system declares."""

    def __init__(self, workspace: Workspace, why: QAction) -> None:
        """``why`` shows what moves the neuron."""
        super().__init__()
        self._workspace = workspace
        self._drawn: tuple = ()
        self._atom: tuple = ()  # dictionary and neuron of the picture
        self._counted: tuple[Any, int | None, int] = (None, None, 0)  # recording, neuron, steps
        self._first: int | None = None
        self._count = 0
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        self.heading = QLabel("Neuron")
        self.heading.setProperty("role", "heading")
        self.hint = QLabel(HINT, wordWrap=True)
        self.hint.setProperty("role", "small")
        self.picture = Picture("Atom of the selected neuron")
        self.picture.setFixedHeight(theme.px(160))
        self.why = QPushButton("Why?")
        self.why.setAccessibleName("Show why it fires or not")
        self.why.setToolTip(f"Why it fires or not ({why.shortcut().toString()})")
        self.why.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.why.clicked.connect(why.trigger)
        self.form = QFormLayout()
        self.form.setVerticalSpacing(4)
        self.form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)  # else it is cut off
        self.form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.heading)
        column.addWidget(self.hint)
        column.addWidget(self.picture)
        column.addLayout(self.form)
        column.addWidget(self.why, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        self.picture.hide()
        self.why.hide()
        self._rows: dict[str, QLabel] = {}

    def needs(self, system: Any) -> set[str]:
        """All quantities of the neurons."""
        return {o.name for o in system.observables if o.axis == "neuron"}

    def refresh(self) -> None:
        """Show the newest snapshot."""
        snapshot, neuron = self._workspace.snapshot, self._workspace.neuron
        if snapshot is None or self._drawn == (snapshot, neuron):
            return
        self._drawn = (snapshot, neuron)
        system = snapshot.experiment.system
        self.hint.setVisible(not _is_there(neuron, system))
        neuron = shown_neuron(snapshot, neuron)
        if neuron is None:
            return
        self.why.setVisible(system.accounts)
        label = None if system.wiring.labels is None else int(system.wiring.labels[neuron])
        names = snapshot.experiment.dataset.class_names
        of = "" if label is None else f" · “{names[label]}”"
        self.heading.setText(f"Neuron {neuron}{of}")
        self._show_atom(snapshot, neuron)
        self._fill(self._values(snapshot, neuron))

    def _show_atom(self, snapshot: Any, neuron: int) -> None:
        if self._atom == (snapshot.experiment.dictionary, neuron):
            return  # it may lie in a file, and is not read at each frame
        self._atom = (snapshot.experiment.dictionary, neuron)
        picture = neuron_picture(snapshot.experiment, neuron)
        self.picture.setVisible(picture is not None)
        if picture is not None:
            self.picture.show_image(picture)

    def _values(self, snapshot: Any, neuron: int) -> list[tuple[str, str, str]]:
        """Rows of (name, value, meaning)."""
        rows = []
        for observable in snapshot.experiment.system.observables:
            values = snapshot.observed.get(observable.name)
            if observable.axis != "neuron" or values is None:
                continue
            text = f"{_words(values[neuron])} {observable.unit}".strip()
            behind = self._behind(snapshot, observable.name, neuron)
            if behind:
                text += coloured(f" ({behind})", theme.colours.muted)
            symbol = f"{observable.title} {observable.symbol}".strip()
            rows.append((symbol, text, observable.meaning))
        self._count_spikes(snapshot.recording, neuron)
        first = "–" if self._first is None else str(self._first)
        rows.append(("First fired at step", first, ""))
        rows.append(("Fired in", f"{self._count} of {self._counted[2]} steps", ""))
        return rows

    def _behind(self, snapshot: Any, name: str, neuron: int) -> str:
        """The same value on the branch that the run is drawn over; empty where there is none."""
        reference = snapshot.reference
        if reference is None:
            return ""
        observer = reference.recording.observer(reference.step)
        here = snapshot.experiment.system
        if (observer.kind, observer.neurons) != (here.kind, here.neurons):
            return ""
        return _words(observer.observe_neurons(reference.state, name, [neuron])[0, 0].item())

    def _count_spikes(self, recording: Any, neuron: int) -> None:
        """Count on from where the last look ended."""
        done = self._counted[2]
        if self._counted[:2] != (recording, neuron):
            done, self._first, self._count = 0, None, 0
        steps, neurons, end = recording.spike_pairs(done)
        own = steps[neurons == neuron]
        if len(own) and self._first is None:
            self._first = int(own[0])
        self._count += len(own)
        self._counted = (recording, neuron, end)

    def _fill(self, rows: list[tuple[str, str, str]]) -> None:
        if list(self._rows) != [name for name, _, _ in rows]:
            while self.form.rowCount():
                self.form.removeRow(0)
            self._rows = {}
            for name, _, meaning in rows:
                title, value = QLabel(name), QLabel()
                title.setProperty("role", "small")
                title.setToolTip(meaning)
                value.setAlignment(Qt.AlignmentFlag.AlignRight)
                self.form.addRow(title, value)
                self._rows[name] = value
        for name, text, _ in rows:
            self._rows[name].setText(text)
