"""A sweep beside the window: choose, run, watch it grow, compare, and open a point."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from workbench.desktop.files import SessionFiles
from workbench.desktop.sweep.axes import AxesEditor
from workbench.desktop.sweep.form import SweepForm
from workbench.desktop.sweep.pictures import axis_in_folder
from workbench.desktop.sweep.process import SweepProcess
from workbench.desktop.sweep.reading import FolderReader
from workbench.desktop.sweep.runs import RunsPanel
from workbench.desktop.theme import theme
from workbench.desktop.workspace import Workspace
from workbench.engine import sweep_axes, sweep_folder, sweep_points
from workbench.engine.sweep_axes import Axes
from workbench.engine.sweep_folder import Found
from workbench.engine.sweep_measures import axis_of
from workbench.engine.sweep_progress import Pace
from workbench.errors import InputError
from workbench.folders import data

PROPOSED = 100  # test images


class SweepDialog(QDialog):
    """One sweep of the present session; closing it stops the work, and Run goes on with it."""

    def __init__(self, workspace: Workspace, files: SessionFiles, parent: QWidget) -> None:
        super().__init__(parent)
        self.workspace, self.files = workspace, files
        self.process = SweepProcess(self)
        self.process.told.connect(self._told)
        self.process.ended.connect(self._ended)
        self._pace = Pace(0)
        self._error = ""  # what the process said was wrong
        self._axes: Axes | None = None
        self.reader = FolderReader(self)
        self.reader.found.connect(self._show_results)
        self.reader.failed.connect(self._cannot_read)
        self.setWindowTitle("Sweep")
        self.editor, self.form, self.runs = AxesEditor(), SweepForm(), RunsPanel()
        self._make_buttons()
        self._assemble()
        size = QSize(theme.px(1120), theme.px(780))
        self.resize(size.boundedTo(self.screen().availableSize()))
        self.setMinimumSize(theme.px(760), theme.px(560))
        for part in (self.editor, self.form):
            part.changed.connect(self._enable)
        self.runs.opened.connect(self._open)
        self.runs.said.connect(self.words.setText)
        workspace.documentChanged.connect(self._follow_if_seen)
        workspace.closing.connect(self._end_all)
        self.form.samples.setText(str(PROPOSED))
        self._follow()
        self.editor.rows[0].values.setFocus()

    # -- building --------------------------------------------------------------------------------

    def _make_buttons(self) -> None:
        self.run = _button("Run", "Run the sweep", self._run)
        self.run.setProperty("role", "primary")
        self.cancel = _button("Cancel", "Cancel the sweep", self._cancel)
        self.read = _button("Open results …", "Open the results of a sweep", self._ask_folder)
        self.show_folder = _button("Open folder", "Open the folder of results", self._show_folder)
        self.progress = QProgressBar(textVisible=False)
        self.progress.setAccessibleName("Progress of the sweep")
        self.words = QLabel(wordWrap=True)
        self.words.setAccessibleName("State of the sweep")
        self.words.setProperty("role", "small")

    def _assemble(self) -> None:
        self.about = QLabel()
        self.about.setProperty("role", "heading")
        top = QHBoxLayout()
        top.setSpacing(24)
        top.addWidget(self.editor, 3)
        top.addWidget(self.form, 2, Qt.AlignmentFlag.AlignTop)
        buttons = QHBoxLayout()
        for button in (self.run, self.cancel):
            buttons.addWidget(button)
        buttons.addWidget(self.words, 1)
        for button in (self.read, self.show_folder):
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(8)
        column.addWidget(self.about)
        column.addLayout(top)
        column.addLayout(buttons)
        column.addWidget(self.progress)
        column.addWidget(self.runs, 1)

    @property
    def _stem(self) -> str:
        """The name of the session."""
        path = self.workspace.path
        return path.stem if path else "untitled"

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        self._follow()

    def _follow_if_seen(self) -> None:
        if self.isVisible():
            self._follow()

    def _follow(self) -> None:
        """What is varied is the session as it stands."""
        document = self.workspace.document
        self.about.setText(f"Vary {self._stem}")
        known = sweep_axes.varied(document)
        self.editor.offer(known, sweep_folder.settings(document))
        if not self.editor.rows:
            self.editor.add_row()
        folder = data() / "sweeps"
        if self.form.path is None or self.form.path.parent == folder:
            self.form.folder.setText(str(folder / self._stem))
        self._enable()

    def _enable(self) -> None:
        """What cannot be done now is grey."""
        working = self.process.running
        self.form.show_draws(bool(self.editor.ranges))
        try:
            count = sweep_points.count(self._asked())
        except InputError:  # which Run will say
            count = 0
        self.run.setText(f"Run {count} points" if count > 1 else "Run")
        self.run.setEnabled(not working and bool(self.editor.rows))
        self.cancel.setEnabled(working)
        self.read.setEnabled(not working and not self.reader.busy)
        self.progress.setVisible(working)

    # -- the work --------------------------------------------------------------------------------

    def _asked(self) -> Axes:
        """What the fields say is varied.

        Raises:
            InputError: in one line, what is wrong with them.
        """
        return self.form.axes(self.workspace.document, self.editor)

    def _run(self) -> None:
        document = self.workspace.document
        try:
            self._axes = self._asked()
            request = self.form.request(document, self._stem, self.editor)
        except InputError as error:
            self._say(_for_people(str(error)), wrong=True)
            return
        self._error, self._pace = "", Pace(0)
        along = functools.partial(axis_of, self._axes)
        keys = _differing(self._axes)
        self.runs.begin(Path(request.folder), keys, along, self._axes.declared)
        self._say("Starting …")
        self.progress.setRange(0, 0)
        self.process.start(request.to_line())
        self._enable()

    def _cancel(self) -> None:
        self.process.stop()
        self.cancel.setEnabled(False)
        self._say("Cancelling …")

    def _told(self, lines: list[dict[str, Any]]) -> None:
        """Lines of the process, in order."""
        rows = []
        for line in lines:
            if "row" in line:
                rows.append(line["row"])
                self._pace.add(line["now"], refused=line["row"]["error"] is not None)
            elif "total" in line:
                self._pace = Pace(line["total"])
            elif "importance" in line:
                self.runs.show_importance(line["importance"])
            elif "error" in line:
                self._error = line["error"]
            elif "text" in line:
                self._say(f"{line['text']} …")
        if rows:
            self.runs.add(rows)
            self.progress.setRange(0, self._pace.total)
            self.progress.setValue(self._pace.done)
            if self.cancel.isEnabled():
                self._say(self._pace.words())

    def _ended(self, complaint: str) -> None:
        wrong = self._error or complaint
        rows = self.runs.model.rows
        refused = sum(row["error"] is not None for row in rows)
        if wrong:
            self._say(_for_people(wrong), wrong=True)
        elif self._pace.done < self._pace.total or not self._pace.total:
            done = len(rows) - refused
            self._say(f"Stopped with {done} of {self._pace.total} points; Run goes on from here")
        else:
            done = len(rows) - refused
            words = "1 point" if done == 1 else f"{done} points"
            words += f", {self._pace.there} of them there already" if self._pace.there else ""
            self._say(words + (f"; {refused} refused" if refused else ""))
        self._enable()

    def _say(self, text: str, wrong: bool = False) -> None:
        role = "error" if wrong else "small"
        if self.words.property("role") != role:
            self.words.setProperty("role", role)
            self.words.style().unpolish(self.words)
            self.words.style().polish(self.words)
        self.words.setText(text)

    # -- results that are there ------------------------------------------------------------------

    def _ask_folder(self) -> None:
        title = "Open the results of a sweep"
        chosen = QFileDialog.getExistingDirectory(self, title, self.form.folder.text())
        if chosen:
            self.open_results(Path(chosen))

    def open_results(self, folder: Path) -> None:
        """Show the runs that a folder holds."""
        self._say(f"Reading {folder} …")
        self.reader.read(folder)
        self._enable()

    def _show_results(self, folder: Path, found: Found) -> None:
        declared = sweep_axes.varied(self.workspace.document)
        self.runs.begin(folder, found.keys, axis_in_folder(declared), declared)
        self.runs.add(found.rows)
        self.runs.show_importance(found.importance)
        self._say(f"{len(found.rows)} runs in {folder}")
        self._enable()

    def _cannot_read(self, why: str) -> None:
        self._say(why, wrong=True)
        self._enable()

    def _show_folder(self) -> None:
        folder = self.form.path
        if folder is not None and folder.is_dir():
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
        else:
            self._say("There are no results yet")

    def _open(self, session: Path) -> None:
        """Put the session of a run into the window; unsaved changes are asked about."""
        self.files.open(session)

    # -- the end ---------------------------------------------------------------------------------

    def done(self, result: int) -> None:
        """Closing, however it is done, stops the work."""
        self.process.stop()
        super().done(result)

    def _end_all(self) -> None:
        """The window closes: no process, thread or timer stays."""
        self.process.close()
        self.reader.close()
        self.runs.stop()


def _differing(axes: Axes) -> list[str]:
    """The varied keys that take more than one value."""
    listed = [grid.key for grid in axes.grids if len(grid.values) > 1]
    return listed + [span.key for span in axes.ranges]


def _for_people(line: str) -> str:
    """A line about the command line's options, in a window that has none."""
    return line.removeprefix("--grid ").removeprefix("--range ").removeprefix("--dask ")


def _button(text: str, name: str, clicked: Callable[[], Any]) -> QPushButton:
    button = QPushButton(text)
    button.setAccessibleName(name)
    button.setAutoDefault(False)
    button.clicked.connect(clicked)
    return button
