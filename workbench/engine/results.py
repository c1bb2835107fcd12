"""The results of an evaluation as one JSON object, as tables and as figures."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np

from workbench.engine.evaluation import Evaluation
from workbench.engine.experiment import Experiment
from workbench.errors import InputError

TERMS = ("reconstruction", "sparsity", "total")
DECODERS = ("max", "sum")


def as_object(evaluation: Evaluation, experiment: Experiment) -> dict[str, Any]:
    """What ``workbench run --json`` prints.

    Quantities that the system does not have are null, and so are numbers that are not finite.
    ``confusion`` belongs to the document's decoder: rows are true classes, columns decided ones;
    an undecided sample (no neuron was active) is in no column and counts as wrong. With
    ``run.tolerance`` set, ``certificate`` also names the test samples that did not converge
    (``unconverged``) and the mean and largest number of ``steps`` taken. ``accuracy_by_step`` lists
    for each decoder what part would be right at the steps 0..K; its last value is ``accuracy``.
    ``processes`` says how many held the neurons, where it was more than one.
    """
    document = experiment.document
    confusion = evaluation.confusion.get(document.decoder.kind)
    found = {
        "fingerprint": evaluation.fingerprint,
        "document": document.model_dump(exclude={"branches"}),
        "samples": evaluation.done,
        "steps": experiment.steps,
        "atoms": None if experiment.dictionary is None else evaluation.neurons,
        "features": evaluation.features,
        "accuracy": {name: None for name in DECODERS} | evaluation.accuracy,
        "accuracy_by_step": {name: None for name in DECODERS} | _by_step(evaluation),
        "confusion": None if confusion is None else confusion[:, :-1].tolist(),
        "energy": _lists(evaluation),
        "firing_counts": _list(evaluation.firing_counts),
        "active_fraction": evaluation.active_fraction,
        "certificate": _certificate(evaluation),
        "seconds": {name: round(value, 4) for name, value in evaluation.seconds.items()},
    }
    processes = experiment.system.wiring.shard.processes
    if processes > 1:
        found["processes"] = processes
    return _finite(found)


def _certificate(evaluation: Evaluation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "duality_gap": evaluation.duality_gap,
        "converged_fraction": evaluation.converged_fraction,
    }
    taken = evaluation.steps_taken
    if taken is not None:
        found["unconverged"] = list(evaluation.unconverged)
        found["steps"] = {"mean": float(taken.mean()), "max": int(taken.max())}
    return found


def write(folder: Path, evaluation: Evaluation, experiment: Experiment) -> list[Path]:
    """Write ``results.json``, the tables and their figures; returns what was written.

    Raises:
        InputError: the folder cannot be written to.
    """
    make_folder(folder)
    try:
        return [
            _write_json(folder / "results.json", as_object(evaluation, experiment)),
            *_write_confusion(folder, evaluation, experiment),
            *_write_energy(folder, evaluation, experiment),
            *_write_counts(folder, evaluation, experiment),
            *_write_anytime(folder, evaluation, experiment),
        ]
    except OSError as error:
        raise _not_written(folder, error) from error


def make_folder(folder: Path) -> None:
    """Make the folder for results, if it is not there.

    Raises:
        InputError: it cannot be made, or cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _not_written(folder, error) from error


def _not_written(folder: Path, error: OSError) -> InputError:
    return InputError(f"{folder}: results cannot be written there: {error.strerror or error}")


def _write_json(path: Path, found: dict[str, Any]) -> Path:
    text = json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")
    return path


def _write_confusion(folder: Path, evaluation: Evaluation, experiment: Experiment) -> list[Path]:
    counts = evaluation.confusion.get(experiment.document.decoder.kind)
    if counts is None:
        return []
    names = experiment.dataset.class_names
    rows = [[name, *row] for name, row in zip(names, counts.tolist(), strict=True)]
    table = _write_table(folder / "confusion.csv", ["true", *names, "undecided"], rows)
    from workbench.analysis import figures

    figure = figures.confusion_figure(counts, names, _caption(evaluation, experiment))
    return [table, figures.save_figure(figure, folder / "confusion.svg")]


def _write_energy(folder: Path, evaluation: Evaluation, experiment: Experiment) -> list[Path]:
    if not evaluation.energy:
        return []
    terms = np.stack(list(evaluation.energy.values()), 1)
    rows = [[step, *row] for step, row in enumerate(terms.tolist())]
    table = _write_table(folder / "energy.csv", ["step", *evaluation.energy], rows)
    from workbench.analysis import figures

    caption = _caption(evaluation, experiment)
    figure = figures.energy_figure(terms, tuple(evaluation.energy), caption)
    return [table, figures.save_figure(figure, folder / "energy.svg")]


def _write_counts(folder: Path, evaluation: Evaluation, experiment: Experiment) -> list[Path]:
    if evaluation.firing_counts is None:
        return []
    rows = [[step, count] for step, count in enumerate(evaluation.firing_counts.tolist())]
    table = _write_table(folder / "firing_counts.csv", ["step", "firing neurons"], rows)
    from workbench.analysis import figures

    caption = _caption(evaluation, experiment)
    figure = figures.counts_figure(evaluation.firing_counts, evaluation.neurons, caption)
    return [table, figures.save_figure(figure, folder / "firing_counts.svg")]


def _write_anytime(folder: Path, evaluation: Evaluation, experiment: Experiment) -> list[Path]:
    found = evaluation.accuracy_by_step
    if not found:
        return []
    columns = zip(*(curve.tolist() for curve in found.values()), strict=True)
    rows = [[step, *row] for step, row in enumerate(columns)]
    table = _write_table(folder / "accuracy_by_step.csv", ["step", *found], rows)
    from workbench.analysis import anytime_figure, figures

    figure = anytime_figure.anytime_figure(found, _caption(evaluation, experiment))
    return [table, figures.save_figure(figure, folder / "accuracy_by_step.svg")]


def _write_table(path: Path, columns: list[str], rows: list[list[Any]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    return path


def _caption(evaluation: Evaluation, experiment: Experiment) -> str:
    data = experiment.document.data.dataset
    return f"{data}, {evaluation.done} test images, fingerprint {evaluation.fingerprint}"


def _lists(evaluation: Evaluation) -> dict[str, list[float] | None]:
    return {term: _list(evaluation.energy.get(term)) for term in TERMS}


def _by_step(evaluation: Evaluation) -> dict[str, list[float]]:
    return {name: curve.tolist() for name, curve in evaluation.accuracy_by_step.items()}


def _list(values: np.ndarray | None) -> list[float] | None:
    return None if values is None else values.tolist()


def _finite(found: Any) -> Any:
    """The same with null for numbers that JSON cannot hold."""
    if isinstance(found, dict):
        return {key: _finite(value) for key, value in found.items()}
    if isinstance(found, list):
        return [_finite(value) for value in found]
    return None if isinstance(found, float) and not math.isfinite(found) else found
