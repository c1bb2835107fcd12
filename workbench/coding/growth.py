"""Exemplar dictionaries that take in new examples: the third contribution of the D-SELD paper.

Nothing is trained and the Gramian is never built, so a new example costs what it takes to read,
scale and append it, however large the dictionary is already. Rows live in a buffer with room to
spare at its end; a dictionary is a view of its first rows, which never change.

The examples of a class join in one seeded order, so that adding them one by one or all at once
gives the same dictionary.
"""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from workbench.errors import InputError

SPARE = 1024  # rows of room, besides an eighth of what is there
READ = 4096  # training vectors at once, so that no second copy of all of them is made

Additions = Sequence[tuple[int, int]]  # (class, how many), in the order in which they joined


class Rows(Protocol):
    """Training vectors that are fetched as they are needed."""

    def rows(self, index: Any) -> Tensor:
        """Vectors [B, N] of the indexed training images."""


class Store:
    """Rows [capacity, N], of which the first ``used`` are atoms of some dictionary."""

    def __init__(self, rows: int, features: int, dtype: torch.dtype = torch.float32) -> None:
        """Room for so many rows and an eighth more, kept in a type; it holds none yet."""
        self._buffer = torch.empty(rows + rows // 8 + SPARE, features, dtype=dtype)
        self.used = 0
        self._writing = threading.Lock()  # two branches that grow at once must not share rows

    def view(self, count: int) -> Tensor:
        """The first rows, [count, N]."""
        return self._buffer[:count]

    def extended(self, count: int, rows: Tensor) -> Store:
        """A store whose first ``count`` rows are these and whose next are ``rows``.

        It is this one where it has room there; else the rows are copied to a larger one. Room
        grows by an eighth, so on the whole a row is copied a few times at most.
        """
        end = count + len(rows)
        with self._writing:
            if count == self.used and end <= len(self._buffer):
                self._buffer[count:end] = rows
                self.used = end
                return self
        moved = Store(end, rows.shape[1], self._buffer.dtype)
        moved._buffer[:count] = self.view(count)
        moved.used = count
        return moved.extended(count, rows)


def read(
    vectors: Rows, index: np.ndarray, dtype: torch.dtype = torch.float32
) -> tuple[Store, np.ndarray]:
    """Training vectors at unit norm in a store of their own, kept in a type.

    Returns:
        The store, and for each vector whether it is blank and has no direction [n].
    """
    store, blank = None, np.zeros(len(index), bool)
    for start in range(0, len(index), READ):
        rows = vectors.rows(torch.from_numpy(index[start : start + READ])).float()
        norms = torch.linalg.vector_norm(rows, dim=1, keepdim=True)
        blank[start : start + READ] = (norms[:, 0] == 0).numpy()
        store = store or Store(len(index), rows.shape[1], dtype)
        store.extended(start, rows.div_(norms))
    return store, blank


def class_order(labels: Tensor, label: int, seed: int) -> np.ndarray:
    """The training images of a class, in the order in which they join a dictionary."""
    members = np.flatnonzero(labels.numpy() == label)
    return np.random.default_rng([seed, label]).permutation(members)


def newcomers(
    vectors: Rows, labels: Tensor, taken: Tensor, label: int, count: int, seed: int, name: str
) -> tuple[Tensor, Tensor]:
    """The next training images of a class that are not atoms yet.

    Args:
        vectors: the training images, as pixels or as features of a backbone.
        labels: [n] int64, their classes.
        taken: [m] int64, the training images that are atoms already.
        label: the class.
        count: how many are asked for.
        name: of the class, for the complaint.

    Returns:
        Their indices [count] int64, and their vectors [count, N] at unit norm.

    Raises:
        InputError: so many are not left. Blank images have no direction and do not count.
    """
    used = np.zeros(len(labels), dtype=bool)
    used[taken.numpy()] = True
    order = class_order(labels, label, seed)
    left = torch.from_numpy(order[~used[order]])
    found, start = [], 0
    missing = count
    while missing and start < len(left):
        index = left[start : start + missing]
        start += len(index)
        rows = vectors.rows(index).float()
        norms = torch.linalg.vector_norm(rows, dim=1, keepdim=True)
        usable = norms[:, 0] > 0
        found.append((index[usable], rows[usable] / norms[usable]))
        missing -= int(usable.sum())
    if missing:
        raise InputError(
            f"dictionary.added: {name}={count}: only {count - missing} training images of class "
            f"{name} are left that are not atoms yet"
        )
    indices, rows = zip(*found, strict=True) if found else ((), ())
    return torch.cat(indices), torch.cat(rows)


def parse_additions(text: str | None, class_names: Sequence[str]) -> list[tuple[int, int]]:
    """``dictionary.added`` as (class, how many), in order.

    Raises:
        InputError: it is not a list of class=number, or there is no such class.
    """
    pairs = []
    for part in _parts(text):
        name, equals, number = part.rpartition("=")
        if not equals or not _is_count(number.strip()):
            raise InputError(
                f"dictionary.added = {text!r}: must be a list of class=number, such as "
                f"{class_names[0]}=100, with numbers of at least 1"
            )
        pairs.append((_label(name, class_names, "added"), int(number)))
    return pairs


def _is_count(number: str) -> bool:
    return number.isdecimal() and len(number) < 10 and int(number) > 0


def write_additions(pairs: Additions, class_names: Sequence[str]) -> str | None:
    """The same as ``dictionary.added`` says it; a class that joins twice in a row is one entry."""
    merged: list[tuple[int, int]] = []
    for label, count in pairs:
        if merged and merged[-1][0] == label:
            count += merged.pop()[1]
        merged.append((label, count))
    return _list([f"{class_names[label]}={count}" for label, count in merged]) or None


def parse_classes(text: str | None, class_names: Sequence[str]) -> set[int]:
    """``dictionary.leave_out`` as classes.

    Raises:
        InputError: there is no such class, or none remains.
    """
    labels = {_label(part, class_names, "leave_out") for part in _parts(text)}
    if labels and len(labels) == len(class_names):
        raise InputError(f"dictionary.leave_out = {text!r}: leaves out every class")
    return labels


def _list(parts: Sequence[str]) -> str:
    """Parts separated by commas; one that holds a comma itself is put in quotes, as in a CSV."""
    blanks = any(part != part.strip() for part in parts)
    line = io.StringIO()
    quoting = csv.QUOTE_ALL if blanks else csv.QUOTE_MINIMAL
    csv.writer(line, lineterminator="", quoting=quoting).writerow(parts)
    return line.getvalue()


def _parts(text: str | None) -> list[str]:
    rows = csv.reader(io.StringIO(text or "", newline=""), skipinitialspace=True)
    return [part for row in rows for part in row if part.strip()]


def _label(name: str, class_names: Sequence[str], key: str) -> int:
    name = name if name in class_names else name.strip()
    if name not in class_names:
        some = ", ".join(class_names[:10]) + (", …" if len(class_names) > 10 else "")
        raise InputError(f"dictionary.{key}: there is no class {name!r}; there are {some}")
    return class_names.index(name)
