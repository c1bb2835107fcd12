"""A choice of one neuron: by itself, or pinned to one of those worth a look."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QComboBox

from workbench.desktop.theme import theme
from workbench.desktop.views.base import quiet_combo

AUTOMATIC = "automatic"
Entry = tuple[int, str]  # a neuron and its name


def neuron_choice(name: str) -> NeuronChoice:
    """A small choice, with nothing to choose from yet."""
    return quiet_combo(name, [AUTOMATIC], NeuronChoice)


class NeuronChoice(QComboBox):
    """Offers neurons; the one that is pinned stays, whatever else is offered."""

    @property
    def neuron(self) -> int | None:
        """The pinned neuron; None: whoever it is by itself."""
        return self.currentData()

    def release(self) -> None:
        """Pin nobody, and offer nobody."""
        self._fill([], None)

    def offer(self, entries: Sequence[Entry]) -> None:
        """Offer these. While the list is open, it stays as it is."""
        if self.view().isVisible():
            return
        pinned, entries = self.neuron, list(entries)
        if pinned is not None and pinned not in [neuron for neuron, _ in entries]:
            entries.insert(0, (pinned, self.currentText()))
        self._fill(entries, pinned)

    def _fill(self, entries: list[Entry], pinned: int | None) -> None:
        texts = [AUTOMATIC, *(text for _, text in entries)]
        if texts == [self.itemText(i) for i in range(self.count())]:
            return
        blocker = QSignalBlocker(self)
        self.clear()
        self.addItem(AUTOMATIC, None)
        for neuron, text in entries:
            self.addItem(text, neuron)
        self.setCurrentIndex(self.findData(pinned) if pinned is not None else 0)
        blocker.unblock()

    def rescale(self) -> None:
        """The same width whatever is offered."""
        self.setFixedWidth(theme.px(96))
