"""Undo and redo: the documents of this sitting, in order."""

from __future__ import annotations

from typing import NamedTuple

from workbench.document.schema import Document


class _Entry(NamedTuple):
    document: Document
    label: str  # what the change that led here was, "Threshold"


class History:
    """A line of documents and a place on it; documents are frozen, so they are kept as they are."""

    def __init__(self, document: Document) -> None:
        self._entries = [_Entry(document, "")]
        self._at = 0
        self._saved = document
        self._merging = False

    @property
    def document(self) -> Document:
        """The current document."""
        return self._entries[self._at].document

    def push(self, document: Document, label: str, merge: bool = False) -> None:
        """Make this the current document; what could be redone is gone.

        With ``merge``, a change that follows one of the same label replaces it, so that a whole
        drag of a slider is undone at once. An equal document changes nothing.
        """
        if document == self.document:
            return
        merges = merge and self._merging and self.undo_label == label and not self.can_redo
        keep = self._at if merges else self._at + 1
        self._entries[keep:] = [_Entry(document, label)]
        self._at = keep
        self._merging = merge

    def amend(self, document: Document) -> None:
        """Put a document in place of the current one: a change that is not worth an undo."""
        self._entries[self._at] = self._entries[self._at]._replace(document=document)
        self._merging = False

    def undo(self) -> Document:
        """Go one change back and return the document there; at the beginning stay."""
        return self._go(-1)

    def redo(self) -> Document:
        """Go one change forward and return the document there; at the end stay."""
        return self._go(+1)

    @property
    def can_undo(self) -> bool:
        return self._at > 0

    @property
    def can_redo(self) -> bool:
        return self._at < len(self._entries) - 1

    @property
    def undo_label(self) -> str:
        """The change that `undo` takes back, or nothing."""
        return self._entries[self._at].label

    @property
    def redo_label(self) -> str:
        """The change that `redo` makes again, or nothing."""
        return self._entries[self._at + 1].label if self.can_redo else ""

    @property
    def dirty(self) -> bool:
        """Whether the current document differs from the saved one in more than its view."""
        return self.differs(self.document)

    def differs(self, document: Document) -> bool:
        """Whether a document differs from the saved one in more than its view."""
        return document.model_copy(update={"view": self._saved.view}) != self._saved

    def mark_saved(self, document: Document | None = None) -> None:
        """A document, the current one unless another is given, is the one on disk."""
        self._saved = document or self.document
        self._merging = False  # the saved document stays a place to undo to

    def _go(self, by: int) -> Document:
        view = self.document.view  # how things are shown stays
        self._at = min(max(self._at + by, 0), len(self._entries) - 1)
        self.amend(self.document.model_copy(update={"view": view}))
        return self.document
