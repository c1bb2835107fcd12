"""Recomputing claims: work that is shared, refused, absent or called off."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.papers.conftest import claim_of, digits
from workbench.engine.experiment import Cancelled
from workbench.errors import InputError
from workbench.papers import PAPERS
from workbench.papers.claims import FULL, NOT_RUN, QUICK, REPRODUCED, Bench, Claim, Guarded
from workbench.papers.coding import Accuracy, Coding
from workbench.papers.run import expected, plan, reproduce

DONE = []  # the keys of works done in a test


@pytest.fixture(autouse=True)
def forget():
    DONE.clear()


@dataclass(frozen=True)
class Counting:
    """A work that counts how often it is done, or is refused, or asks whether to stop."""

    key: tuple
    refuses: bool = False
    seconds: float = 10.0
    documents: tuple = ()

    @property
    def title(self):
        return f"work {self.key[0]}"

    def do(self, bench):
        DONE.append(self.key)
        for step in range(4):
            if bench.cancelled():
                raise Cancelled
            if self.refuses:
                raise InputError("the disk is on fire")
            yield step / 4
        return Guarded(self.key)


@dataclass(frozen=True)
class Needing:
    """A measure that needs some works and finds what they gave."""

    needed: tuple
    document: None = None

    def works(self, budget):
        return self.needed

    def find(self, claim, results, budget):
        return claim.judged(results == [work.key for work in self.needed], f"{results}")


ONE, OTHER, REFUSED = Counting((1,)), Counting((2,)), Counting((3,), refuses=True)


def named(name, *works) -> Claim:
    return claim_of(Needing(works), name=name)


def run(claims, **more):
    return list(reproduce(claims, Bench(Path("nowhere"), FULL, **more)))


def test_a_work_that_several_claims_need_is_done_once():
    last = run([named("a", ONE), named("b", ONE, OTHER), named("c", OTHER)])[-1]
    assert DONE == [(1,), (2,)]
    assert [finding.verdict for finding in last.findings] == [REPRODUCED] * 3
    assert set(last.results) == {(1,), (2,)}


def test_findings_come_as_soon_as_their_works_are_done():
    steps = run([named("last", OTHER, ONE), named("none"), named("first", OTHER)])
    counts = [len(progress.findings) for progress in steps]
    assert counts[0] == 1 and counts[-1] == 3 and counts == sorted(counts)
    assert [f.claim.id for f in steps[-1].findings] == ["none", "first", "last"]


def test_what_a_work_refuses_is_not_run_and_the_others_go_on():
    last = run([named("a", REFUSED), named("b", ONE), named("c", ONE, REFUSED)])[-1]
    found = {finding.claim.id: (finding.verdict, finding.why) for finding in last.findings}
    assert found["a"] == found["c"] == (NOT_RUN, "the disk is on fire")
    assert found["b"][0] == REPRODUCED and (3,) not in last.results


def test_time_left_falls_to_nothing():
    steps = run([named("a", ONE), named("b", OTHER)])
    assert steps[0].seconds_left == pytest.approx(20)
    assert steps[-1].seconds_left == 0 and steps[-1].seconds > 0
    assert {step.doing for step in steps} == {"", "work 1", "work 2"}


def test_it_can_be_called_off():
    asked = []

    def cancelled():
        asked.append(True)
        return len(asked) > 2

    steps = reproduce([named("a", ONE)], Bench(Path("nowhere"), FULL, cancelled=cancelled))
    with pytest.raises(Cancelled):
        list(steps)
    assert len(asked) == 3


def test_what_is_done_is_told():
    told = []
    run([named("a", ONE), named("b", OTHER)], report=told.append)
    assert told == ["work 1", "work 2"]


def test_absent_data_is_named_before_any_work(tmp_path):
    claims = PAPERS["dseld"].chosen("table3")
    bench = Bench(tmp_path, QUICK)
    assert plan(claims, bench) == [] and expected(claims, bench) == 0
    *_, last = reproduce(claims, bench)
    whys = {finding.claim.id: finding.why for finding in last.findings}
    assert {finding.verdict for finding in last.findings} == {NOT_RUN}
    assert whys["table3/mnist/sum"] == "needs mnist"
    assert whys["table3/cifar100/sum"].startswith("needs cifar100")
    assert whys["table3/cifar100/sum"].endswith("and the full budget")


def test_what_others_report_is_quoted_and_never_judged():
    *_, last = reproduce(PAPERS["dseld"].chosen("table6/quoted"), Bench(Path("nowhere"), FULL))
    assert len(last.findings) == 11
    assert {(f.verdict, f.why) for f in last.findings} == {
        (NOT_RUN, "quoted from others; not ours to recompute")
    }


def test_one_evaluation_serves_all_claims_about_the_complete_dictionary(shared_data):
    claims = [
        claim
        for prefix in ("table3/mnist/max", "table3/mnist/sum", "fig7/mnist", "table4/mnist", "fig5")
        for claim in PAPERS["dseld"].chosen(prefix)
    ]
    works = plan(claims, Bench(shared_data, QUICK))
    assert len(works) == 5  # one for each size of the dictionary


def test_a_dataset_is_read_once_for_several_codings(monkeypatch):
    from workbench.data import datasets

    loaded = []
    right = datasets.load
    monkeypatch.setattr(datasets, "load", lambda *a: loaded.append(1) or right(*a))
    codings = [Coding(digits(size)) for size in (20, 40)]
    claims = [claim_of(Accuracy("sum", coding), name=coding.title) for coding in codings]
    for claim in claims:
        object.__setattr__(claim, "theirs", PAPERS["dseld"].chosen("table3/mnist/sum")[0].theirs)
    run(claims)
    assert loaded == [1]
