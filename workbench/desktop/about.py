"""The sheet of keys, and what this program is."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMessageBox, QWidget

from workbench import __version__
from workbench.desktop.actions import COMMANDS


def show_shortcuts(parent: QWidget) -> None:
    """A sheet of all keys."""
    native = QKeySequence.SequenceFormat.NativeText
    rows = "".join(
        f"<tr><td>{c.text.replace('…', '')}</td><td width=24></td>"
        f"<td><b>{QKeySequence(c.keys).toString(native)}</b></td></tr>"
        for c in COMMANDS
        if c.keys
    )
    _inform(parent, "Keyboard shortcuts", f"<table>{rows}</table>")


def show_about(parent: QWidget) -> None:
    """What this is."""
    _inform(
        parent,
        "About",
        f"<p><b>Workbench {__version__}</b></p>"
        "<p>Watch spiking and sparse-coding networks think.</p>"
        "<p>Exemplar coding and its decoders after Takaghaj &amp; Sampson,<br>"
        "Neuromorphic Computing and Engineering 4, 044009 (2024).</p>",
    )


def _inform(parent: QWidget, title: str, text: str) -> None:
    box = QMessageBox(QMessageBox.Icon.NoIcon, title, text, parent=parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()
