"""Locally competitive algorithm (LCA): neurons that explain a signal and silence each other.

One leaky integrate-and-fire neuron per dictionary atom. Equations 1-6 of Takaghaj & Sampson,
Neuromorph. Comput. Eng. 4 044009 (2024), with the hard threshold and the exponential integrator
of Rozell et al., Neural Computation 20 (2008), added as named choices. Rows of ``atoms`` are the
columns of the papers' Φ; every atom has unit norm.

    (1) s = Φ a + ε                            (4) b = Φᵀ s
    (2) E = ½‖s − Φa‖² + λ‖a‖₁                 (5) G = ΦᵀΦ
    (3) τ u̇ + u = b − (G − I) a                (6) a = T_λ(u) = u − λ sign(u) where |u| ≥ λ, else 0

Three forms take the same steps; ``Wiring.engine`` chooses. As b − (G − I) a is Φᵀ(s − Φa) + a, the
*residual* form needs no Gramian G; it reads the dictionary at every step. The *dense* form is the
papers' own, with G built once. The *lazy* form (`lazy`) reads the dictionary a few times in a run.

Under the hard threshold (a = u where |u| ≥ λ, else 0) the same dynamics descend another energy,
½‖s − Φa‖² + ½λ²‖a‖₀: half of λ² for each active neuron. It is not convex, so there is no
certificate for it.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from typing import NamedTuple, Self

import torch
from torch import Tensor
from torch.nn import functional

from workbench.systems import stepping
from workbench.systems.lazy import Lazy, LazyState
from workbench.systems.lca_declared import OBSERVABLES, LCAParams
from workbench.systems.protocol import (
    Account,
    Competition,
    Lasso,
    Part,
    Products,
    System,
    Wiring,
    check_accountable,
    check_signal,
    summed_by_class,
)
from workbench.systems.stepping import Rule

# An atom whose ‖φ‖² is so many roundings off 1 counts as one of unit norm.
_UNIT = 16
# The largest η: what single precision still holds. Any network blows up under far less.
_LONGEST_STEP = 1e30
# The largest Gramian: 1 GB in float32.
_LARGEST_GRAMIAN = 1 << 28


Square = Callable[[], Tensor]  # gives squares of lengths, [B]; not computed if nobody asks


class LCAState(NamedTuple):
    """An LCA between two steps, in residual form."""

    signal: Tensor  # [B, N], s
    drive: Tensor  # [B, M], b = Φᵀs
    u: Tensor  # [B, M], membrane potentials
    before: Tensor  # [B, M], u one step earlier, where the integrator asks for it; else [B, 0]
    pace: Tensor  # [B, 3], see `stepping`, where the integrator asks for it; else [B, 0]
    k: Tensor  # int64, the step number


class LCA(System):
    """Locally competitive network over a dictionary of unit-norm atoms."""

    kind = "lca"
    title = "LCA"
    summary = "Neurons compete to explain the signal with as few atoms as they can."
    Params = LCAParams
    observables = OBSERVABLES
    output = "activation"
    code = "activation"
    uses_dictionary = True
    engines = ("residual", "lazy", "dense")
    accounts = True
    poses_lasso = True

    def __init__(self, params: LCAParams, wiring: Wiring) -> None:
        if wiring.atoms is None:
            raise ValueError("an LCA needs a dictionary; the wiring has no atoms")
        super().__init__(params, wiring)
        self.atoms = wiring.atoms  # [M, N]
        self.products = wiring.products
        self.lazy = Lazy(self.products) if wiring.engine == "lazy" else None
        self.gramian = _gramian(self.products) if wiring.engine == "dense" else None
        self._seen: _Instant | None = None  # the last that was observed, for the step from there

    def with_params(self, params: LCAParams) -> Self:
        """The same network under other parameters; states carry over."""
        changed = copy.copy(self)
        changed.params, changed._seen = params, None
        return changed

    @property
    def neurons(self) -> int:
        """M, one neuron per atom, of all processes."""
        return self.wiring.shard.neurons or len(self.atoms)

    @property
    def step_ratio(self) -> float:
        """The part of the way to its goal that u goes in one step: η, or 1 − exp(−η).

        The adaptive integrator goes a multiple of it.
        """
        eta = min(self.params.time_step / self.params.time_constant, _LONGEST_STEP)
        return -math.expm1(-eta) if self.params.integrator == "exponential" else eta

    def init(self, signal: Tensor) -> LCAState | LazyState:
        """Silence, u = 0, before a batch of signals [B, N] in the dtype of the atoms."""
        signal = check_signal(signal, self.wiring.features)
        signal = signal.to(self.atoms.device, self.products.dtype)
        if self.lazy is not None:
            state = self.lazy.init(signal)
            return state if self.lazy.can_bound(signal) else self._whole(state)
        drive = self.products.match(signal)  # [B, M]
        pace = torch.zeros(len(signal), 0, dtype=torch.float64)
        zero = torch.zeros((), dtype=torch.int64)
        return LCAState(signal, drive, torch.zeros_like(drive), drive[:, :0], pace, zero)

    def take_over(
        self, before: Self, state: LCAState | LazyState, signal: Tensor | None = None
    ) -> LCAState:
        """As the protocol says; a neuron whose atom is zero is silenced, u = 0.

        The state is in residual form: the trail of a lazy one belongs to its atoms and signal.
        """
        whole = before._whole(state) if isinstance(state, LazyState) else state
        signal = whole.signal if signal is None else signal.to(whole.signal)
        gone = self.products.lengths() == 0  # [M]
        earlier = whole.before.masked_fill(gone, 0.0) if whole.before.shape[1] else whole.before
        u, drive = whole.u.masked_fill(gone, 0.0), self.products.match(signal)
        return whole._replace(signal=signal, drive=drive, u=u, before=earlier)

    def step(self, state: LCAState | LazyState) -> LCAState | LazyState:
        """One step of equation 3: u moves towards Φᵀ(s − Φa) + a, in the way of the integrator."""
        if isinstance(state, LazyState):
            moved = self.lazy.step(state, self.params.threshold, self._transfer, self._rule)
            if moved is not None:
                return moved
            state = self._whole(state)
        seen, self._seen = self._seen, None
        now = seen if seen is not None and seen.state is state else _Instant(self, state)
        goal, left = (self._goal if self.gramian is None else self._dense_goal)(now)
        rule, pace = self._rule(state, now.activation, left)
        u = rule.moved(state.u, goal, state.before if state.before.shape[1] else None)
        before = state.before[:, :0] if rule.momentum is None else state.u
        return state._replace(u=u, before=before, pace=pace, k=state.k + 1)

    def _goal(self, now: _Instant) -> tuple[Tensor, Square]:
        """What u moves towards, Φᵀ(s − Φa) + a [B, M], and ‖s − Φa‖²; the residual form."""
        if now.explained is None:  # all silent: Φᵀs is known, the dictionary is not read at all
            return now.drive, lambda: _square(now.input)
        return self.products.match(now.residual, now.activation), lambda: _square(now.residual)

    def _dense_goal(self, now: _Instant) -> tuple[Tensor, Square]:
        """The same by b − (G − I) a."""
        state, activation = now.state, now.activation
        inhibition = self.gramian.combine(activation)
        if inhibition is None:
            return state.drive, lambda: _square(state.signal)

        def left() -> Tensor:
            answer = (2 * state.drive - inhibition).cpu().double()
            return _square(state.signal) - (activation.cpu().double() * answer).sum(1)

        return state.drive - inhibition + activation, left

    def _rule(
        self, state: LCAState | LazyState, activation: Tensor, left: Square
    ) -> tuple[Rule, Tensor]:
        """How the step from a state is taken, and its pace, [B, 3] or [B, 0].

        Args:
            state: u_k.
            activation: a_k, without neurons that are surely silent.
            left: gives ‖s − Φa‖², [B].
        """
        params, nothing = self.params, state.pace[:, :0]
        if params.integrator == "momentum":
            return Rule(self.step_ratio, params.momentum), nothing
        if params.integrator != "adaptive":
            return Rule(self.step_ratio), nothing
        amount, unit = self._price(activation)
        energy = 0.5 * left().cpu() + unit * amount.cpu().double()
        pace = stepping.first_pace(energy)
        if state.pace.shape[1]:
            pace = stepping.next_pace(state.pace, energy, params.growth, params.change)
        return Rule(self._ratio(pace)), pace

    def _ratio(self, pace: Tensor) -> Tensor:
        """The η of each sample under the adaptive integrator, [B]: nobody goes beyond the goal."""
        return (pace[:, 0] * self.step_ratio).clamp(max=max(1.0, self.step_ratio))

    def _price(self, activation: Tensor) -> tuple[Tensor, float]:
        """What activity costs in the energy that the dynamics descend: so much [B], times that."""
        threshold = self.params.threshold
        if self.params.transfer == "hard":
            amount, unit = (activation != 0).sum(1).to(activation), 0.5 * threshold**2
        else:
            amount, unit = activation.abs().sum(1), threshold
        return self.wiring.shard.sum(amount), unit

    def observe(
        self, state: LCAState | LazyState, names: Collection[str] | None = None
    ) -> dict[str, Tensor]:
        """Observables by name, all from u_k; class evidence only if the atoms have labels.

        The tensors may share memory with the state: they are to be read, not written.
        """
        asked = [o.name for o in self.observables] if names is None else names
        instant = self._instant(state)
        if not isinstance(state, LazyState):
            self._seen = instant
        return {
            self.observable(name).name: getattr(instant, name)
            for name in asked
            if name != "class_evidence" or self.wiring.labels is not None
        }

    def observe_neurons(
        self, state: LCAState | LazyState, name: str, neurons: Sequence[int]
    ) -> Tensor:
        """One observable of some neurons [n], [B, n]; never reads the whole dictionary."""
        if isinstance(state, LazyState):
            state = self.lazy.complete(state, self.params.threshold) or self._whole(state)
        if not isinstance(state, LazyState):
            return super().observe_neurons(state, name, neurons)
        chosen = self._index(neurons)
        if name == "drive":
            return state.signal @ self.products.some(chosen).T
        u = self.lazy.some_potentials(state, state.now, chosen)
        if name == "membrane_potential":
            return u
        if name == "activation":
            return self._transfer(u)
        return super().observe_neurons(state, name, neurons)

    def select(self, state: LCAState | LazyState, rows: Tensor) -> LCAState | LazyState:
        """The state of some samples of the batch, ``rows`` [b] ascending."""
        lazy = isinstance(state, LazyState)
        return self.lazy.select(state, rows) if lazy else super().select(state, rows)

    @classmethod
    def solves_lasso(cls, params: LCAParams) -> bool:
        """Under the soft threshold."""
        return params.transfer == "soft"

    def lasso(self, state: LCAState | LazyState) -> Lasso | None:
        """The Lasso that the soft threshold solves; None for the hard one."""
        if self.params.transfer == "hard":
            return None
        return Lasso(
            signal=state.signal,
            atoms=self.atoms,
            activation=self._instant(state).activation,
            threshold=self.params.threshold,
            step_ratio=float(self._ratio(state.pace).max())
            if state.pace.numel()
            else self.step_ratio,
            time_constant=self.params.time_constant,
            momentum=self.params.momentum if self.params.integrator == "momentum" else 0.0,
            shard=self.wiring.shard,
        )

    def account(self, state: LCAState | LazyState, neuron: int) -> Account:
        """The terms of equation 3 in the step of one neuron; reads two rows of length M.

        u' − u = η b − η u − Σ η Gₘ aₘ − η (‖φ‖² − 1) a [+ μ (u − u one step earlier)]
        """
        check_accountable(self, len(state.signal), neuron)
        after, instant = self.step(state), self._instant(state)
        ratio = float(self._ratio(after.pace)[0]) if after.pace.numel() else self.step_ratio
        atom = self.products.some(self._index([neuron]))[0]
        drive, u = float(atom @ state.signal[0]), self._potential(state, neuron)
        then = self._potential(after, neuron)
        pulls = -ratio * self.products.match(atom[None])[0].cpu().double()  # a row of G, no more
        pulls[neuron] += ratio  # G − I
        parts = [Part("drive", "η b", ratio * drive), Part("leak", "−η u", -ratio * u)]
        if self.params.integrator == "momentum":
            pace = self.params.momentum * (u - self._potential_before(state, neuron))
            parts.append(Part("momentum", "μ Δu", pace))
        activation = instant.activation[0].cpu().double()
        own = float(pulls[neuron] * activation[neuron])
        if abs(pulls[neuron]) > ratio * _UNIT * torch.finfo(atom.dtype).eps:
            parts.append(Part("own norm", "−η (‖φ‖² − 1) a", own))
        return Account(
            before=u,
            after=then,
            fires=not abs(then) < self.params.threshold,  # as `_Instant.firing`
            parts=(*parts, *_rivals(pulls, activation, neuron)),
            drive=drive,
            drive_symbol="b",
            gain=ratio,
            competition=Competition(
                instant.membrane_potential[0].cpu().double(),
                pulls,
                self.params.transfer == "hard",
            ),
        )

    def flow(
        self, state: LCAState | LazyState, neurons: Sequence[int], potentials: Tensor
    ) -> Tensor | None:
        """The right side of equation 3 over τ for some neurons; reads the active atoms only.

        None with momentum, under which potentials follow an equation of second order.
        """
        for neuron in neurons:
            check_accountable(self, len(state.signal), neuron)
        if self.params.integrator == "momentum":
            return None
        index = self._index(neurons)
        atoms = self.products.some(index)  # [n, N]
        others = self._instant(state).activation.index_fill(1, index, 0.0)
        left, explained = state.signal, self.products.combine(others)
        if explained is not None:
            left = left - explained
        pulls = atoms @ atoms.T - torch.eye(len(atoms)).to(atoms)
        potentials = potentials.to(atoms)
        goal = atoms @ left[0] - self._transfer(potentials) @ pulls  # b − (G − I) a
        return (goal - potentials) / self.params.time_constant

    def _potential(self, state: LCAState | LazyState, neuron: int) -> float:
        """u of one neuron of the first sample."""
        if isinstance(state, LazyState):
            return float(self.lazy.some_potentials(state, state.now, self._index([neuron]))[0, 0])
        return float(state.u[0, neuron])

    def _potential_before(self, state: LCAState | LazyState, neuron: int) -> float:
        """The same one step earlier; now, where that is not known: nothing goes on then."""
        if isinstance(state, LazyState):
            course = state.before or state.now
            return float(self.lazy.some_potentials(state, course, self._index([neuron]))[0, 0])
        return float((state.before if state.before.shape[1] else state.u)[0, neuron])

    def _index(self, neurons: Sequence[int]) -> Tensor:
        return torch.as_tensor(neurons, device=self.atoms.device)

    def _instant(self, state: LCAState | LazyState) -> _Instant:
        if not isinstance(state, LazyState):
            seen = self._seen
            return seen if seen is not None and seen.state is state else _Instant(self, state)
        complete = self.lazy.complete(state, self.params.threshold)
        return (
            _Instant(self, self._whole(state)) if complete is None else _LazyInstant(self, complete)
        )

    def _whole(self, state: LazyState) -> LCAState:
        """The same state in residual form, for codes that are not sparse."""
        lazy = self.lazy
        drive, u = lazy.match(state.signal), lazy.potentials(state, state.now)
        before = lazy.potentials(state, state.before) if state.before else u[:, :0]
        return LCAState(state.signal, drive, u, before, state.pace, state.k)

    def _transfer(self, u: Tensor) -> Tensor:
        """a = T_λ(u), elementwise; NaN stays NaN: a network that blew up must not look silent."""
        if self.params.transfer == "hard":
            return u.masked_fill(u.abs() < self.params.threshold, 0.0)
        return functional.softshrink(u, self.params.threshold)


def _square(vectors: Tensor) -> Tensor:
    """‖v‖² of vectors [B, N], [B] float64: on the CPU, as some devices have none."""
    return vectors.cpu().double().square().sum(1)


def _rivals(pulls: Tensor, activation: Tensor, neuron: int) -> list[Part]:
    """What each other active neuron does to a neuron, from pulls and activations [M]."""
    values = pulls * activation
    active = (activation != 0).nonzero()[:, 0]
    active = active[active != neuron]
    size = values[active].abs().nan_to_num(torch.inf)
    active = active[size.argsort(descending=True, stable=True)]
    pairs = zip(active.tolist(), values[active].tolist(), strict=True)
    return [Part("rival", "−η G a", value, rival) for rival, value in pairs]


def _gramian(products: Products) -> Products:
    """Products with G = ΦᵀΦ, [M, M].

    Raises:
        ValueError: it would be too large.
    """
    atoms = products.atoms
    if len(atoms) ** 2 > _LARGEST_GRAMIAN:
        size = len(atoms) ** 2 * atoms.element_size() / 1e9
        raise ValueError(
            f"run.engine = 'dense': the Gramian of {len(atoms)} atoms would take {size:.1f} GB; "
            f"at most {math.isqrt(_LARGEST_GRAMIAN)} atoms, or 'residual' or 'lazy'"
        )
    return Products(products.match(atoms.to(products.dtype)))


class _Instant:
    """Everything observable of one state; each part is computed once, when it is asked for."""

    def __init__(self, system: LCA, state: LCAState | LazyState) -> None:
        self._system, self.state = system, state
        self.input = state.signal

    @cached_property
    def drive(self) -> Tensor:  # [B, M]
        return self.state.drive

    @cached_property
    def membrane_potential(self) -> Tensor:  # [B, M]
        return self.state.u

    @cached_property
    def activation(self) -> Tensor:  # [B, M]
        return self._system._transfer(self.membrane_potential)

    @cached_property
    def firing(self) -> Tensor:  # [B, M], bool; NaN counts as firing: it is not silent
        return ~(self.membrane_potential.abs() < self._system.params.threshold)

    @cached_property
    def firing_count(self) -> Tensor:  # [B]
        return self._system.wiring.shard.sum(self.firing.sum(1))

    @cached_property
    def explained(self) -> Tensor | None:  # [B, N], Φa over the neurons of all processes
        return self._system.products.combine(self.activation)  # None: no neuron is active

    @cached_property
    def reconstruction(self) -> Tensor:  # [B, N]
        return torch.zeros_like(self.input) if self.explained is None else self.explained

    @cached_property
    def residual(self) -> Tensor:  # [B, N]
        return self.input - self.reconstruction

    @cached_property
    def energy(self) -> Tensor:  # [B, 3]
        reconstruction = 0.5 * self.residual.square().sum(1)
        amount, unit = self._system._price(self.activation)
        sparsity = (unit * amount).to(reconstruction)
        return torch.stack((reconstruction, sparsity, reconstruction + sparsity), 1)

    @cached_property
    def class_evidence(self) -> Tensor:  # [B, classes]
        wiring = self._system.wiring
        here = summed_by_class(self.activation, wiring.labels, wiring.classes)
        return wiring.shard.sum(here)


class _LazyInstant(_Instant):
    """The same of a state in lazy form; only drive and potentials read the whole dictionary."""

    def __init__(self, system: LCA, state: LazyState) -> None:
        super().__init__(system, state)
        self._lazy = system.lazy

    @cached_property
    def drive(self) -> Tensor:  # [B, M]
        return self._lazy.match(self.input)

    @cached_property
    def membrane_potential(self) -> Tensor:  # [B, M]
        return self._lazy.potentials(self.state, self.state.now)

    @cached_property
    def activation(self) -> Tensor:  # [B, M]
        return self._lazy.spread(self.state, self._system._transfer(self.state.now.u))

    @cached_property
    def firing(self) -> Tensor:  # [B, M], bool
        firing = ~(self.state.now.u.abs() < self._system.params.threshold)
        return self._lazy.spread(self.state, firing)

    @cached_property
    def firing_count(self) -> Tensor:  # [B]
        firing = ~(self.state.now.u.abs() < self._system.params.threshold)
        return (firing & self.state.there).sum(1)

    @cached_property
    def reconstruction(self) -> Tensor:  # [B, N]
        return self._lazy.combine(self.state, self._system._transfer(self.state.now.u))
