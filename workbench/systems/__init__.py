"""One dynamical system per file; each is found by being here.

A module of this package that defines a concrete subclass of `protocol.System` adds that system to
the workbench. Nothing else lists them. A module without one (`lazy`) is a tool of a system.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache

from workbench.systems.protocol import System


@cache
def kinds() -> dict[str, type[System]]:
    """Every system by its ``kind``, in alphabetical order of their modules."""
    found: dict[str, type[System]] = {}
    for module in pkgutil.iter_modules(__path__, __name__ + "."):
        for _, member in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if (
                issubclass(member, System)
                and not inspect.isabstract(member)
                and member.__module__ == module.name
            ):
                found[member.kind] = member
    return found
