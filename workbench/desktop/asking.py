"""Questions answered in a thread: what they read may be large, and the window never waits."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, Self

log = logging.getLogger(__name__)


class Stopped(Exception):
    """Nobody waits for the answer any more."""


class Wish(Protocol):
    """A question with all that its answer depends on."""

    @property
    def title(self) -> str:
        """What is asked for, to say that it failed."""

    def same(self, other: Self) -> bool:
        """Whether another wish has the same answer."""

    def find(self, stopped: Callable[[], bool]) -> Any:
        """Answer it, in whatever thread; may raise `Stopped` once ``stopped`` says so."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What came of a wish."""

    wish: Any
    found: Any  # None: there is no answer, or it failed
    seconds: float  # that it took
    error: str = ""


def answer(wish: Wish, stopped: Callable[[], bool] = lambda: False) -> Answer:
    """Answer a wish in this thread.

    Raises:
        Stopped: ``stopped`` said so.
    """
    started, found, error = time.perf_counter(), None, ""
    try:
        found = wish.find(stopped)
    except Stopped:
        raise
    except Exception as problem:  # of a system; the window must go on
        log.exception("%s failed", wish.title)
        error = f"{type(problem).__name__}: {' '.join(str(problem).split())}"
    return Answer(wish, found, time.perf_counter() - started, error)


class Newest:
    """Answers the newest wish alone; its thread lives while there is one.

    A wish that is being answered is answered to its end, so that there is something to see while
    wishes come faster than answers; then comes the newest.
    """

    def __init__(self, name: str) -> None:
        """``name`` is that of the thread."""
        self.latest: Answer | None = None
        self._name = name
        self._wanted: Any = None
        self._at_work: Any = None
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    def want(self, wish: Wish) -> None:
        """Answer this, and forget about what else was wanted."""
        with self._lock:
            busy = self._at_work
            self._wanted = None if busy is not None and wish.same(busy) else wish
            if self._wanted is not None and self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()

    def forget(self) -> None:
        """Want nothing, and keep no answer, nor the one that is being made."""
        with self._lock:
            self._wanted = self._at_work = self.latest = None

    def close(self) -> bool:
        """Want nothing any more; True if the thread is gone."""
        with self._lock:
            self._closed, self._wanted, thread = True, None, self._thread
        if thread is not None:
            thread.join(10)
        return thread is None or not thread.is_alive()

    def _work(self) -> None:
        while True:
            with self._lock:
                wish, self._at_work, self._wanted = self._wanted, self._wanted, None
                if wish is None:
                    self._thread = None
                    return
            self._answer(wish)

    def _answer(self, wish: Any) -> None:
        try:
            made = answer(wish, lambda: self._closed or self._at_work is not wish)
        except Stopped:
            return
        with self._lock:
            if self._at_work is wish:
                self.latest = made
