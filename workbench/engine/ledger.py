"""How far a recorded run is from the optimum, step by step: gap, KKT violation, the optimum itself.

Looking costs about a pass over the dictionary a step, so it is done on the side: the optimum
first, then the newest step, and then the steps between those known, halving what is left between.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from workbench.analysis import optimality
from workbench.analysis.optimum import Optimum, optimum
from workbench.engine.recording import Recording

SHARE = 0.25  # of the time that may be spent on it while the run goes on
MOST_STEPS = 400  # looked at in a run; more would not be told apart on a screen


@dataclass(frozen=True)
class Entry:
    """One step of a run."""

    gap: float  # the energy is at most so much too high
    excess: float  # at most this part of the lowest energy
    violation: float  # of the optimality conditions, the largest; in units of the threshold
    energy: float
    converged: bool


NOTHING = Entry(math.nan, math.nan, math.nan, math.nan, False)  # of a step that solves no Lasso


@dataclass(frozen=True, eq=False)
class Ledger:
    """What is known of one record; a newer one holds more."""

    recording: Recording
    start: int  # the first step whose problem is that of the optimum
    optimum: Optimum | None = None
    entries: dict[int, Entry] = field(default_factory=dict)  # by step, not in order

    @property
    def complete(self) -> bool:
        """Whether all that will be looked at is known."""
        return _next(self.entries, self.recording.head) is None

    def rows(self) -> tuple[np.ndarray, list[Entry]]:
        """Steps, ascending, and their entries."""
        known = dict(self.entries)
        steps = sorted(known)
        return np.array(steps, int), [known[step] for step in steps]


def ledger(
    before: Ledger,
    tolerance: float,
    entries: bool,
    running: Callable[[], bool],
    stop: Callable[[], bool],
) -> Iterator[Ledger]:
    """What more can be known of a record, as it is found; ends when every step is known.

    Args:
        before: what is known already.
        tolerance: of `optimality.certify`.
        entries: whether more than the optimum is asked for.
        running: whether the run goes on, and looking must not take its time.
        stop: whether something else is wanted.
    """
    now, record = before, before.recording
    head = record.head  # the runner's thread may append meanwhile
    system, state = record.departure(head, record.state(head))
    lasso = system.lasso(state)  # the problem of the steps to come
    if lasso is None:
        return
    if now.optimum is None:
        now = Ledger(record, now.start, optimum(lasso, stop), now.entries)
        yield now
    while entries and not stop():
        step = _next(now.entries, record.head)
        if step is None:
            return
        began = time.perf_counter()
        now.entries[step] = _entry(record, step, tolerance)
        yield Ledger(record, now.start, now.optimum, now.entries)
        if running():
            time.sleep(min((time.perf_counter() - began) / SHARE, 0.5))


def _next(known: dict[int, Entry], head: int) -> int | None:
    """The step to look at next: the newest, the first, the middle of the widest stretch unknown."""
    for step in (head, 0):
        if step not in known:
            return step
    steps = sorted(known)
    if not 1 < len(steps) < MOST_STEPS:
        return None
    gaps = np.diff(steps)
    widest = int(gaps.argmax())
    return None if gaps[widest] < 2 else steps[widest] + int(gaps[widest]) // 2


def _entry(record: Recording, step: int, tolerance: float) -> Entry:
    lasso = record.observer(step).lasso(record.state(step))
    if lasso is None:
        return NOTHING
    left = optimality.residual(lasso)
    certificate = optimality.certify(lasso, tolerance, left)
    violation = float(optimality.kkt_violation(lasso, left)) / (lasso.threshold or 1.0)
    return Entry(
        float(certificate.gap),
        float(certificate.excess),
        violation,
        float(certificate.energy),
        bool(certificate.converged),
    )
