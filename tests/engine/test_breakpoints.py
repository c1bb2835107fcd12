"""Runs that stop where something happens: the same steps as found in a whole run."""

import math

import numpy as np
import pytest

from workbench.analysis import optimality
from workbench.engine.breakpoints import BREAKPOINTS
from workbench.engine.recording import Recording
from workbench.engine.runner import RunState

PAUSED, FINISHED = RunState.PAUSED, RunState.FINISHED


def whole(experiment, sample=0):
    """A recording of the whole run, and its states."""
    states = [experiment.initial([sample])]
    recording = Recording(experiment.system, states[0])
    for _ in range(experiment.steps):
        states.append(recording.advance(states[-1]))
    return recording, states


def stops(runner, name, neuron=None, most=100):
    """The steps at which the runner stops, one after the other, and what it says there."""
    found = []
    for _ in range(most):
        runner.run_until(name, neuron)
        status = runner.wait(PAUSED, FINISHED)
        if not status.notice.startswith("Step"):
            return found
        assert status.notice.startswith(f"Step {status.step}: ")
        found.append((status.step, status.notice.partition(": ")[2]))
        if status.state is FINISHED:
            return found
    raise AssertionError("it never ends")


@pytest.fixture
def at_rest(new_runner):
    """Makes runners that follow a document and rest at step 0."""

    def make(document):
        runner = new_runner()
        runner.follow(document)
        runner.wait(PAUSED)
        return runner

    return make


@pytest.mark.parametrize("kind", ["lca", "lca lazy", "lif"])
def test_it_stops_wherever_a_neuron_begins_to_fire(at_rest, document, prepared, kind):
    spikes = [set(index.tolist()) for index in whole(prepared(kind))[0].spikes()]
    expected = [k for k in range(1, len(spikes)) if spikes[k] - spikes[k - 1]]
    found = stops(at_rest(document(kind)), "fires")
    assert [step for step, _ in found] == expected and len(expected) > 2
    first = sorted(spikes[expected[0]])
    assert f"neuron {first[0]}" in found[0][1]


@pytest.mark.parametrize("kind", ["lca", "lif"])
def test_it_stops_wherever_the_selected_neuron_starts_or_falls_silent(
    at_rest, document, prepared, kind
):
    spikes = whole(prepared(kind))[0].spikes()
    neuron = int(np.concatenate(spikes)[0])
    fires = [neuron in index for index in spikes]
    expected = [k for k in range(1, len(fires)) if fires[k] != fires[k - 1]]
    found = stops(at_rest(document(kind)), "crosses", neuron)
    assert [step for step, _ in found] == expected
    words = [f"neuron {neuron} begins to fire", f"neuron {neuron} falls silent"]
    assert [said for _, said in found] == [words[not fires[k]] for k in expected]


def test_it_stops_wherever_the_decision_changes(at_rest, document, prepared):
    for sample in range(40):
        evidence = whole(prepared(threshold=0.5), sample)[0].summary("class_evidence")
        decided = [int(row.argmax()) if row.max() > 0 else None for row in evidence]
        expected = [k for k in range(1, len(decided)) if decided[k] != decided[k - 1]]
        if len(expected) > 1 and None not in decided[expected[0] :]:
            break
    found = stops(at_rest(document(threshold=0.5, view={"sample": sample})), "decides")
    assert [step for step, _ in found] == expected
    assert found[0][1] == f"the decision changes from undecided to “{decided[expected[0]]}”"
    last = f"from “{decided[expected[-1] - 1]}” to “{decided[expected[-1]]}”"
    assert last in found[-1][1]


def test_it_stops_wherever_the_energy_rises(at_rest, document, prepared):
    params = {"threshold": 0.3, "time_constant": 2.0}
    total = whole(prepared(**params))[0].summary("energy")[:, 2]
    expected = [k for k in range(1, len(total)) if total[k] > total[k - 1] + 1e-5 * total[0]]
    assert len(expected) > 1
    found = stops(at_rest(document(**params)), "rises")
    assert [step for step, _ in found] == expected[: len(found)]
    assert len(found) == len(expected) or not math.isfinite(total[-1])


