"""Recomputing claims: each work is done once, and findings come as soon as theirs are done."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.errors import InputError
from workbench.papers import sources
from workbench.papers.claims import FULL, Bench, Claim, Finding, Guarded, Work


@dataclass(frozen=True, eq=False)
class Progress:
    """How far it is; the last one is the result."""

    findings: tuple[Finding, ...] = ()  # in the order in which they came
    doing: str = ""
    seconds_left: float = 0.0
    seconds: float = 0.0  # spent so far
    results: Mapping[tuple, Any] = field(default_factory=dict)  # of works, by key, for figures


def reproduce(claims: Sequence[Claim], bench: Bench) -> Iterator[Progress]:
    """Recompute claims; yields whenever something new is known.

    What cannot be measured, or lacks data or weights, is found "not run" at once; what a work
    refuses is found "not run" for the claims that needed it, and the others go on.

    Raises:
        Cancelled: ``bench.cancelled`` said so. What was found before stays in the last progress.
    """
    yield from _Run(claims, bench).go()


def plan(claims: Sequence[Claim], bench: Bench) -> list[Work]:
    """The works that will be done, each once, in their order."""
    works = {}
    for claim in claims:
        if not _obstacle(claim, bench):
            works |= {work.key: work for work in claim.measure.works(bench.budget)}
    return list(works.values())


def expected(claims: Sequence[Claim], bench: Bench) -> float:
    """About how many seconds it will take on two CPU cores."""
    return sum(work.seconds for work in plan(claims, bench))


def _obstacle(claim: Claim, bench: Bench) -> str:
    """Why a claim cannot be run here, or nothing."""
    if claim.measure is None:
        return claim.unmeasured
    works = claim.measure.works(bench.budget)
    beyond = () if works else claim.measure.works(FULL)
    documents = [document for work in works or beyond for document in work.documents]
    needs = [*sources.missing(documents, bench.data), *(["the full budget"] if beyond else [])]
    return f"needs {' and '.join(needs)}" if needs else ""


class _Run:
    """The state of one reproduction."""

    def __init__(self, claims: Sequence[Claim], bench: Bench) -> None:
        self.claims, self.bench = claims, bench
        self.works = plan(claims, bench)
        self.results: dict[tuple, Guarded | InputError] = {}
        self.findings: list[Finding] = []
        self.judged: set[str] = set()
        self.done = 0.0  # guessed seconds of the works done
        self.started = time.monotonic()

    def go(self) -> Iterator[Progress]:
        self._judge()
        yield self._progress()
        for work in self.works:
            self.bench.report(work.title)
            yield self._progress(work)
            try:
                self.results[work.key] = yield from self._do(work)
            except InputError as error:
                self.results[work.key] = error
            self.done += work.seconds
            self._judge()
            yield self._progress()

    def _do(self, work: Work) -> Iterator[Progress]:
        steps = work.do(self.bench)
        while True:
            try:
                part = next(steps)
            except StopIteration as end:
                return end.value
            yield self._progress(work, part)

    def _judge(self) -> None:
        """Find what can be found by now."""
        for claim in self.claims:
            if claim.id not in self.judged:
                finding = self._find(claim)
                if finding is not None:
                    self.judged.add(claim.id)
                    self.findings.append(finding)

    def _find(self, claim: Claim) -> Finding | None:
        obstacle = _obstacle(claim, self.bench)
        if obstacle:
            return claim.not_run(obstacle)
        keys = [work.key for work in claim.measure.works(self.bench.budget)]
        if any(key not in self.results for key in keys):
            return None
        results = [self.results[key] for key in keys]
        refused = [result for result in results if isinstance(result, InputError)]
        if refused:
            return claim.not_run(str(refused[0]))
        undone = [guarded for guarded in results if guarded.result is None]
        if undone:
            return claim.judged(False, undone[0].fault)
        finding = claim.measure.find(
            claim, [guarded.result for guarded in results], self.bench.budget
        )
        return claim.guarded(finding, [guarded.fault for guarded in results])

    def _progress(self, work: Work | None = None, part: float = 0.0) -> Progress:
        spent = time.monotonic() - self.started
        guessed = self.done + part * (work.seconds if work else 0.0)
        left = sum(each.seconds for each in self.works) - guessed
        pace = spent / guessed if guessed > 5 else 1.0  # too little says nothing
        return Progress(
            findings=tuple(self.findings),
            doing=work.title if work else "",
            seconds_left=max(pace * left, 0.0),
            seconds=spent,
            results={
                key: done.result
                for key, done in self.results.items()
                if isinstance(done, Guarded) and done.result is not None
            },
        )
