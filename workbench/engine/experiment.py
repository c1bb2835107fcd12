"""From a document to everything a run needs: dataset, dictionary, system, signals."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from workbench import systems
from workbench.analysis import stability
from workbench.coding import dictionaries
from workbench.coding.dictionaries import Dictionary, Rows, Storage
from workbench.coding.learning import Forming
from workbench.data import datasets
from workbench.data.datasets import Dataset
from workbench.document import Document
from workbench.engine import devices, rounding, sharding, vectors
from workbench.engine.resolved import (
    check_decoder,
    natural_norm,
    resolve,
    resolved_decoder,
    system_values,
)
from workbench.engine.rounding import Rounding
from workbench.engine.vectors import Vectors, scaled
from workbench.errors import InputError
from workbench.parameters import unknown_key
from workbench.systems.protocol import WHOLE, Shard, System, Wiring

Report = Callable[[str], None]


class Cancelled(Exception):
    """The work was called off; nothing is wrong."""


@dataclass(frozen=True, eq=False)
class Preview:
    """A dictionary while it is learned."""

    forming: Forming
    image_shape: tuple[int, ...] | None  # of an atom drawn as an image; None: it is none


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
    known: tuple[str, ...] = ()  # what a person should know, one line each
    drive: float | None = None  # the largest of the first test sample; None: no dictionary
    rounding: Rounding | None = None  # None: the atoms were not rounded
    stamp: tuple = ()  # changes when the files that were read do

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know, one line each."""
        rounded = self.rounding and self.rounding.note(self.document.run.storage)
        return (*self.known, *filter(None, (rounded, _drive_note(self))))

    @property
    def steps(self) -> int:
        """K, the number of time steps of a run."""
        return self.system.params.steps

    def signals(self, samples: slice | list[int]) -> Tensor:
        """Signals of test samples, [B, N], scaled by ``signal.norm``, where they are computed."""
        return self.scaled(self.vectors.test.rows(samples))

    def training_signals(self, images: slice | Sequence[int]) -> Tensor:
        """Signals of training images, [B, N], as `signals` gives those of test samples."""
        return self.scaled(self.vectors.train.rows(images))

    def scaled(self, vectors: Tensor) -> Tensor:
        """Signals of vectors [B, N]: their length by ``signal.norm``.

        They are in the run's precision and on its device: all that is computed from them is there.
        """
        where = devices.named(self.document.run.device)
        vectors = vectors.to(where, devices.precision(self.document))
        return scaled(vectors, self.document.signal.norm)

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
    show: Callable[[Preview], None] = lambda preview: None,
    samples: int | None = None,
    shard: Shard = WHOLE,
) -> Experiment:
    """Load, build and check all that the document names.

    Args:
        document: what to build.
        previous: an earlier experiment; its dataset and dictionary are used again where the
            document asks for the same ones.
        report: told in words what is being done.
        cancelled: asked between the parts.
        show: shown a dictionary as it is learned, after each mini-batch.
        samples: only the first so many test images will be coded; None means all.
        shard: which part of the network this process builds and holds.

    Raises:
        InputError: the document asks for something wrong or absent, in one line.
        Cancelled: ``cancelled`` said so.
    """
    system_type = _system_type(document)
    params = system_params(document)
    _check_tolerance(document, params)
    sharding.check(document, shard)
    device = devices.device(document, shard)
    devices.engine(document, device, shard)  # refused before the work, not after it
    storage = Storage(devices.storage(document), shard)
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
    old, stamp = previous.asked if previous else None, _stamp(document)
    if (
        previous
        and (old.data, old.backbone) == (document.data, document.backbone)
        and previous.stamp == stamp
    ):
        dataset, found = previous.dataset, previous.vectors
        vectors.complete(found, samples, report, check)
    else:
        dataset = datasets.load(document.data, side, report, check)
        wanted = (document, dataset, samples, report, check)
        found = sharding.in_turn(shard, lambda: vectors.of_document(*wanted))
    check_decoder(document, dataset)
    seconds["features"] = time.perf_counter() - started

    dictionary = None
    if system_type.uses_dictionary:
        started = stage(f"Building the {document.dictionary.kind} dictionary")
        tell = _teller(report, show, check, None if found.backbone else dataset.image_shape)
        dictionary = _dictionary(document, dataset, found, previous, tell, storage)
        seconds["dictionary"] = time.perf_counter() - started

    stage(f"Wiring {system_type.title}")
    grown_from = previous if dictionary and _has_grown(previous, dictionary) else None
    wiring = _checked(_wiring, document, device, found.size, dataset, dictionary, shard, grown_from)
    system = _checked(system_type, params, wiring)
    resolved = resolve(document, dataset, dictionary, system, found, device)
    notes = _notes(dataset, dictionary, found)
    made = (dataset, dictionary, system, found, seconds, notes)
    experiment = Experiment(document, resolved, *made, stamp=stamp)
    return _with_measures(experiment, grown_from)


