"""Fork the run with another input or another atom: the dialog is made from what edits declare."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon, QImage
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from workbench.desktop.panels.fields import Field, NumberField, make_field
from workbench.desktop.pictures import atom_picture, to_image
from workbench.desktop.theme import theme
from workbench.desktop.views.images import Picture
from workbench.desktop.workspace import Workspace
from workbench.errors import InputError
from workbench.parameters import declared


class ForkDialog(QDialog):
    """Choose an edit, see what it makes of the image or the atom, and fork."""

    def __init__(self, workspace: Workspace, parent: QWidget) -> None:
        from workbench.engine.edits import EDITS  # with torch, which is loaded by now

        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Fork with an edit")
        self._workspace = workspace
        uses_atoms = workspace.snapshot.experiment.dictionary is not None
        self._edits = [edit for edit in EDITS if uses_atoms or not edit.of_atom]
        self._values: dict[str, Any] = {}
        self._fields: list[Field] = []
        self._acted_on: tuple = ()  # what an edit changes, and the place in time that it belongs to
        self.choice = QComboBox()
        self.choice.setAccessibleName("What to change")
        self.choice.addItems([edit.title for edit in self._edits])
        self.before, self.after = Picture("Before"), Picture("After")
        self.says = QLabel(wordWrap=True)
        self.says.setProperty("role", "small")
        self._rows = QVBoxLayout()
        self._rows.setSpacing(8)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.fork = self.buttons.addButton("Fork", QDialogButtonBox.ButtonRole.ApplyRole)
        for button in self.buttons.buttons():
            button.setAutoDefault(False)  # Return ends the writing of a number, and no more
            button.setIcon(QIcon())  # some platforms put one on Cancel alone
        self.fork.setProperty("role", "primary")
        self.fork.clicked.connect(self._fork)
        self.buttons.rejected.connect(self.reject)
        self.choice.currentIndexChanged.connect(self._choose)
        self._assemble()
        self._choose(0)
        workspace.statusChanged.connect(self._follow)  # the run may go on meanwhile

    def _assemble(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(16)
        column.addWidget(self.choice)
        pictures = QHBoxLayout()
        pictures.setSpacing(16)
        for title, picture in (("before", self.before), ("after", self.after)):
            picture.setFixedSize(theme.px(136), theme.px(136))
            label = QLabel(title, alignment=Qt.AlignmentFlag.AlignCenter)
            label.setProperty("role", "small")
            stack = QVBoxLayout()
            stack.setSpacing(4)
            stack.addWidget(picture)
            stack.addWidget(label)
            pictures.addLayout(stack)
        column.addLayout(pictures)
        column.addLayout(self._rows)
        column.addWidget(self.says)
        column.addWidget(self.buttons)
        self.setFixedWidth(theme.px(336))

    @property
    def kind(self) -> Any:
        """The edit that is chosen."""
        return self._edits[self.choice.currentIndex()]

    def _choose(self, index: int) -> None:
        """Rows for the fields of an edit."""
        for field in self._fields:
            self._rows.removeWidget(field)
            field.hide()
            field.deleteLater()
        self._fields, self._values = [], self.kind().model_dump()
        if self.kind.of_atom and self._workspace.neuron is not None:
            self._values["neuron"] = self._workspace.neuron
        for parameter in declared(self.kind):
            field = make_field(f"edit.{parameter.name}", parameter)
            field.show_value(self._values[parameter.name])
            field.edited.connect(self._edited)
            field.tried.connect(self._edited)
            self._rows.addWidget(field)
            self._fields.append(field)
        self._show()

    def _edited(self, value: Any, dragging: bool = False) -> None:
        field = self.sender()
        self._values[field.declared.name] = value
        if self._show():
            field.show_value(value)
        elif isinstance(field, NumberField):
            field.refuse()

    def _edit(self) -> Any:
        return self.kind.parse(self._values, "")

    def _show(self) -> bool:
        """Show what the edit would do; False, and why, if it cannot be done."""
        try:
            pair = self._edit().preview(*self._before())
        except InputError as error:
            self.says.setText(str(error))
            self.fork.setEnabled(False)
            return False
        for picture, values in zip((self.before, self.after), pair, strict=True):
            picture.show_image(self._picture(values))
        self.fork.setEnabled(True)
        self.says.setText(self._where())
        return True

    def _before(self) -> tuple[Any, Any]:
        """The experiment and the input that the edit would change: not always those on screen."""
        from workbench.engine.forking import acted_on

        snapshot, branches = self._workspace.snapshot, self._workspace.branching.branches
        if self._acted_on[1:] != (snapshot.branch, snapshot.step):
            before = acted_on(snapshot.branch, branches, snapshot.step)
            self._acted_on = (before, snapshot.branch, snapshot.step)
        return self._acted_on[0]

    def _follow(self) -> None:
        """The cursor is elsewhere: so is the fork."""
        if self.fork.isEnabled() and self._workspace.snapshot is not None:
            self._show()

    def _picture(self, values: np.ndarray) -> QImage:
        """An image, or an atom as one; features are no image."""
        experiment = self._workspace.snapshot.experiment
        if not self.kind.of_atom:
            return to_image(values, 0.0, 1.0, signed=False)
        if experiment.vectors.backbone is not None:
            return QImage()
        return atom_picture(values.reshape(experiment.dataset.image_shape))

    def _where(self) -> str:
        from workbench.engine.branches import acting_step

        snapshot = self._workspace.snapshot
        step = acting_step(snapshot.branch, snapshot.step, snapshot.branch.steps)
        start = f"step {step + 1}" if step else "the first step"
        return f"From {start} on; what was recorded stays as it was."

    def _fork(self) -> None:
        self._workspace.branching.fork(self._edit())
        self.accept()
