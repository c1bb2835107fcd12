"""Planes of a path: nullclines against closed forms, components against their definition."""

import numpy as np
import pytest
import torch

from workbench.analysis.phase import Components, flow, principal_plane, strongest_rival
from workbench.systems.lca import LCA
from workbench.systems.lif import LIF
from workbench.systems.protocol import Wiring

BOX = (-0.5, 3.0, -0.5, 4.0)


def two_neurons(overlap=0.6, **params):
    """Two atoms with a given scalar product, driven by a signal of which each sees a part."""
    atoms = torch.tensor([[1.0, 0.0], [overlap, (1 - overlap**2) ** 0.5]], dtype=torch.float64)
    system = LCA(LCA.Params(threshold=1.0, time_constant=20.0, **params), Wiring(2, atoms))
    return system, system.init(torch.tensor([[2.0, 1.5]], dtype=torch.float64))


def shrink(u):
    return np.sign(u) * np.maximum(np.abs(u) - 1, 0)


def test_the_nullclines_of_two_neurons_are_the_closed_form():
    system, state = two_neurons()
    b = state.drive[0].numpy()
    found = flow(system, state, (0, 1), BOX)
    for i, lines in enumerate(found.nullclines):
        (line,) = lines
        own, other = line[:, i], line[:, 1 - i]
        np.testing.assert_allclose(own, b[i] - 0.6 * shrink(other), atol=0.02)  # a cell is 0.04
        reach = (BOX[2 - 2 * i], BOX[3 - 2 * i])
        assert other.min() == pytest.approx(reach[0]) and other.max() == pytest.approx(reach[1])


def test_the_arrows_are_the_equation_and_lie_inside_the_box():
    system, state = two_neurons()
    b = state.drive[0].numpy()
    points, rates, _ = flow(system, state, (0, 1), BOX)
    expected = (b - points - 0.6 * shrink(points[:, ::-1])) / 20
    np.testing.assert_allclose(rates, expected, atol=1e-12)
    left, right, low, high = BOX
    assert points[:, 0].min() > left and points[:, 0].max() < right
    assert points[:, 1].min() > low and points[:, 1].max() < high


def test_the_pair_can_be_taken_in_either_order():
    system, state = two_neurons()
    points, rates, _ = flow(system, state, (1, 0), BOX)
    b = state.drive[0].numpy()[::-1]
    np.testing.assert_allclose(rates, (b - points - 0.6 * shrink(points[:, ::-1])) / 20, atol=1e-12)


def test_a_lif_pair_has_straight_nullclines_and_an_unknown_flow_is_none():
    system = LIF(LIF.Params(gain=2.0), Wiring(2))
    found = flow(system, system.init(torch.tensor([[0.9, 0.4]])), (0, 1), (0.0, 3.0, 0.0, 3.0))
    for lines, level in zip(found.nullclines, (1.8, 0.8), strict=True):
        (line,) = lines
        column = int(np.ptp(line[:, 0]) > np.ptp(line[:, 1]))
        np.testing.assert_allclose(line[:, column], level, atol=1e-6)
    system, state = two_neurons(integrator="momentum")
    assert flow(system, state, (0, 1), BOX) is None


def test_components_are_the_eigenvectors_of_the_covariance():
    rng = np.random.default_rng(0)
    values = np.cumsum(rng.normal(size=(50, 6)) * (5, 3, 2, 1, 0.5, 0.1), axis=0)
    found = principal_plane(values)
    variances, vectors = np.linalg.eigh(np.cov(values.T))
    np.testing.assert_allclose(found.explained, variances[::-1][:2] / variances.sum())
    np.testing.assert_allclose(np.abs(found.axes @ vectors[:, ::-1][:, :2]), np.eye(2), atol=1e-9)
    placed = found.place(values)
    np.testing.assert_allclose(placed.mean(0), 0, atol=1e-9)
    assert placed[-1, 0] > placed[0, 0]
    assert placed[:, 1].max() >= -placed[:, 1].min()


def test_a_path_in_a_plane_is_seen_whole():
    turn = np.linspace(0, 3, 40)
    circle = np.column_stack([np.cos(turn), np.sin(turn), 2 * np.cos(turn), np.zeros(40)])
    found = principal_plane(circle)
    assert found.explained.sum() == pytest.approx(1)
    back = found.place(circle) @ found.axes + found.mean
    np.testing.assert_allclose(back, circle, atol=1e-12)


def test_where_nothing_moves_there_is_a_plane_all_the_same():
    found = principal_plane(np.full((5, 3), 2.0))
    assert isinstance(found, Components)
    assert (found.place(np.full((5, 3), 2.0)) == 0).all() and (found.explained == 0).all()


@pytest.mark.parametrize("shape", [(2, 5), (5, 1)])
def test_too_little_for_two_components_is_refused(shape):
    with pytest.raises(ValueError, match="3 instants of 2 neurons"):
        principal_plane(np.zeros(shape))


def test_the_strongest_rival_is_who_takes_most():
    system, state = two_neurons()
    assert strongest_rival(system, state, 0) is None  # all are silent
    for _ in range(60):
        state = system.step(state)
    assert strongest_rival(system, state, 1) == 0
    lif = LIF(LIF.Params(), Wiring(2))
    assert strongest_rival(lif, lif.init(torch.ones(1, 2)), 0) is None
