"""The findings as one HTML file: no script, nothing from elsewhere, figures inside."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from html import escape
from pathlib import Path
from string import Template

from workbench import __version__
from workbench.engine.results import make_folder
from workbench.errors import InputError
from workbench.papers.claims import (
    NOT_REPRODUCED,
    NOT_RUN,
    QUICK,
    REPRODUCED,
    Bench,
    Claim,
    Finding,
    Paper,
    counts,
)
from workbench.papers.drawing import figures_of
from workbench.papers.run import Progress

MARKS = {REPRODUCED: "✓", NOT_REPRODUCED: "✗", NOT_RUN: "–"}
_CLASSES = {REPRODUCED: "yes", NOT_REPRODUCED: "no", NOT_RUN: "open"}
NAME = "report.html"


def make_place(folder: Path) -> None:
    """Make the folder of a report, if it is not there; a report that is there stays as it is.

    Raises:
        InputError: the folder cannot be made, or no report can be written into it.
    """
    make_folder(folder)
    path = folder / NAME
    try:
        there = path.exists()
        with path.open("a"):
            pass
        if not there:
            path.unlink()
    except OSError as error:
        raise _not_written(path, error) from error


def _not_written(path: Path, error: OSError) -> InputError:
    return InputError(f"{path}: not written: {error.strerror or error}")


def write(folder: Path, paper: Paper, bench: Bench, progress: Progress) -> Path:
    """Write the report into a folder that is there; returns its path.

    Raises:
        InputError: it cannot be written.
    """
    path = folder / NAME
    try:
        path.write_text(page(paper, bench, progress), encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise _not_written(path, error) from error
    return path


def page(paper: Paper, bench: Bench, progress: Progress) -> str:
    """The whole report."""
    place = {claim.id: i for i, claim in enumerate(paper.claims)}
    findings = sorted(progress.findings, key=lambda finding: place[finding.claim.id])
    return Template(_PAGE).substitute(
        title=escape(paper.title),
        reference=escape(paper.reference),
        style=_STYLE,
        totals=_totals(findings),
        setting=_setting(bench, progress),
        failed=_failed(findings),
        tables="".join(_table(where, rows) for where, rows in _grouped(findings)),
        figures="".join(
            f"<figure>{svg}<figcaption>{escape(words)}</figcaption></figure>"
            for svg, words in figures_of(progress.results)
        )
        or "<p class='quiet'>Nothing was measured that could be drawn.</p>",
    )


def _totals(findings: list[Finding]) -> str:
    return "".join(
        f"<li class='{_CLASSES[verdict]}'><b>{number}</b> {verdict}</li>"
        for verdict, number in counts(findings).items()
    )


def _failed(findings: list[Finding]) -> str:
    """Links to what was not reproduced: the first thing that a reader wants to see."""
    links = [
        f"<a href='#{escape(f.claim.id)}'>{escape(_sentence(f.claim.what))}</a> ({f.claim.where}): "
        f"{escape(f.ours)}, theirs {escape(str(f.claim.theirs))}"
        for f in findings
        if f.verdict == NOT_REPRODUCED
    ]
    items = "".join(f"<li>{link}</li>" for link in links)
    return f"<p>Not reproduced:</p><ul>{items}</ul>" if links else ""


def _setting(bench: Bench, progress: Progress) -> str:
    budget = "in minutes, with fewer images and smaller dictionaries where a row says so"
    words = budget if bench.budget == QUICK else "under the paper's own conditions"
    machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return escape(
        f"Budget {bench.budget}: {words}. Measured in {progress.seconds:.0f} s on {machine}, "
        f"workbench {__version__}."
    )


def _grouped(findings: Iterable[Finding]) -> list[tuple[str, list[Finding]]]:
    """By table or figure, in the paper's order."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.claim.where, []).append(finding)
    return list(groups.items())


def _table(where: str, findings: list[Finding]) -> str:
    rows = "".join(_row(finding) for finding in findings)
    return (
        f"<h2>{escape(where)}</h2><table><colgroup><col class='c1'><col class='c2'><col class='c3'>"
        "<col class='c3'><col class='c4'></colgroup><thead><tr><th>Verdict</th><th>Claim and "
        "conditions</th><th>Theirs</th><th>Ours</th><th>Tolerance, and how far</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>"
    )


