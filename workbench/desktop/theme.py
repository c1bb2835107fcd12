"""Colours, type and the style sheet: one place for how the window feels.

Three sizes of type (small 11, body 13, heading 15) and an 8-pixel grid, all multiplied by one
scale. Colours come in a dark and a light set; which one follows the system unless it is chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from string import Template

import pyqtgraph as pg
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from workbench.document import assets

GRID = 8  # pixels at scale 1
PRESENTER_SCALE = 1.6


@dataclass(frozen=True)
class Colours:
    """One set of colours."""

    dark: bool
    background: str  # of the window
    surface: str  # of plots and fields
    hairline: str
    text: str
    muted: str  # secondary text; at least 4.5:1 on background
    faint: str  # zero lines, receding traces
    accent: str
    on_accent: str
    warning: str
    error: str


DARK = Colours(
    dark=True,
    background="#15181c",
    surface="#1b1f24",
    hairline="#2d333b",
    text="#e8ebee",
    muted="#a3adb8",
    faint="#4a525c",
    accent="#58a6ff",
    on_accent="#0b1320",
    warning="#e3b341",
    error="#ff8177",
)
LIGHT = Colours(
    dark=False,
    background="#f4f5f7",
    surface="#ffffff",
    hairline="#d9dee4",
    text="#1b1f24",
    muted="#57606a",
    faint="#c3cad2",
    accent="#0b66c3",
    on_accent="#ffffff",
    warning="#8a5a00",
    error="#b42318",
)


class Theme(QObject):
    """The theme in force; views listen to ``changed`` and repaint."""

    changed = Signal()  # after the colours or the scale changed

    def __init__(self) -> None:
        super().__init__()
        self.choice = "system"  # "system", "light" or "dark"
        self.scale = 1.0
        self.colours = DARK

    def install(self) -> None:
        """Follow the system's light or dark from now on."""
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._apply)
        self._apply()

    def uninstall(self) -> None:
        """Stop following the system."""
        QGuiApplication.styleHints().colorSchemeChanged.disconnect(self._apply)

    def choose(self, choice: str) -> None:
        """Take "system", "light" or "dark"."""
        self.choice = choice
        self._apply()

    def set_presenter(self, on: bool) -> None:
        """Bigger type for a projector, or the normal size."""
        self.scale = PRESENTER_SCALE if on else 1.0
        self._apply()

    def px(self, size: float) -> int:
        """A length of the grid at the present scale."""
        return round(size * self.scale)

    def font(self, size: int = 13, bold: bool = False) -> QFont:
        """The system's UI font in one of the three sizes, with tabular figures."""
        font = QFont(QApplication.font().family())
        font.setPixelSize(self.px(size))
        font.setBold(bold)
        font.setFeature(QFont.Tag("tnum"), 1)
        return font

    def _apply(self) -> None:
        system = QGuiApplication.styleHints().colorScheme()
        dark = self.choice == "dark" or (self.choice == "system" and system == Qt.ColorScheme.Dark)
        self.colours = DARK if dark else LIGHT
        app = QApplication.instance()
        app.setPalette(self._palette())
        app.setStyleSheet(self._sheet())
        self.changed.emit()

    def _palette(self) -> QPalette:
        c, role = self.colours, QPalette.ColorRole
        palette = QPalette()
        for which, colour in (
            (role.Window, c.background),
            (role.Base, c.surface),
            (role.AlternateBase, c.background),
            (role.Button, c.background),
            (role.WindowText, c.text),
            (role.Text, c.text),
            (role.ButtonText, c.text),
            (role.ToolTipBase, c.surface),
            (role.ToolTipText, c.text),
            (role.PlaceholderText, c.muted),
            (role.Highlight, c.accent),
            (role.HighlightedText, c.on_accent),
            (role.Mid, c.hairline),
            (role.Link, c.accent),
        ):
            palette.setColor(which, QColor(colour))
        for which in (role.WindowText, role.Text, role.ButtonText):
            palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(c.faint))
        return palette

    def _sheet(self) -> str:
        values = {name: getattr(self.colours, name) for name in Colours.__dataclass_fields__}
        sizes = {
            "small": self.px(11),
            "body": self.px(13),
            "heading": self.px(15),
            "grid": self.px(GRID),
            "half": self.px(GRID / 2),
            "quarter": self.px(GRID / 4),
            "thumb": self.px(14),
            "arrow": self.px(12),
            "arrow_file": (
                assets() / f"arrow-{'dark' if self.colours.dark else 'light'}.svg"
            ).as_posix(),
        }
        return Template(_SHEET).substitute(**values, **sizes)


def style_plot(plot: pg.PlotItem, theme: Theme) -> None:
    """Give a plot the theme's quiet axes: no box, few ticks, small type."""
    colours = theme.colours
    plot.getViewBox().setBackgroundColor(None)
    for side in ("left", "bottom"):
        axis = plot.getAxis(side)
        axis.setPen(pg.mkPen(colours.hairline))
        axis.setTextPen(pg.mkPen(colours.muted))
        axis.setTickPen(pg.mkPen(colours.hairline))
        axis.setStyle(
            tickFont=theme.font(11), tickLength=-4, maxTickLevel=0, hideOverlappingLabels=True
        )
        axis.label.setFont(theme.font(11))
        axis.enableAutoSIPrefix(False)


theme = Theme()

