"""The whole test set, coded in batches and classified.

With ``run.tolerance`` set, a sample that has converged leaves its batch (`convergence`): it keeps
its code, and its last energy and firing count in the mean curves up to step K. The fingerprint is
chained, batch after batch and step by step, over what the system puts out for the samples that have
not stopped before that step, numbered in order from 0; steps at which none is left add nothing. So
the fingerprint of one sample is that of its run in the window up to where it stops, and without a
tolerance it covers every sample at every step.

Where the document's decoder is the perceptron, it is trained first, on codes of training images.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workbench.analysis import optimality
from workbench.coding import decoders, perceptron
from workbench.coding.perceptron import Perceptron, Training
from workbench.engine import fingerprint
from workbench.engine.convergence import Instant, instants
from workbench.engine.experiment import Cancelled, Experiment
from workbench.engine.training_codes import code_training_images
from workbench.errors import InputError

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


def evaluate(
    experiment: Experiment,
    samples: int | Sequence[int] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Evaluation]:
    """Code test signals; yields after each batch.

    Args:
        experiment: what is evaluated.
        samples: the first so many, or these; all, if None.
        cancelled: asked before each time step.

    Raises:
        Cancelled: ``cancelled`` said so, within one time step.
        InputError: a signal the system refuses, or a perceptron that cannot be trained.
    """
    there, size = len(experiment.dataset.test), experiment.document.run.batch
    if samples is None or isinstance(samples, int):
        total = there if samples is None else min(samples, there)
        batches = [slice(i, min(i + size, total)) for i in range(0, total, size)]
    else:
        total = len(samples)
        batches = [list(samples[i : i + size]) for i in range(0, total, size)]
    tally = _Tally(experiment, total)
    if experiment.document.decoder.kind == "perceptron" and experiment.system.code is not None:
        yield from _train(experiment, tally, cancelled)
    for batch in batches:
        tally.add(batch, cancelled)
        yield tally.evaluation()


def _train(
    experiment: Experiment, tally: _Tally, cancelled: Callable[[], bool]
) -> Iterator[Evaluation]:
    """Code training images and train the perceptron on them; it is then in the tally."""
    started = time.perf_counter()
    for codes in code_training_images(experiment, cancelled):
        left = (time.perf_counter() - started) / codes.done * (codes.total - codes.done)
        yield tally.evaluation(
            f"Coded {codes.done} of {codes.total} training images, {left:.0f} s left",
            codes.done / codes.total,
        )
    decoder, classes = experiment.document.decoder, len(experiment.dataset.class_names)
    try:
        trainings = perceptron.train(
            codes.codes, codes.labels, classes, decoder.epochs, decoder.seed
        )
        for tally.training in trainings:
            if cancelled():
                raise Cancelled
            last = tally.training.epochs[-1]
            yield tally.evaluation(
                f"Trained {len(tally.training.epochs)} of at most {decoder.epochs} epochs, "
                f"validation loss {last.validation_loss:.3g}",
                len(tally.training.epochs) / decoder.epochs,
            )
    except ValueError as error:
        raise InputError(f"decoder.kind = 'perceptron': {error}") from None
    tally.seconds["training"] = time.perf_counter() - started


class _Tally:
    """Sums over the batches done so far."""

    def __init__(self, experiment: Experiment, total: int) -> None:
        self.experiment, self.total, self.done = experiment, total, 0
        system = experiment.system
        kinds = {"terms", "count"}
        self.series = [o for o in system.observables if o.kind in kinds]
        # Always in this order: processes that share the neurons sum in it.
        self.names = tuple(dict.fromkeys((*(o.name for o in self.series), system.output)))
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

    def add(self, samples: Batch, cancelled: Callable[[], bool]) -> None:
        """Code and decode one batch."""
        system, steps = self.experiment.system, self.experiment.steps
        started, decoding = time.perf_counter(), self.seconds["decoding"]
        index = torch.arange(len(self.experiment.dataset.test))[samples]
        state = self.experiment.initial(samples)
        taken = torch.zeros_like(index)
        rows: dict[str, list[Tensor]] = {o.name: [] for o in self.series}
        held: dict[str, Any] = {o.name: 0.0 for o in self.series}  # sums of those that stopped
        shard = system.wiring.shard
        for now in instants(system, state, len(index), self.tolerance, cancelled):
            seen = system.observe(now.state, self.names)
            self.digest = fingerprint.chain(self.digest, seen[system.output], shard)
            for name, row in rows.items():
                row.append(seen[name].cpu().double().sum(0) + held[name])
            if len(now.stopping):
                for name in rows:
                    held[name] = held[name] + seen[name][now.stopping].cpu().double().sum(0)
                stopping = now.rows[now.stopping]
                taken[stopping] = now.step
                self._stop(now, index[stopping])
        for name, row in rows.items():
            row += [held[name]] * (steps + 1 - len(row))
            self.sums[name] = self.sums[name] + torch.stack(row).numpy()
        self.steps_taken += taken.tolist()
        decoded = self.seconds["decoding"] - decoding
        self.seconds["encoding"] += time.perf_counter() - started - decoded
        self.done += len(index)

    def _stop(self, now: Instant, samples: Tensor) -> None:
        """Decode and certify the samples that stop here."""
        started = time.perf_counter()
        state = now.stopped(self.experiment.system)
        self._decode(state, samples)
        self._certify(now, state, samples)
        self.seconds["decoding"] += time.perf_counter() - started

    def _decode(self, state: Any, samples: Tensor) -> None:
        system, wiring = self.experiment.system, self.experiment.system.wiring
        if system.code is None:
            return
        code = system.observe(state, (system.code,))[system.code]
        truth = self.experiment.dataset.test.labels[samples]
        decided = {}
        if wiring.labels is not None:
            evidence = decoders.evidence(code, wiring.labels, wiring.classes)
            decided["max"] = decoders.by_max(code, wiring.labels, wiring.shard)
            decided["sum"] = decoders.by_sum(wiring.shard.sum(evidence))
        if self.training is not None:
            decided["perceptron"] = self.training.perceptron.decide(code)
        for name, classes in decided.items():
            counts = decoders.confusion(truth, classes.cpu(), wiring.classes)
            self.confusion[name] = self.confusion.get(name, 0) + counts

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
        )
