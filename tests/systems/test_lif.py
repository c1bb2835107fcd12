"""LIF neurons judged by the closed forms of the membrane under constant current."""

import math

import pytest
import torch

from workbench.errors import InputError
from workbench.systems.lif import LIF
from workbench.systems.protocol import Wiring


def population(features=1, **params):
    return LIF(LIF.Params(**params), Wiring(features))


def images(*values):
    return torch.tensor([values], dtype=torch.float64)


def spike_steps(system, signal, steps):
    """Steps at which each neuron of the first sample fires, one list a neuron."""
    state, fired = system.init(signal), [[] for _ in range(signal.shape[1])]
    for step in range(1, steps + 1):
        state = system.step(state)
        for neuron in state.spikes[0].nonzero().flatten().tolist():
            fired[neuron].append(step)
    return fired


def time_to_threshold(current, threshold, tau, leak):
    """t = (τ/g) ln(I / (I − gθ)), or τθ/I without leak."""
    if leak == 0:
        return tau * threshold / current
    return tau / leak * math.log(current / (current - leak * threshold))


@pytest.mark.parametrize("leak", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("time_step", [1.0, 0.25])
def test_spike_times_are_the_closed_form_on_the_grid(leak, time_step):
    pixels, gain, tau, threshold, refractory = (0.55, 0.7, 0.81, 0.97), 2.0, 20.0, 1.0, 2.0
    system = population(
        4, leak=leak, time_step=time_step, gain=gain, refractory=refractory, time_constant=tau
    )
    fired = spike_steps(system, images(*pixels), 400)
    for pixel, steps in zip(pixels, fired, strict=True):
        charge = math.ceil(time_to_threshold(gain * pixel, threshold, tau, leak) / time_step)
        period = charge + int(refractory / time_step)
        assert steps == list(range(charge, 401, period))


def test_the_subthreshold_potential_is_the_closed_form():
    system = population(gain=0.9, time_constant=7.0, leak=1.5, time_step=0.3)
    state = system.init(images(1.0))
    for k in range(50):
        expected = 0.9 / 1.5 * (1 - math.exp(-1.5 * k * 0.3 / 7.0))
        potential = system.observe(state)["membrane_potential"]
        assert float(potential) == pytest.approx(expected, abs=1e-12)
        state = system.step(state)
    assert not state.spike_total.any()


@pytest.mark.parametrize("refractory", [0.0, 1.0, 3.0])
def test_the_f_i_curve_is_the_analytic_one_within_a_spike(refractory):
    currents = torch.linspace(0.5, 3.0, 26, dtype=torch.float64)[None]
    time_step, steps = 0.02, 10_000
    system = population(26, gain=1.0, time_step=time_step, refractory=refractory)
    state = system.init(currents)
    for _ in range(steps):
        state = system.step(state)
    for current, spikes in zip(currents[0].tolist(), state.spike_total[0].tolist(), strict=True):
        expected = 0.0
        if current > 1.0:
            period = refractory + time_to_threshold(current, 1.0, 20.0, 1.0)
            expected = (steps * time_step + refractory) / period  # the first charge has no rest
        assert abs(spikes - math.floor(expected)) <= 1
    rate = system.observe(state)["firing_rate"]
    torch.testing.assert_close(rate, state.spike_total.double() / 200.0)


def test_the_perfect_integrator_with_subtraction_loses_nothing():
    # 0.375 of the threshold per step, exactly representable: spikes = floor(0.375 k).
    system = population(
        leak=0.0, gain=0.75, time_constant=2.0, refractory=0.0, reset="subtract", threshold=1.0
    )
    state = system.init(images(1.0))
    for k in range(1, 201):
        state = system.step(state)
        assert int(state.spike_total) == math.floor(0.375 * k)


def test_the_reset_is_to_zero_or_by_the_threshold():
    params = {"leak": 0.0, "time_constant": 1.0, "gain": 0.75, "refractory": 0.0}
    for reset, expected in (("zero", 0.0), ("subtract", 0.5)):
        system = population(reset=reset, **params)
        state = system.step(system.step(system.init(images(1.0))))
        assert state.spikes.item()
        assert system.observe(state)["membrane_potential"].item() == 1.5
        assert state.v.item() == expected


def test_the_trace_reaches_the_threshold_exactly_where_a_neuron_fires():
    system = population(6, reset="zero")
    state = system.init(torch.rand(3, 6, generator=torch.Generator().manual_seed(0)))
    for _ in range(100):
        state = system.step(state)
        now = system.observe(state)
        assert now["spikes"].equal(now["membrane_potential"] >= 1.0)
    assert state.spike_total.any()


@pytest.mark.parametrize(
    "refractory, time_step, rest", [(3.0, 1.0, 3), (2.5, 1.0, 3), (2.1, 0.7, 3), (0.0, 1.0, 0)]
)
def test_a_neuron_rests_after_a_spike(refractory, time_step, rest):
    # So strong a current that a neuron free to fire fires at every step.
    system = population(
        reset="subtract", gain=1e4, refractory=refractory, time_step=time_step, threshold=1.0
    )
    (fired,) = spike_steps(system, images(1.0), 60)
    assert fired == list(range(1, 61, rest + 1))


def test_a_resting_neuron_ignores_its_input():
    system = population(leak=0.0, time_constant=1.0, gain=1.0, refractory=4.0)
    state = system.step(system.init(images(1.0)))
    assert state.spikes.item()
    for _ in range(4):
        state = system.step(state)
        assert system.observe(state)["input_current"].item() == 1.0
        assert system.observe(state)["membrane_potential"].item() == 0.0
    assert system.step(state).spikes.item()


def test_poisson_input_has_the_mean_of_the_direct_current():
    system = population(400, encoding="poisson", rate=0.4, gain=1.5, threshold=1e6)
    signal = torch.tensor([0.1, 0.5, 0.9]).repeat_interleave(400).reshape(3, 400)
    state, steps = system.init(signal), 500
    total = torch.zeros(3)
    for _ in range(steps):
        state = system.step(state)
        total += state.current.mean(1)
    for mean, pixel in zip((total / steps).tolist(), (0.1, 0.5, 0.9), strict=True):
        chance = 0.4 * pixel
        deviation = 1.5 / 0.4 * math.sqrt(chance * (1 - chance) / (400 * steps))
        assert abs(mean - 1.5 * pixel) < 5 * deviation


def test_poisson_spikes_are_certain_where_the_rate_is_too_high_for_the_step():
    system = population(2, encoding="poisson", rate=4.0, gain=1.0)
    state = system.step(system.init(images(1.0, 0.0)))
    assert state.current.tolist() == [[0.25, 0.0]]


@pytest.mark.parametrize("encoding", ["direct", "poisson"])
def test_a_replay_from_the_middle_is_the_same_to_the_bit(encoding):
    system = population(50, encoding=encoding, seed=5)
    state = system.init(torch.rand(2, 50, generator=torch.Generator().manual_seed(1)))
    for _ in range(40):
        state = system.step(state)
    middle, ends = state, []
    for _ in range(2):
        state = middle
        torch.manual_seed(99)  # the global generator plays no part
        for _ in range(40):
            state = system.step(state)
        ends.append(state)
    assert all(one.equal(other) for one, other in zip(*ends, strict=True))
    assert ends[0].spike_total.sum() > middle.spike_total.sum()


def test_the_seed_and_nothing_else_makes_the_input_spikes():
    signal = torch.full((1, 200), 0.5)
    first, same, other = (
        population(200, encoding="poisson", seed=seed).init(signal) for seed in (1, 1, 2)
    )
    step = population(200, encoding="poisson").step
    assert step(first).current.equal(step(same).current)
    assert not step(first).current.equal(step(other).current)


def test_at_step_zero_nothing_has_happened():
    system = population(5)
    now = system.observe(system.init(torch.ones(2, 5)))
    assert now["firing_count"].tolist() == [0, 0]
    for name in ("membrane_potential", "input_current", "spike_total", "spikes", "firing_rate"):
        assert not now[name].any(), name


def test_bright_pixels_fire_regularly_and_dark_ones_stay_silent():
    bright, dark = spike_steps(population(2), images(1.0, 0.45), 200)
    assert len(bright) >= 10
    assert len({later - earlier for earlier, later in zip(bright, bright[1:], strict=False)}) == 1
    assert dark == []


def test_wrong_signals_are_refused():
    with pytest.raises(ValueError, match="at least 0, got -0.2"):
        population(2, encoding="poisson").init(images(0.5, -0.2))
    population(2).init(images(0.5, -0.2))  # a direct current may be negative
    with pytest.raises(ValueError, match=r"shape \[B, 2\], got \[1, 3\]"):
        population(2).init(torch.zeros(1, 3))
    with pytest.raises(ValueError, match="signal 0 holds a NaN"):
        population(2).init(images(0.5, math.nan))


@pytest.mark.parametrize(
    "name, value",
    [
        ("threshold", 0.0),
        ("time_constant", -1.0),
        ("time_step", 0.0),
        ("steps", -1),
        ("leak", -0.1),
        ("refractory", -1.0),
        ("rate", 0.0),
        ("seed", -1),
        ("reset", "half"),
        ("encoding", "morse"),
    ],
)
def test_parameters_out_of_range_are_refused(name, value):
    with pytest.raises(InputError, match=f"^system.{name} = {value!r}: must be "):
        LIF.Params.parse({name: value}, "system")
