"""Steps one run in a thread of its own; everybody else asks and pulls.

    load()            run()            last step
    idle ─► preparing ─► paused ◄─► running ─► finished
                │                     │           │ seek(), step(-1): paused again
                └──── failed ◄────────┘           │ cancel(): finished, "cancelled"

Requests are put in a queue and acted on at the next step boundary. The thread publishes immutable
`Status` and `Snapshot` objects, at most one snapshot per `FRAME` while it runs; readers take the
newest and never hold the thread up. Which observables go into a snapshot is what `watch` asked
for; it changes the cost of looking and nothing else.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

import numpy as np

from workbench.analysis import stability
from workbench.document import Document
from workbench.engine import recording as recordings
from workbench.engine.changes import Effect, effect
from workbench.engine.experiment import Cancelled, Experiment, prepare, with_live_params
from workbench.engine.recording import Recording
from workbench.errors import InputError

FRAME = 1 / 60  # seconds between two snapshots while running
RISE = 1e-4  # a relative rise of the total energy that is worth a word
log = logging.getLogger(__name__)


class RunState(Enum):
    """What the runner is doing."""

    IDLE = "idle"  # nothing loaded
    PREPARING = "preparing"
    PAUSED = "paused"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True)
class Status:
    """An immutable picture of the runner."""

    state: RunState = RunState.IDLE
    reason: str = ""  # why finished: "all steps done", "cancelled", "diverged"; else what is done
    error: str = ""  # why failed, one line
    step: int = 0  # the time cursor
    head: int = 0  # the last recorded step
    steps: int = 0  # K
    rate: float = 0.0  # steps per second, measured while running
    fingerprint: str = ""  # of the run up to the cursor
    bytes_used: int = 0
    budget: int = 0
    expected_bytes: int = 0  # of the whole run, known before it starts
    alarm: str = ""  # the network misbehaves: what, why, what to do
    notice: str = ""  # what the last change of the document did
    refused: str = ""  # the last change could not be followed, one line; the run before goes on
    serial: int = 0  # counts changes of refused and notice, so that each is shown once


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One instant of a run; all arrays belong to ``step``."""

    step: int
    sample: int
    state: Any
    experiment: Experiment
    recording: Recording
    observed: Mapping[str, np.ndarray] = field(default_factory=dict)  # batch axis removed


Prepare = Callable[..., Experiment]


