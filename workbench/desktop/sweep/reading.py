"""Reads the results in a folder in a thread."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from workbench.engine import sweep_folder
from workbench.engine.job import Job

INTERVAL = 100  # milliseconds between two looks


class FolderReader(QObject):
    """One folder at a time."""

    found = Signal(Path, object)  # the folder, and a `sweep_folder.Found`
    failed = Signal(str)  # why nothing was found

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._job: Job | None = None
        self._folder = Path()
        self._timer = QTimer(self, interval=INTERVAL)
        self._timer.timeout.connect(self._pull)

    @property
    def busy(self) -> bool:
        """Whether a folder is being read."""
        return self._job is not None

    def read(self, folder: Path) -> None:
        """Begin."""
        self._folder = folder
        self._job = Job(lambda stop: sweep_folder.read(folder, stop), "sweep")
        self._timer.start()

    def close(self) -> None:
        """End the thread."""
        self._timer.stop()
        if self._job is not None:
            self._job.cancel()
            self._job.join()

    def _pull(self) -> None:
        job = self._job
        if job.running:
            return
        self._timer.stop()
        self._job = None
        if job.latest is None:
            self.failed.emit(job.error)
        else:
            self.found.emit(self._folder, job.latest)
