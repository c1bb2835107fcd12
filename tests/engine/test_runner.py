"""The runner: what it is doing, what it does when asked, and that looking changes nothing."""

import random
import re
import threading
import time
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
import torch

from workbench.analysis import stability
from workbench.document import load, shipped
from workbench.engine import devices, metering
from workbench.engine import experiment as experiments
from workbench.engine import runner as runners
from workbench.engine.convergence import look_steps
from workbench.engine.evaluation import evaluate
from workbench.engine.experiment import Cancelled
from workbench.engine.recording import Recording
from workbench.engine.runner import RunState
from workbench.errors import InputError

PAUSED, RUNNING, FINISHED = RunState.PAUSED, RunState.RUNNING, RunState.FINISHED
KINDS = ("lca", "lif", "lif poisson")


def digests(experiment, sample=0):
    """The fingerprint at every step of a run, without a runner."""
    state = experiment.initial([sample])
    recording = Recording(experiment.system, state)
    for _ in range(experiment.steps):
        state = recording.advance(state)
    return [recording.digest(step) for step in range(experiment.steps + 1)]


def recorded(runner):
    """The fingerprint at every recorded step."""
    recording = runner.snapshot.recording
    return [recording.digest(step) for step in range(recording.head + 1)]


def arrive(runner, step):
    """Seek and wait until the cursor is there."""
    runner.seek(step)
    return runner.wait(PAUSED, FINISHED)


@pytest.fixture
def open_runner(new_runner):
    """A runner that has prepared a document and is paused at step 0."""

    def make(document, **settings):
        runner = new_runner(**settings)
        runner.follow(document)
        runner.wait(PAUSED)
        return runner

    return make


@pytest.fixture
def gate():
    """Lets a runner's steps through one by one: `arrived` before a step, `go` to let it happen."""

    class Gate:
        closed_from = 10**9  # steps from this one on wait
        arrived, go = threading.Event(), threading.Event()

        def __call__(self, step):
            if step >= self.closed_from:
                self.arrived.set()
                assert self.go.wait(10)

    gate = Gate()
    gate.arrived, gate.go = threading.Event(), threading.Event()
    yield gate
    gate.go.set()


@pytest.fixture
def held(gate, watched_steps, open_runner, document):
    """A runner that stands before step 5 → 6: ``held(start)`` waits until it is there."""

    def make(start, **changes):
        gate.closed_from = 5
        runner = open_runner(document(**changes), prepare=watched_steps(gate))
        start(runner)
        assert gate.arrived.wait(10)
        return runner

    return make


# -- states ---------------------------------------------------------------------------------------


def test_it_begins_idle_and_prepares_into_a_pause_at_step_0(new_runner, document):
    seen = []

    def prepare(*arguments):
        experiment = experiments.prepare(*arguments)
        seen.append((runner.status.state, runner.status.reason))
        return experiment

    runner = new_runner(prepare=prepare)
    assert runner.status.state is RunState.IDLE and runner.snapshot is None
    runner.follow(document())
    status = runner.wait(PAUSED)
    assert seen == [(RunState.PREPARING, "Wiring LCA")]
    assert (status.step, status.head, status.steps, status.reason) == (0, 0, 40, "")
    assert runner.snapshot.step == 0 and status.expected_bytes > 40 * 150 * 4


def test_requests_before_there_is_a_document_do_nothing(new_runner):
    runner = new_runner()
    for ask in (runner.restart, runner.step, runner.cancel):
        ask()
    runner.set_paused(False)
    runner.seek(3)
    runner.watch(["drive"])
    assert runner.wait(RunState.IDLE).step == 0 and runner.snapshot is None


def test_a_run_ends_with_all_steps_done(open_runner, document):
    runner = open_runner(document())
    runner.set_paused(False)
    status = runner.wait(FINISHED)
    assert (status.reason, status.step, status.head) == ("all steps done", 40, 40)
    assert runner.snapshot.step == 40
    runner.set_paused(False)  # and once more from the start
    assert runner.wait(FINISHED).step == 40


def test_running_is_said_while_it_runs_and_pause_stops_at_the_step_boundary(held, gate):
    runner = held(lambda runner: runner.set_paused(False))
    assert runner.status.state is RUNNING
    runner.set_paused(True)
    gate.go.set()
    status = runner.wait(PAUSED)
    assert (status.step, status.head, runner.snapshot.step) == (6, 6, 6)
    time.sleep(0.05)
    assert runner.status.step == 6


def test_cancel_stops_at_the_step_boundary_and_the_run_can_go_on(held, gate, prepared):
    runner = held(lambda runner: runner.set_paused(False))
    runner.cancel()
    gate.go.set()
    status = runner.wait(FINISHED)
    assert (status.reason, status.step) == ("cancelled", 6)
    runner.set_paused(False)
    assert runner.wait(FINISHED).reason == "all steps done"
    assert recorded(runner) == digests(prepared())


