"""The class evidence."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.desktop.views.evidence import decided_at

SMALL = ("digits-exemplar", "data.train=300", "data.test=40", "system.steps=40")


@pytest.mark.parametrize(
    ("leaders", "expected"),
    [
        ([0, 0, 0], None),
        ([0, 1, 1], 1),
        ([0, 1, 2, 1, 1], 3),
        ([1, 1], 0),
        ([0, 2, 0, 2], 3),
        ([], None),
    ],
)
def test_the_decision_falls_where_the_last_leader_took_over(leaders, expected):
    evidence = np.zeros((len(leaders), 3))
    for step, leader in enumerate(leaders):
        if leader:
            evidence[step, leader] = 1.0
    assert decided_at(evidence) == expected


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_the_bars_are_the_summed_activity_of_each_class(user, window):
    view = user.bring_up("evidence")
    user.go_to(40)
    snapshot = window.workspace.snapshot
    system, record = snapshot.experiment.system, snapshot.recording
    code = np.abs(system.observe(record.state(40), ("activation",))["activation"][0].numpy())
    labels = system.wiring.labels.numpy()
    expected = [code[labels == c].sum() for c in range(10)]
    np.testing.assert_allclose(view.bars._values, expected, rtol=1e-5)
    winner = int(np.argmax(expected))
    truth = int(snapshot.experiment.dataset.test.labels[0])
    name = snapshot.experiment.dataset.class_names[winner]
    verdict = "✓" if winner == truth else "✗"
    assert view.accessibleDescription().startswith(f"{name} since ")
    assert verdict in view.accessibleDescription()
    user.go_to(0)
    assert "undecided" in view.accessibleDescription()


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_it_can_be_seen_over_time_and_a_click_seeks(user, window):
    view = user.bring_up("evidence")
    user.go_to(40)
    user.choose(view.mode, "over time")
    user.settle()
    assert view.widget.isVisible() and not view.bars.isVisible()
    x, y = view._curves[0].getData()
    assert len(x) == 41
    user.click_plot(view, 15, view.plot.viewRange()[1][1] * 0.9)
    assert user.step == 15
    user.choose(view.mode, "now")
    user.settle()
    assert view.bars.isVisible() and not view.widget.isVisible()


@pytest.mark.parametrize("user", [("digits-random",)], indirect=True)
def test_without_classes_it_says_how_to_get_some(user, window):
    view = user.bring_up("evidence")
    assert view._empty.isVisible()
    assert "exemplar dictionary" in view._empty.text()
    user.choose(view.mode, "over time")
    user.settle()
    assert not view.widget.isVisible() and view._empty.isVisible()
    user.choose(user.field("dictionary.kind").combo, "exemplar")
    user.settle()
    assert not view._empty.isVisible() and view.widget.isVisible()


@pytest.mark.parametrize("user", [("digits-unstable",)], indirect=True)
def test_diverged_evidence_is_drawn(user, window):
    view = user.bring_up("evidence")
    user.go_to(100)
    for mode in ("over time", "now"):
        user.choose(view.mode, mode)
        user.settle()
        window.grab()  # paints
    assert window.facts.text().startswith("finished: diverged")


DECODER = ("digits-exemplar", "system.steps=40", "decoder.kind=perceptron", "data.test=60")


@pytest.mark.parametrize("user", [DECODER], indirect=True)
def test_all_decoders_stand_side_by_side_at_the_cursor(user, window):
    view = user.bring_up("evidence")
    user.go_to(40)
    user.choose(view.mode, "all decoders")
    user.settle()
    assert view.decoders.isVisible() and not view.bars.isVisible() and not view.widget.isVisible()
    assert "not trained" in view.decoders.headings["perceptron"].text()
    user.do("evaluate")
    user.wait(lambda: not window.workspace.evaluating)
    view = user.bring_up("evidence")
    user.settle()
    snapshot = window.workspace.snapshot
    code = snapshot.observed["activation"]
    labels = snapshot.experiment.system.wiring.labels.numpy()
    bars = view.decoders.bars
    expected = [np.abs(code[labels == c]).sum() for c in range(10)]
    np.testing.assert_allclose(bars["sum"]._values, expected, rtol=1e-5)
    expected = [max(code[labels == c].max(), 0) for c in range(10)]
    np.testing.assert_allclose(bars["max"]._values, expected, rtol=1e-5)
    weights = window.workspace.evaluation.perceptron
    logits = weights.weight.numpy() @ code + weights.bias.numpy()
    softmax = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    np.testing.assert_allclose(bars["perceptron"]._values, softmax, atol=1e-5)
    winner = snapshot.experiment.dataset.class_names[int(softmax.argmax())]
    assert f"<b>{winner}</b>" in view.decoders.headings["perceptron"].text()
    user.go_to(0)
    assert "undecided" in view.decoders.headings["perceptron"].text()  # silence decides nothing
    window.grab()


@pytest.mark.parametrize("user", [DECODER], indirect=True)
def test_a_perceptron_of_other_neurons_is_not_used(user, window):
    user.do("evaluate")
    user.wait(lambda: not window.workspace.evaluating)
    assert window.workspace.perceptron is not None
    user.write(user.field("dictionary.atoms").text, "100")
    user.settle()
    assert window.workspace.perceptron is None
