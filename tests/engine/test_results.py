"""Results as JSON, tables and figures: what is in them, and what they do without."""

import csv
import json

import numpy as np
import pytest

from workbench.document import Document, load, shipped
from workbench.engine import experiment as experiments
from workbench.engine import results
from workbench.engine.evaluation import evaluate
from workbench.errors import InputError

KEYS = {
    "fingerprint": str,
    "document": dict,
    "samples": int,
    "steps": int,
    "atoms": int,
    "features": int,
    "accuracy": dict,
    "accuracy_by_step": dict,
    "confusion": list,
    "energy": dict,
    "firing_counts": list,
    "active_fraction": float,
    "certificate": dict,
    "seconds": dict,
}
FILES = [
    "results.json",
    "accuracy_by_step.csv",
    "accuracy_by_step.svg",
    "confusion.csv",
    "confusion.svg",
    "energy.csv",
    "energy.svg",
    "firing_counts.csv",
    "firing_counts.svg",
]


@pytest.fixture
def evaluated(prepared):
    def make(*kind, samples=30, **changes):
        experiment = prepared(*kind, **changes)
        return list(evaluate(experiment, samples))[-1], experiment

    return make


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_the_object_has_exactly_the_promised_keys(evaluated):
    evaluation, experiment = evaluated()
    found = results.as_object(evaluation, experiment)
    assert {key: type(value) for key, value in found.items()} == KEYS
    assert set(found["accuracy"]) == set(found["accuracy_by_step"]) == {"max", "sum"}
    for name, curve in found["accuracy_by_step"].items():
        assert len(curve) == 41 and curve[-1] == found["accuracy"][name]
    assert set(found["energy"]) == {"reconstruction", "sparsity", "total"}
    assert set(found["certificate"]) == {"duality_gap", "converged_fraction"}
    assert set(found["seconds"]) == {"features", "dictionary", "encoding", "decoding"}
    assert (found["samples"], found["steps"], found["atoms"], found["features"]) == (
        30,
        40,
        150,
        64,
    )
    assert all(len(found["energy"][term]) == 41 for term in found["energy"])
    assert len(found["firing_counts"]) == 41
    assert found["seconds"]["encoding"] > 0
    assert Document.parse(found["document"]) == experiment.document


def test_the_confusion_is_that_of_the_documents_decoder(evaluated):
    for decoder in ("max", "sum"):
        evaluation, experiment = evaluated(decoder={"kind": decoder}, threshold=3.0)
        matrix = np.array(results.as_object(evaluation, experiment)["confusion"])
        assert matrix.shape == (10, 10)
        assert matrix.trace() / 30 == evaluation.accuracy[decoder]
        assert (matrix == evaluation.confusion[decoder][:, :10]).all()


def test_numbers_that_are_not_finite_become_null(prepared):
    document = load(shipped()["digits-unstable"]).with_value("data.test", 10)
    experiment = experiments.prepare(document)
    found = results.as_object(list(evaluate(experiment))[-1], experiment)
    text = json.dumps(found, allow_nan=False)
    assert json.loads(text)["energy"]["total"][-1] is None
    assert found["energy"]["total"][0] > 0 and found["certificate"]["duality_gap"] is None


def test_what_a_system_does_not_have_is_null(evaluated):
    evaluation, experiment = evaluated("lif")
    found = results.as_object(evaluation, experiment)
    assert set(found) == set(KEYS)
    assert found["atoms"] is found["confusion"] is None
    assert found["accuracy"] == found["accuracy_by_step"] == {"max": None, "sum": None}
    assert set(found["energy"].values()) == set(found["certificate"].values()) == {None}
    assert len(found["firing_counts"]) == 41


def test_files_hold_the_results(evaluated, tmp_path):
    evaluation, experiment = evaluated()
    folder = tmp_path / "new" / "folder"
    written = results.write(folder, evaluation, experiment)
    assert sorted(path.name for path in written) == sorted(FILES)
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)

    found = json.loads((folder / "results.json").read_text("utf-8"))
    assert found == results.as_object(evaluation, experiment)

    energy = table(folder / "energy.csv")
    assert energy[0] == ["step", "reconstruction", "sparsity", "total"] and len(energy) == 42
    assert [float(row[3]) for row in energy[1:]] == found["energy"]["total"]
    counts = table(folder / "firing_counts.csv")
    assert [int(row[0]) for row in counts[1:]] == list(range(41))
    assert [float(row[1]) for row in counts[1:]] == found["firing_counts"]
    accuracy = table(folder / "accuracy_by_step.csv")
    assert accuracy[0] == ["step", "max", "sum"] and len(accuracy) == 42
    assert [float(row[2]) for row in accuracy[1:]] == found["accuracy_by_step"]["sum"]
    confusion = table(folder / "confusion.csv")
    assert confusion[0] == ["true", *"0123456789", "undecided"]
    assert [[int(n) for n in row[1:11]] for row in confusion[1:]] == found["confusion"]
    for figure in folder.glob("*.svg"):
        assert "<svg" in figure.read_text("utf-8") and "</svg>" in figure.read_text("utf-8")


def test_a_run_that_diverged_is_written_too(tmp_path):
    document = load(shipped()["digits-unstable"]).with_value("data.test", 10)
    experiment = experiments.prepare(document)
    written = results.write(tmp_path, list(evaluate(experiment))[-1], experiment)
    assert sorted(path.name for path in written) == sorted(FILES)
    json.loads((tmp_path / "results.json").read_text("utf-8"))


def test_a_system_without_classes_writes_what_it_has(evaluated, tmp_path):
    written = results.write(tmp_path, *evaluated("lif"))
    names = ["firing_counts.csv", "firing_counts.svg", "results.json"]
    assert sorted(path.name for path in written) == names


def test_results_replace_those_of_before(evaluated, tmp_path):
    results.write(tmp_path, *evaluated(steps=50))
    results.write(tmp_path, *evaluated(steps=5))
    assert len(table(tmp_path / "energy.csv")) == 7


@pytest.mark.parametrize("where", ["a file", "in a file", "a folder instead of a file"])
def test_a_folder_that_cannot_be_written_to_is_one_line(evaluated, tmp_path, where):
    (tmp_path / "file").write_text("mine")
    folder = {"a file": "file", "in a file": "file/below"}.get(where, "folder")
    if folder == "folder":
        (tmp_path / "folder" / "results.json").mkdir(parents=True)
    with pytest.raises(InputError, match="results cannot be written there: ") as error:
        results.write(tmp_path / folder, *evaluated(steps=1))
    assert "\n" not in str(error.value) and str(tmp_path / folder) in str(error.value)
    assert (tmp_path / "file").read_text() == "mine"
