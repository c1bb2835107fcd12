"""Colours that mean something, the same in the window and in exported figures.

Every colour is legible as a line on white and on the window's dark ground (contrast of at least
3:1 on both), and any two of a set stay apart under protanopia, deuteranopia and tritanopia. That
is why they are not Okabe-Ito and Tol's muted to the letter: the pale ones (yellow, sand, cyan)
are darkened, the dark ones (black, indigo, wine) lightened, the hues kept within a few degrees.
"""

from __future__ import annotations

NEUTRAL = "#7f7f7f"  # what belongs to no class

# Okabe-Ito: blue, orange, bluish green, vermillion, purple, sky blue, yellow, grey for black.
_FEW = (
    "#006fd5",
    "#957900",
    "#487b5a",
    "#a65036",
    "#bd6385",
    "#0094d6",
    "#8d9a45",
    "#6d6d6d",
)

# Tol's muted: rose, indigo, sand, green, cyan, wine, teal, olive, purple; then azure.
_MANY = (
    "#f55679",
    "#396af2",
    "#989800",
    "#608151",
    "#2e6b8f",
    "#915367",
    "#499e82",
    "#6e6800",
    "#b183ba",
    "#2098fc",
)

# Line patterns, lengths on and off in line widths; () is a solid line.
_DASHES: tuple[tuple[float, ...], ...] = ((), (5.0, 2.0), (1.0, 1.5), (6.0, 2.0, 1.0, 2.0))

# The terms of an energy by position: the parts first, their sum last.
TERM_COLOURS = ("#0084c8", "#d55e00", NEUTRAL)

# The regimes of a network from silent to divergent: areas, which a sign tells apart as well.
REGIME_COLOURS = ("#858d97", "#0362a0", "#85c7a5", "#f8a924", "#c43538")


def class_colour(c: int, classes: int) -> str:
    """The colour of class ``c`` of ``classes`` as ``#rrggbb``; repeats after 8 or 10."""
    colours = _colours(classes)
    return colours[c % len(colours)]


def class_dash(c: int, classes: int) -> tuple[float, ...]:
    """The dash pattern that tells apart classes of one colour, in line widths; () is solid."""
    return _DASHES[c // len(_colours(classes)) % len(_DASHES)]


def _colours(classes: int) -> tuple[str, ...]:
    return _FEW if classes <= len(_FEW) else _MANY
