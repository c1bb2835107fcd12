"""The whole test set, coded in batches and classified."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workbench.analysis import optimality
from workbench.coding import decoders
from workbench.engine import fingerprint
from workbench.engine.experiment import Cancelled, Experiment


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What is known of a test set so far; the last one is the result.

    ``energy`` and ``firing_counts`` hold one mean value per sample for each step 0..K.
    ``confusion`` maps a decoder to counts [true class, predicted class], with one more column for
    samples on which no neuron was active ("undecided", counted as wrong). Quantities that the
    system does not have are empty.
    """

    done: int
    total: int
    neurons: int
    features: int
    seconds: dict[str, float]
    fingerprint: str = ""
    confusion: dict[str, np.ndarray] = field(default_factory=dict)
    energy: dict[str, np.ndarray] = field(default_factory=dict)
    firing_counts: np.ndarray | None = None
    duality_gap: float | None = None
    converged_fraction: float | None = None

    @property
    def accuracy(self) -> dict[str, float]:
        """Fraction classified rightly, by decoder."""
        return {
            name: float(np.trace(matrix) / max(matrix.sum(), 1))
            for name, matrix in self.confusion.items()
        }

    @property
    def active_fraction(self) -> float | None:
        """Mean fraction of the neurons that fire at a step."""
        if self.firing_counts is None:
            return None
        return float(np.mean(self.firing_counts) / self.neurons)

    @property
    def seconds_left(self) -> float:
        """An estimate from the samples done."""
        spent = self.seconds["encoding"] + self.seconds["decoding"]
        return spent / max(self.done, 1) * (self.total - self.done)


def evaluate(
    experiment: Experiment,
    samples: int | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Evaluation]:
    """Code the first ``samples`` test signals (all, if None); yields after each batch.

    Raises:
        Cancelled: ``cancelled`` said so, within one time step.
        InputError: a signal the system refuses.
    """
    there = len(experiment.dataset.test)
    total = there if samples is None else min(samples, there)
    tally = _Tally(experiment, total)
    size = experiment.document.run.batch
    for start in range(0, total, size):
        tally.add(slice(start, min(start + size, total)), cancelled)
        yield tally.evaluation()


class _Tally:
    """Sums over the batches done so far."""

    def __init__(self, experiment: Experiment, total: int) -> None:
        self.experiment, self.total, self.done = experiment, total, 0
        system = experiment.system
        kinds = {"terms", "count"}
        self.series = [o for o in system.observables if o.kind in kinds]
        self.names = {o.name for o in self.series} | {system.output}
        self.sums: dict[str, Any] = {o.name: 0.0 for o in self.series}
        self.digest = fingerprint.START
        self.seconds = {**experiment.seconds, "encoding": 0.0, "decoding": 0.0}
        self.confusion: dict[str, Tensor] = {}
        self.gaps = 0.0
        self.converged: int | None = None

    def add(self, samples: slice, cancelled: Callable[[], bool]) -> None:
        """Code and decode one batch."""
        system, steps = self.experiment.system, self.experiment.steps
        started = time.perf_counter()
        state = self.experiment.initial(samples)
        rows: dict[str, list[Tensor]] = {o.name: [] for o in self.series}
        for step in range(steps + 1):
            if cancelled():
                raise Cancelled
            if step:
                state = system.step(state)
            seen = system.observe(state, self.names)
            self.digest = fingerprint.chain(self.digest, seen[system.output])
            for name, row in rows.items():
                row.append(seen[name].double().sum(0))
        for name, row in rows.items():
            self.sums[name] = self.sums[name] + torch.stack(row).cpu().numpy()
        encoded = time.perf_counter()
        self.seconds["encoding"] += encoded - started
        self._decode(state, samples)
        self._certify(state)
        self.seconds["decoding"] += time.perf_counter() - encoded
        self.done = samples.stop

    def _decode(self, state: Any, samples: slice) -> None:
        system, wiring = self.experiment.system, self.experiment.system.wiring
        if system.code is None or wiring.labels is None:
            return
        code = system.observe(state, (system.code,))[system.code]
        evidence = decoders.evidence(code, wiring.labels, wiring.classes)
        truth = self.experiment.dataset.test.labels[samples]
        for name, decided in (
            ("max", decoders.by_max(code, wiring.labels)),
            ("sum", decoders.by_sum(evidence)),
        ):
            counts = decoders.confusion(truth, decided, wiring.classes)
            self.confusion[name] = self.confusion.get(name, 0) + counts

    def _certify(self, state: Any) -> None:
        lasso = self.experiment.system.lasso(state)
        if lasso is not None:
            self.gaps += float(optimality.duality_gap(lasso).double().sum())
            self.converged = (self.converged or 0) + int(optimality.converged(lasso).sum())

    def evaluation(self) -> Evaluation:
        """The means so far."""
        energy: dict[str, np.ndarray] = {}
        firing_counts = None
        for declared in self.series:
            mean = self.sums[declared.name] / self.done
            if declared.kind == "terms":
                energy |= dict(zip(declared.labels, mean.T, strict=True))
            else:
                firing_counts = mean
        certified = self.converged is not None
        return Evaluation(
            done=self.done,
            total=self.total,
            neurons=self.experiment.system.neurons,
            features=self.experiment.system.wiring.features,
            seconds=dict(self.seconds),
            fingerprint=self.digest.hex(),
            confusion={name: counts.numpy() for name, counts in self.confusion.items()},
            energy=energy,
            firing_counts=firing_counts,
            duality_gap=self.gaps / self.done if certified else None,
            converged_fraction=self.converged / self.done if certified else None,
        )
