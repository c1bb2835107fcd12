"""Questions answered in a thread: what they read may be large, and the window never waits."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any

from workbench.desktop.latest import Latest

log = logging.getLogger(__name__)
REST = 4.0  # times what an answer took, before the next wish of a kind that comes all the time


class Stopped(Exception):
    """Nobody waits for the answer any more."""


@dataclass(frozen=True, eq=False)
class Wish:
    """A question; its fields are all that the answer depends on."""

    @property
    def title(self) -> str:
        """What is asked for, to say that it failed."""
        return type(self).__name__

    def same(self, other: Wish) -> bool:
        """Whether another wish has the same answer: the same objects, or equal plain values."""
        return type(self) is type(other) and all(
            _same(getattr(self, field.name), getattr(other, field.name)) for field in fields(self)
        )

    def find(self, stopped: Callable[[], bool]) -> Any:
        """Answer it, in whatever thread; may raise `Stopped` once ``stopped`` says so."""
        raise NotImplementedError


def _same(a: Any, b: Any) -> bool:
    return a is b or (type(a) in (int, float, str, tuple) and a == b)  # a state is no plain tuple


@dataclass(frozen=True, eq=False)
class Answer:
    """What came of a wish."""

    wish: Wish
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


class Asker(Latest[Wish, Answer]):
    """Answers the newest wish alone.

    A wish that is being answered is answered to its end, so that there is something to see while
    wishes come faster than answers; then comes the newest.
    """

    def __init__(self, name: str) -> None:
        """``name`` is that of the thread."""
        super().__init__(name, self._answers, Wish.same)
        self._due = 0.0

    def want_now_and_then(self, wish: Wish, pace: float) -> bool:
        """Want this, unless the last wish is too young; False if so: come back later.

        For what changes while a network runs. There are ``pace`` seconds at least between two
        wishes, and `REST` times what the last answer took.
        """
        now = time.perf_counter()
        if now < self._due:
            return False
        self._due = now + max(pace, REST * (self.latest.seconds if self.latest else 0.0))
        self.want(wish)
        return True

    def _answers(self, wish: Wish, superseded: Callable[[], bool]) -> Iterator[Answer]:
        try:
            yield answer(wish, lambda: self._closed or self._at_work is not wish)
        except Stopped:
            return
