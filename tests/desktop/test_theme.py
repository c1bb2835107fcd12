"""Light, dark, and large."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from workbench.desktop.theme import DARK, LIGHT, PRESENTER_SCALE, theme
from workbench.desktop.views.base import PlotView

Key, Held = Qt.Key, Qt.KeyboardModifier


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""

    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    c = QColor(colour)
    return sum(
        weight * linear(part)
        for weight, part in zip(
            (0.2126, 0.7152, 0.0722), (c.redF(), c.greenF(), c.blueF()), strict=True
        )
    )


def contrast(a: str, b: str) -> float:
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_text_can_be_read_on_every_ground(colours):
    for ground in (colours.background, colours.surface):
        assert contrast(colours.text, ground) >= 7
        for words in (colours.muted, colours.warning, colours.error):
            assert contrast(words, ground) >= 4.5
        assert contrast(colours.accent, ground) >= 3
    assert contrast(colours.on_accent, colours.accent) >= 4.5


def dominant(image) -> QColor:
    """The colour of most pixels that are not transparent."""
    counts: dict[int, int] = {}
    for x in range(image.width()):
        for y in range(image.height()):
            pixel = image.pixelColor(x, y)
            if pixel.alpha() == 255:
                counts[pixel.rgb()] = counts.get(pixel.rgb(), 0) + 1
    return QColor(max(counts, key=counts.get))


def test_switching_repaints_grounds_and_icons_and_comes_back(user, window):
    assert theme.colours is LIGHT
    for colours in (DARK, LIGHT):
        user.press(Key.Key_T, Held.ControlModifier)
        user.frames(2)
        assert theme.colours is colours
        for view in window.views.values():
            if isinstance(view, PlotView):
                assert view.widget.backgroundBrush().color() == QColor(colours.surface)
            icon = view.header.help.icon().pixmap(32).toImage()
            assert dominant(icon) == QColor(colours.muted)
        run = window.transport.buttons["run"].icon().pixmap(32).toImage()
        assert dominant(run) == QColor(colours.text)
        picture = window.grab().toImage()
        assert picture.pixelColor(3, picture.height() // 2) == QColor(colours.background)


def test_a_switch_in_mid_run_keeps_run_and_picture(user, window):
    user.go_to(40)
    before = window.views["terms"].table()[1]
    user.press(Key.Key_T, Held.ControlModifier)
    user.settle()
    assert user.step == 40
    assert (window.views["terms"].table()[1] == before).all()
    assert len(window.views["terms"]._curves[0].getData()[0]) == 41


def test_it_follows_the_system_until_a_theme_is_chosen(user, window):
    user.do("theme")
    assert theme.choice == "dark"
    user.do("system_theme")
    assert theme.choice == "system" and theme.colours is LIGHT


def test_presenter_mode_scales_everything_and_back(user, window):
    def sizes() -> tuple[int, int, int]:
        title = window.views["traces"].header.title
        return (
            window.rail.width() - 16,
            title.fontMetrics().height(),
            window.samples.thumbnails.sizeHint().height(),
        )

    normal = sizes()
    user.press(Key.Key_F11)
    user.settle()
    assert window.actions_by_name["presenter"].isChecked()
    for large, small in zip(sizes(), normal, strict=True):
        assert large / small == pytest.approx(PRESENTER_SCALE, rel=0.12)
    user.go_to(20)
    window.grab()
    user.press(Key.Key_F11)
    user.settle()
    assert sizes() == normal
    assert not window.actions_by_name["presenter"].isChecked()
