"""Anytime accuracy: against the decoders on whole codes, step by step."""

import numpy as np
import pytest
import torch

from workbench.coding import decoders
from workbench.engine import experiment as experiments
from workbench.engine.evaluation import evaluate

SAMPLES = 60


def result(experiment, samples=SAMPLES):
    return list(evaluate(experiment, samples))[-1]


def decisions(experiment, perceptron=None, samples=SAMPLES):
    """Decided classes at each step, [K + 1, samples] by decoder, on whole codes in one batch."""
    system, wiring = experiment.system, experiment.system.wiring
    state, found = experiment.initial(slice(samples)), {}
    for step in range(experiment.steps + 1):
        state = system.step(state) if step else state
        code = system.observe(state, (system.code,))[system.code]
        evidence = decoders.evidence(code, wiring.labels, wiring.classes)
        now = {"max": decoders.by_max(code, wiring.labels), "sum": decoders.by_sum(evidence)}
        if perceptron is not None:
            now["perceptron"] = perceptron.decide(code)
        for name, classes in now.items():
            found.setdefault(name, []).append(classes)
    return {name: torch.stack(rows).numpy(force=True) for name, rows in found.items()}


def right(experiment, decided, samples=SAMPLES):
    return (decided == experiment.dataset.test.labels[:samples].numpy()).mean(1)


@pytest.mark.parametrize("kind", ["lca", "lca lazy"])
@pytest.mark.parametrize("batch", [None, 17])
def test_it_is_that_of_the_decoders_at_each_step(prepared, document, kind, batch):
    asked = document(kind)
    experiment = experiments.prepare(asked.with_value("run.batch", batch))
    found = result(experiment)
    for name, decided in decisions(experiment).items():
        expected = right(experiment, decided)
        np.testing.assert_allclose(found.accuracy_by_step[name], expected, atol=1 / SAMPLES + 1e-9)
        assert (found.accuracy_by_step[name] == expected).mean() > 0.9  # but for the last bits
        assert found.accuracy_by_step[name][-1] == found.accuracy[name] > 0.5
        assert found.accuracy_by_step[name][0] == 0  # all are silent
        assert (found.decided[name] == decided[-1]).all()
    assert found.samples.tolist() == list(range(SAMPLES))


def test_the_perceptron_is_asked_at_each_step_where_it_is_trained(prepared):
    experiment = prepared(decoder={"kind": "perceptron", "epochs": 5}, data={"train": 200})
    found = result(experiment)
    decided = decisions(experiment, found.perceptron)
    assert set(found.accuracy_by_step) == {"max", "sum", "perceptron"}
    np.testing.assert_allclose(
        found.accuracy_by_step["perceptron"],
        right(experiment, decided["perceptron"]),
        atol=1 / SAMPLES + 1e-9,
    )
    assert found.accuracy_by_step["perceptron"][-1] == found.accuracy["perceptron"]


def test_who_has_stopped_keeps_the_last_decision(prepared):
    experiment = prepared(threshold=0.8, steps=120, run={"tolerance": 0.02})
    found = result(experiment)
    taken = found.steps_taken
    assert len(set(taken.tolist())) > 2 and taken.min() < 120
    for name, decided in decisions(experiment).items():
        steps = np.minimum(np.arange(121)[:, None], taken)
        kept = np.take_along_axis(decided, steps, 0)
        expected = right(experiment, kept)
        np.testing.assert_allclose(found.accuracy_by_step[name], expected, atol=1 / SAMPLES + 1e-9)
        assert found.accuracy_by_step[name][-1] == found.accuracy[name]
        assert found.decided[name].tolist() == kept[-1].tolist()


def test_decisions_are_those_that_the_confusion_counts(prepared):
    experiment = prepared(threshold=3.0, run={"batch": 7})
    chosen = [5, 3, 40, 41, 9, 100, 2, 77]
    found = result(experiment, chosen)
    truth = experiment.dataset.test.labels[found.samples]
    assert found.samples.tolist() == chosen
    for name, decided in found.decided.items():
        counts = decoders.confusion(truth, torch.from_numpy(decided), 10)
        assert counts.tolist() == found.confusion[name].tolist()


def test_what_is_known_half_way_is_of_the_images_done(prepared):
    experiment = prepared(run={"batch": 20})
    first, *_, last = evaluate(experiment, SAMPLES)
    alone = result(experiment, 20)
    for name in ("max", "sum"):
        assert first.accuracy_by_step[name].tolist() == alone.accuracy_by_step[name].tolist()
        assert first.decided[name].tolist() == last.decided[name][:20].tolist()


def test_a_system_without_classes_decides_nothing(prepared):
    for experiment in (prepared("lif"), prepared(dictionary={"kind": "random", "atoms": 50})):
        found = result(experiment, 10)
        assert found.accuracy_by_step == found.decided == {}
