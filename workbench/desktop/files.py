"""Opening and saving sessions from the window; nothing is lost on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QMessageBox, QWidget

from workbench.desktop.settings import Settings
from workbench.desktop.workspace import Workspace
from workbench.document import PICTURES, holds_data, is_picture, load, save, shipped
from workbench.errors import InputError

KINDS = "Sessions (*.json *.workbench)"
SUFFIXES = (".json", ".workbench")
PICTURE_KINDS = f"Pictures ({' '.join(f'*{suffix}' for suffix in PICTURES)})"


def can_be_dropped(path: Path) -> bool:
    """Whether `SessionFiles.open` takes such a file or folder."""
    return path.suffix.lower() in SUFFIXES or holds_data(path) or is_picture(path)


class SessionFiles(QObject):
    """The file commands of a window."""

    saved = Signal()

    def __init__(self, workspace: Workspace, settings: Settings, parent: QWidget) -> None:
        super().__init__(parent)
        self._workspace, self._settings, self._parent = workspace, settings, parent
        self.recent_menu = QMenu("Open recent", parent)
        self.recent_menu.aboutToShow.connect(self._fill_recent)
        self.recent_menu.triggered.connect(self._chosen)
        self.examples_menu = QMenu("Open example", parent)
        for name, path in shipped().items():
            self.examples_menu.addAction(name.replace("-", " ")).setData(str(path))
        self.examples_menu.triggered.connect(self._chosen)

    def ask_open(self) -> None:
        """Open a session through the file dialog."""
        title = "Open a session"
        chosen, _ = QFileDialog.getOpenFileName(self._parent, title, str(self._folder()), KINDS)
        if chosen:
            self.open(Path(chosen))

    def ask_picture(self) -> None:
        """Code a picture that is chosen through the file dialog."""
        title = "Code a picture"
        chosen, _ = QFileDialog.getOpenFileName(
            self._parent, title, str(self._folder()), PICTURE_KINDS
        )
        if chosen:
            self._workspace.select_picture(Path(chosen))

    def ask_compare(self) -> None:
        """Run another session beside this one, on the same image."""
        title = "Compare with a session"
        chosen, _ = QFileDialog.getOpenFileName(self._parent, title, str(self._folder()), KINDS)
        if chosen:
            self.compare(Path(chosen))

    def compare(self, path: Path) -> None:
        """Run a session beside this one; one that cannot be read is refused in a line."""
        try:
            document = load(path)
        except InputError as error:
            self._workspace.complained.emit(str(error))
            return
        self._workspace.branching.compare_with(document, path)

    def open(self, path: Path) -> bool:
        """Open a session; False if it is refused or the user keeps the present one.

        A folder of images, a zip of one or a .npz is taken as the data of the present session; a
        picture is coded in place of the test image.
        """
        if is_picture(path):
            self._workspace.select_picture(path)
            return True
        if holds_data(path):
            document = self._workspace.document.on_data(path).with_value("view.picture", None)
            self._workspace.change(document, f"Take the images of {path.name}")
            return True
        try:
            document = load(path)
        except InputError as error:
            self._workspace.complained.emit(str(error))
            return False
        if not self.may_leave():
            return False
        if not _is_example(path):
            self._settings.add_recent(path)
        self._workspace.open(document, path)
        self._workspace.said.emit(f"Opened {path.name}")
        return True

    def save(self) -> bool:
        """Save where the session came from; examples are saved elsewhere."""
        path = self._workspace.path
        if path is None or _is_example(path):
            return self.ask_save_as()
        return self.save_to(path)

    def ask_save_as(self) -> bool:
        """Save under a name to be chosen."""
        path = self._workspace.path
        start = self._folder() / (path.name if path else "session.json")
        title = "Save the session"
        chosen, _ = QFileDialog.getSaveFileName(self._parent, title, str(start), KINDS)
        return bool(chosen) and self.save_to(Path(chosen))

    def save_to(self, path: Path) -> bool:
        """Save; if that fails the file that was there stays."""
        if path.suffix.lower() not in SUFFIXES:
            path = path.with_name(f"{path.name}.json")
            if path.exists() and not self._may_replace(path):  # the dialog did not know the name
                return False
        session = self._workspace.session
        try:
            save(session, path)
        except InputError as error:
            self._workspace.complained.emit(str(error))
            return False
        self._workspace.path = path
        self._workspace.mark_saved(session)
        self._settings.add_recent(path)
        self.saved.emit()
        beside = "; what runs here is of another session" if self._workspace.on_guest else ""
        self._workspace.said.emit(f"Saved {path}{beside}")
        return True

    def may_leave(self) -> bool:
        """Ask what to do with changes that are not saved; False to stay."""
        if not self._workspace.dirty:
            return True
        buttons = QMessageBox.StandardButton
        answer = QMessageBox.question(
            self._parent,
            "Unsaved changes",
            "The session has changes that are not saved.",
            buttons.Save | buttons.Discard | buttons.Cancel,
            buttons.Save,
        )
        if answer == buttons.Save:
            return self.save()
        return answer == buttons.Discard

    def _may_replace(self, path: Path) -> bool:
        buttons = QMessageBox.StandardButton
        question = f"{path.name} already exists. Replace it?"
        return QMessageBox.question(self._parent, "Save the session", question) == buttons.Yes

    def _folder(self) -> Path:
        path = self._workspace.path
        return path.parent if path and not _is_example(path) else Path.home()

    def _fill_recent(self) -> None:
        self.recent_menu.clear()
        recent = self._settings.recent
        for path in recent:
            self.recent_menu.addAction(str(path)).setData(str(path))
        if not recent:
            self.recent_menu.addAction("None yet").setEnabled(False)
            return
        self.recent_menu.addSeparator()
        self.recent_menu.addAction("Forget all").setData("")

    def _chosen(self, action: Any) -> None:
        if action.data() == "":
            self._settings.clear_recent()
        elif action.data():
            self.open(Path(action.data()))


def _is_example(path: Path) -> bool:
    """Whether a file came with the workbench; such a file is not written to."""
    return path.resolve() in {example.resolve() for example in shipped().values()}
