"""From a document to everything a run needs: dataset, dictionary, system, signals."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from workbench import systems
from workbench.analysis import stability
from workbench.coding import dictionaries
from workbench.coding.dictionaries import Dictionary
from workbench.data import datasets
from workbench.data.backbones import Backbone
from workbench.data.datasets import Dataset
from workbench.document import Document
from workbench.engine import vectors
from workbench.engine.vectors import FEATURE_NORM, Vectors
from workbench.errors import InputError
from workbench.parameters import unknown_key
from workbench.systems.protocol import System, Wiring

Report = Callable[[str], None]


class Cancelled(Exception):
    """The work was called off; nothing is wrong."""


@dataclass(frozen=True, eq=False)
class Experiment:
    """A document with everything resolved and built."""

    asked: Document  # as the user wrote it
    document: Document  # every null replaced by what was chosen
    dataset: Dataset
    dictionary: Dictionary | None  # None: the system uses none
    system: System
    vectors: Vectors
    seconds: Mapping[str, float]  # time spent on "features" and "dictionary"
    notes: tuple[str, ...] = ()  # what a person should know, one line each

    @property
    def steps(self) -> int:
        """K, the number of time steps of a run."""
        return self.system.params.steps

    def signals(self, samples: slice | list[int]) -> Tensor:
        """Signals of test samples, [B, N], scaled by ``signal.norm``, in the run's precision."""
        return self.scaled(self.vectors.test.rows(samples))

    def scaled(self, vectors: Tensor) -> Tensor:
        """Signals of vectors [B, N]: their length by ``signal.norm``, in the run's precision."""
        signal = vectors.to(_precision(self.document))
        norm = self.document.signal.norm
        if isinstance(norm, (int, float)):
            length = torch.linalg.vector_norm(signal, dim=1, keepdim=True)
            signal = torch.where(length > 0, signal * (norm / length), signal)  # blank stays blank
        return signal

    def initial(self, samples: slice | list[int]) -> Any:
        """The state at step 0 for test samples.

        Raises:
            InputError: the system refuses one of the signals.
        """
        return self.initial_of(self.vectors.test.rows(samples), _which(samples))

    def initial_of(self, vectors: Tensor, name: str) -> Any:
        """The state at step 0 for vectors [B, N], pixels or features; ``name`` says whose.

        Raises:
            InputError: the system refuses one of the signals.
        """
        try:
            return self.system.init(self.scaled(vectors))
        except ValueError as error:
            raise InputError(f"{name}: {error}") from error


def prepare(
    document: Document,
    previous: Experiment | None = None,
    report: Report = lambda text: None,
    cancelled: Callable[[], bool] = lambda: False,
    samples: int | None = None,
) -> Experiment:
    """Load, build and check all that the document names.

    Args:
        document: what to build.
        previous: an earlier experiment; its dataset and dictionary are used again where the
            document asks for the same ones.
        report: told in words what is being done.
        cancelled: asked between the parts.
        samples: only the first so many test images will be coded; None means all.

    Raises:
        InputError: the document asks for something wrong or absent, in one line.
        Cancelled: ``cancelled`` said so.
    """
    system_type = _system_type(document)
    params = system_params(document)
    _refuse_what_is_not_built(document)
    seconds = {"features": 0.0, "dictionary": 0.0}

    def check() -> None:
        if cancelled():
            raise Cancelled

    def stage(text: str) -> float:
        check()
        report(text)
        return time.perf_counter()

    started = stage(f"Loading {document.data.dataset}")
    side = document.backbone.image_size if document.backbone.name == "none" else None
    old = previous.asked if previous else None
    if previous and (old.data, old.backbone) == (document.data, document.backbone):
        dataset, found = previous.dataset, previous.vectors
    else:
        dataset = datasets.load(document.data, side, report, check)
        found = vectors.of_document(document, dataset, samples, report, check)
    seconds["features"] = time.perf_counter() - started

    dictionary = None
    if system_type.uses_dictionary:
        started = stage(f"Building the {document.dictionary.kind} dictionary")
        same = previous and previous.dataset is dataset
        if same and previous.dictionary and previous.asked.dictionary == document.dictionary:
            dictionary = previous.dictionary
        else:
            dictionary = _checked(_build_dictionary, document, dataset, found)
        seconds["dictionary"] = time.perf_counter() - started

    stage(f"Wiring {system_type.title}")
    wiring = _wiring(document, found.size, dataset, dictionary)
    system = _checked(system_type, params, wiring)
    resolved = _resolved(document, dataset, dictionary, system, found.backbone)
    made = (dataset, dictionary, system, found, seconds)
    experiment = Experiment(document, resolved, *made, _notes(dataset, dictionary, found))
    return replace(experiment, notes=(*experiment.notes, *_drive_note(experiment)))


