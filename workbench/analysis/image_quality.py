"""How close an image is to the one it stands for: PSNR and SSIM, as scikit-image computes them.

Both take pixel values to span 1.0 (black 0, white 1), whatever range the two images use.
"""

from __future__ import annotations

import math

import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

_WINDOW = 7  # side of the square over which SSIM compares, in pixels; smaller on small images


def psnr(reference: np.ndarray, image: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB, 10 log₁₀(1 / mean squared error); inf if equal.

    Args:
        reference: [H, W] or [H, W, 3].
        image: the same shape.

    Raises:
        ValueError: the shapes are not those of two equal images.
    """
    reference, image = _pair(reference, image)
    if np.array_equal(reference, image):
        return math.inf
    return float(peak_signal_noise_ratio(reference, image, data_range=1.0))


def ssim(reference: np.ndarray, image: np.ndarray) -> float:
    """Structural similarity, 1 if equal; arguments and errors as for `psnr`, from 3×3 pixels on."""
    reference, image = _pair(reference, image)
    side = min(reference.shape[:2])
    if side < 3:
        raise ValueError(f"SSIM needs images of at least 3×3 pixels, got {_size(reference)}")
    return float(
        structural_similarity(
            reference,
            image,
            data_range=1.0,
            win_size=min(_WINDOW, side - 1 + side % 2),  # odd, inside the image
            channel_axis=2 if reference.ndim == 3 else None,
        )
    )


def _pair(reference: np.ndarray, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    reference, image = np.asarray(reference, dtype=float), np.asarray(image, dtype=float)
    if reference.shape != image.shape:
        raise ValueError(f"images of one size are compared, got {_size(reference)}, {_size(image)}")
    if reference.ndim != 2 and (reference.ndim != 3 or reference.shape[2] != 3):
        raise ValueError(f"an image is [H, W] or [H, W, 3], got {_size(reference)}")
    return reference, image


def _size(image: np.ndarray) -> str:
    return "×".join(map(str, image.shape))
