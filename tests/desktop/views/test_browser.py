"""The dataset browser: thumbnails, classes, search, and what a click chooses."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from workbench import palette
from workbench.desktop.theme import theme

Key, Held = Qt.Key, Qt.KeyboardModifier
SMALL = ("digits-exemplar", "data.train=300", "data.test=200", "dictionary.atoms=100")


@pytest.fixture
def view(user, window):
    user.press(Key.Key_B, Held.ControlModifier)
    view = window.views["browser"]
    user.wait(lambda: window._on_screen(view))
    made(user, view)
    return view


def made(user, view) -> None:
    """Wait for the thumbnails on the screen."""
    user.frames(2)
    user.wait(lambda: all(view.thumbnails.get(i) is not None for i in view.grid.visible))
    user.frames(1)


def click(user, view, index: int) -> None:
    at = int(np.flatnonzero(view.grid.images == index)[0])
    user.click(view.grid.viewport(), view.grid.place(at).center())
    user.settle()


def training(user, view) -> None:
    user.choose(view.which, "training images")
    made(user, view)


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_every_image_is_framed_in_the_colour_of_its_class(user, window, view):
    labels = window.workspace.experiment.dataset.test.labels.tolist()
    shown = view.grid.viewport().grab().toImage()
    for at in (1, 2, 3):
        place = view.grid.place(at)
        colour = QColor(palette.class_colour(labels[at], 10))
        assert shown.pixelColor(place.left(), place.center().y()) == colour
    assert len(view.grid.images) == 200
    assert len(view.grid.visible) < 100  # the others are neither read nor painted
    assert all(view.thumbnails.get(i) is None for i in range(150, 200))


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_a_click_on_a_test_image_makes_it_the_watched_one(user, window, view):
    click(user, view, 5)
    assert window.workspace.snapshot.sample == 5
    assert window.samples.index.text() == "5"
    place = view.grid.place(5)
    shown = view.grid.viewport().grab().toImage()
    frame = shown.pixelColor(place.left(), place.center().y())
    assert frame == QColor(theme.colours.text)
    user.click(window.samples.next)
    user.settle()
    assert view.grid._marked == 6
    label = int(window.workspace.experiment.dataset.test.labels[6])
    assert view.header.summary.text() == f"image 6 of 200 · class {label}"


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_arrows_move_and_enter_chooses_while_the_run_stands_still(user, window, view):
    user.go_to(20)
    view.grid.setFocus()
    for key in (Key.Key_Right, Key.Key_Down, Key.Key_Left):
        user.press(key)
    columns = view.grid._columns
    assert view.grid.current == columns and user.step == 20
    user.press(Key.Key_End)
    assert view.grid.current == 199 and 199 in view.grid.visible
    assert "image 199" in view.grid.accessibleDescription()
    user.press(Key.Key_PageUp)
    user.press(Key.Key_Home)
    assert view.grid.current == 0
    user.press(Key.Key_Up)
    user.press(Key.Key_Right)
    user.press(Key.Key_Return)
    user.settle()
    assert window.workspace.snapshot.sample == 1
    user.press(Key.Key_Space)  # the bare keys it has no use for are the window's
    user.wait(lambda: user.state == "running")


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_an_index_is_typed_and_gone_to(user, window, view):
    user.write(view.index, "180")
    assert view.grid.current == 180 and 180 in view.grid.visible and view.grid.hasFocus()
    for wrong in ("200", "-1", "x", "²", ""):
        user.write(view.index, wrong)
        assert user.said[-1] == f"There are test images 0 to 199, no {wrong or '–'}"
    assert view.grid.current == 180
    assert not user.complaints


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_a_click_on_a_bar_shows_one_class_and_another_all_again(user, window, view):
    labels = window.workspace.experiment.dataset.test.labels.numpy()
    assert view.balance._counts.tolist() == np.bincount(labels, minlength=10).tolist()
    user.click(view.balance, view.balance.bar(3).center().toPoint())
    assert view.classes.currentText() == "3"
    assert view.grid.images.tolist() == np.flatnonzero(labels == 3).tolist()
    user.frames(1)
    assert view.header.summary.text().endswith(f"{(labels == 3).sum()} shown")
    other = int(np.flatnonzero(labels != 3)[-1])
    user.write(view.index, str(other))  # of another class: all are shown again
    assert view.classes.currentText() == "all classes" and view.grid.current == other
    user.choose(view.classes, "7")
    user.click(view.balance, view.balance.bar(7).center().toPoint())
    assert view.classes.currentText() == "all classes"


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_a_training_image_that_is_an_atom_selects_its_neuron(user, window, view):
    training(user, view)
    source = window.workspace.experiment.dictionary.source.tolist()
    assert np.flatnonzero(view.grid._dotted).tolist() == source
    click(user, view, source[4])
    assert window.workspace.neuron == 4
    assert view.grid._marked == source[4]
    assert view.header.summary.text().endswith("· neuron 4")
    other = next(i for i in range(300) if i not in source)
    click(user, view, other)
    assert window.workspace.neuron == 4
    assert user.said[-1] == f"Training image {other} is no atom of the dictionary"
    window.workspace.select_neuron(90)  # in any other view
    user.frames(2)
    assert view.grid._marked == source[90] and source[90] in view.grid.visible


@pytest.mark.parametrize("user", [("lif-population",), ("digits-random",)], indirect=True)
def test_without_exemplars_no_image_is_an_atom(user, window, view):
    training(user, view)
    assert not view.grid._dotted.any()
    click(user, view, 1)
    assert window.workspace.neuron is None


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_a_system_without_a_dictionary_has_no_atoms_among_the_training_images(user, window, view):
    training(user, view)
    assert (view._neurons >= 0).any()
    window.workspace.set_value("system.kind", "lif")
    user.wait(lambda: window.workspace.experiment.dictionary is None)
    user.bring_up("browser")  # the views are arranged anew for another system
    assert (view._neurons == -1).all()


def test_a_picture_of_ones_own_marks_no_test_image(user, window, view, tmp_path):
    Image.new("L", (8, 8), 200).save(tmp_path / "grey.png")
    window.files.open(tmp_path / "grey.png")
    user.settle()
    assert view.grid._marked is None
    click(user, view, 0)
    assert window.workspace.snapshot.sample == 0 and view.grid._marked == 0


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_other_data_other_images(user, window, view, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (250, 5, 5), dtype=np.uint8)
    labels = np.repeat([0, 2], 125)  # there is no image of class 1
    np.savez(tmp_path / "a.npz", images=images, labels=labels)
    window.files.open(tmp_path / "a.npz")
    user.wait(lambda: window.workspace.experiment.dataset.name == "a")
    assert view._split is window.workspace.experiment.dataset.test
    made(user, view)
    assert len(view.grid.images) == 50
    user.choose(view.classes, "1")
    assert not len(view.grid.images) and view.figure() is None and view.table() is None
    view.grid.setFocus()
    user.press(Key.Key_Down)
    user.frames(2)
    assert not user.complaints


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_out_of_sight_it_keeps_no_old_data(user, window, view, tmp_path):
    user.bring_up("traces")
    window.area.docks["browser"].hide()
    images = np.random.default_rng(0).integers(0, 256, (250, 5, 5), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", images=images, labels=np.arange(250) % 3)
    window.files.open(tmp_path / "a.npz")
    user.wait(lambda: window.workspace.experiment.dataset.name == "a")
    user.frames(2)
    assert view._split is None and view.thumbnails._split is None
    user.bring_up("browser")
    assert len(view.grid.images) == 50


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_another_theme_keeps_the_class(user, window, view):
    user.choose(view.classes, "7")
    shown = view.grid.images.tolist()
    user.press(Key.Key_T, Held.ControlModifier)
    user.frames(2)
    assert view.classes.currentText() == "7" and view.grid.images.tolist() == shown


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_images_that_cannot_be_read_any_more_are_marked(user, window, view, monkeypatch):
    split = type(window.workspace.experiment.dataset.train)

    def gone(self, index):
        raise OSError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(split, "image", gone)
        training(user, view)
    assert view.thumbnails.get(0).isNull()


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_at_rest_it_is_not_painted_and_all_is_remade_for_a_projector(user, window, view):
    painted = []
    view.grid.paintEvent = lambda event, paint=view.grid.paintEvent: (
        painted.append(1),
        paint(event),
    )
    user.frames(5)
    assert not painted
    view.grid.viewport().update()
    user.wait(lambda: painted)
    side = max(view.thumbnails.get(1).width(), view.thumbnails.get(1).height())
    user.press(Key.Key_F11)
    made(user, view)
    larger = view.thumbnails.get(1)
    assert max(larger.width(), larger.height()) == theme.px(36) > side
    assert view.balance.height() >= theme.px(56)


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_the_contact_sheet_shows_what_is_on_the_screen(user, window, view):
    user.write(view.index, "150")
    figure = view.figure()
    titles = [axes.get_title("left") for axes in figure.axes if axes.get_title("left")]
    first = view.grid.visible[0]
    label = int(window.workspace.experiment.dataset.test.labels[first])
    assert titles[0] == f"{first}: {label}" and len(titles) == 24
    columns, rows = view.table()
    assert columns == ["index", "class"] and rows.shape == (200, 2)


@pytest.mark.parametrize("user", [(*SMALL, "system.steps=40")], indirect=True)
def test_the_images_that_were_decided_wrongly_can_be_chosen_once_they_are_known(user, window, view):
    assert view.classes.findText("decided wrongly") < 0
    user.do("evaluate")
    user.wait(lambda: not window.workspace.evaluating)
    user.press(Key.Key_B, Held.ControlModifier)
    user.settle()
    user.choose(view.classes, "decided wrongly")
    made(user, view)
    found = window.workspace.evaluation
    truth = window.workspace.experiment.dataset.test.labels.numpy()
    expected = np.flatnonzero(found.decided["sum"] != truth)
    assert len(expected) and view.grid.images.tolist() == expected.tolist()
    assert len(expected) == 200 - np.trace(found.confusion["sum"][:, :10])
    click(user, view, int(expected[0]))
    assert window.workspace.snapshot.sample == expected[0]
    assert view.grid.images.tolist() == expected.tolist()
    user.choose(view.which, "training images")
    user.frames(2)
    assert view.classes.findText("decided wrongly") < 0 and len(view.grid.images) == 300
    user.choose(view.which, "test images")
    user.choose(view.classes, "decided wrongly")
    user.write(user.field("data.test").text, "150")  # other images, of which nothing is known
    user.settle()
    user.frames(2)
    assert view.classes.findText("decided wrongly") < 0 and len(view.grid.images) == 150
