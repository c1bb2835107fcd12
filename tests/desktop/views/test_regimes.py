"""The map of regimes in a window: made while it is seen, and a way to go elsewhere."""

from __future__ import annotations

import csv
import time

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QToolTip

from workbench.analysis.regimes import REGIMES, SIGNS
from workbench.desktop import export
from workbench.desktop.views.regimes import RegimesView
from workbench.systems import kinds

Key, Held = Qt.Key, Qt.KeyboardModifier
SMALL = ("digits-exemplar", "dictionary.atoms=80", "system.threshold=1", "system.steps=30")
# a run at each node takes so long that the map is never whole while somebody looks
LONG = ("digits-exemplar", "system.steps=4000", "view.speed=20")


def runs(view) -> int:
    return len(view.mapper.map.cells) if view.mapper.map else 0


@pytest.fixture
def regimes(user, window):
    return user.bring_up("regimes")


@pytest.fixture
def whole(user, regimes):
    """The view once nothing is left to learn."""
    user.wait(lambda: regimes.mapper.map is not None and regimes.mapper.map.whole)
    user.frames(2)
    return regimes


def place(view, node) -> QPoint:
    return view.plot.point(*node).toPoint()


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_the_key_brings_it_up_and_the_map_says_where_the_network_is(user, window):
    view = window.views["regimes"]
    assert view.mapper.wish is None  # nobody looked yet
    user.press(Key.Key_M, Held.ControlModifier)
    user.wait(lambda: view.mapper.map is not None and view.mapper.map.whole)
    user.frames(2)
    assert view.accessibleDescription() == f"sparse here · {runs(view)} runs"
    assert 25 < runs(view) < 289
    assert (view.across.currentText(), view.up.currentText()) == ("λ threshold", "Δt time step")
    assert all(name in view.legend.text() for name in (*REGIMES, *SIGNS))
    axis = view.mapper.wish.across
    assert view.plot._here[0] == pytest.approx(axis.place(1.0))


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_a_click_goes_there_and_one_undo_comes_back(user, window, whole):
    node = (12, 4)
    values = whole.mapper.wish.values(node)
    cells = runs(whole)
    user.click(whole.plot, place(whole, node))
    user.settle()
    system = window.workspace.document.system
    assert {name: system[name] for name in values} == values
    assert window.workspace.history.undo_label == "Set threshold and time_step"
    params = window.workspace.experiment.system.params
    assert (params.threshold, params.time_step) == tuple(values.values())
    assert whole.plot._here == pytest.approx(node, abs=0.02) and runs(whole) == cells
    user.do("undo")
    user.settle()
    system = window.workspace.document.system
    assert (system["threshold"], system["time_step"]) == (1.0, 1.0)
    assert not window.workspace.history.can_undo


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_pointing_tells_the_figures_and_a_run_there_has_them(user, window, whole):
    found = whole.mapper.map
    here = found.wish.here
    node, cell = min(
        ((n, c) for n, c in found.cells.items() if c.regime == 1 and c.last[0] > 3),
        key=lambda item: abs(item[0][0] - here[0]) + abs(item[0][1] - here[1]),
    )
    user.qtbot.mouseMove(whole.plot, place(whole, node))
    user.wait(lambda: QToolTip.text() != "")
    first, second, third, fourth = QToolTip.text().splitlines()
    values = found.wish.values(node)
    assert first == f"λ = {values['threshold']:g}, Δt = {values['time_step']:g}"
    assert second.startswith("sparse: ") and " of 4 images" in second
    user.click(whole.plot, place(whole, node))
    user.go_to(30)
    recording = window.workspace.snapshot.recording
    counts = recording.summary("firing_count")
    most, last = counts.max(), counts[-1]
    assert third == f"the watched image: sparse, at most {most} fire, {last} at the end"
    energy = recording.summary("energy")[:, 2]
    assert float(fourth.split()[4].rstrip(",")) == pytest.approx(energy[-1], rel=1e-3)
    part = 100 * energy[-1] / energy[0]
    assert fourth.endswith(" % of that of silence") and f"{part:.3g}"[:3] in fourth
    QToolTip.hideText()
    # between the runs it says which one a place is judged by
    node = next((x, y) for x in range(17) for y in range(17) if (x, y) not in found.cells)
    words = whole._describe(node).splitlines()
    near, cell = found.at(*node)
    assert words[1].startswith("not run; the nearest run was at λ = ")
    assert near != node and words[2].startswith(REGIMES[cell.regime])


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_it_is_walked_with_the_keys(user, window, whole):
    whole.plot.setFocus(Qt.FocusReason.TabFocusReason)
    x, y = whole.plot._cursor
    for key in (Key.Key_Left, Key.Key_Left, Key.Key_Down):
        user.press(key)
    assert whole.plot._cursor == (x - 2, y - 1)
    assert "of 4 images" in whole.plot.accessibleDescription()
    assert window.workspace.status.step == 0 or user.state == "running"  # no step was taken
    user.press(Key.Key_Return)
    user.settle()
    values = whole.mapper.wish.values((x - 2, y - 1))
    assert window.workspace.document.system["threshold"] == values["threshold"]
    for _ in range(20):
        user.press(Key.Key_Right)
    assert whole.plot._cursor == (16, y - 1)


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_what_the_map_is_over_can_be_chosen_and_the_same_twice_swaps(user, window, whole):
    user.choose(whole.up, "τ time constant")
    user.wait(lambda: whole.mapper.wish.names == ("threshold", "time_constant"))
    user.choose(whole.across, "τ time constant")
    user.wait(lambda: whole.mapper.wish.names == ("time_constant", "threshold"))
    assert whole.up.currentText() == "λ threshold"
    user.write(user.field("system.threshold").text, "1.5")
    user.settle()
    assert whole.mapper.wish.names == ("time_constant", "threshold")  # the choice stays


