"""A sweep beside the window: run, compare, open, cancel, go on, and look at an old one."""

from __future__ import annotations

import json
import time

import psutil
import pytest
from PySide6.QtCore import QItemSelectionModel, QPoint, Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog

from workbench.document import load, shipped
from workbench.engine import sweep
from workbench.engine.evaluation import evaluate
from workbench.engine.experiment import prepare
from workbench.engine.sweep_axes import read_axes
from workbench.engine.sweep_points import points
from workbench.engine.sweep_store import Store
from workbench.folders import data

Key, Held = Qt.Key, Qt.KeyboardModifier
SMALL = ("digits-exemplar", "dictionary.atoms=60", "system.steps=10")
SLOW = ("digits-exemplar", "system.steps=3000")


@pytest.fixture
def dialog(user, window, tmp_path):
    """The dialog, opened by its key, on one process and a folder of the test."""
    user.press(Key.Key_P, Held.ControlModifier, Held.ShiftModifier)
    user.wait(lambda: window.sweep is not None and window.sweep.isVisible())
    window.sweep.form.folder.setText(str(tmp_path / "out"))
    window.sweep.form.samples.setText("6")
    window.sweep.form.jobs.setText("1")
    return window.sweep


def vary(dialog, **axes):
    """Rows of the editor, sections and keys joined by two underscores."""
    for row in list(dialog.editor.rows):
        row.removed.emit(row)
    for place, values in axes.items():
        dialog.editor.add_row(place.replace("__", "."), values)


def run(user, dialog):
    user.click(dialog.run)
    user.wait(lambda: not dialog.process.running)
    user.wait(lambda: not dialog.runs._later.isActive())


def children() -> set[int]:
    """Processes of sweeps that this one has started, and theirs."""
    found = psutil.Process().children(recursive=True)
    return {p.pid for p in found if any("sweep_serve" in word for word in p.cmdline())}


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_a_sweep_is_run_compared_and_one_of_its_points_opened(user, window, dialog, tmp_path):
    vary(dialog, system__threshold="0.5,1,1.5", dictionary__atoms="40,80", decoder__kind="sum")
    assert dialog.run.text() == "Run 6 points" and not window.isModal()
    run(user, dialog)
    assert dialog.words.text() == "6 points"
    model, table = dialog.runs.model, dialog.runs.table
    assert model.keys == ("system.threshold", "dictionary.atoms")  # the decoder is always the same
    for row in model.rows:
        document = window.workspace.document
        for key, value in row["values"].items():
            document = document.with_value(key, value)
        *_, alone = evaluate(prepare(document, samples=6), 6)
        assert row["fingerprint"] == alone.fingerprint
        assert row["accuracy"]["sum"] == alone.accuracy["sum"]
    pictures = dialog.runs.pictures
    assert pictures.stack.currentWidget() is pictures.heatmap
    assert sorted(pictures.heatmap.points.rows) == list(range(6))
    assert pictures.importance.accessibleDescription()
    # two rows are compared
    dialog.runs.select([0, 5])
    words = dialog.runs.details.text()
    assert "<b>system.threshold</b> 0.5 → 1.5" in words
    assert "<b>dictionary.atoms</b> 40 → 80" in words and "decoder.kind" not in words
    assert pictures.heatmap.selected == frozenset({0, 5})
    # a cell is its points
    cell = pictures.heatmap._cell(pictures.heatmap._place, 2, 1, (2, 3))
    user.click(pictures.heatmap, cell.center().toPoint())
    assert dialog.runs.selected() == [5]
    user.double_click(pictures.heatmap, cell.center().toPoint())
    user.wait(lambda: window.workspace.document.system["threshold"] == 1.5)
    assert window.workspace.document.dictionary.atoms == 80
    session = tmp_path / "out" / model.rows[5]["session"]
    assert window.workspace.path == session and load(session) == window.workspace.document
    user.settle()
    # from the table, with the keys
    table.setFocus()
    index = dialog.runs.proxy.mapFromSource(model.index(0, 0))
    flags = QItemSelectionModel.SelectionFlag
    table.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
    user.qtbot.keyClick(table, Key.Key_Return)
    user.wait(lambda: window.workspace.document.system["threshold"] == 0.5)
    user.settle()


