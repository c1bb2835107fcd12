"""The branches of a run written down, so that a session holds them, and grown again from that.

What is written is who made which steps: parameters and edits, each with the step from which on
they acted. The steps themselves are taken again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from workbench.document.kept_branches import KeptBranch, Turn
from workbench.engine import forking
from workbench.engine.branches import Branch
from workbench.engine.changes import differences
from workbench.engine.edits import EDITS, Edit
from workbench.engine.experiment import Cancelled, with_live_params
from workbench.engine.recording import Course
from workbench.engine.resolved import system_values
from workbench.errors import InputError
from workbench.parameters import unknown_key


def written(branches: Sequence[Branch], current: int) -> tuple[KeptBranch, ...]:
    """The branches of the open session, of the same network and image as one of them.

    Empty where there is nothing to write: one run under the parameters of its document.

    Args:
        branches: all of the run.
        current: the number of that one, which is the current one of the session.

    Returns:
        Parents first.
    """
    here = next(branch for branch in branches if branch.number == current)
    own = _parents_first([b for b in branches if not b.guest and same_base(b, here)])
    places = {branch.number: i for i, branch in enumerate(own)}
    kept: list[KeptBranch] = []
    for branch in own:
        parent = places.get(branch.parent)
        turns = tuple(_turn(course) for course in branch.recording.courses)
        if parent is not None:
            turns = _as_grown(turns, kept[parent].turns, branch.step)
        here = branch.number == current
        kept.append(KeptBranch(parent, branch.step, turns, branch.title, here))
    alone = len(kept) == 1 and len(kept[0].turns) == 1 and not kept[0].title
    return () if alone else tuple(kept)


def same_base(a: Branch, b: Branch) -> bool:
    """Whether two branches are of the same network and image, so that one session holds both."""
    one, two = a.plain.asked, b.plain.asked
    sections = ("data", "backbone", "signal", "dictionary", "run")
    same = all(getattr(one, section) == getattr(two, section) for section in sections)
    image = (one.view.sample, one.view.picture) == (two.view.sample, two.view.picture)
    return same and image and one.system["kind"] == two.system["kind"]


def _parents_first(branches: list[Branch]) -> list[Branch]:
    ordered: list[Branch] = []
    left = list(branches)
    numbers = {branch.number for branch in branches}
    while left:
        done = {branch.number for branch in ordered}
        ready = [b for b in left if b.parent not in numbers or b.parent in done]
        ordered += ready
        left = [branch for branch in left if branch not in ready]
    return ordered


def _as_grown(own: tuple[Turn, ...], parent: tuple[Turn, ...], step: int) -> tuple[Turn, ...]:
    """The turns of a fork as it is grown again: up to its first step those of its parent.

    They make the same steps, though one of the two may have been the trunk, or have turned where
    nothing changed; what is written of a session just opened must be what it was opened with.
    """
    after = [turn for turn in own if turn.step >= step]
    if not after or after[0].step != step:
        after.insert(0, Turn(step, [turn for turn in own if turn.step < step][-1].system))
    return (*(turn for turn in parent if turn.step < step), *after)


def _turn(course: Course) -> Turn:
    edits = () if course.handover is None else course.handover.edits
    return Turn(course.start, system_values(course.system), tuple(_plain(edit) for edit in edits))


def _plain(edit: Edit) -> dict:
    return {"kind": edit.kind} | edit.model_dump()


def grown(
    base: Branch, kept: Sequence[KeptBranch], room: int, stop: Callable[[], bool]
) -> list[Branch]:
    """The branches that were written down, in their order; their ``parent`` is a place in it.

    Args:
        base: the run at step 0 of the document that they were kept with.
        kept: what was written.
        room: bytes that each may take.
        stop: asked between the steps.

    Raises:
        InputError: they do not fit the document; one line with the place.
        Cancelled: ``stop`` said so.
    """
    branches: list[Branch] = []
    for i, entry in enumerate(kept):
        try:
            branches.append(_grown(base, branches, entry, room, stop))
        except (InputError, ValueError) as error:
            raise InputError(f"branches[{i}]: {error}") from None
    return branches


def _grown(
    base: Branch, before: list[Branch], entry: KeptBranch, room: int, stop: Callable[[], bool]
) -> Branch:
    branch, step = base, 0
    if entry.parent is not None:
        branch, step = before[entry.parent], entry.step  # its steps are there already
    turns = [turn for turn in entry.turns if turn.step >= step]
    if not turns or turns[0].step != step:  # the same parameters; a fork all the same
        turns.insert(0, Turn(step, [t for t in entry.turns if t.step < step][-1].system))
    for turn in turns:
        _run_to(branch, turn.step, stop)
        branch = forking.turned(branch, _under(base, turn), turn.step, room, bare=True)
        for edit in turn.edits:
            branch = forking.edited(branch, _edit(edit), turn.step, room)
    if entry.current:  # the document says the same in its own words
        if branch.plain.system.params != base.plain.system.params:
            differ = differences(base.plain.asked, branch.plain.asked)
            raise InputError(f"{differ}: the current branch must end as the session's system says")
        plain = replace(branch.plain, asked=base.plain.asked)
        branch = replace(branch, plain=plain, experiment=forking.as_edited(branch, plain))
    title, kept = entry.title, bool(entry.title)
    where = {"parent": entry.parent, "step": entry.step}
    return replace(branch, title=title, kept=kept, **where)


def _under(base: Branch, turn: Turn):
    """What the document would ask for with the parameters of a turn."""
    asked = base.plain.asked
    if turn.system["kind"] != asked.system["kind"]:
        kind = turn.system["kind"]
        raise InputError(f"system.kind = {kind!r}: must be {asked.system['kind']!r}, as the run's")
    return with_live_params(base.plain, asked.changed(system=turn.system))


def _edit(values: dict) -> Edit:
    kinds = {edit.kind: edit for edit in EDITS}
    kind = values["kind"]
    if kind not in kinds:
        raise InputError(unknown_key(f"edits.kind = {kind!r}", kind, kinds))
    return kinds[kind].parse({k: v for k, v in values.items() if k != "kind"}, "edits")


def _run_to(branch: Branch, step: int, stop: Callable[[], bool]) -> None:
    """Record a branch as far as a step."""
    head = branch.recording.head
    if head >= step:
        return
    if step > branch.steps:
        raise InputError(f"step = {step}: must be at most {branch.steps}, the last of the run")
    state = branch.recording.state(head)
    for k in range(head, step):
        if stop():
            raise Cancelled
        state = branch.forward(k, state)
