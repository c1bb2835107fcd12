"""The alarm: a sentence when the energy rises, silence when a run is sound."""

import pytest
import torch

from workbench.analysis import optimality
from workbench.engine.alarm import Alarm, has_diverged, total_energy
from workbench.engine.recording import Recording
from workbench.systems.lca import LCA


@pytest.fixture
def run(prepared):
    """Runs so many steps, then the parameters of ``then``; (recording, what the alarm said)."""

    def make(steps, then=None, more=0, **parameters):
        experiment = prepared(**parameters)
        state = experiment.initial([0])
        recording, said = Recording(experiment.system, state), {}
        for count, system in ((steps, None), (more, then)):
            if system:
                system = recording.system.with_params(recording.system.params.changed(**system))
                recording = recording.fork(recording.head, system)
            alarm = Alarm(recording)
            for _ in range(count):
                state = recording.advance(state)
                if sentence := alarm.look(state):
                    said[recording.head] = sentence
        return recording, said

    return make


def test_a_sound_run_raises_no_alarm(run):
    recording, said = run(100)
    assert said == {} and not has_diverged(recording, 100)


def test_an_unstable_run_is_explained_at_its_first_rise_and_at_each_doubling(run):
    recording, said = run(40, time_constant=4.0, threshold=0.5)
    total = total_energy(recording)
    first = next(k for k in range(1, 41) if total[k] > total[:k].min() + 1e-3 * total[0])
    assert min(said) == first
    assert all("oscillating" in text and "Use Δt" in text for text in said.values())
    spoken = sorted(said)
    for earlier, later in zip(spoken, spoken[1:], strict=False):
        assert total[later] > 2 * total[earlier] or not torch.isfinite(torch.tensor(total[later]))


@pytest.mark.parametrize("sample", [0, 1, 2, 3, 7, 11])
@pytest.mark.parametrize("change", [{}, {"integrator": "exponential", "time_constant": 4.0}])
def test_what_is_offered_keeps_the_energy_from_rising(prepared, sample, change):
    """Perhaps at the second time: neurons that were silent so far may tighten the bound."""
    experiment = prepared(**{"threshold": 1.0, "time_constant": 5.0} | change)
    state, system = experiment.initial([sample]), experiment.system
    recording, offers = Recording(system, state), 0
    alarm = Alarm(recording)
    while recording.head < 300:
        state = recording.advance(state)
        if alarm.look(state) is None:
            continue
        remedy, offers = alarm.remedy, offers + 1
        assert remedy.step == recording.head - 1
        system = system.with_params(system.params.changed(time_step=remedy.time_step))
        recording = recording.fork(remedy.step, system)
        alarm, state = Alarm(recording), recording.state(remedy.step)
    total = total_energy(recording)
    assert 1 <= offers <= 3 and total[-1] < 0.9 * total[0]
    assert optimality.duality_gap(system.lasso(state)) < 0.2 * total[0]


class Drifting(LCA):
    """Settles for 60 steps, then walks away from the optimum in small steps."""

    def step(self, state):
        if state.k < 60:
            return super().step(state)
        return state._replace(u=state.u + 4e-4 * state.u.sign(), k=state.k + 1)


def test_an_energy_that_creeps_up_is_noticed_where_it_has_risen_enough(prepared):
    experiment = prepared(threshold=1.0)
    state = experiment.initial([0])
    recording = Recording(Drifting(experiment.system.params, experiment.system.wiring), state)
    alarm, said = Alarm(recording), {}
    for step in range(1, 121):
        state = recording.advance(state)
        if sentence := alarm.look(state):
            said[step] = sentence
    total = total_energy(recording)
    worth = 1e-3 * total[0]
    expected = next(k for k in range(1, 121) if total[k] > total[:k].min() + worth)
    assert list(said) == [expected] and "rose from" in said[expected]
    assert expected > 62 and max(total[61:] - total[60:-1]) < worth / 2  # not at one blow


@pytest.mark.parametrize("threshold", [0.8, 2.0, 5.0])
def test_a_price_that_was_changed_is_no_rise(run, threshold):
    """The energies before and after a change of λ are those of two problems."""
    recording, said = run(60, {"threshold": threshold}, 60, threshold=1.0)
    total = total_energy(recording)
    assert said == {}
    assert (total[61] > total[60] * 1.001) == (threshold > 1)


def test_trouble_after_a_change_is_still_noticed(run):
    recording, said = run(60, {"time_step": 8.0}, 30)
    total = total_energy(recording)
    worth = 1e-3 * total[61]
    first = next(k for k in range(62, 91) if total[k] > total[61:k].min() + worth)
    assert min(said) == first and "oscillating" in said[first]
    assert total[first] < total[0]  # less than at the start, and yet a rise


def test_a_rise_is_told_against_the_energies_under_the_same_parameters(prepared):
    experiment = prepared(threshold=1.0)
    system = Drifting(experiment.system.params, experiment.system.wiring)
    state = experiment.initial([0])
    recording = Recording(system, state)
    for _ in range(30):
        state = recording.advance(state)
    dearer = system.with_params(system.params.changed(threshold=2.0))
    recording = recording.fork(30, dearer)
    alarm, said = Alarm(recording), {}
    for step in range(31, 181):
        state = recording.advance(state)
        if sentence := alarm.look(state):
            said[step] = sentence
    total = total_energy(recording)
    worth = 1e-3 * total[31]
    first = next(k for k in range(61, 181) if total[k] > total[31:k].min() + worth)
    assert total[31] > total[30] + worth  # λ itself, which is no rise
    assert list(said) == [first]
    assert said[first].startswith(f"The energy rose from {total[31:first].min():.3g} to ")
    assert f"at step {first}," in said[first]


def test_a_network_that_blows_up_at_one_blow_is_explained_once(run):
    recording, said = run(5, time_constant=1e-30)
    assert list(said) == [1] and "blown up" in said[1] and "Use Δt" in said[1]


@pytest.mark.parametrize("after", [0, 10])
def test_a_change_under_which_the_first_step_blows_up_is_mended_before_that_step(run, after):
    recording, said = run(after, {"time_constant": 1e-30}, 2)
    assert said[min(said)].endswith(f"from step {after} on.")


def test_a_run_that_is_no_longer_a_number_has_diverged(run):
    recording, _ = run(60, time_constant=4.0, threshold=0.5)
    total = torch.from_numpy(total_energy(recording).copy())
    diverged = [has_diverged(recording, step) for step in range(61)]
    assert diverged == (~torch.isfinite(total)).tolist() and any(diverged) and not diverged[0]


def test_a_system_without_energies_is_left_alone(run, prepared):
    experiment = prepared("lif")
    state = experiment.initial([0])
    recording = Recording(experiment.system, state)
    assert total_energy(recording) is None and not has_diverged(recording, 0)
    assert Alarm(recording).look(recording.advance(state)) is None
