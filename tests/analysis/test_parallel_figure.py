from dataclasses import replace

import numpy as np
import pytest

from workbench.analysis.parallel_figure import parallel_figure
from workbench.analysis.sweep_axis import Axis, Measure

THRESHOLDS = Axis("Threshold λ", [0.1, 0.1, 1, 1, 10, 10], log=True)
NORMS = Axis("Signal norm ‖s‖", [None, "none"] * 3)
ACCURACY = Measure("Accuracy (%)", np.array([0.1, 0.2, 0.5, 0.9, 0.7, np.nan]))


def test_lines_are_coloured_by_their_outcome_and_the_best_come_last():
    keys = [replace(axis, drawn=True) for axis in (THRESHOLDS, NORMS)]
    figure = parallel_figure(keys, ACCURACY)
    lines = figure.axes[0].collections[0]
    assert lines.get_array().tolist() == [0.1, 0.2, 0.5, 0.7, 0.9]  # one has no outcome
    heights = np.stack([segment[:, 1] for segment in lines.get_segments()])
    assert heights == pytest.approx(np.array([[0, 0], [0, 1], [0.5, 0], [1, 0], [0.5, 1]]))


def test_lines_through_one_listed_value_pass_side_by_side_the_best_on_top():
    figure = parallel_figure([THRESHOLDS, NORMS], ACCURACY)
    heights = np.stack([part[:, 1] for part in figure.axes[0].collections[0].get_segments()])
    first, second = heights.T  # in order of their outcome; one has none
    assert first == pytest.approx([-0.025, 0.025, 0.475, 1, 0.525])
    assert second == pytest.approx([-1 / 30, 0.975, 0, 1 / 30, 1.025])