@pytest.mark.parametrize("user", [SLOW], indirect=True)
def test_cancel_keeps_what_is_done_and_run_goes_on_with_it(user, window, dialog, tmp_path):
    vary(dialog, system__threshold="1,2,3,4", system__steps="10,4000")
    dialog.form.samples.setText("360")
    user.click(dialog.run)
    assert not dialog.run.isEnabled() and dialog.progress.isVisible()
    user.wait(lambda: len(dialog.runs.model.rows) >= 1)
    assert dialog.words.text().startswith("Did ")
    user.click(dialog.cancel)
    user.wait(lambda: not dialog.process.running)
    done = len(dialog.runs.model.rows)
    assert 1 <= done < 8
    assert dialog.words.text() == f"Stopped with {done} of 8 points; Run goes on from here"
    assert not children() and dialog.run.isEnabled()
    vary(dialog, system__threshold="1,2,3,4", system__steps="10")
    dialog.workspace.set_value("system.threshold", 1.25)  # the base may differ in what is varied
    run(user, dialog)
    assert dialog.words.text().startswith("4 points, ") and "there already" in dialog.words.text()


@pytest.mark.parametrize("user", [SLOW], indirect=True)
def test_closing_the_window_ends_the_processes(user, window, dialog):
    others = set(psutil.Process().children(recursive=True))  # of tests before this one

    def begun() -> list[psutil.Process]:
        return [p for p in psutil.Process().children(recursive=True) if p not in others]

    vary(dialog, system__threshold="1,2,3,4")
    dialog.form.jobs.setText("2")
    user.click(dialog.run)
    user.wait(lambda: len(children()) >= 1 and dialog.runs.model.keys)
    user.wait(lambda: len(begun()) >= 3)  # and two workers
    before = begun()
    started = time.monotonic()
    window.close_for_good()
    assert time.monotonic() - started < 5 and not dialog.process.running
    gone, alive = psutil.wait_procs(before, timeout=5)
    assert gone and not alive


