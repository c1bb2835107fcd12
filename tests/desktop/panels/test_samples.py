"""The sample picker: thumbnails, arrows, index."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor

from workbench.desktop.theme import theme

Key, Held = Qt.Key, Qt.KeyboardModifier


def thumbnail(window, index: int) -> QPoint:
    """The middle of a thumbnail."""
    return window.samples.thumbnails._place(index).center()


def test_a_click_on_a_thumbnail_shows_that_image(user, window):
    user.go_to(30)
    user.click(window.samples.thumbnails, thumbnail(window, 4))
    user.settle()
    assert window.workspace.snapshot.sample == 4
    assert (user.step, user.state) == (0, "paused")
    assert window.said.text() == "Restarted with sample 4"
    assert window.samples.index.text() == "4"
    dataset = window.workspace.experiment.dataset
    name = dataset.class_names[int(dataset.test.labels[4])]
    assert f"“{name}”" in window.samples.label.text()


def test_the_chosen_thumbnail_is_framed(user, window):
    user.click(window.samples.thumbnails, thumbnail(window, 7))
    user.settle()
    picture = window.samples.thumbnails.grab().toImage()
    places = [window.samples.thumbnails._place(index) for index in range(18)]
    accent = QColor(theme.colours.accent)
    framed = [i for i, place in enumerate(places) if picture.pixelColor(place.topLeft()) == accent]
    assert framed == [7]


def test_a_click_between_the_thumbnails_chooses_nothing(user, window):
    place = window.samples.thumbnails._place(1)
    user.click(window.samples.thumbnails, QPoint(place.left() - 2, place.bottom() + 2))
    user.settle()
    assert window.workspace.document.view.sample == 0


def test_arrows_go_through_the_images_and_stop_at_the_first(user, window):
    user.click(window.samples.next)
    user.click(window.samples.next)
    user.click(window.samples.previous)
    user.settle()
    assert window.workspace.snapshot.sample == 1
    for _ in range(3):
        user.click(window.samples.previous)
    user.settle()
    assert window.workspace.snapshot.sample == 0


def test_the_page_of_thumbnails_follows_the_image(user, window):
    user.write(window.samples.index, "40")
    user.settle()
    user.click(window.samples.thumbnails, thumbnail(window, 0))
    user.settle()
    assert window.workspace.snapshot.sample == 36  # 18 on a page


def test_a_typed_index_is_taken_or_put_right(user, window):
    for typed, sample in (
        ("12", 12),
        ("359", 359),
        ("99999", 359),
        ("-5", 359),
        ("", 359),
        ("four", 359),
        ("²", 359),
        ("1.5", 359),
        ("0", 0),
    ):
        user.write(window.samples.index, typed)
        assert window.samples.index.text() == str(sample), typed
        assert not user.complaints
        user.settle()
        assert window.workspace.snapshot.sample == sample


def test_space_after_typing_an_index_runs(user, window):
    user.write(window.samples.index, "12")
    user.press(Key.Key_Space)
    user.wait(lambda: user.state == "running")
    assert window.samples.index.text() == "12"


def test_a_finished_run_starts_again_with_the_next_image(user, window):
    user.go_to(100)
    user.click(window.samples.next)
    user.wait(lambda: window.workspace.snapshot.sample == 1 and user.state == "running")


def test_clicking_through_many_images_ends_with_the_last(user, window):
    for index in [*range(18), 3, 11, 6]:
        user.click(window.samples.thumbnails, thumbnail(window, index))
    user.settle()
    assert window.workspace.snapshot.sample == 6


@pytest.mark.parametrize("user", [("digits-exemplar", "data.test=5")], indirect=True)
def test_a_small_test_set_has_no_images_beyond_its_end(user, window):
    user.click(window.samples.thumbnails, thumbnail(window, 9))
    user.settle()
    assert window.workspace.document.view.sample == 0
    user.write(window.samples.index, "400")
    user.settle()
    assert window.workspace.snapshot.sample == 4


def test_a_smaller_test_set_that_drops_the_watched_image_says_so_once(user, window):
    user.write(window.samples.index, "300")
    user.settle()
    user.write(user.field("data.test").text, "40")
    user.wait(lambda: user.complaints)
    user.settle()
    line = user.dismiss()
    assert "view.sample = 300" in line
    user.settle()
    assert window.workspace.document.data.test is None
    assert window.workspace.snapshot.sample == 300
