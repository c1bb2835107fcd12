"""What a value would do is what it does."""

import pytest

from workbench.engine.rollout import MOST_STEPS, Trial, rollout
from workbench.engine.runner import RunState
from workbench.errors import InputError

PAUSED, FINISHED = RunState.PAUSED, RunState.FINISHED


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("lca", {"threshold": 0.6}),
        ("lca lazy", {"time_constant": 30.0}),
        ("lif", {"gain": 2.0}),
        ("lif", {"time_step": 0.5}),  # starts the run again
        ("lca", {"steps": 60}),
    ],
)
@pytest.mark.parametrize("step", [0, 15, 40])
def test_the_rollout_is_the_run_that_the_change_gives(new_runner, document, kind, change, step):
    runner = new_runner()
    runner.follow(document(kind))
    for place in (40, step):
        runner.seek(place)
        runner.wait(PAUSED, FINISHED)
    status, wanted = runner.status, document(kind, **change)
    before = [status.branches[0].recording.digest(k) for k in range(41)]
    trial = Trial(runner.snapshot.branch, status.branches, status.step, wanted)
    lengths, foreseen = [], None
    for foreseen in rollout(trial, lambda: False):
        lengths.append(foreseen.head)
    assert [status.branches[0].recording.digest(k) for k in range(41)] == before
    runner.follow(wanted)
    runner.wait(PAUSED, FINISHED, RunState.RUNNING)
    runner.seek(10**6)
    runner.wait(FINISHED)
    record = runner.snapshot.recording
    assert foreseen.head == record.head
    assert [foreseen.digest(k) for k in range(record.head + 1)] == [
        record.digest(k) for k in range(record.head + 1)
    ]
    assert lengths == list(range(lengths[0], record.head + 1))


def test_it_ends_where_nobody_waits_and_after_so_many_steps(new_runner, document):
    runner = new_runner()
    runner.follow(document())
    runner.wait(PAUSED)
    trial = Trial(runner.snapshot.branch, runner.status.branches, 0, document(steps=2000))
    assert list(rollout(trial, lambda: False))[-1].head == MOST_STEPS
    assert list(rollout(trial, lambda: True))[-1].head == 0
    wrong = Trial(trial.branch, trial.branches, 0, document(threshold=-1.0))
    with pytest.raises(InputError, match="threshold"):
        list(rollout(wrong, lambda: False))
