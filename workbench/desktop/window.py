"""The main window: puts rail, views, inspector and transport together and runs the commands."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QByteArray, QKeyCombination, Qt
from PySide6.QtGui import QIcon, QKeySequence
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QMessageBox,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from workbench.desktop import about, layouts
from workbench.desktop.actions import COMMANDS, MENUS, make_actions
from workbench.desktop.alarm import AlarmBar
from workbench.desktop.arrangement import Arrangement
from workbench.desktop.breakpoints import UNTIL, Breakpoints
from workbench.desktop.cache import ask_and_clear
from workbench.desktop.clock import FrameClock
from workbench.desktop.downloads import DownloadDialog, Wish, mends
from workbench.desktop.files import SessionFiles, can_be_dropped
from workbench.desktop.fork_dialog import ForkDialog
from workbench.desktop.icons import icon
from workbench.desktop.palette_dialog import PaletteDialog
from workbench.desktop.panels.inspector import InspectorPanel
from workbench.desktop.panels.parameters import ParametersPanel
from workbench.desktop.panels.samples import SamplesPanel
from workbench.desktop.panels.transport import TransportPanel
from workbench.desktop.running import Running
from workbench.desktop.settings import Settings
from workbench.desktop.theme import theme
from workbench.desktop.views import VIEWS
from workbench.desktop.workspace import Workspace
from workbench.document import Document, assets

if TYPE_CHECKING:
    from workbench.desktop.claims import ClaimsDialog
    from workbench.desktop.sweep.dialog import SweepDialog

RAIL, INSPECTOR = 240, 260  # pixels at scale 1
BACK, ON = ("back", "back_ten", "first"), ("forward", "forward_ten", "last")
# Below this width, at scale 1, there is no room for a side: the views come first.
ROOM = {"inspector": 1100, "rail": 920}


class Window(QMainWindow):
    """One workspace on the screen."""

    def __init__(self, document: Document, path: Path | None, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self.workspace = Workspace(document, path)
        self.files = SessionFiles(self.workspace, settings, self)
        self.views = {kind.name: kind(self.workspace) for kind in VIEWS}
        self.area = Arrangement(self.views, settings)
        self.running = Running(self.workspace, self._may_move)
        self.until = Breakpoints(self.workspace)
        self.actions_by_name = make_actions(self)
        self.parameters = ParametersPanel(self.workspace)
        self.samples = SamplesPanel(self.workspace)
        self.inspector = InspectorPanel(self.workspace, self.actions_by_name["why"])
        self.transport = TransportPanel(self.workspace, self.actions_by_name)
        self.clock = FrameClock(self.frame, self._full_speed_rate, self)
        self.claims: ClaimsDialog | None = None  # made when it is first asked for
        self.sweep: SweepDialog | None = None  # as well
        self._closed_for_good = False
        self._learning = False  # a dictionary, in the last frame
        self._cramped: set[str] = set()  # sides that there is no room for
        self._folded: set[str] = set()  # those of them that were open until then
        self._branches: tuple = ()  # that the title was last made with
        self._assemble()
        self._make_menus()
        self._make_status_bar()
        self._connect()
        self.setAcceptDrops(True)
        self.setMinimumSize(960, 600)
        self.resize(1440, 900)
        if settings.geometry:
            self.restoreGeometry(QByteArray(settings.geometry))
        self._retitle()
        self._restyle()

    # -- building --------------------------------------------------------------------------------

    def _assemble(self) -> None:
        self.rail = QScrollArea(widgetResizable=True)
        self.rail.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.rail.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # it would keep the arrow keys
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(16, 8, 16, 8)
        column.setSpacing(16)
        column.addWidget(self.samples)
        column.addWidget(self.parameters)
        column.addStretch(1)
        self.rail.setWidget(inside)

        self.side = QScrollArea(widgetResizable=True)
        self.side.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.side.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.side.setWidget(self.inspector)

        self.alarm = AlarmBar(self.workspace)

        middle = QWidget()
        stack = QVBoxLayout(middle)
        stack.setContentsMargins(0, 0, 0, 0)
        stack.setSpacing(0)
        stack.addWidget(self.alarm)
        stack.addWidget(self.area, 1)

        body = QWidget()
        body.setAccessibleName("Workbench")
        # a click beside a text field takes the focus from it, and bare keys work again
        body.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        outer = QVBoxLayout(body)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        row = QHBoxLayout()
        row.setSpacing(0)
        for widget in (self.rail, _hairline(vertical=True), middle, _hairline(vertical=True)):
            row.addWidget(widget, 1 if widget is middle else 0)
        row.addWidget(self.side)
        outer.addWidget(_hairline(vertical=False))
        outer.addLayout(row, 1)
        outer.addWidget(_hairline(vertical=False))
        outer.addWidget(self.transport)
        self.setCentralWidget(body)

    def _make_menus(self) -> None:
        bar = self.menuBar()
        menus = {name: bar.addMenu(name) for name in MENUS}
        for command in COMMANDS:
            menus[command.menu].addAction(self.actions_by_name[command.name])
        for menu in (self.files.recent_menu, self.files.examples_menu):
            menus["File"].insertMenu(self.actions_by_name["save"], menu)
        for name in ("save", "picture", "quit"):
            menus["File"].insertSeparator(self.actions_by_name[name])
        open_views = menus["View"].addMenu("Views")
        for dock in self.area.docks.values():
            open_views.addAction(dock.toggleViewAction())
        self._corner = self._make_corner()  # the menu bar does not keep it alive
        bar.setCornerWidget(self._corner)

    def _make_corner(self) -> QWidget:
        corner = QWidget()
        row = QHBoxLayout(corner)
        row.setContentsMargins(0, 4, 8, 0)
        row.setSpacing(8)
        words = QLabel("Layout")
        words.setProperty("role", "small")
        self.layout_choice = QComboBox()
        self.layout_choice.setAccessibleName("Layout of the views")
        self.layout_choice.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for name in layouts.LAYOUTS:
            self.layout_choice.addItem(name.capitalize(), name)
        self.layout_choice.activated.connect(self._layout_chosen)
        row.addWidget(words)
        row.addWidget(self.layout_choice)
        self.corner_buttons = []
        for name in ("palette", "theme"):
            button = QToolButton()
            button.setDefaultAction(self.actions_by_name[name])
            button.setAccessibleName(self.actions_by_name[name].text())
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            row.addWidget(button)
        self.actions_by_name["palette"].setIconText("Ctrl+K")
        return corner

    def _make_status_bar(self) -> None:
        bar = self.statusBar()
        bar.setSizeGripEnabled(False)
        self.said = QLabel()
        self.said.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.facts = QLabel()
        self.facts.setAccessibleName("State of the run")
        self.facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        bar.addWidget(self.said, 1)
        bar.addPermanentWidget(self.facts)
        self.said.setText("Loading the engine …")

    def _connect(self) -> None:
        workspace = self.workspace
        workspace.said.connect(self.say)
        workspace.complained.connect(self.complain)
        workspace.statusChanged.connect(self._show_status)
        workspace.documentChanged.connect(self._retitle)
        workspace.documentChanged.connect(self._follow_layout)
        workspace.ready.connect(self._engine_ready)
        workspace.experimentChanged.connect(self._experiment_changed)
        self.files.saved.connect(self._retitle)
        workspace.evaluationChanged.connect(self._enable_actions)
        workspace.selectionChanged.connect(self._enable_actions)
        self.views["confusion"].watched.connect(self.watch)
        theme.changed.connect(self._restyle)
        for name in ("rail", "inspector"):
            self.actions_by_name[name].setChecked(True)

    # -- frames ----------------------------------------------------------------------------------

    def start(self) -> None:
        """After the first paint: load the engine and begin to draw frames."""
        self.workspace.start()
        self.clock.start()

    def frame(self) -> None:
        """Pull, say what the visible views need, and let them draw."""
        self.workspace.poll()
        self._bring_up_what_is_learned()
        experiment = self.workspace.experiment
        visible = [view for view in self.views.values() if self._on_screen(view)]
        if experiment is not None:
            drawing = [*visible, self.inspector] if self.side.isVisible() else visible
            needs = [view.needs(experiment.system) for view in drawing]
            compared = [view.compares(experiment.system) for view in visible]
            self.workspace.want(frozenset().union(*needs), frozenset().union(*compared))
        for view in visible:
            view.refresh()
        self.samples.thumbnails.refresh()
        if self.side.isVisible():
            self.inspector.refresh()

    def _bring_up_what_is_learned(self) -> None:
        """A dictionary that begins to form is worth seeing, once; then the user decides."""
        learning = self.workspace.preview is not None
        dock = self.area.docks["atoms"]
        if learning and not self._learning and dock.toggleViewAction().isChecked():
            dock.raise_()
        self._learning = learning

    def _full_speed_rate(self) -> float:
        """Steps per second while the run goes as fast as it can, else 0."""
        workspace = self.workspace
        paced = workspace.document.view.speed is not None
        # a run that has just begun has no rate yet; take it for a fast one
        return (workspace.status.rate or math.inf) if workspace.running and not paced else 0.0

    def _on_screen(self, view: QWidget) -> bool:
        """Whether anything of a view can be seen; a tab behind another one cannot."""
        return view.isVisible() and not view.visibleRegion().isEmpty()

    def _show_status(self, status: Any) -> None:
        state = status.state.value
        words = [f"{state}: {status.reason}" if status.reason else state]
        if state == "failed":
            words = [f"failed: {status.error}"]
        if state == "running":
            words.append(f"{status.rate:,.0f} steps/s".replace(",", " "))
        words.append(f"frame {self.clock.frame_ms:.0f} ms")
        used, budget = status.bytes_used / 2**20, status.budget / 2**20
        expected = status.expected_bytes / 2**20
        whole = f" (whole run {expected:.0f})" if expected > 1.05 * used else ""
        words.append(f"recording {used:.0f}{whole} of {budget:.0f} MB")
        if status.fingerprint:
            words.append(f"fingerprint {status.fingerprint[:8]}")
        self.facts.setText("   ·   ".join(words))
        self.facts.setToolTip(f"Fingerprint of the run up to this step: {status.fingerprint}")
        self.alarm.show_status(status)
        if status.branches is not self._branches:
            self._branches = status.branches
            self._retitle()
        self._enable_actions()

    def _enable_actions(self) -> None:
        """What cannot be done now is grey."""
        workspace, history = self.workspace, self.workspace.history
        status = workspace.status
        loaded = status is not None and workspace.snapshot is not None
        step, steps = (status.step, status.steps) if loaded else (0, 0)
        can = {
            "run": loaded,
            "restart": loaded,
            **{f"until_{name}": self.until.applies(name) for name in UNTIL},
            **dict.fromkeys(BACK, step > 0),
            **dict.fromkeys(ON, step < steps),
            "cancel": status is not None and status.state.value in ("running", "preparing"),
            "evaluate": loaded and self._can_fill("confusion") and not workspace.evaluating,
            "cancel_evaluation": workspace.evaluating,
            "grow": loaded and self._can_fill("growth"),
            "why": loaded and self._can_fill("why"),
            "sweep": loaded,
            "regimes": loaded and self._can_fill("regimes"),
            "download": workspace.engine is not None,
            # what is being computed is being written there
            "clear_cache": status is not None and status.state.value != "preparing",
            **workspace.branching.can(),
            "undo": history.can_undo,
            "redo": history.can_redo,
        }
        for name, enabled in can.items():
            action = self.actions_by_name[name]
            if action.isEnabled() != enabled:
                action.setEnabled(enabled)

    def _may_move(self) -> None:
        """Until the status says where the run went, it may be sent anywhere: keys are fast."""
        for name in (*BACK, *ON):
            self.actions_by_name[name].setEnabled(True)

    def _can_fill(self, view: str) -> bool:
        """Whether the system of the run has something for a view."""
        experiment = self.workspace.experiment
        return experiment is not None and self.views[view].applies(type(experiment.system))

    def _engine_ready(self) -> None:
        self.say("Space runs, arrows step, ? explains a view")

    def say(self, text: str) -> None:
        """A line at the left of the status bar."""
        self.said.setText(text)
        self.said.setToolTip(text)

    def complain(self, line: str) -> None:
        """The user's input is wrong: say so, once; nothing is lost."""
        self.say(line)
        boxes = self.findChildren(QMessageBox, "complaint")
        if any(box.isVisible() and box.text() == line for box in boxes):
            return
        box = QMessageBox(QMessageBox.Icon.Warning, "Workbench", line, parent=self)
        box.setStandardButtons(QMessageBox.StandardButton.Ok)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setObjectName("complaint")
        wish = mends(line, self.workspace.document)
        if wish is not None:
            fetch = box.addButton("Download …", QMessageBox.ButtonRole.ActionRole)
            fetch.clicked.connect(lambda: self.ask_download(wish))
        box.open()

    # -- commands: file, edit and run ------------------------------------------------------------

    def ask_download(self, wish: Wish | None = None) -> None:
        """Fetch a dataset or weights, if the user then says so."""
        DownloadDialog(self.workspace, wish or Wish(), self).open()

    def clear_cache(self) -> None:
        """Delete the cached features, if the user then says so."""
        ask_and_clear(self.workspace, self)

    def undo(self) -> None:
        """Take back the last change of the document."""
        self.workspace.undo()

    def redo(self) -> None:
        """Make it again."""
        self.workspace.redo()

    def next_sample(self) -> None:
        """The next test image."""
        self.samples.go_on()

    def previous_sample(self) -> None:
        """The test image before."""
        self.samples.go_back()

    def evaluate(self) -> None:
        """Code the whole test set and show its confusion matrix."""
        self.bring_up("confusion")
        self.workspace.evaluate()

    def watch(self, sample: int) -> None:
        """Run a test image through, before the evidence, which says how it was decided."""
        self.workspace.select_sample(sample)
        self.workspace.ask(lambda runner: runner.set_paused(False))
        self.bring_up("evidence")

    def grow(self) -> None:
        """Show where exemplars can be added."""
        self.bring_up("growth")

    def show_regimes(self) -> None:
        """Show in what regime the network is, and which ones are near."""
        self.bring_up("regimes")

    def cancel_evaluation(self) -> None:
        """Stop the evaluation."""
        self.workspace.cancel_evaluation()

    def show_claims(self) -> None:
        """What papers claim, and how much of it is reproduced here."""
        from workbench.desktop.claims import ClaimsDialog  # the first paint need not wait for it

        if self.claims is None:
            self.claims = ClaimsDialog(self.workspace, self.files, self)
        self.claims.show()
        self.claims.raise_()
        self.claims.activateWindow()

    def show_sweep(self) -> None:
        """Run the session under many values of its parameters."""
        from workbench.desktop.sweep.dialog import SweepDialog  # needs the engine

        if self.sweep is None:
            self.sweep = SweepDialog(self.workspace, self.files, self)
        self.sweep.show()
        self.sweep.raise_()
        self.sweep.activateWindow()

    # -- commands: view and help -----------------------------------------------------------------

    def browse(self) -> None:
        """Look through the images of the dataset."""
        self.bring_up("browser")

    def show_why(self) -> None:
        """Explain the selected neuron at the time cursor."""
        self.bring_up("why")

    def show_compare(self) -> None:
        """The run beside the branch that it is drawn over."""
        self.bring_up("compare")

    def ask_fork(self) -> None:
        """Fork with another input or another atom."""
        ForkDialog(self.workspace, self).open()

    def bring_up(self, name: str) -> None:
        """Open a view, in front of the others."""
        self.area.docks[name].show()
        self.area.docks[name].raise_()

    def show_rail(self, shown: bool) -> None:
        """Show or fold the parameter rail."""
        self.rail.setVisible(shown)

    def show_inspector(self, shown: bool) -> None:
        """Show or fold the inspector."""
        self.side.setVisible(shown)

    def set_presenter(self, on: bool) -> None:
        """Bigger type for a projector."""
        theme.set_presenter(on)
        self._make_room()

    def switch_theme(self) -> None:
        """Light becomes dark and dark light."""
        self.settings.theme = "light" if theme.colours.dark else "dark"
        theme.choose(self.settings.theme)

    def follow_system_theme(self) -> None:
        """Light or dark as the system is."""
        self.settings.theme = "system"
        theme.choose("system")

    def use_layout(self, name: str) -> None:
        """Arrange the views by a named layout."""
        self.area.use(name)
        self.layout_choice.setCurrentIndex(self.layout_choice.findData(name))

    def _follow_layout(self, document: Document) -> None:
        """The document asks for another arrangement: it was chosen, or is another session's."""
        if self.area.layout_name not in ("", document.view.layout):
            self.area.remember()
            self.use_layout(document.view.layout)

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        if not self.area.layout_name:  # the first time; before, the docks had no size to share
            self.centralWidget().setFocus()
            self.layout().activate()
            self.use_layout(self.workspace.document.view.layout)

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        """In a narrow window, as on a projector, sides fold away; their keys bring them back."""
        for name, width in ROOM.items():
            action, cramped = self.actions_by_name[name], self.width() < theme.px(width)
            if cramped == (name in self._cramped):
                continue
            self._cramped ^= {name}
            if cramped and action.isChecked():
                self._folded.add(name)
                action.setChecked(False)
                if name == "rail":
                    keys = action.shortcut().toString()
                    self.workspace.said.emit(f"{keys} shows the parameters")
            elif not cramped and name in self._folded:
                self._folded.remove(name)
                action.setChecked(True)

    def _experiment_changed(self, experiment: Any) -> None:
        self.area.adapt(experiment.system)
        self._enable_actions()

    def _layout_chosen(self, index: int) -> None:
        self.workspace.amend_view("layout", self.layout_choice.itemData(index))

    def reset_layout(self) -> None:
        """Put the views of this layout back where they belong."""
        self.area.reset()

    def dragEnterEvent(self, event: Any) -> None:
        urls = event.mimeData().urls()
        if len(urls) == 1 and can_be_dropped(Path(urls[0].toLocalFile())):
            event.acceptProposedAction()

    def dropEvent(self, event: Any) -> None:
        self.files.open(Path(event.mimeData().urls()[0].toLocalFile()))

    def show_palette(self) -> None:
        """All commands, by name."""
        actions = [a for n, a in self.actions_by_name.items() if n != "palette"]
        views = [dock.toggleViewAction() for dock in self.area.docks.values()]
        actions += [action for action in views if action.isVisible()]
        PaletteDialog(actions, self).open()

    def show_shortcuts(self) -> None:
        """A sheet of all keys."""
        about.show_shortcuts(self)

    def show_about(self) -> None:
        """What this is."""
        about.show_about(self)

    # -- looks and end ---------------------------------------------------------------------------

    def _retitle(self) -> None:
        path = self.workspace.path
        self.setWindowTitle(f"{path.stem if path else 'untitled'}[*] — Workbench")
        self.setWindowModified(self.workspace.dirty)
        self._enable_actions()

    def _restyle(self) -> None:
        self.rail.setFixedWidth(theme.px(RAIL) + 16)
        self.side.setFixedWidth(theme.px(INSPECTOR))
        self.actions_by_name["theme"].setIcon(icon("theme", theme.colours.text))
        self.setWindowIcon(QIcon(str(assets() / "icon.svg")))

    def keyPressEvent(self, event: Any) -> None:
        """Bare keys, where the control with the focus did not want them."""
        keypad = Qt.KeyboardModifier.KeypadModifier  # on a Mac the arrows belong to it
        pressed = QKeySequence(QKeyCombination(event.modifiers() & ~keypad, Qt.Key(event.key())))
        for command in COMMANDS:
            action = self.actions_by_name[command.name]
            if command.plain_key and action.shortcut() == pressed and action.isEnabled():
                action.trigger()
                return
        super().keyPressEvent(event)

    def close_for_good(self) -> None:
        """Close without asking about changes."""
        self._closed_for_good = True
        self.close()

    def closeEvent(self, event: Any) -> None:
        if not self._closed_for_good and not self.files.may_leave():
            event.ignore()
            return
        self._closed_for_good = True
        self.clock.stop()
        for dialog in (self.claims, self.sweep):
            if dialog is not None:
                dialog.close()
        self.area.remember()
        self.settings.geometry = bytes(self.saveGeometry().data())
        self.workspace.close()
        event.accept()


def _hairline(vertical: bool) -> QFrame:
    line = QFrame()
    line.setProperty("role", "hairline")
    if vertical:
        line.setFixedWidth(1)
    else:
        line.setFixedHeight(1)
    return line
