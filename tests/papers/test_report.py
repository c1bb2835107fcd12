"""The report: one file, whole, without anything from elsewhere."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from tests.papers.conftest import claim_of, digits
from workbench.errors import InputError
from workbench.papers import PAPERS, report
from workbench.papers.claims import QUICK, Bench, Paper, Printed
from workbench.papers.coding import Coding, OnePeak
from workbench.papers.drawing import figures_of
from workbench.papers.pictures import Better, Reconstruction, how_near, nearer
from workbench.papers.run import Progress, reproduce

DSELD = PAPERS["dseld"]
BENCH = Bench(Path("nowhere"), QUICK)


class Tags(HTMLParser):
    """Checks that tags close in order, and collects addresses and ids."""

    EMPTY = ("meta", "col")

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.addresses = [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        if tag not in self.EMPTY:
            self.open.append(tag)
        values = dict(attributes)
        self.ids += [values["id"]] if "id" in values else []
        self.addresses += [values[k] for k in ("href", "src", "xlink:href") if k in values]

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.EMPTY:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def measured():
    """A paper with figures to draw, on digits, and what comes out."""
    system = {"threshold": 0.1, "time_constant": 100.0, "time_step": 1.0, "steps": 20}
    pair = tuple(
        Reconstruction(digits(96, kind, **system), "0", 4) for kind in ("exemplar", "random")
    )
    coding = Coding(digits(96), 40)
    claims = (
        claim_of(Better(nearer, how_near, pair, pair), name="near"),
        claim_of(OnePeak(coding, coding), "<peak> & fall", "peak"),
    )
    *_, progress = reproduce(claims, BENCH)
    return Paper("tiny", "A <tiny> paper", "Nobody & Co.", claims), progress


def test_it_is_one_whole_page_with_nothing_from_elsewhere(measured):
    text = report.page(measured[0], BENCH, measured[1])
    tags = Tags(text)
    assert len(set(tags.ids)) == len(tags.ids)
    outside = [a for a in tags.addresses if not a.startswith(("#", "data:image/png;base64,"))]
    assert not outside
    inside = {address[1:] for address in tags.addresses if address.startswith("#")}
    assert inside <= set(tags.ids)
    assert "<script" not in text and "@import" not in text
    assert not re.search(r"url\((?!#)", text)


def test_what_stands_in_it_is_escaped(measured):
    text = report.page(measured[0], BENCH, measured[1])
    assert "A &lt;tiny&gt; paper" in text and "&lt;peak&gt; &amp; fall" in text


def test_every_figure_is_inside_and_named(measured):
    drawn = list(figures_of(measured[1].results))
    assert [words.partition(",")[0] for _, words in drawn] == [
        "Figure 7", "Figure 3", "Figure 3", "Figure 4", "Figure 4",
    ]  # fmt: skip
    for svg, _ in drawn:
        assert svg.startswith('<svg role="img" aria-label="Figure')


def test_each_row_says_claim_conditions_theirs_ours_tolerance_and_verdict():
    (claim,) = DSELD.chosen("table3/mnist/max")
    finding = claim.judged(False, "+3.2 points", ours="97.1 %", conditions="60000 atoms")
    text = report.page(DSELD, BENCH, Progress((finding,)))
    for words in (claim.id, claim.conditions, str(claim.theirs), claim.tolerance, "97.1 %"):
        assert words in text
    assert "60000 atoms" in text and "+3.2 points" in text and "✗</span> not reproduced" in text
    assert f"<a href='#{claim.id}'>" in text  # what failed is named at the top


def test_rows_come_in_the_order_of_the_paper():
    findings = tuple(claim.not_run("why") for claim in reversed(DSELD.claims))
    text = report.page(DSELD, BENCH, Progress(findings))
    places = [text.index(f"<tr id='{claim.id}'") for claim in DSELD.claims]
    assert places == sorted(places)
    assert f"<b>{len(findings)}</b> not run" in text and "Nothing was measured" in text


def test_a_folder_that_cannot_be_written_to_is_one_line(tmp_path):
    with pytest.raises(InputError, match="not written"):
        report.write(tmp_path / "absent", DSELD, BENCH, Progress())


def test_a_network_that_diverged_can_still_be_drawn(measured):
    from dataclasses import replace

    results = dict(measured[1].results)
    for key, found in results.items():
        if hasattr(found, "energy") and hasattr(found, "mse"):
            results[key] = replace(found, energy=np.full_like(found.energy, np.nan))
    assert len(list(figures_of(results))) == 5


def test_the_claim_of_a_printed_number_shows_its_unit():
    claim = claim_of(None, Printed("0.4", "%"))
    text = report.page(Paper("a", "a", "a", (claim,)), BENCH, Progress((claim.not_run("why"),)))
    assert "0.4 %" in text