def _with_measures(experiment: Experiment, grown_from: Experiment | None) -> Experiment:
    """The experiment with what its first test sample says of the dictionary.

    Where a dictionary grew, only new atoms are read.
    """
    dictionary, wiring, asked = experiment.dictionary, experiment.system.wiring, experiment.asked
    if dictionary is None:
        return experiment
    signal, old = experiment.signals([0]), grown_from
    if old is not None and (old.asked.signal, old.asked.run) != (asked.signal, asked.run):
        old = None
    first = len(old.dictionary) if old else 0
    drive = torch.tensor(stability.largest_drive(signal, wiring.atoms[first:]))
    drive = float(wiring.shard.max(drive))
    rounded = None
    if asked.run.storage is not None:
        rounded = rounding.measured(
            dictionary,
            asked.dictionary,
            experiment.vectors.train,
            signal.cpu(),
            first,
            wiring.shard,
        )
    if old is not None:
        drive = max(drive, old.drive)
        rounded = rounded and rounded.with_(old.rounding)
    return replace(experiment, drive=drive, rounding=rounded)


def _dictionary(
    document: Document,
    dataset: Dataset,
    found: Vectors,
    previous: Experiment | None,
    tell: Callable[[Forming], None],
    storage: Storage,
) -> Dictionary:
    """The dictionary asked for; an earlier one of the same images is used again, or grown."""
    before = None
    learned = document.dictionary.kind == "learned"  # from signals at the length they have
    kept = previous and previous.dictionary and previous.asked.run.storage == document.run.storage
    if kept and previous.dataset is dataset:
        before = (previous.asked.dictionary, previous.dictionary)
        same_length = previous.asked.signal == document.signal
        if before[0] == document.dictionary and (same_length or not learned):
            return previous.dictionary
    rows: Rows = _ScaledRows(found.train, natural_norm(document, found)) if learned else found.train
    parts = (document.dictionary, rows, dataset.train.labels, found.size)
    return _checked(dictionaries.build, *parts, dataset.class_names, before, tell, storage)


@dataclass(frozen=True)
class _ScaledRows:
    """Training vectors at the length that signals have."""

    vectors: Rows
    norm: float | str

    def rows(self, index: Any) -> Tensor:
        return scaled(self.vectors.rows(index), self.norm)


def _has_grown(previous: Experiment | None, dictionary: Dictionary) -> bool:
    """Whether the first atoms are those of the experiment before, in the same memory."""
    before = previous.dictionary if previous else None
    return before is not None and before.store is not None and before.store is dictionary.store


def with_live_params(experiment: Experiment, document: Document) -> Experiment:
    """The experiment under a document that differs only in system parameters, decoder or view.

    ``run.tolerance`` may differ, too.

    Raises:
        InputError: the document asks for something wrong or absent, in one line.
    """
    params = system_params(document)
    _check_tolerance(document, params)
    shard = experiment.system.wiring.shard
    devices.engine(document, devices.device(document, shard), shard)
    check_decoder(document, experiment.dataset)
    system = experiment.system.with_params(params)
    resolved = experiment.document.changed(
        system=system_values(system),
        view=document.view,
        run=experiment.document.run.changed(tolerance=document.run.tolerance),
        decoder=resolved_decoder(document, experiment.dataset),
    )
    return replace(experiment, asked=document, document=resolved, system=system)


