"""The download dialog: nothing is fetched before the click, and nothing is left after a cancel."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox

from workbench import folders
from workbench.data import download
from workbench.desktop import downloads
from workbench.desktop.downloads import DATASETS, DownloadDialog, Wish, mends
from workbench.document import Document, load, shipped

# torchvision drops the answers of a server that says no without closing them
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
SMALL = ("digits-exemplar", "data.train=300", "dictionary.atoms=100", "system.steps=10")
small = pytest.mark.parametrize("user", [SMALL], indirect=True)


def opened(window) -> DownloadDialog:
    (dialog,) = (d for d in window.findChildren(DownloadDialog) if d.isVisible())
    return dialog


@pytest.fixture
def dialog(user, window, tmp_path):
    user.do("download")
    dialog = opened(window)
    dialog.folder.setText(str(tmp_path / "data"))
    return dialog


def fetching() -> bool:
    return any(thread.name == "download" for thread in threading.enumerate())


def test_the_names_are_those_that_can_be_downloaded():
    assert DATASETS.keys() == download.DATASETS.keys()


@small
def test_a_dataset_is_fetched_with_its_progress_and_used(user, window, dialog, served_mnist):
    seen = []
    assert not fetching() and not dialog.progress.isVisible() and not dialog.use.isVisible()
    served_mnist.gate.clear()
    user.click(dialog.start)
    user.wait(lambda: "MB" in dialog.words.text())
    assert dialog.progress.isVisible() and dialog.progress.value() > 0
    assert not dialog.start.isEnabled() and not dialog.what.isEnabled()
    served_mnist.gate.set()
    user.wait(lambda: dialog.use.isVisible() or seen.append(dialog.words.text()))
    assert "came whole" in dialog.words.text() and not dialog.start.isVisible()
    before = window.workspace.document
    folder = dialog.folder.text()
    user.click(dialog.use)
    user.wait(lambda: window.workspace.experiment.document.data.dataset == "mnist")
    user.settle()
    assert window.workspace.experiment.dataset.image_shape == (28, 28)
    assert window.workspace.document.data.root == folder
    user.do("undo")  # one change
    user.settle()
    assert window.workspace.document == before
    assert not window.findChildren(DownloadDialog)


@small
@pytest.mark.parametrize("how", ["cancel", "close", "window"])
def test_called_off_it_leaves_no_thread_and_no_file(user, window, dialog, served_mnist, how):
    root = Path(dialog.folder.text())
    served_mnist.gate.clear()
    user.click(dialog.start)
    user.wait(lambda: "MB" in dialog.words.text() and any(root.iterdir()))
    if how == "cancel":
        user.click(dialog.leave)
        assert dialog.words.text() == "Cancelling …"
        served_mnist.gate.set()
        user.wait(lambda: dialog.words.text() == "Cancelled; nothing is left behind.")
        assert dialog.start.isEnabled() and dialog.leave.text() == "Close"
    elif how == "close":
        user.qtbot.keyClick(dialog, Qt.Key.Key_Escape)
        assert not dialog.isVisible()
    else:
        threading.Timer(0.2, served_mnist.gate.set).start()
        window.close_for_good()
        assert not fetching()
    served_mnist.gate.set()
    user.qtbot.waitUntil(lambda: not fetching())
    assert list(root.iterdir()) == []


@small
def test_without_a_network_a_sentence_helps_and_it_can_be_tried_again(
    user, window, dialog, served_mnist, monkeypatch
):
    from torchvision.datasets import MNIST

    with monkeypatch.context() as patch:
        patch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])  # nobody answers there
        user.click(dialog.start)
        user.wait(lambda: "no way to its server" in dialog.words.text())
        assert "fetch it on another machine" in dialog.words.text()
    user.click(dialog.start)
    user.wait(lambda: dialog.use.isVisible())


@small
def test_weights_are_fetched_and_their_network_is_used(
    user, window, dialog, served_weights, monkeypatch
):
    user.choose(dialog.what, downloads.WEIGHTS)
    assert dialog.network.isVisible() and not dialog.folder.isVisible()
    offered = [dialog.network.itemText(i) for i in range(dialog.network.count())]
    assert len(offered) == 8 and offered[-1] == "squeezenet1_0"
    user.write(dialog.network.lineEdit(), "tiny")
    assert not fetching()  # Return in a field fetches nothing
    user.click(dialog.start)
    user.wait(lambda: dialog.use.isVisible())
    assert str(served_weights[1]) in dialog.words.text()
    taken = []
    monkeypatch.setattr(window.workspace, "change", lambda d, label: taken.append((d, label)))
    user.click(dialog.use)
    ((document, label),) = taken
    assert (document.backbone.name, document.backbone.weights, label) == ("tiny", None, "Use tiny")


@small
def test_a_network_that_does_not_exist_is_one_line(user, window, dialog):
    user.choose(dialog.what, downloads.WEIGHTS)
    user.write(dialog.network.lineEdit(), "resnet51")
    user.click(dialog.start)
    user.wait(lambda: "'resnet51' cannot be downloaded" in dialog.words.text())


@small
def test_a_folder_is_asked_for_and_chosen(user, window, dialog, monkeypatch, tmp_path):
    dialog.folder.clear()
    user.click(dialog.start)
    assert "Give the folder" in dialog.words.text() and not fetching()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: str(tmp_path))
    user.click(dialog.browse)
    assert dialog.folder.text() == str(tmp_path)
    user.choose(dialog.what, "CIFAR-10")
    assert not dialog.words.isVisible()


@small
def test_everything_in_the_dialog_has_a_name_and_room(user, window, dialog):
    from tests.desktop.test_look import cut_off

    dialog.folder.setText("/data")
    for _ in ("a dataset", "weights"):
        user.frames(2)
        assert not cut_off(dialog, dialog)
        user.choose(dialog.what, downloads.WEIGHTS)
    for widget in (dialog.what, dialog.network, dialog.folder, dialog.browse, dialog.start):
        assert widget.accessibleName()


# -- offered by a complaint ----------------------------------------------------------------------


def test_a_complaint_is_mended_only_where_a_download_would(tmp_path):
    document = Document.parse({"system": {"kind": "lca"}})
    mnist = document.changed(data={"dataset": "mnist", "root": "/there"})
    network = document.changed(backbone={"name": "resnet50"})
    assert mends("data.root = '/there': must hold", mnist) == Wish("mnist", "/there", mnist)
    assert mends("data.root = '/there': must hold", document) is None
    assert mends("data.train = 9: there are only", mnist) is None
    absent = "backbone.weights = null: the published weights of resnet50 are not on this machine"
    assert mends(absent, network) == Wish("resnet50", document=network)
    assert mends("backbone.weights = 'x.pth': there is no such file", network) is None


@small
def test_a_dataset_that_is_not_there_is_offered(user, window, tmp_path):
    document = window.workspace.document
    data = document.data.model_dump() | {"dataset": "fashion_mnist", "root": str(tmp_path)}
    window.workspace.change(document.changed(data=data), "Fashion")
    user.wait(lambda: user.complaints)
    (box,) = user.complaints
    (button,) = (b for b in box.buttons() if b.text() == "Download …")
    user.click(button)
    dialog = opened(window)
    assert dialog.what.currentText() == "Fashion-MNIST"
    assert dialog.folder.text() == str(tmp_path)
    assert not user.complaints and not fetching()
    assert window.workspace.document.data.dataset == "digits"  # the run before goes on
    dialog.close()


@small
def test_a_session_that_was_refused_without_its_data_is_followed_with_them(
    user, window, tmp_path, served_mnist
):
    assert window.files.open(shipped()["mnist-exemplar"])
    user.wait(lambda: user.complaints)
    (box,) = user.complaints
    user.click(next(b for b in box.buttons() if b.text() == "Download …"))
    dialog = opened(window)
    dialog.folder.setText(str(tmp_path / "data"))
    user.click(dialog.start)
    user.wait(lambda: dialog.use.isVisible())
    few = dialog._wish.document.with_value("dictionary.atoms", 50)  # there are no 1568 here
    dialog._wish = Wish(dialog._wish.name, None, few)
    user.click(dialog.use)
    user.wait(lambda: window.workspace.experiment.document.data.dataset == "mnist")
    asked = window.workspace.experiment.asked
    assert asked.system == load(shipped()["mnist-exemplar"]).system
    user.do("undo")
    user.settle()
    assert window.workspace.experiment.document.data.dataset == "digits"


@small
def test_weights_that_are_not_here_are_offered(user, window, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    window.workspace.set_value("backbone.name", "resnet18")
    user.wait(lambda: user.complaints)
    (box,) = user.complaints
    user.click(next(b for b in box.buttons() if b.text() == "Download …"))
    dialog = opened(window)
    assert dialog.network.currentText() == "resnet18"
    dialog.close()


@small
def test_any_other_complaint_offers_nothing(user, window):
    window.workspace.set_value("data.train", 999_999)
    user.wait(lambda: user.complaints)
    (box,) = user.complaints
    assert box.standardButtons() == QMessageBox.StandardButton.Ok and len(box.buttons()) == 1
    user.dismiss()


@small
def test_the_folder_is_the_users_own_unless_said_otherwise(user, window):
    user.do("download")
    dialog = opened(window)
    assert dialog.folder.text() == str(folders.data())
    dialog.close()
