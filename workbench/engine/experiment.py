"""From a document to everything a run needs: dataset, dictionary, system, signals."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from workbench import systems
from workbench.coding import dictionaries
from workbench.coding.dictionaries import Dictionary
from workbench.data import datasets
from workbench.data.datasets import Dataset
from workbench.document import Document
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
    seconds: Mapping[str, float]  # time spent on "features" and "dictionary"

    @property
    def steps(self) -> int:
        """K, the number of time steps of a run."""
        return self.system.params.steps

    def signals(self, samples: slice | list[int]) -> Tensor:
        """Signals of test samples, [B, N], scaled by ``signal.norm``, in the run's precision."""
        signal = self.dataset.test.signals(samples).to(_precision(self.document))
        norm = self.document.signal.norm
        if isinstance(norm, (int, float)):
            signal = signal * (norm / torch.linalg.vector_norm(signal, dim=1, keepdim=True))
        return signal


def prepare(
    document: Document,
    previous: Experiment | None = None,
    report: Report = lambda text: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Experiment:
    """Load, build and check all that the document names.

    Args:
        document: what to build.
        previous: an earlier experiment; its dataset and dictionary are used again where the
            document asks for the same ones.
        report: told in words what is being done.
        cancelled: asked between the parts.

    Raises:
        InputError: the document asks for something wrong or absent, in one line.
        Cancelled: ``cancelled`` said so.
    """
    system_type = _system_type(document)
    params = system_params(document)
    _refuse_what_is_not_built(document)
    seconds = {"features": 0.0, "dictionary": 0.0}

    def stage(text: str) -> float:
        if cancelled():
            raise Cancelled
        report(text)
        return time.perf_counter()

    started = stage(f"Loading {document.data.dataset}")
    if previous and previous.asked.data == document.data:
        dataset = previous.dataset
    else:
        dataset = datasets.load(document.data)
    seconds["features"] = time.perf_counter() - started

    dictionary = None
    if system_type.uses_dictionary:
        started = stage(f"Building the {document.dictionary.kind} dictionary")
        same = previous and previous.dataset is dataset
        if same and previous.dictionary and previous.asked.dictionary == document.dictionary:
            dictionary = previous.dictionary
        else:
            dictionary = _checked(dictionaries.build, document.dictionary, dataset)
        seconds["dictionary"] = time.perf_counter() - started

    stage(f"Wiring {system_type.title}")
    system = _checked(system_type, params, _wiring(document, dataset, dictionary))
    resolved = _resolved(document, dataset, dictionary, system)
    return Experiment(document, resolved, dataset, dictionary, system, seconds)


def with_live_params(experiment: Experiment, document: Document) -> Experiment:
    """The experiment under a document that differs in live system parameters only."""
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
        ("backbone.name", document.backbone.name, ("none",)),
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


def _precision(document: Document) -> torch.dtype:
    return {"float32": torch.float32, "float64": torch.float64}[document.run.precision]


def _wiring(document: Document, dataset: Dataset, dictionary: Dictionary | None) -> Wiring:
    features = dataset.test.signals([0]).shape[1]
    if dictionary is None:
        return Wiring(features)
    atoms = dictionary.atoms.to(_precision(document))
    return Wiring(features, atoms, dictionary.labels, len(dataset.class_names))


def _resolved(
    document: Document, dataset: Dataset, dictionary: Dictionary | None, system: System
) -> Document:
    """The document with every natural choice written out."""
    values = {
        "data.train": len(dataset.train),
        "data.test": len(dataset.test),
        "signal.norm": document.signal.norm or "none",
        "run.engine": "residual",
        "run.device": "cpu",
        "run.batch": document.run.batch or natural_batch(system.neurons),
    }
    if dictionary is not None:
        values["dictionary.atoms"] = len(dictionary.atoms)
    for place, value in values.items():
        document = document.with_value(place, value)
    return document.changed(system=_system_values(system))


def natural_batch(neurons: int) -> int:
    """Samples coded at once: about 16 MB of membrane potentials, at most 512 samples."""
    return max(1, min(512, 4_000_000 // neurons))
