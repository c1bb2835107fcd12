"""What all views share: a header with title, summary, ``?`` and export, and drawing on demand.

A view draws declared kinds of observables and never knows which system they come from. The frame
clock calls `refresh` for visible views only; `draw` runs when something it shows has changed.
"""

from __future__ import annotations

from html import unescape
from typing import Any, ClassVar

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from workbench import palette
from workbench.desktop import export
from workbench.desktop.asking import Asker, Wish
from workbench.desktop.theme import style_plot, theme
from workbench.desktop.views.header import Header
from workbench.desktop.workspace import Workspace


class _Help(QLabel):
    """A page of help; any key and any click closes it."""

    def keyPressEvent(self, event: Any) -> None:
        self.close()

    def mousePressEvent(self, event: Any) -> None:
        self.close()


class View(QWidget):
    """A view of the run. Subclasses say what they need and how to draw it."""

    name: ClassVar[str]  # of the dock, stable across versions
    title: ClassVar[str]
    tab: ClassVar[str] = ""  # a shorter title, for a tab among others
    shows: ClassVar[str]  # help: what it shows
    equation: ClassVar[str] = ""  # help: its equation
    look_for: ClassVar[str]  # help: what to look for

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.setObjectName(self.name)
        self.setAccessibleName(self.title)
        self.workspace = workspace
        self.header = Header(self)
        self._drawn: tuple | None = None
        self._recording: Any = None
        self._text = ""
        self._seldom: set[QWidget] = set()  # what `draw` alone shows
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(8, 0, 8, 8)
        self._layout.setSpacing(4)
        self._empty = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self._empty.setProperty("role", "small")
        self._empty.hide()
        self._layout.addWidget(self._empty)
        theme.changed.connect(self.restyle)

    # -- for subclasses --------------------------------------------------------------------------

    def applies(self, system: type) -> bool:
        """Whether a system of this class can ever fill the view."""
        return True

    def needs(self, system: Any) -> set[str]:
        """Names of the observables that `draw` reads from the snapshot."""
        return set()

    def compares(self, system: Any) -> set[str]:
        """Names of the observables that `draw` reads of the branch that the run is drawn over."""
        return set()

    def reset(self, snapshot: Any) -> None:
        """Another run: put ranges, colours and caches anew."""

    def draw(self, snapshot: Any) -> None:
        """Draw the snapshot."""

    def depends_on(self, snapshot: Any) -> tuple:
        """What the picture depends on; drawn again when any of it changes."""
        ghost = self.workspace.ghost
        length = ghost and ghost.recording.head
        return (snapshot, self.workspace.neuron, ghost and ghost.recording, length)

    def ghost_rows(self, name: str) -> np.ndarray | None:
        """A small observable of what the run is drawn over, [K + 1, …]; None: there is none."""
        ghost = self.workspace.ghost
        return None if ghost is None else ghost.recording.summary(name)

    def figure(self) -> Any:
        """A matplotlib figure of what is shown, or None when there is nothing."""
        return None

    def table(self) -> tuple[list[str], np.ndarray] | None:
        """Column names and rows of the full data behind the view."""
        return None

    def restyle(self) -> None:
        """The theme changed: redraw all."""
        self.header.restyle()
        self._recording = self._drawn = None

    def ask(self, asker: Asker, wish: Wish, pace: float) -> bool:
        """Have a wish answered; while the network runs every ``pace`` seconds at most.

        False: not yet; the view is drawn again at the next frame.
        """
        if not self.workspace.running:
            asker.want(wish)
        elif not asker.want_now_and_then(wish, pace):
            self._drawn = None
            return False
        return True

    # -- for the window --------------------------------------------------------------------------

    def refresh(self) -> None:
        """Draw if anything changed since the last time."""
        snapshot = self.workspace.snapshot
        if snapshot is None:
            status = self.workspace.status
            self.show_empty((status.error if status else "") or "Preparing …")
            return
        if snapshot.recording is not self._recording:
            self._recording = snapshot.recording
            self._drawn = None
            self.show_empty("")
            self.reset(snapshot)
        key = self.depends_on(snapshot)
        if self._drawn is None or any(
            a is not b and not _same(a, b) for a, b in zip(key, self._drawn, strict=True)
        ):
            self._drawn = key
            self.draw(snapshot)

    def summarise(self, text: str) -> None:
        """One line beside the title; also what a screen reader says of the view."""
        if text != self._text:
            self._text = text
            self.header.summary.setText(text)
            self.header.summary.setToolTip(text)
            self.setAccessibleDescription(plain(text))

    def show_empty(self, message: str) -> None:
        """Say what to do to fill the view; an empty text shows the view itself."""
        self._empty.setText(message)
        if self._empty.isHidden() and not message:
            return
        self._empty.setVisible(bool(message))
        for index in range(self._layout.count()):
            widget = self._layout.itemAt(index).widget()
            # even for a moment, what is shown would widen the dock
            if widget is not self._empty and (message or widget not in self._seldom):
                widget.setVisible(not message)
        if message:
            self.summarise("")

    def show_help(self) -> None:
        """What the view shows, its equation, and what to look for."""
        text = f"<p><b>{self.title}</b></p><p>{self.shows}</p>"
        if self.equation:
            text += f"<p><i>{self.equation}</i></p>"
        popup = _Help(f"{text}<p><b>Look for</b> {self.look_for}</p>", self)
        popup.setWindowFlags(Qt.WindowType.Popup)
        popup.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        popup.setObjectName("help")
        popup.setWordWrap(True)
        popup.setMargin(theme.px(16))
        popup.setFixedWidth(theme.px(360))
        popup.setStyleSheet(
            f"background: {theme.colours.surface}; border: 1px solid {theme.colours.hairline};"
        )
        popup.adjustSize()
        corner = self.header.help.mapToGlobal(QPoint(0, self.header.help.height()))
        popup.move(corner - QPoint(popup.width() - self.header.help.width(), 0))
        popup.show()

    def show_export_menu(self) -> None:
        """Choose between the figure's formats and the data."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for suffix in export.FORMATS:
            action = menu.addAction(f"Export as {suffix.upper()} …")
            action.setData(suffix)
        menu.triggered.connect(self._export_chosen)
        menu.popup(self.header.export.mapToGlobal(QPoint(0, self.header.export.height())))

    def _export_chosen(self, action: Any) -> None:
        export.ask_and_save(self, action.data())

    def caption(self) -> str:
        """Document, image, step and fingerprint, for the foot of an exported figure."""
        status, coded = self.workspace.status, self.workspace.snapshot.input.name
        return (
            f"{self.workspace.name}, {coded}, step {status.step}, fingerprint {status.fingerprint}"
        )


def _same(a: Any, b: Any) -> bool:
    return isinstance(a, (int, str, float, type(None))) and a == b


def plain(text: str) -> str:
    """Rich text without its marks."""
    inside, out = False, []
    for character in text:
        if character in "<>":
            inside = character == "<"
        elif not inside:
            out.append(character)
    return unescape("".join(out)).replace("\u00a0", " ")


class PlaneView(View):
    """A view with one plot."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.widget = pg.PlotWidget(enableMenu=False)
        self.widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.widget.setAccessibleName(f"{self.title} plot")
        self.plot = self.widget.getPlotItem()
        self.plot.hideButtons()
        self.plot.setMenuEnabled(False)
        self.plot.disableAutoRange()
        self.plot.setMouseEnabled(x=False, y=False)
        self.widget.scene().sigMouseClicked.connect(self._clicked)
        self._layout.addWidget(self.widget, 1)

    def restyle(self) -> None:
        super().restyle()
        self.widget.setBackground(theme.colours.surface)
        style_plot(self.plot, theme)

    def label_left(self, text: str, colour: str = "") -> None:
        """Name the vertical axis, in a colour of its own if need be. Its numbers stay as they are.

        WORKAROUND for pyqtgraph 0.14: to switch the SI prefix off works it out once more, and a
        plot of values below 1 then shows them times 1000 after a change of the theme.
        """
        self._label("left", text, colour)

    def label_bottom(self, text: str, colour: str = "") -> None:
        """Name the horizontal axis likewise."""
        self._label("bottom", text, colour)

    def _label(self, side: str, text: str, colour: str) -> None:
        axis, style = self.plot.getAxis(side), {"color": colour} if colour else {}
        if axis.labelText == text and axis.labelStyle.get("color", "") == colour:
            return
        axis.setLabel(text, siPrefixEnableRanges=(), **style)
        axis.resizeEvent()  # else a text of another length is not in the middle

    def clicked(self, x: float, y: float) -> None:
        """A click on the plot, in its own units."""

    def fit(self) -> None:
        """A double click: fit the ranges to what is drawn."""
        if self.workspace.snapshot is not None:
            self._recording = None

    def _clicked(self, event: Any) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self.workspace.snapshot is None:
            return
        if event.double():
            self.fit()
            return
        point = self.plot.getViewBox().mapSceneToView(event.scenePos())
        self.clicked(point.x(), point.y())


