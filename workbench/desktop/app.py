"""Opens the window, or takes a picture of it."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pyqtgraph as pg
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from workbench.desktop.settings import Settings
from workbench.desktop.theme import theme
from workbench.desktop.window import Window
from workbench.document import Document
from workbench.errors import InputError

PATIENCE = 120.0  # seconds that a picture waits for what is worked out beside the run
log = logging.getLogger(__name__)


def application() -> QApplication:
    """The one application, with theme and error hook."""
    app = QApplication.instance() or QApplication(sys.argv[:1])
    app.setApplicationName("workbench")
    app.setApplicationDisplayName("Workbench")
    app.setStyle("Fusion")
    pg.setConfigOptions(antialias=False, imageAxisOrder="row-major")
    theme.install()
    return app


def open_window(document: Document, path: Path | None, run: bool = False) -> int:
    """Show the window, running at once if asked to, until it is closed; returns the exit code."""
    app = application()
    settings = Settings()
    theme.choose(settings.theme)
    window = Window(document, path, settings)
    sys.excepthook = _hook(window)
    window.show()
    if run:
        window.workspace.ready.connect(window.running.toggle)
    QTimer.singleShot(0, window, window.start)  # after the first paint
    code = app.exec()
    theme.uninstall()
    return code


def take_picture(
    document: Document,
    path: Path | None,
    step: int,
    out: Path,
    size: tuple[int, int],
    dark: bool,
    views: Sequence[str] = (),
) -> int:
    """Open the window, go to a step, and save what it looks like; returns the step it got to.

    Args:
        document: what is run.
        path: of its session.
        step: to go to; beyond the end, the last one.
        out: the file, .png.
        size: width and height of the window.
        dark: in the dark theme.
        views: names of those that are brought in front of the others.

    Raises:
        InputError: the run failed, there is no such view, or the picture cannot be written.
    """
    app = application()
    theme.choose("dark" if dark else "light")
    with TemporaryDirectory() as folder:  # a picture does not depend on the user's arrangement
        window = Window(document, path, Settings(Path(folder) / "settings.json"))
        window.resize(*size)
        reached = _picture(app, window, step, out, views)
    theme.uninstall()
    return reached


def _picture(app: QApplication, window: Window, step: int, out: Path, views: Sequence[str]) -> int:
    before = threading.enumerate()
    window.show()
    window.start()
    try:
        _until(app, lambda: _loaded(window))
        there = threading.Event()
        window.workspace.ask(lambda runner: runner.seek(step))
        window.workspace.ask(lambda runner: runner.when_done(there.set))
        _until(app, there.is_set)
        refused = window.workspace.runner.status.refused
        if refused:  # branches of the session that do not fit it
            raise InputError(refused)
        for name in views:
            _bring_up(window, name)
        _draw_all(app, window, before)
        if not window.grab().save(str(out)):
            raise InputError(f"{out} could not be written")
        return window.workspace.status.step
    finally:
        window.close_for_good()
        window.deleteLater()  # an error's traceback would keep it


def _draw_all(app: QApplication, window: Window, before: Sequence[threading.Thread]) -> None:
    """Draw frames until nothing is worked out in a thread any more, and a few with the last of it.

    Args:
        app: the application.
        window: shown.
        before: threads that are none of the window's.
    """
    idle, deadline = 0, time.monotonic() + PATIENCE
    while idle < 10 and time.monotonic() < deadline:
        app.processEvents()
        window.clock.tick()
        working = {t.name for t in threading.enumerate() if t not in before} - {"runner"}
        idle = 0 if working else idle + 1
        time.sleep(0.005 if working else 0)


def _bring_up(window: Window, name: str) -> None:
    dock = window.area.docks.get(name)
    if dock is None:
        raise InputError(f"--show {name}: no such view; {', '.join(window.area.docks)} are")
    if not dock.toggleViewAction().isVisible():
        title = window.workspace.experiment.system.title
        raise InputError(f"--show {name}: there is nothing of {title} to show in it")
    window.bring_up(name)


def _loaded(window: Window) -> bool:
    status = window.workspace.status
    if status is not None and status.state.value == "failed":
        raise InputError(status.error)
    return window.workspace.snapshot is not None


def _until(app: QApplication, happened: Callable[[], bool], timeout: float = 300.0) -> None:
    deadline = time.monotonic() + timeout
    while not happened():
        app.processEvents()
        time.sleep(0.005)
        if time.monotonic() > deadline:
            raise RuntimeError(f"the run did not get there in {timeout:.0f} s")


def _hook(window: Window) -> Callable[..., None]:
    """Errors of ours: the traceback goes to the log, a line to the window, which lives on."""

    def hook(kind: type[BaseException], error: BaseException, trace: object) -> None:
        log.error("unexpected error", exc_info=(kind, error, trace))
        if issubclass(kind, KeyboardInterrupt):
            window.close()
        else:
            window.complain(f"Something went wrong: {kind.__name__}: {error}. It is in the log.")

    return hook
