"""Decoder III of the D-SELD paper: a single layer, trained on codes, that weighs every neuron.

Softmax regression on the activations a: the logit of class c is w_c · a + b_c. It is trained with
Adam on the cross-entropy of coded training images, a fifth of which only watch: when their loss
has not fallen for a while, training stops, and the weights with which it was lowest are kept. The
decoder needs no classes of the atoms, so it also reads codes of random and learned dictionaries.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor, nn
from torch.nn import functional

from workbench.coding.decoders import UNDECIDED

DIVERGED = "the codes are not finite, or too large to learn from: the network diverges"
BATCH = 64  # codes
PATIENCE = 15  # epochs without a lower validation loss
LEARNING_RATE = 1e-2
VALIDATION = 5  # one code in so many validates


@dataclass(frozen=True, eq=False)
class Perceptron:
    """A trained layer."""

    weight: Tensor  # [classes, M]
    bias: Tensor  # [classes]

    def probabilities(self, activation: Tensor) -> Tensor:
        """What it believes of each class, [B, classes], from activations [B, M]."""
        logits = activation.to(self.weight) @ self.weight.T + self.bias
        return functional.softmax(logits, dim=1)

    def decide(self, activation: Tensor) -> Tensor:
        """The most probable class [B] int64; −1 where no neuron is active, as it saw nothing."""
        activation = activation.to(self.weight)
        decided = self.probabilities(activation).argmax(dim=1)
        return torch.where((activation != 0).any(1), decided, UNDECIDED)


@dataclass(frozen=True)
class Epoch:
    """One pass over the training codes; losses are mean cross-entropies in nats."""

    training_loss: float
    validation_loss: float
    validation_accuracy: float


@dataclass(frozen=True, eq=False)
class Training:
    """A perceptron in training; the last one is the result."""

    epochs: tuple[Epoch, ...]
    most_epochs: int
    best: int  # the epoch, from 1, whose weights the perceptron has
    perceptron: Perceptron


def train(
    codes: csr_matrix, labels: Tensor, classes: int, most_epochs: int, seed: int
) -> Iterator[Training]:
    """Train on codes; yields after each epoch, and ends when the validation loss no longer falls.

    Args:
        codes: [n, M] float32, activations of training images, mostly zero.
        labels: [n] int64, their classes.
        classes: number of classes.
        most_epochs: at most so many passes.
        seed: of the choice of validation codes and of the order.

    Raises:
        ValueError: fewer than ten codes, so that none would be left to validate; or codes that are
            not finite or too large, as those of a network that diverged.
    """
    count, neurons = codes.shape
    if not np.isfinite(codes.data).all():
        raise ValueError(DIVERGED)
    if count < 10:
        raise ValueError(f"a perceptron needs at least 10 codes to train on, got {count}")
    generator = np.random.default_rng(seed)
    order = generator.permutation(count)
    validating, training = order[: count // VALIDATION], order[count // VALIDATION :]
    layer = nn.Linear(neurons, classes)
    nn.init.zeros_(layer.weight)  # nothing is known of a neuron that was never active
    nn.init.zeros_(layer.bias)
    optimiser = torch.optim.Adam(layer.parameters(), lr=LEARNING_RATE)
    epochs: list[Epoch] = []
    best, kept = 0, _copy(layer)
    for number in range(1, most_epochs + 1):
        training_loss = _one_epoch(layer, optimiser, codes, labels, generator.permutation(training))
        loss, accuracy = _validate(layer, codes, labels, validating)
        if not math.isfinite(loss + training_loss):
            raise ValueError(DIVERGED)
        epochs.append(Epoch(training_loss, loss, accuracy))
        if loss < min((e.validation_loss for e in epochs[:-1]), default=float("inf")):
            best, kept = number, _copy(layer)
        yield Training(tuple(epochs), most_epochs, best, kept)
        if number - best >= PATIENCE:
            return


def _one_epoch(
    layer: nn.Linear,
    optimiser: torch.optim.Optimizer,
    codes: csr_matrix,
    labels: Tensor,
    order: np.ndarray,
) -> float:
    total = 0.0
    for start in range(0, len(order), BATCH):
        index = order[start : start + BATCH]
        loss = functional.cross_entropy(layer(_dense(codes, index)), labels[index])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        total += float(loss.detach()) * len(index)
    return total / len(order)


@torch.no_grad()
def _validate(
    layer: nn.Linear, codes: csr_matrix, labels: Tensor, index: np.ndarray
) -> tuple[float, float]:
    """Loss and accuracy on the codes that are not trained on."""
    logits = torch.cat(
        [layer(_dense(codes, index[i : i + BATCH])) for i in range(0, len(index), BATCH)]
    )
    truth = labels[index]
    accuracy = float((logits.argmax(1) == truth).float().mean())
    return float(functional.cross_entropy(logits, truth)), accuracy


def _dense(codes: csr_matrix, index: np.ndarray) -> Tensor:
    return torch.from_numpy(codes[index].toarray())


def _copy(layer: nn.Linear) -> Perceptron:
    return Perceptron(layer.weight.detach().clone(), layer.bias.detach().clone())
