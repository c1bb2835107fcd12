"""Every view at the edges of what a session may ask for."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

SMALL = ("digits-exemplar", "data.train=100", "data.test=20", "dictionary.atoms=10")
EXTREMES = {
    "no steps": (*SMALL, "system.steps=0"),
    "one atom": (*SMALL, "dictionary.atoms=1", "system.steps=20"),
    "one image, silence": (*SMALL, "data.test=1", "system.threshold=1e6", "system.steps=20"),
    "no threshold": (*SMALL, "system.threshold=0", "system.steps=20"),
    "explosion": ("digits-unstable",),
    "random": (*SMALL, "dictionary.kind=random", "system.steps=20"),
    "silent spikes": ("lif-population", "system.gain=0", "system.steps=20"),
    "no spiking steps": ("lif-population", "system.steps=0"),
}


@pytest.mark.parametrize("user", EXTREMES.values(), ids=EXTREMES, indirect=True)
def test_every_view_draws_and_has_a_figure_whatever_happens(user, window):
    user.press(Qt.Key.Key_End)
    user.settle()
    if window.actions_by_name["evaluate"].isEnabled():
        user.do("evaluate")
        user.wait(lambda: not window.workspace.evaluating)
    window.workspace.select_neuron(0)
    system = type(window.workspace.experiment.system)
    for name, view in window.views.items():
        if not view.applies(system):
            continue
        user.bring_up(name)
        for combo in view.header.findChildren(type(window.layout_choice)):
            combo.setCurrentIndex(combo.count() - 1)
            user.settle()
        window.grab()  # paints
        figure, table = view.figure(), view.table()
        assert (figure is None) is (table is None), name
        if figure is not None:
            figure.canvas.draw()
        if not view._empty.isVisible():
            assert view.accessibleDescription(), name
