"""The fingerprint of a run: a hash chained over the steps of what the system puts out."""

from __future__ import annotations

import hashlib

import numpy as np
from torch import Tensor

START = b""


def chain(previous: bytes, output: Tensor) -> bytes:
    """The digest after one more step.

    Args:
        previous: digest of the step before, `START` before the first.
        output: what the system puts out at this step, [B, M]: activations or spikes. Only the
            indices and values of its non-zero entries enter, so it does not matter how silent
            neurons are stored.
    """
    values = output.cpu().numpy()
    # Twice as fast as `Tensor.nonzero`, which would say the same.
    place = np.flatnonzero(values != 0)
    digest = hashlib.blake2b(previous, digest_size=16)
    digest.update(np.stack(np.divmod(place, values.shape[1]), 1))  # [n, 2] int64
    digest.update(values.ravel()[place])
    return digest.digest()