def _row(finding: Finding) -> str:
    claim, verdict = finding.claim, finding.verdict
    ours = escape(finding.ours) or "<span class='quiet'>–</span>"
    run = f"<p class='quiet mono'>run {finding.fingerprint[:16]}</p>" if finding.fingerprint else ""
    return (
        f"<tr id='{escape(claim.id)}'><td class='{_CLASSES[verdict]}'>"
        f"<span class='mark'>{MARKS[verdict]}</span> {verdict}</td>"
        f"<td>{_statement(claim)}{_small(claim.conditions)}</td>"
        f"<td class='number'>{escape(str(claim.theirs))}</td>"
        f"<td class='number'>{ours}{_small(finding.conditions)}{run}</td>"
        f"<td>{escape(_sentence(finding.why))}{_small(claim.tolerance)}</td></tr>"
    )


def _statement(claim: Claim) -> str:
    return f"{escape(_sentence(claim.what))} <code>{escape(claim.id)}</code>"


def _small(text: str) -> str:
    return f"<p class='quiet'>{escape(text)}</p>" if text else ""


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


_STYLE = """
:root { color-scheme: light; --ink: #22252b; --quiet: #6b7078; --line: #e3e6ea; --yes: #1f7a4d;
  --no: #a83a1f; --ground: #ffffff; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1200px; margin: 0 auto; padding: 56px 32px 80px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 8px; letter-spacing: -0.01em; }
h2 { font-size: 16px; margin: 48px 0 8px; }
p { margin: 0 0 8px; }
.quiet { color: var(--quiet); }
.mono, code { font-family: ui-monospace, "SF Mono", Consolas, "DejaVu Sans Mono", monospace;
  font-size: 12px; }
a { color: inherit; text-decoration-color: var(--quiet); text-underline-offset: 2px; }
code { color: var(--quiet); white-space: nowrap; }
.totals { list-style: none; display: flex; gap: 40px; margin: 32px 0; padding: 24px 0;
  border: solid var(--line); border-width: 1px 0; }
.totals b { display: block; font-size: 32px; line-height: 1.1; font-weight: 600;
  font-variant-numeric: tabular-nums; }
.yes { color: var(--yes); } .no { color: var(--no); } .open { color: var(--quiet); }
table { width: 100%; border-collapse: collapse; table-layout: fixed; }
.c1 { width: 148px; } .c2 { width: 29%; } .c3 { width: 15%; }
th { text-align: left; font-weight: 500; font-size: 12px; color: var(--quiet);
  border-bottom: 1px solid var(--line); padding: 8px 16px 8px 0; }
td { vertical-align: top; border-bottom: 1px solid var(--line); padding: 12px 16px 8px 0;
  overflow-wrap: anywhere; }
td p { font-size: 13px; line-height: 1.4; margin: 2px 0 4px; font-variant-numeric: normal; }
td.number { font-variant-numeric: tabular-nums; }
.mark { display: inline-block; width: 16px; font-weight: 700; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(440px, 1fr));
  gap: 40px 48px; align-items: start; }
figure { margin: 0; break-inside: avoid; }
figure svg { max-width: 100%; height: auto; display: block; }
figcaption { color: var(--quiet); font-size: 13px; max-width: 70ch; margin-top: 8px; }
@media print {
  main { max-width: none; padding: 0; } body { font-size: 11px; }
  tr, h2 { break-inside: avoid; } h2 { break-after: avoid; } td p { font-size: 10px; }
  @page { margin: 16mm; }
}
"""

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title: claims recomputed</title>
<style>$style</style>
</head>
<body>
<main>
<h1>$title</h1>
<p class="quiet">$reference</p>
<ul class="totals">$totals</ul>
<p>$setting</p>
<p class="quiet">Reproduced: inside the tolerance that its row names and gives a reason for, and
measured with what agrees with the paper's equations. Not reproduced: measured, and one of the two
fails. Not run: data, weights, time or comparability are missing; what was measured all the same
stands beside it.</p>
$failed
$tables
<h2>Figures</h2>
<div class="figures">$figures</div>
</main>
</body>
</html>
"""
