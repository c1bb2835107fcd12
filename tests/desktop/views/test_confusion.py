"""The confusion matrix and the evaluation behind it."""

from __future__ import annotations

import numpy as np
import pytest

SMALL = ("digits-exemplar", "data.train=300", "data.test=40", "system.steps=40")
SLOW = ("digits-exemplar", "run.batch=2", "run.precision=float64")


def test_it_fills_and_shows_the_accuracy_at_the_end(user, window):
    view = user.bring_up("confusion")
    assert view.header.summary.text() == "not evaluated yet"
    assert view.words.text() == "360 images"
    user.click(view.button)
    user.wait(lambda: not window.workspace.evaluating)
    user.settle()
    evaluation = window.workspace.evaluation
    assert evaluation.accuracy["sum"] >= 0.98
    assert view.accessibleDescription() == f"{100 * evaluation.accuracy['sum']:.1f} % right"
    assert view.words.text().startswith("360 images")
    assert view.matrix._counts.sum() == 360
    right = np.trace(view.matrix._counts[:, :10])
    assert right / 360 == evaluation.accuracy["sum"]
    assert not view.progress.isVisible()


@pytest.mark.parametrize("user", [SLOW], indirect=True)
def test_it_shows_progress_and_time_left_and_can_be_cancelled_and_started_again(user, window):
    view = user.bring_up("confusion")
    user.click(view.button)
    user.wait(lambda: "left" in view.words.text() and view.matrix._counts.sum() > 0)
    assert view.button.text() == "Cancel"
    assert view.progress.isVisible()
    assert 0 < view.progress.value() < view.progress.maximum() == 360
    assert not window.actions_by_name["evaluate"].isEnabled()
    user.click(view.button)
    user.wait(lambda: not window.workspace.evaluating)
    user.frames(2)
    done = window.workspace.evaluation.done
    assert 0 < done < 360
    assert view.button.text() == "Evaluate test set"
    assert view.words.text().startswith(f"{done} of 360 images")
    assert view.matrix._counts.sum() == done  # what was done stays
    user.click(view.button)
    user.wait(lambda: window.workspace.evaluation is not None)
    user.frames(2)
    assert window.workspace.evaluating
    window.actions_by_name["cancel_evaluation"].trigger()
    user.wait(lambda: not window.workspace.evaluating)
    assert not window.actions_by_name["cancel_evaluation"].isEnabled()


def test_the_other_decoder_has_its_own_matrix(user, window):
    view = user.bring_up("confusion")
    user.click(view.button)
    user.wait(lambda: not window.workspace.evaluating)
    user.settle()
    confusion = window.workspace.evaluation.confusion
    np.testing.assert_array_equal(view.matrix._counts, confusion["sum"])
    user.choose(view.decoder, "max")
    user.settle()
    accuracy = window.workspace.evaluation.accuracy["max"]
    assert view.accessibleDescription() == f"{100 * accuracy:.1f} % right"
    np.testing.assert_array_equal(view.matrix._counts, confusion["max"])
    assert not np.array_equal(confusion["max"], confusion["sum"])


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_a_result_of_other_settings_says_so(user, window):
    view = user.bring_up("confusion")
    user.click(view.button)
    user.wait(lambda: not window.workspace.evaluating)
    user.do("next_sample")
    user.settle()
    assert "earlier settings" not in view.header.summary.text()  # the same for any image
    user.write(user.field("system.threshold").text, "1.5")
    user.settle()
    assert "of earlier settings" in view.header.summary.text()
    user.do("undo")
    user.settle()
    assert "earlier settings" not in view.header.summary.text()


@pytest.mark.parametrize("user", [("digits-random", *SMALL[1:])], indirect=True)
def test_neurons_without_classes_decide_nothing_and_the_view_says_so(user, window):
    view = user.bring_up("confusion")
    user.click(view.button)
    user.wait(lambda: not window.workspace.evaluating)
    user.settle()
    assert view.header.summary.text() == "nothing to decide: the neurons have no classes"


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_evaluate_brings_the_matrix_up_in_every_layout(user, window):
    for layout in ("Teach", "Debug", "Explore"):
        user.choose(window.layout_choice, layout)
        user.settle()
        user.do("evaluate")
        user.wait(lambda: not window.workspace.evaluating)
        user.settle()
        assert window._on_screen(window.views["confusion"])
        dock = window.area.docks["confusion"]
        assert window.area.dockWidgetArea(dock).value != 0  # it has a place, and covers nobody
        assert window.views["confusion"].matrix._counts.sum() == 40


@pytest.mark.parametrize("user", [("lif-population", "system.steps=20")], indirect=True)
def test_a_system_that_decides_nothing_has_nothing_to_evaluate(user, window):
    assert not window.actions_by_name["evaluate"].isEnabled()
    assert window.area.docks["confusion"].isHidden()


PERCEPTRON = ("digits-exemplar", "system.steps=40", "decoder.kind=perceptron", "data.test=60")


@pytest.mark.parametrize("user", [PERCEPTRON], indirect=True)
def test_the_perceptron_is_trained_with_its_loss_drawn_and_all_three_stand_side_by_side(
    user, window
):
    view = user.bring_up("confusion")
    user.choose(view.decoder, "perceptron")
    user.click(view.button)
    user.wait(lambda: view.header.summary.text() == "training" and view.curve.isVisible())
    user.wait(lambda: view.words.text().startswith("epoch "))
    user.wait(lambda: not window.workspace.evaluating)
    user.settle()
    evaluation = window.workspace.evaluation
    assert evaluation.accuracy["perceptron"] > 0.9
    assert view.accessibleDescription().startswith(f"{100 * evaluation.accuracy['perceptron']:.1f}")
    np.testing.assert_array_equal(view.matrix._counts, evaluation.confusion["perceptron"])
    losses = [epoch.validation_loss for epoch in evaluation.training.epochs]
    assert list(view.curve._lines[1][1]) == losses and view.curve._mark == evaluation.training.best
    user.choose(view.decoder, "side by side")
    user.settle()
    assert view.beside.isVisible() and not view.matrix.isVisible()
    for name, matrix in view.matrices.items():
        np.testing.assert_array_equal(matrix._counts, evaluation.confusion[name])
        assert view.titles[name].text() == f"{name} {100 * evaluation.accuracy[name]:.1f} %"
    assert view.table()[1][:, 1:].sum() == 60  # of the document's decoder


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_a_perceptron_that_is_not_trained_says_how(user, window):
    view = user.bring_up("confusion")
    user.choose(view.decoder, "perceptron")
    user.click(view.button)
    user.wait(lambda: not window.workspace.evaluating)
    user.settle()
    assert view.header.summary.text() == "not trained: choose it as the decoder and evaluate"


@pytest.mark.parametrize("user", [PERCEPTRON], indirect=True)
def test_training_can_be_cancelled(user, window):
    view = user.bring_up("confusion")
    user.click(view.button)
    user.wait(lambda: window.workspace.evaluation is not None)
    user.click(view.button)
    user.wait(lambda: not window.workspace.evaluating)
    user.settle()
    assert view.button.text() == "Evaluate test set"
    assert not user.complaints
