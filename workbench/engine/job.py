"""One long piece of work in a thread, watched by pulling and called off by asking."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from workbench.engine.experiment import Cancelled
from workbench.errors import InputError

T = TypeVar("T")
log = logging.getLogger(__name__)


class Job(Generic[T]):
    """Runs an iterator in a thread; ``latest`` is the newest thing it gave."""

    def __init__(
        self, work: Callable[[Callable[[], bool]], Iterator[T]], kind: str = "evaluation"
    ) -> None:
        """Start at once. ``work`` gets a function that tells whether to stop."""
        self.latest: T | None = None
        self.error = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(work,), name=kind, daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether the thread still works."""
        return self._thread.is_alive()

    @property
    def cancelled(self) -> bool:
        """Whether it was asked to stop."""
        return self._stop.is_set()

    def cancel(self) -> None:
        """Ask it to stop; it does so at its next check."""
        self._stop.set()

    def join(self, timeout: float = 10.0) -> bool:
        """Wait for the end; True if it came."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self, work: Callable[[Callable[[], bool]], Iterator[T]]) -> None:
        try:
            for found in work(self._stop.is_set):
                self.latest = found
        except Cancelled:
            pass
        except InputError as error:
            self.error = str(error)
        except Exception as error:
            log.exception("the %s failed", self._thread.name)
            self.error = f"{type(error).__name__}: {' '.join(str(error).split())}"
