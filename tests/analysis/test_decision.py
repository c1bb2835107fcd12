"""When a run decided, and by whom."""

import numpy as np
import pytest

from workbench.analysis.decision import decision

CLASSES = np.array([0, 1, 1, 1, 1, 2])


def test_it_names_the_step_the_class_before_and_the_neurons_that_did_it():
    codes = np.zeros((4, 6))
    codes[1, 0] = 1.0  # class 0 leads at first
    codes[2, :] = [0.5, 0.1, -0.6, 0.2, 0.1, 0.0]  # class 1 takes over, most of it by neuron 2
    codes[3, :] = [0.5, 3.0, 0.1, 0.0, 0.0, 0.0]
    evidence = np.stack([np.abs(codes[:, c == CLASSES]).sum(1) for c in range(3)], 1)
    asked = []

    def code_at(step):
        asked.append(step)
        return codes[step]

    found = decision(evidence, code_at, CLASSES)
    assert (found.label, found.step, found.before) == (1, 2, 0)
    assert found.neurons == (2, 3) and found.part == pytest.approx(0.8)
    assert asked == [2]


def test_no_more_are_named_than_fit_a_line():
    code = np.array([0.0, 1.0, 1.0, 1.0, 1.0, 0.0])
    evidence = np.array([[0, 0, 0], [0, 4.0, 0]])
    found = decision(evidence, lambda step: code, CLASSES)
    assert found.neurons == (1, 2, 3) and found.part == pytest.approx(0.75)
    assert found.before is None and found.step == 1


def test_one_may_be_enough_and_who_is_silent_is_not_named():
    code = np.array([0.0, 0.0, 0.0, 2.0, 0.0, 0.0])
    found = decision(np.array([[0, 2.0, 0]]), lambda step: code, CLASSES)
    assert (found.step, found.before, found.neurons, found.part) == (0, None, (3,), 1.0)


@pytest.mark.parametrize("evidence", [np.zeros((3, 3)), np.zeros((0, 3)), np.full((2, 3), np.nan)])
def test_who_has_not_decided_has_no_decision(evidence):
    assert decision(evidence, None, CLASSES) is None
