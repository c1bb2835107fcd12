"""Clearing the cached features from the window."""

from __future__ import annotations

from PySide6.QtWidgets import QMessageBox, QWidget

from workbench import folders
from workbench.desktop.workspace import Workspace


def ask_and_clear(workspace: Workspace, parent: QWidget) -> None:
    """Say how many cached features there are and how large, and clear them if that is wanted."""
    from workbench.data import features  # with torch, which is loaded by now

    place = folders.cache() / "features"
    found = features.entries(place)
    if not found:
        workspace.said.emit(f"There are no cached features in {place}")
        return
    size = sum(entry.bytes for entry in found) / 1e6
    sets = "one set of images" if len(found) == 1 else f"{len(found)} sets of images"
    question = (
        f"The features of {sets} are kept, {size:.1f} MB in {place}. Cleared, they are computed "
        "again when they are needed. Clear them?"
    )
    if QMessageBox.question(parent, "Cached features", question) == QMessageBox.StandardButton.Yes:
        freed = features.clear(place) / 1e6
        experiment = workspace.experiment
        in_use = experiment is not None and experiment.vectors.backbone is not None
        keeps = "; the present run keeps its own to its end" if in_use else ""
        workspace.said.emit(f"Freed {freed:.1f} MB of cached features{keeps}")
