"""Claims about accuracy and firing: they hold for a right model, and fail for wrong ones."""

from pathlib import Path

import pytest

from tests.papers.conftest import ATOMS, BREAKS, NETWORKS, TESTS, claim_of, digits, found
from workbench.coding import perceptron
from workbench.papers.claims import NOT_REPRODUCED, NOT_RUN, QUICK, REPRODUCED, Bench, Printed
from workbench.papers.coding import (
    Accuracy,
    Coding,
    Drawn,
    MeanFiring,
    OnePeak,
    Rise,
    prepared,
    some_of,
)

WHOLE = Coding(digits())
SUM = claim_of(Accuracy("sum", WHOLE, WHOLE, tests=TESTS), Printed("97.2", "%"))
MAX = claim_of(Accuracy("max", WHOLE, WHOLE, tests=TESTS), Printed("97.8", "%"))
TRAINED = Coding(digits(codes=400))
LAYER = claim_of(Accuracy("perceptron", TRAINED, TRAINED, tests=TESTS), Printed("97.2", "%"))
SIZES = tuple(Coding(digits(size)) for size in (20, 40, 80, 160))
RISE = claim_of(Rise("sum", SIZES, SIZES))
PEAK = claim_of(OnePeak(WHOLE, WHOLE))
FIRING = claim_of(MeanFiring(WHOLE), Printed("1.5", "%"))
RUN = [*NETWORKS, *ATOMS]  # what every number of a run depends on


@pytest.mark.parametrize("claim", [SUM, MAX, LAYER, RISE, PEAK, FIRING])
def test_a_right_model_reproduces_each_kind_of_claim(claim):
    finding = found(claim)
    assert finding.verdict == REPRODUCED, finding.why
    assert finding.ours and finding.conditions


@pytest.mark.parametrize("broken", BREAKS, indirect=True)
@pytest.mark.parametrize("claim", [SUM, RISE], ids=["sum", "rise"])
def test_a_wrong_model_reproduces_no_accuracy(claim, broken):
    finding = found(claim)
    assert finding.verdict == NOT_REPRODUCED, f"{finding.ours}: {finding.why}"


@pytest.mark.parametrize("broken", RUN, indirect=True)
@pytest.mark.parametrize("claim", [MAX, PEAK, FIRING], ids=["max", "peak", "mean"])
def test_a_wrong_model_reproduces_no_max_and_no_firing(claim, broken):
    finding = found(claim)
    assert finding.verdict == NOT_REPRODUCED, f"{finding.ours}: {finding.why}"


def test_a_wrong_sum_says_nothing_of_the_other_decoder(monkeypatch):
    BREAKS["sum without abs"](monkeypatch)
    assert found(MAX).verdict == REPRODUCED


@pytest.mark.parametrize("broken", RUN, indirect=True)
def test_a_wrong_model_reproduces_no_perceptron(broken):
    few = Coding(digits(200, codes=40), 40)  # quick: what is wrong is seen before it is trained
    finding = found(claim_of(Accuracy("perceptron", few, tests=TESTS), Printed("90", "%")))
    assert finding.verdict == NOT_REPRODUCED, f"{finding.ours}: {finding.why}"


def test_a_perceptron_that_learned_other_classes_reproduces_nothing(monkeypatch):
    right = perceptron.train
    monkeypatch.setattr(
        perceptron, "train", lambda codes, labels, *more: right(codes, labels.roll(1), *more)
    )
    assert found(LAYER).verdict == NOT_REPRODUCED


def test_the_nearest_exemplar_classifies_well_but_is_no_network(monkeypatch):
    BREAKS["no inhibition"](monkeypatch)
    finding = found(MAX)
    assert float(finding.ours.removesuffix(" %")) > 95
    assert "where equation (3) gives" in finding.why


def test_a_number_under_other_conditions_is_shown_but_not_judged():
    small = Accuracy("sum", WHOLE, SIZES[0], "20 atoms", TESTS)
    finding = found(claim_of(small, Printed("97.2", "%")), QUICK)
    assert finding.verdict == NOT_RUN and finding.ours.endswith(" %")
    assert "20 atoms; the full budget judges it" in finding.why


def test_what_the_quick_budget_leaves_out_says_so():
    finding = found(claim_of(Accuracy("sum", WHOLE), Printed("97.2", "%")), QUICK)
    assert (finding.verdict, finding.why) == (NOT_RUN, "needs the full budget")


def test_a_decoder_that_is_not_there_is_no_failed_claim():
    finding = found(claim_of(Accuracy("median", SIZES[0]), Printed("97.2", "%")))
    assert (finding.verdict, finding.why) == (NOT_RUN, "nothing was decided by the median decoder")


def test_a_figure_without_numbers_is_measured_and_not_judged():
    finding = found(claim_of(Drawn(SIZES[0])))
    assert finding.verdict == NOT_RUN and "max " in finding.ours and "sum " in finding.ours


def test_fewer_images_allow_more():
    whys = [
        found(claim_of(Accuracy("sum", Coding(digits(), count), tests=TESTS), Printed("97.2", "%")))
        for count in (20, TESTS)
    ]
    allowed = [float(finding.why.rsplit(" ", 1)[1]) for finding in whys]
    assert allowed[0] > 2 * allowed[1]


def test_test_images_are_a_seeded_choice_and_smaller_ones_begin_larger_ones():
    whole = prepared(digits(20), Bench(Path("nowhere")))
    few, more = some_of(whole, 5), some_of(whole, 50)
    assert few == more[:5] and len(set(more)) == 50
    assert more != list(range(50)) and more == some_of(whole, 50)
    assert sorted(some_of(whole, TESTS)) == list(range(TESTS))


def test_codings_of_one_document_are_one_work():
    assert Coding(digits(20)).key == Coding(digits(20)).key
    assert len({Coding(digits(20)).key, Coding(digits(21)).key, Coding(digits(20), 5).key}) == 3
