"""What is drawn in a phase plane: path, thresholds, and the flow around it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt

from workbench import palette
from workbench.desktop.theme import theme
from workbench.desktop.views.base import small_font
from workbench.desktop.views.ghosts import BEHIND, faint

FADES = 10  # stretches of the path, each a little stronger than the one before
MOST_DOTS = 400  # steps up to which each has a dot
ROOM = (64, 20)  # pixels at scale 1 that a region needs to be named
Box = tuple[float, float, float, float]  # left, right, low, high
INKS = palette.TERM_COLOURS[:2]  # of the neuron across and of the one upwards


class PhasePlot:
    """The items in a plot, made once."""

    def __init__(self, plot: pg.PlotItem) -> None:
        self._plot = plot
        self._path = [pg.PlotCurveItem() for _ in range(FADES)]
        self._to_come = pg.PlotCurveItem(connect="finite")
        self._ghost = pg.PlotCurveItem(connect="finite")
        self._dots = pg.ScatterPlotItem(size=4, pen=None)
        self._here = pg.ScatterPlotItem(size=11)
        self._arrows = pg.PlotCurveItem(connect="pairs")
        self._nullclines = [pg.PlotCurveItem(connect="finite") for _ in INKS]
        self._lines = [pg.InfiniteLine(angle=90 * (i % 2)) for i in range(4)]
        self.nullclines = False  # whether any are drawn
        self._words: dict[str, pg.TextItem] = {}
        self._named: tuple = ()  # what the words are of
        self._flow: Any = None
        depths = ((self._arrows, -20), (self._to_come, -5), (self._dots, 5), (self._here, 20))
        depths += ((self._ghost, BEHIND),)
        for item, depth in depths:
            item.setZValue(depth)
        for item in self._nullclines:
            item.setZValue(-10)
        for item in (*self._lines, *(item for item, _ in depths), *self._path, *self._nullclines):
            plot.addItem(item, ignoreBounds=True)

    # -- the path --------------------------------------------------------------------------------

    def show_path(self, past: np.ndarray, to_come: np.ndarray, here: np.ndarray | None) -> None:
        """The path up to the cursor [n, 2], that beyond it, and the point at the cursor [2]."""
        bounds = np.linspace(0, max(len(past) - 1, 0), FADES + 1).round().astype(int)
        for item, start, end in zip(self._path, bounds, bounds[1:], strict=False):
            stretch = past[start : end + 1] if end > start else past[:0]
            item.setData(*_columns(stretch))
        self._to_come.setData(*_columns(np.concatenate([past[-1:], to_come])))
        self._dots.setData(*_columns(past if len(past) <= MOST_DOTS else past[:0]))
        self._here.setData(*_columns(past[:0] if here is None else here[None]))

    def show_ghost(self, points: np.ndarray) -> None:
        """The path [n, 2] of the branch that the run is drawn over."""
        self._ghost.setData(*_columns(points))

    # -- thresholds and regions ------------------------------------------------------------------

    def show_thresholds(self, level: float | None, signed: bool) -> None:
        """Dashed lines at ±level, or at level alone; None: none at all."""
        for i, line in enumerate(self._lines):
            negative = i >= 2
            line.setVisible(level is not None and (signed or not negative))
            if level is not None:
                line.setValue(-level if negative else level)

    def name_regions(self, level: float, signed: bool, box: Box, names: tuple[str, str]) -> None:
        """Say in each region that has room who fires there."""
        pixel = self._plot.getViewBox().viewPixelSize()
        key = (level, signed, box, names, pixel)
        if key == self._named:
            return
        left, right, low, high = box
        room = [theme.px(side) * unit for side, unit in zip(ROOM, pixel, strict=True)]
        found: dict[str, tuple[float, _Stretch, _Stretch]] = {}
        for across in _stretches(left, right, level, signed):
            for up in _stretches(low, high, level, signed):
                words = _who(across.fires, up.fires, names)
                size = across.length * up.length
                roomy = across.length > room[0] and up.length > room[1]
                if roomy and size > found.get(words, (0.0,))[0]:
                    found[words] = (size, across, up)
        self.forget_regions()
        self._named = key
        for words, (_, across, up) in found.items():
            self._add_words(words, across, up)

    def _add_words(self, words: str, across: _Stretch, up: _Stretch) -> None:
        """In the corner of its region that is away from the diagonal, where the path often is."""
        alone = across.fires and not up.fires  # below; the others above
        anchor = (1.0 if across.fires else 0.0, 1.0 if alone else 0.0)
        ground = pg.mkColor(theme.colours.surface)
        ground.setAlpha(200)
        item = pg.TextItem(words, color=theme.colours.muted, anchor=anchor, fill=ground)
        item.setFont(small_font())
        x, y = across.end if across.fires else across.start, up.start if alone else up.end
        item.setPos(x, y)
        item.setZValue(-8)  # on the flow, below the path
        self._plot.addItem(item, ignoreBounds=True)
        self._words[words] = item

    def forget_regions(self) -> None:
        """No names."""
        for item in self._words.values():
            self._plot.removeItem(item)
        self._words, self._named = {}, ()

    @property
    def regions(self) -> list[str]:
        """The names that are drawn."""
        return list(self._words)

    # -- the flow --------------------------------------------------------------------------------

    def show_flow(self, flow: Any, box: Box) -> None:
        """Arrows, and the lines on which one of the two neurons is at rest; None: nothing."""
        if flow is self._flow:
            return
        self._flow = flow
        self.nullclines = flow is not None and any(flow.nullclines)
        if flow is None:
            for item in (self._arrows, *self._nullclines):
                item.setData([], [])
            return
        self._arrows.setData(*_columns(_arrows(flow.points, flow.rates, box)))
        gap = np.full((1, 2), np.nan)
        for item, lines in zip(self._nullclines, flow.nullclines, strict=True):
            joined = [part for line in lines for part in (line, gap)]
            item.setData(*_columns(np.concatenate([gap, *joined])))

    # -- looks -----------------------------------------------------------------------------------

    def restyle(self) -> None:
        """Colours of the theme."""
        colours = theme.colours
        for age, item in enumerate(self._path):
            ink = pg.mkColor(colours.text)
            ink.setAlpha(round(255 * (0.25 + 0.75 * age / (FADES - 1))))
            item.setPen(pg.mkPen(ink, width=2))
        dots = pg.mkColor(colours.text)
        dots.setAlpha(150)
        self._dots.setBrush(pg.mkBrush(dots))
        self._to_come.setPen(pg.mkPen(colours.faint, width=1))
        self._ghost.setPen(faint(colours.accent))
        self._here.setBrush(pg.mkBrush(colours.accent))
        self._here.setPen(pg.mkPen(colours.surface, width=2))
        self._arrows.setPen(pg.mkPen(colours.faint, width=1))
        for item, ink in zip(self._nullclines, INKS, strict=True):
            item.setPen(pg.mkPen(ink, width=1.5))
        for line in self._lines:
            line.setPen(pg.mkPen(colours.muted, width=1, style=Qt.PenStyle.DashLine))


def _columns(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return points[:, 0].astype(float), points[:, 1].astype(float)


class _Stretch(NamedTuple):
    """A part of an axis in which a neuron fires, or is silent."""

    start: float
    end: float
    fires: bool

    @property
    def length(self) -> float:
        return self.end - self.start


def _stretches(start: float, end: float, level: float, signed: bool) -> list[_Stretch]:
    """How the thresholds divide what is seen of an axis."""
    bounds = [start, *((-level,) if signed else ()), level, end]
    fires = [True, False, True] if signed else [False, True]
    bounds = np.clip(bounds, start, end).tolist()
    return [_Stretch(*part) for part in zip(bounds, bounds[1:], fires, strict=False)]


def _who(across: bool, up: bool, names: tuple[str, str]) -> str:
    if across and up:
        return "both fire"
    if not across and not up:
        return "neither fires"
    return f"only {names[0] if across else names[1]} fires"


def _arrows(points: np.ndarray, rates: np.ndarray, box: Box) -> np.ndarray:
    """Arrows as pairs of points [6n, 2]: a shaft and two strokes each, longer where it is faster.

    Lengths grow with the square root of the speed, so that slow places can be read, too.
    """
    left, right, low, high = box
    size = np.array([right - left, high - low])
    rates = rates / size  # of the plot's width and height, so that arrows look alike
    speed = np.linalg.norm(rates, axis=1, keepdims=True)
    top = float(speed.max()) or 1.0
    direction = np.divide(rates, speed, out=np.zeros_like(rates), where=speed > 0)
    shaft = direction * np.sqrt(speed / top) * 0.05
    side = np.column_stack([-shaft[:, 1], shaft[:, 0]])
    tip = points + shaft * size
    barbs = [tip + (-0.35 * shaft + turn * 0.22 * side) * size for turn in (1, -1)]
    ends = (points, tip, barbs[0], tip, barbs[1], tip)
    return np.stack(ends, 1).reshape(-1, 2)
