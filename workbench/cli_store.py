"""What is kept on this machine: ``workbench download`` and ``workbench cache``."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from workbench import folders


def add_download(parser: argparse.ArgumentParser) -> None:
    """``workbench download NAME [--to FOLDER]``."""
    parser.add_argument(
        "name",
        help="a dataset (mnist, fashion_mnist, cifar10, cifar100) or a "
        "classification model of torchvision (its published weights)",
    )
    parser.add_argument(
        "--to",
        type=Path,
        metavar="FOLDER",
        default=Path("data"),
        help="the data root that a dataset is put into (default: data)",
    )
    parser.set_defaults(do=_download)


def add_cache(parser: argparse.ArgumentParser) -> None:
    """``workbench cache [--clear]``."""
    parser.add_argument("--clear", action="store_true", help="delete all cached features")
    parser.set_defaults(do=_cache)


def _download(options: argparse.Namespace) -> int:
    from workbench.data import download

    report = _Meter(options.name)
    if options.name in download.DATASETS:
        download.dataset(options.name, options.to, report)
        print(f"{options.name} is in {options.to}; use it with --set data.root={options.to}")
    else:
        print(f"the weights of {options.name} are in {download.weights(options.name, report)}")
    return 0


class _Meter:
    """Tells of a download on stderr, twice a second."""

    def __init__(self, name: str) -> None:
        self._name, self._told = name, 0.0

    def __call__(self, done: int, total: int | None) -> None:
        now = time.monotonic()
        if now - self._told < 0.5 and done != total:
            return
        self._told = now
        of = "" if total is None else f" of {total / 1e6:.1f}"
        print(f"{self._name}: {done / 1e6:.1f}{of} MB", file=sys.stderr, flush=True)


def _cache(options: argparse.Namespace) -> int:
    from workbench.data import features

    place = folders.cache() / "features"
    if options.clear:
        print(f"freed {features.clear(place) / 1e6:.1f} MB in {place}")
        return 0
    print("\n".join(listing()))
    return 0


def listing() -> list[str]:
    """What is cached, a line each."""
    from workbench.data import features

    place = folders.cache() / "features"
    found = features.entries(place)
    size = sum(entry.bytes for entry in found) / 1e6
    lines = [f"cached features: {len(found)}, {size:.1f} MB in {place}"]
    for entry in found:
        part = "" if entry.done == entry.rows else f" ({entry.done} done)"
        lines.append(f"  {entry.backbone}: {entry.rows} images{part}, {entry.bytes / 1e6:.1f} MB")
    return lines