@pytest.mark.parametrize("user", [SLOW], indirect=True)
def test_closing_the_dialog_stops_the_sweep_and_it_can_be_opened_again(user, window, dialog):
    vary(dialog, system__threshold="1,2,3,4")
    user.click(dialog.run)
    user.wait(lambda: len(children()) == 1)
    user.qtbot.keyClick(dialog, Key.Key_Escape)
    assert not dialog.isVisible()
    user.wait(lambda: not dialog.process.running)
    assert not children()
    user.do("sweep")
    assert window.sweep is dialog and dialog.isVisible() and dialog.run.isEnabled()


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_what_is_wrong_is_one_line_and_nothing_is_lost(user, window, dialog, tmp_path):
    for axes, words in (
        ({"system__treshold": "1,2"}, "did you mean threshold?"),
        ({"system__threshold": "1,,2"}, "must list one value or more between commas"),
        ({"system__threshold": "2:1"}, "LOW must be less than HIGH"),
        ({"decoder__kind": "1:2"}, "the key must take numbers"),
    ):
        vary(dialog, **axes)
        user.click(dialog.run)
        assert words in dialog.words.text() and not dialog.words.text().startswith("--")
        assert dialog.words.property("role") == "error" and not dialog.process.running
    vary(dialog, system__threshold="1,2")
    dialog.form.folder.clear()
    user.click(dialog.run)
    assert dialog.words.text() == "name a folder for the results"
    (tmp_path / "file").write_text("mine")
    dialog.form.folder.setText(str(tmp_path / "file"))
    run(user, dialog)
    assert "results cannot be written there" in dialog.words.text()
    vary(dialog)
    assert not dialog.run.isEnabled()
    assert not user.complaints


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_ranges_ask_for_draws(user, dialog):
    vary(dialog, system__threshold="0.5:2:log")
    assert dialog.form.draws.isEnabled() and dialog.run.text() == "Run 50 points"
    dialog.form.draws.setText("4")
    assert dialog.run.text() == "Run 4 points"
    run(user, dialog)
    values = [row["values"]["system.threshold"] for row in dialog.runs.model.rows]
    assert len(set(values)) == 4 and all(0.5 <= value <= 2 for value in values)
    assert dialog.runs.pictures.stack.currentWidget() is dialog.runs.pictures.line
    assert dialog.runs.pictures.line.points.axes[0].log


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_results_of_the_command_line_can_be_opened(user, window, dialog, tmp_path, monkeypatch):
    base = load(shipped()["digits-exemplar"]).with_value("system.steps", 5)
    base = base.with_value("dictionary.atoms", 40)
    store = Store(tmp_path / "old")
    store.make()
    grids = ["system.threshold=0.5,1", "system.time_constant=10,20", "decoder.kind=max,sum"]
    there = points(read_axes(base, grids), base, 4)
    assert len(list(sweep.run(there, store, 4, jobs=1))) == 8
    folder = str(store.folder)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a, **k: folder)
    user.click(dialog.read)
    user.wait(lambda: len(dialog.runs.model.rows) == 8)
    user.wait(lambda: not dialog.runs._later.isActive())
    assert set(dialog.runs.model.keys) == {
        "system.threshold",
        "system.time_constant",
        "decoder.kind",
    }
    pictures = dialog.runs.pictures
    tabs = {pictures.tabs.tabText(i) for i in range(4) if pictures.tabs.isTabVisible(i)}
    assert tabs == {"Heatmap", "Parallel", "Importance"}
    click_tab(user, pictures, "Parallel")
    assert len(pictures.parallel.points.axes) == 3
    click_tab(user, pictures, "Heatmap")
    before = pictures.heatmap.points.axes[1].label
    pictures.up.setCurrentText("decoder.kind")
    assert pictures.heatmap.points.axes[1].label == "Decoder" != before
    kept = json.loads(next((store.folder / "points").glob("*.json")).read_text("utf-8"))
    assert kept["fingerprint"] in {row["fingerprint"] for row in dialog.runs.model.rows}
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a, **k: str(tmp_path))
    user.click(dialog.read)
    user.wait(lambda: "holds no results of a sweep" in dialog.words.text())
    assert len(dialog.runs.model.rows) == 8  # what was shown stays


def click_tab(user, pictures, name):
    (place,) = (i for i in range(4) if pictures.tabs.tabText(i) == name)
    user.click(pictures.tabs, pictures.tabs.tabRect(place).center())
    assert pictures.tabs.currentIndex() == place


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_it_follows_the_session_in_the_window(user, window, dialog, monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    assert dialog.about.text() == "Vary digits-exemplar"
    user.click(dialog.show_folder)
    assert dialog.words.text() == "There are no results yet" and not opened
    dialog.form.folder.setText(str(data() / "sweeps" / "digits-exemplar"))
    path = shipped()["digits-random"]
    window.workspace.open(load(path), path)
    assert dialog.about.text() == "Vary digits-random"
    assert dialog.form.path == data() / "sweeps" / "digits-random"
    window.workspace.set_value("system.kind", "lif")
    assert dialog.editor.rows[0].key.findText("system.gain") >= 0
    user.settle()


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_a_refused_point_says_why_it_cannot_be_opened(user, window, dialog):
    vary(dialog, dictionary__atoms="40,0")
    run(user, dialog)
    assert dialog.words.text() == "1 point; 1 refused"
    table, proxy = dialog.runs.table, dialog.runs.proxy
    before = window.workspace.document
    (row,) = (i for i, found in enumerate(dialog.runs.model.rows) if found["error"])
    place = table.visualRect(proxy.mapFromSource(dialog.runs.model.index(row, 0))).center()
    user.double_click(table.viewport(), QPoint(place))
    assert "It was refused, so there is no session" in dialog.words.text()
    assert window.workspace.document == before
