"""What a run shows of its pace and of its step against the bound; neither changes a step."""

from __future__ import annotations

import time
from typing import Any

from workbench.analysis import stability
from workbench.analysis.stability import Bound
from workbench.engine.cursor import Cursor

BOUND_PACE = 0.25  # seconds at least between two looks at the stability bound while running
BOUND_SHARE = 1 / 20  # of the time at most is spent on them
RATE_OVER = 0.25  # seconds


class BoundMeter:
    """Looks at the stability bound at the cursor: at every rest, and now and then on the way."""

    def __init__(self) -> None:
        self._of: tuple[Any, Any] = (None, None)  # state and system that were looked at
        self._due = 0.0

    @property
    def is_due(self) -> bool:
        """Whether a run that goes on can be looked at again."""
        return time.perf_counter() >= self._due

    def restart(self) -> None:
        """Another run: look soon."""
        self._due = 0.0

    def is_old(self, cursor: Cursor) -> bool:
        """Whether the last look was at another instant, or at other parameters."""
        state, system = self._of
        return state is not cursor.state or system is not cursor.branch.experiment.system

    def look(self, cursor: Cursor) -> Bound | None:
        """The bound at the cursor; None where the system solves no Lasso."""
        started, branch = time.perf_counter(), cursor.branch
        system, state = branch.experiment.system, cursor.state
        self._of = (state, system)
        if branch.edits:  # where they take over, the state is not yet that of the edited system
            maker, state = branch.recording.departure(cursor.step, state)
            system = system if system.wiring is maker.wiring else maker
        lasso = system.lasso(state)
        bound = None if lasso is None else stability.bound(lasso)
        now = time.perf_counter()
        self._due = now + max(BOUND_PACE, (now - started) / BOUND_SHARE)
        return bound


class Rate:
    """Steps per second over the last quarter of a second or so."""

    def __init__(self) -> None:
        self.value = 0.0
        self.restart()

    def restart(self) -> None:
        """Count from now on."""
        self._since = time.perf_counter()
        self._count = 0

    def tick(self) -> None:
        """One more step."""
        self._count += 1
        elapsed = time.perf_counter() - self._since
        if elapsed >= RATE_OVER:
            self.value = self._count / elapsed
            self._since += elapsed
            self._count = 0
