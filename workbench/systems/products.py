"""Products with a dictionary: kept in half precision, or spread over processes, or neither.

A dictionary in float16 or bfloat16 takes half the memory, and its products are those of float32
with the rounded atoms: block by block, a few MB at a time, atoms are converted and multiplied.
Multiplying in the half type itself would round the vectors and the sums too; measured on CPUs, it
is off by a thousand times more, and converting costs no time, because half the bytes are read.

Rounded atoms stay as they were rounded. Scaling them to unit norm again would only round them once
more; so their norms are off by up to half an eps of their type, which `Wiring` allows for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

# Below this many numbers the whole dictionary is multiplied faster than the active atoms are
# found; above it, gathering them wins while they are at most one in `_SPARSE` (measured on CPUs).
_SMALL_DICTIONARY = 1 << 20
_SPARSE = 8
_BLOCK = 1 << 21  # numbers converted at once: 8 MB, which stays in a cache

HALF = (torch.float16, torch.bfloat16)


def _as_it_is(part: Tensor) -> Tensor:
    return part


@dataclass(frozen=True)
class Shard:
    """Which of the neurons are here, and how the parts of several processes are put together.

    As it stands it is the whole of a network, in one process. Of several processes each holds a
    contiguous slice of the neurons, and each must call ``sum``, ``max`` and ``gather`` as often as
    the others, in the same order; each gets the same result.
    """

    rank: int = 0
    processes: int = 1
    neurons: int = 0  # M of all processes; 0: as many as are here
    sum: Callable[[Tensor], Tensor] = _as_it_is  # over the processes, of tensors of one shape
    max: Callable[[Tensor], Tensor] = _as_it_is  # likewise; NaN anywhere is NaN
    gather: Callable[[Tensor], Tensor] = _as_it_is  # rows of all, one process after the other

    @property
    def start(self) -> int:
        """The first neuron here."""
        return self.part(self.neurons).start

    def part(self, count: int) -> slice:
        """Which of so many things in a row are here."""
        first, end = (count * rank // self.processes for rank in (self.rank, self.rank + 1))
        return slice(first, end)

    def over(self, neurons: int) -> Shard:
        """The same over a network of so many neurons."""
        return replace(self, neurons=neurons)


WHOLE = Shard()


@dataclass(frozen=True)
class Products:
    """What is multiplied with the atoms [M, N] that are here, and with those of all processes."""

    atoms: Tensor
    shard: Shard = WHOLE

    @property
    def dtype(self) -> torch.dtype:
        """The type of vectors and results: that of the atoms, float32 for half precision."""
        return torch.float32 if self._half else self.atoms.dtype

    def match(self, vectors: Tensor, plus: Tensor | None = None) -> Tensor:
        """Φᵀv of vectors [B, N] for the atoms here, [B, M]; on top of ``plus`` [B, M], if given."""
        if not self._half:
            if plus is None:
                return vectors @ self.atoms.T
            return torch.addmm(plus, vectors, self.atoms.T)
        found = vectors.new_empty(len(vectors), len(self.atoms))
        for here, block in self._blocks():
            found[:, here] = vectors @ block.T
        return found if plus is None else found.add_(plus)

    def combine(self, activation: Tensor) -> Tensor | None:
        """Φa of activations [B, M] of the neurons here, summed over all processes, [B, N].

        Reads only the atoms active anywhere in the batch when these are few. None means that it is
        zero because no neuron is active; processes that wait for each other never get it.
        """
        part = self._combine_here(activation)
        if self.shard.processes == 1:
            return part
        if part is None:
            part = activation.new_zeros(len(activation), self.atoms.shape[1])
        return self.shard.sum(part)

    def combine_few(self, neurons: Tensor, weights: Tensor, start: Tensor) -> Tensor:
        """Φw of the samples' own few atoms, [B, N]; one process only.

        Args:
            neurons: [n], those of the first sample before those of the second.
            weights: [n], of each.
            start: [B + 1], where those of a sample begin, and where the last end.
        """
        if not self._half:
            return functional.embedding_bag(
                neurons,
                self.atoms,
                start,
                mode="sum",
                per_sample_weights=weights,
                include_last_offset=True,
            )
        bounds = start.cpu().tolist()
        own = [slice(*pair) for pair in zip(bounds, bounds[1:], strict=False)]
        return torch.stack([weights[here] @ self.some(neurons[here]) for here in own])

    def some(self, neurons: Tensor) -> Tensor:
        """The atoms of some neurons [n] in the type of the products, [n, N]."""
        return self.atoms.index_select(0, neurons).to(self.dtype)

    def lengths(self) -> Tensor:
        """‖φ‖ of the atoms here, [M]."""
        if not self._half:
            return torch.linalg.vector_norm(self.atoms, dim=1)
        lengths = [torch.linalg.vector_norm(block, dim=1) for _, block in self._blocks()]
        return torch.cat(lengths) if lengths else torch.zeros(0)

    @property
    def _half(self) -> bool:
        return self.atoms.dtype in HALF

    def _combine_here(self, activation: Tensor) -> Tensor | None:
        if self.atoms.numel() < _SMALL_DICTIONARY:
            return self._multiply(activation)
        active = (activation != 0).any(0).nonzero().squeeze(1)
        if len(active) == 0:
            return None
        if len(active) * _SPARSE > len(self.atoms):
            return self._multiply(activation)
        return self._multiply(activation.index_select(1, active), active)

    def _multiply(self, activation: Tensor, rows: Tensor | None = None) -> Tensor:
        """Activations [B, n] times the atoms, or those of n ``rows``."""
        if not self._half:
            return activation @ (self.atoms if rows is None else self.atoms.index_select(0, rows))
        total = activation.new_zeros(len(activation), self.atoms.shape[1])
        for here, block in self._blocks(rows):
            total.addmm_(activation[:, here], block)
        return total

    def _blocks(self, rows: Tensor | None = None) -> Iterator[tuple[slice, Tensor]]:
        """All atoms, or some ``rows``, in float32; a block lasts until the next."""
        count = len(self.atoms) if rows is None else len(rows)
        size = max(1, _BLOCK // self.atoms.shape[1])
        scratch = self.atoms.new_empty(
            min(size, count), self.atoms.shape[1], dtype=torch.float32
        )  # made once: a new one for each block costs as much as the product
        for start in range(0, count, size):
            here = slice(start, min(start + size, count))
            picked = self.atoms[here] if rows is None else self.atoms.index_select(0, rows[here])
            yield here, scratch[: len(picked)].copy_(picked)
