"""How branches come about: a new run, other parameters from a step on, an edit, a copy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from workbench.engine.branches import Branch, Watch, acting_step, owner_of
from workbench.engine.edits import Edit
from workbench.engine.experiment import Experiment
from workbench.engine.inputs import Input
from workbench.engine.recording import Handover, Recording


def root(experiment: Experiment, given: Input, budget: int) -> Branch:
    """A run from step 0.

    Raises:
        InputError: the system refuses the signal.
    """
    recording = Recording(experiment.system, initial(experiment, given), budget)
    watch = Watch(recording, experiment)
    return Branch(-1, experiment, experiment, given, given, recording, watch)


def initial(experiment: Experiment, given: Input) -> Any:
    """The state at step 0 for one input.

    Raises:
        InputError: the system refuses its signal.
    """
    return experiment.initial_of(given.vector, given.name)


def turned(branch: Branch, plain: Experiment, step: int, room: int, bare: bool = False) -> Branch:
    """A branch under other live parameters from a step on, with the steps before it.

    Args:
        branch: not younger than ``step``.
        plain: what the document asks for now.
        step: the last one under the parameters before.
        room: bytes that the steps to come may take.
        bare: without what was edited at that very step.
    """
    handover = None if bare else branch.recording.handover(step)
    experiment, given = _as_of(branch, plain, step - bare)
    return _going_on(branch, plain, experiment, given, step, handover, room)


def edited(branch: Branch, edit: Edit, step: int, room: int) -> Branch:
    """A branch on which an edit acts from a step on; the arguments are those of `turned`.

    Raises:
        InputError: the edit cannot be made here.
    """
    before, source = _as_of(branch, branch.plain, step)
    experiment, given = edit.applied(before, source)
    here = branch.recording.handover(step) or Handover(None)  # what happens there already
    signal = here.signal
    if given is not source:
        signal = experiment.scaled(given.vector)
        initial(experiment, given)  # refused here rather than in mid-run
    handover = Handover(signal, (*here.edits, edit))
    return _going_on(branch, branch.plain, experiment, given, step, handover, room)


def acted_on(branch: Branch, branches: tuple[Branch, ...], step: int) -> tuple[Experiment, Input]:
    """The experiment and the input that an edit at a step of a branch would change.

    Args:
        branch: on which the cursor is.
        branches: all of the run.
        step: where the cursor is.
    """
    step = acting_step(branch, step, branch.steps)
    owner = owner_of(branch, branches, step)
    return _as_of(owner, owner.plain, step)


def as_edited(branch: Branch, plain: Experiment) -> Experiment:
    """What a document asks for now, with the atoms that a branch has."""
    if not branch.edits:
        return plain
    system = branch.experiment.system.with_params(plain.system.params)
    return replace(plain, dictionary=branch.experiment.dictionary, system=system)


def _as_of(branch: Branch, plain: Experiment, step: int) -> tuple[Experiment, Input]:
    """What a document asks for now, with what was edited on a branch up to a step."""
    done = branch.recording.edits(step)
    if len(done) == len(branch.edits):
        return as_edited(branch, plain), branch.given
    experiment, given = plain, branch.source
    for edit in done:
        experiment, given = edit.applied(experiment, given)
    return experiment, given


def _going_on(
    branch: Branch,
    plain: Experiment,
    experiment: Experiment,
    given: Input,
    step: int,
    handover: Handover | None,
    room: int,
) -> Branch:
    if step == 0 and handover is None:  # exactly the run with these parameters
        recording = Recording(experiment.system, initial(experiment, given), room)
    else:
        recording = branch.recording.fork(step, experiment.system, handover, room)
    return replace(
        branch,
        plain=plain,
        experiment=experiment,
        given=given,
        edits=recording.edits(step),
        recording=recording,
        watch=Watch(recording, experiment),
    )
