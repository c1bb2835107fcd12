"""Older sessions open: each version has one function that makes the next version of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workbench.errors import InputError

CURRENT = 1

# UPGRADES[n] turns the plain values of version n into those of version n + 1. Each version also
# has a golden file in tests/document/golden that must open for ever.
UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}


def upgrade(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a session of any version, as the current version has them.

    Raises:
        InputError: the version is missing, not a version, or newer than this workbench.
    """
    if "workbench" not in values:
        raise InputError(f'workbench is missing; a session begins with "workbench": {CURRENT}')
    version = values["workbench"]
    if type(version) is not int or version < 1:
        raise InputError(f"workbench = {version!r}: must be a version from 1 to {CURRENT}")
    if version > CURRENT:
        raise InputError(
            f"workbench = {version}: written by a newer workbench; this one reads versions up to "
            f"{CURRENT}, so update it"
        )
    upgraded = dict(values)
    for step in range(version, CURRENT):
        upgraded = UPGRADES[step](upgraded) | {"workbench": step + 1}
    return upgraded
