"""What looking costs: engine speed with the window open against headless, and each view's share.

    python benchmarks/window.py [--mnist FOLDER] [--repeats 5]

Three tables:

- seconds from the start of a fresh process to the window's first paint, and to the first snapshot;
- steps per second of the engine alone and with every view visible, in turn, as a ratio;
- milliseconds of the GUI thread that one frame of each view takes (drawing and painting).

``--mnist`` names a torchvision root with MNIST and adds a network of 60 000 neurons. Nothing is
asserted. Without a display the window is drawn off screen.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from workbench.desktop import app as desktop
from workbench.desktop import layouts
from workbench.desktop.settings import Settings
from workbench.desktop.window import Window
from workbench.document import Document, load, shipped
from workbench.engine.runner import Runner, RunState

EVERYTHING: list[layouts.Column] = [
    (34, ((("traces",), 50), (("counts",), 50))),
    (33, ((("terms",), 33), (("raster",), 34), (("images",), 33))),
    (33, ((("evidence",), 33), (("atoms",), 34), (("confusion",), 33))),
]
START = """
import time; began = time.perf_counter()
from workbench.desktop import app; from workbench.desktop.window import Window
from workbench.desktop.settings import Settings; from workbench.document import load, shipped
from pathlib import Path
qt = app.application(); path = shipped()["digits-exemplar"]
window = Window(load(path), path, Settings(Path({folder!r}) / "settings.json"))
window.show(); qt.processEvents(); painted = time.perf_counter() - began
window.start()
while window.workspace.snapshot is None:
    qt.processEvents(); time.sleep(0.001)
print(painted, time.perf_counter() - began); window.close_for_good()
"""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mnist", metavar="FOLDER")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print_start(options.repeats)
    cases = {"digits, M = 1 437": (load(shipped()["digits-exemplar"]), 2000)}
    if options.mnist:
        cases["MNIST, M = 60 000"] = (complete_mnist(options.mnist), 100)
    qt = desktop.application()
    for name, (document, steps) in cases.items():
        compare(qt, name, document.with_value("system.steps", steps), options.repeats)


def complete_mnist(root: str) -> Document:
    """Every training image an atom."""
    document = load(shipped()["mnist-exemplar"]).with_value("data.root", root)
    return document.with_value("dictionary.atoms", None)


def print_start(repeats: int) -> None:
    """Fresh processes, timed from inside after the interpreter has started."""
    painted, ready = [], []
    for _ in range(repeats + 1):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-c", START.format(folder=folder)],
                capture_output=True,
                text=True,
                check=True,
            )
        first, second = map(float, done.stdout.split()[-2:])
        painted.append(first)
        ready.append(second)
    print("start (the first of the runs, cold, is left out)         median s")
    print(f"  first paint of the window                              {median(painted[1:]):8.2f}")
    print(f"  first snapshot of the digits                           {median(ready[1:]):8.2f}")


def compare(qt: QApplication, name: str, document: Document, repeats: int) -> None:
    """Headless and windowed runs in turn, then each view."""
    document = document.with_value("view.speed", None)
    runner = Runner()
    runner.follow(document)
    runner.wait(RunState.PAUSED, timeout=600)
    with tempfile.TemporaryDirectory() as folder:
        window = Window(document, None, Settings(Path(folder) / "settings.json"))
        window.resize(1440, 900)
        window.show()
        window.start()
        spin(qt, window, lambda: window.workspace.snapshot is not None)
        layouts.arrange(window.area, window.area.docks, EVERYTHING)
        alone, watched = [], []
        for _ in range(repeats):
            alone.append(headless(runner))
            watched.append(windowed(qt, window))
        ratios = [b / a for a, b in zip(alone, watched, strict=True)]
        print(f"\n{name}                                      median steps/s")
        print(f"  engine alone                                           {median(alone):8.0f}")
        print(f"  all eight views visible                                {median(watched):8.0f}")
        print(f"  ratio, pair by pair                                    {median(ratios):8.2f}")
        print_views(qt, window, name)
        window.close_for_good()
    runner.close()


def headless(runner: Runner) -> float:
    """Steps per second of a whole run."""
    runner.restart()
    runner.wait(RunState.PAUSED)
    began = time.perf_counter()
    runner.set_paused(False)
    status = runner.wait(RunState.FINISHED, timeout=600)
    return status.step / (time.perf_counter() - began)


def windowed(qt: QApplication, window: Window) -> float:
    """The same in the window, with frames drawn as they come."""
    runner = window.workspace.runner
    runner.restart()
    runner.wait(RunState.PAUSED)
    began = time.perf_counter()
    runner.set_paused(False)
    spin(qt, window, lambda: runner.status.state is RunState.FINISHED)
    return runner.status.step / (time.perf_counter() - began)


def print_views(qt: QApplication, window: Window, name: str) -> None:
    """CPU of the GUI thread for one frame of each view, half way through the run."""
    steps = window.workspace.status.steps
    window.workspace.runner.seek(steps // 2)
    spin(qt, window, lambda: window.workspace.status.step == steps // 2)
    costs: dict[str, list[float]] = {name: [] for name in window.views}
    for step in range(steps // 2 + 1, steps // 2 + 21):
        window.workspace.runner.step()
        spin(qt, window, lambda step=step: window.workspace.runner.status.step == step)
        window.workspace.poll()
        for name_of_view, view in window.views.items():
            began = time.thread_time()
            view.refresh()
            view.repaint()
            costs[name_of_view].append(1000 * (time.thread_time() - began))
    print(f"{name}, GUI thread per frame                   median ms")
    for name_of_view, values in costs.items():
        print(f"  {window.views[name_of_view].title:<50} {median(values):12.1f}")
    print(f"  {'all':<50} {sum(map(median, costs.values())):12.1f}")


def spin(qt: QApplication, window: Window, happened) -> None:
    """Let the window live, as under ``exec``, until something has happened."""
    loop = QEventLoop()
    look = QTimer()
    look.timeout.connect(lambda: loop.quit() if happened() else None)
    look.start(5)
    loop.exec()
    look.stop()


median = statistics.median

if __name__ == "__main__":
    main()
