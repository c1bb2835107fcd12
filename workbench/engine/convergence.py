"""When a sample has converged: where its duality gap is looked at, and who stops.

With ``run.tolerance`` set, a sample stops at the first look at which its duality gap is at most
tolerance · ½‖s‖² (`optimality.certify`); never because u hardly moves, which slow dynamics do far
from the optimum. A look costs about one pass over the dictionary. So one looks at step 8, and from
there on at steps that grow by a quarter, rounded up: a sample takes about a quarter more steps than
it needs at most, and 1000 steps have 22 looks. Whoever has not stopped by the last step,
``system.steps``, has not converged.

An evaluation and a run in the window follow the same rule and so stop at the same step, but for a
gap so close to the tolerance that the last bits decide, which depend on the size of the batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from workbench.analysis import optimality
from workbench.analysis.optimality import Certificate
from workbench.engine.experiment import Cancelled, Experiment
from workbench.systems.protocol import System

FIRST_LOOK = 8  # steps; before, hardly any neuron is active
LOOK_GROWTH = 1.25  # from one look to the next


def look_steps(steps: int) -> tuple[int, ...]:
    """The steps at which the gap is looked at: 8, 10, 13, 17, 22, 28, … and the last."""
    looks, step = [], FIRST_LOOK
    while step < steps:
        looks.append(step)
        step = math.ceil(LOOK_GROWTH * step)
    return (*looks, steps)


class Instant(NamedTuple):
    """A batch at one step, as far as it still runs."""

    step: int
    state: Any  # of the samples that still run
    rows: Tensor  # [R] int64, ascending: which of the batch these are
    stopping: Tensor  # [s] int64, ascending: which of ``rows`` stop here; all at the last step
    certificate: Certificate | None  # of ``rows``; None where nobody looked

    def stopped(self, system: System) -> Any:
        """The state of the samples that stop here."""
        everybody = len(self.stopping) == len(self.rows)
        return self.state if everybody else system.select(self.state, self.stopping)


def instants(
    system: System,
    state: Any,
    samples: int,
    tolerance: float | None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Instant]:
    """Step a batch from step 0 until every sample has stopped; who has leaves the batch.

    Args:
        system: makes the steps, ``system.params.steps`` at most.
        state: at step 0.
        samples: how many the batch holds.
        tolerance: ``run.tolerance``; with None all take all steps.
        cancelled: asked before each step.

    Raises:
        Cancelled: ``cancelled`` said so.
    """
    last = system.params.steps
    looks = frozenset(look_steps(last) if tolerance is not None else ())
    rows, nobody = torch.arange(samples), torch.arange(0)
    for step in range(last + 1):
        if cancelled():
            raise Cancelled
        if step:
            state = system.step(state)
        certificate = optimality.certify(system.lasso(state), tolerance) if step in looks else None
        if step == last:
            yield Instant(step, state, rows, torch.arange(len(rows)), certificate)
            return
        if certificate is None:
            yield Instant(step, state, rows, nobody, None)
            continue
        converged = certificate.converged.cpu()
        yield Instant(step, state, rows, converged.nonzero()[:, 0], certificate)
        if converged.all():
            return
        if converged.any():
            left = (~converged).nonzero()[:, 0]
            state, rows = system.select(state, left), rows[left]


class Convergence:
    """Looks at the growing end of one recording and knows where its sample converged."""

    def __init__(self, experiment: Experiment) -> None:
        self._system = experiment.system
        self.tolerance = experiment.document.run.tolerance
        self._looks = frozenset(look_steps(experiment.steps))
        self.step: int | None = None  # the first look at which the sample had converged

    def look(self, step: int, state: Any) -> None:
        """Look, if it is time; asked after every new step, under the parameters in force."""
        if self.tolerance is None or self.step is not None or step not in self._looks:
            return
        if bool(optimality.certify(self._system.lasso(state), self.tolerance).converged):
            self.step = step

    def verdict(self, step: int, state: Any) -> str:
        """How far the code is from the optimum at a step, in words; empty without a tolerance."""
        if self.tolerance is None:
            return ""
        certificate = optimality.certify(self._system.lasso(state), self.tolerance)
        excess = 100 * float(certificate.excess)
        if not bool(certificate.converged):
            far = f"up to {excess:.2g} %" if math.isfinite(excess) else "any amount"
            return f"Stopped but not converged: the energy may be {far} too high"
        where = f"at step {step}" if self.step in (None, step) else f"since step {self.step}"
        return f"Converged {where}: the energy is at most {excess:.2g} % too high"
