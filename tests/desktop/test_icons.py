"""The icons."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QColor

from workbench.desktop.icons import _SHAPES, icon


def pixels(image, colour: str) -> int:
    wanted = QColor(colour)
    return sum(
        image.pixelColor(x, y) == wanted
        for x in range(image.width())
        for y in range(image.height())
    )


@pytest.mark.parametrize("name", _SHAPES)
def test_each_icon_is_drawn_in_the_colour_asked_for(themed_app, name):
    image = icon(name, "#c01020").pixmap(64).toImage()
    drawn = pixels(image, "#c01020")
    assert 100 < drawn < 0.6 * image.width() * image.height()


def test_no_two_icons_look_alike(themed_app):
    images = [icon(name, "#000000").pixmap(64).toImage() for name in _SHAPES]
    for i, image in enumerate(images):
        assert all(image != other for other in images[i + 1 :])


def test_an_unknown_icon_is_a_mistake_of_ours(themed_app):
    with pytest.raises(KeyError):
        icon("nonsense", "#000000")
