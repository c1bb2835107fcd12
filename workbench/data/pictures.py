"""A picture of the user's own, made to look like an image of a dataset."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from workbench.data.folders import file_source
from workbench.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image


def read(path: Path) -> Image:
    """The picture in a file, RGB.

    Raises:
        InputError: there is no such file, or it is no picture.
    """
    place = f"view.picture = {str(path)!r}"
    if not os.path.isfile(path):  # a name may be too long to be asked for
        raise InputError(f"{place}: there is no such file")
    try:
        return file_source(path).picture()
    except OSError as error:
        why = error.strerror or "it is damaged or of another kind"
        raise InputError(
            f"{place}: cannot be read as a picture such as PNG or JPEG ({why})"
        ) from None


def fitted(picture: Image, shape: tuple[int, ...]) -> np.ndarray:
    """The middle of a picture, cut and resized to [H, W] grey or [H, W, 3], float32 in [0, 1]."""
    from PIL import Image, ImageOps

    height, width = shape[:2]
    if len(shape) == 2:
        picture = picture.convert("L")
    picture = ImageOps.fit(picture, (width, height), Image.Resampling.BILINEAR)
    return np.asarray(picture, np.float32) / 255
