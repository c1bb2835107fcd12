"""How far a network goes towards its goal in one step, and in which ways.

- *Euler*: η = Δt/τ of the way, equation 3 of Takaghaj & Sampson (2024).
- *Exponential*: 1 − exp(−η), exact while the goal stands still (Rozell et al. 2008; PetaVision).
- *Heavy ball*: η of the way, and on by μ of the way of the step before (Polyak 1964).
- *Adaptive*: Euler with an η of each sample, by the rule of PetaVision's
  ``AdaptiveTimeScaleController``: as long as the energy falls η may grow, and a step may take only
  a small part of the energy; once it rises η begins anew.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Rule(NamedTuple):
    """How the next step is taken."""

    ratio: float | Tensor  # the part of the way to the goal; [B] if each sample has its own
    momentum: float | None = None  # μ; None: without

    def moved(self, now: Tensor, goal: Tensor, before: Tensor | None) -> Tensor:
        """Where ``now`` [B, ...] is one step later; ``before`` is where it was one step earlier."""
        ratio = self.ratio
        if isinstance(ratio, Tensor):
            ratio = ratio.to(now).view(-1, *(1 for _ in now.shape[1:]))
        after = torch.lerp(now, goal, ratio)
        if self.momentum is None or before is None:
            return after
        return after.add_(now - before, alpha=self.momentum)


def first_pace(energy: Tensor) -> Tensor:
    """The pace of samples at rest with energies [B], [B, 3] float64."""
    one = torch.ones_like(energy, dtype=torch.float64)
    return torch.stack((one, one, energy.double()), 1)


def next_pace(pace: Tensor, energy: Tensor, growth: float, change: float) -> Tensor:
    """The pace of the next step, [B, 3] float64.

    A pace is the time step in units of Δt, the longest that it may be, and the energy at which it
    was chosen.

    Args:
        pace: of the step before.
        energy: E after it, [B].
        growth: the longest time step grows by this part in a step in which E fell.
        change: the part of E that a step may take.
    """
    step, longest, before = pace.unbind(1)
    now = energy.double()
    fall = (before - now) / step  # in one Δt
    longer = torch.minimum(change * before / fall, longest)  # no fall: infinite, so the longest
    falls = (fall >= 0) & (now > 0) & longer.isfinite()  # False for NaN
    step = torch.where(falls, longer, 1.0)
    longest = torch.where(falls, longest * (1 + growth), 1.0)
    return torch.stack((step, longest, now), 1)
