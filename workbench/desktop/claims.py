"""What papers claim, recomputed in the background, beside what comes out here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize, Qt, QTimer, QUrl
from PySide6.QtGui import QColor, QDesktopServices
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from workbench.desktop.files import SessionFiles
from workbench.desktop.theme import theme
from workbench.desktop.workspace import Workspace
from workbench.folders import cache
from workbench.papers import PAPERS, sources
from workbench.papers.claims import (
    BUDGETS,
    NOT_REPRODUCED,
    NOT_RUN,
    REPRODUCED,
    Bench,
    Claim,
    Finding,
    Paper,
    counts,
    minutes,
)

if TYPE_CHECKING:
    from workbench.engine.job import Job
    from workbench.papers.run import Progress

INTERVAL = 200  # milliseconds between two looks at the work
MARKS = {REPRODUCED: "✓", NOT_REPRODUCED: "✗", NOT_RUN: "–"}
VERDICT, CLAIM, WHAT, THEIRS, OURS = range(5)
WIDTHS = {VERDICT: 168, CLAIM: 216, THEIRS: 160, OURS: 176}  # pixels at scale 1
NARROW = 960  # below this width there is no room for the ids
ROLE = Qt.ItemDataRole.UserRole


class ClaimsDialog(QDialog):
    """All claims of a paper; it stays open beside the window, and closing it stops the work."""

    def __init__(self, workspace: Workspace, files: SessionFiles, parent: QWidget) -> None:
        super().__init__(parent)
        self.workspace, self.files = workspace, files
        self.paper: Paper = next(iter(PAPERS.values()))
        self.findings: dict[str, Finding] = {}  # by claim, the newest
        self.report: Path | None = None  # of the last run
        self.job: Job | None = None
        self._told: list[str] = []  # what the work says it is doing
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL)
        self._timer.timeout.connect(self._pull)
        self.setWindowTitle("Paper claims")
        self._make_table()
        self._make_controls()
        self._assemble()
        self._restyle()
        size = QSize(theme.px(1120), theme.px(720))
        self.resize(size.boundedTo(self.screen().availableSize()))
        theme.changed.connect(self._restyle)
        workspace.ready.connect(self._enable)
        self._enable()

    # -- building --------------------------------------------------------------------------------

    def _make_table(self) -> None:
        self.table = QTreeWidget()
        self.table.setHeaderLabels(["Verdict", "Claim", "What", "Theirs", "Ours"])
        self.table.setAccessibleName("Claims")
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.setUniformRowHeights(True)
        self.rows: dict[str, QTreeWidgetItem] = {}
        groups: dict[str, QTreeWidgetItem] = {}
        for claim in self.paper.claims:
            if claim.where not in groups:
                groups[claim.where] = QTreeWidgetItem(self.table, [claim.where])
                groups[claim.where].setFirstColumnSpanned(True)
                groups[claim.where].setToolTip(0, "Select it to run all of its claims")
            row = QTreeWidgetItem(groups[claim.where], ["", claim.id, claim.what])
            row.setText(THEIRS, str(claim.theirs))
            for column in (CLAIM, WHAT, THEIRS):
                row.setToolTip(column, row.text(column))
            row.setData(0, ROLE, claim)
            self.rows[claim.id] = row
        self.table.expandAll()
        self.table.itemSelectionChanged.connect(self._enable)
        self.table.itemDoubleClicked.connect(self._open_row)

    def _make_controls(self) -> None:
        self.details = QLabel(wordWrap=True)
        self.details.setAccessibleName("About the claim")
        self.details.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.details.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.folder = QLineEdit(str(self._first_folder()))
        self.folder.setAccessibleName("Data folder")
        self.folder.setToolTip("Holds MNIST/raw, cifar-10-batches-py, cifar10*.zip, …")
        self.choose = _button("Choose …", "Choose the data folder", self._choose_folder)
        self.budget = QComboBox()
        self.budget.addItems(BUDGETS)
        self.budget.setAccessibleName("Budget")
        self.budget.setToolTip("quick: a few minutes; full: the paper's own conditions, hours")
        self.run = _button("Run all", "Run the selected claims, or all", self._run)
        self.run.setProperty("role", "primary")
        self.cancel = _button("Cancel", "Cancel the work", self._cancel)
        self.open_session = _button(
            "Open session", "Open the session behind the claim", self._open_selected
        )
        self.open_report = _button("Open report", "Open the report", self._open_report)
        self.progress = QProgressBar(textVisible=False)
        self.progress.setAccessibleName("Progress of the work")
        self.words = QLabel()
        self.words.setAccessibleName("State of the work")
        self.words.setProperty("role", "small")

    def _assemble(self) -> None:
        title = QLabel(self.paper.title)
        title.setProperty("role", "heading")
        reference = QLabel(self.paper.reference)
        reference.setProperty("role", "small")
        choices = QGridLayout()
        choices.setHorizontalSpacing(8)
        choices.addWidget(QLabel("Data folder"), 0, 0)
        choices.addWidget(self.folder, 0, 1)
        choices.addWidget(self.choose, 0, 2)
        choices.addWidget(QLabel("Budget"), 0, 3)
        choices.addWidget(self.budget, 0, 4)
        choices.setColumnStretch(1, 1)
        buttons = QHBoxLayout()
        for button in (self.run, self.cancel):
            buttons.addWidget(button)
        buttons.addWidget(self.words, 1)
        for button in (self.open_session, self.open_report):
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(8)
        column.addWidget(title)
        column.addWidget(reference)
        column.addWidget(self.table, 1)
        column.addWidget(self.details)
        column.addLayout(choices)
        column.addWidget(self.progress)
        column.addLayout(buttons)

    def _restyle(self) -> None:
        """Sizes and colours of the theme."""
        self.setMinimumSize(theme.px(560), theme.px(400))
        self.table.setIndentation(theme.px(16))
        self.details.setFixedHeight(theme.px(88))
        self._make_room()
        for index in range(self.table.topLevelItemCount()):
            self.table.topLevelItem(index).setFont(0, theme.font(13, bold=True))
        for finding in self.findings.values():
            self._show(finding)

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        """In a narrow dialog the ids fold away; the line below the table has them too."""
        narrow = self.width() < theme.px(NARROW)
        self.table.setColumnHidden(CLAIM, narrow)
        header = self.table.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(WHAT, QHeaderView.ResizeMode.Stretch)
        for column, width in WIDTHS.items():
            part = 0.75 if narrow and column != VERDICT else 1.0
            header.resizeSection(column, theme.px(part * width))

    def _first_folder(self) -> Path:
        root = self.workspace.document.data.root
        return Path(root) if root and Path(root).is_dir() else Path("data")

    # -- the selection ---------------------------------------------------------------------------

    def selected(self) -> list[Claim]:
        """The claims of the selected rows, those of a selected heading included."""
        items = self.table.selectedItems()
        rows = [row for item in items for row in (item, *map(item.child, range(item.childCount())))]
        chosen = {row.data(0, ROLE).id: row.data(0, ROLE) for row in rows if row.data(0, ROLE)}
        return [claim for claim in self.paper.claims if claim.id in chosen]

    def _enable(self) -> None:
        """What cannot be done now is grey; the buttons say what they would do."""
        chosen, working = self.selected(), self.job is not None
        self.run.setText(f"Run {len(chosen)} selected" if chosen else "Run all")
        self.run.setEnabled(not working and self.workspace.engine is not None)
        self.cancel.setEnabled(working)
        self.open_session.setEnabled(len(chosen) == 1 and chosen[0].document is not None)
        self.open_report.setEnabled(self.report is not None)
        self.progress.setVisible(working)
        self.details.setText(self._about(chosen[0]) if len(chosen) == 1 else "")

    def _about(self, claim: Claim) -> str:
        finding = self.findings.get(claim.id)
        title = f"{claim.id}: {claim.what}"
        lines = [f"Conditions: {claim.conditions}.", f"Tolerance: {claim.tolerance}."]
        if finding is not None:
            ours = f" Ours: {finding.conditions}." if finding.conditions else ""
            lines.insert(0, f"{finding.verdict.capitalize()}: {finding.why}.{ours}")
        elif claim.needs:
            lines.insert(0, f"Needs {' and '.join(claim.needs)}.")
        return "\n".join([title, *lines])

    # -- the work --------------------------------------------------------------------------------

    def _run(self) -> None:
        chosen = self.selected() or list(self.paper.claims)
        self._told = []
        bench = Bench(Path(self.folder.text()), self.budget.currentText(), self._told.append)
        folder = cache() / f"reproduce-{self.paper.name}"
        work = _Reproduction(chosen, bench, self.paper, folder)
        self.report = None
        self.words.setText("Starting …")
        self.progress.setRange(0, 0)
        self.job = self.workspace.engine.job.Job(work)
        self._timer.start()
        self._enable()

    def _cancel(self) -> None:
        self.job.cancel()
        self.cancel.setEnabled(False)
        self.words.setText("Cancelling …")

    def _pull(self) -> None:
        """Show what is new; end with the work."""
        job = self.job
        running = job.running  # read before ``latest``, so that the last result is not missed
        if job.latest is not None:
            self._follow(*job.latest, running and not job.cancelled)
        if not running:
            self._timer.stop()
            self.job = None
            if job.error:
                self.words.setText("Stopped")
                self.workspace.complained.emit(f"The claims could not be run: {job.error}")
            self._enable()

    def _follow(self, progress: Progress, report: Path | None, running: bool) -> None:
        for finding in progress.findings:
            if self.findings.get(finding.claim.id) is not finding:
                self.findings[finding.claim.id] = finding
                self._show(finding)
        self.report = report
        if running and progress.doing:
            whole = progress.seconds + progress.seconds_left
            self.progress.setRange(0, 1000)
            self.progress.setValue(round(1000 * progress.seconds / whole) if whole else 0)
            left = minutes(progress.seconds_left)
            self.words.setText(f"{self._told[-1]}: about {left} left in all")
        elif report is not None:
            numbers = counts(progress.findings).items()
            self.words.setText(", ".join(f"{n} {verdict}" for verdict, n in numbers))

    def _show(self, finding: Finding) -> None:
        row, colours = self.rows[finding.claim.id], theme.colours
        row.setText(VERDICT, f"{MARKS[finding.verdict]} {finding.verdict}")
        row.setText(OURS, finding.ours or "–")
        row.setToolTip(VERDICT, finding.why)
        row.setToolTip(OURS, finding.ours)
        shade = {REPRODUCED: colours.accent, NOT_REPRODUCED: colours.error, NOT_RUN: colours.muted}
        row.setForeground(VERDICT, QColor(shade[finding.verdict]))

    # -- opening ---------------------------------------------------------------------------------

    def _choose_folder(self) -> None:
        title = "Choose the data folder"
        chosen = QFileDialog.getExistingDirectory(self, title, self.folder.text())
        if chosen:
            self.folder.setText(chosen)

    def _open_selected(self) -> None:
        self._open(self.selected()[0])

    def _open_row(self, item: QTreeWidgetItem) -> None:
        claim = item.data(0, ROLE)
        if claim is not None and claim.document is not None:
            self._open(claim)

    def _open(self, claim: Claim) -> None:
        """Put the session behind a claim into the window; unsaved changes are asked about."""
        if self.files.may_leave():
            document = sources.located(claim.document, Path(self.folder.text()))
            self.workspace.open(document, None)
            self.workspace.said.emit(f"Opened the session of {claim.id}")

    def _open_report(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.report)))

    # -- the end ---------------------------------------------------------------------------------

    def done(self, result: int) -> None:
        """Closing, however it is done, stops the work."""
        self._timer.stop()
        if self.job is not None:
            self.job.cancel()
            self.job.join()
            self.job = None
            self.words.setText("Cancelled")
            self._enable()
        super().done(result)


class _Reproduction:
    """The work of the thread: the claims, then the report, of what was found if it is cancelled."""

    def __init__(self, claims: list[Claim], bench: Bench, paper: Paper, folder: Path) -> None:
        self.claims, self.bench, self.paper, self.folder = claims, bench, paper, folder

    def __call__(self, stop: Callable[[], bool]) -> Iterator[tuple[Progress, Path | None]]:
        from workbench.engine.experiment import Cancelled
        from workbench.engine.results import make_folder
        from workbench.papers import report
        from workbench.papers.run import reproduce

        self.bench.cancelled = stop
        try:
            for progress in reproduce(self.claims, self.bench):
                yield progress, None
        except Cancelled:
            pass
        make_folder(self.folder)
        yield progress, report.write(self.folder, self.paper, self.bench, progress)


def _button(text: str, name: str, clicked: Callable[[], Any]) -> QPushButton:
    button = QPushButton(text)
    button.setAccessibleName(name)
    button.setAutoDefault(False)
    button.clicked.connect(clicked)
    return button
