"""Arrays as pictures."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QColor

from workbench.desktop.pictures import lookup, picture_of, to_image


def test_both_colour_maps_are_monotone_in_lightness_from_the_middle():
    def lightness(rgb: np.ndarray) -> np.ndarray:
        return rgb @ np.array([0.2126, 0.7152, 0.0722])

    unsigned, signed = lightness(lookup(False)), lightness(lookup(True))
    assert (np.diff(unsigned) > -1).all() and unsigned[-1] - unsigned[0] > 150
    assert (np.diff(signed[:128]) > -1).all() and (np.diff(signed[128:]) < 1).all()
    assert signed[127:129].min() > 235  # zero is the lightest


def test_ends_and_middle_of_the_range_have_their_colours(themed_app):
    image = to_image(np.array([[-2.0, 0.0, 2.0, 99.0]]), -2.0, 2.0, signed=True)
    table = lookup(True)
    expected = [table[0], table[127], table[255], table[255]]
    for x, rgb in enumerate(expected):
        assert image.pixelColor(x, 0) == QColor(*rgb.tolist())


def test_colour_pictures_are_shown_as_they_are(themed_app):
    image = to_image(np.array([[[1.0, 0.0, 0.5]]]), 0.0, 1.0, signed=False)
    assert image.pixelColor(0, 0) == QColor(255, 0, 127)


def test_a_flat_picture_is_no_division_by_zero(themed_app):
    assert not to_image(np.zeros((3, 3)), 0.0, 0.0, signed=False).isNull()


def test_an_image_of_a_dataset_keeps_its_orientation(themed_app):
    class Split:
        def image(self, index: int) -> np.ndarray:
            array = np.zeros((2, 3))
            array[0, 2] = 1.0  # first row, last column
            return array

    image = picture_of(Split(), 0)
    assert (image.width(), image.height()) == (3, 2)
    bright = image.pixelColor(2, 0).lightness()
    assert bright > image.pixelColor(0, 0).lightness()
    assert bright > image.pixelColor(2, 1).lightness()
