"""Every command of the window, once: menus, shortcuts and the palette are made from this table."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow


@dataclass(frozen=True)
class Command:
    """One command; ``slot`` is the method, named from the window."""

    name: str
    menu: str
    text: str
    slot: str
    keys: str = ""
    plain_key: bool = False  # a bare key: only where no control wants it (see Window.keyPressEvent)
    checkable: bool = False


COMMANDS = (
    Command("open", "File", "Open …", "files.ask_open", "Ctrl+O"),
    Command("save", "File", "Save", "files.save", "Ctrl+S"),
    Command("save_as", "File", "Save as …", "files.ask_save_as", "Ctrl+Shift+S"),
    Command("picture", "File", "Code a picture …", "files.ask_picture", "Ctrl+I"),
    Command("download", "File", "Download …", "ask_download"),
    Command("clear_cache", "File", "Clear cached features …", "clear_cache"),
    Command("quit", "File", "Quit", "close", "Ctrl+Q"),
    Command("undo", "Edit", "Undo", "undo", "Ctrl+Z"),
    Command("redo", "Edit", "Redo", "redo", "Ctrl+Shift+Z"),
    Command("run", "Run", "Run", "running.toggle", "Space", plain_key=True),
    Command("forward", "Run", "Step forward", "running.forward", "Right", plain_key=True),
    Command("back", "Run", "Step back", "running.back", "Left", plain_key=True),
    Command(
        "forward_ten",
        "Run",
        "Ten steps forward",
        "running.forward_ten",
        "Shift+Right",
        plain_key=True,
    ),
    Command("back_ten", "Run", "Ten steps back", "running.back_ten", "Shift+Left", plain_key=True),
    Command("first", "Run", "To the first step", "running.first", "Home", plain_key=True),
    Command("last", "Run", "To the last step", "running.last", "End", plain_key=True),
    Command("until_fires", "Run", "Run until a neuron begins to fire", "until.fires", "Ctrl+F"),
    Command(
        "until_crosses",
        "Run",
        "Run until the selected neuron starts or stops firing",
        "until.crosses",
        "Ctrl+Shift+F",
    ),
    Command("until_decides", "Run", "Run until the decision changes", "until.decides", "Ctrl+D"),
    Command("until_rises", "Run", "Run until the energy rises", "until.rises"),
    Command("until_converges", "Run", "Run until it has converged", "until.converges"),
    Command("restart", "Run", "Restart", "running.restart", "Ctrl+R"),
    Command("cancel", "Run", "Cancel", "running.cancel", "Esc", plain_key=True),
    Command("next_sample", "Run", "Next image", "next_sample", "Ctrl+Right"),
    Command("previous_sample", "Run", "Previous image", "previous_sample", "Ctrl+Left"),
    Command("fork", "Branch", "Fork here", "workspace.branching.fork", "B", plain_key=True),
    Command("fork_edit", "Branch", "Fork with an edit …", "ask_fork", "Shift+B", plain_key=True),
    Command(
        "drop_neuron",
        "Branch",
        "Fork without the selected neuron",
        "workspace.branching.drop_neuron",
        "Ctrl+Delete",
    ),
    Command("next_branch", "Branch", "Next branch", "workspace.branching.go_next", "Ctrl+Down"),
    Command(
        "previous_branch",
        "Branch",
        "Previous branch",
        "workspace.branching.go_previous",
        "Ctrl+Up",
    ),
    Command("compare", "Branch", "Compare", "show_compare", "C", plain_key=True),
    Command("compare_session", "Branch", "Compare with a session …", "files.ask_compare"),
    Command(
        "keep_branch",
        "Branch",
        "Keep for comparison",
        "workspace.branching.keep_current",
        "Ctrl+P",
    ),
    Command("promote_branch", "Branch", "Make it the trunk", "workspace.branching.promote_current"),
    Command(
        "delete_branch",
        "Branch",
        "Delete this branch",
        "workspace.branching.delete_current",
        "Ctrl+Backspace",
    ),
    Command("evaluate", "Experiment", "Evaluate test set", "evaluate", "Ctrl+E"),
    Command("cancel_evaluation", "Experiment", "Cancel evaluation", "cancel_evaluation"),
    Command("grow", "Experiment", "Grow the dictionary", "grow", "Ctrl+G"),
    Command("regimes", "Experiment", "Map of regimes", "show_regimes", "Ctrl+M"),
    Command("sweep", "Experiment", "Sweep …", "show_sweep", "Ctrl+Shift+P"),
    Command("claims", "Experiment", "Paper claims …", "show_claims"),
    Command("why", "View", "Why it fires", "show_why", "W", plain_key=True),
    Command("browse", "View", "Browse the dataset", "browse", "Ctrl+B"),
    Command("rail", "View", "Parameters", "show_rail", "Ctrl+1", checkable=True),
    Command("inspector", "View", "Inspector", "show_inspector", "Ctrl+2", checkable=True),
    Command("presenter", "View", "Presenter mode", "set_presenter", "F11", checkable=True),
    Command("theme", "View", "Switch light and dark", "switch_theme", "Ctrl+T"),
    Command("system_theme", "View", "Follow the system's theme", "follow_system_theme"),
    Command("reset_layout", "View", "Reset layout", "reset_layout"),
    Command("palette", "Help", "Command palette", "show_palette", "Ctrl+K"),
    Command("shortcuts", "Help", "Keyboard shortcuts", "show_shortcuts", "F1"),
    Command("about", "Help", "About", "show_about"),
)
MENUS = ("File", "Edit", "Run", "Branch", "View", "Experiment", "Help")


def make_actions(window: QMainWindow) -> dict[str, QAction]:
    """The actions, connected to the window's methods."""
    actions = {}
    for command in COMMANDS:
        action = QAction(command.text, window)
        action.setObjectName(command.name)
        action.setCheckable(command.checkable)
        if command.keys:
            action.setShortcut(QKeySequence(command.keys))
        if command.plain_key:
            # not application-wide: a slider needs its arrows, a button its space bar
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        signal = action.toggled if command.checkable else action.triggered
        if command.checkable:
            signal.connect(attrgetter(command.slot)(window))
        else:
            signal.connect(_without_argument(window, command.slot))
        keys = QKeySequence(command.keys).toString(QKeySequence.SequenceFormat.NativeText)
        action.setToolTip(f"{command.text} ({keys})" if keys else command.text)
        window.addAction(action)
        actions[command.name] = action
    return actions


def _without_argument(window: QMainWindow, slot: str):
    """``triggered`` carries a flag that these methods do not take."""

    def call() -> None:
        attrgetter(slot)(window)()

    return call
