"""Real windows without a screen, a person who uses them, and checks that nothing stays behind."""

from __future__ import annotations

import gc
import importlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import shiboken6
import torch
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, QPointF, QRect, Qt, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import (
    QApplication,
    QMessageBox,
    QSlider,
    QStyle,
    QStyleOptionSlider,
    QWidget,
)
from torch import Tensor

from workbench.desktop.app import application
from workbench.desktop.panels.fields import Field
from workbench.desktop.settings import Settings
from workbench.desktop.theme import theme
from workbench.desktop.window import Window
from workbench.document import load, shipped
from workbench.systems import kinds
from workbench.systems.protocol import Observable, Params, System, check_signal, parameter

NO_KEY = Qt.KeyboardModifier.NoModifier
THREADS = {"runner", "loader", "evaluation"}
PATIENCE = 20_000  # milliseconds; a busy machine takes its time, a right one far less


# What the plugin without a screen says of every popup; nothing is wrong with the window.
OFFSCREEN = (
    r"This plugin does not support (raise\(\)|grabbing the (keyboard|mouse)|propagateSizeHints)"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Any other line of Qt's log fails the test."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.qt_log_ignore(OFFSCREEN))


class User:
    """A person at a window: mouse, keyboard, and the patience to wait for what they cause."""

    def __init__(self, qtbot: Any, window: Window) -> None:
        self.qtbot, self.window = qtbot, window
        self.said: list[str] = []  # every line the status bar has shown
        self.drawn = 0  # frames so far
        window.workspace.said.connect(self.said.append)
        window.clock._timer.timeout.connect(self._count_frame)

    def _count_frame(self) -> None:
        self.drawn += 1

    @property
    def state(self) -> str:
        """Name of the run's state."""
        return self.window.workspace.status.state.value

    @property
    def step(self) -> int:
        """Where the time cursor is."""
        return self.window.workspace.status.step

    @property
    def complaints(self) -> list[QMessageBox]:
        """The dialogs that say what is wrong, as far as they are open."""
        boxes = self.window.findChildren(QMessageBox, "complaint")
        return [box for box in boxes if box.isVisible()]

    def wait(self, happened: Callable[[], Any]) -> None:
        """Let the window live until something is so."""
        self.qtbot.waitUntil(lambda: bool(happened()), timeout=PATIENCE)

    def settle(self) -> None:
        """Wait until all that was asked of the runner is done and on the screen."""
        workspace, shown = self.window.workspace, None
        while workspace.runner.snapshot is not shown:  # drawing may ask for more observables
            done = threading.Event()
            workspace.runner.when_done(done.set)
            self.wait(
                lambda done=done: (
                    done.is_set()
                    and workspace.status is workspace.runner.status
                    and workspace.snapshot is workspace.runner.snapshot
                )
            )
            shown = workspace.snapshot
            self.frames(1)

    def frames(self, count: int) -> None:
        """Wait for some frames to be drawn."""
        target = self.drawn + count
        self.wait(lambda: self.drawn >= target)

    def press(self, key: Qt.Key, *modifiers: Qt.KeyboardModifier) -> None:
        """Press a key where the focus is."""
        held = NO_KEY
        for modifier in modifiers:
            held |= modifier
        self.qtbot.keyClick(QApplication.focusWidget() or self.window, key, held)

    def click(self, widget: QWidget, at: QPoint | None = None) -> None:
        """Click a widget that can be seen, in the middle unless said otherwise."""
        assert widget.isVisible(), f"{widget} cannot be seen, so nobody can click it"
        button = Qt.MouseButton.LeftButton
        self.qtbot.mouseClick(widget, button, pos=at or widget.rect().center())

    def dismiss(self) -> str:
        """Read the one complaint there is, and click OK."""
        (box,) = self.complaints
        text = box.text()
        self.click(box.button(QMessageBox.StandardButton.Ok))
        self.wait(lambda: not self.complaints)
        self.activate()
        return text

    def activate(self) -> None:
        """Make the window the active one, as a window manager does when a popup closes."""
        self.window.activateWindow()
        self.wait(self.window.isActiveWindow)

    def double_click(self, widget: QWidget, at: QPoint) -> None:
        """Click twice in a row, as Qt reports it."""
        left = Qt.MouseButton.LeftButton
        self.qtbot.mouseClick(widget, left, pos=at)
        place, kind = QPointF(at), QEvent.Type.MouseButtonDblClick
        again = QMouseEvent(kind, place, widget.mapToGlobal(place), left, left, NO_KEY)
        QApplication.sendEvent(widget, again)
        self.qtbot.mouseRelease(widget, left, pos=at)

    def write(self, field: Any, text: str) -> None:
        """Replace what a text field holds and press Return."""
        self.click(field)
        field.selectAll()
        self.qtbot.keyClick(field, Qt.Key.Key_Delete)
        self.qtbot.keyClicks(field, text)
        self.qtbot.keyClick(field, Qt.Key.Key_Return)

    def choose(self, combo: Any, words: str) -> None:
        """Open a combo box with the mouse, go to an entry with the arrows, press Return."""
        target = combo.findText(words)
        assert target >= 0, (
            f"{words!r} is not among {[combo.itemText(i) for i in range(combo.count())]}"
        )
        self.click(combo)
        entries = combo.view()
        while entries.currentIndex().row() != target:
            down = entries.currentIndex().row() < target
            self.qtbot.keyClick(entries, Qt.Key.Key_Down if down else Qt.Key.Key_Up)
        self.qtbot.keyClick(entries, Qt.Key.Key_Return)
        self.wait(lambda: not entries.isVisible())
        self.frames(1)
        self.activate()

    def drag(self, slider: QSlider, *parts: float) -> None:
        """Take a slider by its handle, move it to these parts of its length, let go."""
        left = Qt.MouseButton.LeftButton
        self.qtbot.mousePress(slider, left, pos=_handle(slider).center())
        for part in parts:
            place = QPoint(round(part * (slider.width() - 1)), slider.height() // 2)
            move = QMouseEvent(
                QEvent.Type.MouseMove, place, slider.mapToGlobal(place), left, left, NO_KEY
            )
            QApplication.sendEvent(slider, move)
        self.qtbot.mouseRelease(slider, left, pos=place)

    def field(self, place: str) -> Any:
        """The row of a parameter, unfolded if need be."""
        row = self.window.parameters.findChild(Field, place)
        group = self.window.parameters.groups[place.split(".")[0]]
        if not row.isVisible() and group.isVisible():
            self.click(group.more)
        self.window.rail.ensureWidgetVisible(row)
        assert row.isVisible(), f"the row of {place} cannot be seen"
        return row

    def bring_up(self, name: str) -> Any:
        """Show a view in front of the others and wait until it is drawn."""
        dock, view = self.window.area.docks[name], self.window.views[name]
        dock.show()
        dock.raise_()
        self.wait(lambda: self.window._on_screen(view))
        self.settle()
        return view

    def click_plot(self, view: Any, x: float, y: float) -> None:
        """Click a plot at a place given in its own units."""
        scene = view.plot.getViewBox().mapViewToScene(QPointF(x, y))
        viewport = view.widget.viewport()
        self.qtbot.mouseClick(
            viewport, Qt.MouseButton.LeftButton, pos=view.widget.mapFromScene(scene)
        )
        self.settle()

    def do(self, name: str) -> None:
        """Trigger a command that is enabled."""
        action = self.window.actions_by_name[name]
        assert action.isEnabled(), f"{name} is grey"
        action.trigger()

    def go_to(self, step: int) -> None:
        """Put the cursor on a step and wait for the picture."""
        self.window.workspace.ask(lambda runner: runner.seek(step))
        self.settle()

    def find(self, name: str) -> QWidget:
        """The one visible widget with this accessible name."""
        found = [
            widget
            for widget in self.window.findChildren(QWidget)
            if widget.accessibleName() == name and widget.isVisible()
        ]
        assert len(found) == 1, f"{len(found)} widgets are called {name!r}"
        return found[0]


def _handle(slider: QSlider) -> QRect:
    """Where the handle of a slider is."""
    option = QStyleOptionSlider()
    slider.initStyleOption(option)
    part = QStyle.SubControl.SC_SliderHandle
    return slider.style().subControlRect(QStyle.ComplexControl.CC_Slider, option, part, slider)


class BareParams(Params):
    steps: int = parameter(50, "How many steps a run takes.", ge=0)
    seconds: float = parameter(0.0, "How long a step takes.", ge=0)
    fails_at: int | None = parameter(None, "The step that goes wrong.", ge=0)


class BareState(NamedTuple):
    signal: Tensor  # [B, N]
    k: Tensor  # int64


class Bare(System):
    """A system that declares next to nothing: one neuron per pixel fires at each step."""

    kind, title, summary = "bare", "Bare", "As little as a system may be."
    Params = BareParams
    observables = (Observable("marks", "Marks", "spikes", "neuron"),)
    output = "marks"

    @property
    def neurons(self) -> int:
        return self.wiring.features

    def init(self, signal: Tensor) -> BareState:
        return BareState(check_signal(signal, self.wiring.features), torch.tensor(0))

    def step(self, state: BareState) -> BareState:
        time.sleep(self.params.seconds)
        if self.params.fails_at == int(state.k) + 1:
            raise RuntimeError("the neurons went on strike")
        return state._replace(k=state.k + 1)

    def observe(self, state: BareState, names: Any = None) -> dict[str, Tensor]:
        marks = torch.zeros(state.signal.shape, dtype=torch.bool)
        marks[:, int(state.k) % self.neurons] = True
        return {"marks": marks} if names is None or "marks" in names else {}


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
