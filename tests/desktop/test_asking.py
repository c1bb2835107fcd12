"""Answers in the background: one wish after the other, and nothing stays behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from workbench.desktop.asking import REST, Asker, Stopped, Wish, answer


@dataclass(frozen=True, eq=False)
class Double(Wish):
    """Asks for twice a number, when a gate is open."""

    number: Any
    gate: threading.Event | None = None

    def find(self, stopped: Callable[[], bool]) -> Any:
        while self.gate is not None and not self.gate.is_set():
            if stopped():
                raise Stopped
            time.sleep(0.001)
        return 2 * self.number


def wait(happened):
    end = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.001)


@pytest.fixture
def asker():
    made = Asker("phase")
    yield made
    assert made.close()


def test_a_wish_is_answered_in_another_thread_which_then_ends(asker):
    wish = Double(21)
    asker.want(wish)
    wait(lambda: asker.latest is not None)
    assert (asker.latest.wish, asker.latest.found, asker.latest.error) == (wish, 42, "")
    wait(lambda: asker._thread is None)


def test_what_is_at_work_is_answered_and_then_the_newest(asker):
    gate, seen = threading.Event(), []
    asker.want(Double(1, gate))
    wait(lambda: asker._at_work is not None)
    for number in (2, 3, 4):
        asker.want(Double(number))
    gate.set()
    wait(lambda: asker.latest is not None and (seen.append(asker.latest.found) or seen[-1] == 8))
    assert not {4, 6} & set(seen)


@pytest.mark.parametrize("end", ["forget", "close"])
def test_an_answer_that_nobody_waits_for_is_stopped(end):
    asker = Asker("phase")
    asker.want(Double(1, threading.Event()))
    wait(lambda: asker._at_work is not None)
    getattr(asker, end)()
    wait(lambda: asker._thread is None)
    assert asker.close() and asker.latest is None


def test_what_fails_is_said(asker, expected_logs):
    expected_logs.append("Double failed")
    asker.want(Double(None))
    wait(lambda: asker.latest is not None)
    assert asker.latest.found is None and asker.latest.error.startswith("TypeError: ")
    expected_logs.append("Double failed")
    assert answer(Double(None)).error == asker.latest.error


def test_wishes_of_a_running_network_come_at_a_pace(asker):
    assert asker.want_now_and_then(Double(1), 0.05)
    assert not asker.want_now_and_then(Double(2), 0.05)
    wait(lambda: asker.want_now_and_then(Double(3), 0.05))
    wait(lambda: asker.latest is not None and asker.latest.found == 6)
    slow = threading.Event()
    asker.want(Double(4, slow))
    threading.Timer(0.1, slow.set).start()
    wait(lambda: asker.latest.found == 8)
    wait(lambda: asker.want_now_and_then(Double(5), 0.0))
    began = time.perf_counter()
    wait(lambda: asker.want_now_and_then(Double(6), 0.0))
    assert time.perf_counter() - began > 0.3 * REST * 0.1  # the longer it took, the longer it rests


def test_wishes_are_the_same_by_the_same_objects_and_equal_plain_values():
    state = (object(),)
    assert Double(1).same(Double(1)) and Double("a").same(Double("a"))
    assert Double((1, 2)).same(Double((1, 2))) and Double(state).same(Double(state))
    assert not Double(1).same(Double(2)) and not Double([1]).same(Double([1]))
    assert not Double(1).same(Double(1, threading.Event())) and not Double(1).same(Wish())
