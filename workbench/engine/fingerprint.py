"""The fingerprint of a run: a hash chained over the steps of what the system puts out.

Where the neurons are spread over processes it is still the fingerprint of the whole run, in the
order of all neurons, and the same in each process. Only what is not zero travels: 8 bytes for the
place of an entry, and its value. Sums over processes may differ in their last bits from those of
one process, so the number of processes belongs to what a fingerprint is compared under, like the
engine and the device.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from workbench.systems.protocol import WHOLE, Shard

START = b""


class Entries(NamedTuple):
    """What is not zero of a tensor [B, M], sample by sample and neuron by neuron."""

    sample: np.ndarray  # [n] int64, ascending
    neuron: np.ndarray  # [n] int64, of those of all processes
    value: np.ndarray  # [n]


def chain(previous: bytes, output: Tensor, shard: Shard = WHOLE) -> bytes:
    """The digest after one more step.

    Args:
        previous: digest of the step before, `START` before the first.
        output: what the system puts out at this step, [B, M]: activations or spikes. Only the
            indices and values of its non-zero entries enter, so it does not matter how silent
            neurons are stored.
        shard: which of the neurons these are.
    """
    return chain_entries(previous, entries(output, shard))


def chain_entries(previous: bytes, found: Entries) -> bytes:
    """The same of entries that are known already."""
    digest = hashlib.blake2b(previous, digest_size=16)
    digest.update(np.stack((found.sample, found.neuron), 1))  # [n, 2] int64
    digest.update(found.value)
    return digest.digest()


def entries(output: Tensor, shard: Shard = WHOLE) -> Entries:
    """The entries of what a system puts out, [B, M], of the neurons of all processes."""
    neurons = output.shape[1]
    place, value = _entries(output)
    if shard.processes > 1:
        sample, neuron = np.divmod(place, neurons)
        neurons = shard.neurons
        place, value = _of_all(sample * neurons + shard.start + neuron, value, shard)
    return Entries(*np.divmod(place, neurons), value)


def _entries(output: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Place (sample · M + neuron) and value of what is not zero, ascending."""
    if output.device.type != "cpu":  # only these leave the device
        flat = output.reshape(-1)
        place = flat.nonzero()[:, 0]
        return place.cpu().numpy(), flat[place].cpu().numpy()
    values = output.numpy()
    # Twice as fast as `Tensor.nonzero`, which would say the same.
    place = np.flatnonzero(values != 0)
    return place, values.ravel()[place]


def _of_all(place: np.ndarray, value: np.ndarray, shard: Shard) -> tuple[np.ndarray, np.ndarray]:
    """The entries of all processes, ascending."""
    columns = (place[:, None].view(np.uint8), value[:, None].view(np.uint8))
    rows = shard.gather(torch.from_numpy(np.concatenate(columns, 1))).numpy()
    places = np.ascontiguousarray(rows[:, :8]).view(np.int64)[:, 0]
    values = np.ascontiguousarray(rows[:, 8:]).view(value.dtype)[:, 0]
    order = np.argsort(places)
    return places[order], values[order]
