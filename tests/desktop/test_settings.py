"""What is remembered between sittings, and that nothing in it can stop the window."""

from __future__ import annotations

import json
import os

import pytest
from PySide6.QtCore import Qt

from workbench.desktop.settings import RECENT, Settings
from workbench.desktop.theme import theme
from workbench.folders import home


def test_settings_live_in_the_users_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "mine"))
    Settings().theme = "dark"
    assert home() == tmp_path / "mine"
    assert json.loads((tmp_path / "mine" / "settings.json").read_text())["theme"] == "dark"
    assert Settings().theme == "dark"


def test_what_was_set_is_there_the_next_time(settings_path):
    settings = Settings(settings_path)
    settings.theme = "light"
    settings.geometry = b"\x00\x01"
    settings.set_layout("explore: a b", b"\xff")
    again = Settings(settings_path)
    assert (again.theme, again.geometry) == ("light", b"\x00\x01")
    assert again.layout("explore: a b") == b"\xff"
    again.set_layout("explore: a b", None)
    assert Settings(settings_path).layout("explore: a b") is None


def test_recent_files_are_few_each_once_newest_first(settings_path, tmp_path):
    settings = Settings(settings_path)
    paths = [tmp_path / f"{i}.json" for i in range(RECENT + 3)]
    for path in paths:
        path.touch()
        settings.add_recent(path)
    settings.add_recent(paths[5])
    expected = [paths[5], *[p for p in reversed(paths) if p != paths[5]]][:RECENT]
    assert Settings(settings_path).recent == expected


SPOILT = [
    "",
    "{",
    "[]",
    "null",
    '{"theme": "pink", "recent": null, "layouts": null, "geometry": null}',
    '{"theme": 3, "recent": "x", "layouts": [], "geometry": 4}',
    '{"recent": [1, null, "\\u0000"], "layouts": {"explore": 1}, "geometry": "not base64!"}',
    '{"recent": {}, "layouts": {"KEY": "not base64!"}, "geometry": "AAAA"}',
]


@pytest.mark.parametrize("content", SPOILT)
def test_a_spoilt_file_is_as_good_as_none(settings_path, tmp_path, content):
    settings_path.parent.mkdir(parents=True)
    settings_path.write_text(content.replace("KEY", "explore/1"))
    settings = Settings(settings_path)
    assert settings.theme == "system"
    assert settings.recent == []
    assert settings.layout("explore") is None
    assert settings.geometry in (None, b"\x00\x00\x00")
    session = tmp_path / "session.json"
    session.touch()
    settings.add_recent(session)
    settings.set_layout("explore", b"1")
    settings.theme = "dark"
    again = Settings(settings_path)
    assert (again.recent, again.layout("explore"), again.theme) == ([session], b"1", "dark")


@pytest.mark.parametrize("content", SPOILT[-2:])
def test_the_window_opens_over_spoilt_settings(open_window, settings_path, content):
    settings_path.parent.mkdir(parents=True)
    settings_path.write_text(content)
    user = open_window("digits-exemplar")
    assert user.state == "paused"


def test_bytes_that_are_no_text_are_as_good_as_none(settings_path):
    settings_path.parent.mkdir(parents=True)
    settings_path.write_bytes(b"\xff\xfe\x00")
    assert Settings(settings_path).theme == "system"


def test_a_full_disk_stops_nothing_and_leaves_the_old_file(settings_path, monkeypatch):
    settings = Settings(settings_path)
    settings.theme = "light"

    def full(*args, **kwargs):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("pathlib.Path.write_text", full)
    settings.theme = "dark"
    monkeypatch.undo()
    assert settings.theme == "dark"  # for this sitting
    assert Settings(settings_path).theme == "light"


def test_the_window_remembers_theme_and_size(open_window, user, window, settings_path):
    user.press(Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    assert Settings(settings_path).theme == ("dark" if theme.colours.dark else "light")
    window.resize(1000, 650)
    user.frames(1)
    window.close()
    assert Settings(settings_path).geometry
    later = open_window("digits-exemplar")
    assert later.window.height() == 650
