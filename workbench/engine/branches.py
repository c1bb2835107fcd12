"""The branches of a run: courses side by side that share their first steps.

The first one is the trunk. Another begins where the past was changed, or is a run that was kept,
or that of another session, and shares nothing. A branch is never written into by another one: its
record holds all of its steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from workbench.engine.alarm import Alarm, Remedy, has_diverged
from workbench.engine.changes import changed_parameters, differences
from workbench.engine.convergence import Convergence
from workbench.engine.edits import Edit
from workbench.engine.experiment import Experiment
from workbench.engine.inputs import Input
from workbench.engine.recording import Recording

MOST = 12  # branches; beyond, the oldest fork that nobody holds on to goes


class Watch:
    """What is noticed along the growing end of one branch; the runner's thread alone looks."""

    def __init__(self, recording: Recording, experiment: Experiment) -> None:
        self.alarm = ""  # the network misbehaves: what, why, what to do
        self.convergence = Convergence(experiment)
        self._alarm = Alarm(recording)

    @property
    def remedy(self) -> Remedy | None:
        """What would mend it, if a shorter step is all it takes."""
        return self._alarm.remedy

    def look(self, step: int, state: Any) -> None:
        """Look at a new step."""
        self.convergence.look(step, state)
        self.alarm = self._alarm.look(state) or self.alarm


@dataclass(frozen=True, eq=False)
class Branch:
    """One course of the run."""

    number: int  # never used again
    plain: Experiment  # what its document asks for
    experiment: Experiment  # the same with atoms as they were edited
    source: Input  # as it was chosen
    given: Input  # as it was edited
    recording: Recording
    watch: Watch
    parent: int | None = None  # None: it shares no step with another
    step: int = 0  # the last one that it shares with its parent
    edits: tuple[Edit, ...] = ()  # all that its record holds, in order
    title: str = ""  # given by the user; empty: named after what differs
    kept: bool = False  # it stays when another run begins
    guest: bool = False  # its session is another one than that which is open

    def forward(self, step: int, state: Any) -> Any:
        """The state after ``state``, which is that at ``step``; recorded, if it is new."""
        record = self.recording
        if step < record.head:
            return record.following(step, state)
        state = record.advance(state)
        self.watch.look(record.head, state)
        return state

    @property
    def steps(self) -> int:
        """K, how many steps it can have."""
        return self.experiment.steps

    @property
    def atom_edits(self) -> tuple[Edit, ...]:
        """Those of the edits that made its network another one."""
        return tuple(edit for edit in self.edits if edit.of_atom)

    @property
    def is_empty(self) -> bool:
        """A fork that has no step of its own yet."""
        return self.parent is not None and self.recording.head == self.step


