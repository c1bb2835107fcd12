"""What a change of the document does to a run under way."""

from __future__ import annotations

from enum import Enum

from workbench.document import Document
from workbench.systems import kinds


class Effect(Enum):
    """From nothing to everything."""

    NONE = 0  # views only
    LIVE = 1  # acts on the next step
    RESTART = 2  # the same network starts again at step 0
    PREPARE = 3  # data, dictionary or system are built anew


_BUILT_FROM = ("data", "backbone", "signal", "dictionary", "run")


def effect(old: Document, new: Document) -> Effect:
    """The least that must happen so that the run follows ``new``."""
    if any(getattr(old, section) != getattr(new, section) for section in _BUILT_FROM):
        return Effect.PREPARE
    if old.system.get("kind") != new.system.get("kind"):
        return Effect.PREPARE
    if old.view.sample != new.view.sample:
        return Effect.RESTART
    keys = old.system.keys() | new.system.keys()
    changed = {key for key in keys if old.system.get(key) != new.system.get(key)}
    if not changed:
        return Effect.NONE
    fields = kinds()[new.system["kind"]].Params.model_fields
    restarts = {name for name, field in fields.items() if field.json_schema_extra["restart"]}
    return Effect.RESTART if changed & restarts else Effect.LIVE
