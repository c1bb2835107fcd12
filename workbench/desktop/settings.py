"""What the window remembers between sittings: recent files, theme, arrangement of the docks.

A small JSON file in the user's configuration folder. A file that cannot be read is as good as
none: nothing in it is worth stopping for.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from workbench.folders import home

RECENT = 15
LAYOUT_VERSION = 1  # raise when docks are renamed, so that old arrangements are not restored


class Settings:
    """Typed access to the settings file."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or home() / "settings.json"
        self._values = self._read()

    def _read(self) -> dict[str, Any]:
        try:
            values = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return values if isinstance(values, dict) else {}

    def _write(self, key: str, value: Any) -> None:
        self._values[key] = value
        aside = self.path.with_suffix(".aside")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            aside.write_text(json.dumps(self._values, indent=2), encoding="utf-8")
            aside.replace(self.path)
        except OSError:
            pass  # a full or read-only disk: the sitting goes on, only this is not remembered

    @property
    def recent(self) -> list[Path]:
        """Files opened or saved lately, newest first; those that are gone are left out."""
        names = self._values.get("recent")
        names = names if isinstance(names, list) else []
        paths = [Path(name) for name in names if isinstance(name, str)]
        return [path for path in paths if path.is_file()]

    def add_recent(self, path: Path) -> None:
        """Put a file at the top."""
        path = path.resolve()
        others = [other for other in self.recent if other != path]
        self._write("recent", [str(p) for p in [path, *others][:RECENT]])

    def clear_recent(self) -> None:
        """Forget all recent files."""
        self._write("recent", [])

    @property
    def theme(self) -> str:
        """system, light or dark."""
        theme = self._values.get("theme", "system")
        return theme if theme in ("system", "light", "dark") else "system"

    @theme.setter
    def theme(self, theme: str) -> None:
        self._write("theme", theme)

    def layout(self, name: str) -> bytes | None:
        """The saved arrangement of the docks of a layout, or None."""
        return _bytes(self._layouts.get(f"{name}/{LAYOUT_VERSION}"))

    def set_layout(self, name: str, state: bytes | None) -> None:
        """Remember an arrangement; None forgets it."""
        saved = dict(self._layouts)
        key = f"{name}/{LAYOUT_VERSION}"
        saved.pop(key, None)
        if state is not None:
            saved[key] = base64.b64encode(state).decode("ascii")
        self._write("layouts", saved)

    @property
    def _layouts(self) -> dict[str, Any]:
        saved = self._values.get("layouts")
        return saved if isinstance(saved, dict) else {}

    @property
    def geometry(self) -> bytes | None:
        """Size and place of the window."""
        return _bytes(self._values.get("geometry"))

    @geometry.setter
    def geometry(self, geometry: bytes) -> None:
        self._write("geometry", base64.b64encode(geometry).decode("ascii"))


def _bytes(text: Any) -> bytes | None:
    """What a text in base 64 stands for; None if it is none."""
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except ValueError:
        return None
