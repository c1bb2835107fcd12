"""The optimum itself: the Lasso that a network descends, solved by another method to its end.

Scikit-learn's coordinate descent on a working set of atoms: those in use, and whoever breaks the
optimality conditions most, until a duality gap over *all* atoms proves that nothing is left to
gain. So 60 000 atoms cost a few passes and some small problems.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from workbench.analysis import optimality
from workbench.systems.protocol import Lasso

FIRST = 32  # atoms that join the working set at least, if so many have a reason
ROUNDS = 60  # at most
MOST_SWEEPS = 50_000  # of coordinate descent in a round
EXACT = 1e-6  # of ½‖s‖², the duality gap that is small enough


@dataclass(frozen=True)
class Optimum:
    """The lowest energy that a network can reach."""

    energy: float
    reconstruction: float  # ½‖s − Φa‖², its first term
    active: int  # atoms in use there; others may do as well
    gap: float  # the true one is at most so much lower


def optimum(lasso: Lasso, stop: Callable[[], bool] = lambda: False) -> Optimum | None:
    """The optimum of one sample's Lasso; None if it was called off, or λ = 0 leaves none unique.

    Raises:
        ValueError: the problem holds more than one sample.
    """
    if len(lasso.signal) != 1:
        raise ValueError(f"an optimum is of one sample, got {len(lasso.signal)}")
    if lasso.threshold <= 0 or not bool(torch.isfinite(lasso.signal).all()):
        return None
    signal = lasso.signal[0].cpu().double().numpy()
    exact = EXACT * 0.5 * float(signal @ signal)
    code = torch.zeros(1, len(lasso.atoms), dtype=lasso.signal.dtype, device=lasso.signal.device)
    best: Optimum | None = None
    for _ in range(ROUNDS):
        if stop():
            return None
        left = optimality.residual(lasso._replace(activation=code))
        found = _measured(lasso, code, left)
        if best is None or found.energy < best.energy:
            best = found
        if found.gap <= exact:
            break
        match = left[1][0].cpu().double().numpy()
        weights = code[0].cpu().double().numpy()
        chosen = _working_set(weights, np.abs(match), lasso.threshold)
        atoms = lasso.atoms[torch.from_numpy(chosen).to(lasso.atoms.device)]
        weights = _solved(atoms.cpu().double().numpy(), signal, lasso.threshold, weights[chosen])
        code = torch.zeros_like(code)
        code[0, torch.from_numpy(chosen).to(code.device)] = torch.from_numpy(weights).to(code)
    return best


def _measured(lasso: Lasso, code: Tensor, left: optimality.Left) -> Optimum:
    certificate = optimality.certify(lasso._replace(activation=code), left=left)
    return Optimum(
        float(certificate.energy),
        0.5 * float(left[0].square().sum()),
        int((code != 0).sum()),
        float(certificate.gap),
    )


def _working_set(weights: np.ndarray, match: np.ndarray, threshold: float) -> np.ndarray:
    """Who is in use, and of the others those that break |φᵀr| ≤ λ most."""
    active = np.flatnonzero(weights)
    breach = np.where(weights == 0, match - threshold, -np.inf)
    count = min(max(FIRST, len(active)), int((breach > 0).sum()))
    worst = np.argsort(-breach, kind="stable")[:count]
    return np.concatenate([active, worst])


def _solved(
    atoms: np.ndarray, signal: np.ndarray, threshold: float, start: np.ndarray
) -> np.ndarray:
    """The weights [m] of a small Lasso over atoms [m, N], from some weights on."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import Lasso as Solver

    settings = {"fit_intercept": False, "precompute": True, "warm_start": True}
    solver = Solver(threshold / len(signal), tol=1e-10, max_iter=MOST_SWEEPS, **settings)
    solver.coef_ = start.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the gap tells, over all atoms
        solver.fit(np.asfortranarray(atoms.T), signal)
    return solver.coef_
