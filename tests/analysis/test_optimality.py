"""The certificate judged by optima that scikit-learn finds."""

import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import Lasso as SklearnLasso
from torch.nn.functional import normalize

from workbench.analysis.optimality import certify, converged, duality_gap, kkt_violation
from workbench.systems.protocol import Lasso


def problem(threshold=0.4, batch=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    atoms = normalize(torch.randn(30, 12, generator=generator, dtype=torch.float64), dim=1)
    signal = 2 * torch.randn(batch, 12, generator=generator, dtype=torch.float64)
    return Lasso(signal, atoms, signal.new_zeros(batch, 30), threshold, 0.1)


def optimum(lasso):
    solver = SklearnLasso(lasso.threshold / 12, fit_intercept=False, tol=1e-14, max_iter=200_000)
    rows = [solver.fit(lasso.atoms.T.numpy(), s.numpy()).coef_.copy() for s in lasso.signal]
    return lasso._replace(activation=torch.from_numpy(np.stack(rows)))


def energy(lasso):
    residual = lasso.signal - lasso.activation @ lasso.atoms
    return 0.5 * residual.square().sum(1) + lasso.threshold * lasso.activation.abs().sum(1)


def test_gap_and_violation_vanish_at_the_optimum():
    best = optimum(problem())
    assert best.activation.any()
    assert duality_gap(best).max() < 1e-8
    assert kkt_violation(best).max() < 1e-6
    assert converged(best).all() and converged(best, tolerance=1e-8).all()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("distance", [0.0, 1e-3, 0.1, 10.0])
def test_the_gap_is_never_less_than_what_the_energy_is_too_high(seed, distance):
    best = optimum(problem(seed=seed))
    generator = torch.Generator().manual_seed(seed)
    away = torch.randn(best.activation.shape, generator=generator, dtype=torch.float64)
    worse = best._replace(activation=best.activation + distance * away)
    too_high = energy(worse) - energy(best)
    assert (duality_gap(worse) >= too_high - 1e-8).all()


def test_silence_is_optimal_exactly_when_the_threshold_is_above_every_drive():
    lasso = problem()
    peak = float((lasso.signal @ lasso.atoms.T).abs().max())
    assert duality_gap(lasso._replace(threshold=peak)).max() < 1e-12
    assert kkt_violation(lasso._replace(threshold=peak)).max() < 1e-12
    below = lasso._replace(threshold=0.5 * peak)
    assert float(kkt_violation(below).max()) == pytest.approx(0.5 * peak)
    assert not converged(below).all()


def test_the_violation_of_an_active_neuron_is_signed():
    one = torch.eye(1, dtype=torch.float64)
    lasso = Lasso(3 * one, one, 2 * one, threshold=1.0, step_ratio=0.1)
    assert kkt_violation(lasso).item() == 0.0  # 3 − 2 = λ
    assert kkt_violation(lasso._replace(activation=-2 * one)).item() == 6.0  # 5 instead of −1
    assert kkt_violation(lasso._replace(activation=2.5 * one)).item() == 0.5


def test_each_sample_is_judged_for_itself():
    lasso = optimum(problem())
    activation = lasso.activation.clone()
    activation[1] += 1.0
    assert converged(lasso._replace(activation=activation)).tolist() == [True, False, True]


def test_a_zero_signal_has_converged_and_a_nan_has_not():
    lasso = problem(batch=2)
    silent = lasso._replace(signal=torch.zeros_like(lasso.signal))
    assert duality_gap(silent).tolist() == [0.0, 0.0]
    assert converged(silent).all()
    lost = lasso._replace(activation=torch.full_like(lasso.activation, math.nan))
    assert not converged(lost).any()


def test_without_a_threshold_the_gap_is_the_energy_left():
    lasso = problem(threshold=0.0)
    assert torch.allclose(duality_gap(lasso), energy(lasso))


def test_reading_only_the_active_atoms_changes_nothing_but_the_last_bits():
    lasso = optimum(problem(batch=2))
    lasso = lasso._replace(
        atoms=torch.cat((lasso.atoms, normalize(torch.ones(500, 12, dtype=torch.float64), dim=1))),
        activation=torch.cat((lasso.activation, torch.zeros(2, 500, dtype=torch.float64)), 1),
    )
    assert 0 < (lasso.activation != 0).any(0).sum() < 530 / 8
    residual = lasso.signal - lasso.activation @ lasso.atoms
    match = (residual @ lasso.atoms.T).abs().amax(1)
    scale = torch.minimum((lasso.signal * residual).sum(1) / residual.square().sum(1), 0.4 / match)
    dual = 0.5 * lasso.signal.square() - 0.5 * (lasso.signal - scale[:, None] * residual).square()
    assert torch.allclose(duality_gap(lasso), energy(lasso) - dual.sum(1), atol=1e-12)


def test_a_certificate_is_gap_energy_and_judgement_together():
    lasso = optimum(problem())
    lasso = lasso._replace(activation=0.9 * lasso.activation)
    found = certify(lasso, tolerance=0.1)
    assert found.gap.equal(duality_gap(lasso)) and torch.allclose(found.energy, energy(lasso))
    assert found.converged.equal(found.gap <= 0.05 * lasso.signal.square().sum(1))
    lowest = energy(optimum(lasso))
    assert ((found.energy - lowest) / lowest <= found.excess).all() and found.excess.max() < 1
