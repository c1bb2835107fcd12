"""The frame clock."""

from __future__ import annotations

import time

import pytest
from PySide6.QtCore import QObject

from workbench.desktop.clock import INTERVAL, LONGEST, FrameClock


@pytest.fixture
def make_clock(qtbot, themed_app):
    parents, clocks = [], []

    def make(frame, rate=0.0) -> FrameClock:
        parents.append(QObject())
        clocks.append(FrameClock(frame, lambda: rate, parents[-1]))
        return clocks[-1]

    yield make
    for clock in clocks:
        clock.stop()


def busy(seconds: float) -> None:
    """Use the processor, as drawing does."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def test_it_ticks_about_sixty_times_a_second_and_stops(qtbot, make_clock):
    ticks = []
    clock = make_clock(lambda: ticks.append(time.monotonic()))
    clock.start()
    qtbot.waitUntil(lambda: len(ticks) >= 21)
    clock.stop()
    assert 1000 * (ticks[20] - ticks[0]) / 20 >= 0.9 * INTERVAL
    count = len(ticks)
    qtbot.wait(5 * INTERVAL)
    assert len(ticks) == count


def test_it_knows_what_the_dearest_frame_cost(qtbot, make_clock):
    costs = iter([0.0, 0.03, *[0.0] * 100])
    ticks = []
    clock = make_clock(lambda: (busy(next(costs)), ticks.append(None)))
    clock.start()
    qtbot.waitUntil(lambda: len(ticks) >= 4)
    assert 30 <= clock.frame_ms < 90


@pytest.mark.parametrize("rate", [100.0, 1000.0])
def test_at_full_speed_it_rests_longer_after_a_dear_frame(make_clock, rate):
    clock = make_clock(lambda: None, rate)
    clock._spent = time.thread_time()
    busy(0.03)  # painting
    clock.tick()
    assert INTERVAL < clock._timer.interval() <= LONGEST
    clock.tick()  # a cheap one
    assert clock._timer.interval() == INTERVAL


def test_a_paced_run_keeps_its_frames_whatever_they_cost(make_clock):
    clock = make_clock(lambda: None, 0.0)
    clock._spent = time.thread_time()
    busy(0.03)
    clock.tick()
    assert clock._timer.interval() == INTERVAL