def test_cancel_of_nothing_changes_nothing(open_runner, document):
    runner = open_runner(document())
    arrive(runner, 3)
    runner.cancel()
    assert runner.wait(PAUSED).step == 3
    runner.set_paused(False)
    assert runner.wait(FINISHED).reason == "all steps done"


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        ([("step", 1)], 1),
        ([("step", 5), ("step", -2)], 3),
        ([("step", -1)], 0),
        ([("seek", 17)], 17),
        ([("seek", 17), ("seek", 4), ("step", 1)], 5),
        ([("seek", 30), ("step", -10), ("step", 3)], 23),
        ([("seek", 39)], 39),
        ([("seek", -3)], 0),
    ],
)
def test_the_cursor_goes_where_it_is_told_and_pauses_there(open_runner, document, moves, expected):
    runner = open_runner(document(), budget=0)
    for move, number in moves:
        getattr(runner, move)(number)
    status = runner.wait(PAUSED)
    assert (status.step, status.reason) == (expected, "")
    assert runner.snapshot.step == int(runner.snapshot.state.k) == expected


@pytest.mark.parametrize("step", [40, 41, 10**9])
def test_a_seek_to_the_end_finishes_the_run(open_runner, document, step):
    runner = open_runner(document())
    runner.seek(step)
    status = runner.wait(FINISHED)
    assert (status.step, status.reason) == (40, "all steps done")
    runner.step(-1)
    assert (runner.wait(PAUSED).step, runner.status.head) == (39, 40)


def test_restart_goes_back_to_step_0(open_runner, document, prepared):
    runner = open_runner(document())
    runner.seek(20)
    runner.restart()
    status = runner.wait(PAUSED)
    assert (status.step, status.head) == (0, 0)
    runner.seek(40)
    runner.wait(FINISHED)
    assert recorded(runner) == digests(prepared())


def test_no_steps_at_all_are_done_at_once(open_runner, document):
    runner = open_runner(document(steps=0))
    runner.set_paused(False)
    status = runner.wait(FINISHED)
    assert (status.reason, status.step, status.steps) == ("all steps done", 0, 0)
    runner.step()
    assert runner.wait(FINISHED).step == 0


# -- a seek under way -----------------------------------------------------------------------------


def test_a_long_seek_says_so_and_can_be_paused(held, gate):
    runner = held(lambda runner: runner.seek(30))
    time.sleep(0.05)  # more than a frame: it is published after this step
    gate.closed_from = 6
    gate.arrived.clear()
    gate.go.set()
    gate.go.clear()
    assert gate.arrived.wait(10)
    assert (runner.status.state, runner.status.reason) == (RUNNING, "Going to step 30")
    runner.set_paused(True)
    gate.go.set()
    status = runner.wait(PAUSED)
    assert status.step == 7 and status.reason == ""


def test_a_long_seek_can_be_cancelled(held, gate):
    runner = held(lambda runner: runner.seek(30))
    runner.cancel()
    gate.go.set()
    status = runner.wait(FINISHED)
    assert (status.step, status.reason) == (6, "cancelled")


def test_a_newer_seek_takes_over_and_steps_add_up(held, gate):
    runner = held(lambda runner: runner.seek(30))
    runner.seek(8)
    runner.step(2)
    runner.step(-1)
    gate.go.set()
    status = runner.wait(PAUSED)
    assert (status.step, status.head) == (9, 9)


def test_a_parameter_changed_during_a_seek_acts_at_once_and_the_seek_goes_on(
    held, gate, document, prepared
):
    runner = held(lambda runner: runner.seek(30))
    runner.follow(document(threshold=0.6))
    gate.go.set()
    assert runner.wait(PAUSED).step == 30
    assert recorded(runner)[:7] == digests(prepared())[:7]
    assert recorded(runner)[30] == forked(prepared(), 6, 0.6)[30]


def test_a_sample_changed_during_a_seek_is_taken_to_the_same_step(held, gate, document, prepared):
    runner = held(lambda runner: runner.seek(30))
    runner.follow(document(view={"sample": 3}))
    gate.go.set()
    assert runner.wait(PAUSED).step == 30
    assert recorded(runner) == digests(prepared(), sample=3)[:31]


def test_running_on_after_a_seek_goes_to_the_end(held, gate):
    runner = held(lambda runner: runner.seek(30))
    runner.set_paused(False)
    gate.go.set()
    assert runner.wait(FINISHED).step == 40


def test_of_many_seeks_in_a_row_only_the_last_is_gone_to(open_runner, document, watched_steps):
    computed, release = [], threading.Event()
    runner = open_runner(document(), prepare=watched_steps(computed.append), budget=0)
    arrive(runner, 40)
    runner.when_done(lambda: release.wait(10))
    computed.clear()
    for step in range(39, 19, -1):
        runner.seek(step)
    release.set()
    assert runner.wait(PAUSED).step == 20 and computed == list(range(20))


# -- pace -----------------------------------------------------------------------------------------


def test_a_pace_is_kept(open_runner, document):
    runner = open_runner(document(steps=11))
    runner.set_speed(50)
    started = time.monotonic()
    runner.set_paused(False)
    runner.wait(FINISHED)
    assert 10 / 50 <= time.monotonic() - started < 5


def test_a_new_pace_does_not_wait_for_the_old_one(open_runner, document):
    runner = open_runner(document())
    runner.set_speed(1e-12)  # a step in 30 000 years
    runner.set_paused(False)
    runner.wait(RUNNING)
    runner.set_speed(1000)
    assert runner.wait(FINISHED, timeout=5).step == 40