@pytest.mark.parametrize("user", [LONG], indirect=True)
def test_another_parameter_or_image_makes_another_map_and_a_restart_does_not(user, window, regimes):
    user.wait(lambda: runs(regimes) >= 1)
    wish = regimes.mapper.wish
    user.do("restart")
    user.settle()
    user.write(user.field("system.threshold").text, "1.5")  # on the axis: the ring moves
    user.settle()
    assert regimes.mapper.wish is wish
    user.write(user.field("system.time_constant").text, "30")
    user.wait(lambda: regimes.mapper.wish is not wish)
    assert regimes.mapper.wish.experiment.system.params.time_constant == 30
    wish = regimes.mapper.wish
    user.do("next_sample")
    user.wait(lambda: regimes.mapper.wish is not wish)
    assert regimes.mapper.wish.watched.sample == 1
    alive = [job for job in regimes.mapper._ending if job.running]
    user.wait(lambda: not any(job.running for job in alive))  # called off, and gone


@pytest.mark.parametrize("user", [LONG], indirect=True)
def test_it_grows_only_while_it_is_seen(user, window, regimes):
    user.wait(lambda: runs(regimes) >= 1)
    window.area.docks["images"].raise_()
    user.wait(lambda: not window._on_screen(regimes))
    time.sleep(0.8)  # its leave runs out
    asleep = runs(regimes)
    spent = time.process_time()
    time.sleep(0.5)
    assert time.process_time() - spent < 0.2 and runs(regimes) == asleep
    window.area.docks["regimes"].raise_()
    user.wait(lambda: runs(regimes) > asleep)


@pytest.mark.parametrize("user", [LONG], indirect=True)
def test_it_rests_while_the_network_runs_as_fast_as_it_can(user, window, regimes):
    user.choose(window.transport.speed, "fastest")
    user.do("restart")
    user.press(Key.Key_Space)
    user.wait(lambda: user.state == "running")
    user.frames(2)
    assert regimes.accessibleDescription().endswith("goes on when the network rests")
    user.press(Key.Key_Space)
    user.wait(lambda: user.state != "running")
    before = runs(regimes)
    user.wait(lambda: runs(regimes) > before)


@pytest.mark.parametrize("user", [LONG], indirect=True)
def test_it_changes_no_run(user, window):
    user.go_to(60)
    fingerprint = window.workspace.status.fingerprint
    view = user.bring_up("regimes")
    user.do("restart")
    user.wait(lambda: runs(view) >= 1)
    user.go_to(60)
    assert window.workspace.status.fingerprint == fingerprint


