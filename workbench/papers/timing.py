"""Where the time goes on this machine: features, network, decoding (Table 5)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from workbench.document import Document
from workbench.document.schema import Backbone
from workbench.papers.claims import Bench, Claim, Finding, Guarded, OneWork

STAGES = ("features", "network", "decoding")
_CLASSES = 1000
_PARTS = 200  # atoms a signal is made of: about as many neurons then fire as in the paper


@dataclass(frozen=True)
class Stages:
    """Milliseconds per sample of each stage, the median of some samples."""

    milliseconds: dict[str, float]
    samples: int
    neurons: int
    firing: float  # mean number of firing neurons at the last step


@dataclass(frozen=True)
class Timing:
    """Single samples through a backbone, the network and the decoder.

    Neither the weights nor the atoms change how long it takes, so both are random. A signal is the
    sum of some atoms: one of pure noise would leave all neurons silent, and silence is quick.
    """

    backbone: str
    features: int
    neurons: int
    samples: int
    system: Document

    @property
    def key(self) -> tuple:
        sizes = (self.features, self.neurons, self.samples)
        return ("timing", self.backbone, *sizes, self.system.to_json())

    @property
    def title(self) -> str:
        return f"time by stage, {self.neurons} neurons"

    @property
    def documents(self) -> tuple[Document, ...]:
        return ()

    @property
    def seconds(self) -> float:
        return 4 + self.samples * 1.5e-8 * self.neurons * self.features

    def do(self, bench: Bench) -> Iterator[float]:
        spent: dict[str, list[float]] = {stage: [] for stage in STAGES}
        for done, seconds in enumerate(self._features(bench)):
            spent["features"].append(seconds)
            yield 0.3 * (done + 1) / self.samples
        firing, fault = [], ""
        for done, (network, decoding, count, wrong) in enumerate(self._coding(bench)):
            spent["network"].append(network)
            spent["decoding"].append(decoding)
            firing.append(count)
            fault = fault or wrong
            yield 0.3 + 0.7 * (done + 1) / self.samples
        stages = Stages(
            {stage: 1000 * median(seconds) for stage, seconds in spent.items()},
            self.samples,
            self.neurons,
            sum(firing) / len(firing),
        )
        return Guarded(stages, fault)

    def _features(self, bench: Bench) -> Iterator[float]:
        import torch

        from workbench.data import backbones

        bench.report(f"Building {self.backbone}")
        backbone = backbones.load(Backbone(name=self.backbone, weights=backbones.RANDOM))
        image = torch.rand(1, 3, backbone.image_size, backbone.image_size)
        backbone.features(image)  # the first one also allocates
        for _ in range(self.samples):
            started = time.perf_counter()
            backbone.features(image)
            yield time.perf_counter() - started

    def _coding(self, bench: Bench) -> Iterator[tuple[float, float, int, str]]:
        """Seconds of network and decoding, firing neurons, and what is wrong, by sample."""
        import torch

        from workbench.coding import decoders, dictionaries
        from workbench.engine.experiment import Cancelled, system_params
        from workbench.papers import guard
        from workbench.systems import kinds
        from workbench.systems.protocol import Wiring

        bench.report(f"Drawing {self.neurons} atoms")
        atoms = dictionaries.random(self.neurons, self.features, 0).atoms
        labels = torch.arange(self.neurons) % _CLASSES
        params, wiring = system_params(self.system), Wiring(self.features, atoms, labels, _CLASSES)
        system = kinds()[self.system.system["kind"]](params, wiring)
        claimed = guard.Claimed.by(self.system)
        for sample in range(self.samples):
            drawn = torch.Generator().manual_seed(sample)
            parts = torch.randperm(self.neurons, generator=drawn)[:_PARTS]
            signal = 2 * params.threshold * atoms[parts].sum(0, keepdim=True)
            started = time.perf_counter()
            state = system.init(signal)
            for _ in range(params.steps):
                if bench.cancelled():
                    raise Cancelled
                state = system.step(state)
            coded = time.perf_counter()
            code = system.observe(state, (system.code,))[system.code]
            decoders.by_sum(decoders.evidence(code, labels, _CLASSES))
            decoded = time.perf_counter()
            wrong = guard.network(system, claimed) or guard.one_step(
                system, state, system.step(state), claimed
            )
            yield coded - started, decoded - coded, int((code != 0).sum()), wrong


@dataclass(frozen=True)
class StageTime(OneWork):
    """How long one stage takes: another machine's milliseconds are only shown beside ours."""

    stage: str
    full: Timing
    quick: Timing

    def find(self, claim: Claim, results: list[Stages], budget: str) -> Finding:
        (stages,) = results
        return claim.not_run(
            "another machine; milliseconds do not carry over",
            ours=f"{stages.milliseconds[self.stage]:.4g} ms",
            conditions=described(stages),
        )


@dataclass(frozen=True)
class Bottleneck(OneWork):
    """The network takes longer than the two other stages together."""

    full: Timing
    quick: Timing

    def find(self, claim: Claim, results: list[Stages], budget: str) -> Finding:
        (stages,) = results
        part = stages.milliseconds["network"] / sum(stages.milliseconds.values())
        return claim.judged(
            part > 0.5,
            f"{stages.milliseconds['network']:.0f} of "
            f"{sum(stages.milliseconds.values()):.0f} ms (must be more than half)",
            ours=f"{part:.0%} of the time",
            conditions=described(stages),
        )


def described(stages: Stages) -> str:
    """Our conditions in a few words."""
    return (
        f"this machine, {stages.neurons} neurons, batch 1, {stages.samples} samples, "
        f"{stages.firing:.0f} neurons firing at the end"
    )
