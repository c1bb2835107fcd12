"""What a run would become under other parameters: recorded on the side, while somebody tries them.

The record is the one that the run itself would get if the parameters were taken: the steps before
stay, and those to come are taken from the cursor, or from the first step where none is to come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from workbench.document import Document
from workbench.engine import forking
from workbench.engine.alarm import has_diverged
from workbench.engine.branches import Branch, acting_step, owner_of
from workbench.engine.changes import Effect, effect
from workbench.engine.experiment import with_live_params
from workbench.engine.recording import Recording

MOST_STEPS = 500
BUDGET = 64 * 2**20  # bytes


@dataclass(frozen=True, eq=False)
class Trial:
    """A document that is tried, where a run stands."""

    branch: Branch
    branches: tuple[Branch, ...]
    step: int
    document: Document


def rollout(trial: Trial, stop: Callable[[], bool]) -> Iterator[Recording]:
    """The record, each time that it has become longer.

    Raises:
        InputError: the parameters are refused.
    """
    recording, step = _begun(trial)
    steps = recording.system.params.steps
    state = recording.state(step)
    yield recording
    for _ in range(min(steps - step, MOST_STEPS)):
        if stop() or has_diverged(recording, recording.head):
            return
        state = recording.advance(state)
        yield recording


def _begun(trial: Trial) -> tuple[Recording, int]:
    """The record as far as it is that of the run, and the step at which that is."""
    branch = trial.branch
    plain = with_live_params(branch.plain, trial.document)
    if effect(branch.plain.asked, trial.document) is Effect.RESTART:
        return forking.root(plain, branch.source, BUDGET).recording, 0
    step = acting_step(branch, trial.step, plain.steps)
    owner = owner_of(branch, trial.branches, step)
    return forking.turned(owner, plain, step, BUDGET).recording, step
