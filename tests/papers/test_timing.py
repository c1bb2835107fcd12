"""Time by stage, with a small backbone and a small network."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.papers.conftest import LCA, NETWORKS, claim_of, digits, found
from workbench.engine.experiment import Cancelled
from workbench.papers.claims import NOT_REPRODUCED, NOT_RUN, REPRODUCED, Bench, Printed
from workbench.papers.timing import Bottleneck, StageTime, Timing

TIMING = Timing("squeezenet1_1", 256, 20_000, 2, digits(time_constant=100.0, steps=100))
BOTTLENECK = claim_of(Bottleneck(TIMING, TIMING), "most of the time")


@pytest.fixture
def quick_features(monkeypatch):
    """A backbone that takes 5 ms, whatever else the machine does."""
    monkeypatch.setattr(Timing, "_features", lambda self, bench: iter([0.005] * self.samples))


def test_the_network_is_the_bottleneck(quick_features):
    finding = found(BOTTLENECK)
    assert finding.verdict == REPRODUCED, finding.why
    assert "2 samples" in finding.conditions


def test_a_network_that_does_nothing_is_no_bottleneck(quick_features, monkeypatch):
    monkeypatch.setattr(LCA, "step", lambda self, state: state)
    assert found(BOTTLENECK).verdict == NOT_REPRODUCED


@pytest.mark.parametrize("broken", NETWORKS, indirect=True)
def test_a_wrong_network_is_no_bottleneck_however_long_it_takes(quick_features, broken):
    small = replace(TIMING, neurons=4000, samples=1)
    finding = found(claim_of(Bottleneck(small, small), "most of the time"))
    assert finding.verdict == NOT_REPRODUCED and "not that of the paper" in finding.why


def test_the_milliseconds_of_other_machines_are_shown_beside_ours_and_not_judged():
    finding = found(claim_of(StageTime("features", TIMING, TIMING), Printed("138", "ms")))
    assert finding.verdict == NOT_RUN and finding.ours.endswith(" ms")
    assert float(finding.ours.removesuffix(" ms")) > 0.5


def test_neurons_do_fire_while_the_time_is_taken(quick_features):
    steps = TIMING.do(Bench(Path("nowhere")))
    with pytest.raises(StopIteration) as end:
        while True:
            next(steps)
    assert 50 < end.value.value.result.firing < 10_000


def test_it_can_be_cancelled(quick_features):
    bench = Bench(Path("nowhere"), cancelled=lambda: True)
    with pytest.raises(Cancelled):
        list(replace(TIMING, samples=1).do(bench))
