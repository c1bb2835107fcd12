"""What every control must have, and that nothing is cut off."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QLabel,
    QLineEdit,
    QTabBar,
    QWidget,
)

from workbench.desktop.theme import theme
from workbench.desktop.views.header import CutLabel

Key, Held = Qt.Key, Qt.KeyboardModifier


def unfold(user, window) -> None:
    for group in window.parameters.groups.values():
        if group.more.isVisible() and not group.more.isChecked():
            group.more.setChecked(True)
    user.frames(2)


def shown(root: QWidget, *kinds: type) -> list[QWidget]:
    return [w for kind in kinds for w in root.findChildren(kind) if w.isVisible()]


@pytest.mark.parametrize("user", [("digits-exemplar",), ("lif-population",)], indirect=True)
def test_everything_that_takes_the_focus_has_an_accessible_name(user, window):
    unfold(user, window)
    nameless = []
    for name in window.views:
        window.area.docks[name].raise_()
        user.frames(1)
        for widget in shown(window, QWidget):
            focusable = widget.focusPolicy() != Qt.FocusPolicy.NoFocus and not widget.focusProxy()
            if focusable and not isinstance(widget, QTabBar) and not widget.accessibleName():
                nameless.append(f"{type(widget).__name__} in {type(widget.parent()).__name__}")
    assert not nameless


def test_every_button_and_choice_can_be_reached_with_the_tab_key(user, window):
    window.setFocus()
    seen = set()
    for _ in range(200):
        user.press(Key.Key_Tab)
        focused = window.focusWidget()
        if focused in seen:
            break
        seen.add(focused)
    controls = [
        w
        for w in shown(window, QAbstractButton, QComboBox, QLineEdit)
        if w.isEnabled() and w.focusPolicy() & Qt.FocusPolicy.TabFocus
    ]
    missed = [w.accessibleName() for w in controls if w not in seen]
    assert len(controls) > 20 and not missed


def test_buttons_say_what_they_do_when_pointed_at(user, window):
    for button in shown(window, QAbstractButton):
        if not button.text():
            assert button.toolTip(), button.accessibleName()


def cut_off(root: QWidget, frame: QWidget) -> list[str]:
    """What stands beyond the frame, or has less room than its text."""
    found = []
    limits = QRect(frame.mapToGlobal(QPoint()), frame.size())
    for widget in shown(root, QLabel, QAbstractButton, QComboBox, QLineEdit):
        place = QRect(widget.mapToGlobal(QPoint()), widget.size())
        words = getattr(widget, "text", lambda: "")() or widget.accessibleName()
        across = place.left() >= limits.left() and place.right() <= limits.right()
        if not across:
            found.append(f"{type(widget).__name__} {words!r} stands out")
        if isinstance(widget, QLabel) and not widget.wordWrap() and widget.text():
            if widget.width() < widget.sizeHint().width():
                found.append(f"{words!r} needs {widget.sizeHint().width()}, has {widget.width()}")
        elif isinstance(widget, (QAbstractButton, QComboBox)):
            if widget.width() < widget.minimumSizeHint().width():
                found.append(f"{type(widget).__name__} {words!r} is squeezed")
        elif isinstance(widget, QLineEdit):
            needed = widget.fontMetrics().horizontalAdvance(widget.displayText())
            if needed > widget.width() - 8:
                found.append(f"the field with {words!r} is too narrow")
    return found


@pytest.mark.parametrize("user", [("digits-exemplar",), ("lif-population",)], indirect=True)
def test_nothing_in_rail_transport_and_status_is_cut_off(user, window):
    user.go_to(40)
    unfold(user, window)
    facts = window.facts
    for _ in ("normal", "presenter"):
        for size in ((1280, 800), (1440, 900)):
            window.resize(*size)
            user.frames(2)
            if not window.rail.isVisible():  # folded away for the views
                user.press(Key.Key_1, Held.ControlModifier)
                user.frames(2)
            assert (window.width(), window.height()) == size
            assert not cut_off(window.rail.widget(), window.rail.viewport())
            assert not cut_off(window.transport, window.transport)
            assert not cut_off(window.menuBar(), window)
            user.wait(lambda: facts.width() >= facts.sizeHint().width())
            assert facts.mapTo(window, facts.rect().bottomRight()).x() <= window.width()
        user.press(Key.Key_F11)


def test_at_1280_by_800_a_running_window_has_room_for_its_status(user, window):
    window.resize(1280, 800)
    user.choose(window.transport.speed, "200 steps/s")
    user.press(Key.Key_Space)
    facts = window.facts
    user.wait(lambda: "steps/s" in facts.text() and facts.width() >= facts.sizeHint().width())
    assert not cut_off(window.transport, window.transport)


@pytest.mark.parametrize("presenting", [False, True])
@pytest.mark.parametrize("user", [("digits-exemplar",), ("lif-population",)], indirect=True)
def test_titles_and_controls_of_the_views_are_not_squeezed(user, window, presenting):
    window.resize(1280, 800)
    user.go_to(40)
    if presenting:
        user.press(Key.Key_F11)
        user.settle()
    for name, dock in window.area.docks.items():
        if not dock.toggleViewAction().isVisible():  # the system has nothing for it
            continue
        view = user.bring_up(name)
        header = view.header
        assert header.title.width() >= header.title.sizeHint().width(), name
        for control in shown(header, QComboBox, QAbstractButton):
            assert control.geometry().right() <= header.width(), name
            if isinstance(control, QComboBox):  # its text, beside the arrow
                words = control.fontMetrics().horizontalAdvance(control.currentText())
                assert control.width() >= words + theme.px(21), name


@pytest.mark.parametrize("user", [("digits-exemplar",)], indirect=True)
def test_a_narrow_window_folds_the_inspector_and_brings_it_back(user, window):
    window.resize(1000, 700)
    user.frames(2)
    assert not window.side.isVisible() and window.rail.isVisible()
    user.press(Key.Key_2, Held.ControlModifier)  # the user wants it all the same
    user.frames(1)
    assert window.side.isVisible()
    window.resize(1440, 900)
    user.frames(2)
    assert window.side.isVisible()


@pytest.mark.parametrize("user", [("digits-exemplar",)], indirect=True)
def test_on_a_small_projector_the_views_have_all_the_room(user, window):
    window.resize(1280, 800)
    user.press(Key.Key_F11)
    user.settle()
    assert not window.rail.isVisible() and not window.side.isVisible()
    assert window.said.text() == "Ctrl+1 shows the parameters"
    user.press(Key.Key_1, Held.ControlModifier)
    user.frames(1)
    assert window.rail.isVisible()
    user.press(Key.Key_F11)
    user.settle()
    assert window.rail.isVisible() and window.side.isVisible()
    user.press(Key.Key_1, Held.ControlModifier)  # who wants no parameters gets none afterwards
    for _ in range(2):
        user.press(Key.Key_F11)
        user.settle()
        assert not window.rail.isVisible()
    assert window.side.isVisible()


@pytest.mark.parametrize("text", ["0 since 16", "<b>0</b> since 16"])
def test_a_line_without_room_ends_in_dots(qtbot, themed_app, text):
    label = CutLabel(text)
    qtbot.addWidget(label)
    label.resize(label.sizeHint())
    whole = label.grab().toImage()
    label.resize(label.sizeHint().width() - 20, label.height())
    cut = label.grab().toImage()
    dots = label.fontMetrics().horizontalAdvance("…") + 2
    kept = QRect(0, 0, cut.width() - dots, cut.height())
    assert cut.copy(kept) == whole.copy(kept)
    end = cut.copy(QRect(cut.width() - dots, 0, dots, cut.height()))
    colours = {end.pixelColor(x, y).name() for x in range(dots) for y in range(end.height())}
    assert theme.colours.surface in colours and len(colours) > 1


@pytest.mark.parametrize("user", [("digits-exemplar",)], indirect=True)
def test_a_choice_is_as_wide_as_what_is_chosen_and_its_list_shows_all(user, window):
    combo = window.views["evidence"].mode
    narrow, summary = combo.width(), window.views["evidence"].header.summary.width()
    user.choose(combo, "all decoders")
    user.settle()
    assert combo.width() > narrow and window.views["evidence"].header.summary.width() < summary
    user.choose(combo, "now")
    user.settle()
    user.click(combo)
    view = combo.view()
    assert view.viewport().width() >= view.sizeHintForColumn(0) > combo.width() - 40
    user.qtbot.keyClick(view, Key.Key_Escape)
    user.settle()
    assert combo.width() == narrow
