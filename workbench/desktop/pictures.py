"""Arrays as pictures: one place for colour maps."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import QImage


@cache
def lookup(signed: bool) -> np.ndarray:
    """256 RGB rows: perceptually uniform, or diverging with a neutral middle."""
    if signed:
        stops = [(49, 104, 188), (150, 190, 230), (246, 246, 246), (236, 170, 140), (178, 54, 40)]
        colour_map = pg.ColorMap(np.linspace(0, 1, 5), stops)
    else:
        colour_map = pg.colormap.get("cividis")
    return colour_map.getLookupTable(nPts=256, mode="byte")[:, :3]


def to_image(array: np.ndarray, low: float, high: float, signed: bool) -> QImage:
    """[H, W] through a colour map between low and high; [H, W, 3] in 0..1 as it is."""
    scaled = (np.clip(array, low, high) - low) / ((high - low) or 1.0)
    scaled = (255 * scaled).astype(np.uint8)
    rgb = np.ascontiguousarray(lookup(signed)[scaled] if array.ndim == 2 else scaled)
    height, width = rgb.shape[:2]
    return QImage(rgb.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def neuron_array(experiment: Any, neuron: int) -> np.ndarray | None:
    """What a neuron stands for: its atom, or the training image that its features are of.

    None for atoms that are neither, and where the training image cannot be read any more.
    """
    if experiment.dictionary is None:
        return None
    if experiment.vectors.backbone is not None:
        source = experiment.dictionary.source
        try:
            return None if source is None else experiment.dataset.train.image(int(source[neuron]))
        except OSError:
            return None
    return (
        experiment.dictionary.atoms[neuron].float().numpy().reshape(experiment.dataset.image_shape)
    )


def neuron_picture(experiment: Any, neuron: int) -> QImage | None:
    """The same as a picture; an atom with negative entries is drawn signed."""
    array = neuron_array(experiment, neuron)
    if array is None or experiment.vectors.backbone is not None:
        return None if array is None else to_image(array, 0.0, 1.0, signed=False)
    return atom_picture(array)


def atom_picture(atom: np.ndarray) -> QImage:
    """An atom [H, W] or [H, W, 3]; one with negative entries is drawn signed."""
    reach = float(np.abs(atom).max()) or 1.0
    signed = bool(atom.min() < 0)
    return to_image(atom, -reach if signed else 0.0, reach, signed)


def picture_of(split: Any, index: int) -> QImage:
    """One image of a dataset."""
    return to_image(np.asarray(split.image(index), np.float32), 0.0, 1.0, signed=False)