def test_a_slow_pace_still_listens(open_runner, document):
    runner = open_runner(document())
    runner.set_speed(1e-12)
    runner.set_paused(False)
    runner.wait(RUNNING)
    runner.set_paused(True)
    assert runner.wait(PAUSED, timeout=5).step <= 1
    runner.seek(20)
    assert runner.wait(PAUSED, timeout=5).step == 20


# -- one result, however one got there ------------------------------------------------------------


@pytest.mark.parametrize("budget", [0, 2**14, 2**29])
@pytest.mark.parametrize("kind", KINDS)
def test_back_and_forth_gives_the_result_of_a_straight_run(
    open_runner, document, prepared, kind, budget
):
    expected = digests(prepared(kind))
    runner = open_runner(document(kind), budget=budget)
    choose = random.Random(1)
    for _ in range(25):
        match choose.randrange(3):
            case 0:
                runner.step(choose.randint(-7, 9))
            case 1:
                runner.seek(choose.randint(0, 40))
            case 2:
                runner.set_paused(False)
                runner.set_paused(True)
        status = runner.wait(PAUSED, FINISHED)
        assert status.fingerprint == expected[status.step]
        assert recorded(runner) == expected[: status.head + 1]
    runner.set_paused(False)
    runner.wait(FINISHED)
    assert recorded(runner) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_pace_and_looking_change_nothing(open_runner, document, prepared, kind):
    experiment = prepared(kind)
    runner = open_runner(document(kind))
    runner.watch([o.name for o in experiment.system.observables])
    runner.set_speed(400)
    runner.set_paused(False)
    looked = 0
    while runner.status.state is not FINISHED:
        snapshot = runner.snapshot
        looked += len(snapshot.observed)
        snapshot.recording.state(snapshot.step // 2)
        time.sleep(0.005)
    assert looked and recorded(runner) == digests(experiment)


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_repeats_in_another_runner(open_runner, document, kind):
    runs = []
    for _ in range(2):
        runner = open_runner(document(kind, view={"sample": 2}))
        runner.set_paused(False)
        runner.wait(FINISHED)
        runs.append(recorded(runner))
    assert runs[0] == runs[1]


# -- looking --------------------------------------------------------------------------------------


def test_a_snapshot_holds_what_is_watched_and_its_arrays_belong_to_its_step(open_runner, document):
    runner = open_runner(document(threshold=0.6))
    runner.seek(20)
    assert runner.wait(PAUSED) and runner.snapshot.observed == {}
    runner.watch(["membrane_potential", "energy", "of another system"])
    runner.wait(PAUSED)
    snapshot = runner.snapshot
    assert set(snapshot.observed) == {"membrane_potential", "energy"}
    runner.seek(35)
    runner.wait(PAUSED)
    assert runner.snapshot.step == 35
    assert snapshot.step == int(snapshot.state.k) == 20
    assert np.array_equal(
        snapshot.observed["membrane_potential"], snapshot.state.u[0].numpy(force=True)
    )
    assert np.array_equal(snapshot.observed["energy"], snapshot.recording.summary("energy")[20])


def test_status_and_snapshot_cannot_be_changed(open_runner, document):
    runner = open_runner(document())
    runner.watch(["membrane_potential"])
    runner.wait(PAUSED)
    with pytest.raises(FrozenInstanceError):
        runner.status.step = 3
    with pytest.raises(FrozenInstanceError):
        runner.snapshot.step = 3
    with pytest.raises(TypeError):
        runner.snapshot.observed["membrane_potential"] = None
    with pytest.raises(ValueError, match="read-only"):
        runner.snapshot.observed["membrane_potential"][0] = 1.0


def test_every_snapshot_seen_from_another_thread_is_of_one_instant(open_runner, document):
    runner = open_runner(document(threshold=0.3, steps=400), budget=2**16)
    runner.watch(["membrane_potential", "firing_count", "energy"])
    runner.wait(PAUSED)
    wrong, steps, done = [], set(), threading.Event()

    def look():
        while not done.is_set():
            shot = runner.snapshot
            seen, step = shot.observed, shot.step
            steps.add(step)
            if not (
                int(shot.state.k) == step <= shot.recording.head
                and np.array_equal(seen["membrane_potential"], shot.state.u[0].numpy(force=True))
                and seen["firing_count"] == shot.recording.summary("firing_count")[step]
                and np.array_equal(seen["energy"], shot.recording.summary("energy")[step])
                and runner.status.step <= runner.status.steps
            ):
                wrong.append(step)

    thread = threading.Thread(target=look)
    thread.start()
    choose = random.Random(2)
    for _ in range(60):
        runner.seek(choose.randint(0, 400))
        runner.wait(PAUSED, FINISHED)
        if choose.random() < 0.2:
            runner.follow(document(threshold=choose.choice([0.2, 0.4]), steps=400))
    done.set()
    thread.join(10)
    assert not wrong and len(steps) > 10


# -- changes of the document ----------------------------------------------------------------------


def forked(experiment, step, threshold):
    """The fingerprints of a run in which the threshold changes after a step."""
    state = experiment.initial([0])
    recording = Recording(experiment.system, state)
    for _ in range(step):
        state = recording.advance(state)
    system = experiment.system
    changed = system.with_params(system.params.changed(threshold=threshold))
    recording = recording.fork(step, changed)
    for _ in range(experiment.steps - step):
        state = recording.advance(state)
    return [recording.digest(k) for k in range(experiment.steps + 1)]


def test_a_live_change_acts_on_the_next_step_and_says_so(open_runner, document, prepared):
    runner = open_runner(document())
    arrive(runner, 18)
    runner.follow(document(threshold=0.6))
    status = runner.wait(PAUSED)
    assert status.notice == "threshold 1 → 0.6 from step 19 on"
    assert (status.step, status.head, status.refused) == (18, 18, "")
    assert status.fingerprint == digests(prepared())[18]
    runner.set_paused(False)
    runner.wait(FINISHED)
    assert recorded(runner) == forked(prepared(), 18, 0.6)
    assert recorded(runner)[19] != digests(prepared())[19]


def test_a_live_change_in_the_past_forks_there_and_says_what_stays(open_runner, document, prepared):
    runner = open_runner(document())
    arrive(runner, 30)
    arrive(runner, 18)
    trunk = runner.snapshot.recording
    runner.follow(document(threshold=0.6))
    status = runner.wait(PAUSED)
    assert status.notice == "threshold 1 → 0.6 from step 19 on; trunk stays as it was"
    assert (status.step, status.head) == (18, 18)
    runner.seek(40)
    runner.wait(FINISHED)
    assert recorded(runner) == forked(prepared(), 18, 0.6)
    assert [trunk.digest(k) for k in range(31)] == digests(prepared())[:31]


@pytest.mark.parametrize("budget", [0, 2**29])
def test_running_over_a_change_in_the_record_repeats_it(open_runner, document, prepared, budget):
    runner = open_runner(document(), budget=budget)
    arrive(runner, 18)
    runner.follow(document(threshold=0.6))
    arrive(runner, 30)
    arrive(runner, 5)
    runner.set_paused(False)
    runner.wait(FINISHED)
    assert recorded(runner) == forked(prepared(), 18, 0.6)


def test_a_live_change_while_running_does_not_stop_the_run(held, gate, document, prepared):
    runner = held(lambda runner: runner.set_paused(False))
    runner.follow(document(threshold=0.6))
    gate.go.set()
    status = runner.wait(FINISHED)
    assert status.notice == "threshold 1 → 0.6 from step 7 on"
    assert recorded(runner) == forked(prepared(), 6, 0.6)


@pytest.mark.parametrize("step", [0, 40])
def test_a_live_change_at_either_end_is_a_run_with_the_new_parameter(
    open_runner, document, prepared, step
):
    runner = open_runner(document())
    arrive(runner, step)
    runner.follow(document(threshold=0.6))
    status = runner.wait(PAUSED, FINISHED)
    stays = "; trunk stays as it was" if step else ""
    assert status.notice == f"threshold 1 → 0.6 from the first step on{stays}"
    runner.set_paused(False)
    runner.wait(FINISHED)
    assert recorded(runner) == digests(prepared(threshold=0.6))


def test_another_sample_restarts_and_runs_on_if_it_ran(open_runner, document, prepared):
    runner = open_runner(document())
    arrive(runner, 12)
    runner.follow(document(view={"sample": 5}))
    status = runner.wait(PAUSED)
    assert (status.step, status.notice) == (0, "Restarted with sample 5")
    runner.set_paused(False)
    runner.wait(FINISHED)
    assert recorded(runner) == digests(prepared(), sample=5)
    runner.follow(document(view={"sample": 6}))
    assert runner.wait(FINISHED).step == 40
    assert recorded(runner) == digests(prepared(), sample=6) and runner.snapshot.sample == 6


@pytest.mark.parametrize(
    ("changes", "notice"),
    [
        ({"dictionary": {"atoms": 90}}, "Restarted with dictionary atoms 150 → 90"),
        ({"data": {"seed": 3}, "dictionary": {"atoms": 150}}, "Restarted with data seed 0 → 3"),
        ({"run": {"precision": "float64"}}, "Restarted with run precision float32 → float64"),
    ],
)
def test_other_data_or_atoms_are_prepared_anew(open_runner, document, prepared, changes, notice):
    runner = open_runner(document())
    arrive(runner, 12)
    runner.follow(document(**changes))
    status = runner.wait(PAUSED)
    assert (status.step, status.notice) == (0, notice)
    runner.seek(40)
    runner.wait(FINISHED)
    assert recorded(runner) == digests(prepared(**changes)) != digests(prepared())


def test_another_system_is_followed(open_runner, document, prepared):
    runner = open_runner(document())
    runner.watch(["membrane_potential"])
    arrive(runner, 12)
    runner.follow(document("lif poisson"))
    assert runner.wait(PAUSED).notice == "Restarted with system lif"
    assert runner.snapshot.observed["membrane_potential"].shape == (64,)
    runner.seek(40)
    runner.wait(FINISHED)
    assert recorded(runner) == digests(prepared("lif poisson"))


def test_a_change_of_the_view_only_leaves_the_run_alone(open_runner, document):
    runner = open_runner(document())
    arrive(runner, 12)
    recording, notice = runner.snapshot.recording, runner.status.notice
    runner.follow(document(view={"neuron": 4}, decoder={"kind": "max"}))
    assert runner.wait(PAUSED).step == 12
    assert runner.snapshot.recording is recording and runner.status.notice == notice
    assert runner.snapshot.experiment.asked.view.neuron == 4
    assert runner.snapshot.experiment.document.decoder.kind == "max"


def test_steps_raised_at_the_end_let_the_run_go_on(open_runner, document, prepared):
    runner = open_runner(document())
    arrive(runner, 40)
    runner.follow(document(steps=60))
    status = runner.wait(PAUSED)
    assert (status.step, status.steps) == (40, 60)
    runner.set_paused(False)
    assert runner.wait(FINISHED).step == 60
    assert recorded(runner) == digests(prepared(steps=60))


@pytest.mark.parametrize(("steps", "restarted"), [(60, False), (10, False), (3, True)])
def test_steps_changed_in_mid_run_set_a_new_end(held, gate, document, prepared, steps, restarted):
    runner = held(lambda runner: runner.set_paused(False))
    runner.follow(document(steps=steps))
    gate.go.set()
    status = runner.wait(FINISHED)
    assert (status.reason, status.step, status.steps) == ("all steps done", steps, steps)
    assert ("from the first step on" in status.notice) is restarted
    assert recorded(runner) == digests(prepared(steps=steps))


def test_of_many_documents_in_a_row_only_the_last_is_prepared(new_runner, document):
    begun, release, prepared = threading.Event(), threading.Event(), []

    def prepare(document, *rest):
        prepared.append(document.dictionary.atoms)
        begun.set()
        assert release.wait(10)
        return experiments.prepare(document, *rest)

    runner = new_runner(prepare=prepare)
    runner.follow(document(dictionary={"atoms": 20}))
    assert begun.wait(10)
    for atoms in range(21, 60):
        runner.follow(document(dictionary={"atoms": atoms}))
    release.set()
    runner.wait(PAUSED)
    assert prepared == [20, 59]
    assert runner.snapshot.experiment.asked.dictionary.atoms == 59


def test_a_document_does_not_overtake_what_was_asked_for_before_it(new_runner, document):
    runner = new_runner()
    runner.follow(document())
    runner.set_paused(False)  # of the first document, and so of those that follow it
    runner.follow(document(dictionary={"atoms": 50}))
    status = runner.wait(FINISHED)
    assert status.step == 40 and runner.snapshot.experiment.asked.dictionary.atoms == 50


# -- what is refused ------------------------------------------------------------------------------

NOT_THERE = next(name for name in ("cuda", "mps") if name not in devices.there())
REFUSED = [
    ("data.dataset=mnist", "data.root = null"),
    ("view.sample=360", "view.sample = 360: the test set has samples 0 to 359"),
    ("system.threshold=-1", "system.threshold = -1"),
    ("system.treshold=1", "did you mean threshold"),
    ("system.kind=nothing", "system.kind = 'nothing'"),
    ("dictionary.atoms=5000", "atoms = 5000"),
    ("dictionary.leave_out=ten", "there is no class 'ten'"),
    (f"run.device={NOT_THERE}", f"run.device = '{NOT_THERE}'"),
]


@pytest.mark.parametrize(("change", "words"), REFUSED, ids=[change for change, _ in REFUSED])
def test_a_refused_change_says_one_line_and_keeps_the_run(
    open_runner, document, prepared, change, words
):
    runner = open_runner(document())
    before = arrive(runner, 12)
    recording = runner.snapshot.recording
    runner.follow(document().with_text(change))
    status = runner.wait(PAUSED)
    assert words in status.refused and "\n" not in status.refused
    assert status.serial == before.serial + 1
    assert (status.step, status.fingerprint) == (before.step, before.fingerprint)
    runner.set_paused(False)
    assert runner.wait(FINISHED).reason == "all steps done"
    assert runner.snapshot.recording is recording and recorded(runner) == digests(prepared())


@pytest.mark.parametrize("change", ["data.dataset=mnist", "system.threshold=-1"])
def test_a_change_refused_while_running_does_not_stop_the_run(held, gate, document, change):
    runner = held(lambda runner: runner.set_paused(False))
    runner.follow(document().with_text(change))
    gate.go.set()
    status = runner.wait(FINISHED)
    assert status.refused and status.step == 40


@pytest.mark.parametrize(("change", "words"), REFUSED, ids=[change for change, _ in REFUSED])
def test_a_first_document_that_is_refused_fails_in_one_line(new_runner, document, change, words):
    runner = new_runner()
    runner.follow(document().with_text(change))
    status = runner.wait(RunState.FAILED)
    assert words in status.error and status.error == status.refused
    runner.follow(document())
    status = runner.wait(PAUSED)
    assert status.error == ""
    runner.set_paused(False)
    assert runner.wait(FINISHED).step == 40


def test_a_change_that_is_accepted_after_a_refused_one_is_not_called_refused(open_runner, document):
    runner = open_runner(document())
    arrive(runner, 12)
    runner.follow(document(threshold=-1.0))
    refused = runner.wait(PAUSED)
    runner.follow(document(threshold=0.6))
    status = runner.wait(PAUSED)
    assert refused.refused and refused.notice == ""
    assert status.refused == "" and status.notice and status.serial == refused.serial + 1


def test_a_finished_run_stays_finished_when_a_change_is_refused(open_runner, document):
    runner = open_runner(document())
    arrive(runner, 40)
    runner.follow(document(dictionary={"atoms": 5000}))
    status = runner.wait(FINISHED)
    assert status.refused and status.reason == "all steps done"


@pytest.fixture
def with_a_nan():
    """A `prepare` whose test sample 3 holds a NaN."""

    class Spoilt:
        def __init__(self, vectors):
            self.vectors = vectors

        def rows(self, index):
            rows = self.vectors.rows(index).clone()
            rows[torch.tensor(index) == 3, 5] = torch.nan
            return rows

    def prepare(*arguments):
        experiment = experiments.prepare(*arguments)
        vectors = experiment.vectors
        return replace(experiment, vectors=replace(vectors, test=Spoilt(vectors.test)))

    return prepare


def test_a_signal_with_a_nan_is_refused_in_one_line(open_runner, document, with_a_nan):
    runner = open_runner(document(), prepare=with_a_nan)
    arrive(runner, 12)
    runner.follow(document(view={"sample": 3}))
    status = runner.wait(PAUSED)
    assert status.refused.startswith("test sample 3: ") and "NaN" in status.refused
    assert status.step == 12 and runner.snapshot.sample == 0
    runner.step()
    assert runner.wait(PAUSED).step == 13


def test_a_first_signal_with_a_nan_fails_in_one_line(new_runner, document, with_a_nan):
    runner = new_runner(prepare=with_a_nan)
    runner.follow(document(view={"sample": 3}))
    assert "NaN" in runner.wait(RunState.FAILED).error
    runner.follow(document(view={"sample": 4}))
    assert runner.wait(PAUSED).error == ""


# -- preparing is called off ----------------------------------------------------------------------


@pytest.fixture
def endless():
    """A `prepare` that goes on until it is cancelled, for documents with 99 atoms."""

    def prepare(document, previous, report, cancelled, show):
        while document.dictionary.atoms == 99:
            prepare.begun.set()
            if cancelled():
                raise Cancelled
            time.sleep(0.001)
        return experiments.prepare(document, previous, report, cancelled, show)

    prepare.begun = threading.Event()
    return prepare


def test_preparing_can_be_cancelled_and_the_run_before_is_kept(open_runner, document, endless):
    runner = open_runner(document(), prepare=endless)
    arrive(runner, 12)
    runner.follow(document(dictionary={"atoms": 99}))
    assert endless.begun.wait(10) and runner.status.state is RunState.PREPARING
    runner.cancel()
    status = runner.wait(PAUSED)
    assert (status.step, status.refused) == (12, "Preparing was cancelled")
    runner.follow(document(dictionary={"atoms": 50}))  # the cancel is used up
    assert runner.wait(PAUSED).refused == ""


def test_a_document_that_follows_a_cancel_is_prepared(new_runner, document, endless):
    runner = new_runner(prepare=endless)
    runner.follow(document(dictionary={"atoms": 99}))
    assert endless.begun.wait(10)
    runner.cancel()
    runner.cancel()
    runner.follow(document())
    assert runner.wait(PAUSED).refused == "Preparing was cancelled"
    assert runner.snapshot is not None


# -- our own faults -------------------------------------------------------------------------------


def test_an_exception_in_a_step_fails_the_run_and_nothing_else(
    open_runner, document, prepared, watched_steps, caplog
):
    failing = True

    def before(step):
        if failing and step == 7:
            raise ZeroDivisionError("seven\nis not a number of steps")

    runner = open_runner(document(), prepare=watched_steps(before))
    runner.set_paused(False)
    status = runner.wait(RunState.FAILED)
    assert status.error == "ZeroDivisionError: seven is not a number of steps"
    assert (status.step, status.head) == (7, 7)
    assert "before(int(state.k))" in caplog.text  # the traceback
    runner.step(-2)
    assert (runner.wait(PAUSED).step, runner.status.error) == (5, "")
    runner.seek(9)
    runner.wait(RunState.FAILED)
    failing = False
    runner.follow(document(threshold=0.6))
    assert runner.wait(PAUSED).error == ""
    runner.set_paused(False)
    assert runner.wait(FINISHED).step == 40
    assert recorded(runner) == digests(prepared(threshold=0.6))


def test_an_exception_while_preparing_fails_and_later_documents_run(new_runner, document, caplog):
    def prepare(document, *rest):
        if document.dictionary.atoms == 99:
            raise OSError("disk on fire")
        return experiments.prepare(document, *rest)

    runner = new_runner(prepare=prepare)
    runner.follow(document(dictionary={"atoms": 99}))
    assert runner.wait(RunState.FAILED).error == "OSError: disk on fire"
    runner.follow(document())
    runner.wait(PAUSED)
    arrive(runner, 12)
    runner.follow(document(dictionary={"atoms": 99}))
    assert runner.wait(RunState.FAILED)
    runner.follow(document())  # the same as the run that was there
    status = runner.wait(PAUSED)
    assert (status.step, status.error) == (0, "") and "disk on fire" in caplog.text


def test_a_callback_that_raises_does_not_end_the_thread(open_runner, document, caplog):
    runner = open_runner(document())
    runner.when_done(lambda: 1 / 0)
    runner.wait(RunState.FAILED)
    runner.restart()
    assert runner.wait(PAUSED).error == "" and "ZeroDivisionError" in caplog.text


# -- when it is done ------------------------------------------------------------------------------


def test_done_means_that_the_seek_has_arrived(open_runner, document):
    runner = open_runner(document(steps=4000))
    reached, done = [], threading.Event()
    runner.seek(3000)
    runner.when_done(lambda: reached.append(runner.status.step))
    runner.when_done(done.set)
    assert done.wait(30) and reached == [3000]


def test_waiting_for_what_does_not_come_gives_up(open_runner, document):
    runner = open_runner(document())
    with pytest.raises(TimeoutError, match="still paused"):
        runner.wait(FINISHED, timeout=0.05)


# -- the end --------------------------------------------------------------------------------------


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "runner"]


