"""Branches written into a session and grown again from it, bit for bit."""

import json
import random

import pytest

from workbench.document import Document
from workbench.engine.edits import DropAtom, NoisyAtom, NoisyInput, Shift
from workbench.engine.runner import RunState
from workbench.engine.score import written
from workbench.errors import InputError

PAUSED, RUNNING, FINISHED = RunState.PAUSED, RunState.RUNNING, RunState.FINISHED


def session(runner, document):
    """The document with its branches, through JSON and back."""
    kept = written(runner.status.branches, runner.status.branch)
    text = document.model_copy(update={"branches": kept}).to_json()
    return Document.parse(json.loads(text))


def reopened(new_runner, held):
    runner = new_runner()
    document = replace_branches(held)
    runner.follow(document)
    runner.grow(held.branches, document)
    runner.wait(PAUSED, FINISHED)
    return runner


def digests_at_the_end(runner):
    """By name and parent, the fingerprint of every branch at its 40th step."""
    found = []
    for branch in runner.status.branches:
        runner.switch(branch.number, branch.plain.asked)
        runner.seek(40)
        runner.wait(FINISHED, PAUSED)
        parent = (
            [b.number for b in runner.status.branches].index(branch.parent)
            if (branch.parent is not None)
            else None
        )
        found.append((parent, branch.step, branch.title, runner.status.fingerprint))
    return found


@pytest.fixture
def grown(new_runner, document):
    """A runner with a trunk turned in mid-run, a fork of it, and an edited fork of that."""
    runner = new_runner()
    runner.follow(document())
    runner.seek(10)
    runner.wait(PAUSED)
    runner.follow(document(threshold=0.9))  # the trunk goes on under it
    runner.seek(40)
    runner.wait(FINISHED)
    runner.seek(20)
    runner.wait(PAUSED)
    runner.follow(document(threshold=0.7))
    runner.seek(40)
    runner.wait(FINISHED)
    runner.seek(30)
    runner.wait(PAUSED)
    for edit in (Shift(right=1), DropAtom(neuron=3), NoisyAtom(neuron=5), NoisyInput()):
        runner.fork(edit)
    runner.seek(40)
    runner.wait(FINISHED)
    runner.keep(2, "edited")
    runner.wait(FINISHED)
    return runner


def test_every_branch_comes_back_bit_for_bit(grown, new_runner, document):
    held = session(grown, document(threshold=0.7))
    assert [len(branch.turns) for branch in held.branches] == [2, 3, 4]
    assert [edit["kind"] for edit in held.branches[2].turns[-1].edits] == [
        "shift",
        "drop_atom",
        "atom_noise",
        "input_noise",
    ]
    again = reopened(new_runner, held)
    assert again.status.branch == again.status.branches[2].number  # the cursor was on it
    assert again.status.step == 0
    assert digests_at_the_end(again) == digests_at_the_end(grown)
    assert session(again, document(threshold=0.7)).branches[1:] == held.branches[1:]


def test_a_promoted_fork_comes_back_too(grown, new_runner, document):
    grown.promote(2)
    grown.wait(FINISHED)
    held = session(grown, document(threshold=0.7))
    again = reopened(new_runner, held)
    assert session(again, document(threshold=0.7)).branches == held.branches  # nothing to save
    ends = [{end[1:] for end in digests_at_the_end(runner)} for runner in (again, grown)]
    assert ends[0] == ends[1] and len(ends[0]) == 3


def test_one_run_under_its_document_writes_nothing(new_runner, document):
    runner = new_runner()
    runner.follow(document())
    runner.seek(40)
    runner.wait(FINISHED)
    assert written(runner.status.branches, runner.status.branch) == ()
    assert "branches" not in document().to_json()


def test_other_sessions_and_images_beside_the_run_are_not_written(new_runner, document):
    runner = new_runner()
    runner.follow(document())
    runner.seek(5)
    runner.wait(PAUSED)
    runner.add(document(dictionary={"atoms": 60}), "few atoms")
    runner.add(document(threshold=0.4), "the same network")
    runner.wait(PAUSED)
    assert len(runner.status.branches) == 3
    assert written(runner.status.branches, runner.status.branch) == ()


def test_a_run_alone_is_written_with_its_title(new_runner, document):
    runner = new_runner()
    runner.follow(document())
    runner.wait(PAUSED)
    runner.keep(runner.status.branch, "as published")
    runner.wait(PAUSED)
    (kept,) = written(runner.status.branches, runner.status.branch)
    assert kept.title == "as published" and kept.parent is None
    again = reopened(new_runner, document().model_copy(update={"branches": (kept,)}))
    assert written(again.status.branches, again.status.branch) == (kept,)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["lca", "lif poisson"])
