"""A place in time on the branches of a run; all that moves it and makes branches grow.

The cursor stands at one step of one branch. The reference, another branch that the run is drawn
over, goes along with it, so that the two can be compared at one instant. One thread alone uses a
cursor; it hands out immutable pictures for the others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
from torch import Tensor

from workbench.document.kept_branches import KeptBranch
from workbench.document.schema import View
from workbench.engine import forking, score
from workbench.engine.alarm import has_diverged
from workbench.engine.branches import Branch, Tree, acting_step, name_of
from workbench.engine.changes import changed_parameters, differences
from workbench.engine.edits import Edit
from workbench.engine.experiment import Experiment
from workbench.engine.forking import as_edited
from workbench.engine.recording import Recording
from workbench.engine.status import Reference, Snapshot

LEAST_SHARE = 8  # a new branch may take at least this part of the memory for recordings


class Cursor:
    """Where the run is."""

    def __init__(self, budget: int) -> None:
        """``budget`` is the memory for all recordings, in bytes."""
        self.tree = Tree()
        self.step = 0
        self.state: Any = None  # of the branch at ``step``
        self._budget = budget
        self._beside: tuple[int, Any] | None = None  # the reference's step and state

    # -- where it is ----------------------------------------------------------------------------

    @property
    def branch(self) -> Branch | None:
        """The branch that it is on; None before the first run."""
        return self.tree[self.tree.current] if len(self.tree) else None

    @property
    def recording(self) -> Recording:
        """The record of the branch."""
        return self.branch.recording

    @property
    def plain(self) -> Experiment | None:
        """What the document asked for, without edits; None before the first run."""
        return self.branch.plain if len(self.tree) else None

    @property
    def diverged(self) -> bool:
        """Whether the network is no longer finite here."""
        return has_diverged(self.recording, self.step)

    @property
    def at_convergence(self) -> bool:
        """Whether this is the step at which the sample was seen to have converged."""
        return self.step == self.branch.watch.convergence.step

    def name(self, number: int | None = None) -> str:
        """What a branch is called; None: the one that the cursor is on."""
        number = self.tree.current if number is None else number
        return name_of(self.tree[number], self.tree.shown)

    def facts(self) -> dict[str, Any]:
        """What a `Status` says of it."""
        branch, tree = self.branch, self.tree
        return {
            "step": self.step,
            "steps": branch.steps,
            "head": branch.recording.head,
            "fingerprint": branch.recording.digest(self.step),
            "bytes_used": tree.bytes_used,
            "alarm": branch.watch.alarm,
            "remedy": branch.watch.remedy,
            "branch": branch.number,
            "reference": tree.reference,
            "branches": tree.shown,
        }

    def snapshot(self, watched: Collection[str], compared: Collection[str]) -> Snapshot:
        """This instant, with the observables asked for of the branch and of the reference."""
        branch, step, state = self.branch, self.step, self.state
        reference, seen = None, _observed(branch, step, state, watched)
        if self._beside is not None:
            other, there = self.tree[self.tree.reference], self._beside
            reference = Reference(other, *there, _observed(other, *there, compared))
        return Snapshot(step, branch, state, seen, reference)

    # -- moving ---------------------------------------------------------------------------------

    def go_to(self, step: int) -> None:
        """To a recorded step, or the last one before it."""
        self.step = min(step, self.recording.head)
        self.state = self.recording.state(self.step)
        self._place_beside()

    def forward(self) -> None:
        """One step on: along the record, or making it longer; the reference likewise."""
        self.state = self.branch.forward(self.step, self.state)
        self.step += 1
        for _ in range(2):  # so it comes closer where it was left behind
            if self.lags:
                self.forward_beside()

    @property
    def lags(self) -> bool:
        """Whether the reference has steps to take to be where the cursor is."""
        if self._beside is None:
            return False
        branch, step = self.tree[self.tree.reference], self._beside[0]
        return step < min(self.step, branch.steps) and not has_diverged(branch.recording, step)

    def forward_beside(self) -> None:
        """The reference alone one step on."""
        step, state = self._beside
        self._beside = (step + 1, self.tree[self.tree.reference].forward(step, state))

    def _place_beside(self) -> None:
        """Put the reference where the cursor is, or as far as it is recorded."""
        number = self.tree.reference
        if number is None:
            self._beside = None
            return
        record = self.tree[number].recording
        step = min(self.step, record.head)
        self._beside = (step, record.state(step))

    # -- branches -------------------------------------------------------------------------------

    @property
    def room(self) -> int:
        """Memory for the steps of another branch."""
        return max(self._budget - self.tree.bytes_used, self._budget // LEAST_SHARE)

    @property
    def room_of_run(self) -> int:
        """Memory for another run, beside which only what is kept stays."""
        kept = sum(branch.recording.bytes_used for branch in self.tree if branch.kept)
        return max(self._budget - kept, self._budget // LEAST_SHARE)

    def begin(self, begun: Branch, anew: bool = False) -> None:
        """Stand at step 0 of another run; with ``anew``, of another session."""
        self.tree.plant(begun, anew)
        self.go_to(0)

    def put(self, plain: Experiment) -> None:
        """What the document asks for changed in nothing that a step depends on."""
        branch = self.branch
        self.tree.put(replace(branch, plain=plain, experiment=as_edited(branch, plain)))

    def turn(self, plain: Experiment) -> str:
        """Live parameters changed: they act on the step after the cursor, or on the first one.

        What was recorded after the cursor stays as it is, on a branch of its own. Returns what
        happened, in words.
        """
        step, changed = self._from_step(plain), differences(self.plain.asked, plain.asked)
        owner = self.tree.owner(step)
        branch = forking.turned(owner, plain, step, self.room)
        if owner.number == self.tree.current and owner.recording.head == step:
            self._take_back_or_put(branch)
            stays = ""
        else:
            self._graft(branch, owner, step)
            stays = f"; {self.name(owner.number)} stays as it was"
        self.go_to(step)
        return f"{changed} from {_after(step)} on{stays}"

    def fork(self, edit: Edit | None) -> str:
        """A branch from here, changed by an edit or not at all; what happened, in words.

        Raises:
            InputError: the edit cannot be made here.
        """
        step = self._from_step(self.branch.experiment)
        owner, plain = self.tree.owner(step), self.plain
        if edit is None:
            branch, done = forking.turned(owner, plain, step, self.room), f"A fork of step {step}"
        else:
            branch = forking.edited(owner, edit, step, self.room)
            done = f"{edit.words()} from {_after(step)} on"
        if edit is not None and owner.is_empty and owner.recording.head == step:
            self.tree.put(branch)
        else:
            self._graft(branch, owner, step)
        self.go_to(step)
        return done[0].upper() + done[1:]

    def grow(self, base: Branch, kept: Sequence[KeptBranch], stop: Callable[[], bool]) -> None:
        """Put the branches that a session holds in place of the run; the cursor is at step 0.

        Args:
            base: a run of the session's document, at step 0.
            kept: what the session holds.
            stop: asked between the steps.

        Raises:
            InputError: they do not fit the run.
            Cancelled: ``stop`` said so.
        """
        room = self._budget // max(len(kept), 1)
        branches = score.grown(base, kept, room, stop)
        titles = {entry.title for entry in kept}
        before = [  # of a session that is opened again, what was kept comes from the file
            branch.number
            for branch in self.tree
            if not branch.kept or (branch.title in titles and score.same_base(branch, base))
        ]
        numbers: list[int] = []
        for branch in branches:
            parent = None if branch.parent is None else numbers[branch.parent]
            numbers.append(self.tree.graft(replace(branch, parent=parent)).number)
        current = next((i for i, entry in enumerate(kept) if entry.current), 0)
        for number in before:
            self.tree.delete(number)
        self.tree.current = numbers[current]
        self.tree.reference = self.branch.parent
        self.go_to(0)

    def _from_step(self, experiment: Experiment) -> int:
        """The step from which on a change acts."""
        return acting_step(self.branch, self.step, experiment.steps)

    def _take_back_or_put(self, branch: Branch) -> None:
        """The branch in its new form; its parent, if it is as that one again and has no step."""
        tree = self.tree
        if branch.is_empty and not branch.edits and not branch.kept:
            before = tree[branch.parent]
            changed = changed_parameters(before.plain.asked, branch.plain.asked)
            throughout = before.recording.courses[-1].start <= branch.step  # not only later on
            if throughout and not changed and not before.edits:
                tree.switch(before.number)
                tree.delete(branch.number)
                tree.put(replace(before, plain=branch.plain, experiment=branch.experiment))
                return
        tree.put(branch)

    def _graft(self, branch: Branch, owner: Branch, step: int) -> None:
        """Make it a branch of its own; where there are too many, the oldest one goes."""
        beside = owner.parent is not None and step == owner.step  # it shares no more than that
        parent = owner.parent if beside else owner.number
        self.tree.graft(replace(branch, parent=parent, step=step, title="", kept=False))
        spare = self.tree.spare()
        if spare is not None:
            self.tree.delete(spare.number)

    def switch(self, number: int, view: View) -> None:
        """Stand on another branch, at the same step or the last one before it.

        It is shown as ``view`` says, but for its image, which is its own.
        """
        branch = self.tree.switch(number)
        plain = replace(branch.plain, asked=branch.plain.asked.shown_as(view))
        self.tree.put(replace(branch, plain=plain, experiment=as_edited(branch, plain)))
        self.go_to(self.step)

    def delete(self, number: int) -> None:
        """Take away a branch other than this one."""
        self.tree.delete(number)
        self._place_beside()

    def keep(self, number: int, title: str) -> None:
        """Hold on to a branch under a title; an empty one: no longer."""
        self.tree.put(replace(self.tree[number], title=title, kept=bool(title)))

    def compare(self, number: int | None) -> None:
        """Take another reference, or none."""
        self.tree.reference = None if number == self.tree.current else number
        self._place_beside()

    def add(self, begun: Branch, title: str) -> None:
        """Another run beside this one, which is its reference."""
        here = self.tree.current
        added = self.tree.graft(replace(begun, title=title, kept=True, guest=True))
        self.tree.current = here
        self.compare(added.number)


def _after(step: int) -> str:
    return f"step {step + 1}" if step else "the first step"


def _observed(branch: Branch, step: int, state: Any, names: Collection[str]) -> Any:
    """What was asked for of one state, for any reader."""
    observer = branch.recording.observer(step)
    declared = {o.name for o in observer.observables}
    seen = observer.observe(state, declared.intersection(names))
    return MappingProxyType({name: _read_only(tensor) for name, tensor in seen.items()})


def _read_only(tensor: Tensor) -> np.ndarray:
    """The only sample of a batch; views of it must not be able to change the run."""
    array = tensor[0].cpu().numpy()
    array.flags.writeable = False
    return array
