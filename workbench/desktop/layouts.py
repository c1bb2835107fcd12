"""Named arrangements of the views: which ones are open, and where."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabBar

# Columns from left to right; each is a list of cells from top to bottom; a cell is one view or
# several as tabs, the first in front. The numbers are shares of the width and of the height.
Cell = tuple[tuple[str, ...], int]
Column = tuple[int, tuple[Cell, ...]]
LAYOUTS: dict[str, tuple[Column, ...]] = {
    "explore": (
        (
            62,
            (
                (("traces",), 40),
                (("counts",), 26),
                (("images", "atoms", "growth", "regimes", "compare"), 34),
            ),
        ),
        (
            38,
            (
                (("terms", "ledger", "raster", "phase", "fi"), 44),
                (("evidence", "confusion", "anytime", "why"), 56),
            ),
        ),
    ),
    "teach": (
        (60, ((("traces",), 55), (("images",), 45))),
        (40, ((("terms", "raster"), 40), (("evidence", "why"), 60))),
    ),
    "debug": (
        (50, ((("traces",), 34), (("raster", "phase", "fi"), 33), (("atoms",), 33))),
        (
            50,
            (
                (("terms", "ledger"), 25),
                (("counts", "anytime"), 25),
                (("confusion", "regimes", "evidence", "why", "images", "browser"), 50),
            ),
        ),
    ),
    "compare": (
        (55, ((("compare",), 60), (("traces", "raster"), 40))),
        (45, ((("terms", "counts"), 34), (("images",), 28), (("evidence", "why"), 38))),
    ),
}


def columns_of(layout: str, views: Collection[str]) -> list[Column]:
    """The columns of a layout, without the views that are not in ``views``."""
    columns = []
    for width, cells in LAYOUTS[layout]:
        kept = [(tuple(name for name in names if name in views), part) for names, part in cells]
        kept = [(names, part) for names, part in kept if names]
        if kept:
            columns.append((width, tuple(kept)))
    return columns


def arrange(
    area: QMainWindow,
    docks: dict[str, QDockWidget],
    columns: list[Column],
    spare: Collection[str] = (),
) -> None:
    """Put the docks as the columns say; the others are closed.

    ``spare`` views have a place too: opened, they are tabs of the last cell.
    """
    for dock in docks.values():
        area.removeDockWidget(dock)
    heads = [docks[cells[0][0][0]] for _, cells in columns]
    area.addDockWidget(Qt.DockWidgetArea.TopDockWidgetArea, heads[0])
    for left, right in zip(heads, heads[1:], strict=False):
        area.splitDockWidget(left, right, Qt.Orientation.Horizontal)
    for _, cells in columns:
        above = docks[cells[0][0][0]]
        for names, _ in cells[1:]:
            area.splitDockWidget(above, docks[names[0]], Qt.Orientation.Vertical)
            above = docks[names[0]]
    for _, cells in columns:  # only after all splitting: a split undoes tabs beside it
        for names, _ in cells:
            for name in names[1:]:
                area.tabifyDockWidget(docks[names[0]], docks[name])
    last = docks[columns[-1][1][-1][0][0]]
    for name in spare:
        area.tabifyDockWidget(last, docks[name])
        docks[name].hide()
    for _, cells in columns:
        for names, _ in cells:
            for name in names:
                docks[name].show()
            docks[names[0]].raise_()
    _share(area, docks, columns)


def hide_stray_tabs(area: QMainWindow) -> None:
    """Hide tab bars that Qt made while docks were moved and then forgot in the corner."""
    for bar in area.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
        if bar.x() <= 0 and bar.y() <= 0:
            bar.hide()


def _share(area: QMainWindow, docks: dict[str, QDockWidget], columns: list[Column]) -> None:
    """Give each dock its share of the room."""
    heads = [docks[cells[0][0][0]] for _, cells in columns]
    widths = [share * area.width() // 100 for share, _ in columns]
    area.resizeDocks(heads, widths, Qt.Orientation.Horizontal)
    for _, cells in columns:
        column = [docks[names[0]] for names, _ in cells]
        heights = [part * area.height() // 100 for _, part in cells]
        area.resizeDocks(column, heights, Qt.Orientation.Vertical)
