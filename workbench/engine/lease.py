"""Leave for a thread to work, which somebody must go on renewing."""

from __future__ import annotations

import threading
import time


class Lease:
    """Lets a thread work as long as somebody wants it to; without, it sleeps and costs nothing."""

    def __init__(self) -> None:
        self._until = 0.0
        self._ended = False
        self._changed = threading.Condition()

    def renew(self, seconds: float) -> None:
        """Let it work from now on for so long."""
        with self._changed:
            self._until = time.monotonic() + seconds
            self._changed.notify_all()

    def end(self) -> None:
        """Let it work no more, and tell it so."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def ended(self) -> bool:
        """For the thread that works: wait for leave; True if there will be none any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or time.monotonic() < self._until)
            return self._ended
