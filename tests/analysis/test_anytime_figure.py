"""Where an accuracy has settled, and its figure."""

import numpy as np
import pytest

from workbench.analysis.anytime_figure import anytime_figure, settled_at


@pytest.mark.parametrize(
    ("accuracy", "step"),
    [
        ([0.9], 0),
        ([0.9, 0.9, 0.9], 0),
        ([0.0, 0.5, 0.89, 0.896, 0.9], 3),
        ([0.0, 0.9, 0.91, 0.9, 0.9], 3),  # above is away, too
        ([0.0, 0.9, 0.905, 0.9], 1),  # just within
        ([0.0, 0.0, 0.0, 0.9], 3),
    ],
)
def test_it_has_settled_where_it_stays_near_its_last_value(accuracy, step):
    assert settled_at(np.array(accuracy)) == step


def test_the_figure_names_each_decoder_and_where_it_settled():
    curves = {"max": np.array([0, 0.5, 0.8, 0.8]), "sum": np.array([0, 0.7, 0.9, 0.902])}
    figure = anytime_figure(curves, "caption")
    (axes,) = figure.axes
    words = [text.get_text() for text in axes.get_legend().get_texts()]
    assert words == ["max 80.0%, from step 2 on", "sum 90.2%, from step 2 on"]
    assert axes.lines[0].get_ydata().tolist() == curves["max"].tolist()
