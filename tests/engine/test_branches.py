"""Branches of a run: the past is changed and nothing of it is lost."""

import random
import time

import pytest

from workbench.engine.branches import MOST, name_of
from workbench.engine.edits import DropAtom, NoisyInput, Occlude
from workbench.engine.runner import RunState

PAUSED, RUNNING, FINISHED = RunState.PAUSED, RunState.RUNNING, RunState.FINISHED


@pytest.fixture
def at(new_runner, document):
    """A runner that ran to its 40th and last step and went back to another one."""

    def make(step, **changes):
        runner = new_runner()
        runner.follow(document(**changes))
        for place in (40, step):
            runner.seek(place)
            runner.wait(PAUSED, FINISHED)
        return runner

    return make


def beside(runner, step):
    """The reference, once it is at a step."""
    deadline = time.monotonic() + 10
    while runner.snapshot.reference.step < step and time.monotonic() < deadline:
        time.sleep(0.001)
    assert runner.snapshot.reference.step == step
    return runner.snapshot.reference


def digests(branch):
    return [branch.recording.digest(k) for k in range(branch.recording.head + 1)]


def names(status):
    return [name_of(branch, status.branches) for branch in status.branches]


def tree(status):
    """(number, parent, step) of each branch."""
    return [(branch.number, branch.parent, branch.step) for branch in status.branches]


@pytest.mark.parametrize("step", [0, 1, 17, 39])
def test_a_change_of_the_past_leaves_the_trunk_byte_identical(at, document, step):
    runner = at(step)
    trunk = runner.status.branches[0]
    before = digests(trunk)
    runner.follow(document(threshold=0.5))
    runner.seek(40)
    status = runner.wait(FINISHED)
    assert tree(status) == [(0, None, 0), (1, 0, step)]
    assert names(status) == ["trunk", "threshold 1 → 0.5"]
    assert (status.branch, status.reference) == (1, 0)
    assert status.branches[0] is trunk and digests(trunk) == before
    fork = digests(status.branches[1])
    assert fork[: step + 1] == before[: step + 1] and fork[step + 1 :] != before[step + 1 :]


def test_back_50_and_run_50_gives_the_same_fingerprint(new_runner, document):
    runner = new_runner()
    runner.follow(document(steps=100))
    runner.seek(100)
    first = runner.wait(FINISHED).fingerprint
    runner.step(-50)
    runner.wait(PAUSED)
    runner.set_paused(False)
    status = runner.wait(FINISHED)
    assert (status.step, status.fingerprint, len(status.branches)) == (100, first, 1)


def test_changes_at_the_end_of_what_is_recorded_make_no_branch(at, document):
    runner = at(20)
    runner.follow(document(threshold=0.5))
    for threshold in (0.6, 0.7, 0.8):  # a slider that is dragged
        runner.follow(document(threshold=threshold))
        status = runner.wait(PAUSED)
        assert names(status) == ["trunk", f"threshold 1 → {threshold}"]
    runner.follow(document(threshold=1.0))  # dragged back to where it was
    status = runner.wait(PAUSED)
    assert (tree(status), status.branch, status.step) == ([(0, None, 0)], 0, 20)
    assert status.head == 40


def test_a_fork_under_what_the_trunk_came_to_later_is_no_copy_of_it(new_runner, document):
    """The trunk's parameters are those of its last steps; from the fork on it had others."""
    runner = new_runner()
    runner.follow(document())
    runner.seek(20)
    runner.wait(PAUSED)
    runner.follow(document(threshold=0.5))  # the trunk goes on under it
    runner.seek(40)
    runner.wait(FINISHED)
    runner.seek(10)
    runner.follow(document(threshold=0.7))
    runner.wait(PAUSED)
    runner.follow(document(threshold=0.5))
    status = runner.wait(PAUSED)
    assert [(parent is None, step) for _, parent, step in tree(status)] == [(True, 0), (False, 10)]
    assert runner.snapshot.recording.system_at(10).params.threshold == 0.5


