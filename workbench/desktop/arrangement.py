"""The docks of the window: which views are open where, and what the user made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QByteArray, Qt, QTimer
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabWidget

from workbench.desktop import layouts
from workbench.desktop.settings import LAYOUT_VERSION, Settings
from workbench.desktop.views import View


class Arrangement(QMainWindow):
    """The middle of the window: one dock for each view.

    Views that a system can never fill are left out, so a layout is remembered for each set of
    views that apply.
    """

    def __init__(self, views: Mapping[str, View], settings: Settings) -> None:
        super().__init__()
        self.setWindowFlags(Qt.WindowType.Widget)
        self.setObjectName("area")
        self.setDockNestingEnabled(True)
        self.setAnimated(False)
        south = QTabWidget.TabPosition.South
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, south)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self._views, self._settings = views, settings
        self.docks = {name: _dock(view) for name, view in views.items()}
        self.layout_name = ""  # empty until the window has a size to share out
        self._key = ""
        self._system: type | None = None

    def use(self, name: str, saved: bool = True) -> None:
        """Arrange the views by a named layout, as the user left it last time."""
        shown = [n for n, view in self._views.items() if self._applies(view)]
        for view_name, dock in self.docks.items():
            dock.toggleViewAction().setVisible(view_name in shown)
        columns = layouts.columns_of(name, shown)
        placed = {view for _, cells in columns for names, _ in cells for view in names}
        # also those that do not apply: Qt opens and squeezes in what a saved state does not know
        layouts.arrange(self, self.docks, columns, [v for v in self.docks if v not in placed])
        self.layout_name = name
        self._key = f"{name}: {' '.join(shown)}"
        state = self._settings.layout(self._key) if saved else None
        if state is not None:
            self.restoreState(QByteArray(state), LAYOUT_VERSION)
            for other in self.docks.keys() - set(shown):  # of a state of an earlier version
                self.docks[other].hide()
        QTimer.singleShot(0, self, self._tidy)

    def adapt(self, system: Any) -> None:
        """Leave out what a system of this class has nothing for."""
        if type(system) is not self._system:
            if self._system is not None:
                self.remember()
            self._system = type(system)
            self.use(self.layout_name)

    def reset(self) -> None:
        """Put the views of this layout back where they belong."""
        self._settings.set_layout(self._key, None)
        self.use(self.layout_name, saved=False)

    def remember(self) -> None:
        """Keep the arrangement as the user made it."""
        if self._system is not None:  # before, nothing that the user saw was arranged
            self._settings.set_layout(self._key, bytes(self.saveState(LAYOUT_VERSION).data()))

    def _applies(self, view: View) -> bool:
        return self._system is None or view.applies(self._system)

    def _tidy(self) -> None:
        layouts.hide_stray_tabs(self)


def _dock(view: View) -> QDockWidget:
    dock = QDockWidget(view.tab or view.title)
    dock.setObjectName(view.name)
    dock.setTitleBarWidget(view.header)
    dock.setWidget(view)
    dock.toggleViewAction().setText(view.title)
    return dock
