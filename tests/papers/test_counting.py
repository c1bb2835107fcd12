"""Operation counts: the printed digits, and that they follow from counting."""

import pytest

from tests.papers.conftest import claim_of, digits, found
from workbench.analysis import workload
from workbench.papers import PAPERS
from workbench.papers.claims import NOT_REPRODUCED, NOT_RUN, REPRODUCED, Printed
from workbench.papers.coding import Coding
from workbench.papers.counting import MeasuredOperations, Operations

CLAIMS = [c for c in PAPERS["dseld"].claims if isinstance(c.measure, Operations)]
CUT_OFF = "table4/960/k10"  # 0.29645 rounds to 0.30; the paper prints 0.29

# Each is wrong by so little that the digits printed do not show it.
WRONG_INFERENCES = {
    "2N for 2N − 1": lambda n, m, k, f: 2 * n * m + k * (2 * m * f + m),
    "no M a step": lambda n, m, k, f: (2 * n - 1) * m + k * 2 * m * f,
    "drive at each step": lambda n, m, k, f: k * ((2 * n - 1) * m + 2 * m * f + m),
    "one side only": lambda n, m, k, f: (2 * n - 1) * m + k * (m * f + m),
}
WRONG_GRAMIANS = {
    "2N for 2N − 1": lambda n, m: m * (m + 1) * n,
    "not symmetric": lambda n, m: m * m * (2 * n - 1),
    "no diagonal": lambda n, m: m * (m - 1) // 2 * (2 * n - 1),
}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_every_count_is_what_the_paper_prints_but_one(claim):
    finding = found(claim)
    expected = NOT_REPRODUCED if claim.id == CUT_OFF else REPRODUCED
    assert finding.verdict == expected, finding.why


@pytest.mark.parametrize("wrong", WRONG_INFERENCES)
def test_a_wrong_formula_of_an_inference_reproduces_nothing(monkeypatch, wrong):
    monkeypatch.setattr(workload, "sparse_inference", WRONG_INFERENCES[wrong])
    claims = [claim for claim in CLAIMS if claim.measure.steps]
    assert {found(claim).verdict for claim in claims} == {NOT_REPRODUCED}


@pytest.mark.parametrize("wrong", WRONG_GRAMIANS)
def test_a_wrong_formula_of_the_gramian_reproduces_nothing(monkeypatch, wrong):
    monkeypatch.setattr(workload, "gramian", WRONG_GRAMIANS[wrong])
    claims = [claim for claim in CLAIMS if not claim.measure.steps]
    assert {found(claim).verdict for claim in claims} == {NOT_REPRODUCED}


def test_another_size_is_another_number():
    assert found(claim_of(Operations(2047, 50_000), Printed("5.12", "TFLOPs"))).verdict == (
        REPRODUCED
    )
    assert found(claim_of(Operations(2040, 50_000), Printed("5.12", "TFLOPs"))).verdict == (
        NOT_REPRODUCED
    )


def test_the_measured_number_of_firing_neurons_is_shown_not_judged():
    coding = Coding(digits(160))
    finding = found(claim_of(MeasuredOperations(coding, coding)))
    assert finding.verdict == NOT_RUN and "M̂ = 7" in finding.ours
    assert "of equation (11)" in finding.why and finding.fingerprint
