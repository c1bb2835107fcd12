"""Steps one run in a thread of its own; everybody else asks and pulls.

    follow()          set_paused()         last step
    idle ─► preparing ─► paused ◄─► running ─► finished
                │                     │           │ seek(), step(-1): paused again
                └──── failed ◄────────┘           │ cancel(): finished, "cancelled"

Requests are acted on one after the other, at the next step boundary. The thread publishes
immutable `Status` and `Snapshot` objects, at most one snapshot per `FRAME` while it runs; readers
take the newest and never hold the thread up. Which observables go into a snapshot is what `watch`
asked for; it changes the cost of looking and nothing else.

A seek beyond the record is a run to that step as fast as possible, so that it too can be paused,
called off or sent elsewhere between two steps.

A run is a tree of branches (`branches`). Where the past is changed, the steps recorded after it
stay as they are, and another branch begins there. The cursor is on one branch; another one, the
reference, goes along with it step by step, so that the two can be compared at one instant.

With ``run.tolerance`` set, a run is finished, "converged", at the first look at which the sample
has converged (`convergence`), and so is a seek to that step. Running on from there goes to the last
step; seeks and steps beyond it go where they were sent.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from workbench.document import Document
from workbench.document.kept_branches import KeptBranch
from workbench.engine import forking, inputs
from workbench.engine import recording as recordings
from workbench.engine.branches import Branch
from workbench.engine.breakpoints import BREAKPOINTS, Breakpoint, Moment
from workbench.engine.changes import Effect, differences, effect
from workbench.engine.cursor import Cursor
from workbench.engine.edits import Edit
from workbench.engine.experiment import (
    Cancelled,
    Experiment,
    Preview,
    prepare,
    with_live_params,
)
from workbench.engine.inputs import Input
from workbench.engine.mailbox import Mailbox, Request
from workbench.engine.metering import BoundMeter, Rate
from workbench.engine.status import RunState, Snapshot, Status
from workbench.errors import InputError

__all__ = ["BREAKPOINTS", "RunState", "Runner", "Snapshot", "Status"]

FRAME = 1 / 60  # seconds between two snapshots while running
log = logging.getLogger(__name__)

Prepare = Callable[..., Experiment]


class Runner:
    """Runs one document's experiment on one image, step by step."""

    def __init__(self, budget: int = recordings.DEFAULT_BUDGET, prepare: Prepare = prepare) -> None:
        self.status = Status(budget=budget)
        self.snapshot: Snapshot | None = None
        self.preview: Preview | None = None  # of the dictionary that is being learned just now
        self._prepare = prepare
        self._requests = Mailbox()
        self._watched: frozenset[str] = frozenset()
        self._compared: frozenset[str] = frozenset()  # likewise, of the reference
        self._speed: float | None = None
        self._cursor = Cursor(budget)
        self._meter = BoundMeter()
        self._target: int | None = None  # the step that a seek is under way to
        self._until: tuple[Breakpoint, int | None] | None = None  # what the run is to stop at
        self._when_done: list[Request] = []
        self._cancels = 0  # asked for and not yet acted on
        self._counting = threading.Lock()
        self._closing = threading.Event()
        self._next_step_at = 0.0
        self._published_at = 0.0
        self._rate = Rate()
        self._thread = threading.Thread(target=self._work, name="runner", daemon=True)
        self._thread.start()

    # -- requests, from any thread --------------------------------------------------------------

    @property
    def is_done(self) -> bool:
        """Whether all that was asked for is done and published, but for a seek under way."""
        return self._requests.is_done

    def follow(self, document: Document, anew: bool = False) -> None:
        """Make the run follow this document; does the least that is needed (see `changes`).

        With ``anew`` it is another session: its run begins at step 0, and no fork of the one before
        stays beside it.
        """
        name = "open" if anew else "follow"
        self._requests.put(lambda: self._follow(document, anew), replaces=name)

    def set_paused(self, paused: bool) -> None:
        """Pause (also a seek under way), or run on from the cursor."""
        self._requests.put(lambda: self._set_running(not paused))

    def run_until(self, name: str, neuron: int | None = None) -> None:
        """Run on from the cursor until a condition of `breakpoints` holds, and pause there.

        Args:
            name: of the condition.
            neuron: the one that it is about, if it is about one.
        """
        self._requests.put(lambda: self._run_until(BREAKPOINTS[name], neuron))

    def step(self, count: int = 1) -> None:
        """Move the cursor ``count`` steps forward (or back, if negative) and pause there."""
        self._requests.put(lambda: self._move_by(count))

    def seek(self, step: int) -> None:
        """Put the cursor on a step, computing on to it if it lies ahead, and pause there."""
        self._requests.put(lambda: self._move_to(step), replaces="seek")

    def restart(self) -> None:
        """Begin again at step 0, with the experiment as it is now."""
        self._requests.put(self._restart)

    def cancel(self) -> None:
        """Call off what is going on: preparing, a seek, or the run."""
        with self._counting:
            self._cancels += 1
        self._requests.put(self._finish_cancelled)

    def set_speed(self, steps_per_second: float | None) -> None:
        """Pace of the run; None means as fast as possible."""
        self._requests.put(lambda: self._set_speed(steps_per_second))

    def watch(self, names: Iterable[str], compared: Iterable[str] = ()) -> None:
        """Which observables the snapshots hold from now on: of the branch, of the reference."""
        names, compared = frozenset(names), frozenset(compared)
        if (names, compared) != (self._watched, self._compared):
            self._watched, self._compared = names, compared
            self._requests.put(self._publish, replaces="publish")

    def fork(self, edit: Edit | None = None) -> None:
        """Begin a branch at the cursor, changed by an edit; at the last step, from the first on.

        An edit at the first step of a branch that has none of its own yet joins it.
        """
        self._requests.put(lambda: self._fork(edit))

    def switch(self, number: int, document: Document) -> None:
        """Put the cursor on another branch, if it is still there; shown as ``document`` is."""
        self._requests.put(lambda: self._switch(number, document))

    def grow(self, kept: Sequence[KeptBranch], document: Document) -> None:
        """Take up the branches that a session holds, in place of the one run that began.

        Nothing happens where that is not the run of their ``document``, because it was refused.
        """
        self._requests.put(lambda: self._grow(kept, document))

    def delete(self, number: int) -> None:
        """Take away a branch, other than the one that the cursor is on."""
        self._requests.put(lambda: self._delete(number))

    def promote(self, number: int) -> None:
        """Make a branch the trunk, of which the others are forks."""
        self._requests.put(lambda: self._promote(number))

    def keep(self, number: int, title: str) -> None:
        """Hold on to a branch under a title, also when another run begins; empty: no longer."""
        self._requests.put(lambda: self._keep(number, title))

    def compare(self, number: int | None) -> None:
        """Draw the run over a branch, or over none."""
        self._requests.put(lambda: self._compare(number))

    def add(self, document: Document, title: str) -> None:
        """Run another document, too, and draw this run over it."""
        self._requests.put(lambda: self._add(document, title))

    def when_done(self, call: Callable[[], None]) -> None:
        """Call, in the runner's thread, after all that was asked for so far is done."""
        self._requests.put(lambda: self._when_done.append(call))

    def close(self, timeout: float = 10.0) -> bool:
        """End the thread; True if it is gone within ``timeout`` seconds."""
        self._closing.set()
        self._requests.put(lambda: None)
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
        while time.monotonic() < deadline and self._thread.is_alive():
            status = self.status
            if done.is_set() and status.state in states:
                return status
            time.sleep(0.001)
        raise TimeoutError(f"still {self.status.state.value} after waiting for {timeout} s")

    # -- the thread -----------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._closing.is_set():
            self._try(self._next_request())
            while self._when_done and self._target is None:
                self._try(self._when_done.pop(0))

    def _try(self, request: Request) -> None:
        try:
            request()
        except Exception as error:  # whatever a system does, the thread and window live on
            log.exception("the run failed")
            self._target = None
            self._set(state=RunState.FAILED, error=_one_line(error))

    def _next_request(self) -> Request:
        """The next request, or the next step of the run when there is none."""
        wait = 0.0
        if not self._under_way:
            if self._has_run and self._cursor.lags:
                return self._requests.get(wait) or self._catch_up
            if self._has_run and self._meter.is_old(self._cursor):
                return self._requests.get(wait) or self._measure_bound
            wait = None
        elif self._speed and self._target is None:
            wait = min(max(0.0, self._next_step_at - time.perf_counter()), 1.0)
        return self._requests.get(wait) or self._run_one_step

    @property
    def _has_run(self) -> bool:
        return self._cursor.branch is not None and self.status.state is not RunState.FAILED

    @property
    def _under_way(self) -> bool:
        return self._target is not None or self.status.state is RunState.RUNNING

    def _cancelled(self) -> bool:
        return self._cancels > 0 or self._closing.is_set()

    # -- following a document -------------------------------------------------------------------

    def _follow(self, document: Document, anew: bool) -> None:
        old, was = self._cursor.plain, self.status
        change = effect(old.asked, document) if old else Effect.PREPARE
        if anew or was.state is RunState.FAILED:  # there is no run to go on with
            change = max(change, Effect.RESTART)
        try:
            plain = self._follower(document, change)
            if change > Effect.LIVE:
                begun = self._root(plain)
        except (InputError, Cancelled) as error:
            self._refuse(was, str(error) or "Preparing was cancelled")
            return
        if change > Effect.LIVE:
            self._begin_as_before(begun, was, anew)
        elif change is Effect.LIVE:
            self._change_course(plain, was)
        else:
            self._cursor.put(plain)
            self._publish()

    def _follower(self, document: Document, change: Effect) -> Experiment:
        """The experiment that the document asks for."""
        if change is not Effect.PREPARE:
            return with_live_params(self._cursor.plain, document)
        self._set(state=RunState.PREPARING, reason="Preparing", error="")
        return self._prepared(document)

    def _prepared(self, document: Document) -> Experiment:
        try:
            previous = self._cursor.plain
            return self._prepare(document, previous, self._tell, self._cancelled, self._show)
        finally:
            self.preview = None

    def _tell(self, text: str) -> None:
        self._set(reason=text)

    def _show(self, preview: Preview) -> None:
        self.preview = preview

    def _refuse(self, was: Status, line: str) -> None:
        """Keep what ran before, if anything did."""
        if was.state in (RunState.IDLE, RunState.FAILED):
            self._set(state=RunState.FAILED, error=line)
        else:
            self._set(state=was.state, reason=was.reason, error=was.error)
        self._set(refused=line, notice="", serial=self.status.serial + 1)

    def _root(self, plain: Experiment, given: Input | None = None) -> Branch:
        """A run from step 0 of an input, or of the image that the document asks for."""
        given = given or inputs.chosen(plain, plain.asked.view)
        return forking.root(plain, given, self._cursor.room_of_run)

    def _begin_as_before(self, begun: Branch, was: Status, anew: bool) -> None:
        """Begin at step 0, and go on doing what was being done."""
        old, doing = self._cursor.plain, (was, self._target, self._until)
        self._begin(begun, anew)
        if old is not None:
            if not anew:  # of another session there is more to say than what differs
                self._say(f"Restarted with {differences(old.asked, begun.plain.asked)}")
            self._go_on(*doing)

    def _go_on(
        self, was: Status, target: int | None, until: tuple[Breakpoint, int | None] | None
    ) -> None:
        """From the first step, do what was being done before."""
        if target is not None:
            self._move_to(target)
        elif was.state in (RunState.RUNNING, RunState.FINISHED):
            self._set_running(True)
            self._until = until

    def _say(self, text: str) -> None:
        self._set(notice=text, refused="", serial=self.status.serial + 1)

    # -- branches -------------------------------------------------------------------------------

    def _change_course(self, plain: Experiment, was: Status) -> None:
        """Live parameters changed."""
        doing = (was, self._target, self._until)
        happened = self._cursor.turn(plain)
        self._stand()
        self._say(happened)
        if self._cursor.step == 0:
            self._go_on(*doing)

    def _stand(self) -> None:
        """The cursor is on a branch that has steps to come."""
        finished = self.status.state is RunState.FINISHED
        self._publish(**({"state": RunState.PAUSED, "reason": ""} if finished else {}))

    def _fork(self, edit: Edit | None) -> None:
        if self._cursor.branch is None:
            return
        try:
            happened = self._cursor.fork(edit)
        except InputError as error:
            self._refuse(self.status, str(error))
            return
        self._target = self._until = None
        self._stand()
        self._say(happened)

    def _grow(self, kept: Sequence[KeptBranch], document: Document) -> None:
        was = self.status
        if not self._has_run or effect(self._cursor.plain.asked, document) is not Effect.NONE:
            return
        self._set(state=RunState.PREPARING, reason="Growing the branches", error="")
        try:
            plain = self._cursor.plain
            self._cursor.grow(self._root(plain), kept, self._cancelled)
        except (InputError, Cancelled) as error:
            self._refuse(was, str(error) or "The branches of the session were left out")
            return
        self._rest(RunState.PAUSED)

    def _switch(self, number: int, document: Document) -> None:
        if number not in self._cursor.tree:
            return
        step = self._cursor.step if self._target is None else self._target
        running = self.status.state is RunState.RUNNING and self._target is None
        self._cursor.switch(number, document.view)
        self._move_to(step)
        if running:
            self._set_running(True)
        self._say(f"On {self._cursor.name()}")

    def _delete(self, number: int) -> None:
        if number in self._cursor.tree and number != self._cursor.tree.current:
            gone = self._cursor.name(number)
            self._cursor.delete(number)
            self._publish()
            self._say(f"Deleted {gone}")

    def _promote(self, number: int) -> None:
        if number in self._cursor.tree:
            name = self._cursor.name(number)
            self._cursor.tree.promote(number)
            self._publish()
            self._say(f"{name} is the trunk now")

    def _keep(self, number: int, title: str) -> None:
        if number in self._cursor.tree:
            self._cursor.keep(number, title)
            self._publish()

    def _compare(self, number: int | None) -> None:
        if number is None or number in self._cursor.tree:
            self._cursor.compare(number)
            self._publish()

    def _add(self, document: Document, title: str) -> None:
        """Run another document on the same image beside this one."""
        was = self.status
        self._set(state=RunState.PREPARING, reason=f"Preparing {title}", error="")
        try:
            plain = self._prepared(document)
            given = inputs.chosen(plain, document.view)
            self._cursor.add(forking.root(plain, given, self._cursor.room), title)
        except (InputError, Cancelled) as error:
            self._refuse(was, str(error) or "Preparing was cancelled")
            return
        self._set(state=was.state, reason=was.reason)
        self._publish()
        self._say(f"Compared with {title}")

    def _catch_up(self) -> None:
        """The reference one step closer to the cursor, while that one stands."""
        self._cursor.forward_beside()
        if not self._cursor.lags:
            self._publish()

    # -- the run --------------------------------------------------------------------------------

    def _restart(self) -> None:
        """Begin again; a picture is read again, for it may have been painted on meanwhile."""
        plain = self._cursor.plain
        if plain is None:
            return
        try:
            begun = self._root(plain)
        except InputError as error:
            self._refuse(self.status, str(error))
            return
        self._begin(begun)

    def _begin_again(self) -> None:
        """From the first step: a single run anew; among branches, along what is recorded."""
        branch = self._cursor.branch
        if len(self._cursor.tree) == 1 and not branch.edits:
            self._begin(self._root(branch.plain, branch.given))
        else:
            self._move_to(0)

    def _begin(self, begun: Branch, anew: bool = False) -> None:
        """Put the cursor on step 0 of a new run, paused; with ``anew``, of another session."""
        self._cursor.begin(begun, anew)
        self._meter.restart()
        parts = (begun.experiment.system, self._cursor.state, begun.steps)
        self._rest(RunState.PAUSED, expected_bytes=recordings.expected_bytes(*parts))

    def _set_running(self, running: bool) -> None:
        status = self.status
        if not self._has_run:
            return
        if not running:
            if self._under_way:
                self._rest(RunState.PAUSED)
            return
        if self._cursor.step >= status.steps or status.reason == "diverged":
            self._begin_again()
        self._target = self._until = None
        self._next_step_at = time.perf_counter()
        self._rate.restart()
        self._set(state=RunState.RUNNING, reason="")

    def _run_until(self, point: Breakpoint, neuron: int | None) -> None:
        self._set_running(True)
        if self.status.state is RunState.RUNNING:
            self._until = (point, neuron)

    def _stopped_at(self) -> bool:
        """Pause where what the run was to stop at has happened; True if so."""
        if self._until is None or self._target is not None:
            return False
        point, neuron = self._until
        step, state, branch = self._cursor.step, self._cursor.state, self._cursor.branch
        moment = Moment(step, state, branch.recording, branch.experiment, neuron)
        happened = point.look(moment)
        if happened:
            self._until = None
            if not self._comes_to_rest(self.status.steps):
                self._rest(RunState.PAUSED)
            self._say(f"Step {self._cursor.step}: {happened}")
        return bool(happened)

    def _set_speed(self, steps_per_second: float | None) -> None:
        self._speed = steps_per_second
        if steps_per_second:  # the next step does not wait as long as the old pace would have it
            soon = time.perf_counter() + 1 / steps_per_second
            self._next_step_at = min(self._next_step_at, soon)

    def _run_one_step(self) -> None:
        seeking, now = self._target is not None, time.perf_counter()
        if not seeking and self._speed:
            if now < self._next_step_at:
                return
            self._next_step_at = max(self._next_step_at + 1 / self._speed, now)
        end = self._target if seeking else self.status.steps
        if self._cursor.step < end:
            self._cursor.forward()
            self._rate.tick()
            if self._stopped_at():
                return
        if not seeking and self._cursor.at_convergence:
            end = self._cursor.step
        if self._comes_to_rest(end):
            return
        if time.perf_counter() - self._published_at >= FRAME:
            going = {"state": RunState.RUNNING, "reason": f"Going to step {end}"}
            self._publish(**going if seeking else {})
            if self._meter.is_due:
                self._measure_bound()

    def _comes_to_rest(self, end: int) -> bool:
        """Stop where the run is over, or at ``end``; True if so."""
        if self._cursor.diverged:
            self._finish("diverged")
        elif self._cursor.step >= end and self._cursor.at_convergence:
            self._finish("converged")
        elif self._cursor.step >= self._cursor.branch.steps:
            self._finish("all steps done")
        elif self._cursor.step >= end:
            self._rest(RunState.PAUSED)
        else:
            return False
        return True

    def _finish(self, reason: str) -> None:
        """End the run at the cursor, and say how far from the optimum that is."""
        told, verdict, cursor = {}, "", self._cursor
        if reason != "diverged":
            verdict = cursor.branch.watch.convergence.verdict(cursor.step, cursor.state)
        if reason == "converged" and self._cursor.step < self.status.steps:
            verdict += f". Run goes on to step {self.status.steps}"
        if self._until is not None and reason != "cancelled":
            verdict = f"Not up to step {self._cursor.step}: {self._until[0].title}"
        if verdict:
            told = {"notice": verdict, "refused": "", "serial": self.status.serial + 1}
        self._rest(RunState.FINISHED, reason, **told)

    def _rest(self, state: RunState, reason: str = "", **values: Any) -> None:
        """Stop at the cursor."""
        self._target = self._until = None
        self._publish(state=state, reason=reason, error="", **values)

    def _move_by(self, count: int) -> None:
        self._move_to((self._cursor.step if self._target is None else self._target) + count)

    def _move_to(self, step: int) -> None:
        """Go to a step: into the record at once, beyond it by computing, step by step."""
        branch = self._cursor.branch
        if branch is None:
            return
        self._until = None
        step = min(max(step, 0), branch.steps)
        self._cursor.go_to(step)
        if not self._comes_to_rest(step):
            self._target = step
            self._set(state=RunState.PAUSED, reason="")  # at least for the first frame
            self._rate.restart()

    def _finish_cancelled(self) -> None:
        with self._counting:
            self._cancels -= 1
        if self._under_way:
            self._finish("cancelled")

    def _measure_bound(self) -> None:
        """Put out the stability bound at the cursor."""
        self._set(bound=self._meter.look(self._cursor))

    # -- publishing -----------------------------------------------------------------------------

    def _publish(self, **values: Any) -> None:
        """Put out a snapshot at the cursor, then the status: who sees the end has its snapshot."""
        if self._cursor.branch is None:
            return
        self.snapshot = self._cursor.snapshot(self._watched, self._compared)
        self._published_at = time.perf_counter()
        self._set(**values)

    def _set(self, **values: Any) -> None:
        if self._cursor.branch is not None:
            values |= self._cursor.facts() | {"rate": self._rate.value}
        self.status = replace(self.status, **values)


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
