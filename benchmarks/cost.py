"""How the cost of an LCA run grows with its dictionary, its features, its steps and its batch.

    python benchmarks/cost.py [--figure FILE.svg] [--repeat 3] [--quick]

One quantity is varied at a time about 20 000 atoms of 1 024 features, 100 steps, batch 16; the
features are as in `benchmarks/lca.py`. Each line has the median time of the residual and of the
lazy form, and of one pass b = Φᵀs over the dictionary: nothing that looks at every atom can be
faster than that. The roofline says what such a pass could be at best: all atoms read once at the
speed at which memory was read here, or all products made at the speed of a large square matrix
product here, whichever takes longer. Nothing is asserted.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

import torch
from lca import Case, features, network, timed

BASE = {"atoms": 20_000, "features": 1024, "steps": 100, "batch": 16}
VARIED = {
    "atoms": (5_000, 10_000, 20_000, 40_000, 80_000),
    "features": (256, 512, 1024, 2048),
    "steps": (25, 50, 100, 200, 400),
    "batch": (1, 4, 16, 64),
}
QUICK = {"atoms": (2_000, 4_000), "features": (256, 512), "steps": (25, 50), "batch": (1, 16)}


class Cost(NamedTuple):
    """Seconds at one point."""

    varied: str
    value: int
    roof: float
    single: float  # one pass
    residual: float
    lazy: float
    passes: int


def main() -> None:
    """Print the table, and draw the figure if one is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--figure", type=Path, metavar="FILE.svg")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="small, one repetition")
    options = parser.parse_args()
    byte_rate, product_rate = memory_speed(), product_speed()
    print(f"median of {1 if options.quick else options.repeat}, {torch.get_num_threads()} threads")
    print(f"memory is read at {byte_rate / 1e9:.1f} GB/s")
    print(f"matrices are multiplied at {2 * product_rate / 1e9:.0f} GFLOP/s")
    print(
        f"{'varied':<10}{'value':>7} {'roof, ms':>9} {'pass, ms':>9} {'residual, s':>11} "
        f"{'lazy, s':>8} {'faster':>7} {'in passes':>9} {'passes':>6}"
    )
    costs = list(measured(options, byte_rate, product_rate))
    if options.figure:
        draw(costs, options.figure)
        print(f"Wrote {options.figure}")


def measured(options: argparse.Namespace, byte_rate: float, product_rate: float) -> Iterator[Cost]:
    """Measure and print one point after the other."""
    repeat = 1 if options.quick else options.repeat
    for varied, values in (QUICK if options.quick else VARIED).items():
        for value in values:
            point = {**BASE, varied: value}
            found = cost(point, repeat)
            multiplied = point["atoms"] * point["features"]
            roof = max(4 * multiplied / byte_rate, point["batch"] * multiplied / product_rate)
            made = Cost(varied, value, roof, *found)
            print(
                f"{varied:<10}{value:>7} {1e3 * roof:>9.2f} {1e3 * made.single:>9.2f} "
                f"{made.residual:>11.3f} {made.lazy:>8.3f} {made.residual / made.lazy:>7.1f} "
                f"{made.lazy / made.single:>9.1f} {made.passes:>6}",
                flush=True,
            )
            yield made


def cost(point: dict[str, int], repeat: int) -> tuple[float, float, float, int]:
    """Median seconds of a pass and of both forms, and passes of the lazy one."""
    made = features(point["atoms"] + point["batch"], point["features"])
    atoms, signals = made[: point["atoms"]], 10 * made[point["atoms"] :]
    case = Case("", atoms, signals, 1.5, 100.0)
    times: dict[str, list[float]] = {"pass": [], "residual": [], "lazy": []}
    for _ in range(repeat):  # in turns, so that what else the machine does hits all alike
        times["pass"] += [timed(lambda: signals @ atoms.T) for _ in range(5)]
        for engine in ("residual", "lazy"):
            system = network(case, engine)
            times[engine].append(timed(lambda s=system: run(s, signals, point["steps"])))
    return (*(median(found) for found in times.values()), system.lazy.passes)


def run(system, signals: torch.Tensor, steps: int) -> None:
    """A run, without observing."""
    state = system.init(signals)
    for _ in range(steps):
        state = system.step(state)


def memory_speed() -> float:
    """Bytes that are read in a second, of an array that no cache holds."""
    numbers = torch.ones(1 << 26)
    return 4 * len(numbers) / median(timed(numbers.sum) for _ in range(7))


def product_speed() -> float:
    """Multiply-adds in a second, of square matrices."""
    square = torch.ones(2048, 2048)
    return 2048**3 / median(timed(lambda: square @ square) for _ in range(7))


def draw(costs: list[Cost], path: Path) -> None:
    """Times over each varied quantity, above; below in passes."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = list(dict.fromkeys(cost.varied for cost in costs))
    figure, axes = pyplot.subplots(
        2, len(names), figsize=(3 * len(names), 5.6), sharex="col", sharey="row", squeeze=False
    )
    lines = (
        ("residual", "residual form", "#8a8f98", "o"),
        ("lazy", "lazy form", "#2f6fde", "o"),
        ("single", "one pass b = Φᵀs", "#d1783c", "s"),
        ("roof", "the least a pass can take", "#d1783c", ""),
    )
    for column, name in enumerate(names):
        mine = [cost for cost in costs if cost.varied == name]
        values = [cost.value for cost in mine]
        above, below = axes[:, column]
        for field, label, colour, marker in lines:
            style = {"color": colour, "marker": marker, "markersize": 4}
            dashes = "--" if field == "roof" else "-"
            above.plot(values, [getattr(c, field) for c in mine], dashes, label=label, **style)
            if field in ("residual", "lazy"):
                parts = [getattr(c, field) / c.single for c in mine]
                below.plot(values, parts, label=label, **style)
        for axis in (above, below):
            axis.set(xscale="log", yscale="log")
            axis.grid(alpha=0.25)
            axis.spines[["top", "right"]].set_visible(False)
        below.set_xticks(values, [f"{v:,}".replace(",", " ") for v in values], fontsize=8)
        below.minorticks_off()
        below.set_xlabel(name)
    axes[0, 0].set_ylabel("seconds of a run")
    axes[1, 0].set_ylabel("in passes over the dictionary")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", ncols=4, frameon=False)
    figure.tight_layout(rect=(0, 0, 1, 0.94))
    figure.savefig(path)


if __name__ == "__main__":
    main()
