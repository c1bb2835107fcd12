"""The parts of a step: they add up to the step that the system itself takes."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import normalize

from workbench.systems.lca import LCA
from workbench.systems.lif import LIF
from workbench.systems.protocol import Wiring

some = settings(max_examples=120, deadline=None, derandomize=True)

ENGINES = ("residual", "lazy", "dense")
INTEGRATORS = ("euler", "exponential", "momentum", "adaptive")
DTYPES = (torch.float32, torch.float64)


def an_lca(seed, neurons=12, features=5, twins=False, dtype=torch.float64, engine="residual", **p):
    """A network over random atoms, half of them twice if asked for, and a signal."""
    generator = torch.Generator().manual_seed(seed)
    atoms = normalize(torch.randn(neurons, features, generator=generator, dtype=torch.float64))
    if twins:
        half = neurons // 2
        atoms[half : 2 * half] = atoms[:half].clone()
    signal = 3 * torch.randn(1, features, generator=generator, dtype=torch.float64)
    atoms, signal = atoms.to(dtype), signal.to(dtype)
    return LCA(LCA.Params(**p), Wiring(features, atoms, engine=engine)), signal


def state_after(system, signal, steps):
    state = system.init(signal)
    for _ in range(steps):
        state = system.step(state)
    return state


def potentials(system, state):
    return system.observe(state, ["membrane_potential"])["membrane_potential"][0]


def check_sum(system, state, name):
    """Every neuron's parts against the observed potentials of both steps."""
    now, then = potentials(system, state), potentials(system, system.step(state))
    fires = system.observe(system.step(state), [name])[name][0]
    precision = 64 * torch.finfo(now.dtype).eps
    for neuron in range(system.neurons):
        account = system.account(state, neuron)
        sizes = [abs(part.value) for part in account.parts]
        close = precision * (1 + max(sizes) + abs(account.before) + abs(account.after))
        assert account.before == pytest.approx(float(now[neuron]), abs=close)
        assert account.after == pytest.approx(float(then[neuron]), abs=close)
        total = math.fsum(part.value for part in account.parts)
        assert total == pytest.approx(account.after - account.before, abs=len(sizes) * close)
        assert account.fires == bool(fires[neuron]) or abs(abs(account.after) - 0.5) < close


LCA_CASES = {
    "seed": st.integers(0, 10_000),
    "neurons": st.integers(1, 14),
    "features": st.integers(1, 6),
    "twins": st.booleans(),
    "dtype": st.sampled_from(DTYPES),
    "engine": st.sampled_from(ENGINES),
    "integrator": st.sampled_from(INTEGRATORS),
    "transfer": st.sampled_from(["soft", "hard"]),
    "time_constant": st.floats(5.0, 100.0),
}


@some
@given(**LCA_CASES, steps=st.integers(0, 30))
def test_the_parts_of_an_lca_add_up_to_its_step(steps, **case):
    system, signal = an_lca(**case, threshold=0.5)
    check_sum(system, state_after(system, signal, steps), "firing")


