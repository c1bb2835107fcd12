"""Work in a thread: pulled from, called off, and never silent about a failure."""

import threading
import time

import pytest

from workbench.engine.experiment import Cancelled
from workbench.engine.job import Job
from workbench.errors import InputError


def until(happened, timeout=10):
    deadline = time.monotonic() + timeout
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_the_newest_result_can_be_pulled_while_it_works():
    go = [threading.Event() for _ in range(2)]

    def work(stop):
        for number, event in enumerate(go):
            yield number
            assert event.wait(10)
        yield 2

    job = Job(work)
    until(lambda: job.latest == 0)
    assert job.running
    go[0].set()
    until(lambda: job.latest == 1)
    go[1].set()
    assert job.join() and not job.running
    assert (job.latest, job.error, job.cancelled) == (2, "", False)


@pytest.mark.parametrize("way", ["raises", "returns"])
def test_it_stops_when_it_is_called_off_and_keeps_what_is_done(way):
    def work(stop):
        yield "half"
        while not stop():
            time.sleep(0.001)
        if way == "raises":
            raise Cancelled

    job = Job(work)
    until(lambda: job.latest == "half")
    job.cancel()
    assert job.join()
    assert (job.latest, job.error, job.cancelled) == ("half", "", True)


def test_wrong_input_is_one_line_and_nothing_for_the_log(caplog):
    def work(stop):
        raise InputError("signal 3 holds a NaN")
        yield

    job = Job(work)
    assert job.join() and job.error == "signal 3 holds a NaN" and not caplog.records


def test_a_fault_of_ours_is_one_line_and_a_traceback_in_the_log(caplog):
    def work(stop):
        yield 1
        raise ZeroDivisionError("by\nzero")

    job = Job(work)
    assert job.join()
    assert (job.latest, job.error) == (1, "ZeroDivisionError: by zero")
    assert "raise ZeroDivisionError" in caplog.text


def test_joining_gives_up_in_time():
    go = threading.Event()

    def work(stop):
        yield go.wait(10)

    job = Job(work)
    assert not job.join(timeout=0.01)
    go.set()
    assert job.join()
