"""Tolerances from statistics."""

import math

import numpy as np
import pytest

from workbench.papers import judging


def test_the_standard_error_is_that_of_drawing_images():
    drawn = np.random.default_rng(0).binomial(400, 0.9, 20_000) / 400
    assert judging.standard_error(0.9, 400) == pytest.approx(drawn.std(), rel=0.02)


def test_the_error_of_a_difference_holds_both():
    one, other = judging.standard_error(0.9, 400), judging.standard_error(0.9, 100)
    assert judging.standard_error(0.9, 400, 100) == pytest.approx(math.hypot(one, other))


def test_a_trend_without_one_is_a_standard_normal_number():
    drawn = np.random.default_rng(1).binomial(500, 0.9, (4000, 4)) / 500
    trends = [judging.trend(parts, 500) for parts in drawn.tolist()]
    assert np.mean(trends) == pytest.approx(0, abs=0.06)
    assert np.std(trends) == pytest.approx(1, abs=0.05)


def test_a_rise_is_positive_a_fall_negative_and_level_is_none():
    assert judging.trend([0.88, 0.9, 0.92, 0.94], 1000) > judging.Z_TREND
    assert judging.trend([0.94, 0.92, 0.9, 0.88], 1000) < -judging.Z_TREND
    assert judging.trend([1.0, 1.0, 1.0], 10) == 0.0
    assert math.isnan(judging.trend([0.9, math.nan], 10))
