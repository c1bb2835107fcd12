"""Permutation importance against its closed form."""

import numpy as np
import pytest

from workbench.analysis.importance import FEWEST, importance

GRID = np.stack(np.meshgrid(np.arange(12.0), np.arange(12.0)), -1).reshape(-1, 2)  # [144, 2]


def test_of_a_sum_it_is_twice_the_part_of_the_variance():
    x, y = GRID.T
    outcome = 3 * x + y  # variances 9 : 1
    found = importance({"x": x.tolist(), "y": y.tolist()}, outcome)
    assert found.fall["x"] == pytest.approx(2 * 0.9, abs=0.15)
    assert found.fall["y"] == pytest.approx(2 * 0.1, abs=0.05)
    assert found.explained > 0.95 and found.caution == ""


def test_names_truths_and_nothing_are_categories():
    kinds = [None, "none", 5] * 20
    truths = [True, False] * 30
    found = importance({"kind": kinds, "truth": truths}, [float(kind == 5) for kind in kinds])
    assert found.fall["kind"] > 1 > 0.05 > abs(found.fall["truth"])


def test_the_same_points_give_the_same_numbers():
    x, y = GRID.T
    assert importance({"x": x, "y": y}, x * y) == importance({"x": x, "y": y}, x * y)


def test_of_very_many_points_some_are_enough():
    x, y = np.random.default_rng(0).random((2, 5000))
    found = importance({"x": x, "y": y}, x > 0.5)
    assert found.fall["x"] > 1 > 0.01 > abs(found.fall["y"])


def test_few_points_and_noise_are_called_so():
    few = importance({"x": range(6)}, [0.0, 1, 2, 3, 4, 5])
    assert "only 6 points; 10 or more" in few.caution
    noise = np.random.default_rng(0).normal(size=100)
    assert "explains little" in importance({"x": range(100)}, noise).caution


def test_too_few_points_or_outcomes_all_alike_say_nothing():
    assert importance({"x": range(FEWEST - 1)}, range(FEWEST - 1)) is None
    assert importance({"x": range(20)}, [0.5] * 20) is None