def test_random_trees_come_back(new_runner, document, seed, kind):
    choose = random.Random(f"{kind} {seed}")
    runner = new_runner()
    name = "threshold" if kind == "lca" else "time_constant"
    runner.follow(document(kind))
    for _ in range(12):
        runner.seek(choose.randint(0, 40))
        runner.wait(PAUSED, FINISHED)
        value = choose.choice([0.5, 0.8, 2.0])
        if choose.random() < 0.5:
            runner.follow(document(kind, **{name: value}))
        else:
            runner.fork(choose.choice([None, NoisyInput(seed=choose.randint(0, 9))]))
        runner.wait(PAUSED, RUNNING, FINISHED)
        numbers = [b.number for b in runner.status.branches]
        branch = choose.choice(runner.status.branches)
        if choose.random() < 0.3 and len(numbers) > 1:
            runner.switch(branch.number, branch.plain.asked)
    runner.set_paused(True)
    runner.wait(PAUSED, FINISHED)
    held = session(runner, runner.snapshot.branch.plain.asked)
    again = reopened(new_runner, held)
    ends = [[end[3] for end in digests_at_the_end(r)] for r in (runner, again)]
    assert sorted(ends[0]) == sorted(ends[1])


def broken(held, change):
    values = [branch.plain() for branch in held.branches]
    change(values)
    plain = json.loads(held.model_copy(update={"branches": ()}).to_json())
    return Document.parse(plain | {"branches": values})


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda rows: rows[1].update(parent=1), r"branches\[1\].parent = 1: must be a whole num"),
        (lambda rows: rows[1].update(step=-1), r"branches\[1\].step = -1: must be a whole number"),
        (lambda rows: rows[0].update(turns=[]), r"branches\[0\].turns = \[\]: must hold at least"),
        (lambda rows: rows[0].update(colour=1), r"branches\[0\].colour: unknown key; known here"),
        (lambda rows: rows[0]["turns"][0].update(step=4), r"turns are at steps \[4, 10\]: must"),
        (lambda rows: rows[0]["turns"][0].update(system=3), r"turns\[0\].system = 3: must be an"),
    ],
)
def test_what_is_wrong_in_a_file_is_one_line(grown, document, change, line):
    held = session(grown, document(threshold=0.7))
    with pytest.raises(InputError, match=line):
        broken(held, change)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda rows: rows[2]["turns"][3]["edits"][1].update(neuron=150), "neuron = 150: there"),
        (lambda rows: rows[2]["turns"][3]["edits"][0].update(kind="blur"), "unknown key"),
        (lambda rows: rows[1]["turns"][2]["system"].update(threshold=-1), "must be a number of"),
        (lambda rows: rows[1]["turns"][2]["system"].update(kind="lif"), "must be 'lca', as the"),
        (lambda rows: rows[1].update(step=2000), "step = 2000: must be at most 40"),
        (
            lambda rows: rows[2]["turns"][3]["system"].update(threshold=0.6),
            "branches[2]: threshold 0.7 → 0.6: the current branch must end as the session's",
        ),
    ],
)
def test_branches_that_do_not_fit_are_refused_in_one_line_and_the_run_stays(
    grown, new_runner, document, change, line
):
    held = broken(session(grown, document(threshold=0.7)), change)
    runner = reopened(new_runner, held)
    status = runner.status
    assert line in status.refused and status.refused.startswith("branches[")
    assert (len(status.branches), status.step, status.error) == (1, 0, "")
    runner.seek(40)
    assert runner.wait(FINISHED).step == 40


def test_growing_can_be_called_off(grown, new_runner, document):
    held = session(grown, document(threshold=0.7))
    runner = new_runner()
    runner.follow(replace_branches(held))
    runner.wait(PAUSED)
    runner.grow(held.branches, replace_branches(held))
    runner.cancel()
    status = runner.wait(PAUSED, FINISHED)
    assert len(status.branches) in (1, 3)  # it may have been done already


def test_branches_of_a_document_that_was_refused_do_not_take_the_place_of_the_run(
    grown, new_runner, document
):
    held = session(grown, document(threshold=0.7))
    refused = document(threshold=0.7, dictionary={"atoms": 10**6})
    runner = new_runner()
    runner.follow(document(threshold=0.7))
    runner.seek(40)
    before = runner.wait(FINISHED)
    runner.follow(refused)
    runner.grow(held.branches, refused)
    status = runner.wait(FINISHED)
    assert "dictionary.atoms" in status.refused
    assert (status.branches, status.fingerprint) == (before.branches, before.fingerprint)


def test_a_session_opened_again_has_what_was_kept_once(grown, new_runner, document):
    held = session(grown, document(threshold=0.7))
    again = reopened(new_runner, held)
    expected = digests_at_the_end(again)
    for _ in range(2):
        again.follow(document(threshold=0.7, view={"sample": 3}))  # what is kept stays
        again.follow(replace_branches(held))
        again.grow(held.branches, replace_branches(held))
        again.wait(PAUSED, FINISHED)
        assert digests_at_the_end(again) == expected


def replace_branches(document):
    return document.model_copy(update={"branches": ()})
