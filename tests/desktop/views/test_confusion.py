"""The confusion matrix and the evaluation behind it."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontMetricsF

from workbench.desktop.theme import theme
from workbench.desktop.views.matrix import Matrix

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


# -- from a cell to its images and on to their runs ----------------------------------------------

WRONG = ("digits-exemplar", "data.train=100", "data.test=120", "system.steps=40")
wrong = pytest.mark.parametrize("user", [WRONG], indirect=True)


def evaluated(user):
    view = user.bring_up("confusion")
    user.do("evaluate")
    user.wait(lambda: not user.window.workspace.evaluating)
    user.settle()
    return view


def a_wrong_cell(window, decoder="sum") -> tuple[int, int]:
    counts = window.workspace.evaluation.confusion[decoder][:, :10].copy()
    np.fill_diagonal(counts, 0)
    return tuple(int(i) for i in np.unravel_index(counts.argmax(), counts.shape))


def click_cell(user, matrix, cell) -> None:
    user.click(matrix, matrix.place(*cell).center().toPoint())
    user.frames(2)


@wrong
def test_two_clicks_lead_from_a_cell_to_the_run_that_went_wrong(user, window):
    view = evaluated(user)
    true, decided = a_wrong_cell(window)
    click_cell(user, view.matrix, (true, decided))
    evaluation, dataset = window.workspace.evaluation, window.workspace.experiment.dataset
    labels = dataset.test.labels.numpy()
    expected = np.flatnonzero((labels == true) & (evaluation.decided["sum"] == decided))
    assert view.images.grid.images.tolist() == expected.tolist()
    assert len(expected) == evaluation.confusion["sum"][true, decided] > 0
    assert f"of “{true}” decided “{decided}”" in view.images.words.text()
    user.wait(lambda: view.images.thumbnails._thread is None)
    grid = view.images.grid
    user.click(grid.viewport(), grid.place(0).center())
    evidence = window.views["evidence"]
    user.wait(lambda: window._on_screen(evidence) and user.state == "finished")
    user.settle()
    assert window.workspace.snapshot.sample == expected[0]
    user.wait(lambda: evidence.verdict.text())
    assert evidence.verdict.text().startswith(f"Decided “{decided}” at step ")
    assert f"✗ it is {true}" in evidence.accessibleDescription()


@wrong
def test_a_cell_closes_by_a_second_click_by_its_button_and_with_another_decoder(user, window):
    view = evaluated(user)
    cell = a_wrong_cell(window)
    click_cell(user, view.matrix, cell)
    assert view.images.isVisible() and view.matrix._marked == cell
    click_cell(user, view.matrix, cell)
    assert not view.images.isVisible() and view.matrix._marked is None
    click_cell(user, view.matrix, (3, 3))
    assert view.images.isVisible()
    user.click(view.images.button)
    user.frames(2)
    assert not view.images.isVisible()
    click_cell(user, view.matrix, (3, 3))
    user.choose(view.decoder, "max")
    user.settle()
    assert not view.images.isVisible()


@wrong
def test_an_empty_cell_and_one_of_no_evaluation_say_so(user, window):
    view = user.bring_up("confusion")
    click_cell(user, view.matrix, (1, 1))
    assert window.said.text() == "Evaluate the test set first; then a cell shows its images"
    view = evaluated(user)
    empty = np.argwhere(window.workspace.evaluation.confusion["sum"] == 0)[0]
    click_cell(user, view.matrix, tuple(empty.tolist()))
    assert window.said.text() == "There is no image in this cell"
    assert not view.images.isVisible()


@wrong
def test_side_by_side_each_matrix_has_its_own_cells(user, window):
    view = evaluated(user)
    user.choose(view.decoder, "side by side")
    user.settle()
    cell = a_wrong_cell(window, "max")
    click_cell(user, view.matrices["max"], cell)
    decided = window.workspace.evaluation.decided["max"]
    shown = view.images.grid.images
    assert len(shown) == window.workspace.evaluation.confusion["max"][cell]
    assert set(decided[shown].tolist()) == {cell[1]}
    assert view.matrices["max"]._marked == cell and view.matrices["sum"]._marked is None


@wrong
def test_cells_can_be_reached_with_the_keyboard(user, window):
    view = evaluated(user)
    view.matrix.setFocus()
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Right):
        user.press(key)
    assert view.matrix.accessibleDescription().endswith("images of 2 decided 2")
    user.press(Qt.Key.Key_Return)
    user.frames(2)
    assert view.images.cell == (2, 2) and user.step == 0  # the arrows did not move the run
    for _ in range(12):
        user.press(Qt.Key.Key_Left)
    assert view.matrix._current == (2, 0)


@wrong
def test_images_of_other_data_are_not_shown(user, window):
    view = evaluated(user)
    click_cell(user, view.matrix, (3, 3))
    user.write(user.field("data.test").text, "60")
    user.settle()
    assert not view.images.isVisible() and view.images._split is None
    click_cell(user, view.matrix, (3, 3))
    assert "Evaluate the test set first" in window.said.text()


@wrong
def test_another_size_of_type_draws_the_images_anew(user, window):
    view = evaluated(user)
    click_cell(user, view.matrix, (3, 3))
    shown = view.images.grid.images.tolist()
    user.press(Qt.Key.Key_F11)
    user.settle()
    assert view.images.isVisible() and view.images.grid.images.tolist() == shown
    user.wait(lambda: view.images.thumbnails._thread is None)
    user.press(Qt.Key.Key_F11)


@wrong
def test_what_comes_and_goes_in_the_view_moves_no_other_view(user, window):
    window.resize(1280, 800)
    user.frames(3)
    docks = [window.area.docks[name] for name in ("traces", "terms", "counts", "images")]
    before = [dock.geometry() for dock in docks]
    view = evaluated(user)
    assert [dock.geometry() for dock in docks] == before
    click_cell(user, view.matrix, (3, 3))
    user.frames(3)
    assert view.images.isVisible() and [dock.geometry() for dock in docks] == before


def test_names_of_small_cells_do_not_run_into_each_other(qtbot, themed_app):
    matrix = Matrix()
    qtbot.addWidget(matrix)
    matrix.show_counts(np.eye(10, 11, dtype=int), tuple("0123456789"))
    line = QFontMetricsF(theme.font(11)).height()
    for size, every in (((400, 400), 1), ((630, 123), 2), ((120, 120), 2)):
        matrix.resize(*size)
        side = matrix.place(1, 0).top() - matrix.place(0, 0).top()
        assert matrix.named_every(side) >= every
        assert matrix.named_every(side) * (side + 1) >= line
        below = round(matrix.place(9, 0).bottom()) + 3
        image, lines = matrix.grab().toImage(), range(below, below + 12)
        columns = [
            any(image.pixelColor(x, y).lightness() < 160 for y in lines)
            for x in range(image.width())
        ]
        marks = sum(a and not b for a, b in zip(columns, columns[1:], strict=False))
        assert marks == len(range(0, 11, matrix.named_every(side)))  # each stands alone
