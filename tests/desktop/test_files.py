"""Opening and saving from the window: nothing is lost, whatever goes wrong."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

from workbench.document import load, shipped

Key, Held, Button = Qt.Key, Qt.KeyboardModifier, QMessageBox.StandardButton
CONTROL, SHIFT = Held.ControlModifier, Held.ShiftModifier


@pytest.fixture
def choose_file(monkeypatch):
    """Answers the file dialogs of the system with a path; an empty one cancels."""

    def choose(path: Path | str) -> None:
        for name in ("getOpenFileName", "getSaveFileName"):
            monkeypatch.setattr(QFileDialog, name, lambda *a, **k: (str(path), ""))

    return choose


@pytest.fixture
def answer(monkeypatch):
    """Answers the question about unsaved changes; the list counts how often it was asked."""
    asked: list[str] = []

    def give(button: QMessageBox.StandardButton) -> list[str]:
        def question(parent, title, text, *more):
            asked.append(text)
            return button

        monkeypatch.setattr(QMessageBox, "question", question)
        return asked

    return give


@pytest.fixture
def session(tmp_path) -> Path:
    """A session of the user's own."""
    return Path(shutil.copy(shipped()["lif-population"], tmp_path / "mine.json"))


def drop(window, *paths: Path) -> bool:
    """Drag files onto the window and let go; whether it would have them."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, copy = Qt.MouseButton.LeftButton, Qt.DropAction.CopyAction
    enter = QDragEnterEvent(QPoint(300, 300), copy, data, buttons, Held.NoModifier)
    enter.ignore()
    QApplication.sendEvent(window, enter)
    if enter.isAccepted():
        QApplication.sendEvent(
            window,
            QDropEvent(QPointF(300, 300), copy, data, buttons, Held.NoModifier, QEvent.Type.Drop),
        )
    return enter.isAccepted()


def change(user) -> None:
    user.write(user.field("system.threshold").text, "1.5")
    user.settle()


# -- opening -------------------------------------------------------------------------------------


def test_open_shows_the_chosen_session(user, window, choose_file, session):
    choose_file(session)
    user.press(Key.Key_O, CONTROL)
    user.settle()
    assert window.workspace.experiment.system.kind == "lif"
    assert window.windowTitle().startswith("mine")
    assert window.said.text() != ""
    assert not window.isWindowModified()


def test_cancelling_the_file_dialog_changes_nothing(user, window, choose_file):
    choose_file("")
    before = window.workspace.document
    user.press(Key.Key_O, CONTROL)
    user.press(Key.Key_S, CONTROL | SHIFT)
    user.settle()
    assert window.workspace.document is before
    assert not user.complaints


def test_an_example_opens_from_its_menu(user, window):
    by_name = {action.text(): action for action in window.files.examples_menu.actions()}
    assert set(by_name) == {name.replace("-", " ") for name in shipped()}
    by_name["lif population"].trigger()
    user.settle()
    assert window.workspace.experiment.system.kind == "lif"
    assert window.workspace.path == shipped()["lif-population"]
    window.files.recent_menu.aboutToShow.emit()
    assert [a.text() for a in window.files.recent_menu.actions()] == ["None yet"]


def test_recent_files_come_newest_first_and_can_be_forgotten(
    user, window, session, tmp_path, open_window, choose_file
):
    other = Path(shutil.copy(session, tmp_path / "other.json"))
    for path in (session, other):
        choose_file(path)
        user.do("open")
    menu = window.files.recent_menu
    menu.aboutToShow.emit()
    assert [a.text() for a in menu.actions() if a.text()] == [
        str(other),
        str(session),
        "Forget all",
    ]
    menu.actions()[1].trigger()
    user.settle()
    assert window.workspace.path == session
    later = open_window("digits-exemplar").window.files.recent_menu  # another sitting
    later.aboutToShow.emit()
    assert later.actions()[0].text() == str(session)
    later.actions()[-1].trigger()
    later.aboutToShow.emit()
    assert [a.text() for a in later.actions()] == ["None yet"]


def test_a_recent_file_that_is_gone_is_not_offered(user, window, session, choose_file):
    choose_file(session)
    user.do("open")
    session.unlink()
    window.files.recent_menu.aboutToShow.emit()
    assert [a.text() for a in window.files.recent_menu.actions()] == ["None yet"]


@pytest.mark.parametrize("name", ["mine.json", "MINE.JSON"])
def test_a_session_dropped_on_the_window_is_opened(user, window, session, name):
    path = session.rename(session.with_name(name))
    assert drop(window, path)
    user.settle()
    assert window.workspace.path == path
    assert window.workspace.experiment.system.kind == "lif"


@pytest.fixture
def pictures(tmp_path) -> Path:
    """A folder with six pictures of each of two classes."""
    folder = tmp_path / "pictures"
    for name, colour in (("blue", (0, 0, 255)), ("red", (255, 0, 0))):
        (folder / name).mkdir(parents=True)
        for i in range(6):
            Image.new("RGB", (6, 4), tuple(max(0, c - i) for c in colour)).save(
                folder / name / f"{i}.png"
            )
    return folder


def test_a_folder_of_images_dropped_on_the_window_becomes_the_data(user, window, pictures):
    user.click(window.samples.next)
    user.settle()
    assert drop(window, pictures)
    user.wait(lambda: window.workspace.experiment.document.data.dataset == "folder")
    user.settle()
    assert window.workspace.experiment.dataset.class_names == ("blue", "red")
    assert window.isWindowModified()
    user.go_to(20)
    for name in window.views:
        user.bring_up(name)
    window.grab()
    user.do("undo")
    user.settle()
    assert window.workspace.experiment.document.data.dataset == "digits"
    assert not user.complaints


def test_a_folder_without_images_is_refused_in_one_line(user, window, tmp_path):
    user.go_to(20)
    fingerprint = window.workspace.status.fingerprint
    (tmp_path / "empty").mkdir()
    assert drop(window, tmp_path / "empty")
    user.wait(lambda: user.complaints)
    assert "empty" in user.dismiss()
    user.settle()
    assert window.workspace.document.data.dataset == "digits"
    assert window.workspace.status.fingerprint == fingerprint
    assert not window.isWindowModified()


@pytest.fixture
def picture(tmp_path) -> Path:
    """A white bar on black."""
    image = Image.new("RGB", (90, 60), "black")
    image.paste("white", (40, 5, 50, 55))
    image.save(tmp_path / "bar.png")
    return tmp_path / "bar.png"


def test_a_picture_dropped_on_the_window_is_coded(user, window, picture):
    user.go_to(30)
    user.bring_up("evidence")
    assert drop(window, picture)
    user.settle()
    snapshot = window.workspace.snapshot
    assert snapshot.sample is None and snapshot.input.image[4, 4] > 0.6
    assert window.said.text() == "Restarted with picture bar.png"
    assert (window.samples.label.text(), window.samples.index.text()) == ("bar.png", "")
    user.go_to(100)
    assert "true class unknown" in window.views["evidence"].header.summary.text()
    for name in window.views:
        user.bring_up(name)
    caption = window.views["terms"].caption()
    assert caption.startswith("digits-exemplar, picture bar.png, step 100")
    assert not window.isWindowModified()
    assert not user.complaints


@pytest.mark.parametrize("how", ["thumbnail", "next", "typed"])
def test_choosing_a_test_image_ends_the_picture(user, window, picture, how):
    drop(window, picture)
    user.settle()
    samples = window.samples
    if how == "thumbnail":
        user.click(samples.thumbnails, samples.thumbnails._place(0).center())
    elif how == "next":
        user.click(samples.next)
    else:
        user.write(samples.index, "5")
    user.settle()
    expected = {"thumbnail": 0, "next": 1, "typed": 5}[how]
    assert window.workspace.document.view.picture is None
    assert window.workspace.snapshot.sample == expected
    assert samples.index.text() == str(expected)


def test_leaving_the_index_field_does_not_end_the_picture(user, window, picture):
    drop(window, picture)
    user.settle()
    user.write(window.samples.index, "")
    user.settle()
    assert window.workspace.snapshot.sample is None


def test_a_picture_is_chosen_through_its_command(user, window, picture, choose_file):
    choose_file(picture)
    user.press(Key.Key_I, CONTROL)
    user.settle()
    assert window.workspace.snapshot.input.name == "picture bar.png"
    Image.new("RGB", (9, 9), "white").save(picture)
    user.press(Key.Key_I, CONTROL)  # the same one again: read again
    user.settle()
    assert window.workspace.snapshot.input.image.min() == 1


def test_a_picture_that_cannot_be_read_is_one_line_and_the_run_goes_on(user, window, tmp_path):
    user.go_to(20)
    fingerprint = window.workspace.status.fingerprint
    (tmp_path / "torn.jpg").write_bytes(b"torn")
    assert drop(window, tmp_path / "torn.jpg")
    user.wait(lambda: user.complaints)
    line = user.dismiss()
    assert line.startswith("view.picture = ") and "\n" not in line
    user.settle()
    assert window.workspace.document.view.picture is None
    assert (user.step, window.workspace.status.fingerprint) == (20, fingerprint)
    assert window.samples.index.text() == "0"


def test_a_session_whose_picture_is_gone_opens_on_its_test_image(open_window, tmp_path):
    absent = tmp_path / "absent.png"
    user = open_window("digits-exemplar", f"view.picture={absent}", ready=False)
    user.wait(lambda: user.complaints)
    assert "there is no such file" in user.dismiss()
    user.wait(lambda: user.window.workspace.snapshot is not None)
    assert user.window.workspace.snapshot.sample == 0


def test_a_session_whose_picture_is_gone_is_opened_all_the_same(user, window, tmp_path):
    document = load(shipped()["digits-random"]).with_value("view.picture", "/nowhere/a.png")
    (tmp_path / "mine.json").write_text(document.to_json())
    assert window.files.open(tmp_path / "mine.json")
    user.wait(lambda: user.complaints)
    assert user.dismiss() == "view.picture = '/nowhere/a.png': there is no such file"
    user.wait(lambda: window.workspace.experiment.asked.dictionary.kind == "random")
    assert window.workspace.path == tmp_path / "mine.json"
    assert window.workspace.document.view.picture is None


def test_new_data_end_the_picture(user, window, picture, pictures):
    drop(window, picture)
    drop(window, pictures)
    user.wait(lambda: window.workspace.experiment.document.data.dataset == "folder")
    user.settle()
    assert window.workspace.snapshot.sample == 0


def test_the_evaluation_ignores_the_picture(user, window, picture):
    user.do("evaluate")
    user.wait(lambda: not window.workspace.evaluating)
    before = window.workspace.evaluation.fingerprint
    drop(window, picture)
    user.settle()
    user.do("evaluate")
    user.wait(lambda: not window.workspace.evaluating)
    assert window.workspace.evaluation.fingerprint == before


def test_what_is_no_session_cannot_be_dropped(user, window, session, tmp_path):
    text = tmp_path / "notes.txt"
    text.write_bytes(b"")
    assert not drop(window, text)
    assert not drop(window, session, session)  # two at once
    assert not drop(window)


CORRUPT = {
    "{": "is not JSON",
    '{"workbench": 1, "sistem": {}}': "did you mean system",
    '{"workbench": 1, "system": {"kind": "lca"}, "view": {"sample": -1}}': "view.sample = -1",
    '{"workbench": 99, "system": {"kind": "lca"}}': "99",
}


def test_a_corrupt_file_keeps_the_open_session(user, window, choose_file, tmp_path):
    path = tmp_path / "corrupt.json"
    choose_file(path)
    user.go_to(30)
    change(user)
    before, fingerprint = window.workspace.document, window.workspace.status.fingerprint
    for content, part in CORRUPT.items():
        path.write_text(content)
        user.press(Key.Key_O, CONTROL)
        user.settle()
        line = user.dismiss()
        assert line.startswith(str(path)) and part in line
        assert "\n" not in line
        user.settle()
        assert window.workspace.document is before
        assert window.workspace.status.fingerprint == fingerprint
        assert window.workspace.path == shipped()["digits-exemplar"]


REFUSED = {
    "system.kind=lca2": "system.kind = 'lca2'",
    "system.treshold=1": "did you mean threshold",
    "system.threshold=-1": "system.threshold = -1",
    "dictionary.atoms=100000": "atoms",
    "view.sample=400": "view.sample = 400",
    "run.device=mps": "run.device = 'mps'",
}


def test_a_session_that_the_engine_refuses_keeps_the_open_one(user, window, choose_file, tmp_path):
    path = tmp_path / "wrong.json"
    choose_file(path)
    user.go_to(30)
    before, fingerprint = window.workspace.document, window.workspace.status.fingerprint
    for assignment, part in REFUSED.items():
        document = load(shipped()["digits-exemplar"]).with_text(assignment)
        path.write_text(document.to_json())
        user.press(Key.Key_O, CONTROL)
        user.wait(lambda: user.complaints)
        line = user.dismiss()
        assert part in line and "\n" not in line
        user.settle()
        assert not user.complaints
        assert window.workspace.document == before
        assert window.workspace.path == shipped()["digits-exemplar"]
        assert window.workspace.status.fingerprint == fingerprint
    user.press(Key.Key_Right)
    user.settle()
    assert user.step == 31


# -- saving --------------------------------------------------------------------------------------


def test_save_writes_the_file_it_came_from(user, window, choose_file, session):
    choose_file(session)
    user.do("open")
    user.settle()
    change(user)
    assert window.isWindowModified()
    choose_file("")  # no dialog is needed now
    user.press(Key.Key_S, CONTROL)
    assert not window.isWindowModified()
    assert load(session) == window.workspace.document
    assert load(session).system["threshold"] == 1.5
    assert str(session) in window.said.text()


def test_an_example_is_never_written_to(user, window, choose_file, tmp_path):
    before = shipped()["digits-exemplar"].read_bytes()
    change(user)
    choose_file(tmp_path / "copy.json")
    user.press(Key.Key_S, CONTROL)  # asks for a name
    assert shipped()["digits-exemplar"].read_bytes() == before
    assert load(tmp_path / "copy.json").system["threshold"] == 1.5
    assert window.workspace.path == tmp_path / "copy.json"
    assert window.windowTitle().startswith("copy")


def test_a_name_without_an_ending_gets_one(user, window, choose_file, tmp_path):
    for typed, written in (
        ("run", "run.json"),
        ("threshold 1.5", "threshold 1.5.json"),
        ("other.workbench", "other.workbench"),
        ("loud.JSON", "loud.JSON"),
    ):
        choose_file(tmp_path / typed)
        user.press(Key.Key_S, CONTROL | SHIFT)
        assert not user.complaints
        assert load(tmp_path / written) == window.workspace.document


@pytest.mark.parametrize("button", [Button.Yes, Button.No])
def test_a_file_is_not_replaced_unasked_when_its_ending_was_left_out(
    user, window, choose_file, answer, session, button
):
    asked, before = answer(button), session.read_bytes()
    choose_file(session.with_suffix(""))  # the file dialog saw no file of that name
    user.press(Key.Key_S, CONTROL | SHIFT)
    assert len(asked) == 1 and "mine.json" in asked[0]
    assert (session.read_bytes() == before) is (button == Button.No)


@pytest.mark.parametrize("seam", ["fsync", "replace"])
def test_a_full_disk_keeps_the_old_file_and_says_so_in_one_line(
    user, window, choose_file, session, monkeypatch, seam
):
    choose_file(session)
    user.do("open")
    user.settle()
    change(user)
    before = session.read_bytes()

    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(f"workbench.document.store.os.{seam}", full)
    user.press(Key.Key_S, CONTROL)
    monkeypatch.undo()
    line = user.dismiss()
    assert "No space left on device" in line and "\n" not in line
    assert session.read_bytes() == before
    assert [path.name for path in session.parent.glob("*mine*")] == ["mine.json"]
    assert window.isWindowModified()  # nothing pretends to be saved
    user.press(Key.Key_S, CONTROL)
    assert load(session).system["threshold"] == 1.5


# -- unsaved changes -----------------------------------------------------------------------------


@pytest.mark.parametrize("button", [Button.Cancel, Button.Discard, Button.Save])
def test_unsaved_changes_are_asked_about_before_another_session_is_opened(
    user, window, choose_file, answer, session, tmp_path, button
):
    choose_file(tmp_path / "kept.json")
    user.do("save_as")
    change(user)
    asked = answer(button)
    assert drop(window, session)
    user.settle()
    assert len(asked) == 1
    stayed = button == Button.Cancel
    assert window.workspace.path == (tmp_path / "kept.json" if stayed else session)
    assert window.isWindowModified() is stayed
    saved = load(tmp_path / "kept.json").system["threshold"]
    assert saved == (1.5 if button == Button.Save else 2.0)


def test_closing_asks_about_unsaved_changes_and_stays_on_cancel(user, window, answer):
    change(user)
    asked = answer(Button.Cancel)
    user.press(Key.Key_Q, CONTROL)
    assert asked and window.isVisible()
    user.press(Key.Key_Right)
    user.settle()
    assert user.step == 1
    answer(Button.Discard)
    user.press(Key.Key_Q, CONTROL)
    assert not window.isVisible()


def test_looking_around_is_no_change_to_be_saved(user, window, answer):
    asked = answer(Button.Cancel)
    user.press(Key.Key_Right, CONTROL)
    window.workspace.select_neuron(3)
    user.choose(window.layout_choice, "Teach")
    user.choose(window.transport.speed, "fastest")
    user.settle()
    assert not window.isWindowModified()
    user.press(Key.Key_Q, CONTROL)
    assert not asked and not window.isVisible()


def test_a_change_taken_back_is_no_change_to_be_saved(user, window):
    change(user)
    assert window.isWindowModified()
    user.do("undo")
    assert not window.isWindowModified()
