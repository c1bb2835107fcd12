"""The f–I curve as steps make it, against the closed form."""

import math

import numpy as np
import pytest

from workbench.analysis.response import CURRENTS, STEPS, f_i_curve
from workbench.systems.lif import LIF
from workbench.systems.protocol import Wiring


def a_population(**params):
    return LIF(LIF.Params(**params), Wiring(3))


def closed(current, refractory=2.0, tau=20.0, leak=1.0, threshold=1.0):
    """1 / (t_ref + τ/g ln(I / (I − g V_θ))), neuron by neuron."""
    if current <= leak * threshold:
        return 0.0
    return 1 / (refractory + tau / leak * math.log(current / (current - leak * threshold)))


@pytest.mark.parametrize("time_step", [1.0, 0.5])
@pytest.mark.parametrize("reset", ["zero", "subtract"])
def test_intervals_are_the_closed_form_within_a_time_step(time_step, reset):
    curve = f_i_curve(a_population(gain=4.0, time_step=time_step, reset=reset), 1.0)
    assert len(curve.current) == CURRENTS and curve.time_step == time_step
    np.testing.assert_allclose(curve.current, np.linspace(0, 4, CURRENTS))
    for current, rate in zip(curve.current, curve.simulated, strict=True):
        expected = closed(current)
        if expected == 0:
            assert rate == 0
        else:
            assert abs(1 / rate - 1 / expected) <= time_step * (1 + 1e-9)
    expected = [closed(current) for current in curve.closed_current]
    np.testing.assert_allclose(curve.closed, expected, atol=1e-12)


def test_a_shorter_time_step_comes_nearer_to_the_closed_form():
    errors = []
    for time_step in (2.0, 1.0, 0.5):
        curve = f_i_curve(a_population(gain=4.0, time_step=time_step), 1.0)
        fired = curve.simulated > 0.05
        expected = np.array([closed(current) for current in curve.current])
        errors.append(np.abs(curve.simulated - expected)[fired].max())
    assert errors[0] > 1.5 * errors[1] > 2 * errors[2]


def test_random_input_of_a_high_rate_comes_near_the_steady_current():
    curve = f_i_curve(a_population(gain=4.0, encoding="poisson", rate=0.9), 1.0)
    strong = curve.current > 2
    expected = np.array([closed(current) for current in curve.current])
    np.testing.assert_allclose(curve.simulated[strong], expected[strong], rtol=0.15)
    weak = (curve.current > 0.5) & (curve.current < 1)
    assert (curve.simulated[weak] > 0).any()  # below the threshold current chance makes it fire


def test_who_fires_once_has_the_rate_of_all_the_time():
    slow = a_population(leak=0.0, time_constant=3000.0, gain=1.0, threshold=1.0)
    curve = f_i_curve(slow, 1.0)
    assert curve.simulated[-1] == 1 / STEPS and curve.simulated[0] == 0


def test_it_stops_when_nobody_waits():
    asked = []
    assert f_i_curve(a_population(), 1.0, lambda: len(asked) > 4 or asked.append(1)) is None
    assert len(asked) == 5
