"""The session document: its schema, its versions, its files and its undo history."""

from workbench.document.history import History
from workbench.document.schema import Document, parsed, sections
from workbench.document.store import (
    PICTURES,
    assets,
    holds_data,
    is_picture,
    load,
    save,
    shipped,
)

__all__ = [
    "PICTURES",
    "Document",
    "History",
    "assets",
    "holds_data",
    "is_picture",
    "load",
    "parsed",
    "save",
    "sections",
    "shipped",
]
