"""Image folders and zips of them: one sub-folder per class, with or without a split.

    ROOT/train/<class>/*.jpg, ROOT/test/<class>/*.jpg   (or val in place of test)
    ROOT/<class>/*.jpg                                  (a seeded split: four fifths train)

Folders that hold nothing but one other folder are passed through.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

import numpy as np
import torch

from workbench.data.splits import Images, Pictures, Source, Split, archive
from workbench.document import PICTURES
from workbench.errors import InputError

IN_MEMORY = 2**30  # bytes of pixels that are still held in memory
LISTED = 3  # names in a note; the others are counted

Report = Callable[[str], None]
Check = Callable[[], None]


def load(root: Path, seed: int) -> Divided:
    """Training list, test list and class names of a folder or a zip."""
    return divide(sources(root), seed)


def sources(root: Path) -> list[Source]:
    """Every image file below a folder, or in a zip, by name.

    Raises:
        InputError: there is no such folder, or the zip is damaged.
    """
    if os.path.isdir(root):  # a name may be too long to be asked for
        files = (f for f in root.rglob("*") if f.suffix.lower() in PICTURES and f.is_file())
        found = [
            Source(root, f.relative_to(root).as_posix(), f"{s.st_size} {s.st_mtime_ns}")
            for f in files
            for s in (f.stat(),)
        ]
    elif os.path.isfile(root):
        try:
            members = archive(root).infolist()
        except (zipfile.BadZipFile, OSError) as error:
            raise InputError(
                f"data.root = {str(root)!r}: must be a folder or a whole zip ({error})"
            ) from None
        found = [
            Source(root, m.filename, f"{m.CRC:08x}")
            for m in members
            if PurePosixPath(m.filename).suffix.lower() in PICTURES
            and not m.filename.startswith("__MACOSX")
        ]
    else:
        raise InputError(f"data.root = {str(root)!r}: there is no such folder or zip")
    if not found:
        raise InputError(
            f"data.root = {str(root)!r}: holds no images ({', '.join(PICTURES[:4])}, …)"
        )
    return sorted(found, key=lambda source: source.member)


def empty_folders(root: Path) -> list[str]:
    """The folders that could be classes but hold nothing, by name."""
    if not root.is_dir():
        return []
    parts = [root, *_folders_in(root)]
    return sorted(
        f.relative_to(root).as_posix()
        for part in parts
        for f in _folders_in(part)
        if not any(f.iterdir())
    )


def _folders_in(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:  # unlike Path.is_dir, asks nothing about each image
        return [Path(entry.path) for entry in entries if entry.is_dir()]


def file_source(path: Path) -> Source:
    """One image file."""
    facts = path.stat()
    return Source(path.parent, path.name, f"{facts.st_size} {facts.st_mtime_ns}")


Divided = tuple["Listing", "Listing", tuple[str, ...]]


def divide(found: Iterable[Source], seed: int) -> Divided:
    """Training list, test list and class names of the images of a folder.

    Raises:
        InputError: the images do not lie in class folders, or a split is empty.
    """
    paths = [(PurePosixPath(source.member).parts, source) for source in found]
    while len({parts[0] for parts, _ in paths}) == 1 and min(len(p) for p, _ in paths) > 2:
        paths = [(parts[1:], source) for parts, source in paths]
    heads = {parts[0].lower() for parts, _ in paths}
    tests = [name for name in ("test", "val", "validation") if name in heads]
    if "train" in heads and tests:
        train = [(p[1:], s) for p, s in paths if p[0].lower() == "train"]
        test = [(p[1:], s) for p, s in paths if p[0].lower() == tests[0]]
    else:
        order = np.random.default_rng(seed).permutation(len(paths))
        fifth = max(1, len(paths) // 5)
        train = [paths[i] for i in sorted(order[fifth:])]
        test = [paths[i] for i in sorted(order[:fifth])]
    for parts, source in (*train, *test):
        if len(parts) < 2:
            raise InputError(
                f"data.root: {source.member} lies in no class folder; every image must lie in a "
                "folder named after its class"
            )
    if not train or not test:
        raise InputError("data.root: holds images for only one of training and test")
    names = sorted({parts[0] for parts, _ in (*train, *test)})
    number = {name: label for label, name in enumerate(names)}
    return (
        Listing([(s, number[p[0]]) for p, s in train]),
        Listing([(s, number[p[0]]) for p, s in test]),
        tuple(names),
    )


class Listing:
    """Sources with labels, from which some are chosen before any image is read."""

    def __init__(self, pairs: list[tuple[Source, int]]) -> None:
        self.pairs = pairs

    def __len__(self) -> int:
        return len(self.pairs)

    def some(self, count: int | None, place: str, seed: int) -> Listing:
        """A seeded choice of ``count`` of them, in order; all, if None.

        Raises:
            InputError: there are fewer.
        """
        if count is None:
            return self
        if count > len(self):
            raise InputError(f"{place} = {count}: there are only {len(self)} such images")
        picked = np.random.default_rng(seed).permutation(len(self))[:count]
        return Listing([self.pairs[i] for i in sorted(picked)])

    def left_in_files(self, side: int | None, mixed: bool = False) -> Pictures:
        """The images in their files; their pixels are those of a square of this side.

        ``mixed``: they are known to be of several sizes.
        """
        labels = torch.tensor([label for _, label in self.pairs])
        return Pictures(tuple(source for source, _ in self.pairs), labels, side, mixed)

    def read(self, what: str, side: int | None, report: Report, check: Check) -> ReadListing:
        """Read the images: into memory if they are small and of one size.

        Unreadable ones are left out and noted. ``check`` is called often and may raise.

        Raises:
            InputError: no image can be read.
        """
        kept: list[tuple[Source, int]] = []
        arrays: list[np.ndarray] | None = []
        bad: list[str] = []
        size, mixed, shape = 0, False, None
        for index, (source, label) in enumerate(self.pairs):
            if index % 64 == 0:
                check()
            if index % 1024 == 0 and index:
                report(f"Reading {what} images: {index} of {len(self)}")
            try:
                array = np.asarray(source.picture())
            except OSError:
                bad.append(source.member)
                continue
            kept.append((source, label))
            size += array.nbytes
            shape = shape or array.shape
            mixed = mixed or array.shape != shape
            if size > IN_MEMORY or mixed:
                arrays = None
            if arrays is not None:
                arrays.append(array)
        if not kept:
            raise InputError(f"data.root: none of the {len(self)} {what} images can be read")
        labels = torch.tensor([label for _, label in kept])
        notes = _notes(bad, what)
        if arrays is not None and side is None:
            return Split(torch.from_numpy(np.stack(arrays)), labels), notes
        return Listing(kept).left_in_files(side, mixed), notes


ReadListing = tuple[Images, tuple[str, ...]]


def _notes(bad: list[str], what: str) -> tuple[str, ...]:
    if not bad:
        return ()
    return (f"{len(bad)} {what} images cannot be read and are left out: {some_names(bad)}",)


def some_names(names: list[str]) -> str:
    """The first few names, and a sign that there are more."""
    return ", ".join(names[:LISTED]) + (", …" if len(names) > LISTED else "")
