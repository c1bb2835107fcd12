"""How long the window is held up while a slider is dragged and ghosts of the run are drawn.

    python benchmarks/dragging.py [--mnist FOLDER] [--seconds 10]

A run of 100 steps is over; then the threshold's slider is dragged back and forth, a move every
16 ms, and each value is followed by a rollout in the background. A block is the CPU of the GUI
thread from one waking of the event loop to the next. Nothing is asserted. Without a display the
window is drawn off screen.
"""

from __future__ import annotations

import argparse
import math
import os
import tempfile
import time
from pathlib import Path

if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QAbstractEventDispatcher, QEventLoop, QPoint, Qt, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QSlider

from workbench.desktop import app as desktop
from workbench.desktop.panels.fields import Field
from workbench.desktop.settings import Settings
from workbench.desktop.window import Window
from workbench.document import Document, load, shipped

MOVE = 16  # milliseconds between two moves of the mouse


class Blocks:
    """Milliseconds of CPU in every turn of the event loop: from one waking to the next."""

    def __init__(self) -> None:
        self.lengths: list[float] = []
        self._spent = time.thread_time()
        QAbstractEventDispatcher.instance().awake.connect(self._awake)

    def _awake(self) -> None:
        spent = time.thread_time()
        self.lengths.append(1000 * (spent - self._spent))
        self._spent = spent


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mnist", metavar="FOLDER")
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    cases = {"digits, M = 1 437": load(shipped()["digits-exemplar"])}
    if options.mnist:
        document = load(shipped()["mnist-exemplar"]).with_value("data.root", options.mnist)
        cases["MNIST, M = 60 000"] = document.with_value("dictionary.atoms", None)
    _application = desktop.application()  # lives as long as the windows
    print(f"{'blocks of the GUI thread, ms':<32} {'median':>8} {'95 %':>8} {'99 %':>8} {'max':>8}")
    for name, document in cases.items():
        for layout in ("explore", "compare"):
            blocks, rollouts = dragged(document, layout, options.seconds)
            figures = np.percentile(blocks, (50, 95, 99, 100))
            cells = " ".join(f"{figure:8.1f}" for figure in figures)
            print(f"{f'{name}, {layout}':<32} {cells}   {len(blocks)} blocks, {rollouts} rollouts")


def dragged(document: Document, layout: str, seconds: float) -> tuple[list[float], int]:
    """The blocks of a drag, and how many values were followed at least one step."""
    document = document.with_value("view.layout", layout)
    with tempfile.TemporaryDirectory() as folder:
        window = Window(document, None, Settings(Path(folder) / "settings.json"))
        window.resize(1440, 900)
        window.show()
        window.start()
        spin(lambda: window.workspace.snapshot is not None)
        window.running.last()
        spin(lambda: window.workspace.status.state.value == "finished")
        pause(1.0)
        slider = window.parameters.findChild(Field, "system.threshold").slider
        seen = drag(window, slider, seconds, blocks := Blocks())
        window.close_for_good()
    return blocks.lengths, len(seen)


def drag(window: Window, slider: QSlider, seconds: float, blocks: Blocks) -> set[int]:
    """Hold the slider and move it to and fro."""
    mouse(QMouseEvent.Type.MouseButtonPress, slider, slider.value() / slider.maximum())
    began, seen = time.perf_counter(), set()

    def move() -> None:
        part = 0.75 + 0.2 * math.sin(2 * (time.perf_counter() - began))
        mouse(QMouseEvent.Type.MouseMove, slider, part)
        ghost = window.workspace.ghost
        if ghost is not None:
            seen.add(id(ghost.recording))

    timer = QTimer()
    timer.timeout.connect(move)
    blocks.lengths.clear()
    timer.start(MOVE)
    pause(seconds)
    timer.stop()
    blocks.lengths[:] = blocks.lengths[1:]
    mouse(QMouseEvent.Type.MouseButtonRelease, slider, 0.75)
    return seen


def mouse(kind: QMouseEvent.Type, slider: QSlider, part: float) -> None:
    """The left button at a part of a slider's length."""
    handle = 14
    x = handle // 2 + part * (slider.width() - handle)
    place, left = QPoint(round(x), slider.height() // 2), Qt.MouseButton.LeftButton
    modifiers = Qt.KeyboardModifier.NoModifier
    event = QMouseEvent(kind, place, slider.mapToGlobal(place), left, left, modifiers)
    QApplication.sendEvent(slider, event)


def spin(happened) -> None:
    """Let the window live until something has happened."""
    loop, look = QEventLoop(), QTimer()
    look.timeout.connect(lambda: loop.quit() if happened() else None)
    look.start(5)
    loop.exec()
    look.stop()


def pause(seconds: float) -> None:
    """Let the window live for a while."""
    loop = QEventLoop()
    QTimer.singleShot(round(1000 * seconds), loop.quit)
    loop.exec()


if __name__ == "__main__":
    main()
