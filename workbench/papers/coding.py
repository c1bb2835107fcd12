"""Test sets coded and classified, and the claims about accuracy and firing that follow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.document import Document
from workbench.errors import InputError
from workbench.papers import judging, sources
from workbench.papers.claims import FULL, QUICK, Bench, Claim, Finding, Guarded, OneWork

if TYPE_CHECKING:
    from workbench.engine.evaluation import Evaluation
    from workbench.engine.experiment import Experiment

SAMPLE_SEED = 0  # of the choice of test images where not all are coded
_SIZES = {"mnist": (60_000, 784, 10_000), "imagenet": (50_000, 2048, 50_000)}  # M, N, test images
_OTHERS = (50_000, 2048, 10_000)
_MOSTLY = 0.5  # of the images must be right: how a decoder that mostly errs does, proves nothing
_FLAT = 0.01  # of the peak, within which a firing curve counts as level
_FALLEN = 0.9  # of the peak, which it must have come below at the end


@dataclass(frozen=True)
class Coding:
    """One evaluation of a document on a seeded choice of its test images, or on all."""

    document: Document
    samples: int | None = None

    @property
    def key(self) -> tuple:
        return ("coding", self.document.to_json(), self.samples)

    @property
    def title(self) -> str:
        document, atoms = self.document, self.document.dictionary.atoms
        network = "" if document.backbone.name == "none" else f", {document.backbone.name}"
        many = "all atoms" if atoms is None else f"{atoms} atoms"
        return f"{document.data.dataset}{network}, {many}"

    @property
    def documents(self) -> tuple[Document, ...]:
        return (self.document,)

    @property
    def seconds(self) -> float:
        atoms, features, tests = _SIZES.get(self.document.data.dataset, _OTHERS)
        atoms = self.document.dictionary.atoms or atoms
        codes = self.samples or tests
        if self.document.decoder.kind == "perceptron":
            codes += self.document.decoder.samples or 3000
        pictures = 0 if self.document.backbone.name == "none" else atoms + tests
        return codes * 4e-5 * atoms**0.73 * features / 784 + 0.15 * pictures

    def do(self, bench: Bench) -> Iterator[float]:
        from workbench.engine.evaluation import evaluate  # torch
        from workbench.papers import guard

        experiment = prepared(sources.located(self.document, bench.data), bench)
        chosen = None if self.samples is None else some_of(experiment, self.samples)
        coded = range(len(experiment.dataset.test)) if chosen is None else chosen
        bench.report("Comparing network and dictionary with the equations")
        checked = (experiment, self.document, coded, bench.cancelled)
        fault = guard.before(*checked) or guard.in_use(*checked)
        try:
            for evaluation in evaluate(experiment, chosen, bench.cancelled):
                if evaluation.stage:
                    bench.report(evaluation.stage)
                yield evaluation.done / evaluation.total
        except InputError:
            if not fault:
                raise
            return Guarded(None, fault)  # a faulty network refused its own codes
        return Guarded(evaluation, fault or guard.after(evaluation, self.document, len(coded)))


def prepared(document: Document, bench: Bench) -> Experiment:
    """The experiment of a document; its dataset is kept for the next one."""
    from workbench.engine.experiment import prepare  # torch

    bench.previous = prepare(document, bench.previous, bench.report, bench.cancelled)
    return bench.previous


def some_of(experiment: Experiment, count: int) -> list[int]:
    """A seeded choice of test images; a smaller one begins a larger one.

    The first ones would be no fair sample: those of MNIST are easier than the rest.
    """
    import numpy as np

    order = np.random.default_rng(SAMPLE_SEED).permutation(len(experiment.dataset.test))
    return order[:count].tolist()


@dataclass(frozen=True)
class Accuracy(OneWork):
    """The part of the test images classified rightly by one decoder, against a printed one."""

    decoder: str
    full: Coding
    quick: Coding | None = None
    other: str = ""  # how the quick coding differs from theirs; it is then shown, not judged
    tests: int = 10_000  # images theirs was measured on

    def find(self, claim: Claim, results: list[Evaluation], budget: str) -> Finding:
        (evaluation,) = results
        part = evaluation.accuracy.get(self.decoder)
        more = _origin(evaluation)
        if part is None:
            return claim.not_run(f"nothing was decided by the {self.decoder} decoder", **more)
        more["ours"] = f"{100 * part:.2f} %"
        wrong = _decoder(self.decoder)
        if wrong:
            return claim.judged(False, wrong, **more)
        if budget == QUICK and self.other:
            return claim.not_run(f"{self.other}; the full budget judges it", **more)
        return claim.judged(*self._judge(claim, part, evaluation.done), **more)

    def _judge(self, claim: Claim, part: float, samples: int) -> tuple[bool, str]:
        theirs = claim.theirs.value / 100
        allowed = judging.Z * judging.standard_error(theirs, samples, self.tests)
        off = part - theirs
        return abs(off) <= allowed, (
            f"{100 * off:+.2f} points; {judging.Z:g} standard errors of {samples} and "
            f"{self.tests} images are {100 * allowed:.2f}"
        )


@dataclass(frozen=True)
class Drawn(OneWork):
    """Accuracies that a figure shows and no text prints: measured, shown, not judged."""

    full: Coding

    def find(self, claim: Claim, results: list[Evaluation], budget: str) -> Finding:
        (evaluation,) = results
        parts = [f"{name} {100 * part:.2f} %" for name, part in evaluation.accuracy.items()]
        return claim.not_run(
            "the figure prints no number to compare with; read it off beside ours",
            ours=", ".join(parts),
            **_origin(evaluation),
        )


@dataclass(frozen=True)
class Rise:
    """Accuracy that rises with each doubling of the dictionary."""

    decoder: str
    full: tuple[Coding, ...]  # from the smallest dictionary to the largest
    quick: tuple[Coding, ...]

    @property
    def document(self) -> Document:
        return self.full[-1].document

    def works(self, budget: str) -> tuple[Coding, ...]:
        return self.full if budget == FULL else self.quick

    def find(self, claim: Claim, results: list[Evaluation], budget: str) -> Finding:
        parts = [evaluation.accuracy.get(self.decoder) for evaluation in results]
        sizes = ", ".join(str(evaluation.neurons) for evaluation in results)
        more = {"conditions": f"{sizes} atoms, {results[0].done} test images"}
        if None in parts:
            return claim.not_run(f"no accuracy of the {self.decoder} decoder", **more)
        more["ours"] = " → ".join(f"{100 * part:.1f}" for part in parts) + " %"
        wrong = _decoder(self.decoder)
        if wrong:
            return claim.judged(False, wrong, **more)
        steepness = judging.trend(parts, results[0].done)
        least = min(after - before for before, after in zip(parts, parts[1:], strict=False))
        return claim.judged(
            least > 0 and steepness >= judging.Z_TREND and min(parts) > _MOSTLY,
            f"the smallest change is {100 * least:+.2f} points (must be above 0), and the trend "
            f"is {steepness:.1f} standard errors (must be at least {judging.Z_TREND:g})",
            **more,
        )


@dataclass(frozen=True)
class OnePeak(OneWork):
    """A mean firing count that rises to one peak and falls after it."""

    full: Coding
    quick: Coding | None = None

    def find(self, claim: Claim, results: list[Evaluation], budget: str) -> Finding:
        (evaluation,) = results
        curve = evaluation.firing_counts
        peak = int(curve.argmax())
        return claim.judged(
            self._holds(curve.tolist(), peak),
            f"from 0 to {curve[peak]:.1f} neurons at step {peak}, then to {curve[-1]:.1f}; on "
            f"average {evaluation.active_fraction:.2%} of {evaluation.neurons} neurons",
            ours=f"peak {curve[peak]:.1f} at step {peak}",
            **_origin(evaluation),
        )

    @staticmethod
    def _holds(curve: Sequence[float], peak: int) -> bool:
        level = _FLAT * curve[peak]
        steps = [after - before for before, after in zip(curve, curve[1:], strict=False)]
        rises = all(step >= -level for step in steps[:peak])
        falls = all(step <= level for step in steps[peak:])
        inside = 0 < peak < len(curve) - 1
        return inside and rises and falls and curve[-1] <= _FALLEN * curve[peak]


@dataclass(frozen=True)
class MeanFiring(OneWork):
    """The mean part of the neurons that fire at a step, against a printed percentage."""

    full: Coding

    def find(self, claim: Claim, results: list[Evaluation], budget: str) -> Finding:
        (evaluation,) = results
        percent = 100 * evaluation.active_fraction
        return claim.judged(
            claim.theirs.same_digits(percent),
            f"{percent * evaluation.neurons / 100:.1f} of {evaluation.neurons} neurons",
            ours=f"{percent:.3g} %",
            **_origin(evaluation),
        )


def _decoder(name: str) -> str:
    """What is wrong with a decoder, or nothing."""
    from workbench.papers import guard  # torch

    return guard.decoder(name)


def _origin(evaluation: Evaluation) -> dict[str, str]:
    """Where a number comes from, as a finding tells it."""
    return {"conditions": described(evaluation), "fingerprint": evaluation.fingerprint}


def described(evaluation: Evaluation) -> str:
    """Our conditions in a few words."""
    return f"{evaluation.neurons} atoms, {evaluation.done} test images"
