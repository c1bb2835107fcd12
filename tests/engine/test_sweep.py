"""Points are run as single runs are, kept whole, and never run twice."""

import json

import pytest

from workbench.document import load
from workbench.engine import experiment as experiments
from workbench.engine import results, sweep
from workbench.engine.evaluation import evaluate
from workbench.engine.experiment import prepare
from workbench.engine.sweep_axes import read_axes
from workbench.engine.sweep_points import points
from workbench.engine.sweep_store import Store, measures

SAMPLES = 12


@pytest.fixture
def store(tmp_path):
    found = Store(tmp_path / "out")
    found.make()
    return found


@pytest.fixture
def small(document):
    """The points of a small sweep over two data splits, two dictionaries and two thresholds."""
    grids = ["system.threshold=0.5,1.5", "data.seed=0,1", "dictionary.atoms=40,80"]
    base = document(steps=10)
    return points(read_axes(base, grids), base, SAMPLES)


def single(document):
    """What ``workbench run --json`` prints."""
    experiment = prepare(document, samples=SAMPLES)
    *_, last = evaluate(experiment, SAMPLES)
    return results.as_object(last, experiment)


def timeless(found):
    return {key: value for key, value in found.items() if key != "seconds"}


def test_every_result_is_the_object_of_a_single_run(small, store):
    rows = {place: row for place, row, _ in sweep.run(small, store, SAMPLES, jobs=1)}
    assert sorted(rows) == list(range(8))
    for place, point in enumerate(small):
        kept = json.loads(store.result(point.name).read_text("utf-8"))
        alone = json.loads(json.dumps(single(point.document)))
        assert list(kept) == list(alone) and timeless(kept) == timeless(alone)
        row = rows[place]
        assert row["fingerprint"] == alone["fingerprint"] and row["error"] is None
        assert row["accuracy"] == alone["accuracy"] | {"perceptron": None}
        assert row["peak_firing"] == max(alone["firing_counts"])
        assert row["final_energy"] == alone["energy"]["total"][-1]


def test_data_and_dictionaries_are_loaded_once_by_a_process(small, store, monkeypatch):
    monkeypatch.setattr(sweep, "_last", None)
    counts = {"load": 0, "build": 0}

    def counted(module, name):
        right = getattr(module, name)

        def call(*arguments):
            counts[name] += 1
            return right(*arguments)

        monkeypatch.setattr(module, name, call)

    counted(experiments.datasets, "load")
    counted(experiments.dictionaries, "build")
    assert len(list(sweep.run(small, store, SAMPLES, jobs=1))) == 8
    assert counts == {"load": 2, "build": 4}


def test_a_point_that_is_there_is_not_run_again(small, store, monkeypatch):
    first = [row for _, row, now in sweep.run(small[:5], store, SAMPLES, jobs=1) if now]
    assert len(first) == 5
    store.result(small[1].name).write_text("{", "utf-8")  # as no sweep of ours leaves it
    store.session(small[2].name).unlink()
    again = {place: (row, now) for place, row, now in sweep.run(small, store, SAMPLES, jobs=1)}
    assert {place for place, (_, now) in again.items() if now} == {1, 2, 5, 6, 7}
    whole = {place: row for place, (row, _) in again.items()}
    monkeypatch.setattr(sweep, "_work", lambda *_: pytest.fail("it was run again"))
    assert {place: row for place, row, _ in sweep.run(small, store, SAMPLES, jobs=1)} == whole


def test_every_point_opens_as_a_session_that_runs_the_same(small, store):
    rows = [row for _, row, _ in sweep.run(small[:1], store, SAMPLES, jobs=1)]
    document = load(store.folder / rows[0]["session"])
    assert document == small[0].document
    assert single(document)["fingerprint"] == rows[0]["fingerprint"]
    assert (store.folder / rows[0]["result"]).is_file()


def test_a_refused_point_is_a_row_with_its_reason_and_is_tried_again(document, store):
    base = document(steps=10)
    axes = read_axes(base, ["dictionary.atoms=40,0,99999", "system.time_step=1,-1"])
    there = points(axes, base, SAMPLES)
    rows = {place: row for place, row, _ in sweep.run(there, store, SAMPLES, jobs=1)}
    errors = [rows[place]["error"] for place in range(6)]
    assert errors[0] is None and errors[1].startswith("system.time_step = -1: must be")
    assert errors[2].startswith("dictionary.atoms = 0: must be") and "99999" in errors[4]
    assert rows[2]["accuracy"] == {"max": None, "sum": None, "perceptron": None}
    assert rows[2]["result"] is rows[2]["session"] is rows[2]["fingerprint"] is None
    assert rows[2].keys() == rows[0].keys()
    again = [place for place, _, now in sweep.run(there, store, SAMPLES, jobs=1) if now]
    assert sorted(again) == [1, 4, 5]


def test_features_are_computed_before_several_processes_read_them(document, store, monkeypatch):
    base = document(backbone={"name": "embedded"}, data={"train": 200})
    there = points(read_axes(base, ["system.threshold=1,2"]), base, 4)
    said = []
    sweep.fill_caches(there, 4, said.append)
    assert any("Features of the training images: 200 of 200" in line for line in said)
    monkeypatch.setattr(sweep.vectors.Features, "_one_batch", lambda self: pytest.fail("again"))
    assert all(row["error"] is None for _, row, _ in sweep.run(there, store, 4, jobs=1))


def test_a_system_without_classes_is_swept_too(document, store):
    base = document("lif", steps=10)
    there = points(read_axes(base, ["system.gain=1,3"]), base, SAMPLES)
    rows = [row for _, row, _ in sweep.run(there, store, SAMPLES, jobs=1)]
    assert [row["error"] for row in rows] == [None, None]
    assert rows[0]["final_energy"] is None and rows[0]["active_fraction"] is not None


def test_a_network_without_curves_has_no_peak():
    found = {
        "document": {"decoder": {"kind": "sum"}},
        "accuracy": {"max": None, "sum": None},
        "firing_counts": None,
        "energy": {"total": None},
        "active_fraction": None,
        "certificate": {"duality_gap": None, "converged_fraction": None},
        "seconds": {"encoding": 1.0, "decoding": 0.5},
        "fingerprint": "ab",
    }
    row = measures(found)
    assert row["peak_firing"] is row["final_energy"] is None and row["seconds"] == 1.5
