"""A Dask cluster that runs the points of a sweep, named by the address of its scheduler.

The workers need the same version of the workbench, and the data where the session says it is; the
folder of results they need not see. Dask is an optional dependency and imported here alone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from workbench import __version__
from workbench.engine.sweep_points import Point
from workbench.errors import InputError

PATIENCE = 5  # seconds for the scheduler to answer


@dataclass(frozen=True)
class Cluster:
    """A cluster that answers and whose workers can do the work."""

    client: Any  # distributed.Client

    def fill(
        self, points: Sequence[Point], samples: int | None, report: Callable[[str], None]
    ) -> None:
        """Compute the features that points share, on one worker of each machine in turn.

        Two processes must not fill one cache at once, and machines may share their caches.
        """
        if all(point.document.backbone.name == "none" for point in points):
            return
        workers = self.client.scheduler_info(n_workers=-1)["workers"]
        for host, address in {worker["host"]: a for a, worker in workers.items()}.items():
            report(f"Computing features on {host}")
            self.client.run(_fill, list(points), samples, workers=[address])


@contextlib.contextmanager
def cluster(address: str) -> Iterator[Cluster]:
    """The cluster behind an address, such as ``tcp://10.0.0.1:8786``, for a while.

    Raises:
        InputError: Dask is not installed, nobody answers, or the workers cannot do the work.
    """
    try:
        from distributed import Client
    except ImportError:
        raise InputError(
            f"--dask {address}: dask.distributed is not installed; "
            "pip install 'lca-workbench[dask]' does so"
        ) from None
    try:
        asyncio.run(_knock(address))
    except Exception as error:  # what is not a scheduler may answer anything
        raise InputError(
            f"--dask {address}: no Dask scheduler answers there ({_one_line(error)}); "
            "must be an address such as tcp://127.0.0.1:8786"
        ) from None
    with Client(address, set_as_default=False) as client:
        _check(client, address)
        yield Cluster(client)


async def _knock(address: str) -> None:
    """Ask who is there; a client that finds no scheduler would complain once more as it goes."""
    from distributed.core import rpc

    async with rpc(address, timeout=PATIENCE) as scheduler:
        found = await asyncio.wait_for(scheduler.identity(), PATIENCE)
    if found.get("type") != "Scheduler":
        raise ValueError(f"a {found.get('type')} does")


def _check(client: Any, address: str) -> None:
    """Refuse a cluster without workers, or whose workers have another workbench."""
    try:
        versions = set(client.run(_version).values())
    except ImportError as error:
        raise InputError(
            f"--dask {address}: its workers cannot import the workbench ({_one_line(error)}); "
            f"install version {__version__} there, too"
        ) from None
    if not versions:
        raise InputError(f"--dask {address}: the scheduler there has no workers")
    if versions != {__version__}:
        others = ", ".join(sorted(versions))
        raise InputError(
            f"--dask {address}: its workers have version {others} of the workbench; "
            f"must be {__version__}, as here"
        )


def _version() -> str:
    """In a worker: what it has."""
    return __version__


def _fill(points: Sequence[Point], samples: int | None) -> None:
    """In a worker: fill the caches of its machine."""
    from workbench.engine.sweep import fill_caches

    fill_caches(points, samples, lambda text: None)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
