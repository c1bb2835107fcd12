"""A sweep: many documents run by several processes, each result kept as soon as it is there.

A point is stored under a hash of its document and the number of samples, whole or not at all. So a
sweep that was killed goes on where it was, and one that is asked for more repeats nothing. A
change in the files that a document names is not noticed; it asks for another folder of results.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import joblib
import torch
from joblib.externals.loky import get_reusable_executor

from workbench.data import datasets
from workbench.engine import results, vectors
from workbench.engine.evaluation import evaluate
from workbench.engine.experiment import Experiment, prepare
from workbench.engine.sweep_points import Point
from workbench.engine.sweep_store import Row, Store, measures, row
from workbench.errors import InputError

WATCH = 0.5  # seconds between two looks whether the sweep is still there


def run(
    points: Sequence[Point],
    store: Store,
    samples: int | None = None,
    jobs: int | None = None,
    report: Callable[[str], None] = lambda text: None,
    dask: str | None = None,
) -> Iterator[tuple[int, Row, bool]]:
    """Run the points that the store does not hold; all rows come, as they are known.

    Points on the same images and dictionary follow each other, and a process uses again what it
    has built. What is stored or refused at once comes first.

    Args:
        samples: only the first so many test images; None means all.
        jobs: how many processes share the cores; None takes as many as there are cores, or as many
            at once as the cluster takes.
        report: told in words what is done before the first point.
        dask: the address of a Dask scheduler, whose workers run the points; None: this machine.

    Yields:
        Place in ``points``, row, and whether it was run just now.

    Raises:
        InputError: the store cannot be written to, or the cluster cannot be used.
    """
    waiting = []
    for place, point in enumerate(points):
        found = store.read(point.name) if point.document else None
        if found or not point.document:
            yield place, row(point, found and measures(found), point.error), False
        else:
            waiting.append(place)
    if not waiting:
        return
    with _workers(dask, jobs, len(waiting), store) as (parallel, worker, fill):
        fill([points[place] for place in waiting], samples, report)
        keeper = None if dask else store  # a cluster need not see the folder
        for place, found, error in parallel(
            joblib.delayed(_work)(place, points[place], keeper, samples, worker)
            for place in _ordered(points, waiting)
        ):
            if dask and found is not None:
                store.write(points[place].name, points[place].document, found)
            yield place, row(points[place], found and measures(found), error), True


@contextlib.contextmanager
def _workers(dask: str | None, jobs: int | None, most: int, store: Store) -> Iterator[tuple]:
    """Who runs the points: a `joblib.Parallel`, what each must settle, and who fills caches."""
    options = {"return_as": "generator_unordered", "batch_size": 1}
    if dask is not None:
        from workbench.engine.sweep_cluster import cluster  # Dask need not be there

        with cluster(dask) as found, joblib.parallel_config("dask", client=found.client):
            yield joblib.Parallel(jobs or -1, **options), None, found.fill
        return
    cores = joblib.cpu_count()
    jobs = min(jobs or cores, most)
    threads = max(1, cores // jobs)
    # One job stays in this process, and keeps its threads.
    worker = (threads, os.getpid()) if jobs > 1 else None
    with joblib.parallel_config("loky", inner_max_num_threads=threads):
        parallel = joblib.Parallel(jobs, **options)
    try:
        yield parallel, worker, fill_caches
    except BaseException:
        if jobs > 1:  # whoever is in the middle of a point ends now, and not while others look
            get_reusable_executor(reuse=True).shutdown(wait=True, kill_workers=True)
            store.tidy()
        raise


def _ordered(points: Sequence[Point], waiting: Sequence[int]) -> list[int]:
    """Places such that points which share data, then those which share a dictionary, are next."""
    data: dict[str, int] = {}
    built: dict[str, int] = {}
    return sorted(
        waiting,
        key=lambda place: (
            data.setdefault(points[place].data(), len(data)),
            built.setdefault(points[place].dictionary(), len(built)),
        ),
    )


def fill_caches(
    points: Sequence[Point], samples: int | None, report: Callable[[str], None]
) -> None:
    """Compute the features that points share, as two processes must not fill one cache at once."""
    for point in {point.data(): point for point in points}.values():
        if point.document.backbone.name != "none":
            with contextlib.suppress(InputError):  # which the point itself will say
                dataset = datasets.load(point.document.data, None, report, lambda: None)
                vectors.of_document(point.document, dataset, samples, report, lambda: None)


_last: Experiment | None = None  # of this process, whose data and dictionary are used again


def _work(
    place: int,
    point: Point,
    store: Store | None,
    samples: int | None,
    worker: tuple[int, int] | None,
) -> tuple[int, dict[str, Any] | None, str]:
    """Run a point, and keep it in the store, if that is here.

    Returns:
        Place, what ``workbench run --json`` prints, and why the point was refused.
    """
    global _last
    if worker is not None:
        _settle(*worker)
    try:
        # a worker of a cluster may run several points at once, in threads
        experiment = _last = prepare(point.document, _last, samples=samples)
        evaluation = deque(evaluate(experiment, samples), maxlen=1).pop()
    except InputError as error:
        return place, None, str(error)
    found = results.as_object(evaluation, experiment)
    if store is not None:
        store.write(point.name, point.document, found)
    return place, found, ""


@functools.cache  # once in a process
def _settle(threads: int, parent: int) -> None:
    """Make this process one of several that share the cores, and end with the sweep."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the sweep itself ends its processes
    torch.set_num_threads(threads)
    if os.name == "posix":  # a sweep that is killed has no time to end them
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: int) -> None:
    """End this process soon after its parent, also in the middle of a point."""
    while os.getppid() == parent:
        time.sleep(WATCH)
    os._exit(1)