def test_a_fork_that_is_kept_stays_where_its_parameters_are_those_of_the_trunk_again(at, document):
    runner = at(20)
    runner.follow(document(threshold=0.5))
    runner.keep(1, "mine")
    runner.follow(document(threshold=1.0))
    assert names(runner.wait(PAUSED)) == ["trunk", "mine"]


def test_a_change_after_the_end_runs_from_the_first_step_beside_the_old_run(at, document, prepared):
    runner = at(40)
    runner.follow(document(threshold=0.5))
    status = runner.wait(FINISHED)
    assert tree(status) == [(0, None, 0), (1, 0, 0)]
    alone = at(40, threshold=0.5)
    assert digests(status.branches[1]) == digests(alone.status.branches[0])


def test_a_change_before_a_fork_began_forks_what_the_fork_grew_from(at, document):
    runner = at(30)
    runner.follow(document(threshold=0.5))
    runner.seek(40)
    runner.wait(FINISHED)
    runner.seek(10)
    runner.follow(document(threshold=0.5, time_constant=10.0))
    status = runner.wait(PAUSED)
    assert tree(status) == [(0, None, 0), (1, 0, 30), (2, 0, 10)]


def test_the_cursor_goes_from_branch_to_branch_and_both_are_as_they_were(at, document):
    runner = at(10)
    runner.follow(document(threshold=0.5))
    runner.seek(25)
    fork = runner.wait(PAUSED)
    runner.switch(0, document())
    status = runner.wait(PAUSED)
    assert (status.branch, status.step, status.reference) == (0, 25, 1)
    assert runner.snapshot.experiment.system.params.threshold == 1.0
    assert status.fingerprint == digests(fork.branches[0])[25]
    runner.switch(1, document(threshold=0.5))
    assert runner.wait(PAUSED).fingerprint == fork.fingerprint
    assert runner.snapshot.experiment.system.params.threshold == 0.5
    runner.follow(document(threshold=0.5))  # what it is already
    assert len(runner.wait(PAUSED).branches) == 2


def test_the_reference_goes_along_under_one_cursor(at, document):
    """Its steps are computed where they are not recorded, at a run, a seek and a switch."""
    runner = at(10)
    runner.follow(document(threshold=0.5))
    runner.wait(PAUSED)
    runner.switch(0, document())
    runner.seek(30)  # recorded on the trunk, not yet on the fork
    runner.wait(PAUSED)
    alone = at(10)
    alone.follow(document(threshold=0.5))
    alone.seek(40)
    expected = digests(alone.wait(FINISHED).branches[1])
    reference = beside(runner, 30)
    assert reference.branch.number == 1
    assert digests(reference.branch) == expected[:31]
    runner.set_paused(False)
    runner.wait(FINISHED)
    assert digests(beside(runner, 40).branch) == expected


def test_a_reference_that_goes_wrong_ends_the_run_once(new_runner, document, watched_steps, caplog):
    strikes = []

    def before(k):
        if k >= 15 and strikes:
            strikes.append(k)
            raise RuntimeError("the neurons went on strike")

    runner = new_runner(prepare=watched_steps(before))
    runner.follow(document())
    runner.seek(20)
    runner.wait(PAUSED)
    runner.seek(10)
    runner.follow(document(threshold=0.5))  # has no steps of its own yet
    runner.switch(0, document())
    runner.wait(PAUSED)
    strikes.append(0)
    runner.seek(20)
    deadline = time.monotonic() + 10
    while runner.status.state is not RunState.FAILED and time.monotonic() < deadline:
        time.sleep(0.001)
    assert "strike" in runner.wait(RunState.FAILED).error
    time.sleep(0.05)
    assert strikes == [0, 15]


def test_observing_the_reference_changes_nothing_and_shows_its_own_values(at, document):
    runner = at(10)
    runner.watch({"energy"}, {"energy"})
    runner.follow(document(threshold=0.5))
    runner.seek(40)
    runner.wait(FINISHED)
    snapshot = runner.snapshot
    for branch, seen in (
        (snapshot.branch, snapshot.observed),
        (snapshot.reference.branch, snapshot.reference.observed),
    ):
        assert seen["energy"].tolist() == branch.recording.summary("energy")[40].tolist()
    assert snapshot.observed["energy"][2] != snapshot.reference.observed["energy"][2]