@pytest.mark.parametrize("user", [LONG], indirect=True)
def test_closing_in_the_middle_leaves_nothing_behind(user, window, regimes):
    user.wait(lambda: regimes.mapper.working)
    window.close_for_good()  # the fixture looks for threads that are left
    assert not regimes.mapper.working


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_it_is_exported_as_a_figure_and_as_a_table(user, window, whole, tmp_path):
    assert export.save(whole, tmp_path / "map.svg") and export.save(whole, tmp_path / "map.csv")
    drawn = (tmp_path / "map.svg").read_text("utf-8")
    assert "Threshold λ" in drawn and "3 other test images" in drawn
    head, *rows = csv.reader((tmp_path / "map.csv").read_text("utf-8").splitlines())
    assert head[:3] == ["threshold", "time_step", "regime"]
    found = whole.mapper.map
    assert len(rows) == 4 * len(found.cells)
    (node, cell), row = min(found.cells.items()), rows[0]
    assert [float(v) for v in row[:2]] == list(found.wish.values(node).values())
    assert row[2:5] == [REGIMES[cell.regime], "test sample 0", REGIMES[cell.regimes[0]]]
    assert float(row[5]) == cell.peak[0]


@pytest.mark.parametrize("user", [("lif-population", "system.steps=40")], indirect=True)
def test_a_system_without_energy_has_a_map_too(user, window, whole):
    assert whole.mapper.wish.names == ("threshold", "time_step")
    assert "energy" not in whole._describe(whole.mapper.wish.here)
    assert {cell.regime for cell in whole.mapper.map.cells.values()} >= {0, 1}
    user.choose(window.parameters.kind, "LCA")
    user.settle()
    view = user.bring_up("regimes")
    user.wait(lambda: runs(view) > 0 and view.mapper.wish.across.declared.symbol == "λ")


def test_it_applies_to_whoever_has_two_numbers_and_spikes(user, window, bare_system):
    view = window.views["regimes"]
    assert isinstance(view, RegimesView)
    assert [name for name, kind in kinds().items() if not view.applies(kind)] == ["bare"]


@pytest.mark.parametrize("user", [("digits-random", *SMALL[1:])], indirect=True)
def test_a_momentum_can_be_chosen_only_where_there_is_one(user, window, whole):
    def offered():
        return [whole.up.itemData(i) for i in range(whole.up.count())]

    assert "momentum" not in offered()
    user.choose(user.field("system.integrator").combo, "momentum")
    user.wait(lambda: "momentum" in offered())
    user.choose(whole.up, "μ momentum")
    user.wait(lambda: whole.mapper.wish.names == ("threshold", "momentum"))
    user.do("undo")
    user.wait(lambda: whole.mapper.wish is not None and "momentum" not in offered())
    assert whole.names == ("threshold", "time_step")


@pytest.mark.parametrize("user", [("lif-population", "system.steps=40")], indirect=True)
def test_what_a_system_refuses_is_said_in_the_view(user, window, whole):
    window.workspace.experiment.vectors.test.rows([90])  # the map reads it, too
    rows = type(window.workspace.experiment.vectors.test).rows

    def negative(pixels, index):
        return -rows(pixels, index) - 1.0

    experiment = window.workspace.experiment
    object.__setattr__(experiment.vectors, "test", _Negative(experiment.vectors.test, negative))
    user.write(user.field("system.time_constant").text, "30")
    user.wait(lambda: "stopped: an image of the map" in whole.header.summary.text())


class _Negative:
    def __init__(self, rows, negative):
        self._rows, self._negative = rows, negative

    def rows(self, index):
        return self._negative(self._rows, index)


def test_ring_and_squares_are_painted_where_they_belong(user, window):
    from workbench.desktop.views.regime_plot import RegimePlot
    from workbench.palette import REGIME_COLOURS

    plot = RegimePlot(lambda node: "")
    user.qtbot.addWidget(plot)
    plot.resize(400, 400)
    plot.show_axes([(0.0, "1")], [(0.0, "1")], 17, (0, 0))
    plot.show_areas([((4, 4), 4, 1), ((6, 4), 2, 4)], (12.0, 12.0))
    image = plot.grab().toImage()

    def colour(x, y):
        point = plot.point(x, y).toPoint()
        return image.pixelColor(point + QPoint(6, 4)).name()

    assert colour(4, 5) == REGIME_COLOURS[1] and colour(6, 4) == REGIME_COLOURS[4]
    assert colour(12, 4) not in REGIME_COLOURS
    near = [image.pixelColor(plot.point(12, 12).toPoint() + QPoint(7, 0)).lightness()]
    assert near[0] < 60  # the ring is dark inside its light edge
    assert plot._node(plot.point(3, 9)) == (3, 9)
    assert plot._node(plot.point(-1, 9)) is None
    assert np.allclose([plot.point(0, 0).x(), plot.point(16, 0).x()], [40, 380], atol=30)
