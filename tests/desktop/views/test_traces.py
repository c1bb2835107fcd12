"""The membrane potentials."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt

from workbench.desktop.views.traces import MOST_POINTS, _joined

SMALL = ("digits-exemplar", "data.train=300", "data.test=40", "system.steps=40")


@pytest.fixture
def traces(user, window):
    user.go_to(30)
    return window.views["traces"]


def potentials(window, step: int) -> np.ndarray:
    """u of all neurons at a step, computed apart from the view."""
    record = window.workspace.snapshot.recording
    name = "membrane_potential"
    return record.observer(step).observe(record.state(step), (name,))[name][0].numpy()


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_the_strongest_neurons_are_drawn_as_they_are(user, window, traces):
    columns, rows = traces.table()
    shown = [int(column.split("_")[1]) for column in columns[1:]]
    now = np.abs(potentials(window, 30))
    assert set(shown) == set(np.argsort(now)[-12:].tolist())
    for step in (0, 7, 30):
        assert rows[step, 0] == step
        np.testing.assert_array_equal(rows[step, 1:], potentials(window, step)[shown])


@pytest.mark.parametrize("user", [(*SMALL, "system.threshold=0.3")], indirect=True)
def test_small_values_are_not_shown_times_a_thousand(user, window, traces):
    for name in ("traces", "terms", "evidence"):
        view = user.bring_up(name)
        user.press(Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)  # another theme
        assert view.plot.getAxis("left").autoSIPrefixScale == 1, name


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_how_many_are_drawn_can_be_chosen(user, window, traces):
    for count in (6, 64):
        user.choose(traces.top, f"top {count}")
        user.settle()
        assert len(traces.table()[0]) - 1 == count
        assert traces.header.summary.text().startswith(f"{count} of 300 neurons")


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_another_quantity_can_be_drawn(user, window, traces):
    names = [traces.quantity.itemText(i) for i in range(traces.quantity.count())]
    assert names[0] == "u" and "a" in names
    user.choose(traces.quantity, "a")
    user.settle()
    assert traces.observable.name == "activation"
    assert "activation" in window.workspace.runner._watched
    neuron = int(traces.table()[0][1].split("_")[1])
    assert traces.table()[1][-1, 1] == window.workspace.snapshot.observed["activation"][neuron]


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_a_click_on_a_trace_selects_its_neuron_everywhere(user, window, traces):
    columns, rows = traces.table()
    strongest = int(np.argmax(rows[30, 1:]))
    neuron = int(columns[1 + strongest].split("_")[1])
    user.click_plot(traces, 30, rows[30, 1 + strongest])
    assert window.workspace.neuron == neuron
    assert user.step == 30  # selecting does not move the cursor
    assert window.inspector.heading.text().startswith(f"Neuron {neuron} ")
    x, y = traces._selected.getData()
    np.testing.assert_array_equal(y, rows[:, 1 + strongest])
    raster = user.bring_up("raster")
    assert raster._mark.isVisible() and raster._mark.value() == raster._place[neuron]
    assert user.bring_up("atoms").tiles._selected == neuron


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_a_click_away_from_all_traces_seeks(user, window, traces):
    user.click_plot(traces, 12, traces._range[1])
    assert (user.step, window.workspace.neuron) == (12, None)


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_a_selected_neuron_stays_in_the_picture_though_it_is_weak(user, window, traces):
    weakest = int(np.abs(potentials(window, 30)).argmin())
    window.workspace.select_neuron(weakest)
    user.settle()
    assert weakest in traces._neurons.tolist()
    assert len(traces._neurons) == 13


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_the_threshold_band_follows_the_parameter(user, window, traces):
    assert [line.value() for line in traces._lines] == [2.0, -2.0]
    user.write(user.field("system.threshold").text, "1.5")
    user.settle()
    user.go_to(31)
    assert [line.value() for line in traces._lines] == [1.5, -1.5]


@pytest.mark.parametrize("user", [("lif-population", "system.steps=40")], indirect=True)
def test_an_unsigned_threshold_is_drawn_once(user, window, traces):
    assert [line.isVisible() for line in traces._lines] == [True, False]
    user.choose(traces.quantity, "I")  # has no threshold
    user.settle()
    assert not any(line.isVisible() for line in traces._lines)


@pytest.mark.parametrize("user", [("digits-unstable",)], indirect=True)
def test_a_click_where_everything_is_infinite_does_no_harm(user, window):
    user.go_to(100)
    assert user.step < 100  # it diverged
    user.click_plot(window.views["traces"], user.step, 0.0)
    user.click_plot(window.views["traces"], 2, 0.0)


@pytest.mark.parametrize("user", [("digits-exemplar", "system.steps=3000")], indirect=True)
def test_a_long_run_is_drawn_decimated_and_says_so(user, window):
    user.choose(window.transport.speed, "fastest")
    user.go_to(3000)
    view = window.views["traces"]
    user.wait(lambda: not view._reading)
    user.frames(2)
    assert "decimated" in view.accessibleDescription()
    assert len(view.table()[1]) == 3001  # the data is all there


def test_a_decimated_line_keeps_every_extreme_and_both_ends():
    steps = np.arange(MOST_POINTS + 501, dtype=float)
    traces = np.zeros((len(steps), 2))
    traces[777, 0], traces[1234, 1], traces[-1, 0] = 5.0, -3.0, 7.0
    x, y, connect = _joined(steps, traces)
    half = len(x) // 2
    assert half <= MOST_POINTS + 2
    assert y[:half].max() == 7.0 and 5.0 in y[:half]
    assert y[half:].min() == -3.0
    assert x[0] == 0 and x[half - 1] >= steps[-1] - 3
    assert not connect[half - 1] and not connect[-1]  # no line from one trace to the next


def test_what_is_not_finite_is_not_connected():
    y = np.array([[1.0], [np.inf], [2.0], [np.nan]])
    x, drawn, connect = _joined(np.arange(4.0), y)
    assert connect.tolist() == [True, False, True, False]
    assert np.isfinite(drawn[[0, 2]]).all()