def test_edits_of_one_instant_join_and_later_ones_fork_again(at):
    runner = at(12)
    runner.fork(Occlude())
    runner.fork(DropAtom(neuron=3))
    status = runner.wait(PAUSED)
    assert names(status) == ["trunk", "input occluded, 40 × 40 %, neuron 3 dropped"]
    assert tree(status) == [(0, None, 0), (1, 0, 12)]
    assert status.notice == "Neuron 3 dropped from step 13 on"
    runner.seek(20)
    runner.wait(PAUSED)
    runner.fork(NoisyInput())
    status = runner.wait(PAUSED)
    assert tree(status) == [(0, None, 0), (1, 0, 12), (2, 1, 20)]
    assert names(status)[2] == "input noise 0.2"
    assert not runner.snapshot.experiment.system.wiring.atoms[3].any()
    assert runner.snapshot.input.image is not status.branches[0].given.image


def test_parameters_still_turn_on_an_edited_branch_and_a_restart_forgets_the_edit(at, document):
    runner = at(12)
    runner.fork(DropAtom(neuron=3))
    runner.wait(PAUSED)
    runner.follow(document(threshold=0.5))
    runner.seek(40)
    status = runner.wait(FINISHED)
    assert names(status) == ["trunk", "threshold 1 → 0.5, neuron 3 dropped"]
    assert runner.snapshot.experiment.system.params.threshold == 0.5
    assert not any(3 in fired for fired in runner.snapshot.recording.spikes()[13:])
    runner.restart()
    status = runner.wait(PAUSED)
    assert tree(status) == [(2, None, 0)]
    assert runner.snapshot.experiment.system.wiring.atoms[3].any()


def test_an_edit_that_cannot_be_made_is_refused_and_nothing_changes(at):
    runner = at(12)
    runner.fork(DropAtom(neuron=999))
    status = runner.wait(PAUSED)
    assert status.refused == "neuron = 999: there are neurons 0 to 149"
    assert (tree(status), status.step) == ([(0, None, 0)], 12)


def test_a_deleted_branch_leaves_its_forks_to_its_parent(at, document):
    runner = at(30)
    runner.follow(document(threshold=0.5))
    runner.seek(40)
    runner.wait(FINISHED)
    runner.seek(35)
    runner.wait(PAUSED)
    runner.follow(document(threshold=0.6))
    status = runner.wait(PAUSED)
    assert tree(status) == [(0, None, 0), (1, 0, 30), (2, 1, 35)]
    runner.delete(1)
    status = runner.wait(PAUSED)
    assert tree(status) == [(0, None, 0), (2, 0, 30)]
    assert (status.reference, runner.snapshot.reference) == (None, None)
    runner.delete(2)  # the cursor is on it
    assert len(runner.wait(PAUSED).branches) == 2


def test_a_promoted_branch_is_the_trunk_and_what_it_grew_from_a_fork_of_it(at, document):
    runner = at(30)
    runner.follow(document(threshold=0.5))
    runner.seek(40)
    runner.wait(FINISHED)
    runner.seek(20)
    runner.follow(document(threshold=0.6))
    before = runner.wait(PAUSED)
    runner.promote(1)
    status = runner.wait(PAUSED)
    assert tree(status) == [(1, None, 0), (0, 1, 30), (2, 0, 20)]
    assert names(status)[:2] == ["trunk", "threshold 0.5 → 1"]
    assert {b.number: b.recording for b in status.branches} == {
        b.number: b.recording for b in before.branches
    }


