"""The command palette."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from workbench.desktop.palette_dialog import PaletteDialog, _matches

Key, Held = Qt.Key, Qt.KeyboardModifier


@pytest.fixture
def palette(user, window):
    user.press(Key.Key_K, Held.ControlModifier)
    (dialog,) = window.findChildren(PaletteDialog)
    assert dialog.isVisible()
    return dialog


def offered(palette: PaletteDialog) -> list[str]:
    return [palette.list.topLevelItem(i).text(0) for i in range(palette.list.topLevelItemCount())]


def test_typing_finds_a_command_and_return_runs_it(user, window, palette):
    user.qtbot.keyClicks(palette.text, "step forward")
    assert offered(palette)[0] == "Step forward"
    user.qtbot.keyClick(palette.text, Key.Key_Return)
    user.settle()
    assert user.step == 1
    assert not window.findChildren(PaletteDialog)


def test_a_few_letters_in_order_are_enough(user, window, palette):
    user.qtbot.keyClicks(palette.text, "tn frw")
    assert offered(palette) == ["Ten steps forward"]


def test_arrows_go_round_the_list(user, window, palette):
    user.qtbot.keyClicks(palette.text, "step")
    names = offered(palette)
    assert len(names) > 2
    user.qtbot.keyClick(palette.text, Key.Key_Up)
    assert palette.list.currentItem().text(0) == names[-1]
    user.qtbot.keyClick(palette.text, Key.Key_Down)
    user.qtbot.keyClick(palette.text, Key.Key_Down)
    assert palette.list.currentItem().text(0) == names[1]


def test_a_click_runs_the_command(user, window, palette):
    user.qtbot.keyClicks(palette.text, "to the last")
    item = palette.list.topLevelItem(0)
    place = palette.list.visualItemRect(item).center()
    user.qtbot.mouseClick(palette.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    user.settle()
    assert user.step == 100


def test_nothing_found_is_nothing_done(user, window, palette):
    user.qtbot.keyClicks(palette.text, "xyzzy")
    assert offered(palette) == []
    user.qtbot.keyClick(palette.text, Key.Key_Down)
    user.qtbot.keyClick(palette.text, Key.Key_Return)
    assert palette.isVisible()
    user.qtbot.keyClick(palette.text, Key.Key_Escape)
    user.settle()
    assert not window.findChildren(PaletteDialog)
    assert user.step == 0


def test_it_offers_what_can_be_done_and_its_keys(user, window, palette):
    names = offered(palette)
    assert "Run" in names and "Undo" not in names  # there is nothing to undo
    assert "Command palette" not in names
    keys = {
        palette.list.topLevelItem(i).text(0): palette.list.topLevelItem(i).text(1)
        for i in range(palette.list.topLevelItemCount())
    }
    assert keys["Run"] == "Space"


@pytest.mark.parametrize(
    "user", [("lif-population", "system.steps=20"), ("digits-exemplar",)], indirect=True
)
def test_it_does_not_offer_views_that_the_system_cannot_fill(user, window, palette):
    names = offered(palette)
    for view in window.views.values():
        applies = view.applies(type(window.workspace.experiment.system))
        assert (view.title in names) is applies


def test_a_view_can_be_opened_by_name(user, window):
    window.area.docks["counts"].close()
    user.press(Key.Key_K, Held.ControlModifier)
    (palette,) = window.findChildren(PaletteDialog)
    user.qtbot.keyClicks(palette.text, "firing neurons")
    user.qtbot.keyClick(palette.text, Key.Key_Return)
    user.settle()
    assert not window.area.docks["counts"].isHidden()


@pytest.mark.parametrize(
    ("typed", "words", "found"),
    [("", "open", True), ("opn", "open", True), ("noep", "open", False), ("o n", "open", True)],
)
def test_letters_must_come_in_order(typed, words, found):
    assert _matches(typed, words) is found
