"""The one timer of the window: pulls the newest state and lets the visible views draw it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer

INTERVAL = 16  # milliseconds


class FrameClock(QObject):
    """Calls ``frame`` about sixty times a second and knows what that costs."""

    def __init__(self, frame: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._frame = frame
        self._costs: deque[float] = deque(maxlen=30)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(INTERVAL)
        self._timer.timeout.connect(self.tick)

    def start(self) -> None:
        """Begin to tick."""
        self._timer.start()

    def stop(self) -> None:
        """Tick no more."""
        self._timer.stop()

    def tick(self) -> None:
        """One frame, timed."""
        started = time.perf_counter()
        self._frame()
        self._costs.append(time.perf_counter() - started)

    @property
    def frame_ms(self) -> float:
        """The longest of the last frames, in milliseconds of the GUI thread."""
        return 1000 * max(self._costs, default=0.0)
