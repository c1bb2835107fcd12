"""The small plot of what is learned."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.desktop.curve import Curve


@pytest.fixture
def curve(qtbot):
    widget = Curve("Loss")
    qtbot.addWidget(widget)
    widget.resize(300, 60)
    widget.show()
    return widget


def inked(widget, colour):
    image = widget.grab().toImage()
    found = [
        (x, y)
        for x in range(image.width())
        for y in range(image.height())
        if image.pixelColor(x, y).name() == colour
    ]
    return np.array(found) if found else np.empty((0, 2))


def test_a_falling_line_falls_and_reaches_as_far_as_it_has_come(curve):
    curve.show_lines([("loss", [4.0, 3.0, 2.0, 1.0], "#ff0000")], length=7)
    points = inked(curve, "#ff0000")
    plot = points[points[:, 0] < 120]  # the name stands to the right of it
    left, right = plot[plot[:, 0].argmin()], plot[plot[:, 0].argmax()]
    assert left[1] < right[1]  # downwards
    half = inked(curve, "#ff0000")[:, 0].max()
    curve.show_lines([("loss", [4.0, 3.0, 2.0, 1.0], "#ff0000")], length=4)
    assert inked(curve, "#ff0000")[:, 0].max() > half
    assert curve.accessibleDescription() == "loss 1"


def test_names_that_end_at_the_same_place_do_not_cover_each_other(curve):
    lines = [("training", [2.0, 1.0], "#ff0000"), ("validation", [2.0, 1.01], "#0000ff")]
    curve.show_lines(lines, 2)
    red, blue = inked(curve, "#ff0000"), inked(curve, "#0000ff")
    edge = 190
    names = [points[points[:, 0] > edge][:, 1].mean() for points in (red, blue)]
    assert names[0] > names[1] + 8  # a line of type apart
    assert red[:, 1].max() < 60


def test_nothing_and_numbers_that_are_not_finite_are_drawn_without_harm(curve):
    curve.show_lines([], 1)
    curve.grab()
    curve.show_lines([("loss", [float("nan"), float("inf")], "#ff0000")], 5)
    curve.grab()
    curve.show_lines([("loss", list(np.linspace(5, 1, 5000)), "#ff0000")], 5000, mark=17)
    curve.grab()
