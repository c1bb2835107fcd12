"""What a new exemplar costs: adding 1 000 to dictionaries of several sizes.

    python benchmarks/growth.py [--features 2048] [--repeat 7]

The time is that from the document's change to a network that is ready to run: choosing the images,
reading and scaling their vectors, appending the atoms, checking and wiring them. Beside it, what a
dictionary costs that is built anew with the same atoms. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import time
from statistics import median

import torch

from workbench.coding import dictionaries
from workbench.coding.dictionaries import Dictionary
from workbench.document.schema import Dictionary as Section
from workbench.systems import kinds
from workbench.systems.protocol import Wiring

NEW = 1000
SIZES = (1000, 3000, 10_000, 30_000)


class Vectors:
    """Random features in memory."""

    def __init__(self, images: int, features: int) -> None:
        generator = torch.Generator().manual_seed(0)
        self._table = torch.randn(images, features, generator=generator)

    def rows(self, index: torch.Tensor) -> torch.Tensor:
        return self._table[index]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--features", type=int, default=2048)
    parser.add_argument("--repeat", type=int, default=7)
    options = parser.parse_args()
    images = max(SIZES) + NEW
    vectors = Vectors(images, options.features)
    # Class 1 is what joins, class 0 what is there.
    labels = (torch.arange(images) >= max(SIZES)).long()
    bases = {size: build(vectors, labels, options.features, size) for size in SIZES}
    times: dict[int, list[float]] = {size: [] for size in SIZES}
    anew: dict[int, list[float]] = {size: [] for size in SIZES}
    for size, base in bases.items():  # once unmeasured: pages and caches are warm after it
        timed_growth(base, vectors, labels, options.features)
    for _ in range(options.repeat):  # in turns, so that what else the machine does hits all alike
        for size, base in bases.items():
            times[size].append(timed_growth(base, vectors, labels, options.features))
            started = time.perf_counter()
            build(vectors, labels, options.features, size, added=f"new={NEW}")
            anew[size].append(time.perf_counter() - started)
    print(f"Adding {NEW} exemplars of {options.features} features, median of {options.repeat}")
    print(f"{'atoms before':>12} {'grown, ms':>10} {'ratio':>6} {'built anew, ms':>15}")
    first = median(times[SIZES[0]])
    for size in SIZES:
        grown = median(times[size])
        whole = median(anew[size])
        print(f"{size:>12} {1000 * grown:>10.2f} {grown / first:>6.2f} {1000 * whole:>15.1f}")


def build(
    vectors: Vectors, labels: torch.Tensor, features: int, size: int, added: str | None = None
) -> Dictionary:
    """A dictionary of so many exemplars of the old class."""
    section = Section(atoms=size, leave_out="new", added=added)
    return dictionaries.build(section, vectors, labels, features, ("old", "new"))


def timed_growth(base: Dictionary, vectors: Vectors, labels: torch.Tensor, features: int) -> float:
    """Seconds from the wish to a network that is ready."""
    # the same dictionary with its room to spare not yet taken
    base.store.used = len(base)
    section = Section(atoms=len(base), leave_out="new")
    wish = section.model_copy(update={"added": f"new={NEW}"})
    lca = kinds()["lca"]
    started = time.perf_counter()
    grown = dictionaries.build(wish, vectors, labels, features, ("old", "new"), (section, base))
    lca(lca.Params(), Wiring(features, grown.atoms, grown.labels, 2, checked=len(base)))
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
