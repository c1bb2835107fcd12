"""Codes of training images, as a decoder is trained on them.

An image that is itself an atom explains itself: its code is one neuron, and nothing can be learned
from it. So the chosen images that are atoms, or copies of atoms, are coded in five parts, each by a
network without the neurons that equal an image of that part: every image is coded as a test image
would be, by others than itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.sparse import csr_matrix, vstack
from torch import Tensor
from torch.nn import functional

from workbench.engine.convergence import instants
from workbench.engine.experiment import Experiment
from workbench.engine.resolved import TRAINING_CODES
from workbench.systems.protocol import System

PARTS = 5


@dataclass(frozen=True, eq=False)
class Codes:
    """Codes so far; the last ones are the result."""

    done: int
    total: int
    codes: csr_matrix  # [done, M] float32
    labels: Tensor  # [done] int64


def code_training_images(
    experiment: Experiment, cancelled: Callable[[], bool] = lambda: False
) -> Iterator[Codes]:
    """Code a seeded choice of training images; yields after each batch.

    ``decoder.samples`` says how many. Images that are no atoms are chosen first. Where a network
    diverges its codes are not finite.

    Raises:
        Cancelled: ``cancelled`` said so, within one time step.
    """
    decoder, batch = experiment.document.decoder, experiment.document.run.batch
    count = decoder.samples or min(TRAINING_CODES, len(experiment.dataset.train))
    parts = _parts(experiment, count, decoder.seed)
    total = sum(len(part) for part, _ in parts)
    rows: list[csr_matrix] = []
    chosen: list[np.ndarray] = []
    for part, atoms in parts:
        system = _without(experiment.system, atoms)
        for start in range(0, len(part), batch):
            index = part[start : start + batch]
            signals = experiment.training_signals(index)
            code = _final_code(system, signals, experiment.document.run.tolerance, cancelled)
            rows.append(_placed(code, atoms, experiment.system.neurons))
            chosen.append(index)
            done = sum(map(len, chosen))
            labels = experiment.dataset.train.labels[np.concatenate(chosen)]
            yield Codes(done, total, vstack(rows, format="csr"), labels)


def _parts(
    experiment: Experiment, count: int, seed: int
) -> list[tuple[np.ndarray, np.ndarray | None]]:
    """Training images, each part with the atoms that are left out while it is coded."""
    order = np.random.default_rng(seed).permutation(len(experiment.dataset.train))
    dictionary = experiment.dictionary
    if dictionary is None or dictionary.source is None:
        return [(order[:count], None)]
    is_atom = np.isin(order, dictionary.source.numpy())
    chosen = np.concatenate([order[~is_atom], order[is_atom]])[:count]
    equal = _equal_atoms(experiment, chosen)
    alone = np.array([not atoms for atoms in equal])
    parts = [(chosen[alone], None)] if alone.any() else []
    for index in np.array_split(np.flatnonzero(~alone), PARTS):
        if len(index):
            atoms = {atom for i in index for atom in equal[i]}
            parts.append((chosen[index], np.array(sorted(atoms))))
    return parts


def _equal_atoms(experiment: Experiment, images: np.ndarray) -> list[list[int]]:
    """For each training image the atoms that are that image, or another with the same pixels."""
    dictionary = experiment.dictionary
    atoms_of: dict[bytes, list[int]] = {}
    for atom, row in enumerate(dictionary.atoms):
        atoms_of.setdefault(_digest(row.float().numpy()), []).append(atom)
    own = {int(image): atom for atom, image in enumerate(dictionary.source)}
    found = []
    for image in images.tolist():
        if image in own:
            row = dictionary.atoms[own[image]]
        else:
            row = functional.normalize(experiment.vectors.train.rows([image]).float(), dim=1)[0]
        rounded = row.to(dictionary.atoms.dtype).float()  # as the atoms are kept
        found.append(atoms_of.get(_digest(rounded.numpy()), []))
    return found


def _digest(row: np.ndarray) -> bytes:
    """A hash of a vector, rounded so that the last bits of its scaling do not count."""
    return hashlib.blake2b(np.round(row, 6).tobytes(), digest_size=16).digest()


def _without(system: System, atoms: np.ndarray | None) -> System:
    """The system without some of its neurons."""
    if atoms is None:
        return system
    wiring = system.wiring
    keep = _kept(system.neurons, atoms)
    labels = None if wiring.labels is None else wiring.labels[keep]
    # they were checked, and one that was dropped by an edit is not of unit norm
    smaller = replace(wiring, atoms=wiring.atoms[keep], labels=labels, checked=len(keep))
    return type(system)(system.params, smaller)


def _kept(neurons: int, atoms: np.ndarray) -> Tensor:
    keep = torch.ones(neurons, dtype=torch.bool)
    keep[torch.from_numpy(atoms)] = False
    return keep.nonzero()[:, 0]


def _final_code(
    system: System, signals: Tensor, tolerance: float | None, cancelled: Callable[[], bool]
) -> Tensor:
    """The code [B, M] of each signal when it stops."""
    codes = None
    for now in instants(system, system.init(signals), len(signals), tolerance, cancelled):
        if len(now.stopping) == 0:
            continue
        stopped = system.observe(now.stopped(system), (system.code,))[system.code]
        if codes is None:
            codes = stopped.new_empty(len(signals), stopped.shape[1])
        codes[now.rows[now.stopping].to(codes.device)] = stopped
    return codes


def _placed(code: Tensor, atoms: np.ndarray | None, neurons: int) -> csr_matrix:
    """A code of the smaller system at the neurons of the whole one, sparse."""
    sparse = csr_matrix(code.float().cpu().numpy())
    if atoms is None:
        return sparse
    columns = _kept(neurons, atoms).numpy()[sparse.indices]
    return csr_matrix((sparse.data, columns, sparse.indptr), shape=(code.shape[0], neurons))
