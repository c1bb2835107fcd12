"""Where a sample stops: by closed form, in a batch as alone, in an evaluation as in the window."""

import math

import numpy as np
import pytest
import torch

from workbench.analysis import optimality
from workbench.engine.convergence import instants, look_steps
from workbench.engine.evaluation import evaluate
from workbench.engine.experiment import Cancelled, prepare
from workbench.engine.recording import Recording
from workbench.engine.results import as_object
from workbench.engine.training_codes import code_training_images
from workbench.errors import InputError
from workbench.systems.lca import LCA
from workbench.systems.protocol import Wiring

ENGINES = ("residual", "lazy")
STOPPING = {"threshold": 2.0, "time_constant": 20.0, "steps": 100}  # most of the digits do


def orthonormal(engine, size=4, **params):
    atoms = torch.eye(size, dtype=torch.float64)
    return LCA(LCA.Params(**params), Wiring(size, atoms, engine=engine))


def stops(system, signals, tolerance):
    """The step at which each sample stops, and whether it had converged."""
    taken, converged = torch.full((len(signals),), -1), torch.zeros(len(signals), dtype=torch.bool)
    for now in instants(system, system.init(signals), len(signals), tolerance):
        stopping = now.rows[now.stopping]
        taken[stopping] = now.step
        if now.certificate is not None:
            converged[stopping] = now.certificate.converged[now.stopping]
    return taken.tolist(), converged.tolist()


def result(experiment, samples=None):
    return list(evaluate(experiment, samples))[-1]


# -- where one looks ------------------------------------------------------------------------------


def test_looks_grow_by_a_quarter_and_end_with_the_last_step():
    assert look_steps(100) == (8, 10, 13, 17, 22, 28, 35, 44, 55, 69, 87, 100)
    assert look_steps(13) == (8, 10, 13)
    assert [look_steps(steps) for steps in (0, 5, 8, 9)] == [(0,), (5,), (8,), (8, 9)]
    assert len(look_steps(1000)) == 22


# -- closed forms ---------------------------------------------------------------------------------


def expected_stop(signal, threshold, ratio, tolerance, steps):
    """One atom φ = 1: u = s (1 − q^k), q = 1 − η; active, the gap is ½ s² q^2k, else ½ (s − λ)²."""
    for step in look_steps(steps):
        left = (1 - ratio) ** step
        active = signal * (1 - left) > threshold
        gap = 0.5 * (signal * left) ** 2 if active else 0.5 * max(signal - threshold, 0.0) ** 2
        if gap <= tolerance * 0.5 * signal**2:
            return step
    return steps


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("tolerance", [0.3, 1e-2, 1e-3, 1e-6])
@pytest.mark.parametrize("time_constant", [3.0, 10.0, 80.0])
def test_a_single_atom_stops_where_its_closed_form_says(engine, tolerance, time_constant):
    system = orthonormal(engine, 1, threshold=1.0, time_constant=time_constant, steps=150)
    signals = torch.tensor([[0.5], [1.05], [1.5], [3.0], [40.0]], dtype=torch.float64)
    taken, _ = stops(system, signals, tolerance)
    settings = (1.0, 1 / time_constant, tolerance, 150)
    assert taken == [expected_stop(s, *settings) for s in signals[:, 0].tolist()]


@pytest.mark.parametrize("engine", ENGINES)
def test_on_an_orthonormal_dictionary_each_sample_stops_at_its_own_known_step(engine):
    """Along one axis the relative gap is q^2k: 0.9^2k ≤ 1e-3 from k = 33 on, seen at step 35."""
    system = orthonormal(engine, threshold=1.0, time_constant=10.0, steps=100)
    signals = torch.tensor([[9.0, 0, 0, 0], [0, 0.5, 0, 0], [0, 0, 7.0, 0], [0, 0, 0, 0]])
    assert stops(system, signals, 1e-3) == ([35, 8, 35, 8], [True] * 4)
    assert stops(system, signals, None)[0] == [100] * 4


def test_slow_dynamics_are_not_taken_for_converged():
    """u moves by 1e-4 of the way in a step, and is far from the end of it."""
    system = orthonormal("residual", 1, threshold=0.1, time_constant=1e4, steps=200)
    assert stops(system, torch.ones(1, 1), 1e-3) == ([200], [False])


def test_the_excess_is_what_the_energy_can_be_too_high_in_parts_of_the_lowest():
    system = orthonormal("residual", 1, threshold=1.0, time_constant=4.0, steps=12)
    state = system.init(torch.tensor([[3.0]]))
    for _ in range(12):
        state = system.step(state)
    lowest = 1.0 * 3.0 - 0.5  # λs − ½λ²
    gap = 0.5 * 9 * 0.75**24
    certificate = optimality.certify(system.lasso(state))
    assert float(certificate.gap) == pytest.approx(gap)
    assert float(certificate.excess) == pytest.approx(gap / lowest)
    assert float(certificate.energy) == pytest.approx(lowest + gap)
    silent = system.lasso(system.init(torch.tensor([[0.0], [5.0]])))
    excess = optimality.certify(silent).excess.tolist()
    assert excess[0] == 0 and excess[1] == pytest.approx((5 - 1) ** 2 / (2 * 5 - 1))


