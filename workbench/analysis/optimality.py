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

Left = tuple[Tensor, Tensor]  # what the code leaves over, and how each atom matches it


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


def certify(lasso: Lasso, tolerance: float = 1e-3, left: Left | None = None) -> Certificate:
    """Gap and energy of each sample, and whether the gap is at most ``tolerance`` · ½‖s‖².

    ½‖s‖² is the energy of silence, where every network starts. A NaN has not converged. Costs
    about one pass over the dictionary where codes are sparse. In single precision a gap is known
    to about 1e-6 of ½‖s‖². ``left`` is what `residual` gives, where it is known already.
    """
    gap, energy = _gap_and_energy(lasso, left or residual(lasso))
    silence = 0.5 * _double(lasso.signal).square().sum(1)
    return Certificate(gap, energy, gap <= tolerance * silence)


def duality_gap(lasso: Lasso) -> Tensor:
    """How much too high the energy of each sample can be at most; [B] float64, at least 0."""
    return _gap_and_energy(lasso, residual(lasso))[0]


def _gap_and_energy(lasso: Lasso, left: Left) -> tuple[Tensor, Tensor]:
    unexplained, match = left
    along = (_double(lasso.signal) * unexplained).sum(1)
    squared = unexplained.square().sum(1)
    largest = lasso.shard.max(_double(match.abs().amax(1)))
    room = lasso.threshold / largest  # [B], the largest |c| allowed
    scale = (along / squared).clamp(-room, room)
    scale = scale.nan_to_num(0.0)  # NaN: 0 / 0, where no scale does anything
    sparsity = lasso.threshold * lasso.shard.sum(_double(lasso.activation).abs().sum(1))
    dual = scale * along - 0.5 * scale.square() * squared
    energy = 0.5 * squared + sparsity
    return (energy - dual).clamp(min=0.0), energy


def kkt_violation(lasso: Lasso, left: Left | None = None) -> Tensor:
    """The largest breach of the optimality conditions of each sample; [B] float64, at least 0.

    At the optimum φᵢᵀr = λ sign(aᵢ) for the active neurons and |φᵢᵀr| ≤ λ for the silent ones.
    ``left`` is as in `certify`.
    """
    _, match = left or residual(lasso)
    match, activation = _double(match), _double(lasso.activation)
    active = (match - lasso.threshold * activation.sign()).abs()
    silent = (match.abs() - lasso.threshold).clamp(min=0.0)
    return lasso.shard.max(torch.where(activation != 0, active, silent).amax(1))


def converged(lasso: Lasso, tolerance: float = 1e-3) -> Tensor:
    """Whether the gap of each sample is at most ``tolerance`` · ½‖s‖², as `certify`; [B] bool."""
    return certify(lasso, tolerance).converged


def residual(lasso: Lasso) -> Left:
    """r = s − Φa [B, N] in float64, and Φᵀr [B, M] for the atoms here as it was multiplied.

    The atoms themselves are never copied to float64: they may fill the memory. Φa reads only the
    atoms active anywhere in the batch where these are few.
    """
    reconstruction = lasso.products.combine(lasso.activation)
    unexplained = lasso.signal if reconstruction is None else lasso.signal - reconstruction
    return _double(unexplained), lasso.products.match(unexplained)


def _double(values: Tensor) -> Tensor:
    """In float64; on the CPU where the device has none."""
    return (values.cpu() if values.device.type == "mps" else values).double()
