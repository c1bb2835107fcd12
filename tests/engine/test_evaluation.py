"""A whole test set: the numbers against a second computation, and how it is called off."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from workbench.document import load, shipped
from workbench.engine import experiment as experiments
from workbench.engine.evaluation import evaluate
from workbench.engine.experiment import Cancelled
from workbench.engine.recording import Recording
from workbench.errors import InputError


def result(experiment, samples=None):
    """The last evaluation."""
    return list(evaluate(experiment, samples))[-1]


@pytest.fixture(scope="module")
def digits():
    """The shipped example with all 1 437 exemplars, and its evaluation."""
    experiment = experiments.prepare(load(shipped()["digits-exemplar"]))
    return experiment, result(experiment)


def test_the_example_classifies_the_digits(digits):
    _, found = digits
    assert found.done == found.total == 360
    assert found.accuracy["sum"] >= 0.98 and found.accuracy["max"] >= 0.97


def test_energy_is_the_sum_of_its_terms_at_every_step(digits):
    experiment, found = digits
    energy = found.energy
    assert list(energy) == ["reconstruction", "sparsity", "total"]
    assert all(values.shape == (101,) for values in energy.values())
    assert energy["total"] == pytest.approx(energy["reconstruction"] + energy["sparsity"], rel=1e-5)
    silence = 0.5 * experiment.signals(slice(360)).double().square().sum(1).mean()
    assert energy["total"][0] == pytest.approx(float(silence), rel=1e-6)


def test_firing_counts_start_at_0_rise_and_fall(digits):
    _, found = digits
    counts = found.firing_counts
    peak = int(counts.argmax())
    assert counts.shape == (101,) and counts[0] == 0
    assert 0 < peak < 100 and counts[peak] > 2 * counts[-1] > 0
    assert found.active_fraction == pytest.approx(counts.mean() / 1437)


def test_the_confusion_counts_every_image_once(digits):
    experiment, found = digits
    truth = torch.bincount(experiment.dataset.test.labels, minlength=10)
    for name, matrix in found.confusion.items():
        assert matrix.shape == (10, 11) and matrix.sum(1).tolist() == truth.tolist()
        assert found.accuracy[name] == matrix[:, :10].trace() / 360


def test_the_numbers_are_those_of_the_equations_in_another_form(prepared):
    """With the Gramian, neuron by neuron, in float64; evidence and winners counted in loops."""
    experiment = prepared(threshold=0.8)
    found = result(experiment, 12)
    signals = experiment.signals(slice(12)).double().numpy(force=True)
    atoms = experiment.dictionary.atoms.double().numpy()
    labels, truth = experiment.dictionary.labels, experiment.dataset.test.labels
    drive, inhibition = signals @ atoms.T, atoms @ atoms.T - np.eye(len(atoms))
    u = np.zeros_like(drive)
    for step in range(41):
        a = np.where(np.abs(u) >= 0.8, u - 0.8 * np.sign(u), 0)
        error = 0.5 * np.square(signals - a @ atoms).sum(1).mean()
        assert found.energy["reconstruction"][step] == pytest.approx(error, rel=1e-4)
        price = 0.8 * np.abs(a).sum(1).mean()
        assert found.energy["sparsity"][step] == pytest.approx(price, rel=1e-3, abs=1e-6)
        fires = (np.abs(u) >= 0.8).sum(1).mean()
        assert found.firing_counts[step] == pytest.approx(fires, abs=0.1)
        if step < 40:
            u = u + (drive - u - a @ inhibition) / 20
    by_sum, by_max = 0, 0
    for row, label in zip(a, truth[:12].tolist(), strict=True):
        sums = [sum(abs(v) for v, c in zip(row, labels, strict=True) if c == k) for k in range(10)]
        by_sum += int(np.argmax(sums)) == label
        by_max += int(labels[int(row.argmax())]) == label
    assert found.accuracy == {"max": by_max / 12, "sum": by_sum / 12}


@pytest.mark.parametrize("batch", [7, 64, 100])
def test_the_size_of_the_batches_changes_nothing_but_the_last_bits(digits, batch):
    experiment, whole = digits
    document = experiment.asked.with_value("run.batch", batch)
    parts = list(evaluate(experiments.prepare(document, experiment)))
    assert [part.done for part in parts] == [*range(batch, 360, batch), 360]
    found = parts[-1]
    assert found.accuracy == whole.accuracy
    for name, matrix in found.confusion.items():
        assert np.array_equal(matrix, whole.confusion[name])
    for term, values in found.energy.items():
        assert values == pytest.approx(whole.energy[term], rel=1e-5)
    assert found.firing_counts == pytest.approx(whole.firing_counts, abs=0.05)
    assert found.duality_gap == pytest.approx(whole.duality_gap, rel=1e-3)


def test_what_is_known_half_way_is_the_result_for_the_images_done(prepared):
    experiment = prepared(run={"batch": 20})
    first = next(iter(evaluate(experiment, 60)))
    alone = result(experiment, 20)
    assert (first.done, first.total, alone.total) == (20, 60, 20)
    assert first.accuracy == alone.accuracy and first.fingerprint == alone.fingerprint
    assert np.array_equal(first.energy["total"], alone.energy["total"])
    assert first.seconds_left > 0 == alone.seconds_left


def test_results_that_were_handed_out_do_not_change(prepared):
    parts = evaluate(prepared(run={"batch": 20}), 60)
    first = next(parts)
    before = [*first.confusion["sum"].flat, *first.energy["total"], *first.firing_counts]
    list(parts)
    assert before == [*first.confusion["sum"].flat, *first.energy["total"], *first.firing_counts]


@pytest.mark.parametrize("kind", ["lca", "lif", "lif poisson"])
@pytest.mark.parametrize("seed", [0, 1])
def test_one_sample_has_the_fingerprint_of_its_stepped_run(prepared, kind, seed):
    experiment = prepared(kind, data={"seed": seed})
    state = experiment.initial([0])
    recording = Recording(experiment.system, state)
    for _ in range(experiment.steps):
        state = recording.advance(state)
    assert result(experiment, 1).fingerprint == recording.digest(experiment.steps)


def test_the_same_document_has_the_same_fingerprint_and_another_has_another(prepared):
    prints = [result(prepared(**changes), 40).fingerprint for changes in ({}, {}, {"steps": 39})]
    assert prints[0] == prints[1] != prints[2]


def test_exemplars_reconstruct_three_times_better_than_random_atoms(digits):
    """The contrast of the paper's Figure 4, at the same M, N, λ and τ."""
    experiment, _ = digits
    errors = {}
    for kind in ("exemplar", "random"):
        document = experiment.asked.with_value("system.threshold", 1.0)
        document = document.with_value("dictionary.kind", kind)
        experiment = experiments.prepare(document.with_value("dictionary.atoms", 1437), experiment)
        errors[kind] = 2 * result(experiment).energy["reconstruction"][-1] / 64
    assert errors["random"] >= 3 * errors["exemplar"] > 0


