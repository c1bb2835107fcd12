"""The lazy form of an LCA: the same steps, with the dictionary read a few times in a whole run.

The residual form moves all potentials u towards Φᵀr + a, where r = s − Φa. Both parts are linear,
so with the *trails* of r and a, which move as u does,

    R' = (1 − η) R + η r,   A' = (1 − η) A + η a,   R = A = 0 at first:   u = ΦᵀR + A

and as r is s less active atoms, R = αs − ΦA, where α' = (1 − η) α + η. Until a neuron is active its
Aᵢ is 0 and its potential follows from the trail of the others: nobody has to compute it until it
may reach the threshold, and the bound of `lookout` says when. From then on it is *tracked*: its
drive, and its inner products with the others tracked, are kept, and it takes its steps among them,

    u' = (1 − η) u + η (b − Ga + a)        (3) of Takaghaj & Sampson (2024), of the tracked only

which costs as many multiplications as there are pairs of them. Any other rule that is linear in
what it moves (`stepping`) fits as well. All that decides a step is in the state, so a run replayed
from any state is the same run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from workbench.systems import lookout as lookouts
from workbench.systems.lookout import Lookout, Trail
from workbench.systems.protocol import Products
from workbench.systems.stepping import Rule

# Inner products kept take at most this part of the dictionary's memory and so many times that of
# the potentials, or as many numbers as _FEW if both are small. Beyond, the form is lazy no more.
_PART = 1 / 8
_TIMES = 2
_FEW = 1 << 20
# Neurons within this part of the threshold begin to be tracked with those that may have reached it.
_MARGIN = 0.01
# One more direction is worth its pass once doubt has cost this part of one.
_WORTH = 1 / 2
# Directions kept; each takes as much memory as the potentials.
_DIRECTIONS = 8
# A new direction is that of Φa's trail with this much of what is active now: it is still growing.
_AHEAD = 0.6
# Rows of the tracked are this long, or a multiple.
_WIDTH = 32


class Course(NamedTuple):
    """What moves: R = αs − ΦA by its parts, and the potentials of the tracked."""

    gone: Tensor  # [B] float64, α
    u: Tensor  # [B, C], membrane potentials
    held: Tensor  # [B, C], A


class LazyState(NamedTuple):
    """An LCA between two steps, in lazy form; C places for the tracked neurons of each sample."""

    signal: Tensor  # [B, N], s
    power: Tensor  # [B] float64, ‖s‖²
    neuron: Tensor  # [B, C] int64, who is tracked, in the order they began; −1 beyond them
    drive: Tensor  # [B, C], b; zero where nobody is tracked, and so in the course
    now: Course
    before: Course | tuple[()]  # one step earlier, where the rule asks for it
    gram: tuple[Tensor, ...]  # B times [n, n], G of the tracked
    lookout: Lookout
    floor: Tensor  # float64: every |u| that is not tracked is below it
    pace: Tensor  # [B, 3] or [B, 0], see `stepping`
    k: Tensor  # int64, the step number

    @property
    def there(self) -> Tensor:
        """Whether a place has a neuron, [B, C]."""
        return self.neuron >= 0


class Lazy:
    """The lazy form over one dictionary [M, N]."""

    def __init__(self, products: Products) -> None:
        self.products, self.atoms = products, products.atoms
        self.passes = 0  # over the whole dictionary so far, whatever for

    def init(self, signal: Tensor) -> LazyState:
        """Silence before a batch of signals [B, N]: one pass over the dictionary."""
        batch = len(signal)
        nothing = signal.new_zeros(batch, 0)
        direction = lookouts.unit(signal)
        power = signal.double().square().sum(1)
        return LazyState(
            signal=signal,
            power=power,
            neuron=nothing.long(),
            drive=nothing,
            now=Course(torch.zeros_like(power), nothing, nothing),
            before=(),
            gram=(signal.new_zeros(0, 0),) * batch,
            lookout=lookouts.first(signal, direction, self.match(direction)),
            floor=torch.full((), torch.finfo(torch.float64).tiny, dtype=torch.float64),
            pace=torch.zeros(batch, 0, dtype=torch.float64),
            k=torch.zeros((), dtype=torch.int64),
        )

    @staticmethod
    def can_bound(signal: Tensor) -> bool:
        """Whether the lengths of signals [B, N] are no smaller than what their squares can say."""
        size = signal.abs().amax(1)
        least = max(1e-150, 1e6 * torch.finfo(signal.dtype).tiny)
        return bool(((size == 0) | (size > least)).all())

    def step(
        self,
        state: LazyState,
        threshold: float,
        transfer: Callable[[Tensor], Tensor],
        rule: Callable[[LazyState, Tensor, Callable[[], Tensor]], tuple[Rule, Tensor]],
    ) -> LazyState | None:
        """The state one step later; None where too many neurons would have to be tracked.

        Args:
            state: now.
            threshold: λ.
            transfer: u → a = T_λ(u), elementwise.
            rule: from the state, a and what gives ‖r‖² [B], how to move, and the pace then.
        """
        state = self.complete(state, threshold)
        if state is None:
            return None
        now = state.now
        activation = transfer(now.u)
        inhibition = _inhibition(state.gram, activation)
        how, pace = rule(state, activation, lambda: _left(state, activation, inhibition))
        goal = Course(torch.ones_like(now.gone), state.drive - inhibition + activation, activation)
        before = state.before or now
        moved = Course(*(how.moved(*parts) for parts in zip(now, goal, before, strict=True)))
        earlier = () if how.momentum is None else now
        state = state._replace(now=moved, before=earlier, pace=pace, k=state.k + 1)
        return self._attended(state, threshold)

    def complete(self, state: LazyState, threshold: float) -> LazyState | None:
        """The same state with every neuron tracked that reaches a threshold lower than before."""
        return state if state.floor.item() <= threshold else self._attended(state, threshold)

    @staticmethod
    def select(state: LazyState, rows: Tensor) -> LazyState:
        """The state of some samples only, given by index [S]."""

        def pick(part: Tensor | tuple) -> Tensor | tuple:
            if isinstance(part, Tensor):
                return part[rows.to(part.device)] if part.ndim else part
            made = tuple(map(pick, part))
            return type(part)(*made) if hasattr(part, "_fields") else made

        gram = tuple(state.gram[row] for row in rows.cpu().tolist())
        return LazyState(*map(pick, state._replace(gram=())))._replace(gram=gram)

    # -- the whole of it ----------------------------------------------------------------------

    def potentials(self, state: LazyState, course: Course) -> Tensor:
        """u of all neurons, now or before, [B, M]: one pass over the dictionary."""
        match = self.match(self._trail(state, course))
        return self.spread(state, course.u, _below_floor(match, state, course))

    def some_potentials(self, state: LazyState, course: Course, neurons: Tensor) -> Tensor:
        """u of some neurons [n], now or before, [B, n]: reads their atoms and the active ones."""
        match = self._trail(state, course) @ self.products.some(neurons).T
        match = _below_floor(match, state, course)
        row, wanted, place = (state.neuron[:, None] == neurons[:, None]).nonzero(as_tuple=True)
        match[row, wanted] = course.u[row, place]
        return match

    def match(self, vectors: Tensor) -> Tensor:
        """Φᵀv of vectors [B, N], [B, M]: one pass over the dictionary."""
        self.passes += 1
        return self.products.match(vectors)

    def spread(self, state: LazyState, values: Tensor, out: Tensor | None = None) -> Tensor:
        """[B, M] with the values [B, C] of the tracked in ``out``, or in zeros."""
        if out is None:
            out = values.new_zeros(len(values), len(self.atoms))
        row, column = state.there.nonzero(as_tuple=True)
        out[row, state.neuron[row, column]] = values[row, column]
        return out

    def combine(self, state: LazyState, weights: Tensor) -> Tensor:
        """Φw of weights [B, C] of the tracked, [B, N]; reads the atoms of weights not zero."""
        row, column = (weights != 0).nonzero(as_tuple=True)
        if len(row) == 0:
            return torch.zeros_like(state.signal)
        start = torch.searchsorted(row, torch.arange(len(weights) + 1, device=row.device))
        return self.products.combine_few(state.neuron[row, column], weights[row, column], start)

    def _trail(self, state: LazyState, course: Course) -> Tensor:
        """R, [B, N]."""
        return course.gone[:, None].to(state.signal) * state.signal - self.combine(
            state, course.held
        )

    # -- who is tracked -----------------------------------------------------------------------

    def _attended(self, state: LazyState, threshold: float) -> LazyState | None:
        """The state with those tracked that may have reached the threshold; or None."""
        found = self._wanted(state, threshold)
        if found is None:
            return None
        state, which, wanted, doubtful = found
        there = state.there.sum(1)
        spent = state.lookout.spent + (doubtful * (there[which] + doubtful)).sum()
        if spent.item() > _WORTH * state.lookout.outside.numel():
            state = self._widened(self._released(state, threshold), threshold)
            found = self._wanted(state, threshold)
            if found is None:
                return None
            state, which, wanted, _ = found
            there, spent = state.there.sum(1), torch.zeros_like(spent)
        state = state._replace(lookout=state.lookout._replace(spent=spent))
        if len(which):
            there[which] += wanted.sum(1)
            if int(there.square().sum()) > self._room(len(there)):
                return None
            state = self._tracked(state, which, wanted)
        if state.floor.item() != threshold:
            state = state._replace(floor=torch.full_like(state.floor, threshold))
        return state

    def _room(self, batch: int) -> float:
        """How many inner products may be kept."""
        return max(_FEW, _PART * self.atoms.numel() + _TIMES * batch * len(self.atoms))

    def _wanted(
        self, state: LazyState, threshold: float
    ) -> tuple[LazyState, Tensor, Tensor, Tensor] | None:
        """The state with the lookout in order, and whom near to track, see `lookout.suspects`.

        None if the potentials are not finite: a network that blows up is not sparse.
        """
        trail = _parts(state)
        sight = lookouts.look(state.lookout, trail, torch.finfo(state.drive.dtype).eps)
        if not sight.radius.isfinite().all():
            return None
        lookout, stale = state.lookout, ~(sight.reach < threshold)  # NaN: never chosen
        if stale.any():
            stale = lookouts.overdue(sight, threshold)
            lookout = lookouts.aimed(lookout, sight, state.neuron, stale, threshold)
            state = state._replace(lookout=lookout)
        return state, *lookouts.suspects(lookout, sight, (1 - _MARGIN) * threshold, threshold)

    def _widened(self, state: LazyState, threshold: float) -> LazyState:
        """The state looking along one more direction, in which R leaves those known."""
        lookout, now = state.lookout, state.now
        if lookout.basis.shape[1] == _DIRECTIONS:
            lookout = lookouts.narrowed(lookout)
        coming = functional.softshrink(now.u, threshold)
        left = self.combine(state, torch.lerp(now.held, coming, _AHEAD))
        new = lookouts.aside(lookout, left)
        made = lookouts.widened(lookout, new, self.match(new), state.neuron)
        return state._replace(lookout=made)

    def _released(self, state: LazyState, threshold: float) -> LazyState:
        """The state without those tracked that were never active and are not about to be.

        To be widened: its lookout still follows all.
        """
        courses = [course for course in (state.now, state.before) if course]
        kept = state.there & (state.now.u.abs() >= (1 - _MARGIN) * threshold)
        for course in courses:
            kept |= course.held != 0
        if kept.equal(state.there):
            return state
        order = (~kept).sort(dim=1, stable=True).indices[:, : int(kept.sum(1).max())]
        there = kept.gather(1, order)

        def pick(part: Tensor) -> Tensor:
            return part.gather(1, order) * there

        gram = []
        for row, products in enumerate(state.gram):
            who = kept[row, : len(products)].nonzero()[:, 0]
            gram.append(products if len(who) == len(products) else products[who][:, who])
        now, *before = (
            Course(course.gone, pick(course.u), pick(course.held)) for course in courses
        )
        neuron = state.neuron.gather(1, order).masked_fill_(~there, -1)
        return state._replace(
            neuron=neuron,
            drive=pick(state.drive),
            now=now,
            before=before[0] if before else (),
            gram=tuple(gram),
        )

    def _tracked(self, state: LazyState, which: Tensor, wanted: Tensor) -> LazyState:
        """The state with those near of samples [S] that are marked [S, D] among the tracked."""
        there, added = state.there.sum(1)[which], wanted.sum(1)
        row, column = wanted.nonzero(as_tuple=True)
        first = there - added.cumsum(0) + added  # less how many in all began before
        place = first[row] + torch.arange(len(row), device=row.device)
        sample, width = which[row], int((there + added).max())
        longer = max(-(-width // _WIDTH) * _WIDTH - state.neuron.shape[1], 0)

        def longer_by(part: Tensor, value: float = 0) -> Tensor:
            return functional.pad(part, (0, longer), value=value) if longer else part.clone()

        neuron, drive = longer_by(state.neuron, -1), longer_by(state.drive)
        neuron[sample, place] = state.lookout.near[sample, column]
        courses = [
            Course(course.gone, longer_by(course.u), longer_by(course.held))
            for course in (state.now, state.before)
            if course
        ]
        gram = list(state.gram)
        for row, n, m in zip(*(part.cpu().tolist() for part in (which, there, added)), strict=True):
            new = slice(n, n + m)
            found = self.products.some(neuron[row, : n + m])
            block = found @ found[n:].T  # [n + m, m]
            gram[row] = _joined(gram[row], block)
            drive[row, new] = found[n:] @ state.signal[row]
            for course in courses:  # never active so far: u = φᵢᵀR
                gone = course.gone[row].to(drive)
                course.u[row, new] = gone * drive[row, new] - course.held[row, :n] @ block[:n]
        return state._replace(
            neuron=neuron,
            drive=drive,
            now=courses[0],
            before=courses[1] if state.before else (),
            gram=tuple(gram),
            lookout=lookouts.begun(state.lookout, sample, column, place, longer),
        )


def _below_floor(match: Tensor, state: LazyState, course: Course) -> Tensor:
    """Potentials of neurons that are not tracked: now, they are below the floor.

    What decided that rounds otherwise than a pass over the dictionary.
    """
    if course is not state.now:
        return match
    below = torch.nextafter(state.floor.to(match), match.new_zeros(()))
    return match.clamp_(-below, below)


def _parts(state: LazyState) -> Trail:
    """R in the precision that lengths are computed in."""
    now = state.now
    return Trail(now.gone, state.power, state.drive.double(), now.u.double(), now.held.double())


def _left(state: LazyState, activation: Tensor, inhibition: Tensor) -> Tensor:
    """‖s − Φa‖², [B] float64."""
    return state.power - (activation.double() * (2 * state.drive - inhibition)).sum(1)


def _inhibition(gram: tuple[Tensor, ...], activation: Tensor) -> Tensor:
    """Ga of activations [B, C], sample by sample: only what a sample has is read."""
    out = torch.zeros_like(activation)
    for row, products in enumerate(gram):
        n = len(products)
        if n:
            torch.mv(products, activation[row, :n], out=out[row, :n])
    return out


def _joined(gram: Tensor, block: Tensor) -> Tensor:
    """G [n, n] with m more rows and columns, of which [n + m, m] are given."""
    n = len(gram)
    whole = gram.new_empty(len(block), len(block))
    whole[:n, :n] = gram
    whole[:, n:] = block
    whole[n:, :n] = block[:n].T
    return whole
