"""The line above the views that says what is wrong with a run, and mends it where one click can."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton

from workbench.desktop.theme import theme
from workbench.desktop.workspace import Workspace


class AlarmBar(QFrame):
    """The alarm of a run, or the notes of its experiment; hidden when there are none."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self.setProperty("role", "alarm")
        self.setAccessibleName("Alarm")
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.px(8), theme.px(4), theme.px(8), theme.px(4))
        row.setSpacing(theme.px(8))
        self._words = QLabel(wordWrap=True)
        row.addWidget(self._words, 1)
        self.remedy = QPushButton()
        self.remedy.setProperty("role", "remedy")
        self.remedy.setToolTip(
            "Go back to before the energy rose, and run on with a time step within the bound"
        )
        self.remedy.clicked.connect(self._mend)
        row.addWidget(self.remedy)
        self.hide()

    def text(self) -> str:
        """What it says."""
        return self._words.text()

    def show_status(self, status: Any) -> None:
        """Show what a status and the experiment on screen have to say."""
        experiment, remedy = self._workspace.experiment, status.remedy
        words = status.alarm or (" · ".join(experiment.notes) if experiment else "")
        if words != self.text():
            self._words.setText(words)
            self.setVisible(bool(words))
        if remedy is None:
            self.remedy.hide()
            return
        offer = f"Use Δt = {remedy.time_step:g} from step {remedy.step}"
        if offer != self.remedy.text():
            self.remedy.setText(offer)
            self.remedy.setAccessibleName(offer)
        self.remedy.show()

    def _mend(self) -> None:
        remedy = self._workspace.status.remedy
        if remedy is None:  # it was mended meanwhile
            return
        self._workspace.ask(lambda runner: runner.seek(remedy.step))
        self._workspace.set_value("system.time_step", remedy.time_step)
        self._workspace.ask(lambda runner: runner.set_paused(False))
