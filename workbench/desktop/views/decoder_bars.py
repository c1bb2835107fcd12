"""What each of the three decoders makes of the code at the cursor, side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from workbench.desktop.views.bars import Bars

DECODERS = ("max", "sum", "perceptron")
MEANING = {
    "max": "largest activation of a class",
    "sum": "summed activity of a class",
    "perceptron": "probability by the trained layer",
}


class DecoderBars(QWidget):
    """One panel of bars for each decoder, headed by what it decides."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Evidence by decoder")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        self.headings: dict[str, QLabel] = {}
        self.bars: dict[str, Bars] = {}
        for name in DECODERS:
            column = QVBoxLayout()
            column.setSpacing(4)
            heading = QLabel(name)
            heading.setProperty("role", "small")
            heading.setTextFormat(Qt.TextFormat.RichText)
            heading.setToolTip(MEANING[name])
            heading.setMinimumWidth(1)
            self.headings[name], self.bars[name] = heading, Bars()
            self.bars[name].setAccessibleName(f"Evidence, {name} decoder")
            column.addWidget(heading)
            column.addWidget(self.bars[name], 1)
            row.addLayout(column, 1)

    def show_decoders(
        self, evidence: dict[str, np.ndarray], names: tuple[str, ...], truth: int | None
    ) -> dict[str, int]:
        """Evidence [classes] by decoder; a decoder that is absent says why.

        Returns:
            The class each decoder decides for, where it has any evidence.
        """
        decided = {}
        for decoder in DECODERS:
            values = evidence.get(decoder)
            shown = values is not None and np.isfinite(values).all() and values.max() > 0
            self.bars[decoder].show_values(values if shown else np.empty(0), names, truth)
            if shown:
                decided[decoder] = int(values.argmax())
                mark = "" if truth is None else " ✓" if decided[decoder] == truth else " ✗"
                self.headings[decoder].setText(f"{decoder}: <b>{names[decided[decoder]]}</b>{mark}")
            else:
                self.headings[decoder].setText(f"{decoder}: {_why(decoder, values)}")
        return decided


def _why(decoder: str, values: Any) -> str:
    """Why there is nothing to show."""
    if values is not None:
        return "undecided"
    return "not trained" if decoder == "perceptron" else "no classes"


def by_decoder(code: np.ndarray, wiring: Any, perceptron: Any) -> dict[str, np.ndarray]:
    """The evidence [classes] of one code [M], by decoder.

    Args:
        code: activations of one sample.
        wiring: of the system; without labels there is no evidence by max and sum.
        perceptron: the trained layer, or None.
    """
    import torch  # loaded with the engine, long before there is a code

    from workbench.coding import decoders

    row = torch.from_numpy(code.copy())[None]
    found = {}
    if wiring.labels is not None:
        labels = wiring.labels.cpu()
        found["max"] = decoders.largest(row, labels, wiring.classes)
        found["sum"] = decoders.evidence(row, labels, wiring.classes)
    if perceptron is not None and perceptron.weight.shape[1] == len(code):
        found["perceptron"] = perceptron.probabilities(row) * float(row.any())  # silence: nothing
    return {name: values[0].numpy() for name, values in found.items()}
