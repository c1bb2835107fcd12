"""How far a code is from the optimum of its Lasso, proved without knowing the optimum.

For min over a of P(a) = ½‖s − Φa‖² + λ‖a‖₁, each θ with |φᵢᵀθ| ≤ λ for all atoms gives a lower
bound D(θ) = ½‖s‖² − ½‖s − θ‖² ≤ P(a*). The θ used is the residual r = s − Φa, scaled by the c
that makes D largest among those allowed. P(a) − D(θ) is the duality gap: E can be at most that
much too high, and it reaches 0 at the optimum (Fercoq, Gramfort & Salmon, ICML 2015, section 2).

With λ = 0 only a zero (or orthogonal) residual is allowed: the gap is then ½‖r‖².
"""

from __future__ import annotations

import torch
from torch import Tensor

from workbench.systems.protocol import Lasso


def duality_gap(lasso: Lasso) -> Tensor:
    """How much too high the energy of each sample can be at most; [B] float64, at least 0."""
    residual, match = _residual(lasso)
    along = (_double(lasso.signal) * residual).sum(1)
    squared = residual.square().sum(1)
    largest = lasso.shard.max(_double(match.abs().amax(1)))
    room = lasso.threshold / largest  # [B], the largest |c| allowed
    scale = (along / squared).clamp(-room, room)
    scale = scale.nan_to_num(0.0)  # NaN: 0 / 0, where no scale does anything
    sparsity = lasso.threshold * lasso.shard.sum(_double(lasso.activation).abs().sum(1))
    dual = scale * along - 0.5 * scale.square() * squared
    return (0.5 * squared + sparsity - dual).clamp(min=0.0)


def kkt_violation(lasso: Lasso) -> Tensor:
    """The largest breach of the optimality conditions of each sample; [B] float64, at least 0.

    At the optimum φᵢᵀr = λ sign(aᵢ) for the active neurons and |φᵢᵀr| ≤ λ for the silent ones.
    """
    _, match = _residual(lasso)
    match, activation = _double(match), _double(lasso.activation)
    active = (match - lasso.threshold * activation.sign()).abs()
    silent = (match.abs() - lasso.threshold).clamp(min=0.0)
    return lasso.shard.max(torch.where(activation != 0, active, silent).amax(1))


def converged(lasso: Lasso, tolerance: float = 1e-3) -> Tensor:
    """Whether the gap of each sample is at most ``tolerance`` · ½‖s‖²; [B] bool.

    ½‖s‖² is the energy of silence, where every network starts. A NaN has not converged.
    """
    silence = 0.5 * _double(lasso.signal).square().sum(1)
    return duality_gap(lasso) <= tolerance * silence


def _residual(lasso: Lasso) -> tuple[Tensor, Tensor]:
    """r = s − Φa [B, N] in float64, and Φᵀr [B, M] for the atoms here as it was multiplied.

    The atoms themselves are never copied to float64: they may fill the memory.
    """
    reconstruction = lasso.products.combine(lasso.activation)
    residual = lasso.signal if reconstruction is None else lasso.signal - reconstruction
    return _double(residual), lasso.products.match(residual)


def _double(values: Tensor) -> Tensor:
    """In float64; on the CPU where the device has none."""
    return (values.cpu() if values.device.type == "mps" else values).double()
