"""Explanations: every change they name is tried out by a step of the changed network."""

import itertools
import math

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.systems.test_account import (
    LCA_CASES,
    an_lca,
    some,
    state_after,
)
from workbench.analysis.explanation import explain, nearest_threshold
from workbench.systems.lca import LCA, LCAState
from workbench.systems.lif import LIF
from workbench.systems.protocol import Competition, Wiring

NAMES = [str(label) for label in range(10)]
TINY = 1e-7


def fires(system, state, neuron, name="firing"):
    return bool(system.observe(system.step(state), [name])[name][0, neuron])


def margin(system, state, neuron, name="membrane_potential"):
    u = float(system.observe(system.step(state), [name])[name][0, neuron])
    return abs(abs(u) - system.params.threshold)


def change_of(explanation, kind):
    found = [change for change in explanation.changes if change.kind == kind]
    return found[0] if found else None


def at_the_same_pace(system, gain):
    """The network with the step that the adaptive integrator chose, whatever is changed."""
    params = system.params
    if params.integrator != "adaptive":
        return system
    even = params.changed(integrator="euler", time_step=gain * params.time_constant)
    return LCA(even, system.wiring)


def whole(system, state):
    """The state in residual form, whose drive and potentials can be changed one by one."""
    return state if isinstance(state, LCAState) else system._whole(state)


def with_drive(system, state, neuron, drive):
    """The state under a signal that has another component along the atom."""
    state, atom = whole(system, state), system.atoms[neuron]
    signal = state.signal + (drive - state.signal @ atom)[:, None] / (atom @ atom) * atom
    return state._replace(signal=signal, drive=signal @ system.atoms.T)


def without(system, state, neurons):
    """The state in which some neurons are silent."""
    state = whole(system, state)
    u = state.u.clone()
    u[0, list(neurons)] = 0
    return state._replace(u=u)


def cases(**more):
    return given(**{**LCA_CASES, "dtype": st.just(torch.float64)}, steps=st.integers(0, 30), **more)


def explained(case, steps, pick=0.0, threshold=0.5):
    """A network, its state, one neuron, and why it fires or not."""
    system, signal = an_lca(**case, threshold=threshold)
    state = state_after(system, signal, steps)
    neuron = int(pick * (system.neurons - 1))
    account = system.account(state, neuron)
    # beside larger numbers a nudge of `TINY` would cross the whole band from −λ to λ
    assume(max(map(abs, (account.before, account.after))) < 1e4)
    even = at_the_same_pace(system, account.gain)
    return even, state, neuron, explain(system, state, neuron, steps)


@some
@cases(pick=st.floats(0, 1))
def test_another_threshold_does_what_is_said_and_no_nearer_one(steps, pick, **case):
    system, state, neuron, why = explained(case, steps, pick)
    turn = change_of(why, "threshold")

    def at(threshold):
        changed = system.with_params(system.params.changed(threshold=threshold))
        return fires(changed, state, neuron) if margin(changed, state, neuron) > 1e-9 else None

    if turn is None:
        assert not why.fires  # a higher threshold silences everybody, a lower one may not help
        end = TINY
    else:
        sign = 1 if why.fires else -1
        beyond = turn.value * (1 + sign * TINY)
        assert at(beyond) in (not why.fires, None)
        end = turn.value * (1 - sign * TINY)
    for part in (0.01, 0.2, 0.5, 0.9, 1.0):
        assert at(0.5 + part * (end - 0.5)) in (why.fires, None)


@some
@cases(pick=st.floats(0, 1))
def test_another_drive_does_what_is_said_and_no_less_does(steps, pick, **case):
    system, state, neuron, why = explained(case, steps, pick)
    turn, drive = change_of(why, "drive").value, system.account(state, neuron).drive
    beyond = turn + TINY * math.copysign(1 + abs(turn), turn - drive)
    assert fires(system, with_drive(system, state, neuron, beyond), neuron) is not why.fires
    for part in (0.0, 0.5, 1 - TINY):
        if abs(turn - drive) > 1e-3:
            less = with_drive(system, state, neuron, drive + part * (turn - drive))
            assert fires(system, less, neuron) is why.fires


