"""Claims about reconstructions, on digits: the dictionary of the dataset against noise."""

import math

import pytest

from tests.papers.conftest import ATOMS, NETWORKS, claim_of, digits, found
from workbench.papers.claims import NOT_REPRODUCED, NOT_RUN, QUICK, REPRODUCED, Printed
from workbench.papers.pictures import (
    Better,
    Measured,
    Reconstruction,
    Within,
    how_near,
    how_soon,
    nearer,
    settled,
    sooner,
)

SYSTEM = {"threshold": 0.1, "time_constant": 100.0, "time_step": 0.25, "steps": 400}
PAIR = tuple(Reconstruction(digits(128, kind, **SYSTEM), "0", 8) for kind in ("exemplar", "random"))
NEARER = claim_of(Better(nearer, how_near, PAIR, PAIR))
SOONER = claim_of(Better(sooner, how_soon, PAIR, PAIR))
MSE = claim_of(Measured("mse", Within(factor=3), PAIR[0], PAIR[0], "128 atoms"), Printed("808"))


@pytest.mark.parametrize("claim", [NEARER, SOONER, MSE], ids=["nearer", "sooner", "mse"])
def test_a_right_model_reproduces_each_kind_of_claim(claim):
    finding = found(claim)
    assert finding.verdict == REPRODUCED, f"{finding.ours}: {finding.why}"


@pytest.mark.parametrize("broken", [*NETWORKS, *ATOMS], indirect=True)
@pytest.mark.parametrize("claim", [NEARER, SOONER, MSE], ids=["nearer", "sooner", "mse"])
def test_a_wrong_model_reproduces_none(claim, broken):
    finding = found(claim)
    assert finding.verdict == NOT_REPRODUCED, f"{finding.ours}: {finding.why}"


@pytest.mark.parametrize(
    ("within", "near", "far"),
    [(Within(factor=3), 31, 29), (Within(difference=0.2), 89.9, 89.7)],
)
def test_a_number_is_near_a_median_however_many_images_there_are(within, near, far):
    assert within.near(near, 90) and not within.near(far, 90)
    assert not within.near(90, math.inf) and not within.near(90, math.nan)


def test_the_quick_budget_shows_a_number_and_judges_it_not():
    finding = found(MSE, QUICK)
    assert finding.verdict == NOT_RUN
    assert "128 atoms; the full budget judges it; ours is" in finding.why


@pytest.mark.parametrize(
    ("energy", "iteration"),
    [
        ([10, 0, 0, 0], 1),
        ([10, 5, 1, 0.4, 0, 0], 3),
        ([10, 0, 3, 0], 3),  # it left again
        ([10, 10, 10], math.inf),
        ([10, 20, 30], math.inf),
        ([10, math.nan, 1], math.inf),
    ],
)
def test_an_energy_has_settled_when_it_stays(energy, iteration):
    assert settled(energy) == iteration
