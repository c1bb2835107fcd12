"""Leave to work: without it a thread sleeps, and when it is ended the thread knows."""

import threading
import time

from workbench.engine.lease import Lease


def test_a_thread_works_only_while_its_leave_is_renewed():
    lease, turns = Lease(), []

    def work():
        while not lease.ended():
            turns.append(time.monotonic())
            time.sleep(0.001)

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.05)
    assert not turns
    lease.renew(0.05)
    time.sleep(0.2)
    done = len(turns)
    assert done > 5 and turns[-1] - turns[0] < 0.1
    time.sleep(0.05)
    assert len(turns) == done
    lease.renew(30)
    while len(turns) < done + 5:
        time.sleep(0.001)
    lease.end()
    thread.join(5)
    assert not thread.is_alive()


def test_who_sleeps_is_woken_by_the_end():
    lease = Lease()
    thread = threading.Thread(target=lease.ended)
    thread.start()
    lease.end()
    thread.join(5)
    assert not thread.is_alive() and lease.ended()
