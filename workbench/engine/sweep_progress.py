"""How far a sweep is, and how long it may still take."""

from __future__ import annotations

import time


class Pace:
    """Counts points; the clock runs from the first that was run, when processes have started."""

    def __init__(self, total: int) -> None:
        self.total, self.done = total, 0
        self.there = 0  # of those, how many were there already
        self._ran = 0
        self._started = 0.0

    def add(self, now: bool, refused: bool = False) -> None:
        """One more point; not ``now``: it needed no run."""
        self.done += 1
        if now:
            self._started = self._started or time.monotonic()
            self._ran += 1
        elif not refused:
            self.there += 1

    @property
    def seconds_left(self) -> float:
        """An estimate from the points that were run."""
        spent = time.monotonic() - self._started if self._started else 0.0
        return spent / max(self._ran - 1, 1) * (self.total - self.done)

    def words(self) -> str:
        """ "Did 3 of 12 points, 40 s left"."""
        left = self.seconds_left
        return f"Did {self.done} of {self.total} points" + (
            f", {left:.0f} s left" if left >= 1 else ""
        )
