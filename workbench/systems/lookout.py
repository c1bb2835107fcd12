"""Who among the neurons of an LCA that are not tracked may have reached the threshold.

The potential of a neuron that was never active is φᵢᵀR, where R is the trail of what the others
left unexplained (`lazy`). For any few orthonormal directions Q, with ΦQ known, and c = QᵀR

    |φᵢᵀR − (ΦQ)ᵢ c| ≤ ‖φᵢ − QQᵀφᵢ‖ ‖R − Qc‖,   ‖φᵢ − QQᵀφᵢ‖² = ‖φᵢ‖² − Σ (ΦQ)ᵢ²

so only a neuron whose estimate (ΦQ)ᵢ c comes that close to ±λ can have reached it. The first
direction is the signal's, in which R moves while all are silent; each other costs one pass over
the dictionary. Estimates are only made for the neurons *near* the threshold, chosen at some R₀.
With ρ = ‖R − Qc‖ and any x, nobody else is above |x| times the bound of all others at R₀ plus the
length of (c − x c₀, ρ − |x| ρ₀), the last not counted if below 0: what is known of an atom and its
length outside of Q make a vector of length ‖φᵢ‖.

R itself is never needed for that, only its trail: R = αs − ΦA.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

# Neurons within this part of the threshold are near it.
_NEAR = 0.2
# When those near are to be chosen anew for one sample, so they are for all that lack this part of
# the threshold only: choosing for many at once copies the others' choice once.
_SOON = 0.05
# So many numbers torch goes through in one thread, in the cache; waking a second takes longer.
_BLOCK = 1 << 15
# The longest atom that `Wiring` accepts, rounded up; those kept in bfloat16 are the longest.
_LONGEST = 1.006
# Roundings of the sums below, in units of the last place of the largest of their parts.
_ROUNDINGS = 8
# A unit vector has no direction besides others if what they leave of it is this many roundings.
_ROUNDED = 1000


class Trail(NamedTuple):
    """R = αs − ΦA by what is known of it: A is zero but at the tracked neurons."""

    gone: Tensor  # [B], α
    power: Tensor  # [B], ‖s‖²
    drive: Tensor  # [B, C], b of the tracked
    u: Tensor  # [B, C], their potentials, φᵢᵀR + Aᵢ
    held: Tensor  # [B, C], A

    def rounding(self) -> Tensor:
        """What the squares of lengths may be off, for potentials of the dtype ``u`` came in."""
        parts = self.gone[:, None] * self.drive.abs() + self.u.abs() + self.held.abs()
        return (self.held.abs() * parts).sum(1)


class Lookout(NamedTuple):
    """What was seen of a dictionary along a few directions, and who is near because of it."""

    basis: Tensor  # [B, q, N], Q; the first is s/‖s‖
    seen: tuple[Tensor, ...]  # q times [B, M], ΦQ
    outside: Tensor  # [B, M], no part of an atom at right angles to Q is longer
    seen_tracked: Tensor  # [B, q, C], ΦQ of the tracked neurons
    at: Tensor  # [B, q + 1], c₀ and ρ₀ at which those near were chosen; NaN: they were not yet
    outer: Tensor  # [B], no bound of the others was above it there
    near: Tensor  # [B, D] int64, neurons; −1 where there are fewer
    near_seen: Tensor  # [B, q, D], ΦQ of those
    near_outside: Tensor  # [B, D], `outside` of those; −∞ where there is none, or it is tracked
    spent: Tensor  # float64, what doubt has cost since the last direction, in dot products


class Sight(NamedTuple):
    """A lookout used at one R."""

    coordinates: Tensor  # [B, q], c
    radius: Tensor  # [B], ‖R − Qc‖
    rounding: Tensor  # [B], of an estimate
    reach: Tensor  # [B], what nobody who is not near can be above


def first(signal: Tensor, direction: Tensor, seen: Tensor) -> Lookout:
    """A lookout along the signals' directions [B, N], with ΦᵀQ [B, M] of them."""
    batch = len(signal)
    nothing = signal.new_zeros(batch, 0)
    never = torch.full((batch, 2), math.nan, dtype=torch.float64, device=signal.device)
    return Lookout(
        basis=direction[:, None],
        seen=(seen,),
        outside=_outside(torch.full_like(seen, _LONGEST), seen),
        seen_tracked=signal.new_zeros(batch, 1, 0),
        at=never,
        outer=never[:, 0],
        near=nothing.long(),
        near_seen=signal.new_zeros(batch, 1, 0),
        near_outside=nothing,
        spent=torch.zeros((), dtype=torch.float64),
    )


