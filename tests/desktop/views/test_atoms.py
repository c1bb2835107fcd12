"""The dictionary atoms."""

from __future__ import annotations

import time

import numpy as np
import pytest
from PySide6.QtCore import Qt

from workbench.desktop import pictures
from workbench.desktop.views import atoms as module

Key = Qt.Key
SMALL = ("digits-exemplar", "data.train=300", "data.test=40", "system.steps=40")


@pytest.fixture
def atoms(user, window):
    user.go_to(40)
    return user.bring_up("atoms")


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_the_most_active_come_first_with_their_activation(user, window, atoms):
    code = window.workspace.snapshot.observed["activation"]
    tiles = atoms.tiles._tiles
    assert len(tiles) == atoms.tiles.fits
    order = np.lexsort((np.arange(len(code)), -np.abs(code)))
    assert [tile[0] for tile in tiles] == order[: len(tiles)].tolist()
    assert [tile[2] for tile in tiles if code[tile[0]]] == [f"{v:.2f}" for v in code[order] if v][
        : len(tiles)
    ]
    assert atoms.header.summary.text() == f"{np.count_nonzero(code)} of 300 active"


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_a_click_on_an_atom_selects_its_neuron_everywhere(user, window, atoms):
    neuron = atoms.tiles._tiles[1][0]
    user.click(atoms.tiles, atoms.tiles._place(1).center())
    user.settle()
    assert window.workspace.neuron == neuron
    assert atoms.tiles._selected == neuron
    assert window.inspector.heading.text().startswith(f"Neuron {neuron} ")
    assert neuron in window.views["traces"]._neurons.tolist()
    user.click(atoms.tiles, atoms.tiles.rect().bottomRight())  # on none
    assert window.workspace.neuron == neuron


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_arrows_go_through_the_atoms_when_they_have_the_focus(user, window, atoms):
    atoms.tiles.setFocus()
    first, second = (tile[0] for tile in atoms.tiles._tiles[:2])
    user.press(Key.Key_Right)
    assert window.workspace.neuron == first
    user.settle()
    user.press(Key.Key_Right)
    assert window.workspace.neuron == second
    user.settle()
    user.press(Key.Key_Left)
    assert window.workspace.neuron == first
    assert user.step == 40


@pytest.mark.parametrize("user", [("digits-random", "data.train=300")], indirect=True)
def test_random_atoms_are_shown_without_classes(user, window, atoms):
    assert all("an atom" in tile[4] for tile in atoms.tiles._tiles)


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_a_larger_view_shows_more_atoms(user, window, atoms):
    before = len(atoms.tiles._tiles)
    window.resize(window.width() + 300, window.height() + 200)
    user.settle()
    assert len(atoms.tiles._tiles) > before


@pytest.mark.parametrize("user", [("digits-unstable",)], indirect=True)
def test_a_diverged_code_is_drawn(user, window):
    user.bring_up("atoms")
    user.go_to(100)
    assert window.facts.text().startswith("finished: diverged")
    assert window.views["atoms"].tiles._tiles


LEARNED = ("digits-exemplar", "data.train=300", "data.test=40", "dictionary.learning_updates=60")


@pytest.mark.parametrize("user", [LEARNED], indirect=True)
def test_a_dictionary_is_drawn_as_it_forms_and_then_stays(user, window):
    user.choose(user.field("dictionary.kind").combo, "learned")
    view = window.views["atoms"]
    user.wait(lambda: window.workspace.preview is not None and view.curve.isVisible())
    assert window._on_screen(view)  # it was brought up
    assert view.header.summary.text().startswith("learning: ")
    assert "of 60 mini-batches" in view.header.summary.text()
    assert len(view.curve._lines[0][1]) >= 1
    user.wait(lambda: window.workspace.experiment.dictionary.source is None)
    user.settle()
    user.go_to(40)
    assert window.workspace.preview is None and not view.curve.isVisible()
    assert "of 128 active" in view.header.summary.text()
    assert window.workspace.experiment.system.wiring.labels is not None


@pytest.mark.parametrize(
    "user", [(*LEARNED[:3], "dictionary.learning_updates=100000")], indirect=True
)
def test_learning_can_be_called_off_and_the_run_before_stays(user, window):
    user.choose(user.field("dictionary.kind").combo, "learned")
    user.wait(lambda: window.workspace.preview is not None)
    user.do("cancel")
    user.wait(lambda: user.complaints)
    assert "cancelled" in user.dismiss()
    user.settle()
    assert window.workspace.preview is None
    assert window.workspace.document.dictionary.kind == "exemplar"
    assert window.workspace.experiment.dictionary.source is not None


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_pictures_that_take_time_come_over_several_frames(user, window, monkeypatch):
    made = []

    def slow(experiment, neuron):
        time.sleep(0.005)
        made.append(neuron)
        return pictures.neuron_picture(experiment, neuron)

    monkeypatch.setattr(module, "neuron_picture", slow)
    view = user.bring_up("atoms")
    user.go_to(40)
    view._pictures.clear()
    made.clear()
    view.draw(window.workspace.snapshot)
    assert 1 <= len(made) <= 3
    user.wait(lambda: len(view._pictures) == len(view.tiles._tiles))
    user.frames(2)
    assert not any(tile[1].isNull() for tile in view.tiles._tiles)
    count = len(made)
    user.frames(5)
    assert len(made) == count


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_an_atom_whose_image_is_gone_is_left_blank(user, window, monkeypatch):
    monkeypatch.setattr(module, "neuron_picture", lambda experiment, neuron: None)
    view = user.bring_up("atoms")
    view._pictures.clear()
    user.go_to(40)
    assert view.tiles._tiles[0][1].isNull()
    view.grab()
