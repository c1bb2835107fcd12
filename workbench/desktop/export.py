"""Pictures and data out of a view: PNG, SVG and PDF through matplotlib, CSV of the full data."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QMessageBox

if TYPE_CHECKING:
    from workbench.desktop.views.base import View

FORMATS = ("png", "svg", "pdf", "csv")


def ask_and_save(view: View, suffix: str) -> None:
    """Ask for a file and write it; what goes wrong is said in one line."""
    proposal = f"{view.name}.{suffix}"
    chosen, _ = QFileDialog.getSaveFileName(
        view, f"Export {view.title.lower()}", proposal, f"{suffix.upper()} (*.{suffix})"
    )
    if not chosen:
        return
    typed = chosen.lower().endswith(f".{suffix}")
    path = Path(chosen if typed else f"{chosen}.{suffix}")
    try:
        written = save(view, path)
    except OSError as error:
        QMessageBox.warning(view, "Export", f"{path} could not be written: {error.strerror}")
        return
    view.workspace.said.emit(f"Exported to {path}" if written else "Nothing to export yet")


def save(view: View, path: Path) -> bool:
    """Write what the view shows in the format of the suffix; False if there is nothing.

    Raises:
        OSError: the file cannot be written.
    """
    if path.suffix.lower() == ".csv":
        table = view.table()
        if table is None:
            return False
        columns, rows = table
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(rows.tolist())
        return True
    figure = view.figure()
    if figure is None:
        return False
    from workbench.analysis import figures

    figures.save_figure(figure, path)
    return True
