"""What an evaluation adds up, batch by batch, and what is known of it so far.

Every decoder also decides at each step on the way (anytime accuracy); who has stopped keeps the
last decision. On the way it reads the entries that the fingerprint is made of (`anytime`); the
decision in the end is made on the whole code.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workbench.analysis import optimality
from workbench.coding import decoders
from workbench.coding.perceptron import Perceptron, Training
from workbench.engine import anytime, fingerprint
from workbench.engine.anytime import Rights
from workbench.engine.convergence import Instant, instants
from workbench.engine.experiment import Experiment
from workbench.engine.fingerprint import Entries

Batch = slice | list[int]  # test samples


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What is known of a test set so far; the last one is the result.

    While the perceptron is trained, ``done`` is 0 and ``stage`` says how far it is.
    ``energy`` and ``firing_counts`` hold one mean value per sample for each step 0..K.
    ``converged_fraction`` is of ``run.tolerance``, or of 1e-3 of ½‖s‖² where none is set.
    ``unconverged`` and ``steps_taken`` are known only with a tolerance.
    ``confusion`` maps a decoder to counts [true class, predicted class], with one more column for
    samples on which no neuron was active ("undecided", counted as wrong). Quantities that the
    system does not have are empty.
    ``accuracy_by_step`` holds for each decoder what part would be right at each step 0..K, and
    ``decided`` the class of each of ``samples`` in the end, −1 where undecided.
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
    unconverged: tuple[int, ...] | None = None  # test samples that took all steps in vain
    steps_taken: np.ndarray | None = None  # [done], by each sample, in the order coded
    stage: str = ""  # what is done before the first test image is coded, in words
    stage_part: float = 0.0  # how much of that stage is done
    training: Training | None = None  # of the perceptron, where the document asks for it
    accuracy_by_step: dict[str, np.ndarray] = field(default_factory=dict)
    decided: dict[str, np.ndarray] = field(default_factory=dict)  # [done], classes in the end
    samples: np.ndarray | None = None  # [done], the test samples in the order coded

    @property
    def perceptron(self) -> Perceptron | None:
        """The trained perceptron, once it is."""
        return self.training.perceptron if self.training and not self.stage else None

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


class Tally:
    """Sums over the batches done so far."""

    def __init__(self, experiment: Experiment, total: int) -> None:
        self.experiment, self.total, self.done = experiment, total, 0
        system = experiment.system
        kinds = {"terms", "count"}
        self.series = [o for o in system.observables if o.kind in kinds]
        # Always in this order: processes that share the neurons sum in it.
        code = () if system.code is None else (system.code,)
        self.names = tuple(dict.fromkeys((*(o.name for o in self.series), system.output, *code)))
        self.sums: dict[str, Any] = {o.name: 0.0 for o in self.series}
        self.digest = fingerprint.START
        self.seconds = {**experiment.seconds, "encoding": 0.0, "decoding": 0.0}
        self.confusion: dict[str, Tensor] = {}
        self.training: Training | None = None
        self.tolerance = experiment.document.run.tolerance
        self.certified = False  # the system solves a Lasso
        self.gaps = 0.0
        self.unconverged: list[int] = []
        self.steps_taken: list[int] = []
        self.samples: list[int] = []
        self.rights: dict[str, Any] = {}  # by decoder, [K + 1]
        self.decided: dict[str, list[np.ndarray]] = {}

    def add(self, samples: Batch, cancelled: Callable[[], bool]) -> None:
        """Code and decode one batch."""
        system, dataset = self.experiment.system, self.experiment.dataset
        started, decoding = time.perf_counter(), self.seconds["decoding"]
        index = torch.arange(len(dataset.test))[samples]
        state = self.experiment.initial(samples)
        taken, rights = torch.zeros_like(index), Rights(dataset.test.labels[index].numpy())
        rows: dict[str, list[Tensor]] = {o.name: [] for o in self.series}
        held: dict[str, Any] = {o.name: 0.0 for o in self.series}  # sums of those that stopped
        for now in instants(system, state, len(index), self.tolerance, cancelled):
            seen = system.observe(now.state, self.names)
            found = fingerprint.entries(seen[system.output], system.wiring.shard)
            self.digest = fingerprint.chain_entries(self.digest, found)
            for name, row in rows.items():
                row.append(seen[name].cpu().double().sum(0) + held[name])
            last: dict[str, np.ndarray] = {}
            if len(now.stopping):
                for name in rows:
                    held[name] = held[name] + seen[name][now.stopping].cpu().double().sum(0)
                stopping = now.rows[now.stopping]
                taken[stopping] = now.step
                last = self._stop(now, index[stopping])
            rights.add(now, self._decide_on_the_way(now, seen, found), last)
        self._finish(rows, held, rights)
        self.samples += index.tolist()
        self.steps_taken += taken.tolist()
        decoded = self.seconds["decoding"] - decoding
        self.seconds["encoding"] += time.perf_counter() - started - decoded
        self.done += len(index)

    def _finish(self, rows: dict[str, list[Tensor]], held: dict[str, Any], rights: Rights) -> None:
        """A batch is done: its sums join the others, held from where its last sample stopped."""
        steps = self.experiment.steps
        for name, row in rows.items():
            row += [held[name]] * (steps + 1 - len(row))
            self.sums[name] = self.sums[name] + torch.stack(row).numpy()
        for name, right in rights.by_step(steps).items():
            self.rights[name] = self.rights.get(name, 0) + right
        for name, classes in rights.decided.items():
            self.decided.setdefault(name, []).append(classes)

    def _decide_on_the_way(
        self, now: Instant, seen: dict[str, Tensor], found: Entries
    ) -> dict[str, np.ndarray]:
        """What each decoder decides at one step; ``found`` are the entries of the output."""
        system, started = self.experiment.system, time.perf_counter()
        if system.code is None:
            return {}
        if system.code != system.output:
            found = fingerprint.entries(seen[system.code], system.wiring.shard)
        trained = self.training.perceptron if self.training is not None else None
        decided = anytime.decide(self.experiment, found, len(now.rows), trained)
        self.seconds["decoding"] += time.perf_counter() - started
        return decided

    def _stop(self, now: Instant, samples: Tensor) -> dict[str, np.ndarray]:
        """Decode and certify the samples that stop here; their classes by decoder."""
        started = time.perf_counter()
        state = now.stopped(self.experiment.system)
        decided = self._decode(state, samples)
        self._certify(now, state, samples)
        self.seconds["decoding"] += time.perf_counter() - started
        return decided

    def _decode(self, state: Any, samples: Tensor) -> dict[str, np.ndarray]:
        system, wiring = self.experiment.system, self.experiment.system.wiring
        if system.code is None:
            return {}
        code = system.observe(state, (system.code,))[system.code]
        truth = self.experiment.dataset.test.labels[samples]
        decided = {}
        if wiring.labels is not None:
            evidence = decoders.evidence(code, wiring.labels, wiring.classes)
            decided["max"] = decoders.by_max(code, wiring.labels, wiring.shard).cpu()
            decided["sum"] = decoders.by_sum(wiring.shard.sum(evidence)).cpu()
        if self.training is not None:
            decided["perceptron"] = self.training.perceptron.decide(code).cpu()
        for name, classes in decided.items():
            counts = decoders.confusion(truth, classes, wiring.classes)
            self.confusion[name] = self.confusion.get(name, 0) + counts
        return {name: classes.numpy() for name, classes in decided.items()}

    def _certify(self, now: Instant, state: Any, samples: Tensor) -> None:
        if now.certificate is not None:  # looked at already
            gap, _, converged = (part[now.stopping] for part in now.certificate)
        elif (lasso := self.experiment.system.lasso(state)) is not None:
            gap, _, converged = optimality.certify(lasso)
        else:
            return
        self.certified = True
        self.gaps += float(gap.sum())
        self.unconverged += samples[~converged.cpu()].tolist()

    def evaluation(self, stage: str = "", stage_part: float = 0.0) -> Evaluation:
        """The means so far; ``stage`` is what is done before the first image."""
        energy: dict[str, np.ndarray] = {}
        firing_counts = None
        for declared in self.series if self.done else ():
            mean = self.sums[declared.name] / self.done
            if declared.kind == "terms":
                energy |= dict(zip(declared.labels, mean.T, strict=True))
            else:
                firing_counts = mean
        wanting, stops = len(self.unconverged), self.tolerance is not None
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
            duality_gap=self.gaps / self.done if self.certified else None,
            converged_fraction=(self.done - wanting) / self.done if self.certified else None,
            unconverged=tuple(self.unconverged) if stops else None,
            steps_taken=np.array(self.steps_taken) if stops else None,
            stage=stage,
            stage_part=stage_part,
            training=self.training,
            accuracy_by_step={name: counts / self.done for name, counts in self.rights.items()},
            decided={name: np.concatenate(parts) for name, parts in self.decided.items()},
            samples=np.array(self.samples, int),
        )
