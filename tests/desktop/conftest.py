"""Real windows without a screen, a person who uses them, and checks that nothing stays behind."""

from __future__ import annotations

import gc
import importlib
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import shiboken6
from PySide6.QtCore import QCoreApplication, QEvent, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from tests.desktop.bare import Bare
from tests.desktop.user import User
from workbench.desktop.app import application
from workbench.desktop.settings import Settings
from workbench.desktop.theme import theme
from workbench.desktop.window import Window
from workbench.document import load, shipped
from workbench.engine import devices
from workbench.systems import kinds

THREADS = {"runner", "loader", "evaluation", "thumbnails", "download", "explainer", "regimes"}
THREADS |= {"phase", "components", "flow", "response", "verdict", "what-if", "parting", "ledger"}
THREADS |= {"sweep"}

# What the plugin without a screen says of every popup; nothing is wrong with the window.
OFFSCREEN = (
    r"This plugin does not support (raise\(\)|grabbing the (keyboard|mouse)|propagateSizeHints)"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Any other line of Qt's log fails the test."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.qt_log_ignore(OFFSCREEN))


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a window shows is tested to the last bit, and GPUs round otherwise."""
    monkeypatch.setattr(devices, "there", lambda: ("cpu",))


@pytest.fixture
def bare_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """A third system, known for one test; sessions ask for ``system.kind=bare``."""
    monkeypatch.setitem(kinds(), "bare", Bare)


@pytest.fixture(scope="session")
def themed_app(qapp: QApplication) -> Iterator[QApplication]:
    """The application as the command line sets it up, and the engine loaded once for all."""
    application()
    importlib.import_module("workbench.engine.runner")
    gc.freeze()
    yield qapp
    gc.unfreeze()
    theme.uninstall()


@pytest.fixture(autouse=True)
def fresh_theme(themed_app: QApplication) -> Iterator[None]:
    """Every test starts with the system's colours at normal size."""
    yield
    if theme.scale != 1.0:
        theme.set_presenter(False)
    if theme.choice != "system":
        theme.choose("system")


@pytest.fixture
def expected_logs() -> list[str]:
    """Parts of log lines at WARNING or above that a test provokes on purpose."""
    return []


@pytest.fixture(autouse=True)
def no_unexpected_logs(
    caplog: pytest.LogCaptureFixture, expected_logs: list[str]
) -> Iterator[None]:
    """A warning or an error in the log fails the test."""
    yield
    records = [
        record for when in ("setup", "call", "teardown") for record in caplog.get_records(when)
    ]
    loud = [record.getMessage() for record in records if record.levelno >= logging.WARNING]
    unexpected = [line for line in loud if not any(part in line for part in expected_logs)]
    assert not unexpected, f"logged: {unexpected}"
    silent = [part for part in expected_logs if not any(part in line for line in loud)]
    assert not silent, f"expected in the log, but not there: {silent}"


@pytest.fixture
def settings_path(tmp_path: Path) -> Path:
    """Where the windows of a test keep their settings."""
    return tmp_path / "settings" / "settings.json"


@pytest.fixture
def open_window(qtbot: Any, themed_app: QApplication, settings_path: Path) -> Iterator[Callable]:
    """Opens windows: ``open_window(session, *assignments, ready=True)`` gives a `User`.

    ``session`` is the name of an example or a path; assignments read ``section.key=value``.
    """
    before = set(QApplication.topLevelWidgets())
    users: list[User] = []

    def open_(session: str | Path, *assignments: str, ready: bool = True) -> User:
        path = Path(shipped().get(str(session), session))
        document = load(path)
        for assignment in assignments:
            document = document.with_text(assignment)
        user = User(qtbot, Window(document, path, Settings(settings_path)))
        users.append(user)
        user.window.show()
        qtbot.waitExposed(user.window)
        user.activate()
        user.window.start()
        if ready:
            user.wait(lambda: user.window.workspace.snapshot is not None)
            user.settle()
        return user

    open_.users = users
    yield open_
    for user in users:
        user.window.close_for_good()
    _nothing_works_on([user.window for user in users])
    for user in users:
        user.window.deleteLater()
    _no_widget_is_left(before, users)


def _nothing_works_on(windows: list[Window]) -> None:
    """No thread and no timer outlives a closed window."""
    alive = [thread.name for thread in threading.enumerate() if thread.name in THREADS]
    assert not alive, f"threads outlive the window: {alive}"
    timers = {id(t): t for window in windows for t in window.findChildren(QTimer)}
    timers |= {id(t): t for t in gc.get_objects() if issubclass(type(t), QTimer)}
    ticking = [
        f"{timer} of {timer.parent()}"
        for timer in timers.values()
        if shiboken6.isValid(timer) and timer.isActive()
    ]
    assert not ticking, f"timers outlive the window: {ticking}"


def _no_widget_is_left(before: set[QWidget], users: list[User]) -> None:
    """What a closed window made goes with it."""
    QApplication.processEvents()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    for user in users:  # the test's arguments still hold their empty shells
        for shell in (*user.window.views.values(), user.window):
            vars(shell).clear()
    gc.collect()
    gc.freeze()  # the next test need not look through what this one left alive
    left = [
        f"{type(widget).__name__} {widget.objectName()!r}"
        for widget in QApplication.topLevelWidgets()
        if widget not in before
    ]
    assert not left, f"widgets outlive the window: {left}"


@pytest.fixture
def user(open_window: Callable, request: pytest.FixtureRequest) -> User:
    """A person at a window with the digits and exemplars; parametrize for another session."""
    return open_window(*getattr(request, "param", ("digits-exemplar",)))


@pytest.fixture
def window(user: User) -> Window:
    """The window of `user`, with its first picture on the screen."""
    return user.window