@some
@cases()
def test_without_the_named_rivals_it_fires_and_without_fewer_it_does_not(steps, **case):
    """Under a low threshold, where many are active and inhibit each other."""
    for part in range(5):
        system, state, neuron, why = explained(case, steps, part / 4, threshold=0.1)
        change = change_of(why, "rivals")
        rivals = [part.neuron for part in why.parts if part.neuron is not None]
        assert (change is None) == why.fires
        if change is None:
            continue
        enough = change.neurons
        if enough:
            silenced = without(system, state, enough)
            assert fires(system, silenced, neuron) or margin(system, silenced, neuron) < 1e-9
        for count in range(len(enough) if enough else len(rivals) + 1):
            for fewer in itertools.islice(itertools.combinations(rivals, count), 50):
                assert not fires(system, without(system, state, fewer), neuron)


def test_each_kind_of_change_occurs_in_these_networks():
    """So that the tests above try something."""
    seen = set()
    for seed in range(40):
        for steps in (2, 8, 25):
            system, signal = an_lca(seed, 20, 4, threshold=0.5, time_constant=8.0)
            state = state_after(system, signal, steps)
            for neuron in range(20):
                why = explain(system, state, neuron, steps)
                change = change_of(why, "rivals")
                count = "none" if change is None else min(len(change.neurons), 3)
                seen.add((why.fires, count, why.after < 0))
    assert {(True, "none", negative) for negative in (True, False)} <= seen
    assert {(False, count, False) for count in (0, 1, 2)} <= seen