@some
@given(
    seed=st.integers(0, 10_000),
    encoding=st.sampled_from(["direct", "poisson"]),
    reset=st.sampled_from(["zero", "subtract"]),
    refractory=st.floats(0.0, 4.0),
    leak=st.sampled_from([0.0, 0.3, 1.0]),
    dtype=st.sampled_from(DTYPES),
    steps=st.integers(0, 40),
)
def test_the_parts_of_a_lif_population_add_up_to_its_step(seed, dtype, steps, **params):
    signal = torch.rand(1, 6, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    system = LIF(LIF.Params(gain=6.0, threshold=0.5, time_constant=5.0, **params), Wiring(6))
    check_sum(system, state_after(system, signal, steps), "spikes")


@pytest.mark.parametrize("engine", ENGINES)
def test_rivals_are_the_other_active_neurons_the_largest_first(engine):
    system, signal = an_lca(1, 40, 8, engine=engine, threshold=0.3, time_constant=10.0)
    state = state_after(system, signal, 40)
    activation = system.observe(state, ["activation"])["activation"][0]
    gram = system.atoms @ system.atoms.T
    for neuron in range(40):
        rivals = [p for p in system.account(state, neuron).parts if p.neuron is not None]
        others = {int(m) for m in activation.nonzero()[:, 0]} - {neuron}
        assert {part.neuron for part in rivals} == others
        sizes = [abs(part.value) for part in rivals]
        assert sizes == sorted(sizes, reverse=True)
        for part in rivals:
            expected = -0.1 * float(gram[neuron, part.neuron] * activation[part.neuron])
            assert part.value == pytest.approx(expected, abs=1e-12)


def test_a_twin_inhibits_with_all_its_activation():
    system, signal = an_lca(3, 8, 5, twins=True, threshold=0.3, time_constant=10.0)
    state = state_after(system, signal, 30)
    activation = system.observe(state, ["activation"])["activation"][0]
    neuron = int(activation[:4].abs().argmax())
    (twin,) = (p for p in system.account(state, neuron).parts if p.neuron == neuron + 4)
    assert twin.value == pytest.approx(-0.1 * float(activation[neuron]))


def names(account):
    return [part.name for part in account.parts if part.neuron is None]


def test_the_own_norm_is_a_part_only_where_it_is_not_one():
    for dtype in DTYPES:
        system, signal = an_lca(2, dtype=dtype, threshold=0.3, time_constant=10.0)
        assert names(system.account(state_after(system, signal, 9), 0)) == ["drive", "leak"]
    long = LCA(system.params, Wiring(5, system.atoms * 1.0005))
    state = state_after(long, signal, 30)
    neuron = int(potentials(long, state).abs().argmax())
    account = long.account(state, neuron)
    assert names(account) == ["drive", "leak", "own norm"]
    active = float(long.observe(state)["activation"][0, neuron])
    assert account.parts[2].value == pytest.approx(-0.1 * (1.0005**2 - 1) * active, rel=1e-6)
    check_sum(long, state, "firing")


def test_the_momentum_is_a_part_of_its_integrator_only():
    system, signal = an_lca(2, integrator="momentum", momentum=0.5, threshold=0.3)
    before, state = (state_after(system, signal, steps) for steps in (4, 5))
    account = system.account(state, 0)
    assert names(account) == ["drive", "leak", "momentum"]
    moved = float(state.u[0, 0] - before.u[0, 0])
    assert account.parts[2].value == pytest.approx(0.5 * moved)
    assert system.account(system.init(signal), 0).parts[2].value == 0


def test_a_lif_neuron_charges_spikes_is_reset_and_rests():
    system = LIF(LIF.Params(refractory=2.0, gain=4.0, time_constant=5.0), Wiring(1))
    state, seen = system.init(torch.ones(1, 1, dtype=torch.float64)), []
    for _ in range(6):
        account = system.account(state, 0)
        seen.append((names(account), account.fires, account.gain > 0))
        state = system.step(state)
    charging = (["input current", "leak"], False, True)
    assert seen[0] == charging
    assert seen[1] == (["input current", "leak"], True, True)
    assert seen[2] == (["input current", "leak", "refractory", "reset"], False, False)
    assert seen[3] == (["input current", "leak", "refractory"], False, False)
    assert seen[4] == charging


@pytest.mark.parametrize("system, signal", [an_lca(0), (LIF(LIF.Params(), Wiring(5)), None)])
def test_more_than_one_sample_or_an_unknown_neuron_is_refused(system, signal):
    one = torch.rand(1, 5, dtype=torch.float64)
    with pytest.raises(ValueError, match="of one sample, got 2"):
        system.account(system.init(one.repeat(2, 1)), 0)
    for neuron in (-1, system.neurons):
        with pytest.raises(ValueError, match=f"no neuron {neuron}; there are 0 to"):
            system.account(system.init(one), neuron)
