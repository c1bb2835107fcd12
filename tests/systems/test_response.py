"""The closed form of the f–I curve, against spikes counted one by one."""

import math

import pytest
import torch

from tests.systems.test_lif import images, population, spike_steps, time_to_threshold
from workbench.systems.lca import LCA
from workbench.systems.lif import LIF
from workbench.systems.protocol import System

PIXELS = (0.0, 0.2, 0.45, 0.51, 0.6, 0.8, 1.0)


@pytest.mark.parametrize("leak", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("time_step", [1.0, 0.1])
@pytest.mark.parametrize("reset", ["zero", "subtract"])
def test_intervals_between_spikes_are_the_closed_form_within_a_step(leak, time_step, reset):
    system = population(len(PIXELS), leak=leak, time_step=time_step, reset=reset, refractory=3.0)
    response = system.response(images(*PIXELS))
    fired = spike_steps(system, images(*PIXELS), round(500 / time_step))
    assert response.time_step == time_step
    for pixel, current, rate, steps in zip(
        PIXELS, response.current[0], response.rate[0], fired, strict=True
    ):
        assert float(current) == 2 * pixel
        if current <= leak:  # g V_θ
            assert rate == 0 and not steps
            continue
        assert float(rate) == pytest.approx(
            1 / (3 + time_to_threshold(float(current), 1.0, 20.0, leak))
        )
        if len(steps) > 1:
            interval = (steps[-1] - steps[0]) / (len(steps) - 1) * time_step
            assert abs(interval - 1 / float(rate)) <= time_step * (1 + 1e-9)


def test_without_rest_and_with_much_current_the_rate_is_that_of_the_bare_integrator():
    system = population(gain=1e6, refractory=0.0)
    rate = float(system.response(images(1.0)).rate)
    assert rate == pytest.approx(1e6 / 20.0, rel=1e-5)  # I / (τ V_θ)
    assert math.isfinite(rate)


def test_under_poisson_encoding_the_current_is_the_mean_of_its_pulses():
    system = population(3, encoding="poisson", rate=0.8, time_step=2.0, gain=4.0)
    signal = images(0.1, 0.5, 0.9)  # of 1 / 1.6 and more each step has a pulse
    expected = system.response(signal).current[0]
    assert expected.tolist() == pytest.approx([0.4, 2.0, 2.5])
    state, total = system.init(signal), torch.zeros(3, dtype=torch.float64)
    for _ in range(20_000):
        state = system.step(state)
        total += state.current[0]
    torch.testing.assert_close(total / 20_000, expected, rtol=0.05, atol=0.0)


def test_only_who_responds_says_so():
    assert LIF.responds and not LCA.responds
    assert System.response(population(), images(1.0)) is None
