"""Explanations made in a thread: the dictionary may be large, and the window never waits."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.analysis.explanation import Explanation
    from workbench.engine.runner import Snapshot

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Wish:
    """One neuron at one instant, and the system that takes the next step from there."""

    state: Any
    system: Any
    neuron: int
    step: int
    names: tuple[str, ...]  # of the classes

    @classmethod
    def of(cls, snapshot: Snapshot, neuron: int) -> Wish:
        """The wish for a neuron at the time cursor."""
        system = snapshot.recording.system_at(snapshot.step)
        names = tuple(snapshot.experiment.dataset.class_names)
        return cls(snapshot.state, system, neuron, snapshot.step, names)

    def same(self, other: Wish) -> bool:
        """Whether another wish has the same answer."""
        return (
            self.state is other.state
            and self.system is other.system
            and (self.neuron, self.step) == (other.neuron, other.step)
        )

    def answer(self) -> Answer:
        """Explain it; takes about as long as four passes over the dictionary."""
        from workbench.analysis.explanation import explain  # with torch, which is loaded by now

        started = time.perf_counter()
        try:
            found = explain(self.system, self.state, self.neuron, self.step, self.names)
        except Exception as error:  # of a system; the window must go on
            log.exception("neuron %d could not be explained", self.neuron)
            words = f"{type(error).__name__}: {' '.join(str(error).split())}"
            return Answer(self, None, time.perf_counter() - started, words)
        return Answer(self, found, time.perf_counter() - started)


@dataclass(frozen=True, eq=False)
class Answer:
    """What came of a wish."""

    wish: Wish
    explanation: Explanation | None  # None: the system gives no account, or it failed
    seconds: float  # that it took
    error: str = ""


class Explainer:
    """Answers the newest wish alone; its thread lives while there is one."""

    def __init__(self) -> None:
        self.latest: Answer | None = None
        self._wanted: Wish | None = None
        self._at_work: Wish | None = None
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    def want(self, wish: Wish) -> None:
        """Answer this, and forget about what else was wanted."""
        with self._lock:
            busy = self._at_work
            self._wanted = None if busy is not None and wish.same(busy) else wish
            if self._wanted is not None and self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._work, name="explainer", daemon=True)
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
            answer = wish.answer()
            with self._lock:
                if self._at_work is wish:
                    self.latest = answer
