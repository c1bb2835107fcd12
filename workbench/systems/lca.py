"""Locally competitive algorithm (LCA): neurons that explain a signal and silence each other.

One leaky integrate-and-fire neuron per dictionary atom. Equations 1-6 of Takaghaj & Sampson,
Neuromorph. Comput. Eng. 4 044009 (2024), with the hard threshold and the exponential integrator
of Rozell et al., Neural Computation 20 (2008), added as named choices. Rows of ``atoms`` are the
columns of the papers' Φ; every atom has unit norm.

    (1) s = Φ a + ε                            (4) b = Φᵀ s
    (2) E = ½‖s − Φa‖² + λ‖a‖₁                 (5) G = ΦᵀΦ
    (3) τ u̇ + u = b − (G − I) a                (6) a = T_λ(u) = u − λ sign(u) where |u| ≥ λ, else 0

The Gramian G is never built: b − (G − I) a is Φᵀ(s − Φa) + a, the residual form. It reads the
dictionary at every step; the lazy form (`lazy`) takes the same steps and reads it a few times in a
run. ``Wiring.engine`` chooses.

Under the hard threshold (a = u where |u| ≥ λ, else 0) the same dynamics descend another energy,
½‖s − Φa‖² + ½λ²‖a‖₀: half of λ² for each active neuron. It is not convex, so there is no
certificate for it.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from functools import cached_property
from typing import Literal, NamedTuple, Self

import torch
from torch import Tensor
from torch.nn import functional

from workbench.systems.lazy import Lazy, LazyState, Rule
from workbench.systems.protocol import (
    Lasso,
    Observable,
    Params,
    System,
    Wiring,
    check_signal,
    parameter,
)


class LCAParams(Params):
    """What can be turned on an LCA; every change acts on the next step."""

    threshold: float = parameter(
        2.0,
        "A neuron is active where |u| reaches it; the price of activity in the energy.",
        symbol="λ",
        equation="(6)",
        ge=0,
        slider=(0.01, 5.0),
        log=True,
    )
    time_constant: float = parameter(
        100.0,
        "How slowly the membrane potential follows its input.",
        symbol="τ",
        unit="steps",
        equation="(3)",
        gt=0,
        slider=(5.0, 500.0),
        log=True,
    )
    time_step: float = parameter(
        1.0,
        "Time that passes in one step; the network moves by η = Δt/τ of the way.",
        symbol="Δt",
        unit="steps",
        equation="(3)",
        gt=0,
        slider=(0.1, 10.0),
        log=True,
    )
    steps: int = parameter(
        100,
        "How many steps a run takes.",
        symbol="K",
        unit="steps",
        equation="(3)",
        ge=0,
        le=1_000_000,
        slider=(10, 1000),
        log=True,
    )
    transfer: Literal["soft", "hard"] = parameter(
        "soft",
        "From potential to activation: soft takes λ off, hard keeps u whole.",
        label="Transfer function",
        symbol="T",
        equation="(6)",
        advanced=True,
    )
    integrator: Literal["euler", "exponential"] = parameter(
        "euler",
        "Euler moves by η a step; exponential by 1 − exp(−η), exact while the input is constant.",
        equation="(3)",
        advanced=True,
    )


class LCAState(NamedTuple):
    """An LCA between two steps, in residual form."""

    signal: Tensor  # [B, N], s
    drive: Tensor  # [B, M], b = Φᵀs
    u: Tensor  # [B, M], membrane potentials
    k: Tensor  # int64, the step number


class LCA(System):
    """Locally competitive network over a dictionary of unit-norm atoms."""

    kind = "lca"
    title = "LCA"
    summary = "Neurons compete to explain the signal with as few atoms as they can."
    Params = LCAParams
    observables = (
        Observable(
            "membrane_potential",
            "Membrane potential",
            "trace",
            "neuron",
            symbol="u",
            meaning="What each neuron has gathered; it is active beyond the dashed ±λ.",
            equation="(3)",
            threshold="threshold",
            signed=True,
        ),
        Observable(
            "activation",
            "Activation",
            "trace",
            "neuron",
            symbol="a",
            meaning="What each neuron puts out: the sparse code of the signal.",
            equation="(6)",
            signed=True,
        ),
        Observable(
            "drive",
            "Drive",
            "trace",
            "neuron",
            symbol="b",
            meaning="How well each atom alone matches the signal; constant in time.",
            equation="(4)",
            signed=True,
        ),
        Observable(
            "firing",
            "Firing neurons",
            "spikes",
            "neuron",
            meaning="The neurons whose |u| has reached λ.",
            equation="(6)",
        ),
        Observable(
            "firing_count",
            "Firing neurons per step",
            "count",
            "none",
            unit="neurons",
            meaning="How many neurons have |u| ≥ λ.",
            equation="(6)",
        ),
        Observable(
            "input", "Input", "image", "feature", symbol="s", meaning="The signal.", equation="(1)"
        ),
        Observable(
            "reconstruction",
            "Reconstruction",
            "image",
            "feature",
            symbol="Ŝ",
            meaning="The signal as the active atoms add up to it, Φa.",
            equation="(2)",
            compare_with="input",
        ),
        Observable(
            "residual",
            "Residual",
            "image",
            "feature",
            symbol="s − Ŝ",
            meaning="What the active atoms leave unexplained.",
            equation="(2)",
            signed=True,
        ),
        Observable(
            "energy",
            "Energy",
            "terms",
            "term",
            symbol="E",
            meaning="What the network descends: the error it leaves plus the price of activity.",
            equation="(2)",
            labels=("reconstruction", "sparsity", "total"),
        ),
        Observable(
            "class_evidence",
            "Class evidence",
            "evidence",
            "class",
            symbol="Σ|a|",
            meaning="Activity summed over the atoms of each class; the largest sum decides.",
            equation="(10)",
        ),
    )
    output = "activation"
    code = "activation"
    uses_dictionary = True
    engines = ("residual", "lazy")

    def __init__(self, params: LCAParams, wiring: Wiring) -> None:
        if wiring.atoms is None:
            raise ValueError("an LCA needs a dictionary; the wiring has no atoms")
        super().__init__(params, wiring)
        self.atoms = wiring.atoms  # [M, N]
        self.products = wiring.products
        self.lazy = Lazy(self.atoms) if wiring.engine == "lazy" else None

    def with_params(self, params: LCAParams) -> Self:
        """The same network under other parameters; what it saw of the dictionary still holds."""
        changed = super().with_params(params)
        changed.lazy = self.lazy
        return changed

    @property
    def neurons(self) -> int:
        """M, one neuron per atom, of all processes."""
        return self.wiring.shard.neurons or len(self.atoms)

    @property
    def step_ratio(self) -> float:
        """The part of the way to its goal that u goes in one step: η, or 1 − exp(−η)."""
        eta = self.params.time_step / self.params.time_constant
        return -math.expm1(-eta) if self.params.integrator == "exponential" else eta

    def init(self, signal: Tensor) -> LCAState | LazyState:
        """Silence, u = 0, before a batch of signals [B, N] in the dtype of the atoms."""
        signal = check_signal(signal, self.wiring.features)
        signal = signal.to(self.atoms.device, self.products.dtype)
        if self.lazy is not None:
            return self.lazy.init(signal)
        drive = self.products.match(signal)  # [B, M]
        return LCAState(signal, drive, torch.zeros_like(drive), torch.zeros((), dtype=torch.int64))

    def step(self, state: LCAState | LazyState) -> LCAState | LazyState:
        """One step of equation 3 in residual form: u moves towards Φᵀ(s − Φa) + a."""
        if self.lazy is not None:
            rule = Rule(self._transfer, self.params.threshold, self.step_ratio)
            return self.lazy.step(state, rule)
        activation = self._transfer(state.u)
        reconstruction = self._reconstruct(activation)
        if reconstruction is None:  # all silent: Φᵀs is known, the dictionary is not read at all
            goal = state.drive
        else:
            goal = self.products.match(state.signal - reconstruction, activation)  # [B, M]
        return state._replace(u=torch.lerp(state.u, goal, self.step_ratio), k=state.k + 1)

    def observe(
        self, state: LCAState | LazyState, names: Collection[str] | None = None
    ) -> dict[str, Tensor]:
        """Observables by name, all from u_k; class evidence only if the atoms have labels.

        The tensors may share memory with the state: they are to be read, not written.
        """
        asked = [o.name for o in self.observables] if names is None else names
        instant = self._instant(state)
        return {
            self.observable(name).name: getattr(instant, name)
            for name in asked
            if name != "class_evidence" or self.wiring.labels is not None
        }

    def lasso(self, state: LCAState | LazyState) -> Lasso | None:
        """The Lasso that the soft threshold solves; None for the hard one."""
        if self.params.transfer == "hard":
            return None
        return Lasso(
            signal=state.signal,
            atoms=self.atoms,
            activation=self._instant(state).activation,
            threshold=self.params.threshold,
            step_ratio=self.step_ratio,
            time_constant=self.params.time_constant,
            shard=self.wiring.shard,
        )

    def _instant(self, state: LCAState | LazyState) -> _Instant:
        return _Instant(self, state) if self.lazy is None else _LazyInstant(self, state)

    def _transfer(self, u: Tensor) -> Tensor:
        """a = T_λ(u), elementwise; NaN stays NaN: a network that blew up must not look silent."""
        if self.params.transfer == "hard":
            return u.masked_fill(u.abs() < self.params.threshold, 0.0)
        return functional.softshrink(u, self.params.threshold)

    def _reconstruct(self, activation: Tensor) -> Tensor | None:
        """Φa, [B, N], over the neurons of all processes; None: zero, as no neuron is active."""
        return self.products.combine(activation)


class _Instant:
    """Everything observable of one state; each part is computed once, when it is asked for."""

    def __init__(self, system: LCA, state: LCAState | LazyState) -> None:
        self._system, self._state = system, state
        self.input = state.signal

    @cached_property
    def drive(self) -> Tensor:  # [B, M]
        return self._state.drive

    @cached_property
    def membrane_potential(self) -> Tensor:  # [B, M]
        return self._state.u

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
    def reconstruction(self) -> Tensor:  # [B, N]
        reconstruction = self._system._reconstruct(self.activation)
        return torch.zeros_like(self.input) if reconstruction is None else reconstruction

    @cached_property
    def residual(self) -> Tensor:  # [B, N]
        return self.input - self.reconstruction

    @cached_property
    def energy(self) -> Tensor:  # [B, 3]
        threshold = self._system.params.threshold
        reconstruction = 0.5 * self.residual.square().sum(1)
        if self._system.params.transfer == "hard":
            sparsity = 0.5 * threshold**2 * (self.activation != 0).sum(1)
        else:
            sparsity = threshold * self.activation.abs().sum(1)
        sparsity = self._system.wiring.shard.sum(sparsity.to(reconstruction))
        return torch.stack((reconstruction, sparsity, reconstruction + sparsity), 1)

    @cached_property
    def class_evidence(self) -> Tensor:  # [B, classes]
        wiring = self._system.wiring
        evidence = self.activation.new_zeros(len(self.activation), wiring.classes)
        return wiring.shard.sum(evidence.index_add_(1, wiring.labels, self.activation.abs()))


class _LazyInstant(_Instant):
    """The same of a state in lazy form; only drive and potentials read the whole dictionary."""

    def __init__(self, system: LCA, state: LazyState) -> None:
        state = system.lazy.complete(state, system.params.threshold)
        super().__init__(system, state)
        self._lazy = system.lazy

    @cached_property
    def drive(self) -> Tensor:  # [B, M]
        return self._lazy.match(self.input)

    @cached_property
    def membrane_potential(self) -> Tensor:  # [B, M]
        return self._lazy.potentials(self._state)

    @cached_property
    def activation(self) -> Tensor:  # [B, M]
        return self._lazy.spread(self._state, self._system._transfer(self._state.u))

    @cached_property
    def firing(self) -> Tensor:  # [B, M], bool
        firing = ~(self._state.u.abs() < self._system.params.threshold)
        return self._lazy.spread(self._state, firing)

    @cached_property
    def reconstruction(self) -> Tensor:  # [B, N]
        return self._lazy.reconstruct(self._state, self._system._transfer(self._state.u))
