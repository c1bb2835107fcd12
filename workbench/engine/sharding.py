"""One network over several processes, each with a slice of its neurons.

A process holds its slice of the dictionary, and with it the labels, potentials and activations of
its neurons. All hold the signals. What one step needs of the others is the reconstruction Φa alone:
N numbers a sample, however many neurons there are. What an evaluation needs besides are a few
numbers a sample, and for the fingerprint the activations that are not zero.

`torchrun` starts the processes and tells each its number in the environment. They talk through
gloo on CPUs and through NCCL on GPUs.
"""

from __future__ import annotations

import datetime
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, distributed

from workbench.document import Document
from workbench.engine import devices
from workbench.errors import InputError
from workbench.systems.protocol import Shard

# A process may wait while the first computes features. One that dies closes its connections.
PATIENCE = datetime.timedelta(days=1)
T = TypeVar("T")


@dataclass
class Traffic:
    """What was handed over so far, counted where it is."""

    calls: int = 0
    bytes: int = 0  # of the tensors that this process put in
    seconds: float = 0.0  # until the call returned; a GPU may still be at it


class Processes:
    """The processes of a run as one of them sees them."""

    def __init__(self, rank: int, size: int, store: distributed.Store) -> None:
        self.rank, self.size, self.store = rank, size, store
        self.traffic = Traffic()

    @property
    def shard(self) -> Shard:
        """What a system knows of them."""
        return Shard(self.rank, self.size, sum=self.sum, max=self.max, gather=self.gather)

    def sum(self, part: Tensor) -> Tensor:
        """The sum of everybody's tensor; all are of one shape and type."""
        return self._reduced(part, distributed.ReduceOp.SUM)

    def max(self, part: Tensor) -> Tensor:
        """The largest of everybody's, element by element; NaN where anybody has NaN."""
        if not part.is_floating_point():
            return self._reduced(part, distributed.ReduceOp.MAX)
        # Who compares with NaN gets either; so NaN travels as a mark beside the numbers.
        number = part.masked_fill(part.isnan(), 0.0)
        both = torch.stack((number, part.isnan().to(part)))
        number, mark = self._reduced(both, distributed.ReduceOp.MAX)
        return number.masked_fill(mark > 0, torch.nan)

    def gather(self, part: Tensor) -> Tensor:
        """Everybody's rows [n, ...], n of its own in each process, one process after the other."""
        count = torch.tensor([len(part)], device=part.device)
        counts = torch.cat(self._gathered(count)).tolist()
        padded = part.new_zeros(max(counts), *part.shape[1:])
        padded[: len(part)] = part
        parts = self._gathered(padded) if max(counts) else [padded] * self.size
        return torch.cat([rows[:n] for rows, n in zip(parts, counts, strict=True)])

    def wait(self) -> None:
        """Wait until all are here."""
        self.sum(torch.zeros(1))

    def close(self) -> None:
        """Part from the others; nothing can be summed any more."""
        distributed.destroy_process_group()

    def _reduced(self, part: Tensor, operation: distributed.ReduceOp) -> Tensor:
        whole = part.clone(memory_format=torch.contiguous_format)
        self._timed(whole, lambda: distributed.all_reduce(whole, operation))
        return whole

    def _gathered(self, part: Tensor) -> list[Tensor]:
        parts = [torch.empty_like(part) for _ in range(self.size)]
        self._timed(part, lambda: distributed.all_gather(parts, part))
        return parts

    def _timed(self, part: Tensor, call: Callable[[], object]) -> None:
        started = time.perf_counter()
        try:
            call()
        except RuntimeError as error:  # a long story of sockets, which the log keeps
            raise RuntimeError(f"another of the {self.size} processes has ended") from error
        self.traffic.seconds += time.perf_counter() - started
        self.traffic.bytes += part.numel() * part.element_size()
        self.traffic.calls += 1


def join() -> Processes:
    """Meet the other processes that the environment tells of.

    Raises:
        InputError: the environment says half of what is needed, or the others do not come.
    """
    if not distributed.is_available():
        raise InputError("WORLD_SIZE: this build of torch cannot spread a run over processes")
    missing = [n for n in ("RANK", "MASTER_ADDR", "MASTER_PORT") if not os.environ.get(n)]
    if missing:
        raise InputError(
            f"WORLD_SIZE is set, {missing[0]} is not; `torchrun --nproc-per-node 2 -m workbench "
            "run SESSION` sets all that is needed"
        )
    backend = "gloo"
    try:
        processes = int(os.environ["WORLD_SIZE"])
        if devices.enough_gpus(processes) and distributed.is_nccl_available():
            backend = "cpu:gloo,cuda:nccl"  # "cuda" is then this process's own
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))
        met = distributed.rendezvous("env://", timeout=datetime.timedelta(minutes=5))
        store, rank, size = next(iter(met))
        distributed.init_process_group(
            backend, store=store, rank=rank, world_size=size, timeout=PATIENCE
        )
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"WORLD_SIZE: the processes did not meet: {reason}") from None
    return Processes(rank, size, store)


def check(document: Document, shard: Shard) -> None:
    """Refuse what several processes cannot do.

    Raises:
        InputError: in one line.
    """
    if shard.processes == 1:
        return
    if document.system["kind"] != "lca":
        raise InputError(
            f"system.kind = {document.system['kind']!r}: cannot be spread over "
            f"{shard.processes} processes; lca can"
        )
    if document.decoder.kind == "perceptron":
        raise InputError(
            f"decoder.kind = 'perceptron': cannot be trained by {shard.processes} processes; "
            "max and sum can decide there"
        )


def in_turn(shard: Shard, work: Callable[[], T]) -> T:
    """Do something in the first process, then in the others: they find what it left on the disk."""
    if shard.rank:
        shard.sum(torch.zeros(1))  # this waits for the first
    done = work()
    if not shard.rank:
        shard.sum(torch.zeros(1))
    return done
