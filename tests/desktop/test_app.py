"""Opening the window for good, taking its picture, and errors of our own."""

from __future__ import annotations

import gc
import sys

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QTimer
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication

from workbench.desktop import app
from workbench.desktop.theme import DARK, theme
from workbench.desktop.window import Window
from workbench.document import load, shipped
from workbench.errors import InputError


@pytest.fixture
def theme_again():
    """Each opening installs the theme and takes it away; the other tests want it back."""
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()  # or the old windows are restyled, too
    theme.install()


@pytest.mark.parametrize("dark", [False, True])
def test_a_picture_shows_the_window_at_a_step(themed_app, theme_again, tmp_path, dark):
    path, out = shipped()["digits-exemplar"], tmp_path / "window.png"
    assert app.take_picture(load(path), path, 30, out, (1280, 800), dark) == 30
    picture = QImage(str(out))
    assert (picture.width(), picture.height()) == (1280, 800)
    assert (picture.pixelColor(3, 400) == QColor(DARK.background)) is dark
    assert not [w for w in QApplication.topLevelWidgets() if w.isVisible()]


def test_views_are_brought_up_and_a_picture_waits_for_what_they_work_out(
    themed_app, theme_again, tmp_path, monkeypatch
):
    path, seen = shipped()["digits-exemplar"], {}
    close = Window.close_for_good

    def looked(window):
        for name in ("regimes", "why"):
            view = window.views[name]
            seen[name] = view.isVisible() and view.header.summary.text()
        seen["mapped"] = not window.views["regimes"].mapper.working
        close(window)

    monkeypatch.setattr(Window, "close_for_good", looked)
    document = load(path).with_text("view.neuron=719").with_text("system.steps=30")
    size, views = (1280, 800), ("why", "regimes")
    app.take_picture(document, path, 20, tmp_path / "a.png", size, False, views)
    assert seen["mapped"] and "here · " in seen["regimes"] and "…" not in seen["regimes"]
    assert seen["why"] == "step 20 → 21"


@pytest.mark.parametrize(
    ("session", "view", "words"),
    [
        ("digits-exemplar", "pictures", "--show pictures: no such view; traces, "),
        ("digits-exemplar", "fi", "--show fi: there is nothing of LCA to show in it"),
    ],
)
def test_a_view_that_is_not_there_is_refused(
    themed_app, theme_again, tmp_path, session, view, words
):
    path, out = shipped()[session], tmp_path / "a.png"
    with pytest.raises(InputError) as error:
        app.take_picture(load(path), path, 3, out, (1000, 700), False, (view,))
    assert str(error.value).startswith(words) and not out.exists()


def test_a_step_beyond_the_end_shows_the_end(themed_app, theme_again, tmp_path):
    document = load(shipped()["digits-exemplar"]).with_text("system.steps=12")
    assert app.take_picture(document, None, 99, tmp_path / "a.png", (1000, 700), False) == 12


def test_a_picture_of_a_session_that_cannot_run_says_why(themed_app, theme_again, tmp_path):
    document = load(shipped()["digits-exemplar"]).with_text("run.device=cuda")
    with pytest.raises(InputError, match="run.device"):
        app.take_picture(document, None, 3, tmp_path / "a.png", (1000, 700), False)
    assert not (tmp_path / "a.png").exists()


def test_a_picture_that_cannot_be_written_says_so(themed_app, theme_again, tmp_path):
    document = load(shipped()["digits-exemplar"])
    with pytest.raises(InputError, match="could not be written"):
        app.take_picture(document, None, 3, tmp_path / "no" / "a.png", (1000, 700), False)


@pytest.mark.parametrize("run", [False, True])
def test_the_window_opens_and_closing_it_ends_the_program(
    themed_app, theme_again, monkeypatch, qtbot, run
):
    path, seen = shipped()["digits-exemplar"], []
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # put back afterwards

    def look() -> None:
        windows = [w for w in QApplication.topLevelWidgets() if isinstance(w, app.Window)]
        window = next(w for w in windows if w.isVisible())
        status = window.workspace.status
        wanted = "running" if run else "paused"
        if status is not None and status.state.value == wanted:
            seen.append(window.windowTitle())
            timer.stop()
            window.close()
            window.deleteLater()

    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(10)
    assert app.open_window(load(path), path, run) == 0
    assert seen == ["digits-exemplar[*] — Workbench"]


def test_an_error_of_ours_goes_to_the_log_and_the_window_lives(user, window, expected_logs):
    expected_logs.append("unexpected error")
    error = KeyError("threshold")
    app._hook(window)(type(error), error, None)
    assert user.dismiss().startswith("Something went wrong: KeyError: 'threshold'")
    app._hook(window)(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert not window.isVisible()
