"""The session document: its schema, its versions, its files and its undo history."""

from workbench.document.history import History
from workbench.document.schema import Document, sections
from workbench.document.store import assets, holds_data, load, save, shipped

__all__ = ["Document", "History", "assets", "holds_data", "load", "save", "sections", "shipped"]
