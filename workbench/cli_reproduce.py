"""``workbench reproduce``: recompute what a paper claims."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import InputError
from workbench.papers import PAPERS
from workbench.papers.claims import (
    BUDGETS,
    QUICK,
    VERDICTS,
    Bench,
    Claim,
    Finding,
    Paper,
    counts,
    minutes,
)

if TYPE_CHECKING:
    from workbench.papers.run import Progress

DATA = Path("data")  # looked at where none is named; it may be absent


def add_reproduce(parser: argparse.ArgumentParser) -> None:
    """``workbench reproduce [PAPER [CLAIM]] [--budget ...] [--data ...] [--out ...] [--json]``."""
    parser.add_argument("paper", nargs="?", help=f"one of {', '.join(PAPERS)}; none lists them")
    parser.add_argument("claim", nargs="?", help="the id of a claim, or how several begin: table3")
    parser.add_argument(
        "--budget",
        choices=BUDGETS,
        default=QUICK,
        help="quick: a few minutes; full: the paper's own conditions, hours (default: quick)",
    )
    parser.add_argument(
        "--data",
        type=_folder,
        metavar="FOLDER",
        help="the data root: MNIST/raw, cifar-10-batches-py, cifar10*.zip, ... (default: data)",
    )
    parser.add_argument(
        "--out",
        type=_folder,
        metavar="DIR",
        help="where the report goes (default: reproduce-PAPER)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object to stdout")
    parser.set_defaults(do=_reproduce)


def _folder(text: str) -> Path:
    """A folder named on the command line; an empty name would be the current one by accident."""
    if not text.strip():
        raise argparse.ArgumentTypeError("must name a folder, got an empty text")
    return Path(text)


def _data(named: Path | None) -> Path:
    """The data folder: one that is named must be there, or a typo would look like success.

    Raises:
        InputError: it is not there, or is no folder.
    """
    folder = named or DATA
    try:
        if folder.is_dir() or (named is None and not folder.exists()):
            return folder
        found = "it is no folder" if folder.exists() else "there is no such folder"
    except OSError as error:
        found = error.strerror or str(error)
    raise InputError(f"--data {folder}: {found}; it must be the folder that holds the data")


def _reproduce(options: argparse.Namespace) -> int:
    if options.paper is None:
        print("\n".join(line for paper in PAPERS.values() for line in _listed(paper)))
        return 0
    if options.paper not in PAPERS:
        raise InputError(f"{options.paper!r}: no such paper; there are {', '.join(PAPERS)}")
    paper = PAPERS[options.paper]
    chosen, data = paper.chosen(options.claim), _data(options.data)
    from workbench.papers import report  # torch
    from workbench.papers.run import expected

    out = options.out or Path(f"reproduce-{paper.name}")
    report.make_place(out)  # before the work, not after it
    teller = _Teller()
    bench = Bench(data, options.budget, teller.say)
    teller.say(f"{len(chosen)} claims, about {minutes(expected(chosen, bench))}")
    progress, path = _run(paper, chosen, bench, teller, out, quiet=options.json)
    if options.json:
        print(json.dumps(_object(paper, bench, progress, path)), flush=True)
    else:
        print(", ".join(f"{n} {verdict}" for verdict, n in counts(progress.findings).items()))
        print(f"report: {path}", flush=True)
    return 0


def _run(
    paper: Paper, chosen: tuple[Claim, ...], bench: Bench, teller: _Teller, out: Path, quiet: bool
) -> tuple[Progress, Path]:
    """Do it, a line for each finding; returns the last progress and the report."""
    from workbench.papers import report
    from workbench.papers.run import Progress, reproduce

    progress, printed = Progress(), 0
    try:
        for progress in reproduce(chosen, bench):
            for finding in () if quiet else progress.findings[printed:]:
                print(line(finding), flush=True)
            printed = len(progress.findings)
            if progress.doing:
                teller.left(progress)
    finally:  # hours of work are not lost when they are interrupted
        path = report.write(out, paper, bench, progress)
    return progress, path


def line(finding: Finding) -> str:
    """A finding in one line: verdict, id, ours beside theirs."""
    claim = finding.claim
    ours = f"ours {finding.ours}, theirs {claim.theirs}" if finding.ours else f"({finding.why})"
    widest = max(map(len, VERDICTS))
    return f"{finding.verdict:<{widest}}  {claim.id:<32}  {ours}"


class _Teller:
    """Tells of the work on stderr, of one thing every few seconds at most."""

    EVERY = 5.0  # seconds

    def __init__(self) -> None:
        self._told: dict[str, float] = {}  # when, by the first word

    def say(self, text: str) -> None:
        """A line, if it is news: "Reading 2048 of 4096" is none right after 1024."""
        kind, now = text.partition(" ")[0], time.monotonic()
        if now - self._told.get(kind, -self.EVERY) >= self.EVERY:
            self._told[kind] = now
            print(text, file=sys.stderr, flush=True)

    def left(self, progress: Progress) -> None:
        """How long it will still take."""
        self.say(f"About {minutes(progress.seconds_left)} left in all: {progress.doing}")


def _listed(paper: Paper) -> list[str]:
    """A paper and its claims, a line each."""
    heading = f"{paper.name}: {paper.title}. {paper.reference}"
    return [heading, *(f"  {c.id:<32}  {c.theirs}  {c.what}" for c in paper.claims)]


def _object(paper: Paper, bench: Bench, progress: Progress, path: Path) -> dict[str, Any]:
    """What ``--json`` prints."""
    return {
        "paper": paper.name,
        "budget": bench.budget,
        "data": str(bench.data),
        "seconds": round(progress.seconds, 1),
        "report": str(path),
        "counts": counts(progress.findings),
        "findings": [
            {
                "claim": finding.claim.id,
                "where": finding.claim.where,
                "what": finding.claim.what,
                "conditions": finding.claim.conditions,
                "theirs": str(finding.claim.theirs),
                "ours": finding.ours or None,
                "our_conditions": finding.conditions or None,
                "tolerance": finding.claim.tolerance,
                "verdict": finding.verdict,
                "why": finding.why,
                "fingerprint": finding.fingerprint or None,
            }
            for finding in progress.findings
        ],
    }
