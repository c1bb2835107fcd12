"""Notices when a run misbehaves: its total energy rises, or is no longer a number."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from workbench.analysis import stability
from workbench.engine.recording import Recording

RISE = 1e-3  # of the first energy, above the lowest so far; less is rounding


def total_energy(recording: Recording) -> np.ndarray | None:
    """The total energy at every recorded step, or None where the system declares none."""
    for declared in recording.system.observables:
        if declared.kind == "terms" and "total" in declared.labels:
            return recording.summary(declared.name)[:, declared.labels.index("total")]
    return None


def has_diverged(recording: Recording, step: int) -> bool:
    """Whether the total energy at a step is no longer a finite number."""
    total = total_energy(recording)
    return total is not None and not math.isfinite(total[step])


class Remedy(NamedTuple):
    """A Δt within the bound of the neurons active at the first rise, and a step before it."""

    time_step: float  # short enough for the neurons active at the first rise
    step: int  # the last before it


class Alarm:
    """Watches the growing end of one recording; asked after every step."""

    def __init__(self, recording: Recording) -> None:
        self.remedy: Remedy | None = None  # known from the first rise on
        self._recording = recording
        # Energies from before a change of parameters are those of another problem.
        self._start = recording.course_start
        self._first = self._lowest = math.nan
        self._explained = 0.0  # the energy at the last explanation

    def look(self, state: Any) -> str | None:
        """One sentence on why the energy rose: at the first rise and at each doubling since.

        Args:
            state: the state at the recording's head.

        Returns:
            None where there is nothing new to say.
        """
        total = total_energy(self._recording)
        if total is None or len(total) <= self._start:
            return None
        now = float(total[-1])
        if math.isnan(self._first):
            self._first = self._lowest = float(total[self._start])
        if not self._is_news(now):
            self._lowest = min(self._lowest, now)
            return None
        lasso = self._recording.system.lasso(state)
        if lasso is None:
            return None
        self._explained = now
        same_problem = np.array(total)
        same_problem[: self._start] = self._first
        if self.remedy is None:
            # Later, when nearly all neurons swing, a step for all of them would be far too short.
            time_step, first = (
                stability.advised_time_step(lasso),
                stability.first_rise(same_problem),
            )
            if time_step is not None and first is not None:
                # Where the very first step under these parameters blew up, before that one.
                self.remedy = Remedy(time_step, max(first, self._start, 1) - 1)
        return stability.explain(lasso, same_problem, self.remedy)

    def _is_news(self, now: float) -> bool:
        if not math.isfinite(now):
            return self._explained == 0.0
        return now > max(self._lowest + RISE * abs(self._first), 2 * self._explained)
