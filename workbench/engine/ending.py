"""The processes of a run end alike, and only the first of them speaks.

Where one fails, the others may wait for it in the middle of a sum. So it leaves its exit code and
its line in the store that all can reach, and each process looks there from a thread of its own.
What is left first counts: all end with that code, and the first process prints that line once.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable

from torch import distributed

from workbench.engine import sharding
from workbench.errors import InputError
from workbench.systems.protocol import Shard

LOOK = 0.1  # seconds between two looks
WAIT = 10.0  # seconds that a process that ends waits for the others to notice

Outcome = tuple[int, str]  # exit code, and a line on what went wrong


def together(work: Callable[[Shard], Outcome], say: Callable[[str], None]) -> int:
    """Do this process's part of a work that `torchrun` started; returns its exit code.

    Args:
        work: is given the shard; never raises.
        say: prints a complaint; called at most once in all processes.
    """
    try:
        processes = sharding.join()
    except InputError as error:
        if os.environ.get("RANK", "0") == "0":
            say(str(error))
        return 2
    ending = _Ending(processes, say)
    watcher = threading.Thread(target=ending.watch, name="ending", daemon=True)
    watcher.start()
    code, line = work(processes.shard)
    if code == 0:
        try:
            processes.wait()
        except RuntimeError as error:
            code, line = 1, str(error)
    if code:
        code = ending.end(code, line)
    ending.stop.set()
    watcher.join()  # Python must not end while a thread is in the store
    if code == 0:
        processes.close()
    return code


class _Ending:
    """One process's view of how the run ends."""

    def __init__(self, processes: sharding.Processes, say: Callable[[str], None]) -> None:
        self._rank, self._others = processes.rank, processes.size - 1
        self._store, self._say = distributed.PrefixStore("ending", processes.store), say
        self._lock = threading.Lock()
        self._ended = False
        self.stop = threading.Event()

    def watch(self) -> None:
        """End the process where it stands once another has failed."""
        try:
            while not self._store.check(["failed"]):
                if self.stop.wait(LOOK):
                    return
        except RuntimeError:  # the store has gone with its process: sums fail, too
            return
        with self._lock:
            if not self._ended:  # else the work itself is ending
                os._exit(self._agree(0, ""))

    def end(self, code: int, line: str) -> int:
        """Leave word that this process failed; returns the code that all end with."""
        with self._lock:
            self._ended = True
            return self._agree(code, line)

    def _agree(self, code: int, line: str) -> int:
        """Settle on the first failure, and see to it that it is told once."""
        mine = json.dumps([code, line])
        try:
            first = self._store.compare_set("failed", "", mine)
        except RuntimeError:
            first = mine
        code, line = json.loads(first)
        if self._rank == 0 and line:
            self._say(line)
        with contextlib.suppress(RuntimeError):  # who kept the store has ended already
            self._part()
        return code

    def _part(self) -> None:
        """Nobody leaves before the first process has spoken; it leaves last, as it may keep all."""
        if self._rank == 0:
            self._store.set("told", "")
            _until(lambda: self._store.add("gone", 0) >= self._others)
        else:
            _until(lambda: self._store.check(["told"]))
            self._store.add("gone", 1)


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
