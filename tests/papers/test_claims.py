"""The vocabulary of claims, and the claims of D-SELD as data."""

import subprocess
import sys
from pathlib import Path

import pytest

from workbench.errors import InputError
from workbench.papers import PAPERS
from workbench.papers.claims import BUDGETS, Printed, counts, needs_of
from workbench.papers.counting import Operations

ROOT = Path(__file__).resolve().parents[2]
PAPER = PAPERS["dseld"]


@pytest.mark.parametrize(
    ("text", "same", "other"),
    [("2.21", 2.2098, 2.2151), ("3.2", 3.1988, 3.26), ("40", 40.4, 41), ("92.00", 92.004, 92.01)],
)
def test_a_printed_number_is_as_exact_as_its_digits(text, same, other):
    assert Printed(text).same_digits(same)
    assert not Printed(text).same_digits(other)


def test_what_is_no_number_has_no_digits_in_common_with_one():
    assert not Printed("1.0").same_digits(float("nan"))
    assert not Printed("1.0").same_digits(float("inf"))


def test_a_number_reads_with_its_unit():
    assert (str(Printed("0.4", "%")), str(Printed("40"))) == ("0.4 %", "40")


def test_ids_are_unique_and_every_claim_says_all_that_a_reader_needs():
    ids = [claim.id for claim in PAPER.claims]
    assert len(set(ids)) == len(ids)
    for claim in PAPER.claims:
        assert claim.what and claim.where and claim.conditions and claim.tolerance, claim.id
        assert (claim.measure is None) == bool(claim.unmeasured), claim.id


def test_every_table_and_figure_of_results_is_there():
    places = {claim.where for claim in PAPER.claims}
    assert places >= {f"Table {n}" for n in (1, 3, 4, 5, 6)} | {f"Figure {n}" for n in range(2, 8)}


@pytest.mark.parametrize(
    ("claim", "theirs"),
    [
        ("table1/random/mse", "675.3"),
        ("table1/exemplar/iterations", "6"),
        ("table3/mnist/max", "93.93 %"),
        ("table3/imagenet/efficientnet_v2_s/perceptron", "21.49 %"),
        ("table4/960/k10", "0.29 GFLOPs"),
        ("table5/m1/lca", "4689.7 ms"),
        ("table6/cifar100/resnet50", "74.98 %"),
        ("table6/quoted/dspike/imagenet", "71.24 %"),
        ("variant/cifar100", "74.26 %"),
    ],
)
def test_numbers_stand_as_the_paper_prints_them(claim, theirs):
    assert str(PAPER.chosen(claim)[0].theirs) == theirs


def test_claims_are_chosen_by_id_or_by_how_they_begin():
    assert len(PAPER.chosen(None)) == len(PAPER.claims)
    assert [c.id for c in PAPER.chosen("table3/mnist/sum")] == ["table3/mnist/sum"]
    assert len(PAPER.chosen("table3")) == 15
    with pytest.raises(InputError, match="'tabel3': dseld has no such claim; ids start"):
        PAPER.chosen("tabel3")


def test_a_claim_names_the_data_and_weights_it_needs():
    (claim,) = PAPER.chosen("table3/cifar100/sum")
    assert claim.needs == ("cifar100", "weights of resnet152") == needs_of(claim.document)
    assert PAPER.chosen("table4/2048/k100")[0].needs == ()


def test_the_sessions_behind_claims_are_the_papers_own_conditions():
    for claim in PAPER.claims:
        document = claim.document
        if document is None or claim.where in ("Table 1", "Figure 3", "Figure 4", "Text"):
            continue
        system = document.system
        assert (system["threshold"], system["time_constant"], system["steps"]) == (2.0, 100.0, 100)
        if document.data.dataset != "mnist":
            assert document.dictionary.atoms == 50_000


def test_the_quick_budget_never_judges_a_number_under_other_conditions():
    for claim in PAPER.claims:
        if claim.where != "Table 3" or not claim.measure.works("quick"):
            continue
        (quick,), (full,) = (claim.measure.works(budget) for budget in BUDGETS)
        same = quick.document.dictionary == full.document.dictionary
        assert same or claim.measure.other, claim.id


def test_operations_need_no_work_in_any_budget():
    counted = [c for c in PAPER.claims if isinstance(c.measure, Operations)]
    assert len(counted) == 15
    assert not any(claim.measure.works(budget) for claim in counted for budget in BUDGETS)


def test_findings_are_counted_by_verdict():
    claim = PAPER.claims[0]
    found = [claim.judged(True, ""), claim.judged(False, ""), claim.not_run("")]
    assert counts(found) == {"reproduced": 1, "not reproduced": 1, "not run": 1}


def test_claims_are_read_without_torch():
    code = "import sys; import workbench.papers; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, timeout=60)
    assert found.stdout.strip() == b"False", found.stderr