@pytest.mark.parametrize("doing", ["nothing", "running", "running slowly", "seeking"])
def test_closing_leaves_no_thread(open_runner, document, doing):
    runner = open_runner(document(steps=1_000_000))
    runner.set_speed(1e-12 if "slowly" in doing else None)
    if "running" in doing:
        runner.set_paused(False)
        runner.wait(RUNNING)
    if doing == "seeking":
        runner.seek(900_000)
        while runner.status.state is not RUNNING:
            time.sleep(0.001)
    assert len(threads()) == 1
    assert runner.close(timeout=2)
    assert threads() == []
    runner.seek(3)  # nobody listens any more
    runner.follow(document())
    assert runner.close()


def test_closing_while_preparing_leaves_no_thread(new_runner, document, endless):
    runner = new_runner(prepare=endless)
    runner.follow(document(dictionary={"atoms": 99}))
    runner.seek(3)
    assert endless.begun.wait(10)
    assert runner.close(timeout=2) and threads() == []


# -- the edge of stability ------------------------------------------------------------------------


def test_the_unstable_example_says_in_words_what_is_wrong_and_what_helps(open_runner):
    unstable = load(shipped()["digits-unstable"])
    runner = open_runner(unstable)
    assert runner.status.alarm == ""
    runner.set_paused(False)
    status = runner.wait(FINISHED)
    assert status.reason == "diverged" and 0 < status.step < status.steps
    assert "oscillating" in status.alarm and "Use Δt = 0.0" in status.alarm
    assert not np.isfinite(runner.snapshot.recording.summary("energy")[-1]).all()

    runner.set_paused(False)  # from the start again
    assert runner.wait(FINISHED).step == status.step
    runner.seek(status.steps)  # there is nothing beyond
    assert (runner.wait(FINISHED).step, runner.status.reason) == (status.step, "diverged")
    runner.step(-1)
    assert runner.wait(PAUSED).step == status.step - 1
    runner.set_paused(False)
    assert runner.wait(FINISHED).fingerprint == status.fingerprint
    advice = float(status.alarm.split("Use Δt = ")[1].split()[0])
    runner.follow(unstable.with_value("system.time_step", advice))
    status = runner.wait(FINISHED)
    assert (status.reason, status.alarm) == ("all steps done", "")
    assert status.notice.startswith(f"time step 1 → {advice:g} from the first step on")


