"""The lazy form of an LCA: the same steps, with the dictionary read a few times in a whole run.

Until a neuron is first active it only follows what the others leave unexplained. So with

    r[k] = s − Φ a[k]                    what is left, [B, N]
    R[k+1] = (1 − η) R[k] + η r[k]       the trail: what is left, as a membrane feels it, R[0] = 0

the potential of every neuron that has never been active is u_i = φᵢᵀR. The others are *awake*:
their potentials are kept, and take the steps of the residual form, u' = (1 − η) u + η (φᵢᵀr + a).
A state is then the signal, R and what is awake; the potentials of all are one pass over Φ, on
demand.

Which sleepers wake? For any few directions Q, with ΦQ known, and any c

    |φᵢᵀR − (ΦQ)ᵢ c| ≤ ‖φᵢ‖ ‖R − Qc‖

so only those whose estimate (ΦQ)ᵢ c comes that close to ±λ can have reached it, and only their
atoms are read. Q begins as the signal's direction, in which R moves while all are silent. When
too many atoms have been read, R − Qc becomes one more direction.

Q is a cache and decides nothing: each φᵢᵀR that decides is a dot product computed by itself,
the same bits whatever is computed beside it. So a run replayed from any state, with an empty
cache or another one, is the same run.
"""

from __future__ import annotations

import math
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

# Measured on CPUs: a dot product with an atom looked up costs as much as this many in a pass that
# many samples share, and a pass costs at least one for each atom.
_LOOKED_UP = 16
# An estimate costs this part of a dot product, and is counted where more than one neuron in so many
# is watched: then the directions known say too little.
_ESTIMATE = 1 / 8
# One more direction saves much looking up: with few samples it is worth a pass long before looking
# up has cost one.
_WORTH = 1 / 8
# Directions kept; each takes as much memory as the potentials.
_DIRECTIONS = 8
# Neurons within this part of the threshold are watched at every step, the others now and then.
_WATCHED = 0.1
# The longest atom that `Wiring` accepts, rounded up.
_LONGEST = 1.002
# Before the first step every neuron is below any positive number.
_NOTHING = math.ulp(0.0)

with warnings.catch_warnings():  # once in a process torch says that these tensors are new
    warnings.simplefilter("ignore")
    torch.sparse_csr_tensor([0, 0], torch.zeros(0, dtype=torch.int64), torch.zeros(0), (1, 1))


class LazyState(NamedTuple):
    """An LCA between two steps, in lazy form.

    A *place* is sample · M + neuron. Once reading the awake atoms one by one would cost more than a
    pass, all are awake: then the step is the residual form, and R is not followed any more.
    """

    signal: Tensor  # [B, N], s
    trail: Tensor  # [B, N], R
    awake: Tensor  # [n] int64, ascending places; none are named where all are awake
    u: Tensor  # [n], the potentials there; [B · M] where all are awake
    floor: Tensor  # float64: every |u| elsewhere is below it
    k: Tensor  # int64, the step number


class Rule(NamedTuple):
    """The parameters of one step."""

    transfer: Callable[[Tensor], Tensor]  # u -> a = T_λ(u), elementwise
    threshold: float  # λ
    step_ratio: float  # η