@some
@given(
    seed=st.integers(0, 1000),
    reset=st.sampled_from(["zero", "subtract"]),
    encoding=st.sampled_from(["direct", "poisson"]),
    leak=st.sampled_from([0.0, 1.0]),
    steps=st.integers(0, 40),
)
def test_a_lif_neuron_fires_with_the_input_that_is_said(seed, steps, **params):
    signal = torch.rand(1, 6, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    system = LIF(LIF.Params(gain=4.0, threshold=0.5, time_constant=8.0, **params), Wiring(6))
    state = state_after(system, signal, steps)
    for neuron in range(6):
        why = explain(system, state, neuron, steps)
        assert why.fires is fires(system, state, neuron, "spikes")
        if state.refractory_left[0, neuron]:
            assert not why.changes and "rests after its spike" in why.sentence
            continue
        turn, now = change_of(why, "drive").value, system.account(state, neuron).drive
        steady = system.with_params(system.params.changed(encoding="direct"))
        for part, expected in ((1 - TINY, why.fires), (1 + TINY, not why.fires)):
            pixels = state.signal.clone()
            pixels[0, neuron] = (now + part * (turn - now)) / system.params.gain
            changed = state._replace(signal=pixels)
            if abs(turn - now) > 1e-3:
                assert fires(steady, changed, neuron, "spikes") is expected
        turn = change_of(why, "threshold")
        if turn is not None and turn.value > 1e-6:
            for part, expected in ((1 - TINY, True), (1 + TINY, False)):
                params = system.params.changed(threshold=part * turn.value)
                assert fires(system.with_params(params), state, neuron, "spikes") is expected


def test_a_threshold_that_does_not_move_the_potential_turns_at_the_potential():
    assert nearest_threshold(0.8, None, 1.0, signed=False, fires=False) == pytest.approx(0.8)
    assert nearest_threshold(1.2, None, 1.0, signed=False, fires=True) == pytest.approx(1.2)
    assert nearest_threshold(-0.8, None, 1.0, signed=True, fires=False) == pytest.approx(0.8)
    assert nearest_threshold(-1.2, None, 1.0, signed=True, fires=True) == pytest.approx(1.2)


def test_a_lower_threshold_that_also_wakes_rivals_is_found_behind_them():
    """u' = 0.9 − 2 (0.95 − λ) below 0.95: the rival wakes before the neuron can, until λ = 0.95."""
    competition = Competition(torch.tensor([0.95]).double(), torch.tensor([-2.0]).double(), False)
    found = nearest_threshold(0.9, competition, 1.0, signed=True, fires=False)
    # u' = −1 + 2 λ: never above λ below 0.95; on the other side −u' = λ at λ = 1/3
    assert found == pytest.approx(1 / 3)


def digits(threshold=1.0, **params):
    from sklearn.datasets import load_digits
    from torch.nn.functional import normalize

    bunch = load_digits()
    pixels = torch.tensor(bunch.data / 16)
    atoms, labels = normalize(pixels[400:800], dim=1), torch.tensor(bunch.target[400:800])
    params = LCA.Params(threshold=threshold, time_constant=20.0, **params)
    return LCA(params, Wiring(64, atoms, labels, 10)), pixels[5:6]


def test_the_sentence_names_who_does_most_and_of_which_class():
    system, signal = digits()
    state = state_after(system, signal, 60)
    seen = system.observe(state)
    labels = system.wiring.labels
    winner = int(seen["activation"][0].argmax())
    why = explain(system, state, winner, 60, NAMES)
    count = len([part for part in why.parts if part.neuron is not None])
    first = next(part.neuron for part in why.parts if part.neuron is not None)
    a = "an" if labels[winner] == 8 else "a"
    subject = f"Neuron {winner} ({a} {labels[winner]})"
    assert why.sentence.startswith(
        f"{subject} fires on at step 61 with u = {why.after:.4g} (λ = 1)"
    )
    assert f"its drive of {float(seen['drive'][0, winner]):.3g} " in why.sentence
    assert f"the leak of {why.before:.3g} and the inhibition of " in why.sentence
    assert f"by {count} rivals, " in why.sentence
    assert f"by neuron {first} (" in why.sentence
    assert why.heading == "It would be silent at step 61"
    assert [change.kind for change in why.changes] == ["threshold", "drive"]
    assert f"(now 1, × {why.changes[0].value:.3g})" in why.changes[0].text


def test_without_classes_neurons_are_named_by_number():
    system, signal = digits()
    why = explain(system, state_after(system, signal, 40), 7, 40)
    assert why.sentence.startswith("Neuron 7 ")
    assert "(a" not in why.sentence


def test_a_silent_neuron_is_told_what_would_do():
    system, signal = digits()
    state = state_after(system, signal, 60)
    texts = {0: "nothing that rivals do", 1: " alone", 2: "no single rival is", 3: "no fewer are"}
    seen = set()
    for neuron in range(400):
        why = explain(system, state, neuron, 60, NAMES)
        if why.fires:
            continue
        assert why.heading == "It would fire at step 61"
        change = change_of(why, "rivals")
        count = min(len(change.neurons), 3)
        assert texts[count] in change.text
        assert all(f"{neuron} (a" in change.text for neuron in change.neurons[:3])
        seen.add(count)
    assert {0, 1} <= seen


@pytest.mark.parametrize("engine", ["residual", "lazy", "dense"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_network_that_blew_up_is_said_to_have_done_so(engine, dtype):
    system, signal = an_lca(1, 12, 5, True, dtype, engine, time_constant=0.3, threshold=0.1)
    state = state_after(system, signal, 2000)
    assert not torch.isfinite(system.observe(state)["membrane_potential"]).all()
    why = explain(system, state, 3, 2000)
    assert not why.bounded and not why.changes
    assert why.sentence.startswith(
        "The network has blown up: at step 2001 the potential of neuron 3"
    )


def test_every_state_on_the_way_there_is_explained():
    system, signal = an_lca(1, 12, 5, True, torch.float32, time_constant=0.3, threshold=0.1)
    state = system.init(signal)
    for step in range(400):
        assert explain(system, state, 3, step).sentence
        state = system.step(state)


def test_a_threshold_of_zero_and_a_signal_of_zero_are_explained():
    system, _ = an_lca(1, threshold=0.0)
    state = state_after(system, torch.zeros(1, 5).double(), 3)
    why = explain(system, state, 0, 3)
    assert why.fires and "nothing moves it" in why.sentence


def test_a_system_that_gives_no_account_is_not_explained():
    class Mute(LIF):
        account = LIF.__mro__[1].account

    system = Mute(LIF.Params(), Wiring(2))
    assert explain(system, system.init(torch.ones(1, 2)), 0, 0) is None