def test_a_sound_run_raises_no_alarm_even_when_a_parameter_is_changed(open_runner, document):
    runner = open_runner(document())
    arrive(runner, 30)
    runner.follow(document(threshold=3.0))  # the price of activity rises, and with it the energy
    runner.seek(40)
    status = runner.wait(FINISHED)
    total = runner.snapshot.recording.summary("energy")[:, 2]
    assert status.alarm == "" and total[31] > 1.01 * total[30]


def test_the_refusals_are_input_errors(document):
    """What the tables above call refused is refused by `prepare` itself, too."""
    for change, _ in REFUSED:
        if not change.startswith("view"):
            with pytest.raises(InputError):
                experiments.prepare(document().with_text(change))


# -- convergence ----------------------------------------------------------------------------------

STOPPING = {"threshold": 2.0, "time_constant": 20.0, "steps": 100, "run": {"tolerance": 0.02}}


@pytest.fixture
def stop(prepared):
    """The step at which an evaluation stops the first sample of `STOPPING`."""
    (found,) = evaluate(prepared(**STOPPING), [0])
    return int(found.steps_taken[0])


def test_a_run_ends_where_its_sample_has_converged_as_in_an_evaluation(
    open_runner, document, prepared, stop
):
    runner = open_runner(document(**STOPPING))
    runner.set_paused(False)
    status = runner.wait(FINISHED)
    assert 8 < stop < 100 and stop in look_steps(100)
    assert (status.reason, status.step, status.head) == ("converged", stop, stop)
    (found,) = evaluate(prepared(**STOPPING), [0])
    assert status.fingerprint == found.fingerprint
    words = (
        rf"Converged at step {stop}: the energy is at most [\d.]+ % too high. Run goes on to .*100"
    )
    assert re.fullmatch(words, status.notice) and status.steps == 100


