"""The one timer of the window: pulls the newest state and lets the visible views draw it.

Python lets one thread run at a time, so what the window draws is taken from an engine whose steps
are short. While a run goes as fast as it can, the clock therefore rests after each frame in
proportion to what the frame cost: the faster the steps, the fewer of them an eye could follow
anyway. A paced run, and a window at rest, get a frame every `INTERVAL`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer

INTERVAL = 16  # milliseconds between two frames
LONGEST = 250  # milliseconds; however dear a frame is, the next one comes
SHORT_STEP_RATE = 240.0  # steps per second beyond which an eye cannot follow: four a frame
REST_SHORT, REST_LONG = 7.0, 4.0  # rest after a frame, in multiples of its cost


class FrameClock(QObject):
    """Calls ``frame`` about sixty times a second and knows what that costs."""

    def __init__(
        self, frame: Callable[[], None], rate: Callable[[], float], parent: QObject
    ) -> None:
        """``rate`` tells the steps per second of a run at full speed, and 0 otherwise."""
        super().__init__(parent)
        self._frame, self._rate = frame, rate
        self._costs: deque[float] = deque(maxlen=30)
        self._spent = 0.0  # CPU of the GUI thread up to the last frame, painting included
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(INTERVAL)
        self._timer.timeout.connect(self.tick)

    def start(self) -> None:
        """Begin to tick."""
        self._spent = time.thread_time()
        self._timer.start()

    def stop(self) -> None:
        """Tick no more."""
        self._timer.stop()

    def tick(self) -> None:
        """One frame, timed; then decide when the next one comes."""
        spent = time.thread_time()
        cost = 1000 * (spent - self._spent)  # of the frame before with all its painting
        self._spent = spent
        self._costs.append(cost)
        self._frame()
        rate = self._rate()
        interval = INTERVAL
        if rate > 0:
            rest = REST_SHORT if rate > SHORT_STEP_RATE else REST_LONG
            interval = min(max(INTERVAL, round(rest * cost)), LONGEST)
        if interval != self._timer.interval():
            self._timer.setInterval(interval)

    @property
    def frame_ms(self) -> float:
        """The dearest of the last frames, in milliseconds of the GUI thread."""
        return max(self._costs, default=0.0)
