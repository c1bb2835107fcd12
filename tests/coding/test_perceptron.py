"""The perceptron: it finds what a second implementation finds, stops in time, and stays silent."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from workbench.coding import perceptron
from workbench.coding.perceptron import Perceptron, train


def problem(count, neurons=12, classes=3, noise=0.6, seed=0):
    """Sparse codes whose class is a noisy linear function of them."""
    generator = np.random.default_rng(seed)
    codes = generator.random((count, neurons)) * (generator.random((count, neurons)) < 0.4)
    weight = np.random.default_rng(99).standard_normal((neurons, classes)) * 3
    logits = codes @ weight + noise * generator.standard_normal((count, classes))
    return codes.astype(np.float32), torch.from_numpy(logits.argmax(1))


def last(iterator):
    *_, final = iterator
    return final


def test_it_is_as_good_as_logistic_regression_of_scikit_learn():
    codes, labels = problem(1500)
    unseen, truth = problem(2000, seed=1)
    found = last(train(csr_matrix(codes), labels, 3, 300, 0)).perceptron
    ours = float((found.decide(torch.from_numpy(unseen)) == truth).float().mean())
    reference = LogisticRegression(C=100).fit(codes, labels).score(unseen, truth)
    assert reference > 0.7
    assert ours > reference - 0.02


def test_shuffled_labels_teach_it_nothing():
    codes, labels = problem(800)
    unseen, truth = problem(1000, seed=1)
    shuffled = labels[torch.from_numpy(np.random.default_rng(5).permutation(len(labels)))]
    found = last(train(csr_matrix(codes), shuffled, 3, 100, 0)).perceptron
    majority = float(torch.bincount(truth).max()) / len(truth)
    right = float((found.decide(torch.from_numpy(unseen)) == truth).float().mean())
    assert right < majority + 0.05


def test_the_weights_kept_are_those_of_the_lowest_validation_loss():
    codes, labels = problem(120, neurons=200, noise=3.0)  # few and noisy: it will overfit
    final = last(train(csr_matrix(codes), labels, 3, 500, 0))
    losses = [epoch.validation_loss for epoch in final.epochs]
    assert final.best == int(np.argmin(losses)) + 1
    assert len(losses) == final.best + perceptron.PATIENCE < 500  # and it stopped in time
    again = last(train(csr_matrix(codes), labels, 3, final.best, 0))
    assert torch.equal(again.perceptron.weight, final.perceptron.weight)


def test_validation_codes_do_not_train():
    codes, labels = problem(100)
    generator = np.random.default_rng(0)
    validating = generator.permutation(100)[:20]
    spoilt = codes.copy()
    spoilt[validating] = 0
    first = next(train(csr_matrix(codes), labels, 3, 1, 0)).perceptron
    second = next(train(csr_matrix(spoilt), labels, 3, 1, 0)).perceptron
    assert torch.equal(first.weight, second.weight)


def test_a_neuron_that_was_never_active_has_no_weight():
    codes, labels = problem(100)
    codes[:, 4] = 0
    found = last(train(csr_matrix(codes), labels, 3, 5, 0)).perceptron
    assert (found.weight[:, 4] == 0).all() and (found.weight[:, 3] != 0).any()


def test_silence_is_undecided_and_probabilities_add_up():
    found = Perceptron(torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([5.0, 0.0]))
    code = torch.tensor([[0.0, 0.0], [0.0, 9.0], [1.0, 0.0]], dtype=torch.float64)
    assert found.decide(code).tolist() == [-1, 1, 0]
    assert torch.allclose(found.probabilities(code).sum(1), torch.ones(3))


def test_too_few_codes_are_refused():
    with pytest.raises(ValueError, match="at least 10 codes to train on, got 9"):
        next(
            train(csr_matrix((9, 4), dtype=np.float32), torch.zeros(9, dtype=torch.int64), 2, 1, 0)
        )


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_codes_of_a_network_that_diverged_are_refused(value):
    codes, labels = problem(100)
    codes[:, 2] = value
    with pytest.raises(ValueError, match="the network diverges"):
        list(train(csr_matrix(codes), labels, 3, 3, 0))
