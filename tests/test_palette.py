"""The palette judged by contrast (WCAG 2.1) and by simulated colour blindness."""

import re

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from workbench.palette import (
    NEUTRAL,
    REGIME_COLOURS,
    TERM_COLOURS,
    class_colour,
    class_dash,
)

WHITE, DARK = "#ffffff", "#16181d"

# Machado, Oliveira & Fernandes (2009), severity 1, on linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def linear(colour):
    assert re.fullmatch("#[0-9a-f]{6}", colour)
    value = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    low, high = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, other))
    return (high + 0.05) / (low + 0.05)


def seen(colours, blindness):
    light = np.clip(np.array([linear(c) for c in colours]) @ blindness.T, 0, 1)
    srgb = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return rgb2lab(srgb[None])[0]


def colours_of(classes):
    return list(dict.fromkeys(class_colour(c, classes) for c in range(classes)))


@pytest.mark.parametrize("ground", [WHITE, DARK])
def test_every_colour_is_legible_on_white_and_on_dark(ground):
    for colour in {*colours_of(8), *colours_of(10), *TERM_COLOURS, NEUTRAL}:
        assert contrast(colour, ground) >= 3.0, colour


@pytest.mark.parametrize("kind", BLINDNESS)
@pytest.mark.parametrize("classes", [8, 10])
def test_colours_stay_apart_for_every_eye(classes, kind):
    colours = colours_of(classes)
    assert len(colours) == classes
    lab = seen(colours, BLINDNESS[kind])
    difference = deltaE_ciede2000(lab[:, None], lab[None])
    assert difference[~np.eye(classes, dtype=bool)].min() >= 8  # Okabe-Ito itself: 8.1


def test_up_to_36_classes_differ_by_colour_or_dash():
    for classes in (2, 8, 9, 10, 36):
        codes = {(class_colour(c, classes), class_dash(c, classes)) for c in range(classes)}
        assert len(codes) == classes


def test_dashes_come_only_when_the_colours_are_used_up():
    assert all(class_dash(c, 10) == () for c in range(10))
    assert class_dash(10, 11) != () and class_colour(10, 11) == class_colour(0, 11)
    assert class_colour(99, 100) in colours_of(10)


def test_energy_terms_have_three_colours():
    assert len(set(TERM_COLOURS)) == 3


@pytest.mark.parametrize("kind", BLINDNESS)
def test_regimes_stay_far_apart_for_every_eye(kind):
    lab = seen(REGIME_COLOURS, BLINDNESS[kind])
    difference = deltaE_ciede2000(lab[:, None], lab[None])
    assert difference[~np.eye(len(REGIME_COLOURS), dtype=bool)].min() >= 16
