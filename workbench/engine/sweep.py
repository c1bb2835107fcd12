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

import joblib
import torch

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
) -> Iterator[tuple[int, Row, bool]]:
    """Run the points that the store does not hold; all rows come, as they are known.

    Points on the same images and dictionary follow each other, and a process uses again what it
    has built. What is stored or refused at once comes first.

    Args:
        samples: only the first so many test images; None means all.
        jobs: how many processes share the cores; None takes as many as there are cores.
        report: told in words what is done before the first point.

    Yields:
        Place in ``points``, row, and whether it was run just now.

    Raises:
        InputError: the store cannot be written to.
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
    _fill_caches([points[place] for place in waiting], samples, report)
    cores = joblib.cpu_count()
    jobs = min(jobs or cores, len(waiting))
    threads = max(1, cores // jobs)
    # One job stays in this process, and keeps its threads.
    worker = (threads, os.getpid()) if jobs > 1 else None
    with joblib.parallel_config("loky", inner_max_num_threads=threads):
        parallel = joblib.Parallel(jobs, return_as="generator_unordered", batch_size=1)
    for place, found, error in parallel(
        joblib.delayed(_work)(place, points[place], store, samples, worker)
        for place in _ordered(points, waiting)
    ):
        yield place, row(points[place], found, error), True


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


def _fill_caches(
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
    place: int, point: Point, store: Store, samples: int | None, worker: tuple[int, int] | None
) -> tuple[int, Row | None, str]:
    """Run and keep one point; returns its place, what was measured, and why it was refused."""
    global _last
    if worker is not None:
        _settle(*worker)
    try:
        _last = prepare(point.document, _last, samples=samples)
        evaluation = deque(evaluate(_last, samples), maxlen=1).pop()
    except InputError as error:
        return place, None, str(error)
    found = results.as_object(evaluation, _last)
    store.write(point.name, point.document, found)
    return place, measures(found), ""


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