def test_running_on_from_there_goes_to_the_last_step_and_again_from_the_start(
    open_runner, document, prepared, stop
):
    runner = open_runner(document(**STOPPING))
    runner.set_paused(False)
    runner.wait(FINISHED)
    runner.set_paused(False)
    status = runner.wait(FINISHED)
    assert (status.reason, status.step) == ("all steps done", 100)
    assert status.notice.startswith(f"Converged since step {stop}: the energy is at most ")
    assert recorded(runner) == digests(prepared(**STOPPING))
    runner.seek(3)  # along the record it ends there, too
    runner.set_paused(False)
    status = runner.wait(FINISHED)
    assert (status.reason, status.step, status.head) == ("converged", stop, 100)
    arrive(runner, 100)
    runner.set_paused(False)
    assert (runner.wait(FINISHED).step, runner.status.head) == (stop, stop)


def test_steps_and_seeks_go_where_they_were_sent(open_runner, document, stop):
    runner = open_runner(document(**STOPPING))
    assert arrive(runner, stop + 5).step == stop + 5 and runner.status.state is PAUSED
    status = arrive(runner, stop)
    assert (status.state, status.reason) == (FINISHED, "converged")
    runner.step(1)
    assert runner.wait(PAUSED).step == stop + 1
    runner.restart()
    runner.step(stop)
    assert runner.wait(FINISHED).reason == "converged"
    runner.step(1)
    assert runner.wait(PAUSED).step == stop + 1


