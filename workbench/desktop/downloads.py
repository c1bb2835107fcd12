"""The download dialog: datasets and weights, fetched when asked and never otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from workbench import folders
from workbench.desktop.theme import theme
from workbench.desktop.workspace import Workspace
from workbench.document import Document

DATASETS = {
    "mnist": "MNIST",
    "fashion_mnist": "Fashion-MNIST",
    "cifar10": "CIFAR-10",
    "cifar100": "CIFAR-100",
}
WEIGHTS = "Weights of a backbone"
OTHER_NETWORKS = ("squeezenet1_0",)  # besides the paper's seven
LOOK = 100  # milliseconds between two looks at a download


@dataclass(frozen=True)
class Wish:
    """Something to download: a dataset into a data root, or the weights of a network."""

    name: str = "mnist"
    root: str | None = None
    document: Document | None = None  # that was refused without it, and is to be followed then


def mends(complaint: str, document: Document) -> Wish | None:
    """The download that would do away with a complaint about this document, if there is one."""
    if complaint.startswith("data.root = ") and document.data.dataset in DATASETS:
        return Wish(document.data.dataset, document.data.root, document)
    if complaint.startswith("backbone.weights = null: the published weights"):
        return Wish(document.backbone.name, document=document)
    return None


class DownloadDialog(QDialog):
    """Choose, download, use."""

    def __init__(self, workspace: Workspace, wish: Wish, parent: QWidget) -> None:
        super().__init__(parent)
        self._workspace, self._wish = workspace, wish
        self._fetch: Any = None
        self.setObjectName("downloads")
        self.setWindowTitle("Download")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(theme.px(480))
        self.what = QComboBox()
        self.network = QComboBox(editable=True)
        self.folder = QLineEdit(wish.root or str(folders.data()))
        self.browse = _button("Choose …", "Choose the data folder", self._choose_folder)
        self.about = QLabel(wordWrap=True)
        self.about.setProperty("role", "small")
        self.progress = QProgressBar(textVisible=False)
        self.words = QLabel(wordWrap=True)
        self.start = _button("Download", "Download", self._start)
        self.use = _button("Use it", "Use what was downloaded", self._use)
        for button in (self.start, self.use):
            button.setProperty("role", "primary")
        self.leave = _button("Close", "Close, or cancel the download", self._leave)
        self._timer = QTimer(self, interval=LOOK)
        self._timer.timeout.connect(self._look)
        self.finished.connect(self._end)
        self._fill(wish)
        self._assemble()
        self.what.currentIndexChanged.connect(self._another)
        self._another()

    def _fill(self, wish: Wish) -> None:
        from workbench.data.backbones import PAPER_SIZES  # with torch, which is loaded by now

        for name, title in DATASETS.items():
            self.what.addItem(title, name)
        self.what.addItem(WEIGHTS)
        self.network.addItems([*PAPER_SIZES, *OTHER_NETWORKS])
        self.what.setCurrentText(DATASETS.get(wish.name, WEIGHTS))
        if wish.name not in DATASETS:
            self.network.setCurrentText(wish.name)
        for widget, name in (
            (self.what, "What to download"),
            (self.network, "Network"),
            (self.network.lineEdit(), "Network"),
            (self.folder, "Data folder"),
            (self.progress, "Progress of the download"),
        ):
            widget.setAccessibleName(name)

    def _assemble(self) -> None:
        column, row, buttons = QVBoxLayout(self), QHBoxLayout(), QHBoxLayout()
        column.setContentsMargins(*[theme.px(16)] * 4)
        column.setSpacing(theme.px(8))
        self.form = QFormLayout()
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        row.addWidget(self.folder, 1)
        row.addWidget(self.browse)
        self._folder_row = row
        self.form.addRow("What", self.what)
        self.form.addRow("Network", self.network)
        self.form.addRow("Folder", row)
        column.addLayout(self.form)
        for widget in (self.about, self.progress, self.words):
            column.addWidget(widget)
        column.addStretch(1)
        buttons.addWidget(self.leave)
        buttons.addStretch(1)
        buttons.addWidget(self.use)
        buttons.addWidget(self.start)
        column.addLayout(buttons)

    # -- choosing --------------------------------------------------------------------------------

    @property
    def _is_dataset(self) -> bool:
        return self.what.currentData() is not None

    def _another(self) -> None:
        """Something else is chosen."""
        self.form.setRowVisible(self.network, not self._is_dataset)
        self.form.setRowVisible(self._folder_row, self._is_dataset)
        self.about.setText(
            "Fetched from its servers through torchvision, checked, and put into the folder."
            if self._is_dataset
            else "The weights that torchvision publishes, checked, and kept where torchvision "
            "looks for them. Any of its classification models can be typed."
        )
        self._show("")

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Data folder", self.folder.text())
        if chosen:
            self.folder.setText(chosen)

    # -- downloading -----------------------------------------------------------------------------

    def _start(self) -> None:
        name = self.what.currentData() or self.network.currentText().strip()
        folder = self.folder.text().strip()
        if self._is_dataset and not folder:
            self._show("Give the folder that it is to be put into.")
            return
        root = Path(folder).expanduser().absolute() if self._is_dataset else None
        self._fetch = self._workspace.fetch(name, root)
        self._timer.start()
        self._look()

    def _look(self) -> None:
        """How far is it?"""
        fetch = self._fetch
        if fetch.running:
            self._show(_how_far(fetch), running=True)
            return
        self._timer.stop()
        if fetch.latest is not None:
            self._show(f"{self._title(fetch)} came whole; it is in {fetch.latest}.", there=True)
        else:
            self._show(fetch.error or "Cancelled; nothing is left behind.")

    def _title(self, fetch: Any) -> str:
        return DATASETS.get(fetch.name, f"The file with the weights of {fetch.name}")

    def _show(self, words: str, running: bool = False, there: bool = False) -> None:
        """Words, and the buttons that make sense beside them."""
        self.words.setText(words)
        self.words.setVisible(bool(words))
        self.progress.setVisible(running)
        if running:
            total = self._fetch.total or 0
            self.progress.setRange(0, 1000 if total else 0)  # bytes may be too many for a bar
            self.progress.setValue(1000 * self._fetch.done // total if total else 0)
        for widget in (self.what, self.network, self.folder, self.browse, self.start):
            widget.setEnabled(not running)
        self.start.setVisible(not there and not running)
        self.use.setVisible(there)
        self.leave.setText("Cancel" if running else "Close")
        column = self.layout()  # a dialog does not grow with the lines of its words by itself
        column.activate()
        self.setMinimumHeight(column.totalHeightForWidth(max(self.width(), self.minimumWidth())))

    def _leave(self) -> None:
        """Cancel what is under way, or close."""
        if self._timer.isActive():
            self._fetch.cancel()
            self.words.setText("Cancelling …")
        else:
            self.close()

    def _end(self) -> None:
        """The dialog is gone, and with it what it was fetching."""
        self._timer.stop()
        if self._fetch is not None:
            self._fetch.cancel()

    # -- using it --------------------------------------------------------------------------------

    def _use(self) -> None:
        """Put what came into the document, as one change."""
        fetch, document = self._fetch, self._workspace.document
        if fetch.name == self._wish.name and self._wish.document is not None:
            document = self._wish.document
        if fetch.root is None:
            asked = {"name": fetch.name, "weights": None, "weights_hash": None}
            changed = document.changed(backbone=document.backbone.model_dump() | asked)
        else:
            asked = {"dataset": fetch.name, "root": str(fetch.root)}
            view = {"sample": 0, "picture": None, "neuron": None}
            changed = document.changed(
                data=document.data.model_dump() | asked, view=document.view.model_dump() | view
            )
        self._workspace.change(changed, f"Use {DATASETS.get(fetch.name, fetch.name)}")
        self.close()


def _how_far(fetch: Any) -> str:
    if not fetch.done:
        return "Asking the server …"
    if fetch.total is None:
        return f"{fetch.done / 1e6:.1f} MB"
    if fetch.done >= fetch.total:
        return f"{fetch.total / 1e6:.1f} MB are here; unpacking …"
    return f"{fetch.done / 1e6:.1f} of {fetch.total / 1e6:.1f} MB"


def _button(text: str, name: str, slot: Any) -> QPushButton:
    """A button that Enter in a field does not press: nothing is fetched by accident."""
    button = QPushButton(text, autoDefault=False)
    button.setAccessibleName(name)
    button.clicked.connect(slot)
    return button
