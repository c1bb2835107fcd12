"""Shards without processes: threads that put their parts together, for tests of what uses them."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch

from workbench.systems.protocol import Shard


def spread(processes: int, work: Callable[[Shard], Any]) -> list[Any]:
    """What ``work`` returns for each shard of so many; it fails if one of them does."""
    barrier = threading.Barrier(processes, timeout=30)
    parts: list[Any] = [None] * processes

    def shard(rank: int) -> Shard:
        def exchanged(part: torch.Tensor) -> list[torch.Tensor]:
            parts[rank] = part.clone()
            barrier.wait()
            found = list(parts)
            barrier.wait()
            return found

        return Shard(
            rank,
            processes,
            sum=lambda part: torch.stack(exchanged(part)).sum(0).to(part.dtype),
            max=lambda part: torch.stack(exchanged(part)).amax(0),
            gather=lambda part: torch.cat(exchanged(part)),
        )

    def guarded(rank: int) -> Any:
        try:
            return work(shard(rank))
        except BaseException:
            barrier.abort()
            raise

    with ThreadPoolExecutor(processes) as pool:
        return list(pool.map(guarded, range(processes)))