class Runner:
    """Runs one document's experiment on one sample, step by step."""

    def __init__(self, budget: int = recordings.DEFAULT_BUDGET, prepare: Prepare = prepare) -> None:
        self.status = Status(budget=budget)
        self.snapshot: Snapshot | None = None
        self._prepare = prepare
        self._budget = budget
        self._requests: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._watched: frozenset[str] = frozenset()
        self._speed: float | None = None
        self._wanted: Document | None = None
        self._experiment: Experiment | None = None
        self._recording: Recording | None = None
        self._state: Any = None
        self._sample = 0
        self._step = 0  # the time cursor
        self._explained = 0.0  # total energy when a rise was last explained
        self._cancel = threading.Event()
        self._next_step_at = 0.0
        self._published_at = 0.0
        self._rate = _Rate()
        self._thread = threading.Thread(target=self._work, name="runner", daemon=True)
        self._thread.start()

    # -- requests, from any thread --------------------------------------------------------------

    def follow(self, document: Document) -> None:
        """Make the run follow this document; does the least that is needed (see `changes`)."""
        self._wanted = document
        self._ask(self._follow_wanted)

    def set_paused(self, paused: bool) -> None:
        """Pause, or run on from the cursor."""
        self._ask(lambda: self._set_running(not paused))

    def step(self, count: int = 1) -> None:
        """Move the cursor ``count`` steps forward (or back, if negative) and pause there."""
        self._ask(lambda: self._move_to(self._step + count))

    def seek(self, step: int) -> None:
        """Put the cursor on a step, computing on to it if it lies ahead, and pause there."""
        self._ask(lambda: self._move_to(step))

    def restart(self) -> None:
        """Begin again at step 0, with the experiment as it is now."""
        self._ask(self._begin)

    def cancel(self) -> None:
        """Call off what is going on: preparing, a long seek, or the run."""
        self._cancel.set()
        self._ask(self._finish_cancelled)

    def set_speed(self, steps_per_second: float | None) -> None:
        """Pace of the run; None means as fast as possible."""
        self._ask(lambda: setattr(self, "_speed", steps_per_second))

    def watch(self, names: Iterable[str]) -> None:
        """Which observables the snapshots hold from now on."""
        names = frozenset(names)
        if names != self._watched:
            self._watched = names
            self._ask(self._publish)

    def when_done(self, call: Callable[[], None]) -> None:
        """Call, in the runner's thread, after all that was asked for so far is done."""
        self._ask(call)

    def close(self, timeout: float = 10.0) -> bool:
        """End the thread; True if it is gone within ``timeout`` seconds."""
        self._cancel.set()
        self._requests.put(None)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def wait(self, *states: RunState, timeout: float = 60.0) -> Status:
        """Block until all requests are done and the state is one of ``states``.

        For scripts and tests; a window pulls instead.

        Raises:
            TimeoutError: it did not happen within ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        done = threading.Event()
        self.when_done(done.set)
        while time.monotonic() < deadline:
            if done.is_set() and self.status.state in states:
                return self.status
            time.sleep(0.001)
        raise TimeoutError(f"still {self.status.state.value} after {timeout} s")

    def _ask(self, request: Callable[[], None]) -> None:
        self._requests.put(request)

    # -- the thread -----------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            request = self._next_request()
            if request is None:
                return
            try:
                request()
            except Exception as error:  # whatever a system does, the thread and window live on
                log.exception("the run failed")
                self._set(state=RunState.FAILED, error=f"{type(error).__name__}: {error}")

    def _next_request(self) -> Callable[[], None] | None:
        """The next request, or the next step of the run when there is none."""
        if self.status.state is not RunState.RUNNING:
            return self._requests.get()
        try:
            wait = self._next_step_at - time.perf_counter() if self._speed else 0.0
            return self._requests.get(timeout=wait) if wait > 0 else self._requests.get_nowait()
        except queue.Empty:
            return self._run_one_step

    def _follow_wanted(self) -> None:
        """Follow the newest document; those that came before it in the queue are skipped."""
        document, self._wanted = self._wanted, None
        if document is not None:
            self._follow(document)

    def _follow(self, document: Document) -> None:
        old = self._experiment
        change = effect(old.asked, document) if old else Effect.PREPARE
        was = self.status
        go_on = was.state in (RunState.RUNNING, RunState.FINISHED)
        try:
            if change is Effect.PREPARE:
                self._set(state=RunState.PREPARING, reason="Preparing", error="")
                self._experiment = self._prepare(
                    document, old, lambda text: self._set(reason=text), self._cancel.is_set
                )
            elif old:
                self._experiment = with_live_params(old, document)
            self._check_sample(document)
        except (InputError, Cancelled) as error:
            self._experiment = old
            self._refuse(was, str(error) or "cancelled")
            return
        self._sample = document.view.sample
        if change is Effect.LIVE and 0 < self._step < self._experiment.steps:
            self._change_course(document, old)
        elif change is not Effect.NONE:
            self._begin()
            if old:
                self._say(f"Restarted with {_differences(old.asked, document)}")
            if old and go_on:
                self._set_running(True)

    def _check_sample(self, document: Document) -> None:
        count = len(self._experiment.dataset.test)
        if document.view.sample >= count:
            raise InputError(
                f"view.sample = {document.view.sample}: the test set has samples 0 to {count - 1}"
            )

    def _refuse(self, was: Status, line: str) -> None:
        """Keep what ran before, if anything did."""
        if was.state in (RunState.IDLE, RunState.FAILED, RunState.PREPARING):
            self._set(state=RunState.FAILED, error=line)
        else:
            state = RunState.PAUSED if was.state is RunState.RUNNING else was.state
            self._set(state=state, reason=was.reason)
        self._set(refused=line, serial=self.status.serial + 1)

    def _change_course(self, document: Document, old: Experiment) -> None:
        """Live parameters changed in mid-run: they act on the step after the cursor."""
        step, dropped = self._step, self._recording.head - self._step
        self._recording = self._recording.fork(step, self._experiment.system)
        if self.status.state is RunState.FINISHED:
            self._set(state=RunState.PAUSED, reason="")
        self._explained = 0.0
        self._set(alarm="", steps=self._experiment.steps)
        self._publish()
        lost = f"; the {dropped} steps recorded after {step} were dropped" if dropped else ""
        self._say(f"{_differences(old.asked, document)} from step {step + 1} on{lost}")

    def _say(self, text: str) -> None:
        self._set(notice=text, serial=self.status.serial + 1)

    def _begin(self) -> None:
        if self._experiment is None:
            return
        system = self._experiment.system
        try:
            initial = system.init(self._experiment.signals([self._sample]))
        except ValueError as error:
            self._refuse(Status(state=RunState.FAILED), str(error))
            return
        self._recording = Recording(system, initial, self._budget)
        self._state = initial
        self._step = 0
        self._explained = 0.0
        self._set(
            state=RunState.PAUSED,
            reason="",
            error="",
            alarm="",
            steps=self._experiment.steps,
            expected_bytes=recordings.expected_bytes(system, initial, self._experiment.steps),
        )
        self._publish()

    def _set_running(self, running: bool) -> None:
        status = self.status
        if self._recording is None or status.state in (RunState.PREPARING, RunState.FAILED):
            return
        if not running:
            if status.state is RunState.RUNNING:
                self._set(state=RunState.PAUSED)
                self._publish()
            return
        if self._step >= status.steps or status.reason == "diverged":
            self._begin()
        self._next_step_at = time.perf_counter()
        self._rate.restart()
        self._set(state=RunState.RUNNING, reason="")

    def _run_one_step(self) -> None:
        if self._step >= self.status.steps:  # steps were lowered, or are 0
            self._finish("all steps done")
            return
        now = time.perf_counter()
        self._next_step_at = max(self._next_step_at + 1 / (self._speed or 1e9), now)
        self._forward()
        self._rate.tick()
        if self._has_diverged():
            self._finish("diverged")
        elif self._step >= self.status.steps:
            self._finish("all steps done")
        elif time.perf_counter() - self._published_at >= FRAME:
            self._publish()

    def _move_to(self, step: int) -> None:
        """Seek: into the record at once, beyond it by computing."""
        if self._recording is None or self.status.state is RunState.PREPARING:
            return
        self._set(state=RunState.PAUSED, reason="")
        step = min(max(step, 0), self.status.steps)
        self._step = min(step, self._recording.head)
        self._state = self._recording.state(self._step)
        while self._step < step and not self._cancel.is_set():
            if self._has_diverged():
                break
            self._forward()
            if time.perf_counter() - self._published_at >= FRAME:
                self._publish()
        self._publish()
        if self._has_diverged():
            self._set(state=RunState.FINISHED, reason="diverged")
        elif self._step >= self.status.steps:
            self._set(state=RunState.FINISHED, reason="all steps done")

    def _forward(self) -> None:
        """The cursor one step on: along the record, or making it longer."""
        record, step = self._recording, self._step
        if step == record.head:
            self._state = record.advance(self._state)
            self._look_for_trouble(step + 1)
        else:
            stored = record.stored(step + 1)
            again = stored is None
            self._state = record.system_at(step).step(self._state) if again else stored
        self._step = step + 1

    def _look_for_trouble(self, step: int) -> None:
        """Explain in words why the total energy rose: at its first rise and at each doubling."""
        total = self._total_energy()
        if total is None or not np.isfinite(total[step]):
            return
        if total[step] <= max(total[step - 1] * (1 + RISE), 2 * self._explained):
            return
        self._explained = float(total[step])
        lasso = self._recording.system.lasso(self._state)
        if lasso is not None:
            self._set(alarm=stability.explain(lasso, total[: step + 1]) or "")

    def _total_energy(self) -> np.ndarray | None:
        for declared in self._recording.system.observables:
            if declared.kind == "terms" and "total" in declared.labels:
                return self._recording.summary(declared.name)[:, declared.labels.index("total")]
        return None

    def _has_diverged(self) -> bool:
        total = self._total_energy()
        return total is not None and not np.isfinite(total[self._step])

    def _finish(self, reason: str) -> None:
        self._set(state=RunState.FINISHED, reason=reason)
        self._publish()

    def _finish_cancelled(self) -> None:
        self._cancel.clear()
        if self.status.state is RunState.RUNNING:
            self._finish("cancelled")

    # -- publishing -----------------------------------------------------------------------------

    def _publish(self) -> None:
        """Put out a snapshot at the cursor."""
        if self._recording is None:
            return
        observer = self._recording.observer(self._step)
        declared = {o.name for o in observer.observables}
        seen = observer.observe(self._state, self._watched & declared)
        self.snapshot = Snapshot(
            self._step,
            self._sample,
            self._state,
            self._experiment,
            self._recording,
            {name: tensor[0].cpu().numpy() for name, tensor in seen.items()},
        )
        self._published_at = time.perf_counter()
        self._set()

    def _set(self, **values: Any) -> None:
        if self._recording is not None:
            values |= {
                "step": self._step,
                "head": self._recording.head,
                "fingerprint": self._recording.digest(self._step),
                "bytes_used": self._recording.bytes_used,
                "rate": self._rate.value,
            }
        self.status = replace(self.status, **values)


class _Rate:
    """Steps per second over the last half second or so."""

    def __init__(self) -> None:
        self.value = 0.0
        self.restart()

    def restart(self) -> None:
        self._since = time.perf_counter()
        self._count = 0

    def tick(self) -> None:
        self._count += 1
        elapsed = time.perf_counter() - self._since
        if elapsed >= 0.25:
            self.value = self._count / elapsed
            self._since += elapsed
            self._count = 0


def _differences(old: Document, new: Document) -> str:
    """What differs, "threshold 2 → 1.5, sample 4"."""
    words = []
    for key in sorted(old.system.keys() | new.system.keys()):
        before, after = old.system.get(key), new.system.get(key)
        if before != after:
            words.append(f"{key.replace('_', ' ')} {_plain(before)} → {_plain(after)}")
    if old.view.sample != new.view.sample:
        words.append(f"sample {new.view.sample}")
    for section in ("data", "signal", "dictionary", "run"):
        before, after = getattr(old, section).model_dump(), getattr(new, section).model_dump()
        for key in before:
            if before[key] != after[key]:
                words.append(f"{section} {key} {_plain(before[key])} → {_plain(after[key])}")
    return ", ".join(words) or "the same settings"


def _plain(value: Any) -> str:
    return "default" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
