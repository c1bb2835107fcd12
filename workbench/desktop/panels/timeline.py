"""The branches of the run, each a line over the steps, above the time slider.

A line begins where the branch left its parent and ends at its last recorded step. The thick one is
that of the cursor; the dashed one is what it is drawn over. A click goes to a branch.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QInputDialog, QLineEdit, QMenu, QScrollArea, QWidget

from workbench.desktop.theme import theme
from workbench.desktop.workspace import Workspace

ROW = 20  # pixels at scale 1
NAMES = 220  # beside the lines
MARGIN = 7  # of the slider: half its handle
MOST_ROWS = 5  # seen at once


class Lines(QWidget):
    """One row for each branch."""

    def __init__(self, workspace: Workspace, frame: QWidget) -> None:
        """``frame`` holds the lines, and maybe a scroll bar beside them."""
        super().__init__()
        self._workspace = workspace
        self._frame = frame
        self._hovered: int | None = None
        self._shown: tuple = ()
        self.setAccessibleName("Branches of the run")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMouseTracking(True)
        theme.changed.connect(self._restyle)

    def _restyle(self) -> None:
        self._shown = ()
        self.refresh()
        self.update()

    def refresh(self) -> None:
        """Draw again if a branch came, went or became longer."""
        status, branching = self._workspace.status, self._workspace.branching
        branches = branching.branches
        if not branches:
            return
        heads = [branch.recording.head for branch in branches]
        shown = (branches, heads, status.branch, status.reference, status.step)
        if shown != self._shown:
            self._shown = shown
            self.setFixedHeight(theme.px(ROW) * len(branches))
            names = [branching.name(branch) for branch in branches]
            self.setAccessibleDescription("; ".join(names))
            self.update()

    # -- painting --------------------------------------------------------------------------------

    @property
    def _reach(self) -> int:
        """Where the names begin: as wide as the slider, with a scroll bar and without."""
        return self._frame.width() - theme.px(NAMES)

    def _across(self, step: int) -> float:
        steps = max(self._workspace.status.steps, 1)
        room = self._reach - 2 * theme.px(MARGIN)
        return theme.px(MARGIN) + room * min(step / steps, 1.0)

    def paintEvent(self, event: Any) -> None:
        branches, status = self._workspace.branching.branches, self._workspace.status
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font(11))
        rows = {branch.number: row for row, branch in enumerate(branches)}
        for row, branch in enumerate(branches):
            if row == self._hovered:
                painter.fillRect(self._row(row), QColor(theme.colours.hairline))
            here = branch.number == status.branch
            colour = QColor(theme.colours.accent if here else theme.colours.muted)
            pen = QPen(colour, 3 if here else 1.5)
            if branch.number == status.reference:
                pen.setStyle(Qt.PenStyle.DashLine)
            painter.setPen(pen)
            middle, start = self._middle(row), self._across(branch.step)
            end = max(self._across(branch.recording.head), start + 3)
            painter.drawLine(QPointF(start, middle), QPointF(end, middle))
            if branch.parent in rows:
                painter.setPen(QPen(colour, 1))
                above = QPointF(start, self._middle(rows[branch.parent]))
                painter.drawLine(above, QPointF(start, middle))
            self._paint_name(painter, row, branch, here)
        if self.hasFocus() and status.branch in rows:
            painter.setPen(QPen(QColor(theme.colours.accent), 1))
            painter.drawRect(self._row(rows[status.branch]).adjusted(0, 0, -1, -1))
        painter.setPen(QPen(QColor(theme.colours.muted), 1))
        cursor = self._across(status.step)
        painter.drawLine(QPointF(cursor, 0), QPointF(cursor, self.height()))

    def _paint_name(self, painter: QPainter, row: int, branch: Any, here: bool) -> None:
        text = self._workspace.branching.name(branch)
        if branch.kept:
            text = f"● {text}"
        colours = theme.colours
        painter.setPen(QColor(colours.text if here else colours.muted))
        place = QRectF(self._row(row))
        place.setLeft(self._reach + theme.px(8))
        words = painter.fontMetrics().elidedText(
            text, Qt.TextElideMode.ElideRight, int(place.width())
        )
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, words)

    def _row(self, row: int) -> QRect:
        return QRect(0, row * theme.px(ROW), self.width(), theme.px(ROW))

    def _middle(self, row: int) -> float:
        return (row + 0.5) * theme.px(ROW)

    # -- mouse and keys --------------------------------------------------------------------------

    def _at(self, y: float) -> Any:
        row, branches = int(y // theme.px(ROW)), self._workspace.branching.branches
        return branches[row] if 0 <= row < len(branches) else None

    def mouseMoveEvent(self, event: Any) -> None:
        branch = self._at(event.position().y())
        self._hovered = None if branch is None else int(event.position().y() // theme.px(ROW))
        self.setToolTip("" if branch is None else self.tip(branch))
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = None
        self.update()

    def tip(self, branch: Any) -> str:
        """What a branch is, in a line or two."""
        branching, status = self._workspace.branching, self._workspace.status
        since = f", from step {branch.step} on" if branch.parent is not None else ""
        words = f"<b>{branching.name(branch)}</b>{since}, {branch.recording.head} steps recorded"
        if branch.number == status.reference:
            words += "<br>Drawn faintly behind the run."
        return f"<p>{words}</p><p>Click to go there; right click for more.</p>"

    def mousePressEvent(self, event: Any) -> None:
        branch = self._at(event.position().y())
        if branch is not None and event.button() == Qt.MouseButton.LeftButton:
            self._workspace.branching.switch(branch.number)

    def contextMenuEvent(self, event: Any) -> None:
        keyboard = event.reason() == event.Reason.Keyboard
        branch = self._workspace.branching.current if keyboard else self._at(event.pos().y())
        if branch is not None:
            self.menu(branch).popup(event.globalPos())

    def keyPressEvent(self, event: Any) -> None:
        """Up and down go from branch to branch, Delete takes the present one away."""
        branching, status = self._workspace.branching, self._workspace.status
        numbers = [branch.number for branch in branching.branches]
        move = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(event.key())
        if move is not None and numbers:
            row = numbers.index(status.branch) + move
            branching.switch(numbers[min(max(row, 0), len(numbers) - 1)])
        elif event.key() == Qt.Key.Key_Delete:
            branching.delete_current()
        else:
            event.ignore()

    def menu(self, branch: Any) -> QMenu:
        """What can be done with a branch."""
        branching, status, number = self._workspace.branching, self._workspace.status, branch.number
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        here = number == status.branch
        menu.addAction("Go to it", lambda: branching.switch(number)).setEnabled(not here)
        if number == status.reference:
            menu.addAction("Do not draw it behind the run", lambda: branching.compare(None))
        else:
            compare = menu.addAction("Draw it behind the run", lambda: branching.compare(number))
            compare.setEnabled(not here)
        menu.addSeparator()
        menu.addAction("Name and keep …", lambda: self._ask_title(branch))
        loose = menu.addAction("Let go of it", lambda: branching.keep(number, ""))
        loose.setEnabled(branch.kept)
        promote = menu.addAction("Make it the trunk", lambda: branching.promote(number))
        promote.setEnabled(branch.parent is not None)
        delete = menu.addAction("Delete", lambda: branching.delete(number))
        delete.setEnabled(len(branching.branches) > 1)
        return menu

    def _ask_title(self, branch: Any) -> None:
        branching = self._workspace.branching
        suggested = branch.title or branching.title(branch)
        label = "Name; it then stays when another run begins"
        normal = QLineEdit.EchoMode.Normal
        title, ok = QInputDialog.getText(self, "Keep a branch", label, normal, suggested)
        if ok:
            branching.keep(branch.number, " ".join(title.split()))


class Timeline(QScrollArea):
    """The lines; hidden while there is only one branch."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.lines = Lines(workspace, self)
        self.setWidget(self.lines)
        self._followed: tuple = ()  # the branches, and which of them was scrolled to
        self.hide()
        workspace.statusChanged.connect(self._show_status)
        theme.changed.connect(self._restyle)

    def _restyle(self) -> None:
        self._followed = ()
        if self._workspace.status is not None:
            self._show_status(self._workspace.status)

    def _show_status(self, status: Any) -> None:
        several = len(status.branches) > 1
        if several != self.isVisibleTo(self.parentWidget()):
            self.setVisible(several)
        if several:
            self.setFixedHeight(theme.px(ROW) * min(len(status.branches), MOST_ROWS) + 2)
            self.lines.refresh()
            self._follow([branch.number for branch in status.branches], status.branch)

    def _follow(self, numbers: list[int], current: int) -> None:
        """Scroll to the branch of the cursor when it is another one, or in another place."""
        if self._followed != (numbers, current):
            self._followed = (numbers, current)
            middle = round((numbers.index(current) + 0.5) * theme.px(ROW))
            self.ensureVisible(0, middle, 0, theme.px(ROW) // 2)
