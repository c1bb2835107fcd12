"""What one thread is asked to do by others, in order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

Request = Callable[[], None]


class Mailbox:
    """A queue of requests in which a request may take the place of its equal just before it.

    A dragged slider asks for the same thing a hundred times; only the newest counts, unless
    something else was asked for in between.
    """

    def __init__(self) -> None:
        self._requests: deque[tuple[str, Request]] = deque()
        self._arrived = threading.Condition()
        self._at_work = False  # the last request handed out is being done

    @property
    def is_done(self) -> bool:
        """Whether every request was handed out and done: the next one has been asked for."""
        with self._arrived:
            return not self._requests and not self._at_work

    def put(self, request: Request, replaces: str = "") -> None:
        """Add a request; ``replaces`` is the name of the requests whose last one it replaces."""
        with self._arrived:
            if replaces and self._requests and self._requests[-1][0] == replaces:
                self._requests.pop()
            self._requests.append((replaces, request))
            self._arrived.notify()

    def get(self, timeout: float | None = None) -> Request | None:
        """The oldest request; None if there is none within ``timeout`` seconds (None: wait)."""
        with self._arrived:
            self._at_work = False
            self._arrived.wait_for(lambda: self._requests, timeout)
            self._at_work = bool(self._requests)
            return self._requests.popleft()[1] if self._requests else None