@pytest.mark.parametrize("tolerance", [None, 0.2])
def test_it_stops_at_the_very_step_at_which_it_converged(at_rest, document, prepared, tolerance):
    params = {"threshold": 0.7, "time_constant": 10.0, "steps": 400}
    experiment = prepared(**params)
    _, states = whole(experiment)
    small = [
        bool(optimality.converged(experiment.system.lasso(state), tolerance or 1e-3))
        for state in states
    ]
    wish = document(**params, run={"tolerance": tolerance})
    runner = at_rest(wish)
    runner.run_until("converges")
    status = runner.wait(PAUSED, FINISHED)
    if True in small:
        assert status.step == small.index(True) and "% too high" in status.notice
    else:
        assert status.notice == "Not up to step 400: it has converged"
    assert (tolerance is None) or True in small


def test_it_stops_in_what_is_recorded_as_in_what_is_computed(at_rest, document):
    runner = at_rest(document())
    computed = stops(runner, "fires")
    assert runner.status.head == 40
    runner.seek(0)
    runner.wait(PAUSED)
    assert stops(runner, "fires") == computed
    assert runner.status.head == 40


def test_where_nothing_happens_the_run_ends_and_says_so(at_rest, document):
    runner = at_rest(document(threshold=50.0))
    runner.run_until("fires")
    status = runner.wait(FINISHED)
    assert (status.step, status.reason) == (40, "all steps done")
    assert status.notice == "Not up to step 40: a neuron begins to fire"


def test_a_pause_or_a_seek_forgets_what_to_stop_at(at_rest, document):
    runner = at_rest(document())
    runner.set_speed(1e-12)
    for forget in (lambda: runner.set_paused(True), lambda: runner.seek(3)):
        runner.run_until("fires")
        runner.wait(RunState.RUNNING)
        forget()
        runner.wait(PAUSED)
    runner.set_speed(None)
    runner.set_paused(False)
    assert runner.wait(FINISHED).step == 40


def test_a_network_that_blows_up_ends_as_always(at_rest, document):
    runner = at_rest(document(threshold=0.1, time_constant=0.2, steps=400))
    runner.run_until("converges")
    assert runner.wait(FINISHED).reason == "diverged"


def test_a_condition_is_offered_where_a_system_has_what_it_looks_at(prepared):
    offered = {
        kind: {name for name, point in BREAKPOINTS.items() if point.applies(prepared(kind).system)}
        for kind in ("lca", "lif")
    }
    assert offered["lca"] == set(BREAKPOINTS)
    assert "converges" not in offered["lif"] and "fires" in offered["lif"]
    hard = prepared(transfer="hard").system
    assert not BREAKPOINTS["converges"].applies(hard)


def test_another_transfer_in_mid_run_ends_no_run_that_waits_to_converge(at_rest, document):
    runner = at_rest(document(steps=200))
    runner.set_speed(200)
    runner.run_until("converges")
    runner.wait(RunState.RUNNING)
    runner.follow(document(steps=200, transfer="hard"))
    runner.set_speed(None)
    assert runner.wait(FINISHED).notice == "Not up to step 200: it has converged"


def test_a_change_that_restarts_the_run_keeps_what_to_stop_at(at_rest, document, prepared):
    runner = at_rest(document())
    runner.set_speed(1e-12)
    runner.run_until("fires")
    runner.wait(RunState.RUNNING)
    runner.follow(document(threshold=0.5, view={"sample": 3}))
    runner.set_speed(None)
    status = runner.wait(PAUSED)
    spikes = whole(prepared(threshold=0.5), 3)[0].spikes()
    assert status.step == next(k for k, index in enumerate(spikes) if len(index))


def test_a_plain_run_after_a_seek_stops_nowhere(at_rest, document):
    runner = at_rest(document())
    runner.set_speed(50)
    runner.run_until("fires")
    runner.seek(3)
    runner.set_paused(False)
    runner.set_speed(None)
    assert runner.wait(FINISHED).step == 40


@pytest.mark.parametrize("name", ["decides", "rises", "converges"])
def test_a_system_without_what_it_looks_at_runs_to_its_end(at_rest, document, name):
    runner = at_rest(document("lif"))
    assert not BREAKPOINTS[name].applies(runner.snapshot.experiment.system)
    runner.run_until(name)
    assert runner.wait(FINISHED).reason == "all steps done"
