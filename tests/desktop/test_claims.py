"""The claims of papers beside the window: run, cancel, look up, open the session."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QMessageBox

from tests.papers.conftest import claim_of, digits
from workbench.desktop import claims as module
from workbench.desktop.claims import OURS, THEIRS, VERDICT, ClaimsDialog
from workbench.desktop.theme import theme
from workbench.papers import PAPERS
from workbench.papers.claims import Paper, Printed
from workbench.papers.coding import Accuracy, Coding
from workbench.papers.counting import Operations

Key = Qt.Key
CODING = Coding(digits(40))
SLOW = Coding(digits(None, time_constant=10_000.0, steps=20_000))


def tiny() -> Paper:
    """A paper that is quick to recompute, but for one claim that takes minutes."""
    right, wrong = Operations(2048, 50_000, 100, 200), Operations(2000, 50_000, 100, 200)
    accuracy = Accuracy("sum", CODING, CODING, tests=180)
    slow = Accuracy("sum", SLOW, SLOW, tests=180)
    theirs = Printed("2.21", "GFLOPs")
    return Paper(
        "tiny",
        "A tiny paper",
        "Nobody (2024)",
        (
            claim_of(right, theirs, "count/right"),
            claim_of(wrong, Printed("2.99", "GFLOPs"), "count/wrong"),
            claim_of(accuracy, Printed("85.6", "%"), "accuracy"),
            claim_of(slow, Printed("99.9", "%"), "slow"),
        ),
    )


@pytest.fixture
def dialog(user, window, monkeypatch) -> ClaimsDialog:
    """The dialog of a window, with the tiny paper."""
    monkeypatch.setattr(module, "PAPERS", {"tiny": tiny()})
    user.do("claims")
    assert window.claims.isVisible() and not window.claims.isModal()
    return window.claims


def select(dialog: ClaimsDialog, *names: str) -> None:
    dialog.table.clearSelection()
    for name in names:
        dialog.rows[name].setSelected(True)


def run(user, dialog: ClaimsDialog, *names: str) -> None:
    """Run some claims and wait for the end."""
    select(dialog, *names)
    user.click(dialog.run)
    user.wait(lambda: dialog.job is None)


def verdict(dialog: ClaimsDialog, name: str) -> str:
    return dialog.rows[name].text(VERDICT)


def test_it_shows_every_claim_of_the_paper_under_its_table(user, window):
    user.do("claims")
    dialog = window.claims
    claims = PAPERS["dseld"].claims
    assert list(dialog.rows) == [claim.id for claim in claims]
    places = [dialog.table.topLevelItem(i).text(0) for i in range(dialog.table.topLevelItemCount())]
    assert places == list(dict.fromkeys(claim.where for claim in claims))
    assert dialog.rows["table3/mnist/sum"].text(THEIRS) == "97.48 %"


def test_selected_claims_are_run_and_the_report_can_be_opened(user, dialog, monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    assert not dialog.open_report.isEnabled()
    run(user, dialog, "count/right", "count/wrong", "accuracy")
    assert verdict(dialog, "count/right") == "✓ reproduced"
    assert verdict(dialog, "count/wrong") == "✗ not reproduced"
    assert verdict(dialog, "accuracy") == "✓ reproduced"
    assert verdict(dialog, "slow") == ""
    assert dialog.rows["count/right"].text(OURS) == "2.2098 GFLOPs"
    assert dialog.words.text() == "2 reproduced, 1 not reproduced, 0 not run"
    user.click(dialog.open_report)
    (url,) = opened
    assert "2.2098 GFLOPs" in Path(url.toLocalFile()).read_text("utf-8")


def test_the_button_says_what_will_be_run(dialog):
    assert dialog.run.text() == "Run all"
    select(dialog, "accuracy", "slow")
    assert dialog.run.text() == "Run 2 selected"
    dialog.table.clearSelection()
    dialog.table.topLevelItem(0).setSelected(True)  # a heading stands for all below it
    assert dialog.run.text() == "Run 4 selected"


def test_a_selected_claim_is_explained(user, dialog):
    select(dialog, "count/wrong")
    assert "Conditions: theirs." in dialog.details.text()
    assert "Tolerance: why." in dialog.details.text()
    run(user, dialog, "count/wrong")
    assert "Not reproduced: " in dialog.details.text()


def test_progress_and_time_left_are_shown_and_cancel_stops(user, dialog):
    select(dialog, "count/right", "slow")
    user.click(dialog.run)
    user.wait(lambda: "left in all" in dialog.words.text())
    assert dialog.progress.isVisible() and not dialog.run.isEnabled()
    user.click(dialog.cancel)
    user.wait(lambda: dialog.job is None)
    assert verdict(dialog, "count/right") == "✓ reproduced"  # what was found stays
    assert verdict(dialog, "slow") == "" and dialog.run.isEnabled()
    assert not dialog.progress.isVisible() and dialog.report.is_file()


def test_closing_it_stops_the_work_and_leaves_nothing_behind(user, window, dialog):
    select(dialog, "slow")
    user.click(dialog.run)
    user.wait(lambda: "left in all" in dialog.words.text())
    user.qtbot.keyClick(dialog, Key.Key_Escape)
    assert not dialog.isVisible() and dialog.job is None and not dialog._timer.isActive()
    assert "evaluation" not in {thread.name for thread in threading.enumerate()}
    user.do("claims")
    assert window.claims is dialog and dialog.run.isEnabled()


def test_closing_the_window_stops_the_work(user, window, dialog):
    select(dialog, "slow")
    user.click(dialog.run)
    user.wait(lambda: "left in all" in dialog.words.text())
    window.close_for_good()
    assert dialog.job is None and not dialog.isVisible()


def test_the_window_lives_on_while_claims_are_run(user, dialog):
    select(dialog, "slow")
    user.click(dialog.run)
    user.wait(lambda: "left in all" in dialog.words.text())
    drawn, started = user.drawn, time.monotonic()
    user.frames(10)
    assert user.drawn >= drawn + 10 and time.monotonic() - started < 5


@pytest.mark.parametrize("way", ["button", "double click"])
def test_the_session_behind_a_claim_is_opened(user, window, dialog, way):
    select(dialog, "accuracy")
    assert dialog.open_session.isEnabled()
    if way == "button":
        user.click(dialog.open_session)
    else:
        dialog.table.scrollToItem(dialog.rows["accuracy"])
        place = dialog.table.visualItemRect(dialog.rows["accuracy"]).center()
        user.double_click(dialog.table.viewport(), place)
    user.settle()
    assert window.workspace.document == CODING.document
    assert user.said[-1] and any("Opened the session of accuracy" in line for line in user.said)


def test_unsaved_changes_are_asked_about_before_a_session_is_opened(
    user, window, dialog, monkeypatch
):
    asked = []
    cancel = QMessageBox.StandardButton.Cancel
    monkeypatch.setattr(QMessageBox, "question", lambda *a: asked.append(a) or cancel)
    window.workspace.set_value("system.threshold", 1.5)
    before = window.workspace.document
    select(dialog, "accuracy")
    user.click(dialog.open_session)
    assert len(asked) == 1 and window.workspace.document == before


def test_a_claim_without_a_session_opens_none(user, window, dialog):
    select(dialog, "count/right")
    assert not dialog.open_session.isEnabled()
    before = window.workspace.document
    dialog.table.itemDoubleClicked.emit(dialog.rows["count/right"], 0)
    dialog.table.itemDoubleClicked.emit(dialog.table.topLevelItem(0), 0)
    assert window.workspace.document == before


def test_the_data_folder_is_chosen_and_used(user, window, monkeypatch, tmp_path):
    user.do("claims")
    dialog = window.claims
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: str(tmp_path))
    user.click(dialog.choose)
    assert dialog.folder.text() == str(tmp_path)
    run(user, dialog, "table3/mnist/sum")
    assert verdict(dialog, "table3/mnist/sum") == "– not run"
    assert "needs mnist" in dialog.details.text()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *a: "")
    user.click(dialog.choose)
    assert dialog.folder.text() == str(tmp_path)


def test_a_report_that_cannot_be_written_is_said_and_the_findings_stay(
    user, window, dialog, monkeypatch, tmp_path
):
    (tmp_path / "file").write_text("mine")
    monkeypatch.setattr(module, "cache", lambda: tmp_path / "file")
    run(user, dialog, "count/right")
    assert "results cannot be written there" in user.dismiss()
    assert verdict(dialog, "count/right") == "✓ reproduced" and dialog.words.text() == "Stopped"


def test_the_keyboard_reaches_every_control(user, dialog):
    dialog.activateWindow()
    dialog.table.setFocus()
    reached = set()
    for _ in range(12):
        reached.add(dialog.focusWidget())
        user.qtbot.keyClick(dialog.focusWidget(), Key.Key_Tab)
    assert reached >= {dialog.table, dialog.folder, dialog.choose, dialog.budget, dialog.run}
    assert all(widget.accessibleName() for widget in reached)


def test_it_fits_the_screen_and_keeps_the_size_it_was_given(user, dialog):
    assert dialog.width() <= dialog.screen().availableSize().width()
    dialog.resize(700, 500)
    theme.choose("dark")
    assert (dialog.width(), dialog.height()) == (700, 500)


def test_it_follows_theme_and_scale(user, dialog):
    run(user, dialog, "count/right")
    narrow = dialog.table.header().sectionSize(THEIRS)
    for choice in ("dark", "light"):
        theme.choose(choice)
        shade = dialog.rows["count/right"].foreground(VERDICT).color().name()
        assert shade == theme.colours.accent
    theme.set_presenter(True)
    assert dialog.table.header().sectionSize(THEIRS) > narrow
