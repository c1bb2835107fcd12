"""Whether a window can be shown here. Qt itself ends the process where it cannot."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path


def has_display() -> bool:
    """Whether there is a display; Windows and macOS always have one.

    Elsewhere a Wayland or X server must answer: the variables that name one outlive it, in a
    terminal multiplexer or a remote shell.
    """
    if sys.platform in ("win32", "darwin") or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return _wayland_answers(os.environ.get("WAYLAND_DISPLAY", "")) or _x_answers(
        os.environ.get("DISPLAY", "")
    )


def _wayland_answers(name: str) -> bool:
    """``name`` is a socket in XDG_RUNTIME_DIR, or its whole path."""
    return bool(name) and _connects(str(Path(os.environ.get("XDG_RUNTIME_DIR", "/"), name)))


def _x_answers(display: str) -> bool:
    """``display`` is [host]:number[.screen]."""
    host, _, number = display.rpartition(":")
    number = number.partition(".")[0]
    if not number.isdecimal():
        return False
    if host in ("", "unix"):
        path = f"/tmp/.X11-unix/X{number}"
        return _connects(path) or _connects("\0" + path)  # the second in the abstract namespace
    try:
        socket.create_connection((host.strip("[]"), 6000 + int(number)), timeout=3).close()
    except (OSError, OverflowError, UnicodeError):
        return False
    return True


def _connects(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(path)
        except OSError:
            return False
    return True
