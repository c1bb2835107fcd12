"""Named arrangements of the views: which ones are open, and where."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow

# Columns from left to right; each is a list of cells from top to bottom; a cell is one view or
# several as tabs, the first in front. The numbers are shares of the width and of the height.
Cell = tuple[tuple[str, ...], int]
Column = tuple[int, tuple[Cell, ...]]
LAYOUTS: dict[str, tuple[Column, ...]] = {
    "explore": (
        (62, ((("traces",), 40), (("counts", "raster"), 28), (("images", "atoms"), 32))),
        (38, ((("terms",), 42), (("evidence", "confusion"), 58))),
    ),
    "teach": (
        (60, ((("traces",), 55), (("images",), 45))),
        (40, ((("terms",), 40), (("evidence",), 60))),
    ),
    "debug": (
        (50, ((("traces",), 34), (("raster",), 33), (("atoms",), 33))),
        (50, ((("terms",), 25), (("counts",), 25), (("confusion", "evidence", "images"), 50))),
    ),
}


def arrange(area: QMainWindow, docks: dict[str, QDockWidget], layout: str) -> None:
    """Put the docks as the named layout says; views that it leaves out are closed."""
    for dock in docks.values():
        area.removeDockWidget(dock)
    columns = LAYOUTS[layout]
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
    for _, cells in columns:
        for names, _ in cells:
            for name in names:
                docks[name].show()
            docks[names[0]].raise_()
    share(area, docks, layout)


def share(area: QMainWindow, docks: dict[str, QDockWidget], layout: str) -> None:
    """Give each dock its share of the room; to be called again once the window has its size."""
    columns = LAYOUTS[layout]
    heads = [docks[cells[0][0][0]] for _, cells in columns]
    widths = [share * area.width() // 100 for share, _ in columns]
    area.resizeDocks(heads, widths, Qt.Orientation.Horizontal)
    for _, cells in columns:
        column = [docks[names[0]] for names, _ in cells]
        heights = [part * area.height() // 100 for _, part in cells]
        area.resizeDocks(column, heights, Qt.Orientation.Vertical)
