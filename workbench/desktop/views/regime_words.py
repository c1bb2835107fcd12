"""The rules of a map of regimes, and what a run on it came to, in words."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.analysis import regimes
from workbench.analysis.regimes import REGIMES, Node

RULES = (  # in short; `analysis.regimes` has them to the letter
    "<br><b>divergent</b>: the energy is not finite, or at the last step "
    f"{regimes.BLOWN_UP:g} times that of silence, E₀"
    "<br><b>silent</b>: nobody ever fires"
    "<br><b>oscillating</b>: in the last quarter of the steps the energy rises by "
    f"{regimes.RISE:g} E₀ in {100 * regimes.RISING:g} % of them, or {100 * regimes.FLICKER:g} % of "
    "those that fire come and go at each; without energy: the variance of their number is above "
    f"{regimes.VOLLEYS:g} times its mean"
    "<br><b>dense</b>: in the last quarter more neurons fire than there are features, or than "
    f"{100 * regimes.MOST_ACTIVE:g} %"
    "<br><b>sparse</b>: all else"
)


def values_at(wish: Any, node: Node) -> str:
    """The values at a node: "λ = 0.5, Δt = 2"."""
    axes = zip((wish.across, wish.up), wish.values(node).values(), strict=True)
    named = ((axis.declared.symbol or axis.declared.label, value) for axis, value in axes)
    return ", ".join(f"{name} = {value:g}" for name, value in named)


def figures_of(cell: Any) -> str:
    """Regimes of the images, and what the watched one came to."""
    votes = np.bincount(cell.regimes, minlength=len(REGIMES))
    others = [f"{votes[r]} {REGIMES[r]}" for r in np.flatnonzero(votes) if r != cell.regime]
    lines = [f"{REGIMES[cell.regime]}: {votes[cell.regime]} of {votes.sum()} images"]
    lines[0] += "".join(f", {other}" for other in others)
    lines.append(
        f"the watched image: {REGIMES[cell.regimes[0]]}, at most {cell.peak[0]:g} fire, "
        f"{cell.last[0]:g} at the end"
    )
    if cell.energy is not None:
        line = f"energy at the end {cell.energy[0]:.4g}"
        if np.isfinite(cell.energy[0]) and cell.silence[0] > 0:
            line += f", {100 * cell.energy[0] / cell.silence[0]:.3g} % of that of silence"
        lines.append(line)
    return "\n".join(lines)
