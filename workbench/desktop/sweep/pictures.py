"""The pictures of a sweep: a line, a heatmap, parallel coordinates, and which keys decide."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from workbench.analysis.sweep_axis import Axis
from workbench.desktop.sweep.chart import Chart, Points
from workbench.desktop.sweep.heatmap import Heatmap
from workbench.desktop.sweep.importance import ImportanceBars
from workbench.desktop.sweep.line import Line
from workbench.desktop.sweep.parallel import Parallel
from workbench.desktop.views.base import quiet_combo
from workbench.engine.sweep_measures import COLUMNS, Column, axis_found, axis_label, numbers
from workbench.engine.sweep_store import Row
from workbench.parameters import Parameter

AxisOf = Callable[[str, Sequence[Row]], Axis]  # of a key, over some rows


class SweepPictures(QWidget):
    """One picture at a time, of one number of the points."""

    chosen = Signal(list)  # rows that were clicked
    opened = Signal(int)  # a row that was double-clicked

    def __init__(self, describe: Callable[[Sequence[int]], str]) -> None:
        super().__init__()
        self._keys: tuple[str, ...] = ()
        self._axis_of: AxisOf | None = None
        self._rows: Sequence[Row] = ()
        self.line = Line("Points over the key", describe)
        self.heatmap = Heatmap("Points over two keys", describe)
        self.parallel = Parallel("Points over all keys", describe)
        self.importance = ImportanceBars()
        self.charts: tuple[Chart, ...] = (self.line, self.heatmap, self.parallel)
        for chart in self.charts:
            chart.chosen.connect(self.chosen)
            chart.opened.connect(self.opened)
        self.measure = quiet_combo("What is shown", [])
        self.across = quiet_combo("Key across", [])
        self.up = quiet_combo("Key upwards", [])
        for combo in (self.measure, self.across, self.up):
            combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
            combo.currentIndexChanged.connect(self._draw)
        self._assemble()

    def _assemble(self) -> None:
        self.tabs, self.stack = QTabBar(), QStackedWidget()
        self.tabs.setAccessibleName("Pictures of the sweep")
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        for words, widget in (
            ("Line", self.line),
            ("Heatmap", self.heatmap),
            ("Parallel", self.parallel),
            ("Importance", self.importance),
        ):
            self.tabs.addTab(words)
            self.stack.addWidget(widget)
        self.tabs.currentChanged.connect(self._turned)
        top = QHBoxLayout()
        top.setContentsMargins(0, 0, 0, 0)
        self._of_two = [_small("↑"), self.up, _small("→"), self.across]
        top.addWidget(self.measure)
        for widget in self._of_two:
            top.addWidget(widget)
        top.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.tabs)
        column.addLayout(top)
        column.addWidget(self.stack, 1)
        self.begin((), lambda key, rows: Axis(key, []), {})

    # -- what is shown ---------------------------------------------------------------------------

    def begin(
        self, keys: Sequence[str], axis_of: AxisOf, declared: Mapping[str, Parameter]
    ) -> None:
        """Another sweep, over these keys."""
        self._keys, self._axis_of, self._rows = tuple(keys), axis_of, ()
        self._labels = {k: axis_label(declared[k]) if k in declared else k for k in keys}
        for combo, place in ((self.across, 0), (self.up, 1)):
            blocker = QSignalBlocker(combo)
            combo.clear()
            combo.addItems(list(keys))
            combo.setCurrentIndex(min(place, len(keys) - 1))
            blocker.unblock()
        fits = (len(keys) < 2, len(keys) >= 2, len(keys) >= 3, True)
        for place, fit in enumerate(fits):
            self.tabs.setTabVisible(place, fit)
        self.tabs.setCurrentIndex(fits.index(True))
        self._turned(self.tabs.currentIndex())
        self.show_importance(None)
        self.show_rows(())

    def show_rows(self, rows: Sequence[Row]) -> None:
        """All rows there are."""
        self._rows = rows
        done = [row for row in rows if row["error"] is None]
        names = [c.title for c in COLUMNS if any(c.of(row) is not None for row in done)]
        if [self.measure.itemText(i) for i in range(self.measure.count())] != names:
            before = self.measure.currentText()
            blocker = QSignalBlocker(self.measure)
            self.measure.clear()
            self.measure.addItems(names)
            self.measure.setCurrentIndex(max(self.measure.findText(before), 0))
            blocker.unblock()
            self._show_measure()
        self._draw()

    def _show_measure(self) -> None:
        chart = self.stack.currentWidget() is not self.importance
        self.measure.setVisible(chart and self.measure.count() > 0)

    def show_importance(self, found: Mapping[str, Any] | None) -> None:
        """What was found of which keys decide; None: nothing yet."""
        self.importance.show_importance(found, self._labels)

    def show_selected(self, rows: frozenset[int]) -> None:
        """Mark the points of some rows."""
        for chart in self.charts:
            chart.show_selected(rows)

    @property
    def column(self) -> Column | None:
        """The number that is shown of each point."""
        return next((c for c in COLUMNS if c.title == self.measure.currentText()), None)

    def _turned(self, place: int) -> None:
        self.stack.setCurrentIndex(place)
        for widget in self._of_two:
            widget.setVisible(self.stack.currentWidget() is self.heatmap and len(self._keys) > 2)
        self._show_measure()
        self._draw()

    def _draw(self) -> None:
        chart, column = self.stack.currentWidget(), self.column
        if chart is self.importance:
            return
        places = [place for place, row in enumerate(self._rows) if row["error"] is None]
        if column is None or not self._keys or not places:
            chart.show_points(Points())
            return
        done = [self._rows[place] for place in places]
        keys = self._keys
        if chart is self.heatmap:
            keys = (self.across.currentText(), self.up.currentText())
        axes = [self._axis_of(key, done) for key in keys]
        values = numbers(column.of(row) for row in done)
        chart.show_points(Points(axes, values, places, column.title, column.words))


def axis_in_folder(declared: Mapping[str, Parameter]) -> AxisOf:
    """Axes of runs of which nobody says how their values were chosen."""

    def axis_of(key: str, rows: Sequence[Row]) -> Axis:
        parameter = declared.get(key) or Parameter(key, "text", None, "", key)
        return axis_found(parameter, [row["values"].get(key) for row in rows])

    return axis_of


def _small(text: str) -> QLabel:
    label = QLabel(text, alignment=Qt.AlignmentFlag.AlignCenter)
    label.setProperty("role", "small")
    return label
