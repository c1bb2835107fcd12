"""The bound judged by what networks then do, and λ_max by a dense eigensolver."""

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from workbench.analysis.stability import bound, explain, first_rise, largest_eigenvalue
from workbench.systems.lca import LCA
from workbench.systems.protocol import Lasso, Wiring


def atoms_of(rows, features, positive=False, seed=0):
    generator = torch.Generator().manual_seed(seed)
    draw = torch.rand if positive else torch.randn
    return normalize(draw(rows, features, generator=generator), dim=1)


def eigenvalue(atoms):
    return float(torch.linalg.eigvalsh((atoms.T @ atoms).double())[-1])


@pytest.mark.parametrize("rows, features", [(1, 5), (8, 40), (200, 30), (64, 64)])
@pytest.mark.parametrize("positive", [False, True])
def test_the_largest_eigenvalue_is_that_of_a_dense_solver(rows, features, positive):
    atoms = atoms_of(rows, features, positive)
    assert largest_eigenvalue(atoms) == pytest.approx(eigenvalue(atoms), rel=1e-3)


def test_only_marked_atoms_count():
    atoms, active = atoms_of(50, 20), torch.arange(50) % 3 == 0
    assert largest_eigenvalue(atoms, active) == pytest.approx(eigenvalue(atoms[active]), rel=1e-3)
    assert largest_eigenvalue(atoms, torch.zeros(50, dtype=torch.bool)) == 0.0


@pytest.mark.parametrize("positive, least", [(True, 0.99), (False, 0.75)])
def test_many_atoms_are_sampled_into_a_lower_bound(positive, least):
    atoms, active = atoms_of(3000, 500, positive), torch.arange(3000) % 10 != 0
    assert active.sum() * 500**2 > 6e8  # more than is multiplied out
    truth = eigenvalue(atoms[active])
    assert least * truth <= largest_eigenvalue(atoms, active) <= truth * (1 + 1e-5)


def test_the_same_atoms_give_the_same_number():
    atoms = atoms_of(100, 30)
    assert largest_eigenvalue(atoms) == largest_eigenvalue(atoms.clone())


def energies_of(system, signal, steps):
    """Total energies and the states of a run of one sample."""
    states = [system.init(signal)]
    for _ in range(steps):
        states.append(system.step(states[-1]))
    return [float(system.observe(s, ["energy"])["energy"][0, 2]) for s in states], states


def alike(angle=0.3, count=6):
    """Atoms that all point much the same way: neurons that fire together."""
    generator = torch.Generator().manual_seed(0)
    spread = torch.randn(count, 10, generator=generator, dtype=torch.float64)
    return normalize(torch.ones(10, dtype=torch.float64) + angle * spread, dim=1)


@pytest.mark.parametrize("part, grows", [(0.97, False), (1.03, True)])
def test_a_network_oscillates_just_above_the_bound_and_settles_just_below(part, grows):
    atoms = alike()
    eta = part * 2 / eigenvalue(atoms)
    system = LCA(LCA.Params(threshold=0.1, time_constant=1 / eta), Wiring(10, atoms))
    signal = 5 * atoms.sum(0, keepdim=True)
    # From the fixed point, all active, a push along the steepest direction: linear dynamics.
    gentle = system.with_params(system.params.changed(time_constant=50.0))
    state = gentle.init(signal)
    for _ in range(50_000):
        state = gentle.step(state)
    lasso = system.lasso(state)
    assert (lasso.activation != 0).all()
    fixed, push = state.u, 1e-6 * torch.linalg.eigh(atoms @ atoms.T)[1][:, -1]
    state = state._replace(u=fixed + push)
    for _ in range(100):
        state = system.step(state)
    assert bool((state.u - fixed).norm() > push.norm()) == grows
    assert bound(lasso).exceeded == grows
    assert bound(lasso).active == 6


def test_the_bound_of_silence_is_that_of_the_leak():
    lasso = Lasso(torch.zeros(1, 5), atoms_of(4, 5), torch.zeros(1, 4), 1.0, 2.5)
    assert (bound(lasso).limit, bound(lasso).active, bound(lasso).exceeded) == (2.0, 0, True)


def test_the_bound_is_for_one_sample():
    lasso = Lasso(torch.zeros(2, 5), atoms_of(4, 5), torch.zeros(2, 4), 1.0, 0.1)
    with pytest.raises(ValueError, match="one sample, got 2"):
        bound(lasso)


def test_an_oscillation_is_explained_in_numbers():
    atoms = torch.ones(96, 1)
    # λ_max = 96: the bound is 2/96 = 0.021, the next round number below it 0.015.
    lasso = Lasso(torch.ones(1, 1), atoms, torch.ones(1, 96), 0.1, 0.1, time_constant=50.0)
    assert explain(lasso, [1.0, 1.0, 3.0]) == (
        "The network is oscillating: the step η = 0.1 is above the bound 0.021 for the "
        "96 active neurons. Use Δt = 0.75 (η = 0.015)."
    )
    assert "has blown up: the step" in explain(lasso, [1.0, 3.0, math.inf])
    assert "has blown up: the step" in explain(lasso, [1.0, math.nan])


def test_a_rise_within_the_bound_is_not_blamed_on_the_step():
    lasso = Lasso(torch.ones(1, 4), torch.eye(4), torch.eye(4)[:1], 0.1, 0.1)
    assert explain(lasso, [2.0, 1.0, 5.0, 4.0]) == (
        "The energy rose from 1 to 5 at step 2, although the step η = 0.1 is within the bound 2 "
        "for the 1 active neuron now; go back to step 2, where others may have been active or a "
        "parameter was changed."
    )
    assert "stopped being finite at step 1, although" in explain(lasso, [2.0, math.nan])


def test_a_falling_energy_needs_no_explanation():
    lasso = Lasso(torch.ones(1, 1), torch.ones(9, 1), torch.ones(1, 9), 0.1, 1.0)
    for energies in ([], [1.0], [3.0, 2.0, 2.0, 1.0], np.array([3.0, 3.0 * (1 + 1e-6)]), [0.0] * 5):
        assert first_rise(energies) is None
        assert explain(lasso, energies) is None


def test_the_first_rise_is_found():
    assert first_rise([3.0, 2.0, 2.5, 2.0]) == 2
    assert first_rise(np.array([3.0, np.nan, 2.5])) == 1
    assert first_rise([math.inf]) == 0


def test_the_advice_cures_an_exploding_network():
    atoms = atoms_of(200, 20, positive=True)
    signal = 2 * torch.rand(1, 20, generator=torch.Generator().manual_seed(1))
    wild = LCA(LCA.Params(threshold=0.5, time_constant=2.0), Wiring(20, atoms))
    energies, states = energies_of(wild, signal, 40)
    rise = first_rise(energies)
    found = bound(wild.lasso(states[rise]))
    assert found.exceeded and explain(wild.lasso(states[rise]), energies).startswith("The network")
    calm = wild.with_params(wild.params.changed(time_step=found.advised * 2.0))
    energies, _ = energies_of(calm, signal, 400)
    assert first_rise(energies) is None