def test_a_silent_network_is_undecided_and_counts_as_wrong(prepared):
    found = result(prepared(threshold=1000.0), 30)
    assert found.accuracy == {"max": 0.0, "sum": 0.0}
    assert all(matrix[:, -1].sum() == 30 for matrix in found.confusion.values())
    assert found.active_fraction == 0 and np.ptp(found.energy["total"]) == 0


def test_the_certificate_says_who_has_settled(prepared):
    short, long = (result(prepared(threshold=1.0, steps=steps), 20) for steps in (5, 1500))
    assert short.converged_fraction == 0 and long.converged_fraction == 1
    assert long.duality_gap < 0.01 < short.duality_gap


def test_a_system_without_classes_or_energies_leaves_them_out(prepared):
    found = result(prepared("lif"), 10)
    assert (found.confusion, found.accuracy, found.energy) == ({}, {}, {})
    assert found.duality_gap is found.converged_fraction is None
    assert found.firing_counts.shape == (41,) and found.firing_counts.max() > 0


@pytest.mark.parametrize(("asked", "done"), [(None, 360), (1000, 360), (360, 360), (5, 5)])
def test_no_more_samples_are_coded_than_there_are(prepared, asked, done):
    assert result(prepared(steps=1), asked).done == done


def test_no_steps_are_one_instant(prepared):
    found = result(prepared(steps=0), 10)
    assert len(found.energy["total"]) == len(found.firing_counts) == 1


def test_it_is_called_off_within_one_step(document, watched_steps):
    steps = []
    experiment = watched_steps(steps.append)(document())
    steps.clear()
    with pytest.raises(Cancelled):
        list(evaluate(experiment, cancelled=lambda: len(steps) >= 6))
    assert steps == [0, 1, 2, 3, 4, 5]


def test_a_signal_that_is_refused_is_the_users_to_know(prepared):
    class Spoilt:
        def rows(self, index):
            rows = torch.ones(len(range(*index.indices(360))), 64)
            rows[3, 5] = torch.nan if index.start else 1.0
            return rows

    experiment = prepared(run={"batch": 10})
    experiment = replace(experiment, vectors=replace(experiment.vectors, test=Spoilt()))
    with pytest.raises(InputError, match="test samples 10 to 19: signal 3 holds a NaN"):
        list(evaluate(experiment))


def test_diverged_energies_are_told_as_they_are():
    unstable = load(shipped()["digits-unstable"]).with_value("data.test", 10)
    found = result(experiments.prepare(unstable))
    assert not np.isfinite(found.energy["total"][-1]) and np.isfinite(found.energy["total"][0])
    assert found.converged_fraction == 0


def test_mnist_exemplars_classify(shared_data):
    document = load(shipped()["mnist-exemplar"]).with_value("data.root", str(shared_data))
    found = result(experiments.prepare(document), 500)
    assert 0.91 <= found.accuracy["sum"] <= 0.96
