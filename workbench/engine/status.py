"""What the runner shows of itself: immutable pictures that any thread may read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np

from workbench.analysis.stability import Bound
from workbench.engine.alarm import Remedy
from workbench.engine.branches import Branch
from workbench.engine.experiment import Experiment
from workbench.engine.inputs import Input
from workbench.engine.recording import Recording


class RunState(Enum):
    """What the runner is doing."""

    IDLE = "idle"  # nothing loaded
    PREPARING = "preparing"
    PAUSED = "paused"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True)
class Status:
    """An immutable picture of the runner."""

    state: RunState = RunState.IDLE
    # why finished: "all steps done", "converged", "cancelled", "diverged"; else what is done
    reason: str = ""
    error: str = ""  # why failed, one line
    step: int = 0  # the time cursor
    head: int = 0  # the last recorded step
    steps: int = 0  # K
    rate: float = 0.0  # steps per second, measured while running
    fingerprint: str = ""  # of the run up to the cursor
    bytes_used: int = 0
    budget: int = 0
    expected_bytes: int = 0  # of the whole run, known before it starts
    alarm: str = ""  # the network misbehaves: what, why, what to do
    remedy: Remedy | None = None  # the same to be done at once, if a shorter step is all it takes
    bound: Bound | None = None  # the step against what the active neurons allow; for show
    notice: str = ""  # what the last change of the document did, or how the run ended
    refused: str = ""  # the last change could not be followed, one line; the run before goes on
    serial: int = 0  # counts changes of refused and notice, so that each is shown once
    branches: tuple[Branch, ...] = ()  # of the run; the cursor is on one of them
    branch: int = -1  # its number
    reference: int | None = None  # the number of the one that it is drawn over


@dataclass(frozen=True, eq=False)
class Reference:
    """Where the branch that the run is drawn over stands, at the cursor or as far as it goes."""

    branch: Branch
    step: int
    state: Any
    observed: Mapping[str, np.ndarray] = field(default_factory=dict)  # batch axis removed

    @property
    def recording(self) -> Recording:
        """Its record."""
        return self.branch.recording


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One instant of a run; all arrays belong to ``step`` and are read-only."""

    step: int
    branch: Branch
    state: Any
    observed: Mapping[str, np.ndarray] = field(default_factory=dict)  # batch axis removed
    reference: Reference | None = None

    @property
    def input(self) -> Input:
        """What is coded."""
        return self.branch.given

    @property
    def experiment(self) -> Experiment:
        """Under the parameters that make the branch's next step, atoms as they were edited."""
        return self.branch.experiment

    @property
    def recording(self) -> Recording:
        """The branch's record."""
        return self.branch.recording

    @property
    def system(self) -> Any:
        """Who takes the next step from ``state`` as it is.

        Where an edited system takes over just here, it is the one before: the state is its own.
        """
        taken_over = self.recording.handover(self.step) is not None
        return (self.recording.observer if taken_over else self.recording.system_at)(self.step)

    @property
    def sample(self) -> int | None:
        """Index of the test image; None: a picture is coded."""
        return self.input.sample
