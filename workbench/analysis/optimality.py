"""How far a code is from the optimum of its Lasso, proved without knowing the optimum.

For min over a of P(a) = ½‖s − Φa‖² + λ‖a‖₁, each θ with |φᵢᵀθ| ≤ λ for all atoms gives a lower
bound D(θ) = ½‖s‖² − ½‖s − θ‖² ≤ P(a*). The θ used is the residual r = s − Φa, scaled by the c
that makes D largest among those allowed. P(a) − D(θ) is the duality gap: E can be at most that
much too high, and it reaches 0 at the optimum (Fercoq, Gramfort & Salmon, ICML 2015, section 2).

With λ = 0 only a zero (or orthogonal) residual is allowed: the gap is then ½‖r‖².
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from workbench.systems.protocol import Lasso

# Gathering the active atoms is cheaper than reading all while they are at most one in so many.
_SPARSE = 8


class Certificate(NamedTuple):
    """What is proved of the code of each sample."""

    gap: Tensor  # [B] float64, the energy is at most so much too high
    energy: Tensor  # [B] float64, P(a)
    converged: Tensor  # [B] bool, the gap is at most the tolerance asked for

    @property
    def excess(self) -> Tensor:
        """[B], the energy is at most this part of the lowest one too high; infinite if unknown.

        gap / D(θ), because the lowest energy is at least D(θ) = P(a) − gap.
        """
        bound = self.energy - self.gap
        known = bound > 0
        part = self.gap / torch.where(known, bound, 1.0)
        return torch.where(known | (self.gap <= 0), part, torch.inf)


def certify(lasso: Lasso, tolerance: float = 1e-3) -> Certificate:
    """Gap and energy of each sample, and whether the gap is at most ``tolerance`` · ½‖s‖².

    ½‖s‖² is the energy of silence, where every network starts. A NaN has not converged. Costs
    about one pass over the dictionary where codes are sparse. In single precision a gap is known
    to about 1e-6 of ½‖s‖².
    """
    gap, energy = _gap_and_energy(lasso)
    silence = 0.5 * lasso.signal.double().square().sum(1)
    return Certificate(gap, energy, gap <= tolerance * silence)


def duality_gap(lasso: Lasso) -> Tensor:
    """How much too high the energy of each sample can be at most; [B] float64, at least 0."""
    return _gap_and_energy(lasso)[0]


def _gap_and_energy(lasso: Lasso) -> tuple[Tensor, Tensor]:
    residual, match = _residual(lasso)
    squared = residual.square().sum(1)
    room = lasso.threshold / match.abs().amax(1)  # [B], the largest |c| allowed
    scale = (lasso.signal.double() * residual).sum(1) / squared
    scale = scale.clamp(-room, room).nan_to_num(0.0)  # NaN: 0 / 0, where no scale does anything
    sparsity = lasso.threshold * lasso.activation.double().abs().sum(1)
    dual = scale * (lasso.signal.double() * residual).sum(1) - 0.5 * scale.square() * squared
    energy = 0.5 * squared + sparsity
    return (energy - dual).clamp(min=0.0), energy


def kkt_violation(lasso: Lasso) -> Tensor:
    """The largest breach of the optimality conditions of each sample; [B] float64, at least 0.

    At the optimum φᵢᵀr = λ sign(aᵢ) for the active neurons and |φᵢᵀr| ≤ λ for the silent ones.
    """
    _, match = _residual(lasso)
    activation = lasso.activation.double()
    active = (match - lasso.threshold * activation.sign()).abs()
    silent = (match.abs() - lasso.threshold).clamp(min=0.0)
    return torch.where(activation != 0, active, silent).amax(1)


def converged(lasso: Lasso, tolerance: float = 1e-3) -> Tensor:
    """Whether the gap of each sample is at most ``tolerance`` · ½‖s‖², as `certify`; [B] bool."""
    return certify(lasso, tolerance).converged


def _residual(lasso: Lasso) -> tuple[Tensor, Tensor]:
    """r = s − Φa [B, N] and Φᵀr [B, M], multiplied in the dtype of the atoms, then float64.

    The atoms themselves are never copied to float64: they may fill the memory. Φa reads only the
    atoms active anywhere in the batch where these are few.
    """
    activation, atoms = lasso.activation, lasso.atoms
    active = (activation != 0).any(0).nonzero()[:, 0]
    if len(active) * _SPARSE <= len(atoms):
        activation, atoms = activation.index_select(1, active), atoms.index_select(0, active)
    residual = lasso.signal - activation @ atoms
    return residual.double(), (residual @ lasso.atoms.T).double()
