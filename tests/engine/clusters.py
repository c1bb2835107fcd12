"""Dask clusters on this machine, for tests."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from unittest import mock

import pytest


@contextlib.contextmanager
def cluster(**options: int) -> Iterator[str]:
    """The address of a cluster with these options of ``distributed.LocalCluster``.

    It sets the number of threads in the environment, for its workers, and would leave it there:
    processes that later tests start would add up in another order, to other last bits.
    """
    distributed = pytest.importorskip("distributed", reason="an optional dependency")
    quiet = {"dashboard_address": ":0", "silence_logs": logging.CRITICAL}
    with (
        mock.patch.dict(os.environ),
        distributed.LocalCluster(**quiet, **options) as local,
    ):
        yield local.scheduler_address
