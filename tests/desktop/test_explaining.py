"""Explanations in the background: the newest wish wins, and nothing stays behind."""

from __future__ import annotations

import threading
import time

import pytest
import torch

from workbench.desktop.explaining import Explainer, Wish
from workbench.systems import kinds
from workbench.systems.protocol import Wiring


def a_wish(neuron=0, step=0, system=None):
    lif = kinds()["lif"]
    system = system or lif(lif.Params(), Wiring(3))
    return Wish(system.init(torch.ones(1, 3)), system, neuron, step, ())


def wait(happened):
    end = time.monotonic() + 10
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.001)


@pytest.fixture
def explainer():
    made = Explainer()
    yield made
    assert made.close()


def gate(monkeypatch) -> tuple[threading.Event, list[int]]:
    """Answers wait for the event; the list says which neurons were explained."""
    opened, explained = threading.Event(), []
    answer = Wish.answer

    def slow(self):
        explained.append(self.neuron)
        opened.wait(10)
        return answer(self)

    monkeypatch.setattr(Wish, "answer", slow)
    return opened, explained


def test_a_wish_is_answered_in_another_thread_which_then_ends(explainer):
    wish = a_wish(2, 7)
    explainer.want(wish)
    wait(lambda: explainer.latest is not None)
    assert explainer.latest.wish is wish
    assert explainer.latest.explanation.sentence.startswith("Neuron 2 stays silent at step 8")
    wait(lambda: explainer._thread is None)


def test_of_many_wishes_the_first_and_the_last_are_answered(explainer, monkeypatch):
    opened, explained = gate(monkeypatch)
    explainer.want(a_wish(0))
    wait(lambda: explained == [0])
    for neuron in (1, 2, 1, 2):
        last = a_wish(neuron)
        explainer.want(last)
    opened.set()
    wait(lambda: explainer.latest is not None and explainer.latest.wish is last)
    assert explained == [0, 2]


def test_what_is_being_explained_already_is_not_explained_twice(explainer, monkeypatch):
    opened, explained = gate(monkeypatch)
    wish = a_wish(1)
    for _ in range(3):
        again = Wish(wish.state, wish.system, 1, 0, ())
        assert again.same(wish)
        explainer.want(again)
        wait(lambda: explained == [1])
    opened.set()
    wait(lambda: explainer._thread is None)
    assert explained == [1] and explainer.latest is not None


def test_an_answer_that_was_forgotten_does_not_come(explainer, monkeypatch):
    opened, explained = gate(monkeypatch)
    explainer.want(a_wish(1))
    wait(lambda: explained)
    explainer.forget()
    opened.set()
    wait(lambda: explainer._thread is None)
    assert explainer.latest is None


def test_another_state_system_neuron_or_step_is_another_wish():
    wish, other = a_wish(1, 3), a_wish(1, 3)
    assert not wish.same(other)
    assert not wish.same(Wish(wish.state, other.system, 1, 3, ()))
    assert not wish.same(Wish(wish.state, wish.system, 2, 3, ()))
    assert not wish.same(Wish(wish.state, wish.system, 1, 4, ()))


def test_a_system_that_fails_is_said_to(explainer, expected_logs):
    expected_logs.append("neuron 9 could not be explained")
    explainer.want(a_wish(9))
    wait(lambda: explainer.latest is not None)
    assert explainer.latest.explanation is None
    assert explainer.latest.error == "ValueError: there is no neuron 9; there are 0 to 2"


def test_nothing_begins_after_the_end():
    explainer = Explainer()
    assert explainer.close()
    explainer.want(a_wish())
    assert explainer._thread is None and explainer.latest is None