class PlotView(PlaneView):
    """A view with one plot over time steps and the cursor as a vertical line."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.cursor = pg.InfiniteLine(angle=90, movable=False)
        self.cursor.setZValue(50)
        self.plot.addItem(self.cursor, ignoreBounds=True)
        self._range = (0.0, 1.0)

    def restyle(self) -> None:
        super().restyle()
        self.cursor.setPen(pg.mkPen(theme.colours.muted, width=1))

    def fit_steps(self, steps: int) -> None:
        """The time axis of the whole run; it does not move while running."""
        span = max(steps, 1)
        self.plot.setXRange(-0.02 * span, 1.05 * span, padding=0)  # room for a label at the end
        self.plot.setLabel("bottom", "step k")

    def grow_range(self, low: float, high: float, fresh: bool = False) -> None:
        """Widen the vertical range to hold low..high; ``fresh`` starts from there."""
        if not fresh:
            low, high = min(low, self._range[0]), max(high, self._range[1])
        if fresh or (low, high) != self._range:
            margin = 0.06 * (high - low or 1.0)
            # grow in one larger stride, so that the ticks are not laid out anew at each frame
            self._range = (low, high)
            self.plot.setYRange(low - margin, high + margin, padding=0)

    def clicked_at(self, step: int, value: float) -> None:
        """A click on the plot: put the cursor there."""
        self.workspace.ask(lambda runner: runner.seek(step))

    def clicked(self, x: float, y: float) -> None:
        if -0.5 <= x <= self.workspace.status.steps + 0.5:
            self.clicked_at(round(x), y)


class QuietCombo(QComboBox):
    """As wide as what is chosen, which leaves room for the summary; its list is as wide as it is.

    Texts that are offered with signals blocked need an ``updateGeometry``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.currentTextChanged.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        words = self.fontMetrics().horizontalAdvance(self.currentText())
        return QSize(words + theme.px(25), super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def showPopup(self) -> None:
        self.view().setMinimumWidth(self.view().sizeHintForColumn(0) + theme.px(16))
        super().showPopup()


def quiet_combo(name: str, items: list[str], kind: type[QComboBox] = QuietCombo) -> Any:
    """A small choice in a view's header."""
    combo = kind()
    combo.setProperty("role", "quiet")
    combo.setAccessibleName(name)
    combo.setToolTip(name)
    combo.addItems(items)
    combo.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
    combo.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    return combo


def choice_row(*choices: tuple[str, QWidget]) -> QWidget:
    """Choices side by side, each behind a sign of what it is for."""
    body = QWidget()
    row = QHBoxLayout(body)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(4)
    for mark, choice in choices:
        sign = QLabel(mark)
        sign.setProperty("role", "small")
        row.addWidget(sign)
        row.addWidget(choice)
        row.addSpacing(4)
    row.addStretch(1)
    return body


def quiet_legend(plot: pg.PlotItem, corner: tuple[int, int]) -> pg.LegendItem:
    """Names of curves in a corner of a plot, (0, 0) at the top left; see `style_legend`."""
    legend = pg.LegendItem(verSpacing=-6)
    legend.setParentItem(plot.getViewBox())
    legend.anchor(corner, corner, offset=tuple(8 - 16 * end for end in corner))
    return legend


def style_legend(legend: pg.LegendItem) -> None:
    """The theme's colour, and small type."""
    for _, label in legend.items:
        label.setText(label.text, color=theme.colours.muted, size=f"{theme.px(11)}px")


def class_pen(label: int | None, classes: int, width: int = 1) -> Any:
    """The pen of a class: its colour, and its dash as a second code where colours run out."""
    if label is None:
        return pg.mkPen(theme.colours.muted, width=width)
    dash = palette.class_dash(label, classes)
    pen = pg.mkPen(palette.class_colour(label, classes), width=width)
    if dash:
        pen.setDashPattern(list(dash))
    return pen


def coloured(text: str, colour: str) -> str:
    """Rich text in a colour."""
    return f'<span style="color: {colour}">{text}</span>'


def small_font() -> QFont:
    """For labels inside plots."""
    return theme.font(11)


def of_kind(system: Any, *kinds: str) -> list[Any]:
    """The observables a system declares of some kinds, in its order."""
    return [o for o in system.observables if o.kind in kinds]
