"""Why a network oscillates: its step against the largest step that its active neurons allow.

On the active neurons a step of the LCA is u' = u − η ∇E, with Hessian G = ΦᵀΦ of the active
atoms; silent neurons only follow, with 1 − η. So the step must be smaller than 2 / λ_max(G), and
smaller than 2 for the leak. While η ≤ 1 stays below that for all neurons active before or after
a step, the energy cannot rise under the soft threshold: no neuron's activation moves by more than
η times its gradient, hence E' − E ≤ −Σ ηᵢ∇ᵢ² (1 − ½ ηᵢ λ_max) ≤ 0. A heavy ball with momentum μ
may step 1 + μ times as far (Polyak 1964).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from workbench.systems.protocol import Lasso, Products

# An energy has risen when it is above its lowest so far by this part of the energy of silence;
# less is the rounding of float32.
_RISE = 1e-3

# Good settings of the paper and of our sessions lie between 2 and 10 times the threshold.
_LARGE_DRIVE = 20.0

# Multiply-adds spent on a Gramian: about 20 ms on one core. Beyond it, atoms are sampled.
_GRAMIAN_WORK = 6e8


@dataclass(frozen=True)
class Bound:
    """The step of a network and the largest that its active neurons allow."""

    step: float  # η
    limit: float  # 2 (1 + μ) / λ_max(G) of the active atoms; λ_max is taken as 1 at least
    active: int  # how many neurons are active

    @property
    def exceeded(self) -> bool:
        """True: this step makes the active neurons overshoot more and more."""
        return self.step > self.limit

    @property
    def advised(self) -> float:
        """A round step below the limit."""
        return _round_down(0.95 * self.limit)


def bound(lasso: Lasso) -> Bound:
    """The stability bound at this instant for one sample.

    Raises:
        ValueError: the problem holds more than one sample.
    """
    if len(lasso.activation) != 1:
        raise ValueError(f"a stability bound is for one sample, got {len(lasso.activation)}")
    active = lasso.activation[0] != 0
    largest = max(1.0, largest_eigenvalue(lasso.atoms, active))
    limit = 2.0 * (1 + lasso.momentum) / largest
    return Bound(lasso.step_ratio, limit, int(active.sum()))


def largest_drive(signal: Tensor, atoms: Tensor) -> float:
    """max |φᵢᵀs| of signals [B, N] over atoms [M, N]; 0 where there are none."""
    return float(Products(atoms).match(signal).abs().max()) if len(atoms) else 0.0


def warn_of_drive(drive: float, threshold: float) -> str | None:
    """A sentence if the drive is so large against the threshold that all neurons will fire.

    Features of pretrained networks may be hundreds long: then every neuron passes its threshold
    within the first steps, all inhibit each other at once, and the network dies or explodes.

    Args:
        drive: the largest of one sample.
        threshold: at which a neuron fires.
    """
    if threshold <= 0 or drive <= _LARGE_DRIVE * threshold:
        return None
    return (
        f"The largest drive is {drive / threshold:.0f} times the threshold: nearly all "
        f"neurons will fire at once. Scale the signals (signal.norm = 10), or raise the threshold."
    )


def first_rise(energies: Sequence[float] | np.ndarray) -> int | None:
    """The first step at which the total energy rose or stopped being finite, or None.

    Args:
        energies: total energy at the steps 0, 1, …; a rise is more than 0.1 % of the first.
    """
    total = np.asarray(energies, dtype=float)
    if len(total) == 0:
        return None
    with np.errstate(invalid="ignore"):
        lowest = np.minimum.accumulate(total)
        risen = ~np.isfinite(total) | (total > lowest + _RISE * abs(total[0]))
    return int(risen.argmax()) if risen.any() else None


def explain(
    lasso: Lasso,
    energies: Sequence[float] | np.ndarray,
    advised: tuple[float, int] | None = None,
) -> str | None:
    """One sentence on why the total energy of one sample rose, or None where it did not.

    The active set changes from step to step, so the sentence is surest for the problem as it was
    at the step that `first_rise` names. ``energies`` is as in `first_rise`. ``advised`` is a Δt
    advised before, and the step from which on; without it the one for now is advised.
    """
    step = first_rise(energies)
    if step is None:
        return None
    here = bound(lasso)
    if not here.exceeded:
        return _unexplained(here, energies, step)
    finite = np.isfinite(np.asarray(energies, dtype=float)).all()
    what = "The network is oscillating" if finite else "The network has blown up"
    time_step, since = advised or (_advised_time_step(here, lasso), None)
    return (
        f"{what}: the step η = {here.step:.2g} is above the bound {here.limit:.2g} for the "
        f"{_neurons(here.active)}. Use Δt = {_short(time_step)} "
        f"(η = {_short(time_step / lasso.time_constant)})"
        f"{'' if since is None else f' from step {since} on'}."
    )


def advised_time_step(lasso: Lasso) -> float | None:
    """The Δt that `explain` advises, or None where the step is within its bound."""
    here = bound(lasso)
    return float(_short(_advised_time_step(here, lasso))) if here.exceeded else None


def _advised_time_step(here: Bound, lasso: Lasso) -> float:
    return here.advised * lasso.time_constant


def _unexplained(here: Bound, energies: Sequence[float] | np.ndarray, step: int) -> str:
    what = "stopped being finite"
    if math.isfinite(energies[step]):
        what = f"rose from {min(energies[:step]):.3g} to {energies[step]:.3g}"
    return (
        f"The energy {what} at step {step}, although the step η = {here.step:.2g} is within the "
        f"bound {here.limit:.2g} for the {_neurons(here.active)} now; go back to step {step}, "
        "where others may have been active or a parameter was changed."
    )


def largest_eigenvalue(atoms: Tensor, active: Tensor | None = None) -> float:
    """λ_max of the Gramian of the atoms [m, N], or of those marked in ``active`` ([m] bool).

    Power iteration from a fixed start, on the smaller of m × m and N × N. Where that Gramian
    would take long, it is that of evenly spaced atoms, and the eigenvector found there is
    measured on all: then the value is a lower bound, close where the atoms have much in common.
    """
    rows = (
        torch.arange(len(atoms), device=atoms.device) if active is None else active.nonzero()[:, 0]
    )
    if len(rows) == 0:
        return 0.0
    kept = min(len(rows), _affordable(atoms.shape[1]))
    picked = rows[torch.arange(kept, device=rows.device) * len(rows) // kept]
    products = Products(atoms)
    sample = atoms[picked].to(products.dtype)  # [kept, N]
    wide = kept <= atoms.shape[1]
    value, vector = _power_iteration(sample @ sample.T if wide else sample.T @ sample)
    if kept == len(rows):
        return value
    direction = sample.T @ vector if wide else vector  # [N]
    response = products.match(direction[None] / torch.linalg.vector_norm(direction))[0]
    return float(response.cpu().double()[rows.cpu()].square().sum())


def _affordable(features: int) -> int:
    """How many atoms of so many features have a Gramian within the work allowed."""
    tall = int(_GRAMIAN_WORK / features**2)  # N × N costs m·N²
    wide = int(math.sqrt(_GRAMIAN_WORK / features))  # m × m costs m²·N
    return max(tall, min(wide, features), 1)


def _power_iteration(
    gram: Tensor, tolerance: float = 1e-6, most: int = 300
) -> tuple[float, Tensor]:
    """The largest eigenvalue of a Gramian and its eigenvector."""
    generator = torch.Generator().manual_seed(0)
    vector = torch.randn(len(gram), generator=generator, dtype=torch.float64).to(gram)
    value = 0.0
    for _ in range(most):
        vector = vector / torch.linalg.vector_norm(vector)
        response = gram @ vector
        before, value = value, float(vector @ response)
        if value - before <= tolerance * value:
            break
        vector = response
    return value, vector / torch.linalg.vector_norm(vector)


def _round_down(value: float) -> float:
    """The next lower of 1, 1.5, 2, 3, 4, 5, 6, 8 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return max(m for m in (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0) if m * power <= value) * power


def _short(value: float) -> str:
    return f"{value:.3g}"


def _neurons(count: int) -> str:
    return "1 active neuron" if count == 1 else f"{count} active neurons"