def widened(lookout: Lookout, direction: Tensor, seen: Tensor, tracked: Tensor) -> Lookout:
    """The lookout along one more direction [B, N]; those near are to be chosen again.

    Args:
        lookout: before.
        direction: at right angles to the others; zero where there is nothing to add.
        seen: ΦᵀQ of it, [B, M].
        tracked: neurons, [B, C]; −1 where there are fewer.
    """
    directions = (*lookout.seen, seen)
    places = tracked.clamp(min=0)
    seen_tracked = torch.stack([known.gather(1, places) for known in directions], 1)
    return lookout._replace(
        basis=torch.cat((lookout.basis, direction[:, None]), 1),
        seen=directions,
        outside=_outside(lookout.outside, seen),
        seen_tracked=seen_tracked.masked_fill_((tracked < 0)[:, None], 0.0),
        at=lookout.at.new_full((len(seen), len(directions) + 1), math.nan),
        near=lookout.near[:, :0],
        near_seen=seen.new_zeros(len(seen), len(directions), 0),
        near_outside=lookout.near_outside[:, :0],
    )


def narrowed(lookout: Lookout) -> Lookout:
    """The lookout along the signals' own directions only, to be widened."""
    own = lookout.seen[0]
    outside = _outside(torch.full_like(own, _LONGEST), own)
    return lookout._replace(basis=lookout.basis[:, :1], seen=(own,), outside=outside)


def aside(lookout: Lookout, vectors: Tensor) -> Tensor:
    """The directions in which vectors [B, N] leave those known; zero where they do not."""
    left = unit(vectors)
    for _ in range(2):  # once more for what rounding left of the others
        along = torch.bmm(lookout.basis, left[:, :, None])  # [B, q, 1]
        left = left - torch.bmm(lookout.basis.transpose(1, 2), along)[:, :, 0]
        length = torch.linalg.vector_norm(left, dim=1, keepdim=True)
        left = unit(left * (length > _ROUNDED * torch.finfo(left.dtype).eps))
    return left


def unit(vectors: Tensor) -> Tensor:
    """Vectors [B, N] at length 1; those that have no direction are 0.

    Not by torch's own, which leaves what is shorter than 1e-12 shorter than 1.
    """
    largest = vectors.abs().amax(1, keepdim=True)
    scaled = (vectors / largest).nan_to_num(0.0, 0.0, 0.0)  # so that no square is too small
    length = torch.linalg.vector_norm(scaled, dim=1, keepdim=True)
    return scaled / length.clamp(min=1.0)  # a largest part of 1 makes a length of at least 1


def look(lookout: Lookout, trail: Trail, eps: float) -> Sight:
    """The estimates' coordinates and errors at R; ``eps`` is the rounding of the potentials."""
    explained = (lookout.seen_tracked.double() * trail.held[:, None]).sum(2)  # [B, q], QᵀΦA
    coordinates = -explained
    coordinates[:, 0] += trail.gone * trail.power.sqrt()
    # ‖ΦA − QQᵀΦA‖², as s lies in the first direction; ΦᵀΦA = αb − u + A
    answer = trail.gone[:, None] * trail.drive - trail.u + trail.held
    left = (trail.held * answer).sum(1) - explained.square().sum(1)
    doubt = _ROUNDINGS * eps * trail.rounding()
    # Twice the worst rounding of an estimate.
    length = coordinates.abs().sum(1)
    rounding = eps * (lookout.basis.shape[2] + 16) * length
    radius = (left.clamp(min=0.0) + doubt).sqrt()
    here = torch.cat((coordinates, radius[:, None]), 1)
    along = (here * lookout.at).sum(1) / lookout.at.square().sum(1)  # NaN where R₀ = 0: stale
    aside = here - along[:, None] * lookout.at
    aside[:, -1].clamp_(min=0.0)
    aside = torch.linalg.vector_norm(aside, dim=1)
    reach = along.abs() * lookout.outer + _LONGEST * aside + rounding
    return Sight(coordinates, radius, rounding, reach)


def scores(lookout: Lookout, sight: Sight) -> Tensor:
    """Bounds of |φᵢᵀR| from above but for the rounding, for each near, [B, D]; −∞ if none is."""
    coordinates = sight.coordinates.to(lookout.near_seen)[:, None]
    estimate = torch.matmul(coordinates, lookout.near_seen)[:, 0]
    return estimate.abs_().addcmul_(lookout.near_outside, _radius(sight, estimate))


