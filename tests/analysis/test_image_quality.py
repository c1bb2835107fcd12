import math

import numpy as np
import pytest

from workbench.analysis.image_quality import psnr, ssim


def image(*shape, seed=0):
    return np.random.default_rng(seed).random(shape)


def test_psnr_is_ten_times_the_logarithm_of_one_over_the_error():
    reference = np.zeros((8, 8))
    assert psnr(reference, reference + 0.1) == pytest.approx(20.0)
    assert psnr(reference, reference + 1.0) == pytest.approx(0.0)


@pytest.mark.parametrize("shape", [(8, 8), (28, 28), (32, 32, 3), (3, 3), (4, 9), (6, 6)])
def test_equal_images_are_perfect_and_others_are_not(shape):
    reference, other = image(*shape), image(*shape, seed=1)
    assert psnr(reference, reference) == math.inf
    assert ssim(reference, reference) == pytest.approx(1.0)
    assert psnr(reference, other) < 20
    assert ssim(reference, other) < 0.9


def test_ssim_of_flat_images_is_its_luminance_term():
    # (2·x·y + c₁) / (x² + y² + c₁) with c₁ = 0.01², Wang et al. 2004, for a data range of 1.
    expected = (2 * 0.2 * 0.8 + 1e-4) / (0.2**2 + 0.8**2 + 1e-4)
    assert ssim(np.full((8, 8), 0.2), np.full((8, 8), 0.8)) == pytest.approx(expected)


def test_more_noise_is_worse():
    reference, noise = image(8, 8), image(8, 8, seed=2) - 0.5
    for quality in (psnr, ssim):
        values = [quality(reference, reference + size * noise) for size in (0.01, 0.1, 0.5)]
        assert values == sorted(values, reverse=True)


def test_images_of_different_or_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match="8×8, 8×9"):
        psnr(image(8, 8), image(8, 9))
    with pytest.raises(ValueError, match=r"\[H, W\] or \[H, W, 3\], got 64"):
        psnr(image(64), image(64))
    with pytest.raises(ValueError, match="at least 3×3 pixels, got 2×8"):
        ssim(image(2, 8), image(2, 8))
