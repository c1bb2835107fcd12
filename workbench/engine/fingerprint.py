"""The fingerprint of a run: a hash chained over the steps of what the system puts out."""

from __future__ import annotations

import hashlib

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
    index = output.nonzero()
    digest = hashlib.blake2b(previous, digest_size=16)
    digest.update(index.cpu().numpy().tobytes())
    digest.update(output[tuple(index.T)].cpu().numpy().tobytes())
    return digest.digest()
