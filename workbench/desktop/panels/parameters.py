"""The parameter panel: data, dictionary and system, generated from what they declare."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from workbench.desktop.panels.fields import ChoiceField, Field, NumberField, make_field, tame
from workbench.desktop.panels.step_bound import StepBound
from workbench.desktop.workspace import Workspace
from workbench.document import Document, sections
from workbench.parameters import Parameter, declared

SECTIONS = (
    "data",
    "backbone",
    "dictionary",
    "signal",
    "decoder",
    "run",
)  # above and below the system's own


class Group(QWidget):
    """A titled group of rows; rows declared advanced fold away."""

    def __init__(self, title: str, section: str, workspace: Workspace) -> None:
        super().__init__()
        self._section, self._workspace = section, workspace
        self.fields: dict[str, Field] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        heading = QLabel(title.upper())
        heading.setProperty("role", "section")
        self.more = QToolButton()
        self.more.setProperty("role", "fold")
        self.more.setCheckable(True)
        self.more.setAccessibleName(f"More {title.lower()} parameters")
        self.more.toggled.connect(self._fold)
        top = QHBoxLayout()
        top.addWidget(heading, 1)
        top.addWidget(self.more)
        self._column.addLayout(top)
        self._folded = QWidget()
        self._inner = QVBoxLayout(self._folded)
        self._inner.setContentsMargins(0, 0, 0, 0)
        self._inner.setSpacing(4)

    def fill(self, parameters: tuple[Parameter, ...]) -> None:
        """Make the rows."""
        for parameter in parameters:
            field = make_field(f"{self._section}.{parameter.name}", parameter)
            field.edited.connect(self._edited)
            field.tried.connect(self._tried)
            self.fields[parameter.name] = field
            (self._inner if parameter.advanced else self._column).addWidget(field)
        self._column.addWidget(self._folded)
        self._fold(False)

    def add_top(self, widget: QWidget) -> None:
        """Put a widget of its own right below the title."""
        self._column.insertWidget(1, widget)

    def add_below(self, widget: QWidget) -> None:
        """Put a widget of its own below the rows that do not fold."""
        self._column.insertWidget(self._column.indexOf(self._folded), widget)

    def show_values(self, values: dict[str, Any]) -> None:
        """Show the document's values; what it does not set shows its default.

        Rows that mean nothing beside the other values are not shown.
        """
        for name, field in self.fields.items():
            field.show_value(values.get(name, field.declared.default))
            field.setVisible(field.declared.applies(values))
        folded = [f for f in self.fields.values() if f.declared.advanced]
        self.more.setVisible(any(f.declared.applies(values) for f in folded))

    def _fold(self, open_: bool) -> None:
        self._folded.setVisible(open_)
        self.more.setText("less ▾" if open_ else "more ▸")

    def _tried(self, value: Any) -> None:
        """A slider is held: show what its value would do, or turn the run that goes on."""
        field = self.sender()
        if self._workspace.what_if.try_value(field.place, value):
            field.show_tried(value)
        else:
            self._workspace.set_value(field.place, value, merge=True)

    def _edited(self, value: Any, dragging: bool) -> None:
        field = self.sender()
        self._workspace.what_if.end()
        if not self._workspace.set_value(field.place, value, merge=dragging):
            if isinstance(field, NumberField):
                field.refuse()
            else:
                self.show_values(_section_values(self._workspace.document, self._section))


def _section_values(document: Document, section: str) -> dict[str, Any]:
    values = getattr(document, section)
    return values if isinstance(values, dict) else values.model_dump()


class ParametersPanel(QWidget):
    """All groups, and the choice of the system."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(16)
        self.groups: dict[str, Group] = {}
        for section in SECTIONS:
            group = Group(section, section, workspace)
            group.fill(declared(sections()[section]))
            self.groups[section] = group
            self._column.addWidget(group)
        self._kind = ""
        self.kind = QComboBox()
        self.kind.setAccessibleName("System")
        tame(self.kind)
        self.kind.currentIndexChanged.connect(self._kind_chosen)
        self.step_bound = StepBound(self)
        workspace.ready.connect(self._offer_systems)
        workspace.statusChanged.connect(self._show_status)
        workspace.experimentChanged.connect(self._show_resolved)
        workspace.documentChanged.connect(self.show_document)
        self.show_document(workspace.document)

    def _offer_systems(self) -> None:
        """The engine is there, and with it the systems' declarations."""
        blocker = QSignalBlocker(self.kind)
        for kind, system in self._workspace.engine.systems.kinds().items():
            self.kind.addItem(system.title, kind)
            self.kind.setItemData(
                self.kind.count() - 1, system.summary, Qt.ItemDataRole.ToolTipRole
            )
        blocker.unblock()
        self.show_document(self._workspace.document)

    def _kind_chosen(self, index: int) -> None:
        self._workspace.set_value("system.kind", self.kind.itemData(index))

    def show_document(self, document: Document) -> None:
        """Show the values of a document; makes the system's rows anew if it is another system."""
        if self._workspace.engine is not None and document.system["kind"] != self._kind:
            self._make_system_group(document.system["kind"])
        for section, group in self.groups.items():
            group.show_values(_section_values(document, section))

    def _show_resolved(self, experiment: Any) -> None:
        for name, field in self.groups["run"].fields.items():
            if isinstance(field, ChoiceField):
                field.show_resolved(getattr(experiment.document.run, name))

    def _show_status(self, status: Any) -> None:
        self.step_bound.show_bound(status.bound)

    def _make_system_group(self, kind: str) -> None:
        known = self._workspace.engine.systems.kinds()
        if kind not in known:
            return  # the runner says what is wrong
        old = self.groups.pop("system", None)
        self._kind = kind
        group = Group("system", "system", self._workspace)
        group.fill(declared(known[kind].Params))
        group.add_top(self.kind)
        group.add_below(self.step_bound)
        if old is not None:
            self._column.removeWidget(old)
            old.deleteLater()
        self._column.insertWidget(3, group)  # after data, backbone and dictionary
        self.groups["system"] = group
        blocker = QSignalBlocker(self.kind)
        self.kind.setCurrentIndex(self.kind.findData(kind))
        blocker.unblock()
        uses_dictionary = known[kind].uses_dictionary
        self.groups["dictionary"].setVisible(uses_dictionary)
