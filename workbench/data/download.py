"""Datasets and weights fetched through torchvision, when asked, and never otherwise.

torchvision does the work: addresses, mirrors, checksums, unpacking. It tells of its progress by a
bar alone, so for the time of a download a bar of ours stands in its place: it reports, and raises
when the download is called off. A dataset is built in a folder beside its place and moved there
when it is whole, so that nothing half-made is left behind.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError

from workbench.data import torchvision_compat
from workbench.data.backbones import published, published_file
from workbench.errors import InputError

DATASETS = {
    "mnist": "MNIST",
    "fashion_mnist": "FashionMNIST",
    "cifar10": "CIFAR10",
    "cifar100": "CIFAR100",
}
Report = Callable[[int, int | None], None]  # bytes so far, bytes in all (None: not known)
Check = Callable[[], None]
PATIENCE = 20.0  # seconds without a word from the server
_lock = threading.Lock()  # one download at a time: the bar is torchvision's, not ours


def dataset(
    name: str,
    root: Path,
    report: Report = lambda done, total: None,
    check: Check = lambda: None,
) -> None:
    """Put a dataset into ``root``, as torchvision lays it out.

    Args:
        name: as in a document, "mnist".
        report: told of each piece that came.
        check: called with each piece; raises to call the download off.

    Raises:
        InputError: there is no such download, no network, or what came is damaged.
    """
    if name not in DATASETS:
        raise InputError(f"{name!r} cannot be downloaded; can be: {', '.join(DATASETS)}")
    torchvision_compat.ensure()
    from torchvision import datasets
    from torchvision.datasets import utils

    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root, prefix=".download-") as aside:
            with _bar(utils, report, check), _explained(name):
                getattr(datasets, DATASETS[name])(aside, download=True)
            for made in Path(aside).iterdir():
                if made.is_dir():  # the unpacked files; archives beside them are not needed
                    shutil.rmtree(root / made.name, ignore_errors=True)
                    shutil.move(made, root / made.name)
    except OSError as error:
        raise InputError(f"{root}: {name} cannot be put there: {error.strerror}") from error


def weights(
    name: str, report: Report = lambda done, total: None, check: Check = lambda: None
) -> Path:
    """Fetch the published weights of a network; returns their file.

    Raises:
        InputError: there are none, no network, or what came is damaged.
    """
    torchvision_compat.ensure()
    import torch.hub

    try:
        url, path = published(name).url, published_file(name)
    except InputError:
        raise InputError(
            f"{name!r} cannot be downloaded: it is neither a dataset ({', '.join(DATASETS)}) nor "
            "a classification model of torchvision"
        ) from None
    if path.is_file():
        return path
    checksum = torch.hub.HASH_REGEX.search(path.name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _bar(torch.hub, report, check), _explained(name):
            torch.hub.download_url_to_file(url, str(path), checksum.group(1) if checksum else None)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error
    return path


@contextlib.contextmanager
def _bar(module: Any, report: Report, check: Check) -> Iterator[None]:
    """While this lasts, ``module.tqdm`` reports and can be called off."""

    class Bar:
        def __init__(self, total: int | None = None, **looks: Any) -> None:
            self._total, self._done = total, 0

        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *failure: object) -> None:
            pass

        def update(self, size: int) -> None:
            check()
            self._done += size
            report(self._done, self._total)

    with _lock:
        before, patience = module.tqdm, socket.getdefaulttimeout()
        module.tqdm = Bar
        socket.setdefaulttimeout(PATIENCE)  # nothing else can be told to torchvision
        try:
            # torchvision prints what it does; stdout belongs to results
            with contextlib.redirect_stdout(sys.stderr):
                yield
        finally:
            module.tqdm = before
            socket.setdefaulttimeout(patience)


@contextlib.contextmanager
def _explained(name: str) -> Iterator[None]:
    """What can go wrong on the way, in a sentence that helps."""
    try:
        yield
    except (URLError, TimeoutError, ConnectionError) as error:
        raise InputError(_no_way(name, getattr(error, "reason", error))) from None
    except RuntimeError as error:
        line = " ".join(str(error).split()) or type(error).__name__
        # torchvision says the same of a mirror that is not there and of a file that is damaged
        if line.startswith("Error downloading") and "corrupted" not in line:
            raise InputError(_no_way(name, line)) from None
        raise InputError(f"{name} was downloaded but is not whole: {line}") from None


def _no_way(name: str, reason: object) -> str:
    return (
        f"{name} cannot be downloaded, there is no way to its server ({reason}); where there is "
        "no network, fetch it on another machine and give its folder or file"
    )
