"""A download in a thread: a dataset, or the published weights of a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from workbench.data import download
from workbench.engine.experiment import Cancelled
from workbench.engine.job import Job


class Fetch(Job[Path]):
    """Fetches at once; ``latest`` is the data root or the weights file, once it is whole.

    ``error`` says in one line what went wrong. Called off, it leaves nothing behind.
    """

    def __init__(self, name: str, root: Path | None) -> None:
        """``root`` is where a dataset is put; None: ``name`` is a network."""
        self.name, self.root = name, root
        self.done, self.total = 0, None  # bytes of the file under way; None: not known
        super().__init__(self._work, "download")

    def _work(self, stop: Callable[[], bool]) -> Iterator[Path]:
        def check() -> None:
            if stop():
                raise Cancelled

        if self.root is None:
            yield download.weights(self.name, self._report, check)
        else:
            download.dataset(self.name, self.root, self._report, check)
            yield self.root

    def _report(self, done: int, total: int | None) -> None:
        self.done, self.total = done, total