def test_what_is_kept_stays_beside_the_next_run(at, document):
    runner = at(40)
    runner.keep(0, "sample 0")
    runner.compare(0)  # the one that the cursor is on: nothing to compare with
    runner.wait(FINISHED)
    runner.follow(document(view={"sample": 5}))
    status = runner.wait(FINISHED)
    assert names(status) == ["sample 0", "trunk"] and status.branch == 1
    kept, run = (branch.recording for branch in status.branches)
    assert run.budget == status.budget - kept.bytes_used  # one memory for all
    runner.compare(0)
    runner.wait(FINISHED)
    assert runner.snapshot.reference.branch.given.sample == 0
    runner.keep(0, "")
    runner.follow(document(view={"sample": 6}))
    status = runner.wait(FINISHED)
    assert (names(status), status.reference) == (["trunk"], None)


def test_another_session_runs_beside_this_one(at, document, prepared):
    runner = at(20)
    runner.add(document(dictionary={"atoms": 60}), "few atoms")
    status = runner.wait(PAUSED)
    assert names(status) == ["trunk", "few atoms"]
    assert (status.branch, status.reference, status.step) == (0, 1, 20)
    runner.set_paused(False)
    runner.wait(FINISHED)
    reference = beside(runner, 40)
    assert reference.branch.experiment.system.neurons == 60
    alone = at(40, dictionary={"atoms": 60})
    assert digests(reference.branch) == digests(alone.status.branches[0])
    runner.add(document(dictionary={"atoms": 10**6}), "too many")
    assert "dictionary.atoms" in runner.wait(FINISHED).refused
    assert len(runner.status.branches) == 2


def test_where_there_are_too_many_the_oldest_fork_goes_but_not_what_is_held(at, document):
    runner = at(10)
    runner.follow(document(threshold=0.3))
    runner.seek(11)
    runner.wait(PAUSED)
    runner.keep(1, "mine")
    for k in range(MOST + 3):
        runner.seek(10)
        runner.follow(document(threshold=0.5 + 0.01 * k))
        runner.seek(12)
        runner.wait(PAUSED)
    status = runner.wait(PAUSED)
    numbers = [branch.number for branch in status.branches]
    assert len(numbers) == MOST and numbers[:2] == [0, 1]
    assert status.branch == numbers[-1] == MOST + 4


def test_a_run_of_other_length_is_finished_at_its_own_last_step(at, document):
    runner = at(20)
    runner.add(document(steps=10), "short")
    runner.wait(PAUSED)
    runner.switch(1, document(steps=10))
    status = runner.wait(FINISHED, PAUSED)
    assert (status.state, status.reason, status.step) == (FINISHED, "all steps done", 10)
    runner.switch(0, document())
    status = runner.wait(FINISHED, PAUSED)
    assert (status.state, status.reason, status.step, status.steps) == (PAUSED, "", 10, 40)


def test_of_forks_of_forks_too_the_oldest_goes(at, document):
    """Each grew from the one before, so that no fork is without one that grew from it."""
    runner = at(5)
    for k in range(MOST + 3):
        runner.seek(6 + k)
        runner.wait(PAUSED)
        runner.fork()
    status = runner.wait(PAUSED)
    numbers = [branch.number for branch in status.branches]
    assert numbers == [0, *range(5, MOST + 4)]
    assert [branch.parent for branch in status.branches] == [None, 0, *range(5, MOST + 3)]
    runner.switch(5, document())
    assert runner.wait(PAUSED).branch == 5


def test_memory_that_branches_share_counts_once(at, document):
    runner = at(39)
    alone = runner.status.bytes_used
    runner.follow(document(threshold=0.5))
    status = runner.wait(PAUSED)
    assert alone < status.bytes_used < 1.2 * alone
    assert status.branches[1].recording.spacing == 1


