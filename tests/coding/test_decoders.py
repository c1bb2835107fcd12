"""Decoders, judged by the sums and maxima written out one by one."""

import pytest
import torch
from sklearn.metrics import confusion_matrix

from tests.spread import spread
from workbench.coding import decoders
from workbench.coding.decoders import by_max, by_sum, confusion, evidence

LABELS = torch.tensor([2, 0, 0, 1])


@pytest.fixture
def activation():
    return torch.randn(50, 30, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def labels():
    return torch.randint(6, (30,), generator=torch.Generator().manual_seed(1))


def test_max_is_the_class_of_the_largest_activation(activation, labels):
    for row, decided in zip(activation.tolist(), by_max(activation, labels).tolist(), strict=True):
        assert decided == labels[row.index(max(row))]


def test_evidence_is_the_summed_size_of_the_activations_of_each_class(activation, labels):
    sums = evidence(activation, labels, 7)
    assert sums.shape == (50, 7)
    for row, found in zip(activation.tolist(), sums, strict=True):
        for c in range(7):
            expected = sum(abs(a) for a, label in zip(row, labels, strict=True) if label == c)
            assert found[c].item() == pytest.approx(expected, rel=1e-5)


def test_sum_is_the_class_with_the_most_evidence(activation, labels):
    sums = evidence(activation, labels, 6)
    assert by_sum(sums).tolist() == [row.index(max(row)) for row in sums.tolist()]


def test_the_two_decoders_may_disagree():
    activation = torch.tensor([[0.6, 0.5, 0.5, 0.0]])
    assert by_max(activation, LABELS).tolist() == [2]
    assert by_sum(evidence(activation, LABELS, 3)).tolist() == [0]


def test_a_negative_activation_counts_as_evidence_and_never_as_the_maximum():
    activation = torch.tensor([[0.1, -5.0, 0.0, 0.0], [0.0, -5.0, 0.0, 0.0]])
    assert by_max(activation, LABELS).tolist() == [2, -1]
    assert by_sum(evidence(activation, LABELS, 3)).tolist() == [0, 0]


def test_silence_and_nan_decide_nothing():
    activation = torch.tensor([[0.0] * 4, [float("nan")] * 4])
    assert by_max(activation, LABELS).tolist() == [-1, -1]
    assert by_sum(evidence(activation, LABELS, 3)).tolist() == [-1, -1]


def test_permuting_the_atoms_changes_no_decision(activation, labels):
    order = torch.randperm(30, generator=torch.Generator().manual_seed(2))
    assert torch.equal(by_max(activation[:, order], labels[order]), by_max(activation, labels))
    assert torch.allclose(
        evidence(activation[:, order], labels[order], 6), evidence(activation, labels, 6)
    )


def test_the_confusion_counts_as_scikit_learn_does():
    generator = torch.Generator().manual_seed(3)
    true = torch.randint(5, (300,), generator=generator)
    predicted = torch.randint(5, (300,), generator=generator)
    cells = confusion(true, predicted, 5)
    assert cells[:, :5].tolist() == confusion_matrix(true, predicted).tolist()
    assert cells[:, 5].tolist() == [0] * 5


def test_the_last_column_counts_the_undecided():
    cells = confusion(torch.tensor([0, 0, 2]), torch.tensor([-1, 0, -1]), 3)
    assert cells.tolist() == [[1, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 1]]


def test_a_wrong_shape_says_what_came(labels):
    with pytest.raises(ValueError, match=r"got \[50, 29\] and \[30\]"):
        by_max(torch.zeros(50, 29), labels)
    with pytest.raises(ValueError, match=r"got \[30\] and \[30\]"):
        evidence(torch.zeros(30), labels, 6)


def test_the_largest_activation_of_each_class_is_what_the_max_decoder_decides_by():
    activation = torch.tensor([[0.2, -3.0, 0.5, 0.1], [0.0, 0.0, -1.0, 0.0]])
    labels = torch.tensor([0, 0, 2, 2])
    found = decoders.largest(activation, labels, 3)
    assert found.tolist() == [[pytest.approx(0.2), 0.0, 0.5], [0.0, 0.0, 0.0]]
    assert decoders.by_max(activation, labels).tolist() == [2, -1]
    drawn = torch.randn(50, 30, generator=torch.Generator().manual_seed(0))
    classes = torch.arange(30) % 7
    assert torch.equal(
        decoders.largest(drawn, classes, 7).argmax(1), decoders.by_max(drawn, classes)
    )


def test_max_over_shards_is_the_max_of_the_whole(activation, labels):
    activation[0] = 0.0
    activation[1, [3, 17, 29]] = 9.0  # the first of equal ones decides, wherever they are
    activation[2] = -1.0
    activation[3, 20] = torch.nan
    activation[4, 11] = torch.inf

    def decide(shard):
        here = shard.part(30)
        return by_max(activation[:, here], labels[here], shard.over(30))

    whole = by_max(activation, labels)
    assert whole[:4].tolist() == [-1, labels[3], -1, -1] and whole[4] == labels[11]
    for processes in (2, 3, 30):
        assert all(torch.equal(found, whole) for found in spread(processes, decide))
