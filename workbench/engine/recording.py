"""What happened in one run of one signal, kept so that any step can be had again exactly.

Four things are kept, of every step unless said otherwise:

- *summaries*: the small observables (energy terms, firing counts, class evidence);
- *spikes*: the indices of the neurons that fired;
- *digests*: the fingerprint, chained step by step;
- *checkpoints*: whole states, of every ``spacing``-th step. States between them are computed
  again from the checkpoint before, with the parameters that were in force. When the checkpoints
  outgrow the memory budget every second one is dropped and the spacing doubles.

The runner's thread appends; any thread may read what lies at or before ``head``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from workbench.engine import fingerprint
from workbench.systems.protocol import System, tensors

DEFAULT_BUDGET = 512 * 2**20  # bytes
SUMMARY_KINDS = ("terms", "count", "evidence")


class Handover(NamedTuple):
    """A system takes over in mid-run from another one, of other atoms or under another signal."""

    signal: Tensor | None  # [1, N], the signal from now on; None: the one before
    edits: tuple[Any, ...] = ()  # what was edited, for whoever writes it down


class Course(NamedTuple):
    """Who makes the steps from one step on."""

    start: int
    system: System
    handover: Handover | None = None  # None: the states of the system before are its own, too


class Recording:
    """The record of a run from step 0 to ``head``."""

    def __init__(self, system: System, initial: Any, budget: int = DEFAULT_BUDGET) -> None:
        self.budget = budget
        self.spacing = 1
        self.head = -1
        self._schedule = [Course(0, system)]  # who made which steps
        self._constant = {t.data_ptr() for t in tensors(initial)}  # tensors that all states share
        self._checkpoints: dict[int, Any] = {}
        self._digests: list[bytes] = []
        self._summaries: dict[str, _Rows] = {}
        self._spikes: list[np.ndarray] = []
        self.held: dict[int, int] = {}  # bytes of the tensors that checkpoints hold, by address
        self._checkpoint_bytes = 0
        self.spike_bytes = 0
        self._append(system, initial)

    # -- writing, in the runner's thread ------------------------------------------------------

    def advance(self, state: Any) -> Any:
        """Step from ``state``, which must be the state at ``head``; record and return the next."""
        system, state = self.departure(self.head, state)
        state = system.step(state)
        self._append(system, state)
        return state

    def fork(
        self,
        step: int,
        system: System,
        handover: Handover | None = None,
        room: int | None = None,
    ) -> Recording:
        """A new record that shares everything up to ``step`` and goes on under ``system``.

        This record stays as it is.

        Args:
            step: the last one that is shared.
            system: with the same number of neurons.
            handover: how it takes over, where its states are not those of the system before.
            room: bytes that it may take beyond what it shares; None: the budget of this one.
        """
        branch = object.__new__(Recording)
        branch.budget = self.budget
        branch.spacing, branch.head = self.spacing, step
        before = [course for course in self._schedule if course.start < step]
        branch._schedule = [*(before or self._schedule[:1]), Course(step, system, handover)]
        branch._constant = self._constant
        checkpoints = self._checkpoints
        branch._checkpoints = {k: checkpoints[k] for k in list(checkpoints) if k <= step}
        branch._digests = self._digests[: step + 1]
        branch._summaries = {name: rows.copy(step + 1) for name, rows in self._summaries.items()}
        branch._spikes = self._spikes[: step + 1]
        branch._weigh()
        branch.spike_bytes = sum(index.nbytes for index in branch._spikes)
        if room is not None:
            branch.budget = branch.bytes_used + room
        return branch

    def _append(self, system: System, state: Any) -> None:
        declared = [o for o in system.observables if o.kind in (*SUMMARY_KINDS, "spikes")]
        seen = system.observe(state, {o.name for o in declared} | {system.output})
        rows = {
            o.name: seen[o.name][0].cpu().numpy()
            for o in declared
            if o.kind in SUMMARY_KINDS and o.name in seen
        }
        spikes = [seen[o.name][0] for o in declared if o.kind == "spikes"]
        spikes = [fired.nonzero()[:, 0].to(torch.int32).cpu().numpy() for fired in spikes]
        digest = self._digest_of(self.head + 1, seen[system.output])
        # Nothing below fails, so that a step is recorded whole or not at all.
        self._digests.append(digest)
        for name, row in rows.items():
            self._summaries.setdefault(name, _Rows(row)).append(row)
        for index in spikes:
            self._spikes.append(index)
            self.spike_bytes += index.nbytes
        if (self.head + 1) % self.spacing == 0:
            self._checkpoints[self.head + 1] = state
            self._hold(state)
        self.head += 1  # last: from now on readers may look
        while self.bytes_used > self.budget and len(self._checkpoints) > 1:
            self._thin()

    def _digest_of(self, step: int, output: Tensor) -> bytes:
        """The digest at ``step``, if the system puts out ``output`` there."""
        previous = self._digests[step - 1] if step else fingerprint.START
        return fingerprint.chain(previous, output)

    def _thin(self) -> None:
        """Drop every second checkpoint. A new dict is put in place, so readers never see half."""
        self.spacing *= 2
        self._checkpoints = {k: s for k, s in self._checkpoints.items() if k % self.spacing == 0}
        self._weigh()

    def _weigh(self) -> None:
        """Count the memory of all checkpoints anew."""
        self.held, self._checkpoint_bytes = {}, 0
        for state in self._checkpoints.values():
            self._hold(state)

    def _hold(self, state: Any) -> None:
        """Count the memory of one more checkpoint; states may share what did not change."""
        for tensor in tensors(state):
            place = tensor.data_ptr()
            if place not in self._constant and place not in self.held:
                self.held[place] = tensor.numel() * tensor.element_size()
                self._checkpoint_bytes += self.held[place]

    # -- reading, from any thread -------------------------------------------------------------

    @property
    def system(self) -> System:
        """The system that makes the next step."""
        return self._schedule[-1].system

    @property
    def bytes_used(self) -> int:
        """Memory held by checkpoints and spikes."""
        return self._checkpoint_bytes + self.spike_bytes

    @property
    def courses(self) -> tuple[Course, ...]:
        """Who made which steps, from step 0 on; one that made none is left out."""
        schedule = self._schedule
        ends = [course.start for course in schedule[1:]] + [None]
        return tuple(
            course for course, end in zip(schedule, ends, strict=True) if course.start != end
        )

    def handover(self, step: int) -> Handover | None:
        """How the system that makes the step from ``step`` took over there; None: it did not."""
        course = self._course_at(step)
        return course.handover if course.start == step else None

    def edits(self, step: int) -> tuple[Any, ...]:
        """All that was edited up to a step, and there, in order."""
        done = [c for c in self.courses if c.handover is not None and c.start <= step]
        return tuple(edit for course in done for edit in course.handover.edits)

    @property
    def course_start(self) -> int:
        """The first step observed under the parameters that make the next one."""
        return self._schedule[-1].start + (len(self._schedule) > 1)

    def system_at(self, step: int) -> System:
        """The system, and so the parameters, that made the step *from* ``step`` to the next."""
        return self._course_at(step).system

    def _course_at(self, step: int) -> Course:
        return next(course for course in reversed(self._schedule) if course.start <= step)

    def observer(self, step: int) -> System:
        """The system that the state at ``step`` came from, and under which it is observed."""
        made = (course.system for course in reversed(self._schedule) if course.start < step)
        return next(made, self._schedule[0].system)

    def departure(self, step: int, state: Any) -> tuple[System, Any]:
        """Who makes the step from ``step``, and the state that it makes it from.

        Args:
            step: recorded.
            state: the state at ``step``.
        """
        course = self._course_at(step)
        if course.handover is None or course.start != step:
            return course.system, state
        before = self.observer(step)
        return course.system, course.system.take_over(before, state, course.handover.signal)

    def state(self, step: int) -> Any:
        """The exact state at a recorded step; may compute up to ``spacing`` steps again.

        Raises:
            IndexError: the step is not recorded.
            RuntimeError: this is not what the run put out at that step; the system is not pure.
        """
        if not 0 <= step <= self.head:
            raise IndexError(f"step {step} is not recorded; steps 0 to {self.head} are")
        checkpoints = self._checkpoints  # the thread that appends may put another in its place
        start = max(k for k in list(checkpoints) if k <= step)
        state = checkpoints[start]
        self._check(start, state)
        for k in range(start, step):
            state = self.following(k, state)
        return state

    def following(self, step: int, state: Any) -> Any:
        """The exact state after ``state``, which is that at ``step``, before the head.

        Raises:
            RuntimeError: as `state`.
        """
        after = self.stored(step + 1)
        if after is None:
            system, state = self.departure(step, state)
            after = system.step(state)
        self._check(step + 1, after)
        return after

    def _check(self, step: int, state: Any) -> None:
        system = self.observer(step)
        output = system.observe(state, (system.output,))[system.output]
        if self._digest_of(step, output) != self._digests[step]:
            raise RuntimeError(
                f"step {step} came out otherwise than in the run: the system {system.kind!r} "
                "changes its states or draws on something that is not in them"
            )

    def stored_steps(self) -> list[int]:
        """Steps whose states are kept whole, ascending; the others are recomputed on demand."""
        return list(self._checkpoints)

    def stored(self, step: int) -> Any | None:
        """The state at a step if it is kept whole; never computes."""
        return self._checkpoints.get(step)

    def digest(self, step: int) -> str:
        """The fingerprint of the run up to and including ``step``, as hexadecimal text."""
        return self._digests[step].hex()

    def summary(self, name: str) -> np.ndarray | None:
        """A small observable at every recorded step, [head + 1, ...], or None if not observed.

        The array is a read-only view of memory that later steps do not touch.
        """
        rows = self._summaries.get(name)
        return None if rows is None else rows.view(self.head + 1)

    def spikes(self) -> list[np.ndarray]:
        """The indices of the neurons that fired, for every recorded step."""
        return self._spikes[: self.head + 1]

    def fired(self, step: int) -> np.ndarray:
        """The indices of the neurons that fired at one recorded step."""
        return self._spikes[step]

    def spike_pairs(self, start: int = 0) -> tuple[np.ndarray, np.ndarray, int]:
        """The spikes of the steps recorded from ``start`` on, all at once.

        Returns:
            The step of each and its neuron, [n], step after step; the step after the last one.
        """
        fired = self._spikes[start : self.head + 1]
        end = start + len(fired)
        steps = np.repeat(np.arange(start, end), [len(neurons) for neurons in fired])
        return steps, np.concatenate(fired) if fired else steps, end


class _Rows:
    """An array that grows by rows; what was handed out stays as it was."""

    def __init__(self, row: np.ndarray, capacity: int = 128) -> None:
        self._array = np.empty((capacity, *row.shape), row.dtype)
        self._length = 0

    def append(self, row: np.ndarray) -> None:
        if self._length == len(self._array):
            self._array = np.concatenate([self._array, np.empty_like(self._array)])
        self._array[self._length] = row
        self._length += 1

    def view(self, length: int) -> np.ndarray:
        view = self._array[:length]
        view.flags.writeable = False
        return view

    def copy(self, length: int) -> _Rows:
        twin = object.__new__(_Rows)
        twin._array, twin._length = self._array.copy(), length
        return twin


def expected_bytes(system: System, initial: Any, steps: int) -> int:
    """Memory that the checkpoints of a whole run would take, before any thinning.

    As far as the first step shows: states of the lazy engine grow with the neurons that wake.
    """
    after = system.step(initial)
    shared = {t.data_ptr() for t in tensors(initial)}
    size = sum(t.numel() * t.element_size() for t in tensors(after) if t.data_ptr() not in shared)
    return size * (steps + 1)