def test_a_small_budget_is_shared_and_every_step_can_still_be_had(new_runner, document):
    runner = new_runner(budget=20_000)
    runner.follow(document())
    runner.seek(40)
    runner.wait(FINISHED)
    runner.seek(20)
    runner.follow(document(threshold=0.5))
    runner.seek(40)
    status = runner.wait(FINISHED)
    assert all(branch.recording.spacing > 1 for branch in status.branches)
    for branch in status.branches:
        for step in range(0, 41, 7):
            branch.recording.state(step)  # checked against the digest that was recorded


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["lca", "lca lazy", "lif poisson"])
def test_whatever_is_done_every_branch_stays_whole(new_runner, document, seed, kind):
    """Random commands; then each branch is what its own states say, and shares what it says."""
    choose = random.Random(f"{kind} {seed}")
    runner = new_runner(budget=choose.choice([20_000, 2**29]))
    name = "threshold" if kind == "lca" else "time_constant"
    runner.follow(document(kind))
    runner.wait(PAUSED)
    for _ in range(60):
        numbers = [branch.number for branch in runner.status.branches]
        number, value = choose.choice(numbers), choose.choice([0.5, 0.8, 2.0])
        branch = next(b for b in runner.status.branches if b.number == number)
        edits = [Occlude(), NoisyInput()] + [DropAtom(neuron=3)] * (kind != "lif poisson")
        act = choose.choice(
            [
                lambda: runner.seek(choose.randint(0, 45)),
                lambda: runner.set_paused(choose.random() < 0.5),
                lambda value=value: runner.follow(document(kind, **{name: value})),
                lambda edits=edits: runner.fork(choose.choice([None, *edits])),
                lambda b=branch: runner.switch(b.number, b.plain.asked),
                lambda n=number: runner.delete(n),
                lambda n=number: runner.promote(n),
                lambda n=number: runner.keep(n, choose.choice(["mine", ""])),
                lambda n=number: runner.compare(choose.choice([n, None])),
                lambda: runner.step(choose.choice([-1, 1, 5])),
            ]
        )
        act()
        if choose.random() < 0.05:
            runner.follow(document(kind, view={"sample": choose.randint(0, 5)}))
        if choose.random() < 0.5:
            runner.wait(PAUSED, RUNNING, FINISHED)
    runner.set_paused(True)
    status = runner.wait(PAUSED, FINISHED)
    assert (status.error, status.refused) == ("", "")
    by_number = {branch.number: branch for branch in status.branches}
    assert status.branch in by_number and status.reference in {None, *by_number}
    assert status.reference != status.branch
    for branch in status.branches:
        record = branch.recording
        for step in range(record.head + 1):
            record.state(step)  # checked against what was put out in the run
        if branch.parent is not None:
            parent = by_number[branch.parent].recording
            shared = min(branch.step, parent.head)
            assert record.digest(shared) == parent.digest(shared)
    assert runner.snapshot.recording is by_number[status.branch].recording


def test_before_an_edit_a_promoted_branch_is_the_network_that_it_was(at, document):
    """A change at step 5 of a run that lost a neuron at step 20 still has that neuron."""
    runner = at(20)
    runner.fork(DropAtom(neuron=3))
    runner.seek(40)
    runner.wait(FINISHED)
    runner.promote(1)
    runner.seek(5)
    runner.wait(PAUSED)
    runner.follow(document(threshold=0.5))
    runner.seek(40)
    status = runner.wait(FINISHED)
    assert tree(status)[-1] == (2, 1, 5) and names(status)[-1] == "threshold 1 → 0.5"
    assert runner.snapshot.experiment.system.wiring.atoms[3].any()
    alone = at(5)
    alone.follow(document(threshold=0.5))
    alone.seek(40)
    assert alone.wait(FINISHED).fingerprint == status.fingerprint


def test_a_parameter_turned_where_an_edit_acts_keeps_the_edit(at, document):
    runner = at(20)
    runner.fork(DropAtom(neuron=3))
    runner.seek(30)
    runner.wait(PAUSED)
    runner.follow(document(threshold=0.9))  # at the end of what is recorded
    runner.seek(40)
    runner.wait(FINISHED)
    runner.seek(20)
    runner.wait(PAUSED)
    runner.follow(document(threshold=0.5))
    runner.seek(40)
    status = runner.wait(FINISHED)
    assert names(status)[-1] == "threshold 1 → 0.5, neuron 3 dropped"
    assert not any(3 in fired for fired in runner.snapshot.recording.spikes()[21:])
