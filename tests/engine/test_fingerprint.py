"""The fingerprint: its definition, spelt out a second time."""

import hashlib
import struct

import pytest
import torch

from tests.spread import spread
from workbench.engine import fingerprint


def by_hand(previous, output):
    """blake2b-128, keyed by nothing, begun with the digest before: indices, then values."""
    found = [
        (row, column, value)
        for row, values in enumerate(output.tolist())
        for column, value in enumerate(values)
        if value != 0
    ]
    digest = hashlib.blake2b(previous, digest_size=16)
    for row, column, _ in found:
        digest.update(struct.pack("=qq", row, column))
    for _, _, value in found:
        digest.update(struct.pack("=?" if isinstance(value, bool) else "=f", value))
    return digest.digest()


@pytest.mark.parametrize(
    "output",
    [
        torch.tensor([[0.0, 1.5, 0.0], [-2.0, 0.0, 0.25]]),
        torch.tensor([[True, False, True]]),
        torch.zeros(2, 3),
        torch.arange(12.0).reshape(4, 3).T,  # not contiguous
    ],
    ids=["activations", "spikes", "silence", "transposed"],
)
def test_it_is_the_hash_of_indices_and_values_of_what_is_not_zero(output):
    first = fingerprint.chain(fingerprint.START, output)
    assert first == by_hand(b"", output)
    assert fingerprint.chain(first, output) == by_hand(first, output) != first


def test_the_same_values_at_other_neurons_give_another_fingerprint():
    one, other = torch.tensor([[1.0, 0.0, 2.0]]), torch.tensor([[1.0, 2.0, 0.0]])
    assert fingerprint.chain(b"", one) != fingerprint.chain(b"", other)


def test_a_difference_in_the_last_bit_gives_another_fingerprint():
    value = torch.tensor([[1.0]])
    assert fingerprint.chain(b"", value) != fingerprint.chain(b"", value.nextafter(value + 1))


def test_a_nan_is_no_silence():
    silent, broken = torch.zeros(1, 3), torch.tensor([[0.0, torch.nan, 0.0]])
    assert fingerprint.chain(b"", broken) != fingerprint.chain(b"", silent)
    assert fingerprint.chain(b"", torch.tensor([[-0.0]])) == fingerprint.chain(
        b"", torch.tensor([[0.0]])
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bool])
def test_shards_have_the_fingerprint_of_the_whole(dtype):
    output = torch.randn(4, 23, generator=torch.Generator().manual_seed(0))
    output = output.masked_fill(output.abs() < 1.0, 0.0)
    output[:, :9] = 0.0  # the first of the shards is silent
    output = output.to(dtype)

    def chain(shard):
        digest = fingerprint.START
        for row in (output, output[:2], torch.zeros_like(output)):
            digest = fingerprint.chain(digest, row[:, shard.part(23)], shard.over(23))
        return digest

    (whole,) = spread(1, chain)
    assert spread(3, chain) == [whole] * 3
