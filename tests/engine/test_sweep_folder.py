"""What a folder of results holds, and how far a sweep is."""

import json

import pytest

from workbench.engine import sweep, sweep_results
from workbench.engine.experiment import Cancelled
from workbench.engine.sweep_axes import KIND, read_axes, varied
from workbench.engine.sweep_folder import read, settings
from workbench.engine.sweep_measures import COLUMNS, axis_found
from workbench.engine.sweep_points import count, points
from workbench.engine.sweep_progress import Pace
from workbench.engine.sweep_store import Store
from workbench.errors import InputError
from workbench.parameters import Parameter


@pytest.fixture
def swept(document, tmp_path):
    """Runs points of a small LCA into one folder."""

    def run(grids, samples=6, whole=True, **changes):
        base = document(steps=8, **changes)
        store, axes = Store(tmp_path), read_axes(base, grids)
        store.make()
        there = points(axes, base, samples)
        rows = {place: row for place, row, _ in sweep.run(there, store, samples, jobs=1)}
        rows = [rows[place] for place in range(len(there))]
        if whole:
            sweep_results.write(tmp_path, axes, rows, "digits")
        return rows

    return run


def test_a_folder_gives_the_rows_of_its_sweep_and_the_keys_that_differ(swept, tmp_path):
    rows = swept(["system.threshold=0.2,0.3,0.4", "dictionary.atoms=40,60,0", "decoder.kind=sum"])
    (found,) = read(tmp_path)
    assert set(found.keys) == {"system.threshold", "dictionary.atoms"}
    assert len(found.rows) == 9
    by_fingerprint = {row["fingerprint"]: row for row in rows if row["error"] is None}
    for row in found.rows[:6]:
        asked = by_fingerprint[row["fingerprint"]]
        assert {key: row["values"][key] for key in found.keys} == {
            key: asked["values"][key] for key in found.keys
        }
        assert {k: v for k, v in row.items() if k != "values"} == {
            k: v for k, v in asked.items() if k != "values"
        }
    assert [row["error"] is None for row in found.rows] == 6 * [True] + 3 * [False]
    written = json.loads((tmp_path / "sweep.json").read_text("utf-8"))
    assert found.importance == written["importance"] is not None


def test_runs_of_several_sweeps_stand_side_by_side(swept, tmp_path):
    swept(["system.threshold=1,2"])
    swept(["system.time_constant=10,30"], samples=4, whole=False)  # this one was killed
    (found,) = read(tmp_path)
    assert len(found.rows) == 4
    assert set(found.keys) == {"system.threshold", "system.time_constant", "samples"}
    assert found.importance is None  # what is known of it is of the first two alone


def test_a_folder_without_results_is_refused_and_reading_can_be_called_off(swept, tmp_path):
    with pytest.raises(InputError, match="holds no results of a sweep"):
        list(read(tmp_path))
    swept(["system.threshold=1,2"])
    with pytest.raises(Cancelled):
        list(read(tmp_path, lambda: True))


def test_every_key_that_changes_a_result_can_be_varied(document):
    known = varied(document())
    assert known["system.kind"] is KIND and known["system.threshold"].symbol == "λ"
    assert {"decoder.kind", "dictionary.atoms", "run.tolerance", "data.seed"} <= known.keys()
    assert not any(key.startswith("view.") for key in known)
    assert settings(document()).keys() <= known.keys()
    assert "system.gain" in varied(document("lif"))


def test_points_are_counted_before_they_are_made(document):
    grids = ["system.threshold=1,2,3", "dictionary.atoms=40,60"]
    assert count(read_axes(document(), grids)) == 6
    ranges = ["system.time_constant=5:50"]
    assert count(read_axes(document(), grids, ranges, 10)) == 60


def test_numbers_that_are_many_and_different_were_drawn():
    number = Parameter("threshold", "float", 1.0, "", "Threshold", symbol="λ")
    assert axis_found(number, [i / 7 for i in range(20)]).drawn
    assert not axis_found(number, [1.0, 2.0, 3.0] * 5).drawn
    assert not axis_found(number, [float(i % 14) for i in range(100)]).drawn
    assert not axis_found(number, [f"name {i}" for i in range(20)]).drawn
    assert axis_found(number, [1.0, 100.0]).log and axis_found(number, [1.0]).label == "Threshold λ"


def test_columns_say_their_numbers_as_people_do(swept):
    (row,) = swept(["system.threshold=1"])
    words = {column.title: column.text(row) for column in COLUMNS}
    accuracy = row["accuracy"]["sum"]
    assert words["accuracy"] == words["sum decoder"] == f"{100 * accuracy:.4g} %"
    assert words["perceptron decoder"] == "" and words["final energy"] != ""


def test_the_time_left_is_that_of_points_that_were_run(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("workbench.engine.sweep_progress.time.monotonic", lambda: now[0])
    pace = Pace(12)
    assert pace.seconds_left == 0 and pace.words() == "Did 0 of 12 points"
    pace.add(now=False)
    pace.add(now=False, refused=True)
    assert (pace.done, pace.there, pace.seconds_left) == (2, 1, 0)
    pace.add(now=True)  # from here on the clock runs
    now[0] += 10
    pace.add(now=True)
    pace.add(now=True)
    assert pace.seconds_left == pytest.approx(10 / 2 * 7)
    assert pace.words() == "Did 5 of 12 points, 35 s left"