# -- in a batch as alone --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["lca", "lca lazy"])
def test_stopping_in_a_batch_is_stopping_alone(prepared, kind):
    experiment = prepared(kind, **STOPPING, run=_run(kind, tolerance=0.01))
    found = result(experiment, 24)
    assert 1 < len(found.unconverged) < 23 and len(set(found.steps_taken)) > 3
    alone = [result(experiment, [sample]) for sample in range(24)]
    assert found.steps_taken.tolist() == [int(one.steps_taken[0]) for one in alone]
    assert found.unconverged == tuple(i for one in alone for i in one.unconverged)
    for term, values in found.energy.items():
        assert values == pytest.approx(np.mean([one.energy[term] for one in alone], 0), rel=1e-5)
    counts = np.mean([one.firing_counts for one in alone], 0)
    assert found.firing_counts == pytest.approx(counts, abs=0.05)
    assert found.duality_gap == pytest.approx(np.mean([o.duality_gap for o in alone]), rel=1e-3)
    for decoder, confusion in found.confusion.items():
        assert np.array_equal(confusion, sum(one.confusion[decoder] for one in alone))


@pytest.mark.parametrize("kind", ["lca", "lca lazy"])
def test_a_stopped_sample_keeps_its_last_values_and_the_fingerprint_of_its_run(prepared, kind):
    experiment = prepared(kind, **STOPPING, run=_run(kind, tolerance=0.01))
    taken = result(experiment, 24).steps_taken
    sample = int(np.argmin(taken))
    found, stop = result(experiment, [sample]), int(taken[sample])
    assert 8 <= stop < 100
    state = experiment.initial([sample])
    recording = Recording(experiment.system, state)
    for _ in range(stop):
        state = recording.advance(state)
    assert found.fingerprint == recording.digest(stop)
    total = recording.summary("energy")[:, 2]
    assert np.array_equal(found.energy["total"][: stop + 1], total.astype(float))
    assert (found.energy["total"][stop:] == float(total[-1])).all()
    assert (found.firing_counts[stop:] == found.firing_counts[stop]).all()


def test_who_has_not_converged_is_who_is_above_the_tolerance_at_the_last_step(prepared):
    experiment = prepared(**STOPPING, run={"tolerance": 0.01, "batch": 10})
    found = result(experiment, [50, 3, 7, 200, *range(60, 80)])
    assert 0 < len(found.unconverged) < 24
    for sample in (50, 3, 7, 200):
        state = experiment.initial([sample])
        seen = []
        for step in range(101):
            if step in look_steps(100):
                seen.append(bool(optimality.converged(experiment.system.lasso(state), 0.01)))
            state = experiment.system.step(state)
        assert (sample in found.unconverged) is not any(seen)
    assert found.converged_fraction == 1 - len(found.unconverged) / 24


def test_without_a_tolerance_nothing_stops_and_nobody_is_named(prepared):
    found = result(prepared(steps=30), 10)
    assert found.unconverged is None and found.steps_taken is None
    tight = result(prepared(steps=30, run={"tolerance": 1e-12}), 10)
    assert tight.unconverged == tuple(range(10)) and set(tight.steps_taken) == {30}
    assert tight.fingerprint == found.fingerprint
    assert np.array_equal(tight.energy["total"], found.energy["total"])
    assert tight.accuracy == found.accuracy and tight.duality_gap == found.duality_gap


def test_those_that_stop_leave_the_batch(prepared, monkeypatch):
    experiment = prepared(**STOPPING, run={"tolerance": 0.01})
    sizes = []
    step = LCA.step

    def counted(system, state):
        sizes.append(len(state.signal))
        return step(system, state)

    monkeypatch.setattr(LCA, "step", counted)
    found = result(experiment, 40)
    assert sum(sizes) == found.steps_taken.sum() < 40 * 100
    assert sizes == sorted(sizes, reverse=True)


def test_it_is_called_off_between_two_steps():
    system = orthonormal("residual", threshold=1.0)
    asked = iter([False] * 5 + [True])
    with pytest.raises(Cancelled):
        list(instants(system, system.init(torch.ones(1, 4)), 1, 0.1, lambda: next(asked)))


def test_training_images_stop_as_test_images_do(prepared):
    section = {"kind": "perceptron", "samples": 20}
    experiment = prepared(**STOPPING, run={"tolerance": 0.05}, decoder=section)
    last = list(code_training_images(experiment))[-1]
    whole = prepared(**STOPPING, decoder=section)
    longer = list(code_training_images(whole))[-1]
    apart = abs(last.codes - longer.codes).max()
    assert last.codes.shape == longer.codes.shape == (20, 150)
    assert 0 < apart < 1.0


# -- what is told, and what is refused ------------------------------------------------------------


def test_results_name_the_unconverged_only_where_a_tolerance_is_set(prepared):
    experiment = prepared(**STOPPING, run={"tolerance": 0.01})
    evaluation = result(experiment, 30)
    certificate = as_object(evaluation, experiment)["certificate"]
    assert list(certificate) == ["duality_gap", "converged_fraction", "unconverged", "steps"]
    assert certificate["unconverged"] == list(evaluation.unconverged) != []
    taken = evaluation.steps_taken
    assert certificate["steps"] == {"mean": taken.mean(), "max": 100}
    assert math.isclose(certificate["converged_fraction"], 1 - len(certificate["unconverged"]) / 30)


@pytest.mark.parametrize("change", [{"transfer": "hard"}, {"kind": "lif"}])
def test_a_tolerance_is_refused_in_one_line_where_nothing_can_be_proved(document, change):
    system = {"kind": "lca"} | change
    asked = document().changed(system=system, run={"tolerance": 0.01})
    with pytest.raises(InputError, match=r"^run.tolerance = 0.01: must be null here; .*Lasso") as e:
        prepare(asked)
    assert "\n" not in str(e.value)


def test_a_tolerance_must_be_above_0(document):
    for wrong in (0, -1, "much"):
        with pytest.raises(InputError, match="run.tolerance = .*: must be a number above 0 or nul"):
            document().with_value("run.tolerance", wrong)


def _run(kind, **changes):
    return {"engine": "lazy" if kind == "lca lazy" else "residual"} | changes
