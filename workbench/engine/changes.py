"""What a change of the document does to a run under way, and how to say it."""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path
from typing import Any

from workbench.document import Document
from workbench.systems import kinds


class Effect(IntEnum):
    """From nothing to everything."""

    NONE = 0  # views only
    LIVE = 1  # acts on the next step
    RESTART = 2  # the same network starts again at step 0
    PREPARE = 3  # data, dictionary or system are built anew


_BUILT_FROM = ("data", "backbone", "signal", "dictionary", "run")  # but for run.tolerance


def effect(old: Document, new: Document) -> Effect:
    """The least that must happen so that the run follows ``new``."""
    if any(_built(old, section) != _built(new, section) for section in _BUILT_FROM):
        return Effect.PREPARE
    if old.system["kind"] != new.system["kind"]:
        return Effect.PREPARE
    if _coded(old) != _coded(new) or old.run != new.run:
        return Effect.RESTART
    changed = changed_parameters(old, new)
    if not changed:
        return Effect.NONE
    fields = kinds()[new.system["kind"]].Params.model_fields
    restarts = {name for name, field in fields.items() if field.json_schema_extra["restart"]}
    return Effect.RESTART if changed.keys() & restarts else Effect.LIVE


def differences(old: Document, new: Document) -> str:
    """What differs, in words: "threshold 2 → 1.5, sample 4"."""
    words = []
    if old.system["kind"] != new.system["kind"]:
        words.append(f"system {new.system['kind']}")
    else:
        words += [_arrow(key, *pair) for key, pair in changed_parameters(old, new).items()]
    if _coded(old) != _coded(new):
        picture = "" if new.view.picture is None else "picture "
        words.append(f"{picture}{_image(new)}")
    for section in _BUILT_FROM:
        before, after = getattr(old, section).model_dump(), getattr(new, section).model_dump()
        words += [
            _joined(before[key], after[key])
            if (section, key) == ("dictionary", "added")
            else _arrow(f"{section} {key}", before[key], after[key])
            for key in before
            if before[key] != after[key]
        ]
    return ", ".join(words) or "the same settings"


def rows(old: Document, new: Document) -> list[tuple[str, str, str]]:
    """What differs between two documents that run side by side: (name, here, there)."""
    found = []
    if old.system["kind"] != new.system["kind"]:
        found.append(("system", old.system["kind"], new.system["kind"]))
    else:
        changed = changed_parameters(old, new).items()
        found += [(key.replace("_", " "), *map(_plain, pair)) for key, pair in changed]
    if _coded(old) != _coded(new):
        found.append(("image", _image(old), _image(new)))
    for section in ("data", "backbone", "signal", "dictionary", "decoder", "run"):
        before, after = getattr(old, section).model_dump(), getattr(new, section).model_dump()
        found += [
            (f"{section} {key.replace('_', ' ')}", _plain(before[key]), _plain(after[key]))
            for key in before
            if before[key] != after[key]
        ]
    return found


def _image(document: Document) -> str:
    coded = _coded(document)
    return f"sample {coded}" if isinstance(coded, int) else Path(coded).name


def _built(document: Document, section: str) -> Any:
    """What of a section is built into the experiment."""
    values = getattr(document, section)
    return values.changed(tolerance=None) if section == "run" else values


def _coded(document: Document) -> int | str:
    """The image that is coded: the index of a test image, or the file of a picture."""
    view = document.view
    return view.sample if view.picture is None else view.picture


def changed_parameters(old: Document, new: Document) -> dict[str, tuple[Any, Any]]:
    """Before and after of the system parameters that differ; what is not set has its default."""
    fields = kinds()[new.system["kind"]].Params.model_fields
    defaults = {name: field.default for name, field in fields.items()}
    before, after = defaults | old.system, defaults | new.system
    return {
        key: (before.get(key), after.get(key))
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    }


def _arrow(key: str, before: Any, after: Any) -> str:
    return f"{key.replace('_', ' ')} {_plain(before)} → {_plain(after)}"


def _joined(before: str | None, after: str | None) -> str:
    """What joined the dictionary, or that it was taken back."""
    return f"exemplars {after} added" if after else f"exemplars {before} taken back"


def _plain(value: Any) -> str:
    return "default" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