class Lazy:
    """The lazy form over one dictionary [M, N], with what it has seen of it."""

    def __init__(self, atoms: Tensor) -> None:
        self.atoms = atoms
        self.passes = 0  # over the whole dictionary so far, whatever for
        # A thread has its own, so that a run and an evaluation beside it do not undo each other's.
        self._own = threading.local()

    # -- states -------------------------------------------------------------------------------

    def init(self, signal: Tensor) -> LazyState:
        """Silence before a batch of signals [B, N]."""
        return LazyState(
            signal=signal,
            trail=torch.zeros_like(signal),
            awake=torch.zeros(0, dtype=torch.int64, device=signal.device),
            u=signal.new_zeros(0),
            floor=_number(_NOTHING),
            k=torch.zeros((), dtype=torch.int64),
        )

    def step(self, state: LazyState, rule: Rule) -> LazyState:
        """The state one step later."""
        state = self.complete(state, rule.threshold)
        activation = rule.transfer(state.u)
        if self._all_awake(state):
            u = self._residual_step(state, activation.view(len(state.signal), -1), rule.step_ratio)
            return state._replace(u=u, k=state.k + 1)
        left = state.signal - self.reconstruct(state, activation)
        match = self._dots(left, state.awake)
        return self._woken(
            state._replace(
                trail=torch.lerp(state.trail, left, rule.step_ratio),
                u=torch.lerp(state.u, match + activation, rule.step_ratio),
                k=state.k + 1,
            ),
            rule.threshold,
        )

    def complete(self, state: LazyState, threshold: float) -> LazyState:
        """The same state with every neuron awake that reaches a threshold lower than before."""
        return state if state.floor.item() <= threshold else self._woken(state, threshold)

    def potentials(self, state: LazyState) -> Tensor:
        """u of all neurons, [B, M]: one pass over the dictionary."""
        if self._all_awake(state):
            return state.u.view(len(state.signal), -1)
        # A sleeper is below the floor; a pass rounds otherwise than what decided that.
        below = torch.nextafter(state.floor.to(state.u), state.u.new_zeros(()))
        return self.spread(state, state.u, self.match(state.trail).clamp_(-below, below))

    def match(self, vectors: Tensor) -> Tensor:
        """Φᵀv of vectors [B, N], [B, M]: one pass over the dictionary."""
        self.passes += 1
        return vectors @ self.atoms.T

    def spread(self, state: LazyState, values: Tensor, out: Tensor | None = None) -> Tensor:
        """[B, M] with the values [n] of what is awake in ``out``, or in zeros."""
        if self._all_awake(state):
            return values.view(len(state.signal), -1)
        if out is None:
            out = values.new_zeros(len(state.signal), len(self.atoms))
        out.view(-1)[state.awake] = values
        return out

    def reconstruct(self, state: LazyState, activation: Tensor) -> Tensor:
        """Φa of activations [n] where awake, [B, N]; reads the active atoms only."""
        active = (activation != 0).nonzero()[:, 0]
        if len(active) == 0:
            return torch.zeros_like(state.signal)
        if self._all_awake(state):
            return activation.view(len(state.signal), -1) @ self.atoms
        start, neuron = self._rows(state.awake[active], len(state.signal))
        return functional.embedding_bag(
            neuron,
            self.atoms,
            start,
            mode="sum",
            per_sample_weights=activation[active],
            include_last_offset=True,
        )

    def _all_awake(self, state: LazyState) -> bool:
        return len(state.u) == len(state.signal) * len(self.atoms)

    def _residual_step(self, state: LazyState, activation: Tensor, step_ratio: float) -> Tensor:
        """u' of all neurons in residual form, [B · M]."""
        left = state.signal - activation @ self.atoms
        self.passes += 2
        goal = torch.addmm(activation, left, self.atoms.T)
        return torch.lerp(state.u, goal.view(-1), step_ratio)

    # -- who wakes ----------------------------------------------------------------------------

    def _woken(self, state: LazyState, threshold: float) -> LazyState:
        """The state with the sleepers awake that are not below the threshold; NaN is not."""
        places = self._suspects(state, threshold)
        match = self._dots(state.trail, places)
        woken = ~(match.abs() < threshold)
        if state.floor.item() != threshold:
            state = state._replace(floor=_number(threshold))
        if not woken.any():
            return state
        awake, order = torch.cat((state.awake, places[woken])).sort()
        state = state._replace(awake=awake, u=torch.cat((state.u, match[woken]))[order])
        samples, neurons = len(state.signal), len(self.atoms)
        if len(awake) <= max(neurons / 2, samples * neurons / _LOOKED_UP):
            return state
        u = self.potentials(state).view(-1)
        return state._replace(awake=awake[:0].clone(), u=u, floor=_number(0.0))

    def _suspects(self, state: LazyState, threshold: float) -> Tensor:
        """Ascending places of all sleepers that may have reached the threshold; a few more."""
        lookout: _Lookout | None = getattr(self._own, "lookout", None)
        if lookout is None or lookout.signal is not state.signal:
            lookout = self._look_along(_directed(state.signal)[None], state.signal)
        lookout, places = self._sighted(lookout, state, threshold)
        samples, neurons = len(state.signal), len(self.atoms)
        crowded = len(lookout.near) > samples * neurons * _ESTIMATE
        cost = lookout.spent + len(places) + crowded * len(lookout.near) * _ESTIMATE
        if cost > max(neurons * _WORTH, samples * neurons / _LOOKED_UP):
            lookout, places = self._sighted(self._widened(lookout, state), state, threshold)
            cost = 0.0
        self._own.lookout = replace(lookout, spent=cost)
        return places

    def _look_along(self, basis: Tensor, signal: Tensor, seen: tuple[Tensor, ...] = ()) -> _Lookout:
        """A lookout along directions [q, B, N]; the last is looked along now."""
        return _Lookout(signal, basis, (*seen, self.match(basis[-1])))

    def _widened(self, lookout: _Lookout, state: LazyState) -> _Lookout:
        """A lookout along one more direction, so that it sees R whole; or along R alone."""
        if len(lookout.basis) == _DIRECTIONS:
            return self._look_along(_directed(state.trail)[None], state.signal)
        _, left = lookout.parts(state.trail)
        _, left = lookout.parts(_directed(left))  # orthogonal to the others but for rounding
        # What was nothing but rounding has no direction.
        new = _directed(left * (torch.linalg.vector_norm(left, dim=1, keepdim=True) > 0.5))
        basis = torch.cat((lookout.basis, new[None]))
        return self._look_along(basis, state.signal, lookout.seen)

    def _sighted(
        self, lookout: _Lookout, state: LazyState, threshold: float
    ) -> tuple[_Lookout, Tensor]:
        """The lookout watching whom it must at R, and the places there that may have woken."""
        coordinates, left = lookout.parts(state.trail)  # [q, B], [B, N]
        length = torch.linalg.vector_norm(state.trail, dim=1)
        # Twice the worst rounding of the dot products and sums below.
        rounding = torch.finfo(length.dtype).eps * (
            (state.trail.shape[1] + 16) * (coordinates.abs().sum(0) + length) + 4 * threshold
        )
        radius = _LONGEST * torch.linalg.vector_norm(left, dim=1) + rounding  # [B]
        stale = ~(lookout.reach(state.trail) + rounding < threshold)
        if stale.any():
            lookout = lookout.aimed(state.trail, coordinates, radius, stale, threshold)
        estimate = (coordinates[:, lookout.sample] * lookout.near_seen).sum(0)
        suspect = ~(estimate.abs() + radius[lookout.sample] < threshold)
        return lookout, _without(lookout.near[suspect], state.awake)

    def _dots(self, vectors: Tensor, places: Tensor) -> Tensor:
        """φᵢᵀv of vectors [B, N] at places [n]; each by itself, reading its atom only."""
        if len(places) == 0:
            return vectors.new_zeros(0)
        start, neuron = self._rows(places, len(vectors))
        size = (len(vectors), len(self.atoms))
        wanted = torch.sparse_csr_tensor(start, neuron, vectors.new_zeros(len(places)), size)
        return torch.sparse.sampled_addmm(wanted, vectors, self.atoms.T, beta=0.0).values()

    def _rows(self, places: Tensor, samples: int) -> tuple[Tensor, Tensor]:
        """Where each sample's places start, [B + 1], and the neuron of each place."""
        neurons = len(self.atoms)
        ends = torch.arange(0, (samples + 1) * neurons, neurons, device=places.device)
        return torch.searchsorted(places, ends), places % neurons

    def select(self, state: LazyState, rows: Tensor) -> LazyState:
        """The state of some samples, ``rows`` [b] ascending; their places follow."""
        samples, neurons = len(state.signal), len(self.atoms)
        chosen = state._replace(signal=state.signal[rows], trail=state.trail[rows])
        if self._all_awake(state):
            return chosen._replace(u=state.u.view(samples, neurons)[rows].view(-1))
        row = torch.full((samples,), -1, device=rows.device)
        row[rows] = torch.arange(len(rows), device=rows.device)
        row = row[state.awake.div(neurons, rounding_mode="floor")]  # [n], -1: not chosen
        kept = row >= 0
        places = row[kept] * neurons + state.awake[kept] % neurons
        return chosen._replace(awake=places, u=state.u[kept])


