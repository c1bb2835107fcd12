"""Decoders on entries of codes, against those on whole codes."""

import numpy as np
import pytest
import torch

from workbench.coding import decoders, sparse_decoders
from workbench.coding.perceptron import Perceptron
from workbench.engine.fingerprint import entries

CLASSES = 5


def codes(seed, samples=40, neurons=60):
    """Sparse codes of both signs, some silent, with equal values, and the neurons' classes."""
    generator = torch.Generator().manual_seed(seed)
    code = torch.randn(samples, neurons, generator=generator, dtype=torch.float64)
    code = (4 * code).round() / 4  # so that some are equal
    code = code.masked_fill(torch.rand(samples, neurons, generator=generator) > 0.1, 0.0)
    code[::9] = 0.0
    code[4::9] = -code[4::9].abs()
    return code, torch.randint(0, CLASSES, (neurons,), generator=generator)


@pytest.mark.parametrize("seed", range(5))
def test_they_decide_as_on_whole_codes(seed):
    code, labels = codes(seed)
    found = entries(code)
    decided = sparse_decoders.by_max(*found, len(code), labels.numpy())
    assert decided.tolist() == decoders.by_max(code, labels).tolist()
    assert -1 in decided and len(set(decided.tolist())) > 3
    decided = sparse_decoders.by_sum(*found, len(code), labels.numpy(), CLASSES)
    whole = decoders.by_sum(decoders.evidence(code, labels, CLASSES))
    assert decided.tolist() == whole.tolist()
    generator = torch.Generator().manual_seed(seed)
    weights = torch.randn(CLASSES, 61, generator=generator, dtype=torch.float64)
    layer = Perceptron(weights[:, :60], weights[:, 60])
    decided = sparse_decoders.by_perceptron(*found, len(code), layer)
    assert decided.tolist() == layer.decide(code).tolist()


def test_silence_is_undecided():
    labels = np.zeros(60, int)
    for code in (torch.zeros(3, 60), torch.zeros(0, 60)):
        found, none = entries(code), [-1] * len(code)
        assert sparse_decoders.by_max(*found, len(code), labels).tolist() == none
        layer = Perceptron(torch.zeros(CLASSES, 60), torch.ones(CLASSES))
        assert sparse_decoders.by_perceptron(*found, len(code), layer).tolist() == none
    found = entries(torch.zeros(3, 60))
    assert sparse_decoders.by_sum(*found, 3, labels, CLASSES).tolist() == [-1] * 3


def test_what_is_not_a_number_decides_nothing():
    code = torch.tensor([[0.0, torch.nan, 2.0], [0.0, 1.0, 0.0]])
    labels = torch.tensor([0, 1, 2])
    found = entries(code)
    assert sparse_decoders.by_max(*found, 2, labels.numpy()).tolist() == [-1, 1]
    assert sparse_decoders.by_sum(*found, 2, labels.numpy(), 3).tolist() == [-1, 1]
    assert decoders.by_max(code, labels).tolist() == [-1, 1]
