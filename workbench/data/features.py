"""Feature vectors of images, computed once and kept.

The features of a split are one array on disk, filled from the front in batches. Beside it stands
how many rows are done, written only after those rows are on the disk: a computation that was
killed goes on where it was, and a half-written batch is computed again. The folder is named by a
hash of all that the numbers depend on: images, preprocessing, weights and layer.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from workbench.data.backbones import Backbone
from workbench.data.splits import Images
from workbench.errors import InputError

BATCH = 32  # images at once; fixed, so that a resumed computation repeats the same numbers


@dataclass(frozen=True)
class Progress:
    """How far a computation is."""

    done: int
    total: int
    seconds_left: float


class Pixels:
    """The images themselves as vectors: what is coded without a backbone."""

    def __init__(self, split: Images) -> None:
        self._split = split

    def rows(self, index: slice | Sequence[int] | Tensor) -> Tensor:
        """Flattened pixels [B, N] float32 in [0, 1]."""
        return self._split.signals(index)


class Features:
    """The features of one split under one backbone, [n, N] float32, memory-mapped."""

    def __init__(self, split: Images, backbone: Backbone, cache: Path) -> None:
        """Nothing is read, written or computed before `compute` is called."""
        self._split, self._backbone = split, backbone
        identity = f"{split.fingerprint()} {backbone.identity} batches of {BATCH}"
        self.key = hashlib.blake2b(identity.encode(), digest_size=16).hexdigest()
        self.folder = cache / self.key
        self._data = self.folder / "features.f32"
        self._shape = (len(split), backbone.size)
        self._done: int | None = None  # rows on disk; None before the cache is looked at
        self._array: np.ndarray | None = None  # mapped once, so that it outlives a cleared cache

    def compute(
        self,
        count: int | None = None,
        report: Callable[[Progress], None] = lambda progress: None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """Make sure of the first ``count`` rows (all, if None).

        Args:
            report: told after each batch.
            check: called before each batch; may raise to call the work off. What is done stays.

        Raises:
            InputError: the cache cannot be written to.
        """
        total = len(self._split) if count is None else min(count, len(self._split))
        try:
            self._look()
            started, first = time.perf_counter(), self._done
            while self._done < total:
                check()
                self._one_batch()
                spent = time.perf_counter() - started
                left = spent / (self._done - first) * max(total - self._done, 0)
                report(Progress(min(self._done, total), total, left))
            self._map()
        except OSError as error:
            raise InputError(
                f"the features cannot be kept in {self.folder}: {error.strerror}"
            ) from error

    def rows(self, index: slice | Sequence[int] | Tensor) -> Tensor:
        """Feature vectors [B, N] of the indexed images, which must be computed.

        Raises:
            IndexError: `compute` has not come so far.
        """
        wanted = np.arange(len(self._split))[_plain(index)]
        done = self._done or 0
        if len(wanted) and wanted.max() >= done:
            raise IndexError(f"only the first {done} features are computed")
        return torch.from_numpy(self._map()[wanted])

    def _map(self) -> np.ndarray:
        """The array on disk. Who holds it can read it to the end, even if its file is deleted."""
        if self._array is None:
            self._array = np.memmap(self._data, np.float32, "r", shape=self._shape)
        return self._array

    def _look(self) -> None:
        """Go on from what was computed before, or begin a new file of the whole size."""
        if self._done is not None:
            return
        done = _rows_done(self.folder, self._shape)
        if done == 0:
            self.folder.mkdir(parents=True, exist_ok=True)
            for old in (self.folder / "done.json", self._data):  # who still reads it keeps it
                old.unlink(missing_ok=True)
            with self._data.open("wb") as file:
                file.truncate(4 * self._shape[0] * self._shape[1])
        self._done = done

    def _one_batch(self) -> None:
        stop = min(self._done + BATCH, len(self._split))
        pictures = [self._split.picture(i) for i in range(self._done, stop)]
        batch = torch.stack([self._backbone.transform(picture) for picture in pictures])
        rows = self._backbone.features(batch).numpy()
        # written, not mapped: a full disk is then an error and not the end of the process
        with self._data.open("r+b") as file:
            file.seek(4 * self._shape[1] * self._done)
            file.write(rows.tobytes())
            file.flush()
            os.fsync(file.fileno())
        facts = {
            "rows": len(self._split),
            "features": self._backbone.size,
            "done": stop,
            "backbone": self._backbone.name,
            "layer": self._backbone.layer,
            "weights": self._backbone.weights_hash,
        }
        aside = self.folder / "done.aside"
        with aside.open("w", encoding="utf-8") as file:
            json.dump(facts, file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self.folder / "done.json")
        self._done = stop


def _rows_done(folder: Path, shape: tuple[int, int]) -> int:
    """How many rows of an earlier computation can be trusted."""
    try:
        facts = json.loads((folder / "done.json").read_text(encoding="utf-8"))
        size = (folder / "features.f32").stat().st_size
        fits = (facts["rows"], facts["features"]) == shape and size == 4 * shape[0] * shape[1]
        return int(facts["done"]) if fits else 0
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _plain(index: slice | Sequence[int] | Tensor) -> slice | np.ndarray:
    return index if isinstance(index, slice) else np.asarray(index)


@dataclass(frozen=True)
class Entry:
    """One cached array."""

    folder: Path
    backbone: str
    rows: int
    done: int
    bytes: int


def entries(cache: Path) -> list[Entry]:
    """What is in the cache."""
    found = []
    for folder in sorted(cache.glob("*")):
        try:
            facts = json.loads((folder / "done.json").read_text(encoding="utf-8"))
            size = (folder / "features.f32").stat().st_size
            found.append(Entry(folder, facts["backbone"], facts["rows"], facts["done"], size))
        except (OSError, ValueError, KeyError):
            continue
    return found


def clear(cache: Path) -> int:
    """Delete all cached features; returns the bytes set free.

    A run that uses some goes on with them: where a file in use can be deleted, its space comes
    free with the end of that run; on Windows it stays and does not count.
    """
    before = _size(cache)
    shutil.rmtree(cache, ignore_errors=True)
    return before - _size(cache)


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
