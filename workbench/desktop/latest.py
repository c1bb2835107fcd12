"""A thread that works on the newest wish alone; the window asks and pulls, and never waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

Wish = TypeVar("Wish")
Answer = TypeVar("Answer")
Work = Callable[[Wish, Callable[[], bool]], Iterable[Answer]]


class Latest(Generic[Wish, Answer]):
    """Answers the newest wish; its thread lives while there is one."""

    def __init__(
        self,
        name: str,
        work: Work,
        same: Callable[[Wish, Wish], bool] = lambda a, b: a is b,
    ) -> None:
        """Make one that does nothing yet.

        Args:
            name: of the thread.
            work: gives the answers to a wish, better and better ones; it is handed a function that
                tells whether to stop, because something else is wanted. It must not raise.
            same: whether two wishes have the same answer.
        """
        self.latest: Answer | None = None  # the newest answer to the newest wish answered
        self._name, self._work_on, self._same = name, work, same
        self._wanted: Wish | None = None
        self._at_work: Wish | None = None
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    def want(self, wish: Wish) -> None:
        """Answer this, and forget about what else was wanted."""
        with self._lock:
            busy = self._at_work
            self._wanted = None if busy is not None and self._same(wish, busy) else wish
            if self._wanted is not None and self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether something is being answered."""
        return self._thread is not None

    def forget(self) -> None:
        """Want nothing, and keep no answer, nor the one that is being made."""
        with self._lock:
            self._wanted = self._at_work = self.latest = None

    def close(self) -> bool:
        """Want nothing any more; True if the thread is gone."""
        with self._lock:
            self._closed, self._wanted, self._at_work, thread = True, None, None, self._thread
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
            for answer in self._work_on(wish, lambda wish=wish: self._is_stale(wish)):
                with self._lock:
                    if self._at_work is wish:
                        self.latest = answer

    def _is_stale(self, wish: Wish) -> bool:
        return self._wanted is not None or self._at_work is not wish
