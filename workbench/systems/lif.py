"""A population of leaky integrate-and-fire (LIF) neurons, one per pixel, driven by an image.

    τ dV/dt = −g V + I;   a neuron fires where V ≥ V_θ, is reset, and then rests for t_ref

The input current I is constant within a step, so a step is integrated exactly:
V' = V exp(−gΔt/τ) + (I/g)(1 − exp(−gΔt/τ)), and V' = V + IΔt/τ for the perfect integrator g = 0.
Under a constant current I > g V_θ the first spike comes at t = (τ/g) ln(I / (I − g V_θ)), at the
end of the step in which that time lies (Gerstner et al., Neuronal Dynamics, 2014, chapter 1.3).

The input is either the current itself, I = R s, or a train of Poisson spikes of the same mean:
x ~ Bernoulli(min(1, r s Δt)), I = R x / (r Δt).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from workbench.systems.protocol import (
    Account,
    Observable,
    Params,
    Part,
    Response,
    System,
    check_accountable,
    check_signal,
    parameter,
)

_MEMBRANE = "τ dV/dt = −g V + I"
_FIRE = "fires where V ≥ V_θ"
_POISSON = "x ~ Bernoulli(min(1, r s Δt)), I = R x / (r Δt)"


class LIFParams(Params):
    """What can be turned on a LIF population."""

    threshold: float = parameter(
        1.0,
        "A neuron fires where its potential reaches it.",
        symbol="V_θ",
        equation=_FIRE,
        gt=0,
        slider=(0.1, 10.0),
        log=True,
    )
    time_constant: float = parameter(
        20.0,
        "How slowly the membrane potential follows its input.",
        symbol="τ",
        unit="time units",
        equation=_MEMBRANE,
        gt=0,
        slider=(1.0, 200.0),
        log=True,
    )
    gain: float = parameter(
        2.0,
        "Input current for a pixel of 1; at g = 1, pixels above V_θ/R fire, darker ones never.",
        symbol="R",
        equation="I = R s",
        ge=0,
        slider=(0.1, 10.0),
        log=True,
    )
    refractory: float = parameter(
        2.0,
        "Rest after a spike: the potential is held and input is ignored.",
        label="Refractory period",
        symbol="t_ref",
        unit="time units",
        equation="V held for t_ref after a spike",
        ge=0,
        slider=(0.0, 20.0),
    )
    steps: int = parameter(
        200,
        "How many steps a run takes.",
        symbol="K",
        unit="steps",
        equation="t = K Δt",
        ge=0,
        le=1_000_000,
        slider=(10, 1000),
        log=True,
    )
    encoding: Literal["direct", "poisson"] = parameter(
        "direct",
        "The pixel as a constant current, or as a random train of spikes of the same mean.",
        label="Input encoding",
        equation=_POISSON,
        restart=True,
    )
    reset: Literal["zero", "subtract"] = parameter(
        "zero",
        "After a spike: back to 0, or V_θ lower so that what was in excess is kept.",
        equation="V ← 0 or V ← V − V_θ",
    )
    leak: float = parameter(
        1.0,
        "Leak conductance: 1 forgets with time constant τ, 0 is the perfect integrator.",
        symbol="g",
        equation=_MEMBRANE,
        ge=0,
        slider=(0.0, 2.0),
        advanced=True,
    )
    time_step: float = parameter(
        1.0,
        "Time that passes in one step.",
        symbol="Δt",
        unit="time units",
        equation=_MEMBRANE,
        gt=0,
        slider=(0.1, 5.0),
        log=True,
        restart=True,  # time is the step number times Δt, so Δt is one for the whole run
        advanced=True,
    )
    rate: float = parameter(
        0.5,
        "Input spikes per time unit for a pixel of 1 (Poisson encoding).",
        label="Input spike rate",
        symbol="r",
        unit="1 / time unit",
        equation=_POISSON,
        gt=0,
        slider=(0.01, 1.0),
        log=True,
        advanced=True,
    )
    seed: int = parameter(
        0,
        "Seed of the random input spikes (Poisson encoding).",
        symbol="seed",
        equation=_POISSON,
        ge=0,
        le=2**63 - 1,
        restart=True,
        advanced=True,
    )


class LIFState(NamedTuple):
    """A LIF population between two steps; M = N."""

    signal: Tensor  # [B, N]
    current: Tensor  # [B, M], the input current of the step that led here; 0 at step 0
    peak: Tensor  # [B, M], V before the reset: at or above V_θ where a neuron fires
    v: Tensor  # [B, M], V after the reset, from which the next step goes on
    spikes: Tensor  # [B, M], bool, who fires at this step
    refractory_left: Tensor  # [B, M], int32, steps of rest still to come
    spike_total: Tensor  # [B, M], int32, spikes so far
    rng: Tensor  # uint8, state of the generator; empty where nothing is random
    k: Tensor  # int64, the step number


class LIF(System):
    """Leaky integrate-and-fire neurons without connections, one per feature of the signal."""

    kind = "lif"
    title = "LIF population"
    summary = "One leaky integrate-and-fire neuron per pixel: the brighter, the faster it fires."
    Params = LIFParams
    observables = (
        Observable(
            "membrane_potential",
            "Membrane potential",
            "trace",
            "neuron",
            symbol="V",
            meaning="The potential before the reset, so that a spike is seen to reach V_θ.",
            equation=_MEMBRANE,
            threshold="threshold",
        ),
        Observable(
            "input_current",
            "Input current",
            "trace",
            "neuron",
            symbol="I",
            meaning="The current that flowed in during the step; 0 before the first.",
            equation="I = R s",
        ),
        Observable(
            "spike_total",
            "Spikes so far",
            "trace",
            "neuron",
            symbol="n",
            unit="spikes",
            meaning="How often each neuron has fired since step 0.",
        ),
        Observable(
            "spikes",
            "Spikes",
            "spikes",
            "neuron",
            meaning="The neurons that fire at this step.",
            equation=_FIRE,
        ),
        Observable(
            "firing_count",
            "Firing neurons per step",
            "count",
            "none",
            unit="neurons",
            meaning="How many neurons fire at this step.",
            equation=_FIRE,
        ),
        Observable("input", "Input", "image", "feature", symbol="s", meaning="The image shown."),
        Observable(
            "firing_rate",
            "Firing rate",
            "image",
            "feature",
            symbol="f",
            unit="spikes / time unit",
            meaning="Spikes so far over the time passed; the image as the neurons tell it.",
            equation="f = n / (k Δt)",
        ),
    )
    output = "spikes"
    accounts = True
    responds = True

    @property
    def neurons(self) -> int:
        """M = N, one neuron per feature."""
        return self.wiring.features

    def init(self, signal: Tensor) -> LIFState:
        """All neurons at V = 0 and rested, before a batch of signals [B, N].

        Raises:
            ValueError: wrong shape, NaN or infinity, or a negative value under Poisson encoding.
        """
        signal = check_signal(signal, self.wiring.features)
        if not signal.is_floating_point():
            signal = signal.to(torch.get_default_dtype())
        zero = torch.zeros_like(signal)
        nothing = torch.zeros_like(signal, dtype=torch.int32)
        return LIFState(
            signal=signal,
            current=zero,
            peak=zero,
            v=zero,
            spikes=torch.zeros_like(signal, dtype=torch.bool),
            refractory_left=nothing,
            spike_total=nothing,
            rng=self._first_rng(signal),
            k=torch.zeros((), dtype=torch.int64),
        )

    def step(self, state: LIFState) -> LIFState:
        """Integrate over Δt, fire, reset; a resting neuron keeps V and ignores its input."""
        params = self.params
        current, rng = self._input(state)
        decay, weight = self._propagator()
        resting = state.refractory_left > 0
        peak = torch.where(resting, state.v, state.v * decay + current * weight)
        spikes = (peak >= params.threshold) & ~resting
        reset = peak - params.threshold if params.reset == "subtract" else torch.zeros_like(peak)
        left = (state.refractory_left - 1).clamp_(min=0)
        return LIFState(
            signal=state.signal,
            current=current,
            peak=peak,
            v=torch.where(spikes, reset, peak),
            spikes=spikes,
            refractory_left=left.masked_fill_(spikes, self._refractory_steps()),
            spike_total=state.spike_total + spikes,
            rng=rng,
            k=state.k + 1,
        )

    def account(self, state: LIFState, neuron: int) -> Account:
        """What takes one neuron from its potential before a reset to that of the next step.

        V' − V = I w − V w g, with w = (1 − exp(−gΔt/τ)) / g, after a reset; 0 while it rests
        """
        check_accountable(self, len(state.signal), neuron)
        after = self.step(state)
        decay, weight = self._propagator()
        peak, v = float(state.peak[0, neuron]), float(state.v[0, neuron])
        current, resting = float(after.current[0, neuron]), int(state.refractory_left[0, neuron])
        parts = [Part("input current", "w I", current * weight)]
        if decay != 1:
            parts.append(Part("leak", "−w g V", v * (decay - 1)))
        if resting:
            held = -sum(part.value for part in parts)
            parts.append(Part("refractory", "V held", held, jump=True))
        note = ""
        if state.spikes[0, neuron]:
            zero = self.params.reset == "zero"
            parts.append(Part("reset", "V ← 0" if zero else "V ← V − V_θ", v - peak, jump=True))
            note = "it was reset after its spike"
        if resting:
            left = "1 step" if resting == 1 else f"{resting} steps"
            note = f"it rests after its spike, for {left} more, and ignores its input"
        return Account(
            before=peak,
            after=float(after.peak[0, neuron]),
            fires=bool(after.spikes[0, neuron]),
            parts=tuple(parts),
            drive=current,
            drive_symbol="I",
            gain=0.0 if resting else weight,
            note=note,
        )

    def flow(self, state: LIFState, neurons: Sequence[int], potentials: Tensor) -> Tensor | None:
        """(I − g V) / τ, 0 while a neuron rests; None for an input that is random."""
        for neuron in neurons:
            check_accountable(self, len(state.signal), neuron)
        if self.params.encoding != "direct":
            return None
        index = torch.as_tensor(neurons, device=state.signal.device)
        current = self.params.gain * state.signal[0, index]
        moved = (current - self.params.leak * potentials.to(current)) / self.params.time_constant
        return torch.where(state.refractory_left[0, index] > 0, 0.0, moved)

    def response(self, signal: Tensor) -> Response:
        """The f–I curve f = 1 / (t_ref + (τ/g) ln(I / (I − g V_θ))), 0 up to I = g V_θ.

        τ V_θ / I takes the place of the second time for g = 0. It is that of a steady current I, in
        continuous time (Gerstner et al., Neuronal Dynamics, 2014, chapter 1.3); under Poisson
        encoding I is the mean of a current that comes in pulses, and neurons may fire below g V_θ.
        """
        params = self.params
        if params.encoding == "direct":
            current = params.gain * signal
        else:
            per_step = params.rate * params.time_step
            current = (per_step * signal).clamp(max=1) * (params.gain / per_step)
        rise = self._time_to_fire(current.cpu().double())  # some devices have no float64
        rate = 1 / (params.refractory + rise)
        return Response(current, torch.where(torch.isfinite(rise), rate, 0.0), params.time_step)

    def _time_to_fire(self, current: Tensor) -> Tensor:
        """How long V takes from 0 to V_θ under constant currents, in time units; ∞: for ever."""
        params = self.params
        if params.leak == 0:
            return torch.where(
                current > 0, params.time_constant * params.threshold / current, math.inf
            )
        part = params.leak * params.threshold / current  # of the way to I / g
        rise = -torch.log1p(-part) * (params.time_constant / params.leak)
        return torch.where((current > 0) & (part < 1), rise, math.inf)

    def select(self, state: LIFState, rows: Tensor) -> LIFState:
        """The state of some samples, ``rows`` [b] ascending.

        Under Poisson encoding the spikes to come are drawn for the samples that are left, from
        the same generator: they are others than in the batch.
        """
        shared = state._replace(rng=state.k)  # it has no batch axis
        return super().select(shared, rows)._replace(rng=state.rng)

    def observe(self, state: LIFState, names: Collection[str] | None = None) -> dict[str, Tensor]:
        """Observables by name; the tensors may share memory with the state: read, never write."""
        asked = [o.name for o in self.observables] if names is None else names
        return {self.observable(name).name: self._observe(state, name) for name in asked}

    def _observe(self, state: LIFState, name: str) -> Tensor:
        match name:
            case "membrane_potential":
                return state.peak
            case "input_current":
                return state.current
            case "input":
                return state.signal
            case "firing_count":
                return state.spikes.sum(1)
            case "firing_rate":
                elapsed = max(int(state.k), 1) * self.params.time_step
                return state.spike_total.to(state.signal.dtype) / elapsed
            case _:  # spikes, spike_total
                return getattr(state, name)

    def _propagator(self) -> tuple[float, float]:
        """What remains of V after a step, and what a constant current of 1 adds to it."""
        params = self.params
        span = params.time_step / params.time_constant
        if params.leak == 0:
            return 1.0, span
        return math.exp(-params.leak * span), -math.expm1(-params.leak * span) / params.leak

    def _refractory_steps(self) -> int:
        # Rounded up; the small allowance keeps 2.1 / 0.7 = 3.0000000000000004 at 3 steps.
        steps = math.ceil(self.params.refractory / self.params.time_step - 1e-9)
        return min(steps, torch.iinfo(torch.int32).max)

    def _input(self, state: LIFState) -> tuple[Tensor, Tensor]:
        """The input current [B, M] of the coming step, and the generator's state after it."""
        params = self.params
        if params.encoding == "direct":
            return params.gain * state.signal, state.rng
        generator = torch.Generator(state.signal.device)
        generator.set_state(state.rng)
        chance = torch.rand(
            state.signal.shape,
            generator=generator,
            dtype=state.signal.dtype,
            device=state.signal.device,
        )
        per_step = params.rate * params.time_step
        spikes = chance < per_step * state.signal
        return spikes.to(state.signal.dtype) * (params.gain / per_step), generator.get_state()

    def _first_rng(self, signal: Tensor) -> Tensor:
        if self.params.encoding == "direct":
            return torch.empty(0, dtype=torch.uint8)
        if (signal < 0).any():
            raise ValueError(
                f"Poisson encoding needs signals of at least 0, got {float(signal.min()):.3g}"
            )
        return torch.Generator(signal.device).manual_seed(self.params.seed).get_state()
