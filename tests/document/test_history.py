"""Undo and redo over documents."""

import pytest

from workbench.document import Document, History


def numbered(seed, sample=0):
    values = {"system": {"kind": "lca"}, "data": {"seed": seed}, "view": {"sample": sample}}
    return Document.parse(values)


@pytest.fixture
def history():
    history = History(numbered(0))
    history.push(numbered(1), "One")
    history.push(numbered(2), "Two")
    return history


def test_undo_and_redo_walk_the_same_way(history):
    assert history.undo() == numbered(1)
    assert history.undo() == numbered(0)
    assert history.redo() == numbered(1)
    assert history.redo() == numbered(2) == history.document


def test_at_either_end_nothing_happens(history):
    assert not history.can_redo
    assert history.redo() == numbered(2)
    history.undo(), history.undo()
    assert not history.can_undo
    assert history.undo() == numbered(0)


def test_labels_say_what_would_be_undone_and_redone(history):
    assert (history.undo_label, history.redo_label) == ("Two", "")
    history.undo()
    assert (history.undo_label, history.redo_label) == ("One", "Two")
    history.undo()
    assert (history.undo_label, history.redo_label) == ("", "One")


def test_a_change_after_an_undo_drops_what_could_be_redone(history):
    history.undo()
    history.push(numbered(3), "Three")
    assert not history.can_redo
    assert history.undo() == numbered(1)


def test_an_equal_document_is_no_change(history):
    history.push(numbered(2), "Again")
    assert history.undo_label == "Two"
    history.undo()
    history.push(numbered(1), "Again")
    assert history.redo_label == "Two"


def test_a_drag_is_undone_at_once(history):
    for seed in (3, 4, 5):
        history.push(numbered(seed), "Drag", merge=True)
    assert history.document == numbered(5)
    assert history.undo() == numbered(2)


def test_changes_merge_only_with_their_like(history):
    history.push(numbered(3), "Drag")  # not a drag
    history.push(numbered(4), "Drag", merge=True)
    history.push(numbered(5), "Other drag", merge=True)
    history.undo()
    history.redo()
    history.push(numbered(6), "Other drag", merge=True)  # a new drag after redo
    assert [history.undo() for _ in range(4)] == [numbered(n) for n in (5, 4, 3, 2)]


def test_dirty_means_different_from_what_was_saved(history):
    assert history.dirty
    history.mark_saved()
    assert not history.dirty
    history.undo()
    assert history.dirty
    history.redo()
    assert not history.dirty


def test_a_drag_over_a_save_keeps_the_saved_place(history):
    history.push(numbered(3), "Drag", merge=True)
    history.mark_saved()
    history.push(numbered(4), "Drag", merge=True)
    assert history.undo() == numbered(3)
    assert not history.dirty


def test_an_amended_document_is_no_step_of_its_own(history):
    history.amend(numbered(2, sample=7))
    assert (history.document, history.undo_label) == (numbered(2, sample=7), "Two")
    history.undo()
    assert history.undo_label == "One"


def test_undo_changes_no_view_and_the_view_alone_is_not_worth_saving(history):
    history.mark_saved()
    history.amend(numbered(2, sample=7))
    assert not history.dirty
    assert history.undo() == numbered(1, sample=7)
    assert history.redo() == numbered(2, sample=7)
