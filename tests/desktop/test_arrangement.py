"""The docks: each layout shows its views, none covers another, and the user's changes stay."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QTabBar

from workbench.desktop.layouts import LAYOUTS, columns_of

Key, Held = Qt.Key, Qt.KeyboardModifier
SESSIONS = [("digits-exemplar",), ("digits-random",), ("lif-population",)]


def on_screen(window) -> dict[str, QRect]:
    """Where the docks are that can be seen, headers included."""
    return {
        name: dock.geometry()
        for name, dock in window.area.docks.items()
        if dock.isVisible() and not dock.visibleRegion().isEmpty()
    }


def tab_bars(window) -> list[QTabBar]:
    """The tab bars of which anything can be seen; Qt puts forgotten ones outside or in a corner."""
    direct = Qt.FindChildOption.FindDirectChildrenOnly
    bars = window.area.findChildren(QTabBar, options=direct)
    return [bar for bar in bars if bar.isVisible() and not bar.visibleRegion().isEmpty()]


def check_tidy(window) -> None:
    """No two docks overlap, no tab bar lies astray, and together they fill the area."""
    places = on_screen(window)
    assert places
    names = list(places)
    for i, name in enumerate(names):
        assert window.area.rect().contains(places[name]), name
        for other in names[i + 1 :]:
            assert not places[name].intersects(places[other]), f"{name} covers {other}"
    for bar in tab_bars(window):
        assert bar.count() >= 2
        assert not any(bar.geometry().intersects(place) for place in places.values())
    bars = sum(bar.width() * bar.height() for bar in tab_bars(window))
    covered = sum(place.width() * place.height() for place in places.values())
    whole = window.area.width() * window.area.height()
    assert covered + bars > 0.94 * whole  # the rest are the lines between them


def shown_by(layout: str, window) -> dict[str, bool]:
    """The views of a layout, and whether each is in front."""
    system = type(window.workspace.experiment.system)
    views = [name for name, view in window.views.items() if view.applies(system)]
    return {
        name: name == names[0]
        for _, cells in columns_of(layout, views)
        for names, _ in cells
        for name in names
    }


@pytest.mark.parametrize("user", SESSIONS, indirect=True)
def test_each_layout_shows_its_views_side_by_side(user, window):
    sizes = [(1440, 900), (1280, 800), (960, 600), (1440, 900), (1280, 800)]
    for size, layout in zip(sizes, (*LAYOUTS, "explore"), strict=True):  # and back to the first
        window.resize(*size)
        if window.area.layout_name != layout:
            user.choose(window.layout_choice, layout.capitalize())
        user.settle()
        expected = shown_by(layout, window)
        assert set(on_screen(window)) == {name for name, front in expected.items() if front}
        opened = {name for name, dock in window.area.docks.items() if not dock.isHidden()}
        assert opened == set(expected)
        check_tidy(window)
        assert window.layout_choice.currentText() == layout.capitalize()
        assert window.workspace.document.view.layout == layout


@pytest.mark.parametrize("layout", ["Explore", "Teach", "Debug"])
def test_every_view_can_be_closed_and_opened_from_the_menu(user, window, layout):
    if layout != "Explore":
        user.choose(window.layout_choice, layout)
    user.settle()
    offered = {n: d for n, d in window.area.docks.items() if d.toggleViewAction().isVisible()}
    assert len(offered) == len(window.views) - 1
    for name, dock in offered.items():
        for _ in range(2):
            was = dock.isHidden()
            dock.toggleViewAction().trigger()
            user.frames(2)
            assert dock.isHidden() is not was
            check_tidy(window)
            if was:
                dock.raise_()
                user.frames(2)
                assert name in on_screen(window)
                check_tidy(window)


def test_a_click_on_a_tab_brings_its_view_to_the_front(user, window):
    (bar,) = (
        bar
        for bar in tab_bars(window)
        if "Raster" in [bar.tabText(index) for index in range(bar.count())]
    )
    index = [bar.tabText(i) for i in range(bar.count())].index("Raster")
    assert not window._on_screen(window.views["raster"])
    user.click(bar, bar.tabRect(index).center())
    user.settle()
    assert window._on_screen(window.views["raster"])
    assert not window._on_screen(window.views["terms"])
    check_tidy(window)


def test_the_users_arrangement_comes_back_with_the_layout(user, window):
    window.area.docks["counts"].close()
    user.bring_up("raster")
    mine = on_screen(window)
    user.choose(window.layout_choice, "Debug")
    user.settle()
    assert "counts" in on_screen(window)
    user.choose(window.layout_choice, "Explore")
    user.settle()
    assert on_screen(window) == mine
    check_tidy(window)


def test_the_users_arrangement_comes_back_in_the_next_sitting(user, window, open_window):
    window.area.docks["counts"].close()
    user.bring_up("raster")
    mine = on_screen(window)
    window.close()
    later = open_window("digits-exemplar")
    assert set(on_screen(later.window)) == set(mine)
    check_tidy(later.window)


def test_the_users_arrangement_survives_another_session(user, window):
    window.area.docks["counts"].close()
    user.settle()
    window.files.examples_menu.actions()[0].trigger()
    user.settle()
    assert window.area.docks["counts"].isHidden()


def test_each_system_keeps_its_own_arrangement(user, window):
    window.area.docks["counts"].close()
    user.choose(window.parameters.kind, "LIF population")
    user.settle()
    assert not window.area.docks["counts"].isHidden()
    user.choose(window.parameters.kind, "LCA")
    user.settle()
    assert window.area.docks["counts"].isHidden()
    check_tidy(window)


def test_reset_puts_the_views_back(user, window):
    before = on_screen(window)
    window.area.docks["counts"].close()
    user.bring_up("raster")
    assert on_screen(window) != before
    user.do("reset_layout")
    user.settle()
    assert on_screen(window) == before
    user.choose(window.layout_choice, "Teach")
    user.choose(window.layout_choice, "Explore")
    user.settle()
    assert on_screen(window) == before  # what was reset is forgotten
    check_tidy(window)


def test_a_spoilt_memory_of_the_arrangement_is_as_good_as_none(open_window, settings_path):
    first = open_window("digits-exemplar")
    key = first.window.area._key
    first.window.close()
    settings = first.window.settings
    settings.set_layout(key, b"not an arrangement")
    later = open_window("digits-exemplar")
    check_tidy(later.window)
    assert set(on_screen(later.window)) == {
        name for name, front in shown_by("explore", later.window).items() if front
    }


@pytest.mark.parametrize("user", [("lif-population", "view.layout=debug")], indirect=True)
def test_a_view_that_does_not_apply_is_not_offered(user, window):
    offered = {
        name for name, dock in window.area.docks.items() if dock.toggleViewAction().isVisible()
    }
    everywhere = {"traces", "counts", "raster", "images", "why", "compare", "regimes", "browser"}
    assert offered == everywhere | {"phase", "fi"}
