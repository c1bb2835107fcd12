"""What a run codes: an image of the test set, or a picture of the user's own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from workbench.data import pictures
from workbench.document.schema import View
from workbench.engine.experiment import Experiment
from workbench.errors import InputError


@dataclass(frozen=True, eq=False)
class Input:
    """One image on its way into the network."""

    name: str  # "test sample 4", "picture cat.png"
    sample: int | None  # its index in the test set; None: it is a picture
    truth: int | None  # its class; None: not known
    image: np.ndarray  # [H, W] or [H, W, 3] float32 in [0, 1], for people
    vector: Tensor  # [1, N], pixels or features, before they are scaled


def chosen(experiment: Experiment, view: View) -> Input:
    """The image that a document's ``view`` asks for.

    Raises:
        InputError: there is no such test image or picture, or it cannot be read.
    """
    if view.picture is not None:
        return _picture(experiment, Path(view.picture))
    test, sample = experiment.dataset.test, view.sample
    if sample >= len(test):
        raise InputError(f"view.sample = {sample}: the test set has samples 0 to {len(test) - 1}")
    name = f"test sample {sample}"
    try:
        vector, image = experiment.vectors.test.rows([sample]), test.image(sample)
    except OSError as error:
        raise InputError(f"{name}: its image cannot be read any more ({error})") from None
    return Input(name, sample, int(test.labels[sample]), image, vector)


def of_image(experiment: Experiment, given: Input, image: np.ndarray) -> Input:
    """An input with another image, [H, W] or [H, W, 3] in [0, 1], in place of its own."""
    backbone = experiment.vectors.backbone
    if backbone is None:
        vector = torch.from_numpy(image).reshape(1, -1)
    else:
        picture = Image.fromarray(np.round(255 * image).astype(np.uint8)).convert("RGB")
        vector = backbone.features(backbone.transform(picture)[None])
    return replace(given, image=image, vector=vector)


def _picture(experiment: Experiment, path: Path) -> Input:
    picture, backbone = pictures.read(path), experiment.vectors.backbone
    if backbone is None:
        image = pictures.fitted(picture, experiment.dataset.image_shape)
        vector = torch.from_numpy(image).reshape(1, -1)
    else:
        side = backbone.image_size
        image = pictures.fitted(picture, (side, side, 3))
        vector = backbone.features(backbone.transform(picture)[None])
    return Input(f"picture {path.name}", None, None, image, vector)
