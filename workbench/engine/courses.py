"""What a batch of runs goes through from silence to the last step, as regimes are judged by."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from workbench.analysis import regimes
from workbench.analysis.regimes import Course
from workbench.engine.convergence import Instant, instants
from workbench.engine.experiment import Experiment
from workbench.systems.protocol import System


def course(
    experiment: Experiment, vectors: Tensor, cancelled: Callable[[], bool] = lambda: False
) -> Course:
    """Run a batch of vectors [B, N] from silence over all steps, and record what regimes show.

    Where the energy of all has stopped being finite the run ends; the rest is as the last step.

    Raises:
        Cancelled: ``cancelled`` said so.
        InputError: the system refuses one of the images.
    """
    system, samples = experiment.system, len(vectors)
    state = experiment.initial_of(vectors, "an image of the map of regimes")
    record = _Record(system, samples)
    for now in instants(system, state, samples, None, cancelled):
        record.add(now)
        if record.energy and not np.isfinite(record.energy[-1]).any():
            break
    return record.course()


class _Record:
    """What is kept of a run."""

    def __init__(self, system: System, samples: int) -> None:
        self.system, self.samples = system, samples
        self.spikes = next(o for o in system.observables if o.kind == "spikes")
        terms = (o for o in system.observables if o.kind == "terms" and "total" in o.labels)
        self.terms = next(terms, None)
        self.names = [o.name for o in (self.spikes, self.terms) if o is not None]
        self.counts: list[np.ndarray] = []  # [B] a step, as those below
        self.switches: list[np.ndarray] = []
        self.energy: list[np.ndarray] = []
        self.before: Tensor | None = None  # [B, M] bool, who fired at the last step
        self.at_the_end: Tensor | None = None  # [B, M] bool, who fired at one step of the end

    def add(self, now: Instant) -> None:
        """One more step."""
        seen = self.system.observe(now.state, self.names)
        fires, before = seen[self.spikes.name], self.before
        self.counts.append(_numbers(fires.sum(1)))
        changed = torch.zeros_like(fires) if before is None else fires ^ before
        self.switches.append(_numbers(changed.sum(1)))
        first = now.step <= regimes.first_of_end(self.system.params.steps)
        self.at_the_end = fires if first else self.at_the_end | fires
        self.before = fires
        if self.terms is not None:
            total = seen[self.terms.name][:, self.terms.labels.index("total")]
            self.energy.append(_numbers(total))

    def course(self) -> Course:
        """All of it."""
        return Course(
            self._filled(self.counts),
            self._filled(self.switches),
            _numbers(self.at_the_end.sum(1)),
            self._filled(self.energy) if self.terms is not None else None,
            self.system.neurons,
            self.system.wiring.features,
        )

    def _filled(self, rows: list[np.ndarray]) -> np.ndarray:
        """[K + 1, B], the last row repeated where the run ended before."""
        missing = self.system.params.steps + 1 - len(rows)
        return np.stack([*rows, *[rows[-1]] * missing])


def _numbers(values: Tensor) -> np.ndarray:
    return values.cpu().double().numpy()