_SHEET = """
* { font-size: ${body}px; }
QMainWindow, QDialog { background: $background; }
QToolTip { color: $text; background: $surface; border: 1px solid $hairline; padding: ${half}px; }
QLabel[role="small"], QCheckBox[role="small"] { font-size: ${small}px; color: $muted; }
QLabel[role="note"] { font-size: ${small}px; color: $text; }
QLabel[role="heading"] { font-size: ${heading}px; font-weight: 600; }
QToolButton[role="fold"] { font-size: ${small}px; color: $muted; padding: 0; }
QLabel[role="section"] { font-size: ${small}px; font-weight: 600; color: $muted; }
QLabel[role="bound"] { font-size: ${small}px; color: $text; }
QLabel[role="bound"][level="near"] { color: $warning; }
QLabel[role="bound"][level="exceeded"] { color: $error; }
QLabel[role="error"] { font-size: ${small}px; color: $error; }
QFrame[role="alarm"] { background: $surface; border-left: ${half}px solid $warning; }
QFrame[role="alarm"] QLabel { color: $text; background: transparent; }
QPushButton[role="remedy"] { border: 1px solid $warning; padding: ${half}px ${grid}px; }
QFrame[role="hairline"] { background: $hairline; border: none; }
QMenuBar { background: $background; padding: ${quarter}px; }
QMenuBar::item { padding: ${half}px ${grid}px; border-radius: 4px; background: transparent; }
QMenuBar::item:selected { background: $hairline; }
QMenu { background: $surface; border: 1px solid $hairline; padding: ${half}px; }
QMenu::item { padding: ${half}px 24px ${half}px ${grid}px; border-radius: 4px; }
QMenu::item:selected { background: $hairline; }
QMenu::item:disabled { color: $faint; }
QMenu::separator { height: 1px; background: $hairline; margin: ${half}px; }
QToolButton, QPushButton {
  background: transparent; border: 1px solid transparent; border-radius: 4px;
  padding: ${quarter}px ${half}px; color: $text;
}
QPushButton { border-color: $hairline; padding: ${half}px ${grid}px; }
QToolButton:hover, QPushButton:hover { background: $hairline; }
QToolButton:pressed, QPushButton:pressed { background: $faint; }
QToolButton:focus, QPushButton:focus, QComboBox:focus, QLineEdit:focus,
QSlider:focus, QCheckBox:focus { border: 1px solid $accent; }
QToolButton:disabled, QPushButton:disabled { color: $faint; }
QToolButton::menu-indicator { image: none; }
QPushButton[role="primary"] { background: $accent; color: $on_accent; border-color: $accent; }
QPushButton[role="primary"]:disabled {
  background: transparent; color: $faint; border-color: $hairline;
}
QLineEdit, QComboBox, QTreeWidget {
  background: $surface; border: 1px solid $hairline; border-radius: 4px;
  padding: ${quarter}px ${half}px; color: $text; selection-background-color: $accent;
}
QMainWindow#area { background: $surface; }
ClaimsDialog QTreeWidget::item { padding: ${quarter}px 0; }
ClaimsDialog QHeaderView::section, SweepDialog QHeaderView::section {
  background: $surface; color: $muted; border: none; border-bottom: 1px solid $hairline;
  padding: ${half}px;
}
PaletteDialog { border: 1px solid $hairline; }
QLineEdit[wrong="true"] { border: 1px solid $error; }
QComboBox[role="quiet"] { border: 1px solid transparent; background: transparent; color: $muted;
  font-size: ${small}px; }
QComboBox[role="quiet"]:hover, QComboBox[role="quiet"]:focus { border: 1px solid $hairline; }
QComboBox::drop-down { border: none; width: ${arrow}px; }
QComboBox::down-arrow { image: url("${arrow_file}"); width: ${arrow}px; height: ${arrow}px; }
QComboBox QAbstractItemView {
  background: $surface; color: $text; border: 1px solid $hairline; outline: none;
  selection-background-color: $hairline; selection-color: $text;
}
QSlider { border: 1px solid transparent; border-radius: 4px; }
QSlider::groove:horizontal { height: 4px; background: $hairline; border-radius: 2px; }
QSlider::sub-page:horizontal { background: $accent; border-radius: 2px; }
QSlider::handle:horizontal {
  width: ${thumb}px; height: ${thumb}px; margin: -${half}px 0; border-radius: 6px;
  background: $text; border: 2px solid $background;
}
QSlider::handle:horizontal:disabled, QSlider::sub-page:horizontal:disabled { background: $faint; }
QScrollArea { border: none; background: transparent; }
QScrollBar:vertical { width: ${grid}px; background: transparent; }
QScrollBar::handle:vertical { background: $hairline; border-radius: 3px; min-height: 24px; }
QScrollBar:horizontal { height: ${grid}px; background: transparent; }
QScrollBar::handle:horizontal { background: $hairline; border-radius: 3px; min-width: 24px; }
QScrollBar::add-line, QScrollBar::sub-line { height: 0; width: 0; }
QProgressBar { border: none; background: $hairline; border-radius: 2px; max-height: 4px; }
QProgressBar::chunk { background: $accent; border-radius: 2px; }
QMainWindow::separator { background: $hairline; width: 1px; height: 1px; }
QMainWindow::separator:hover { background: $accent; }
QDockWidget { background: $surface; }
QTabBar { background: $background; }
QTabBar::tab {
  background: transparent; color: $muted; padding: ${half}px ${grid}px; border: none;
  border-top: 2px solid transparent;
}
QTabBar::tab:selected { color: $text; border-top: 2px solid $accent; }
QStatusBar { background: $background; color: $muted; border-top: 1px solid $hairline; }
QStatusBar::item { border: none; }
QStatusBar QLabel { font-size: ${small}px; color: $muted; padding: ${quarter}px ${grid}px; }
QTableView { background: $surface; border: 1px solid $hairline; gridline-color: $hairline; }
"""