def with_live_params(experiment: Experiment, document: Document) -> Experiment:
    """The experiment under a document that differs in system parameters, decoder or view only.

    Raises:
        InputError: the document asks for something wrong or absent, in one line.
    """
    _refuse_what_is_not_built(document)
    system = experiment.system.with_params(system_params(document))
    resolved = experiment.document.changed(
        system=_system_values(system), view=document.view, decoder=document.decoder
    )
    return replace(experiment, asked=document, document=resolved, system=system)


def system_params(document: Document) -> Any:
    """The ``system`` section, checked by that system's own ``Params``."""
    values = {key: value for key, value in document.system.items() if key != "kind"}
    return _system_type(document).Params.parse(values, "system")


def _system_values(system: System) -> dict[str, Any]:
    """A ``system`` section with every parameter written out."""
    return {"kind": system.kind, **system.params.model_dump()}


def _system_type(document: Document) -> type[System]:
    kind, known = document.system["kind"], systems.kinds()
    if kind not in known:
        raise InputError(unknown_key(f"system.kind = {kind!r}", kind, known))
    return known[kind]


def _refuse_what_is_not_built(document: Document) -> None:
    """Say what the document may ask for one day but not yet."""
    for place, value, available in (
        ("decoder.kind", document.decoder.kind, ("max", "sum")),
        ("run.engine", document.run.engine, ("auto", "residual")),
        ("run.device", document.run.device, ("auto", "cpu")),
    ):
        if value not in available:
            raise InputError(f"{place} = {value!r}: not available yet; {' or '.join(available)} is")


def _checked(build: Callable[..., Any], *arguments: Any) -> Any:
    """Call a builder of the lower rooms; their ValueErrors are about the user's input."""
    try:
        return build(*arguments)
    except InputError:
        raise
    except ValueError as error:
        raise InputError(str(error)) from error


def _build_dictionary(document: Document, dataset: Dataset, found: Vectors) -> Dictionary:
    labels, classes = dataset.train.labels, len(dataset.class_names)
    return dictionaries.build(document.dictionary, found.train, labels, found.size, classes)


def _notes(dataset: Dataset, dictionary: Dictionary | None, found: Vectors) -> tuple[str, ...]:
    return (
        *dataset.notes,
        *(found.backbone.notes if found.backbone else ()),
        *(dictionary.notes if dictionary else ()),
    )


def _drive_note(experiment: Experiment) -> tuple[str, ...]:
    """A word of warning if the first signal drives the neurons far beyond their threshold."""
    lasso = experiment.system.lasso(experiment.initial([0]))
    note = None if lasso is None else stability.warn_of_drive(lasso)
    return () if note is None else (note,)


def _precision(document: Document) -> torch.dtype:
    return {"float32": torch.float32, "float64": torch.float64}[document.run.precision]


def _wiring(
    document: Document, features: int, dataset: Dataset, dictionary: Dictionary | None
) -> Wiring:
    if dictionary is None:
        return Wiring(features)
    atoms = dictionary.atoms.to(_precision(document))
    return Wiring(features, atoms, dictionary.labels, len(dataset.class_names))


def _resolved(
    document: Document,
    dataset: Dataset,
    dictionary: Dictionary | None,
    system: System,
    backbone: Backbone | None,
) -> Document:
    """The document with every natural choice written out."""
    values = {
        "data.train": len(dataset.train),
        "data.test": len(dataset.test),
        "signal.norm": document.signal.norm or (FEATURE_NORM if backbone else "none"),
        "run.engine": "residual",
        "run.device": "cpu",
        "run.batch": document.run.batch or natural_batch(system.neurons),
    }
    if backbone is not None:
        values["backbone.image_size"] = backbone.image_size
        values["backbone.weights_hash"] = backbone.weights_hash
    if dictionary is not None:
        values["dictionary.atoms"] = len(dictionary.atoms)
    for place, value in values.items():
        document = document.with_value(place, value)
    return document.changed(system=_system_values(system))


def _which(samples: slice | list[int]) -> str:
    if isinstance(samples, slice):
        return f"test samples {samples.start} to {samples.stop - 1}"
    return f"test sample {', '.join(map(str, samples))}"


def natural_batch(neurons: int) -> int:
    """Samples coded at once: about 16 MB of membrane potentials, at most 512 samples."""
    return max(1, min(512, 4_000_000 // neurons))
