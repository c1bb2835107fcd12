"""What every view promises: help, a name, a summary, exports, and drawing only when needed."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QLabel, QMenu, QMessageBox

from workbench.desktop.views import VIEWS
from workbench.desktop.views.base import PlotView

SMALL = ("digits-exemplar", "data.train=300", "data.test=40", "system.steps=40")
LIF = ("lif-population", "system.steps=40")
FEW = (*SMALL, "dictionary.atoms=10")  # a figure of few atoms is drawn quickly
SESSIONS = pytest.mark.parametrize("user", [SMALL, LIF], ids=["lca", "lif"], indirect=True)


def applying(window) -> list[str]:
    """The names of the views that the system fills."""
    system = type(window.workspace.experiment.system)
    names = [view.name for view in window.views.values() if view.applies(system)]
    assert len(names) == (len(VIEWS) - 1 if system.uses_dictionary else 10)
    return names


def filled(user, name: str):
    """The view at the end of the run, evaluated if that is what it shows."""
    if user.step < 40:
        user.go_to(40)
    if name in ("confusion", "anytime"):
        user.do("evaluate")
        user.wait(lambda: not user.window.workspace.evaluating)
    if name == "compare":
        user.go_to(20)
        user.do("fork")
        user.settle()
        user.go_to(40)
    view = user.bring_up(name)
    if name == "ledger":
        user.wait(lambda: view._ledger() and view._ledger().complete)
        user.settle()
        user.frames(2)
    if name == "regimes":
        user.wait(lambda: view.mapper.map is not None and len(view.mapper.map.cells) >= 25)
    return view


def export(user, view, suffix: str) -> None:
    """Choose a format in the view's export menu."""
    user.click(view.header.export)
    (menu,) = (menu for menu in view.findChildren(QMenu) if menu.isVisible())
    (action,) = (a for a in menu.actions() if a.data() == suffix)
    button = Qt.MouseButton.LeftButton
    user.qtbot.mouseClick(menu, button, pos=menu.actionGeometry(action).center())
    user.frames(1)


@pytest.mark.parametrize("user", [FEW, LIF], ids=["lca", "lif"], indirect=True)
def test_every_view_exports_its_figure_and_its_data(user, window, tmp_path, monkeypatch):
    for name in applying(window):
        view = filled(user, name)
        typed = tmp_path / f"{name} of run 1.5"  # the ending is added
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, t=str(typed): (t, ""))
        for suffix in ("png", "svg", "pdf", "csv"):
            export(user, view, suffix)
            assert window.said.text() == f"Exported to {typed}.{suffix}"
        assert not QImage(f"{typed}.png").isNull()
        assert ElementTree.parse(f"{typed}.svg").getroot().tag.endswith("svg")
        assert Path(f"{typed}.pdf").read_bytes().startswith(b"%PDF-")
        rows = list(csv.reader(Path(f"{typed}.csv").read_text(encoding="utf-8").splitlines()))
        assert {len(row) for row in rows} == {len(rows[0])}
        if name == "regimes":  # it is still growing
            assert len(rows) > 25
        else:
            assert len(rows) - 1 == expected_rows(window, name)
        # some name their rows; the optimum of a fork is no measure of the steps before it
        named = {"why": slice(-1, None), "fi": slice(-1, None), "ledger": slice(2, None)}
        named["regimes"] = slice(0, 2)  # the two parameters; then words
        numbers = [value for row in rows[1:] for value in row[named.get(name, slice(None))]]
        assert all(math.isfinite(float(value)) for value in numbers)


def expected_rows(window, name: str) -> int:
    """How many rows of data a view must write, counted independently."""
    snapshot = window.workspace.snapshot
    system = snapshot.experiment.system
    return {
        "traces": 41,
        "terms": 41,
        "counts": 41,
        "evidence": 41,
        "phase": 41,
        "anytime": 41,
        "fi": 64 + 400 + system.neurons,
        "raster": sum(len(neurons) for neurons in snapshot.recording.spikes()),
        "images": system.wiring.features,
        "atoms": system.neurons,
        "confusion": 10,
        "growth": 10,
        "why": len(window.views["why"]._explained().parts) + 2,
        "browser": len(snapshot.experiment.dataset.test),
        "compare": 41,
        "ledger": 41,
    }[name]


@SESSIONS
def test_every_view_can_be_exported_at_the_first_step(user, window):
    for name in applying(window):
        view = user.bring_up(name)
        if name == "ledger":
            user.wait(view._ledger)
        if name in ("confusion", "anytime", "compare"):  # nothing is evaluated or forked yet
            assert view.figure() is None and view.table() is None
        elif name == "regimes":
            user.wait(lambda view=view: view.figure() and view.table())
        else:
            assert view.figure() is not None
            assert view.table() is not None


