"""What an LCA declares: its parameters and its observables. Equations as in `lca`."""

from __future__ import annotations

from typing import Literal

from workbench.systems.protocol import Observable, Params, parameter


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
    integrator: Literal["euler", "exponential", "momentum", "adaptive"] = parameter(
        "euler",
        "Euler: η a step; exponential: 1 − exp(−η); momentum: Polyak's; adaptive: PetaVision's.",
        equation="(3)",
        advanced=True,
    )
    momentum: float = parameter(
        0.5,
        "How much of the step before a step goes on.",
        symbol="μ",
        equation="(3)",
        ge=0,
        le=0.99,
        slider=(0.0, 0.95),
        when=("integrator", "momentum"),
        advanced=True,
    )
    growth: float = parameter(
        0.025,
        "By which part the longest time step grows while the energy falls.",
        symbol="γ",
        equation="(3)",
        ge=0,
        le=1,
        slider=(0.0, 0.2),
        when=("integrator", "adaptive"),
        advanced=True,
    )
    change: float = parameter(
        0.03,
        "Which part of the energy a step may take, at the pace at which it fell in the last.",
        symbol="κ",
        equation="(3)",
        gt=0,
        le=1,
        slider=(0.005, 0.5),
        log=True,
        when=("integrator", "adaptive"),
        advanced=True,
    )


OBSERVABLES = (
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
