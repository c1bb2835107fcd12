"""Thumbnails: made in a thread that ends, newest wish first, and none for what cannot be read."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from workbench.desktop import thumbnails as module
from workbench.desktop.thumbnails import Thumbnails


class Slow:
    """Images that wait for a door to open; number 3 cannot be read."""

    def __init__(self) -> None:
        self.read: list[int] = []
        self.begun, self.door = threading.Event(), threading.Event()

    def image(self, index: int) -> np.ndarray:
        self.begun.set()
        assert self.door.wait(10)
        self.read.append(index)
        if index == 3:
            raise OSError("torn")
        return np.full((4, 8), index / 10, np.float32)


@pytest.fixture
def split():
    return Slow()


@pytest.fixture
def thumbnails(split):
    made = Thumbnails()
    made.show_split(split, 16)
    yield made
    split.door.set()
    assert made.close()


def test_only_the_newest_wish_is_worked_on(qtbot, thumbnails, split):
    thumbnails.want([0, 1, 2])
    assert split.begun.wait(10)  # with 0 already in hand
    thumbnails.want([7, 8])
    split.door.set()
    qtbot.waitUntil(lambda: thumbnails.get(8) is not None)
    assert split.read == [0, 7, 8]
    assert thumbnails.get(1) is None


def test_a_picture_fits_into_its_side(qtbot, thumbnails, split):
    split.door.set()
    thumbnails.want([5])
    qtbot.waitUntil(lambda: thumbnails.get(5) is not None)
    assert (thumbnails.get(5).width(), thumbnails.get(5).height()) == (16, 8)
    before = thumbnails.made
    thumbnails.want([5])  # there already
    assert thumbnails.close() and thumbnails.made == before


def test_what_cannot_be_read_is_a_null_picture(qtbot, thumbnails, split):
    split.door.set()
    thumbnails.want([3])
    qtbot.waitUntil(lambda: thumbnails.get(3) is not None)
    assert thumbnails.get(3).isNull()


def test_a_picture_of_the_split_before_is_not_kept(qtbot, thumbnails, split):
    thumbnails.want([0])
    assert split.begun.wait(10)
    other = Slow()
    other.door.set()
    thumbnails.show_split(other, 16)
    split.door.set()
    thumbnails.want([4])
    qtbot.waitUntil(lambda: thumbnails.get(4) is not None)
    assert thumbnails.get(0) is None


def test_the_oldest_make_room(qtbot, thumbnails, split, monkeypatch):
    monkeypatch.setattr(module, "MOST", 2)
    split.door.set()
    thumbnails.want([0, 1, 2])
    qtbot.waitUntil(lambda: thumbnails.get(2) is not None)
    assert thumbnails.get(0) is None and thumbnails.get(1) is not None


def test_after_closing_nothing_is_made(thumbnails, split):
    split.door.set()
    assert thumbnails.close()
    thumbnails.want([1])
    assert not [t for t in threading.enumerate() if t.name == "thumbnails"]
