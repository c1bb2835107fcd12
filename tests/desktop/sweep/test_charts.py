"""The pictures of a sweep: what is drawn where, and what is below a click."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from workbench.analysis.sweep_axis import Axis
from workbench.desktop.pictures import lookup
from workbench.desktop.sweep.chart import Points
from workbench.desktop.sweep.heatmap import Heatmap
from workbench.desktop.sweep.importance import WAITING, ImportanceBars
from workbench.desktop.sweep.line import Line
from workbench.desktop.sweep.parallel import MOST, Parallel

SIZE = 400, 300


@pytest.fixture
def show(qtbot):
    """Shows points in a chart of a kind."""

    def make(kind, points=None):
        chart = kind("Points", lambda rows: f"rows {list(rows)}")
        qtbot.addWidget(chart)
        chart.resize(*SIZE)
        if points is not None:
            chart.show_points(points)
        chart.show()
        chart.grab()  # lays it out
        return chart

    return make


def points_over(columns, values, log=False, drawn=False):
    axes = [Axis(f"Key {i}", list(column), log, drawn) for i, column in enumerate(columns)]
    rows = [10 + place for place in range(len(values))]  # of a table with others before
    return Points(axes, np.array(values, float), rows, "accuracy", lambda v: f"{100 * v:.3g} %")


GRID = [(x, y) for x in (1, 2, 3) for y in (5, 6)]


@pytest.mark.parametrize("kind", [Line, Heatmap, Parallel])
def test_without_points_it_says_so_and_a_click_does_nothing(show, qtbot, kind):
    chart = show(kind)
    with qtbot.assertNotEmitted(chart.chosen):
        QTest.mouseClick(chart, Qt.MouseButton.LeftButton, pos=chart.rect().center())


def test_each_cell_of_a_heatmap_has_its_colour_and_its_points(show, qtbot):
    values = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    points = points_over(zip(*GRID, strict=True), values)
    chart = show(Heatmap, points)
    image, colours = chart.grab().toImage(), lookup(False)
    for place, value in enumerate(values):
        column, row = divmod(place, 2)
        cell = chart._cell(chart._place, column, row, (2, 3))
        colour = image.pixelColor(cell.topLeft().toPoint() + QPointF(4, 4).toPoint())
        expected = colours[round(255 * (value - 0.1) / 0.5)]
        assert [colour.red(), colour.green(), colour.blue()] == expected.tolist()
        assert chart.hit(cell.center()) == [place]
    cell = chart._cell(chart._place, 2, 1, (2, 3))
    with qtbot.waitSignal(chart.chosen) as chosen:
        QTest.mouseClick(chart, Qt.MouseButton.LeftButton, pos=cell.center().toPoint())
    assert chosen.args == [[15]]
    with qtbot.waitSignal(chart.opened) as opened:
        QTest.mouseDClick(chart, Qt.MouseButton.LeftButton, pos=cell.center().toPoint())
    assert opened.args == [15]
    assert chart.hit(QPointF(1, 1)) == []


def test_a_cell_of_several_points_holds_their_mean_and_opens_the_best(show):
    points = points_over([(1, 1, 1, 2), (5, 5, 5, 5)], [0.2, 0.9, np.nan, 0.5])
    chart = show(Heatmap, points)
    cell = chart._cell(chart._place, 0, 0, (1, 2))
    assert chart.hit(cell.center()) == [1, 0]


def test_drawn_values_are_dots_and_the_nearest_is_hit(show):
    points = points_over([(0.1, 1.0, 9.0), (5.0, 7.0, 6.0)], [0.1, 0.5, 0.9], drawn=True)
    chart = show(Heatmap, points)
    x, y = chart._dots(chart._place)
    assert np.argsort(x).tolist() == [0, 1, 2] and np.argsort(y).tolist() == [1, 2, 0]
    assert chart.hit(QPointF(x[1] + 3, y[1])) == [1]
    assert chart.hit(QPointF(x[1] + 60, y[1])) == []


def test_a_line_goes_through_its_points_in_order(show):
    points = points_over([(4, 1, 2)], [0.9, 0.1, np.nan])
    chart = show(Line, points)
    x, y = chart._dots()
    assert np.argsort(x).tolist() == [1, 2, 0] and y[0] < y[1]
    assert chart.hit(QPointF(x[0], y[0])) == [0]
    assert chart.hit(QPointF(x[2], y[1])) == []  # what is not known is not there


def test_parallel_lines_are_hit_between_the_axes(show):
    columns = [(1, 2, 3), (5, 6, 7), ("a", "b", "a")]
    chart = show(Parallel, points_over(columns, [0.3, 0.2, 0.9]))
    order, x, y = chart._lines()
    assert order.tolist() == [1, 0, 2]  # the best on top
    for line, point in zip(y, order, strict=True):
        middle = QPointF((x[0] + x[1]) / 2, (line[0] + line[1]) / 2)
        assert chart.hit(middle) == [point]
    assert chart.hit(QPointF(1, 1)) == []
    assert chart._place.top() <= y.min() and y.max() <= chart._place.bottom()


def test_of_very_many_lines_some_are_drawn_the_best_among_them(show):
    many = 2 * MOST
    columns = [tuple(range(many)), tuple(range(many, 0, -1)), ("a",) * many]
    chart = show(Parallel, points_over(columns, np.arange(many) / many))
    order, _, _ = chart._lines()
    assert len(order) == MOST and order[-1] == many - 1


def test_what_is_selected_is_marked(show):
    points = points_over(zip(*GRID, strict=True), [0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    for kind in (Heatmap, Parallel):
        chart = show(kind, points)
        before = chart.grab().toImage()
        chart.show_selected(frozenset({12}))
        assert chart.grab().toImage() != before
        chart.show_selected(frozenset())
        assert chart.grab().toImage() == before


def test_importance_is_said_with_its_caution(qtbot):
    bars = ImportanceBars()
    qtbot.addWidget(bars)
    bars.resize(*SIZE)
    assert bars.accessibleDescription() == WAITING
    keys = {"a": {"fall": 0.1, "spread": 0.05}, "b": {"fall": 1.4, "spread": 0.2}}
    found = {"outcome": "Accuracy", "keys": keys, "explained": 0.8, "caution": "only 9 points"}
    bars.show_importance(found, {"b": "Threshold λ"})
    assert bars.accessibleDescription() == "Threshold λ 1.40, a 0.10"
    assert "out-of-bag R² of the forest 0.80. Caution: only 9 points" in bars._foot()
    assert not bars.grab().isNull()
    few = {"outcome": "Accuracy", "keys": None, "caution": "fewer than 5 points"}
    bars.show_importance(few, {})
    assert bars.accessibleDescription() == "Nothing can be said: fewer than 5 points."
    assert not bars.grab().isNull()