@dataclass
class Tree:
    """All branches of a run; the runner's thread changes it, others read `shown`."""

    current: int = -1
    reference: int | None = None  # the branch that the current one is drawn over
    shown: tuple[Branch, ...] = ()  # all, oldest first, but for a trunk made one later
    _branches: dict[int, Branch] = field(default_factory=dict)
    _next: int = 0

    def __contains__(self, number: int) -> bool:
        return number in self._branches

    def __getitem__(self, number: int) -> Branch:
        return self._branches[number]

    def __iter__(self) -> Iterator[Branch]:
        return iter(self._branches.values())

    def __len__(self) -> int:
        return len(self._branches)

    @property
    def bytes_used(self) -> int:
        """Memory of all records; what branches share counts once."""
        if len(self) == 1:  # asked for at every frame
            return self[self.current].recording.bytes_used
        held: dict[int, int] = {}
        for branch in self:
            held |= branch.recording.held
        return sum(held.values()) + sum(branch.recording.spike_bytes for branch in self)

    def owner(self, step: int) -> Branch:
        """The branch, current or one that it grew from, on which a step was first taken."""
        return owner_of(self[self.current], self.shown, step)

    def put(self, branch: Branch) -> Branch:
        """Put a branch in the place of the one with its number."""
        self._branches[branch.number] = branch
        self._show()
        return branch

    def _show(self) -> None:
        self.shown = tuple(self._branches.values())

    def plant(self, branch: Branch, anew: bool = False) -> Branch:
        """Begin another run; only what was kept stays beside it, of another session if ``anew``."""
        self._branches = {
            b.number: replace(b, parent=None, step=0, guest=b.guest or anew) for b in self if b.kept
        }
        if self.reference not in self._branches:
            self.reference = None
        self.current = self._add(branch).number
        return self[self.current]

    def graft(self, branch: Branch) -> Branch:
        """Add a branch beside the others and make it the current one, over its parent."""
        self.reference = branch.parent
        self.current = self._add(branch).number
        return self[self.current]

    def _add(self, branch: Branch) -> Branch:
        branch = self.put(replace(branch, number=self._next))
        self._next += 1
        return branch

    def switch(self, number: int) -> Branch:
        """Make a branch the current one; the one before is what it is drawn over, if it was not."""
        if self.reference == number:
            self.reference = self.current
        elif self.reference is None:
            self.reference = self[number].parent
        self.current = number
        return self[number]

    def delete(self, number: int) -> None:
        """Take a branch away; its forks are then forks of its parent."""
        gone = self._branches.pop(number)
        self._show()
        for branch in list(self):
            if branch.parent == number:
                self.put(replace(branch, parent=gone.parent, step=min(branch.step, gone.step)))
        if self.reference == number:
            self.reference = None

    def promote(self, number: int) -> None:
        """Make a branch the trunk: what it grew from becomes a fork of it."""
        path = [self[number]]
        while path[-1].parent is not None:
            path.append(self[path[-1].parent])
        for child, parent in zip(path, path[1:], strict=False):
            self.put(replace(parent, parent=child.number, step=child.step))
        self.put(replace(self[number], parent=None, step=0))
        trunk = self._branches.pop(number)
        self._branches = {number: trunk, **self._branches}
        self._show()

    def spare(self) -> Branch | None:
        """The oldest fork that can go because there are too many, or None.

        One from which no other grew goes first; where each grew from the one before, the oldest.
        """
        if len(self) <= MOST:
            return None
        parents, held = {branch.parent for branch in self}, {self.current, self.reference}
        loose = [
            b
            for b in self
            if b.number not in held and b.parent is not None and not (b.kept or b.title)
        ]
        return min(loose, key=lambda b: b.number in parents, default=None)


def acting_step(branch: Branch, step: int, steps: int) -> int:
    """The step from which on a change acts: this one, or the first if none is to come.

    Args:
        branch: that is changed.
        step: where the cursor is.
        steps: K, as it will be.
    """
    within = 0 < step < steps and not has_diverged(branch.recording, step)
    return step if within else 0


def owner_of(branch: Branch, branches: tuple[Branch, ...], step: int) -> Branch:
    """The branch, this or one that it grew from, on which a step was first taken."""
    by_number = {other.number: other for other in branches}
    while branch.parent is not None and step < branch.step:
        branch = by_number[branch.parent]
    return branch


def name_of(branch: Branch, branches: tuple[Branch, ...]) -> str:
    """What a branch is called: as the user says, or by what sets it off from its parent."""
    if branch.title:
        return branch.title
    parent = next((b for b in branches if b.number == branch.parent), None)
    if parent is None:
        return "trunk"
    new = branch.edits[len(parent.edits) :] if _goes_on(parent, branch) else branch.edits
    words = [edit.words() for edit in new]
    if changed_parameters(parent.plain.asked, branch.plain.asked):
        words.insert(0, differences(parent.plain.asked, branch.plain.asked))
    return ", ".join(words) or f"fork at step {branch.step}"


def _goes_on(parent: Branch, branch: Branch) -> bool:
    return branch.edits[: len(parent.edits)] == parent.edits
