"""The optimum of a network's Lasso."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Lasso as Reference

from workbench.analysis.optimum import EXACT, optimum
from workbench.systems.lca import LCA
from workbench.systems.protocol import Lasso, Wiring


def problem(seed, atoms, features, threshold, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    phi = torch.randn(atoms, features, generator=generator, dtype=torch.float64)
    phi = phi / torch.linalg.vector_norm(phi, dim=1, keepdim=True)
    signal = 3 * torch.randn(1, features, generator=generator, dtype=torch.float64)
    nothing = torch.zeros(1, atoms, dtype=dtype)
    return Lasso(signal.to(dtype), phi.to(dtype), nothing, threshold, 0.1)


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    atoms=st.integers(1, 400),
    features=st.integers(2, 30),
    threshold=st.floats(0.05, 8.0),
)
def test_it_is_what_coordinate_descent_over_all_atoms_finds(seed, atoms, features, threshold):
    lasso = problem(seed, atoms, features, threshold)
    found = optimum(lasso)
    phi, signal = lasso.atoms.numpy(), lasso.signal[0].numpy()
    solver = Reference(threshold / features, fit_intercept=False, tol=1e-9, max_iter=10**6)
    weights = solver.fit(phi.T, signal).coef_
    left = signal - weights @ phi
    energy = 0.5 * left @ left + threshold * np.abs(weights).sum()
    exact = EXACT * 0.5 * signal @ signal
    assert found.gap <= exact
    assert abs(found.energy - energy) <= exact
    assert found.reconstruction <= found.energy


def test_where_nothing_reaches_the_threshold_it_is_silence():
    lasso = problem(0, 50, 10, threshold=1e3)
    found = optimum(lasso)
    silence = 0.5 * float(lasso.signal.square().sum())
    assert (found.active, found.gap) == (0, 0.0)
    assert found.energy == found.reconstruction == pytest.approx(silence)


def test_one_atom_has_the_closed_form_of_a_soft_threshold():
    """min ½‖s − φa‖² + λ|a| over one unit atom: a = T_λ(φᵀs)."""
    lasso = problem(3, 1, 8, threshold=0.4)
    drive = float(lasso.atoms[0] @ lasso.signal[0])
    a = np.sign(drive) * max(abs(drive) - 0.4, 0.0)
    left = lasso.signal[0].numpy() - a * lasso.atoms[0].numpy()
    assert optimum(lasso).energy == pytest.approx(0.5 * left @ left + 0.4 * abs(a), rel=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_long_run_of_the_network_comes_down_to_it_and_never_below(dtype):
    lasso = problem(5, 120, 20, threshold=0.5, dtype=dtype)
    params = LCA.Params(threshold=0.5, time_constant=10.0, steps=4000)
    network = LCA(params, Wiring(20, lasso.atoms))
    state = network.init(lasso.signal)
    lowest = optimum(lasso).energy
    for _ in range(4000):
        state = network.step(state)
    energy = float(network.observe(state, ("energy",))["energy"][0, 2])
    scale = 0.5 * float(lasso.signal.square().sum())
    assert -2e-6 * scale <= energy - lowest <= 1e-5 * scale


def test_it_can_be_called_off_and_says_nothing_where_there_is_nothing_to_say():
    assert optimum(problem(0, 50, 10, 0.1), stop=lambda: True) is None
    assert optimum(problem(0, 50, 10, 0.0)) is None
    two = problem(0, 50, 10, 0.1)
    with pytest.raises(ValueError, match="one sample, got 2"):
        optimum(two._replace(signal=two.signal.repeat(2, 1)))
