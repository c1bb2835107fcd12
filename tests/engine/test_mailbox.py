"""Requests to a thread: in order, and the newest of a kind."""

import threading
import time

from workbench.engine.mailbox import Mailbox


def everything(mailbox):
    called = []
    while (request := mailbox.get(0)) is not None:
        called.append(request())
    return called


def test_requests_come_out_in_the_order_they_went_in():
    mailbox = Mailbox()
    for word in "abc":
        mailbox.put(lambda word=word: word)
    assert everything(mailbox) == ["a", "b", "c"]


def test_a_request_replaces_its_equal_only_if_nothing_was_asked_for_in_between():
    mailbox = Mailbox()
    for word, kind in [
        ("drag 1", "follow"),
        ("drag 2", "follow"),
        ("run", ""),
        ("drag 3", "follow"),
        ("seek 1", "seek"),
        ("seek 2", "seek"),
        ("run", ""),
        ("run", ""),
    ]:
        mailbox.put(lambda word=word: word, replaces=kind)
    assert everything(mailbox) == ["drag 2", "run", "drag 3", "seek 2", "run", "run"]


def test_getting_from_an_empty_mailbox_waits_as_long_as_told():
    started = time.monotonic()
    assert Mailbox().get(0.05) is None
    assert time.monotonic() - started >= 0.05


def test_a_request_wakes_the_thread_that_waits():
    mailbox, got = Mailbox(), []
    thread = threading.Thread(target=lambda: got.append(mailbox.get()()))
    thread.start()
    mailbox.put(lambda: "woken")
    thread.join(5)
    assert got == ["woken"]


def test_all_is_done_when_the_next_request_is_asked_for():
    mailbox = Mailbox()
    assert mailbox.is_done
    mailbox.put(lambda: None)
    assert not mailbox.is_done
    mailbox.get(0)
    assert not mailbox.is_done  # it is being done
    mailbox.get(0)
    assert mailbox.is_done
