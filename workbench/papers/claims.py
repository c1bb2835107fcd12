"""What a claim of a paper is, and what may be found of it. No torch: claims are only read here.

A `Claim` says what the paper printed, under which conditions, and how it is measured. A measure
names the works it needs; a work that several claims need is done once (`workbench.papers.run`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from workbench.document import Document
from workbench.errors import InputError

REPRODUCED, NOT_REPRODUCED, NOT_RUN = "reproduced", "not reproduced", "not run"
VERDICTS = (REPRODUCED, NOT_REPRODUCED, NOT_RUN)

QUICK, FULL = "quick", "full"
BUDGETS = (QUICK, FULL)  # minutes, or the paper's own conditions however long they take


@dataclass(frozen=True)
class Printed:
    """A number as the paper prints it: its digits say how exact it is."""

    text: str
    unit: str = ""

    @property
    def value(self) -> float:
        """The number."""
        return float(self.text)

    def same_digits(self, value: float) -> bool:
        """Whether a value, rounded to the digits printed, is this number (halves either way)."""
        half = Decimal(1).scaleb(Decimal(self.text).as_tuple().exponent) / 2
        return math.isfinite(value) and abs(Decimal(value) - Decimal(self.text)) <= half

    def __str__(self) -> str:
        return f"{self.text} {self.unit}".strip()


@dataclass(frozen=True, eq=False)
class Finding:
    """What came out for one claim."""

    claim: Claim
    verdict: str
    why: str  # one sentence: how far from theirs, or what is missing
    ours: str = ""  # with its unit; may be given beside a claim that was not judged
    conditions: str = ""  # ours, where anything was measured
    fingerprint: str = ""  # of the run it was measured in


@dataclass(frozen=True, eq=False)
class Guarded:
    """What a work gave, and why no claim may count as reproduced by it, or nothing."""

    result: Any  # None: a faulty network gave none
    fault: str = ""  # one sentence, from `workbench.papers.guard`


@dataclass
class Bench:
    """Where works are done: the data at hand, the budget, and how to tell and to stop."""

    data: Path
    budget: str = QUICK
    report: Callable[[str], None] = lambda text: None
    cancelled: Callable[[], bool] = lambda: False
    previous: Any = None  # the last Experiment: its dataset is used again


class Work(Protocol):
    """One long piece of computation, shared by the claims that need it."""

    @property
    def key(self) -> tuple:
        """Two works of one key give the same result."""

    @property
    def title(self) -> str:
        """What is being done, for people."""

    @property
    def documents(self) -> tuple[Document, ...]:
        """What is coded; the data and weights these name must be at hand."""

    @property
    def seconds(self) -> float:
        """A rough guess, from two CPU cores; only the proportions matter once it runs."""

    def do(self, bench: Bench) -> Iterator[float]:
        """Do it, yielding the part done so far (0 to 1); it returns the result as `Guarded`.

        Raises:
            InputError: data or weights are absent or wrong.
            Cancelled: ``bench.cancelled`` said so.
        """


class Measure(Protocol):
    """How a kind of claim is measured and judged."""

    @property
    def document(self) -> Document | None:
        """The session behind the claim under the paper's conditions, if it is one."""

    def works(self, budget: str) -> tuple[Work, ...]:
        """What must be computed first; none, if the budget does not reach."""

    def find(self, claim: Claim, results: list[Any], budget: str) -> Finding:
        """Judge by the results of these works, in their order."""


class OneWork:
    """What the measures of a single work share; a quick budget without a quick one has none."""

    @property
    def document(self) -> Document | None:
        return next(iter(self.full.documents), None)

    def works(self, budget: str) -> tuple[Work, ...]:
        work = self.full if budget == FULL else getattr(self, "quick", None)
        return () if work is None else (work,)


@dataclass(frozen=True, eq=False)
class Claim:
    """One number, or one statement, of a paper."""

    id: str  # "table3/mnist/sum"
    where: str  # in the paper
    what: str
    conditions: str  # theirs
    theirs: Printed | str  # a printed number, or a statement in words
    tolerance: str  # what still counts as the same, and why
    measure: Measure | None = None
    unmeasured: str = ""  # why there is no measure
    needs: tuple[str, ...] = field(init=False)  # datasets, "weights of NAME", in the full budget

    def __post_init__(self) -> None:
        works = self.measure.works(FULL) if self.measure else ()
        documents = [document for work in works for document in work.documents]
        needs = dict.fromkeys(need for document in documents for need in needs_of(document))
        object.__setattr__(self, "needs", tuple(needs))

    @property
    def document(self) -> Document | None:
        """The session behind it, its data folder still open; None where there is none."""
        return self.measure.document if self.measure else None

    def not_run(self, why: str, **more: str) -> Finding:
        """A finding that judges nothing."""
        return Finding(self, NOT_RUN, why, **more)

    def judged(self, holds: bool, why: str, **more: str) -> Finding:
        """A finding that judges."""
        return Finding(self, REPRODUCED if holds else NOT_REPRODUCED, why, **more)

    def guarded(self, finding: Finding, faults: list[str]) -> Finding:
        """A finding of these works: numbers that something wrong has given reproduce nothing."""
        why = next(filter(None, faults), "")
        if not why:
            return finding
        verdict = NOT_RUN if finding.verdict == NOT_RUN else NOT_REPRODUCED
        return replace(finding, verdict=verdict, why=why)


@dataclass(frozen=True)
class Paper:
    """A paper and everything it claims."""

    name: str  # on the command line
    title: str
    reference: str
    claims: tuple[Claim, ...]

    def chosen(self, prefix: str | None) -> tuple[Claim, ...]:
        """The claim of this id, or all whose ids start with it.

        Raises:
            InputError: there is none.
        """
        exact = tuple(claim for claim in self.claims if claim.id == prefix)
        chosen = exact or tuple(c for c in self.claims if c.id.startswith(prefix or ""))
        if not chosen:
            groups = dict.fromkeys(claim.id.partition("/")[0] for claim in self.claims)
            raise InputError(
                f"{prefix!r}: {self.name} has no such claim; ids start with {', '.join(groups)}"
            )
        return chosen


def needs_of(document: Document) -> tuple[str, ...]:
    """The dataset and weights that a document needs and that do not come along."""
    data, backbone = document.data.dataset, document.backbone.name
    needs = () if data == "digits" else (data,)
    return needs if backbone == "none" else (*needs, f"weights of {backbone}")


def counts(findings: list[Finding]) -> Mapping[str, int]:
    """How many findings there are of each verdict."""
    return {v: sum(finding.verdict == v for finding in findings) for v in VERDICTS}


def minutes(seconds: float) -> str:
    """A time for people."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    whole = round(seconds / 60)
    return f"{whole} min" if whole < 90 else f"{whole // 60} h {whole % 60} min"