def system_params(document: Document) -> Any:
    """The ``system`` section, checked by that system's own ``Params``."""
    values = {key: value for key, value in document.system.items() if key != "kind"}
    return _system_type(document).Params.parse(values, "system")


def _system_type(document: Document) -> type[System]:
    kind, known = document.system["kind"], systems.kinds()
    if kind not in known:
        raise InputError(unknown_key(f"system.kind = {kind!r}", kind, known))
    return known[kind]


def _check_tolerance(document: Document, params: Any) -> None:
    """Refuse a tolerance where nothing can be proved of a code."""
    tolerance = document.run.tolerance
    if tolerance is not None and not _system_type(document).solves_lasso(params):
        raise InputError(
            f"run.tolerance = {tolerance:g}: must be null here; only an LCA under the soft "
            "threshold solves a Lasso, whose duality gap tells when to stop"
        )


def _checked(build: Callable[..., Any], *arguments: Any) -> Any:
    """Call a builder of the lower rooms; their ValueErrors are about the user's input."""
    try:
        return build(*arguments)
    except InputError:
        raise
    except ValueError as error:
        raise InputError(str(error)) from error


def _teller(
    report: Report,
    show: Callable[[Preview], None],
    check: Callable[[], None],
    image_shape: tuple[int, ...] | None,
) -> Callable[[Forming], None]:
    """Tells of a dictionary that is learned, in words and as it is."""
    started = time.perf_counter()

    def tell(forming: Forming) -> None:
        check()
        spent = time.perf_counter() - started
        left = spent / forming.update * (forming.updates - forming.update)
        report(
            f"Learning the dictionary: mini-batch {forming.update} of {forming.updates}, "
            f"energy {forming.energy[forming.update - 1]:.4g}, {left:.0f} s left"
        )
        show(Preview(forming, image_shape))

    return tell


def _notes(dataset: Dataset, dictionary: Dictionary | None, found: Vectors) -> tuple[str, ...]:
    return (
        *dataset.notes,
        *(found.backbone.notes if found.backbone else ()),
        *(dictionary.notes if dictionary else ()),
    )


def _drive_note(experiment: Experiment) -> str | None:
    """A word of warning if the first signal drives the neurons far beyond their threshold."""
    system = experiment.system
    name = next((o.threshold for o in system.observables if o.threshold), None)
    if experiment.drive is None or name is None:
        return None
    return stability.warn_of_drive(experiment.drive, getattr(system.params, name))


def _wiring(
    document: Document,
    device: str,
    features: int,
    dataset: Dataset,
    dictionary: Dictionary | None,
    shard: Shard,
    grown_from: Experiment | None,
) -> Wiring:
    """Atoms and labels of the neurons that are here, where they are computed."""
    if dictionary is None:
        return Wiring(features)
    where = devices.named(device)
    dtype = devices.precision(document) if document.run.storage is None else dictionary.atoms.dtype
    labels = dictionary.labels
    if labels is not None:
        labels = labels[shard.part(len(labels))].to(where)
    return Wiring(
        features,
        dictionary.atoms.to(where, dtype),
        labels,
        len(dataset.class_names),
        checked=len(grown_from.dictionary) if grown_from else 0,
        engine=devices.engine(document, device, shard, (len(dictionary), features)),
        shard=shard if shard.processes == 1 else shard.over(len(dictionary)),
    )


def _stamp(document: Document) -> tuple:
    """Size and time of the files that a document names; of a folder only its own."""
    paths = (document.data.root, document.backbone.weights)
    found = []
    for path in filter(None, paths):
        try:
            facts = os.stat(path)
            found.append((facts.st_size, facts.st_mtime_ns))
        except (OSError, ValueError):
            found.append(None)
    return tuple(found)


def _which(samples: slice | list[int]) -> str:
    if isinstance(samples, slice):
        return f"test samples {samples.start} to {samples.stop - 1}"
    return f"test sample {', '.join(map(str, samples))}"
