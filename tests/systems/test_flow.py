"""The flow of some neurons while all others are held: judged by the steps it stands for."""

import pytest
import torch

from tests.systems.test_account import an_lca, potentials, state_after
from workbench.systems.lif import LIF
from workbench.systems.protocol import System, Wiring

PAIR = [3, 7]


def displaced(state, pair, values):
    """The residual-form state with the potentials of a pair set."""
    u = state.u.clone()
    u[0, pair] = values
    return state._replace(u=u)


def some_points(count=40):
    """Potentials of a pair on both sides of both thresholds, where the threshold is 0.5."""
    return 2 * torch.rand(count, 2, generator=torch.Generator().manual_seed(5)).double() - 1


@pytest.mark.parametrize("transfer", ["soft", "hard"])
@pytest.mark.parametrize("integrator", ["euler", "exponential", "adaptive"])
def test_a_step_goes_along_the_flow(transfer, integrator):
    system, signal = an_lca(
        1, threshold=0.5, time_constant=20.0, transfer=transfer, integrator=integrator
    )
    state = state_after(system, signal, 25)
    flow = system.flow(state, PAIR, some_points())
    for point, expected in zip(some_points(), flow, strict=True):
        start = displaced(state, PAIR, point)
        after = system.step(start)
        ratio = system._ratio(after.pace)[0] if integrator == "adaptive" else system.step_ratio
        moved = (after.u[0, PAIR] - point) / (ratio * 20.0)
        torch.testing.assert_close(moved, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("engine", ["lazy", "dense"])
def test_every_engine_flows_alike(engine):
    case = {"neurons": 30, "features": 12, "threshold": 0.5}
    plain, signal = an_lca(2, **case)
    other, _ = an_lca(2, engine=engine, **case)
    expected = plain.flow(state_after(plain, signal, 30), PAIR, some_points())
    found = other.flow(state_after(other, signal, 30), PAIR, some_points())
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-10)


def test_where_a_network_has_come_to_rest_nothing_flows():
    system, signal = an_lca(3, threshold=0.5)
    state = state_after(system, signal, 20_000)
    assert potentials(system, state).abs().max() > 0.5  # somebody fires
    everybody = list(range(system.neurons))
    flow = system.flow(state, everybody, potentials(system, state)[None])
    assert flow.abs().max() < 1e-9
    away = system.flow(state, everybody, potentials(system, state)[None] + 0.1)
    assert away.abs().max() > 1e-3


def test_with_momentum_and_with_random_input_the_flow_is_not_known():
    system, signal = an_lca(1, integrator="momentum")
    assert system.flow(system.init(signal), PAIR, some_points()) is None
    lif = LIF(LIF.Params(encoding="poisson"), Wiring(4))
    assert lif.flow(lif.init(torch.ones(1, 4)), [0, 1], some_points()) is None
    assert System.flow(lif, lif.init(torch.ones(1, 4)), [0, 1], some_points()) is None


def test_no_such_neuron_and_more_than_one_sample_are_refused():
    system, signal = an_lca(1)
    with pytest.raises(ValueError, match="there is no neuron 12"):
        system.flow(system.init(signal), [0, 12], some_points())
    with pytest.raises(ValueError, match="one sample"):
        system.flow(system.init(signal.repeat(2, 1)), PAIR, some_points())


@pytest.mark.parametrize("leak", [0.0, 1.0])
def test_a_lif_neuron_flows_as_a_very_short_step_moves_it(leak):
    params = {"leak": leak, "gain": 2.0, "time_constant": 20.0, "refractory": 1.0}
    system = LIF(LIF.Params(time_step=1e-6, **params), Wiring(2))
    points = some_points() * 0.9  # below the threshold of 1
    state = system.init(torch.tensor([[0.8, 0.3]], dtype=torch.float64))
    flow = system.flow(state, [1, 0], points)
    for point, expected in zip(points, flow, strict=True):
        after = system.step(state._replace(v=point[[1, 0]][None]))
        moved = (after.peak[0, [1, 0]] - point) / 1e-6
        torch.testing.assert_close(moved, expected, rtol=1e-5, atol=1e-7)


def test_a_resting_lif_neuron_stands_still():
    system = LIF(LIF.Params(gain=5.0, refractory=3.0), Wiring(2))
    state = system.init(torch.tensor([[1.0, 0.0]]))
    while not state.spikes.any():
        state = system.step(state)
    flow = system.flow(state, [0, 1], torch.full((1, 2), 0.5))
    assert flow[0, 0] == 0 and flow[0, 1] == pytest.approx(-0.5 / 20)