def test_other_parameters_must_converge_anew(open_runner, document, stop):
    runner = open_runner(document(**STOPPING))
    runner.set_paused(False)
    runner.wait(FINISHED)
    runner.follow(document(**STOPPING | {"threshold": 1.0}))
    assert runner.wait(PAUSED).step == stop
    runner.set_paused(False)
    status = runner.wait(FINISHED)
    assert status.step > stop and status.step in look_steps(100)


def test_a_run_that_has_not_converged_says_how_far_it_may_be(open_runner, document):
    changes = STOPPING | {"run": {"tolerance": 1e-5}}
    runner = open_runner(document(**changes))
    runner.set_paused(False)
    status = runner.wait(FINISHED)
    assert (status.reason, status.step) == ("all steps done", 100)
    words = r"Stopped but not converged: the energy may be up to [\d.]+ % too high"
    assert re.fullmatch(words, status.notice)
    runner.seek(99)
    runner.set_paused(False)
    runner.cancel()
    assert re.fullmatch(words, runner.wait(FINISHED).notice)


def test_without_a_tolerance_nothing_is_said_of_convergence(open_runner, document):
    runner = open_runner(document(**STOPPING | {"run": {}}))
    runner.set_paused(False)
    status = runner.wait(FINISHED)
    assert (status.reason, status.step, status.notice) == ("all steps done", 100, "")


