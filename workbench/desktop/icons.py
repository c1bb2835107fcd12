"""The few icons of the window, drawn as paths so that they are sharp at any size and colour."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

_SIZE = 64  # drawn large once, scaled down by Qt


def icon(name: str, colour: str) -> QIcon:
    """One of: first, back, run, pause, forward, last, help, export, theme, previous, next.

    Raises:
        KeyError: there is no such icon.
    """
    solid, lines = _SHAPES[name]()
    pixmap = QPixmap(_SIZE, _SIZE)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(_SIZE / 16, _SIZE / 16)  # the shapes below are drawn on a 16-unit square
    painter.fillPath(solid, QColor(colour))
    pen = QPen(QColor(colour), 1.5)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.strokePath(lines, pen)
    painter.end()
    return QIcon(pixmap)


def _triangle(x: float, width: float) -> QPainterPath:
    path = QPainterPath()
    path.addPolygon(QPolygonF([QPointF(x, 3), QPointF(x + width, 8), QPointF(x, 13)]))
    path.closeSubpath()
    return path


def _bars(*xs: float, width: float = 2) -> QPainterPath:
    path = QPainterPath()
    for x in xs:
        path.addRect(QRectF(x, 3, width, 10))
    return path


def _joined(*paths: QPainterPath) -> QPainterPath:
    whole = QPainterPath()
    for path in paths:
        whole.addPath(path)
    return whole


def _lines(*points: tuple[tuple[float, float], ...]) -> QPainterPath:
    path = QPainterPath()
    for line in points:
        path.moveTo(*line[0])
        for point in line[1:]:
            path.lineTo(*point)
    return path


def _help() -> tuple[QPainterPath, QPainterPath]:
    mark = QPainterPath(QPointF(5.5, 6))
    mark.cubicTo(5.5, 2.5, 10.8, 2.5, 10.5, 6)
    mark.cubicTo(10.3, 8, 8, 7.8, 8, 10)
    dot = QPainterPath()
    dot.addEllipse(QPointF(8, 12.8), 1, 1)
    return dot, mark


def _theme() -> tuple[QPainterPath, QPainterPath]:
    ring, half = QPainterPath(), QPainterPath(QPointF(8, 2.5))
    ring.addEllipse(QPointF(8, 8), 5.5, 5.5)
    half.arcTo(QRectF(2.5, 2.5, 11, 11), 90, 180)
    half.closeSubpath()
    return half, ring


_EMPTY = QPainterPath()
_SHAPES = {
    "run": lambda: (_triangle(4, 9), _EMPTY),
    "pause": lambda: (_bars(4, 10), _EMPTY),
    "forward": lambda: (_joined(_triangle(3, 7), _bars(11)), _EMPTY),
    "back": lambda: (_joined(_triangle(13, -7), _bars(3)), _EMPTY),
    "last": lambda: (_joined(_triangle(2, 5), _triangle(7, 5), _bars(12.5)), _EMPTY),
    "first": lambda: (_joined(_triangle(14, -5), _triangle(9, -5), _bars(1.5)), _EMPTY),
    "previous": lambda: (_EMPTY, _lines(((10, 4), (6, 8), (10, 12)))),
    "next": lambda: (_EMPTY, _lines(((6, 4), (10, 8), (6, 12)))),
    "help": _help,
    "export": lambda: (
        _EMPTY,
        _lines(((8, 2.5), (8, 10)), ((5, 7.5), (8, 10.5), (11, 7.5)), ((3, 13.5), (13, 13.5))),
    ),
    "theme": _theme,
}
