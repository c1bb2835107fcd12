"""Learned dictionaries: atoms that follow what the network leaves unexplained.

Equation (7) of the D-SELD paper, the classic rule of sparse coding (Olshausen & Field, Nature 381,
1996): φ_i ← φ_i + η (s − ŝ) a_i, averaged over a mini-batch that an LCA has coded with the atoms as
they are, after which every atom is scaled back to unit norm. η falls to zero along a straight line.

It begins with random atoms. An atom that is not active for a while is dead: no rule that multiplies
with its activation will ever move it, so it begins anew as the residual of the image that was
explained worst.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from workbench import systems
from workbench.coding.growth import Rows
from workbench.document.schema import Dictionary as Section
from workbench.systems.protocol import Wiring

TIME = 4.0  # that the network gets for each mini-batch, in time constants
MOST_STEPS = 200
LARGEST_STEP = 0.1  # η of the network; less where the atoms overlap more
DEAD_AFTER = 30  # updates without any activity
THRESHOLD = 0.1  # of the mean length of a signal
RATE = 30.0  # over the mean square of the signals' lengths: activations grow with them
LABELLED_BY = 2000  # training images that tell what an atom stands for


@dataclass(frozen=True, eq=False)
class Forming:
    """A dictionary while it is learned; the last one is the result."""

    update: int  # mini-batches learned from so far
    updates: int  # mini-batches in all
    atoms: Tensor  # [M, N] float32, unit-norm rows
    energy: Sequence[float]  # mean per image, one for each mini-batch; the first `update` count
    active: float  # mean number of active atoms per image of the last mini-batch
    revived: int  # dead atoms that began anew, so far
    threshold: float  # λ of the network that learned
    rate: float  # η of equation (7) at the start; it falls to zero along a line


@dataclass(frozen=True, eq=False)
class AtomLabels:
    """What learned atoms stand for."""

    labels: Tensor  # [M] int64
    silent: int  # atoms that no image activates


def learn(section: Section, vectors: Rows, images: int, features: int) -> Iterator[Forming]:
    """Fit atoms to training vectors; yields after each mini-batch.

    Args:
        section: of the document. Without a number of atoms there are twice as many as features,
            but no more than images.
        vectors: the training images, as pixels or as features of a backbone.
        images: how many there are.
        features: N, the length of a vector.
    """
    generator = np.random.default_rng(section.seed)
    atoms = random_atoms(section.atoms or min(2 * features, images), features, section.seed)
    threshold, rate = choices(section, vectors, images)
    size = min(section.learning_batch, images)
    energy: list[float] = []
    idle = torch.zeros(len(atoms), dtype=torch.int64)  # updates since an atom was active
    revived, order = 0, np.empty(0, np.int64)
    for update in range(1, section.learning_updates + 1):
        if len(order) < size:
            order = generator.permutation(images)
        index, order = order[:size], order[size:]
        signals = vectors.rows(torch.from_numpy(index)).float()
        code = encode(signals, atoms, threshold)
        residual = signals - code @ atoms
        energy.append(_energy(residual, code, threshold))
        falling = rate * (1 - (update - 1) / section.learning_updates)  # the noise of batches ends
        atoms = updated(atoms, residual, code, falling)
        idle = torch.where((code != 0).any(0), 0, idle + 1)
        dead = (idle >= DEAD_AFTER).nonzero()[:, 0]
        atoms, begun = revive(atoms, residual, dead)
        idle[dead[:begun]] = 0
        revived += begun
        active = float((code != 0).sum(1).float().mean())
        yield Forming(
            update,
            section.learning_updates,
            atoms.clone(),
            energy,
            active,
            revived,
            threshold,
            rate,
        )


def random_atoms(atoms: int, features: int, seed: int) -> Tensor:
    """Atoms drawn from N(0, 1) in every feature, scaled to unit norm, [M, N]."""
    drawn = np.random.default_rng(seed).standard_normal((atoms, features), dtype=np.float32)
    return functional.normalize(torch.from_numpy(drawn), dim=1)


def encode(signals: Tensor, atoms: Tensor, threshold: float) -> Tensor:
    """What an LCA makes of signals [B, N] with atoms [M, N]: its activations [B, M]."""
    lca, step = systems.kinds()["lca"], _step(atoms)
    params = lca.Params(threshold=threshold, time_constant=1 / step)
    network = lca(params, Wiring(atoms.shape[1], atoms))
    state = network.init(signals)
    for _ in range(min(math.ceil(TIME / step), MOST_STEPS)):
        state = network.step(state)
    return network.observe(state, ("activation",))["activation"]


def _step(atoms: Tensor) -> float:
    """A step of at most 1 / λ_max(G), by power iteration: even with all atoms active it is stable.

    Twice that would be the limit, so that the iteration need not have converged.
    """
    vector = torch.randn(len(atoms), generator=torch.Generator().manual_seed(0))
    largest = 1.0
    for _ in range(20):
        vector = atoms @ (vector @ atoms)
        largest = float(vector.norm()) or 1.0
        vector = vector / largest
    return min(LARGEST_STEP, 1 / largest)


def updated(atoms: Tensor, residual: Tensor, code: Tensor, rate: float) -> Tensor:
    """Equation (7) for a mini-batch, and unit norm again: atoms [M, N].

    Args:
        atoms: [M, N], unit-norm rows.
        residual: [B, N], s − ŝ.
        code: [B, M], activations.
        rate: η.
    """
    moved = atoms + rate / len(code) * (code.T @ residual)
    norms = torch.linalg.vector_norm(moved, dim=1, keepdim=True)
    return torch.where(norms > 0, moved / norms, atoms)


def revive(atoms: Tensor, residual: Tensor, dead: Tensor) -> tuple[Tensor, int]:
    """Let dead atoms begin anew as the largest residuals, one image for each.

    Args:
        atoms: [M, N].
        residual: [B, N].
        dead: indices of dead atoms.

    Returns:
        The atoms, and how many began anew: not more than there are images with a residual.
    """
    sizes = torch.linalg.vector_norm(residual, dim=1)
    worst = sizes.argsort(descending=True, stable=True)[: len(dead)]
    worst = worst[sizes[worst] > 0]
    if len(worst):
        atoms = atoms.clone()
        atoms[dead[: len(worst)]] = residual[worst] / sizes[worst, None]
    return atoms, len(worst)


def label_atoms(
    forming: Forming, vectors: Rows, labels: Tensor, classes: int, seed: int
) -> AtomLabels:
    """The class that each atom is most active for, on average over training images.

    An atom that none of them activates takes the class whose images match it best.

    Args:
        forming: the learned atoms.
        vectors: the training images.
        labels: [n] int64, their classes.
        classes: number of classes.
        seed: of the choice of images.
    """
    index = np.random.default_rng(seed).permutation(len(labels))[:LABELLED_BY]
    truth = labels[torch.from_numpy(index)]
    activity = torch.zeros(classes, len(forming.atoms))
    drive = torch.zeros(classes, len(forming.atoms))
    for start in range(0, len(index), 256):
        signals = vectors.rows(torch.from_numpy(index[start : start + 256])).float()
        part = truth[start : start + 256]
        code = encode(signals, forming.atoms, forming.threshold)
        activity.index_add_(0, part, code.abs())
        drive.index_add_(0, part, signals @ forming.atoms.T)
    counts = torch.bincount(truth, minlength=classes).clamp(min=1)[:, None]
    silent = activity.sum(0) == 0
    best = torch.where(silent, (drive / counts).argmax(0), (activity / counts).argmax(0))
    return AtomLabels(best, int(silent.sum()))


def choices(section: Section, vectors: Rows, images: int) -> tuple[float, float]:
    """Threshold and learning rate: as asked, or to suit the lengths of the signals."""
    index = np.random.default_rng(section.seed).permutation(images)[:256]
    signals = vectors.rows(torch.from_numpy(index)).float()
    length = float(torch.linalg.vector_norm(signals, dim=1).mean()) or 1.0
    return (
        section.learning_threshold or THRESHOLD * length,
        section.learning_rate or RATE / length**2,
    )


def _energy(residual: Tensor, code: Tensor, threshold: float) -> float:
    """Mean of equation (2) over a mini-batch."""
    terms = 0.5 * residual.square().sum(1) + threshold * code.abs().sum(1)
    return float(terms.mean())