def test_a_tolerance_starts_the_same_network_again(open_runner, document, stop):
    runner = open_runner(document(**STOPPING | {"run": {}}))
    system = runner.snapshot.experiment.system
    runner.set_paused(False)
    runner.wait(FINISHED)
    runner.follow(document(**STOPPING))
    status = runner.wait(FINISHED)
    assert (status.step, status.reason) == (stop, "converged")
    assert runner.snapshot.experiment.system.wiring is system.wiring
    assert runner.snapshot.experiment.document.run.tolerance == 0.02
    runner.follow(document(**STOPPING | {"transfer": "hard"}))
    refused = runner.wait(FINISHED)
    assert refused.refused.startswith("run.tolerance = 0.02: must be null here")
    assert (refused.step, refused.reason) == (stop, "converged")


# -- the step against its bound -------------------------------------------------------------------


def bound_of(runner):
    """The bound, once it is that of the cursor."""
    deadline = time.monotonic() + 10
    while runner._meter.is_old(runner._cursor) and time.monotonic() < deadline:
        time.sleep(0.001)
    runner.wait(PAUSED, FINISHED)  # by now it is put out
    return runner.status.bound


def test_the_bound_is_that_of_the_cursor_wherever_a_run_stands(open_runner, document):
    runner = open_runner(document())
    for step in (0, 7, 40, 12):
        arrive(runner, step)
        snapshot = runner.snapshot
        expected = stability.bound(snapshot.experiment.system.lasso(snapshot.state))
        assert bound_of(runner) == expected, step
    runner.follow(document(time_step=0.5))
    runner.wait(PAUSED)
    assert bound_of(runner).step == 0.025


def test_while_it_runs_the_bound_follows_and_changes_nothing(
    open_runner, document, prepared, monkeypatch
):
    monkeypatch.setattr(metering, "BOUND_PACE", 0.0)
    monkeypatch.setattr(metering, "BOUND_SHARE", 1e9)
    monkeypatch.setattr(runners, "FRAME", 0.0)
    seen = []

    def watched(lasso):
        seen.append(stability_bound(lasso))
        return seen[-1]

    stability_bound = stability.bound
    monkeypatch.setattr(stability, "bound", watched)
    runner = open_runner(document("lca lazy"))
    runner.set_paused(False)
    runner.wait(FINISHED)
    assert len(seen) >= 39 and len({bound.active for bound in seen}) > 3
    assert recorded(runner) == digests(prepared("lca lazy"))


def test_the_bound_costs_at_most_its_share_of_the_time(open_runner, document, monkeypatch):
    monkeypatch.setattr(metering, "BOUND_PACE", 0.0)
    monkeypatch.setattr(metering, "BOUND_SHARE", 1e-9)
    calls = []
    monkeypatch.setattr(stability, "bound", lambda lasso: calls.append(1) or time.sleep(1e-3))
    runner = open_runner(document(steps=2000))
    runner.set_paused(False)
    runner.wait(FINISHED)
    bound_of(runner)
    assert len(calls) <= 3  # at step 0, at the first frame, at the end


def test_a_system_without_a_lasso_has_no_bound(open_runner, document):
    runner = open_runner(document())
    assert bound_of(runner).limit == 2.0
    runner.follow(document("lif"))
    runner.wait(PAUSED)
    assert bound_of(runner) is None