def test_a_view_that_is_empty_says_that_there_is_nothing_to_export(
    user, window, tmp_path, monkeypatch
):
    view = user.bring_up("confusion")
    path = tmp_path / "confusion.png"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (str(path), ""))
    export(user, view, "png")
    assert window.said.text() == "Nothing to export yet"
    assert not path.exists()


def test_an_export_that_cannot_be_written_is_said_in_one_line(user, window, tmp_path, monkeypatch):
    view = user.bring_up("counts")
    path = tmp_path / "nowhere" / "counts.csv"
    warned = []
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (str(path), ""))
    monkeypatch.setattr(QMessageBox, "warning", lambda *a: warned.append(a[-1]))
    export(user, view, "csv")
    assert warned == [f"{path} could not be written: No such file or directory"]


@SESSIONS
def test_every_view_has_a_name_a_summary_and_help(user, window):
    for name in applying(window):
        view = filled(user, name)
        assert view.accessibleName() == view.title
        assert view.accessibleDescription()
        assert not set("<>&\u00a0") & set(view.accessibleDescription())
        user.click(view.header.help)
        popup = view.findChild(QLabel, "help")
        assert popup.isVisible()
        assert view.title in popup.text() and "Look for" in popup.text()
        assert view.equation in popup.text()
        user.qtbot.keyClick(popup, Qt.Key.Key_Escape)
        user.wait(lambda view=view: view.findChild(QLabel, "help") is None)


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_a_click_inside_or_outside_closes_the_help(user, window):
    view = window.views["traces"]
    for place in (QPoint(20, 20), QPoint(-50, -50)):  # a popup gets all clicks
        user.click(view.header.help)
        popup = view.findChild(QLabel, "help")
        user.qtbot.mouseClick(popup, Qt.MouseButton.LeftButton, pos=place)
        user.wait(lambda: view.findChild(QLabel, "help") is None)


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_the_caption_names_document_sample_step_and_fingerprint(user, window):
    user.go_to(12)
    caption = window.views["terms"].caption()
    fingerprint = window.workspace.status.fingerprint
    assert caption == f"digits-exemplar, test sample 0, step 12, fingerprint {fingerprint}"


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_a_view_at_rest_is_not_drawn_again(user, window, monkeypatch):
    user.go_to(20)
    user.frames(3)
    drawn = []
    for view in VIEWS:
        monkeypatch.setattr(view, "draw", lambda self, snapshot: drawn.append(self.name))
    user.frames(10)
    assert not drawn
    window.workspace.select_neuron(4)
    user.settle()
    assert "traces" in drawn


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_all_plots_share_the_cursor_and_the_time_axis(user, window):
    user.go_to(23)
    plots = [view for view in window.views.values() if isinstance(view, PlotView)]
    on_screen = [v for v in plots if window._on_screen(v) and v.widget.isVisible()]
    assert len(on_screen) >= 3
    assert {view.cursor.value() for view in on_screen} == {23}
    assert len({tuple(view.plot.viewRange()[0]) for view in on_screen}) == 1


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_ranges_only_grow_while_the_run_goes_on(user, window):
    ranges = []
    for step in range(0, 41, 5):
        user.go_to(step)
        ranges.append(window.views["terms"].plot.viewRange()[1])
    for (low, high), (next_low, next_high) in zip(ranges, ranges[1:], strict=False):
        assert next_low <= low and next_high >= high


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_a_click_beside_everything_puts_the_cursor_there(user, window):
    user.go_to(40)
    view = window.views["terms"]
    low, high = view.plot.viewRange()[1]
    user.click_plot(view, 10, low + 0.9 * (high - low))
    assert user.step == 10
    user.click_plot(window.views["counts"], 30, 0.1)
    assert user.step == 30


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_a_double_click_fits_the_range(user, window):
    user.go_to(40)
    for name in ("traces", "counts", "terms"):
        view = window.views[name]
        before = view.plot.viewRange()[1]
        view.plot.setYRange(-500, 500)
        user.double_click(view.widget.viewport(), view.widget.rect().center())
        user.settle()
        after = view.plot.viewRange()[1]
        assert after[1] - after[0] < 300
        assert after[1] == pytest.approx(before[1], rel=0.5)


def test_a_view_says_why_it_is_empty_before_the_first_run(open_window):
    user = open_window("digits-exemplar", "run.device=cuda", ready=False)
    user.wait(lambda: user.complaints)
    user.dismiss()
    user.frames(2)
    view = user.window.views["traces"]
    assert view._empty.isVisible()
    assert "run.device" in view._empty.text()
