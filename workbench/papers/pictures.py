"""The same images coded with a dictionary of the dataset and with a random one (Table 1)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from workbench.document import Document
from workbench.papers import sources
from workbench.papers.claims import FULL, QUICK, Bench, Claim, Finding, Guarded, OneWork
from workbench.papers.coding import prepared

if TYPE_CHECKING:
    import numpy as np

SETTLED = 0.05  # of its whole fall, within which the energy has settled
WHITE = 255.0  # the paper's pixels span 0..255
_PER_NUMBER = 6.8e-10  # seconds that a step takes for one number of the dictionary


@dataclass(frozen=True, eq=False)
class Pictures:
    """Some images, their reconstructions, and how the energy fell."""

    kind: str  # of the dictionary
    originals: np.ndarray  # [B, H, W] or [B, H, W, 3], 0..1
    reconstructions: np.ndarray  # the same
    energy: np.ndarray  # [iterations + 1, B, 3]: reconstruction, sparsity, total
    mse: tuple[float, ...]  # on the scale 0..255, one per image
    psnr: tuple[float, ...]  # dB
    ssim: tuple[float, ...]
    iterations: tuple[float, ...]  # until the energy settled; infinite if it left all bounds
    neurons: int
    steps_each: int  # time steps in one iteration of length 1


@dataclass(frozen=True)
class Reconstruction:
    """Images of one class, reconstructed under one document."""

    document: Document
    of_class: str  # their class
    images: int

    @property
    def key(self) -> tuple:
        return ("reconstruction", self.document.to_json(), self.of_class, self.images)

    @property
    def title(self) -> str:
        kind = self.document.dictionary.kind
        return f"{self.images} images of {self.of_class}, {kind} dictionary"

    @property
    def documents(self) -> tuple[Document, ...]:
        return (self.document,)

    @property
    def seconds(self) -> float:
        numbers = 3072 * (self.document.dictionary.atoms or 50_000)
        return 3 + _PER_NUMBER * numbers * self.document.system["steps"]

    def do(self, bench: Bench) -> Iterator[float]:
        import torch  # seconds

        from workbench.papers import guard

        experiment = prepared(sources.located(self.document, bench.data), bench)
        label = experiment.dataset.class_names.index(self.of_class)
        found = (experiment.dataset.test.labels == label).nonzero().flatten().tolist()
        found = found[: self.images]
        fault = guard.before(experiment, self.document, found, bench.cancelled)
        state, system = experiment.initial(found), experiment.system
        each, watch = round(1 / system.params.time_step), guard.Watch(system, self.document)
        rows = [system.observe(state, ("energy",))["energy"]]
        for step in range(1, experiment.steps + 1):
            if bench.cancelled():
                from workbench.engine.experiment import Cancelled

                raise Cancelled
            moved = system.step(state)
            watch.see(step, state, moved)
            state = moved
            if step % each == 0:
                rows.append(system.observe(state, ("energy",))["energy"])
                yield step / experiment.steps
        seen = system.observe(state, ("input", "reconstruction"))
        pictures = _pictures(seen, torch.stack(rows), experiment, each)
        return Guarded(pictures, fault or watch.fault)


def _pictures(seen: dict[str, Any], energy: Any, experiment: Any, each: int) -> Pictures:
    """Judge reconstructions as images."""
    import numpy as np

    from workbench.analysis import image_quality

    shape = (-1, *experiment.dataset.image_shape)
    original = seen["input"].cpu().double().numpy().reshape(shape)
    reconstruction = seen["reconstruction"].cpu().double().numpy().reshape(shape)
    energy = energy.cpu().double().numpy()
    pairs = list(zip(original, reconstruction, strict=True))
    shown = [(a, np.clip(np.nan_to_num(b), 0, 1)) for a, b in pairs]
    with np.errstate(all="ignore"):  # a network that diverged leaves no image
        mse = [WHITE**2 * float(np.mean((a - b) ** 2)) for a, b in pairs]
    return Pictures(
        kind=experiment.document.dictionary.kind,
        originals=original,
        reconstructions=np.stack([b for _, b in shown]),
        energy=energy,
        mse=tuple(mse),
        psnr=tuple(_psnr(error) for error in mse),
        ssim=tuple(image_quality.ssim(a, b) for a, b in shown),
        iterations=tuple(settled(energy[:, i, 2].tolist()) for i in range(len(pairs))),
        neurons=experiment.system.neurons,
        steps_each=each,
    )


def _psnr(mse: float) -> float:
    return math.inf if mse == 0 else 10 * math.log10(WHITE**2 / mse) if mse > 0 else math.nan


def settled(total: Sequence[float]) -> float:
    """The iteration from which an energy stays near its last value; infinite if it never fell."""
    fall = total[0] - total[-1]
    if not (all(map(math.isfinite, total)) and fall > 0):  # nor did one that diverged settle
        return math.inf
    away = [k for k, energy in enumerate(total) if abs(energy - total[-1]) > SETTLED * fall]
    return float(away[-1] + 1)


@dataclass(frozen=True)
class Within:
    """How far a number may be from a median: by a factor, or by a difference where it has none."""

    factor: float = 1.0
    difference: float = 0.0
    unit: str = ""

    def near(self, theirs: float, ours: float) -> bool:
        """Whether it is no farther; nothing is near a number that is not finite."""
        if self.difference:
            return abs(theirs - ours) <= self.difference
        return theirs / self.factor <= ours <= theirs * self.factor

    def __str__(self) -> str:
        if self.difference:
            return f"within {self.difference:g} {self.unit}".strip()
        return f"within a factor of {self.factor:g}"


@dataclass(frozen=True)
class Measured(OneWork):
    """A number of Table 1, not far from the median of several images."""

    what: str  # the field of `Pictures`
    within: Within
    full: Reconstruction
    quick: Reconstruction
    other: str  # how the quick one differs from theirs

    def find(self, claim: Claim, results: list[Pictures], budget: str) -> Finding:
        (pictures,) = results
        values = getattr(pictures, self.what)
        low, high = min(values), max(values)
        middle = median(values)
        spread = f"{_number(low)} to {_number(high)} over {len(values)} images"
        ours = f"{_number(middle)} {claim.theirs.unit}".strip()
        more = {"ours": ours, "conditions": described(pictures)}
        if budget == QUICK:
            why = f"{self.other}; the full budget judges it; ours is {spread}"
            return claim.not_run(why, **more)
        holds = self.within.near(claim.theirs.value, middle)
        return claim.judged(holds, f"the median must be {self.within}; {spread}", **more)


def _number(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"


@dataclass(frozen=True)
class Better:
    """One dictionary does better than the other on every image, in every named respect."""

    better: Callable[[Pictures, Pictures], list[bool]]  # of the first than the second, by image
    said: Callable[[Pictures, Pictures], str]
    full: tuple[Reconstruction, Reconstruction]
    quick: tuple[Reconstruction, Reconstruction]

    @property
    def document(self) -> Document:
        return self.full[0].document

    def works(self, budget: str) -> tuple[Reconstruction, ...]:
        return self.full if budget == FULL else self.quick

    def find(self, claim: Claim, results: list[Pictures], budget: str) -> Finding:
        first, second = results
        won = self.better(first, second)
        return claim.judged(
            all(won),
            f"on {sum(won)} of {len(won)} images (must be all; by chance 1 in {2 ** len(won)})",
            ours=self.said(first, second),
            conditions=described(first),
        )


def nearer(first: Pictures, second: Pictures) -> list[bool]:
    """Which images the first reconstructs better: by MSE, PSNR and SSIM alike, once settled.

    It must have settled by the middle of the run: of two networks that have hardly begun, the
    better one says little.
    """
    middle = (len(first.energy) - 1) / 2
    better = zip(
        first.mse, second.mse, first.psnr, second.psnr, first.ssim, second.ssim, strict=True
    )
    return [
        k <= middle and m1 < m2 and p1 > p2 and s1 > s2
        for k, (m1, m2, p1, p2, s1, s2) in zip(first.iterations, better, strict=True)
    ]


def sooner(first: Pictures, second: Pictures) -> list[bool]:
    """Which images settle in at most half the iterations, and at a lower energy, with the first."""
    ends = zip(first.energy[-1, :, 2], second.energy[-1, :, 2], strict=True)
    times = zip(first.iterations, second.iterations, strict=True)
    return [k1 <= k2 / 2 and e1 < e2 for (k1, k2), (e1, e2) in zip(times, ends, strict=True)]


def how_near(first: Pictures, second: Pictures) -> str:
    """How much smaller the error is."""
    ratios = [b / a if a else math.inf for a, b in zip(first.mse, second.mse, strict=True)]
    return f"MSE {median(ratios):.1f} times lower"


def how_soon(first: Pictures, second: Pictures) -> str:
    """After how many iterations each settles."""
    return f"{median(first.iterations):g} against {median(second.iterations):g} iterations"


def described(pictures: Pictures) -> str:
    """Our conditions in a few words."""
    images = len(pictures.mse)
    return f"{pictures.neurons} atoms, {images} images, time step 1/{pictures.steps_each}"