@dataclass(frozen=True, eq=False)
class _Lookout:
    """What was seen of a dictionary along a few directions, and whom to watch because of it.

    All of it holds for any R: at which R it was made, and who was awake there, does not matter.
    """

    signal: Tensor  # [B, N], whose it is
    basis: Tensor  # [q, B, N], Q
    seen: tuple[Tensor, ...]  # q times [B, M], ΦQ
    at: Tensor | None = None  # [B, N], the R at which ``near`` was chosen
    outer: Tensor | None = None  # [B], no |φᵢᵀR| of the others was above it there
    near: Tensor | None = None  # [m] ascending places: whom to watch
    sample: Tensor | None = None  # [m], whose place it is
    near_seen: Tensor | None = None  # [q, m], ΦQ there
    spent: float = 0.0  # on looking at single atoms, since the last pass; in dot products

    def parts(self, trail: Tensor) -> tuple[Tensor, Tensor]:
        """Coordinates c of R along Q, [q, B], and what they leave, R − Qc [B, N]."""
        coordinates = (self.basis * trail).sum(2)
        return coordinates, trail - (coordinates[:, :, None] * self.basis).sum(0)

    def reach(self, trail: Tensor) -> Tensor:
        """[B], what no |φᵢᵀR| of those not watched can be above.

        R = c R₀ + x, where R₀ is where they were chosen: |φᵢᵀR| ≤ |c| outer + ‖x‖.
        """
        if self.at is None:
            return trail.new_full((len(trail),), math.inf)
        along = (trail * self.at).sum(1) / self.at.square().sum(1)  # NaN where R₀ = 0: stale
        aside = torch.linalg.vector_norm(trail - along[:, None] * self.at, dim=1)
        return along.abs() * self.outer + _LONGEST * aside

    def aimed(
        self, trail: Tensor, coordinates: Tensor, radius: Tensor, stale: Tensor, threshold: float
    ) -> _Lookout:
        """The lookout with those to watch chosen again at R, for the samples marked ``stale``."""
        neurons, which = self.seen[0].shape[1], stale.nonzero()[:, 0]
        estimate = trail.new_zeros(len(which), neurons)
        for seen, part in zip(self.seen, coordinates[:, which], strict=True):
            estimate.addcmul_(seen[which], part[:, None])
        bound = estimate.abs_().add_(radius[which, None])
        close = ~(bound < (1 - _WATCHED) * threshold)
        row, neuron = close.nonzero(as_tuple=True)
        near = which[row] * neurons + neuron
        outer = bound.masked_fill_(close, 0.0).amax(1)
        at = trail
        if self.at is not None:
            near = torch.cat((self.near[~stale[self.sample]], near)).sort().values
            outer = self.outer.index_copy(0, which, outer)
            at = torch.where(stale[:, None], trail, self.at)
        sample = near.div(neurons, rounding_mode="floor")
        near_seen = torch.stack([seen.view(-1)[near] for seen in self.seen])
        return replace(self, at=at, outer=outer, near=near, sample=sample, near_seen=near_seen)


def _number(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


def _directed(vectors: Tensor) -> Tensor:
    """Vectors [B, N] scaled to length 1; zero where they have no direction."""
    return functional.normalize(vectors, dim=1).nan_to_num_(0.0, 0.0, 0.0)


def _without(places: Tensor, others: Tensor) -> Tensor:
    """The places that are not among the others; both ascending."""
    if len(others) == 0 or len(places) == 0:
        return places
    found = torch.searchsorted(others, places).clamp_(max=len(others) - 1)
    return places[others[found] != places]
