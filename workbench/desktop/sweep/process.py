"""The process that runs a sweep: asked once, listened to line by line, ended with the window."""

from __future__ import annotations

import json
import sys
import time

from PySide6.QtCore import QObject, QProcess, QTimer, Signal

INTERVAL = 50  # milliseconds between two looks at what it says
SHARE = 0.008  # seconds of a look at most; what is left waits for the next one
PATIENCE = 3000  # milliseconds in which it may end by itself
MODULE = "workbench.engine.sweep_serve"


class SweepProcess(QObject):
    """One sweep at a time; the lines are those of `engine.sweep_serve`."""

    told = Signal(list)  # dicts, in order
    ended = Signal(str)  # after the last line; why, if something went wrong

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None
        self._stopping = False
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL)
        self._timer.timeout.connect(self._pull)
        self._patience = QTimer(self, singleShot=True, interval=2 * PATIENCE)
        self._patience.timeout.connect(self._kill)

    @property
    def running(self) -> bool:
        """Whether there is more to come."""
        return self._process is not None

    def start(self, line: str) -> None:
        """Begin with a request, one line of text."""
        self._stopping = False
        self._process = QProcess(self)
        self._process.start(sys.executable, ["-m", MODULE])
        self._process.write(line.encode())
        self._timer.start()

    def stop(self) -> None:
        """Ask it to stop; it does so soon, and what is finished is kept."""
        if self._process is not None and not self._stopping:
            self._stopping = True
            self._process.closeWriteChannel()
            self._patience.start()

    def close(self) -> None:
        """End it now."""
        if self._process is None:
            return
        process = self._let_go()
        process.closeWriteChannel()
        if not process.waitForFinished(PATIENCE):
            process.kill()
            process.waitForFinished(PATIENCE)
        process.deleteLater()

    def _let_go(self) -> QProcess:
        self._timer.stop()
        self._patience.stop()
        process, self._process = self._process, None
        return process

    def _kill(self) -> None:
        self._process.kill()

    def _pull(self) -> None:
        """Pass on what it said, a little at a time."""
        process, lines = self._process, []  # a line is a dict
        over = process.state() == QProcess.ProcessState.NotRunning  # read before the lines
        until = time.perf_counter() + SHARE
        while process.canReadLine() and time.perf_counter() < until:
            lines.append(json.loads(process.readLine().data()))
        if lines:
            self.told.emit(lines)
        if over and self._process is process and not process.canReadLine():
            self._end(process)

    def _end(self, process: QProcess) -> None:
        self._let_go().deleteLater()
        self.ended.emit("" if self._stopping else _complaint(process))


def _complaint(process: QProcess) -> str:
    """What went wrong that it did not say itself."""
    if process.error() == QProcess.ProcessError.FailedToStart:
        return f"{process.program()} could not be started"
    if process.exitStatus() == QProcess.ExitStatus.NormalExit and process.exitCode() in (0, 2):
        return ""
    last = process.readAllStandardError().data().decode(errors="replace").strip().splitlines()
    return last[-1] if last else f"its process ended with code {process.exitCode()}"
