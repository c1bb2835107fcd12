"""The ledger of a run: where it is against the optimum, at every step."""

import numpy as np
import pytest

from workbench.analysis import optimality
from workbench.engine.ledger import MOST_STEPS, Ledger, ledger
from workbench.engine.recording import Recording


@pytest.fixture
def ran(prepared):
    def make(*kind, steps=40, **changes):
        experiment = prepared(*kind, **changes)
        state = experiment.initial([0])
        recording = Recording(experiment.system, state)
        for _ in range(steps):
            state = recording.advance(state)
        return recording

    return make


def kept(recording, entries=True, before=None, running=lambda: False, stop=lambda: False):
    before = before or Ledger(recording, recording.course_start)
    return list(ledger(before, 1e-3, entries, running, stop))


@pytest.mark.parametrize("kind", ["lca", "lca lazy"])
def test_every_step_is_in_it_with_its_certificate(ran, kind):
    recording = ran(kind)
    steps, entries = kept(recording)[-1].rows()
    assert steps.tolist() == list(range(41))
    for step in (0, 13, 40):
        lasso = recording.observer(step).lasso(recording.state(step))
        assert entries[step].gap == pytest.approx(float(optimality.duality_gap(lasso)), abs=1e-9)
        assert entries[step].energy == pytest.approx(recording.summary("energy")[step, 2], rel=1e-5)


def test_steps_under_the_hard_threshold_solve_no_lasso_and_end_the_looking_all_the_same(
    ran, prepared
):
    before = ran("lca", steps=10, transfer="hard")
    turned = before.fork(10, before.system.with_params(prepared("lca").system.params))
    for _ in range(10):
        turned.advance(turned.state(turned.head))
    found = []
    for known in ledger(Ledger(turned, 11), 1e-3, True, lambda: False, lambda: False):
        found.append(known)
        assert len(found) <= 22  # the optimum and 21 steps
    steps, entries = found[-1].rows()
    assert steps.tolist() == list(range(21)) and found[-1].complete
    assert [np.isfinite(entry.gap) for entry in entries] == [False] * 11 + [True] * 10


def test_the_energy_is_between_the_optimum_and_the_optimum_plus_the_gap(ran):
    found = kept(ran(steps=400))[-1]
    silence = found.entries[0].energy
    for entry in found.entries.values():
        above = entry.energy - found.optimum.energy
        assert -1e-6 * silence <= above <= entry.gap + found.optimum.gap + 1e-6 * silence
    assert found.entries[400].violation < 0.01 * found.entries[0].violation


def test_the_optimum_comes_first_and_alone_if_no_more_is_asked_for(ran):
    recording = ran()
    (alone,) = kept(recording, entries=False)
    assert alone.optimum is not None and not alone.entries
    first = kept(recording)[0]
    assert first.optimum.energy == alone.optimum.energy
    later = kept(recording, before=alone)  # what is known is not looked for again
    assert later[0].optimum is alone.optimum and len(later) == 41


def test_of_a_long_run_evenly_spread_steps_are_looked_at(ran):
    steps, _ = kept(ran(steps=1500))[-1].rows()
    assert len(steps) == MOST_STEPS and (steps[0], steps[-1]) == (0, 1500)
    assert np.diff(steps).max() <= 2 * np.diff(steps).min() + 1


def test_a_run_that_has_begun_has_one_entry_and_it_can_be_called_off(ran):
    assert len(kept(ran(steps=0))[-1].entries) == 1
    assert kept(ran(), stop=lambda: True)[-1].entries == {}


def test_without_a_lasso_there_is_nothing_to_tell(ran):
    assert kept(ran("lif")) == [] == kept(ran(transfer="hard"))