def suspects(
    lookout: Lookout, sight: Sight, level: float, threshold: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Samples of which a neuron may have reached the threshold.

    Returns:
        Which, [S]; those near that may be above ``level``, [S, D]; how many of them may be below
        it, [S].
    """
    most, rounding = scores(lookout, sight), sight.rounding[:, None]
    which = (most >= (threshold - rounding).to(most)).any(1).nonzero()[:, 0]
    most, rounding = most[which], rounding[which].to(most)
    wanted = most >= level - rounding
    doubt = 2 * lookout.near_outside[which] * _radius(sight, most)[which]
    return which, wanted, (wanted & (most - doubt < level + rounding)).sum(1)


def begun(lookout: Lookout, sample: Tensor, column: Tensor, place: Tensor, longer: int) -> Lookout:
    """The lookout where some of those near begin to be tracked.

    Args:
        lookout: before.
        sample: of each, [n].
        column: where each is among those near, [n].
        place: where it comes among the tracked, [n].
        longer: how many places more there are for these.
    """
    outside = lookout.near_outside.clone()
    outside[sample, column] = -math.inf
    seen = functional.pad(lookout.seen_tracked, (0, longer))
    neuron = lookout.near[sample, column]
    for direction, known in enumerate(lookout.seen):
        seen[sample, direction, place] = known[sample, neuron]
    return lookout._replace(near_outside=outside, seen_tracked=seen)


def _radius(sight: Sight, like: Tensor) -> Tensor:
    """‖R − Qc‖, [B, 1], and never 0, as 0 · ∞ is no number."""
    return sight.radius.to(like).clamp_(min=torch.finfo(like.dtype).tiny)[:, None]


def overdue(sight: Sight, threshold: float) -> Tensor:
    """Whether those near are to be chosen anew, [B], if they are for one sample."""
    return ~(sight.reach < (1 - _SOON) * threshold)


def aimed(
    lookout: Lookout, sight: Sight, tracked: Tensor, stale: Tensor, threshold: float
) -> Lookout:
    """The lookout with those near chosen anew, for the samples marked in ``stale``.

    Args:
        lookout: before.
        sight: of it at R.
        tracked: neurons that are tracked, [B, C]; −1 where there are fewer.
        stale: [B] bool.
        threshold: λ.
    """
    which = stale.nonzero()[:, 0]
    rows = which.cpu().tolist()
    here = torch.cat((sight.coordinates, sight.radius[:, None]), 1)
    seeing = torch.cat((here, sight.rounding[:, None]), 1).cpu().tolist()
    least = (1 - _NEAR) * threshold
    chosen = [_chosen(lookout, row, seeing[row], tracked[row], least) for row in rows]
    outer = torch.stack([bound for _, bound in chosen]).double()
    near = pad_sequence([near for near, _ in chosen], batch_first=True, padding_value=-1)
    seen = near.new_zeros(len(rows), len(lookout.seen), near.shape[1], dtype=lookout.outside.dtype)
    outside = torch.full_like(seen[:, 0], -math.inf)
    for place, (row, (who, _)) in enumerate(zip(rows, chosen, strict=True)):
        outside[place, : len(who)] = lookout.outside[row].index_select(0, who)
        for direction, known in enumerate(lookout.seen):
            seen[place, direction, : len(who)] = known[row].index_select(0, who)
    if len(rows) < len(stale):
        near = _among(lookout.near, which, near, -1)
        seen = _among(lookout.near_seen, which, seen, 0.0)
        outside = _among(lookout.near_outside, which, outside, -math.inf)
    return lookout._replace(
        at=torch.where(stale[:, None], here, lookout.at),
        outer=lookout.outer.index_copy(0, which, outer),
        near=near,
        near_seen=seen,
        near_outside=outside,
    )


def _chosen(
    lookout: Lookout, row: int, seeing: list[float], tracked: Tensor, least: float
) -> tuple[Tensor, Tensor]:
    """Who may be above ``least`` in one sample, but those tracked; the bound of all others."""
    *along, radius, rounding = seeing
    bound = torch.empty_like(lookout.outside[row])
    blocks = bound.split(_BLOCK)
    known = [seen[row].split(_BLOCK) for seen in lookout.seen]
    for block, outside, *seen in zip(
        blocks, lookout.outside[row].split(_BLOCK), *known, strict=True
    ):
        torch.mul(seen[0], along[0], out=block)
        for part, coordinate in zip(seen[1:], along[1:], strict=True):
            block.add_(part, alpha=coordinate)
        block.abs_().add_(outside, alpha=radius).add_(rounding)
    bound.index_fill_(0, tracked[tracked >= 0], -math.inf)
    near = [(block >= least).nonzero()[:, 0] + _BLOCK * i for i, block in enumerate(blocks)]
    near = torch.cat(near)
    bound.index_fill_(0, near, 0.0)
    return near, torch.stack([block.amax() for block in blocks]).amax().clamp(min=0.0)


def _outside(outside: Tensor, seen: Tensor) -> Tensor:
    """The longest that atoms [B, M] can be at right angles to one more direction."""
    return outside.square().addcmul_(seen, seen, value=-1).clamp_(min=0.0).sqrt_()


def _among(old: Tensor, which: Tensor, new: Tensor, empty: float) -> Tensor:
    """``old`` [B, ..., D] with ``new`` [S, ..., D'] in the rows ``which``; as wide as the wider."""
    wider = new.shape[-1] - old.shape[-1]
    old = functional.pad(old, (0, wider), value=empty) if wider > 0 else old.clone()
    old[which] = functional.pad(new, (0, max(-wider, 0)), value=empty)
    return old
