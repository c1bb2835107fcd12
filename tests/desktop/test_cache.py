"""Clearing the cached features from the menu."""

from __future__ import annotations

import pytest
from PIL import Image
from PySide6.QtWidgets import QMessageBox

from workbench import folders
from workbench.data import features

Button = QMessageBox.StandardButton


@pytest.fixture
def backbone(open_window, tmp_path):
    """A person at a window with two classes of pictures under a small network."""
    for part, count in (("train", 4), ("test", 3)):
        for name, colour in (("blue", (0, 0, 255)), ("red", (255, 0, 0))):
            (tmp_path / "data" / part / name).mkdir(parents=True)
            for i in range(count):
                shade = tuple(max(0, c - 40 * i) for c in colour)
                Image.new("RGB", (20, 20), shade).save(tmp_path / "data" / part / name / f"{i}.png")
    return open_window(
        "digits-exemplar",
        "data.dataset=folder",
        f"data.root={tmp_path / 'data'}",
        "backbone.name=squeezenet1_1",
        "backbone.weights=random",
        "backbone.image_size=64",
        "system.steps=10",
    )


@pytest.fixture
def answer(monkeypatch):
    asked: list[str] = []

    def give(button):
        monkeypatch.setattr(QMessageBox, "question", lambda *a: asked.append(a[2]) or button)
        return asked

    return give


def evaluated(user) -> str:
    user.do("evaluate")
    user.wait(lambda: not user.window.workspace.evaluating)
    assert not user.complaints
    return user.window.workspace.evaluation.fingerprint


def test_the_run_goes_on_with_features_that_are_cleared(backbone, answer):
    user, window = backbone, backbone.window
    cache = folders.cache() / "features"
    before, first = evaluated(user), window.workspace.status.fingerprint
    asked = answer(Button.No)
    user.do("clear_cache")
    assert len(features.entries(cache)) == 2
    answer(Button.Yes)
    user.do("clear_cache")
    assert features.entries(cache) == []
    assert len(asked) == 2 and "features of 2 sets of images" in asked[0] and str(cache) in asked[0]
    said = "Freed 0.0 MB of cached features; the present run keeps its own to its end"
    assert user.said[-1] == said
    user.click(window.samples.next)  # other features of the same set
    user.settle()
    user.click(window.samples.previous)
    user.settle()
    assert window.workspace.status.fingerprint == first
    assert evaluated(user) == before


def test_cleared_features_are_computed_again_for_another_session(backbone, answer):
    user, window = backbone, backbone.window
    answer(Button.Yes)
    user.do("clear_cache")
    window.workspace.set_value("backbone.image_size", 96)
    user.settle()
    window.workspace.set_value("backbone.image_size", 64)
    user.settle()
    assert not user.complaints
    assert len(features.entries(folders.cache() / "features")) == 4


def test_an_empty_cache_asks_nothing(user, window, answer):
    asked = answer(Button.Yes)
    user.do("clear_cache")
    assert not asked and user.said[-1].startswith("There are no cached features")
