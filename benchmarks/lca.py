"""The engines of the LCA against each other: the same steps, by reading the dictionary or not.

    python benchmarks/lca.py [--mnist FOLDER] [--only TEXT] [--repeat 3] [--quick] [--device cuda]

Each run is building the network (the Gramian, for the dense form), `init` and 100 steps, without
observing. Beside the median time stand how many times faster than the residual form that is, the
time in multiples of one pass b = Φᵀs of the same batch, passes over the dictionary, the extra
memory at its peak (sampled in an unmeasured run; on a GPU, the GPU's), the largest difference of
the codes at any step, and at how many steps the firing counts of all samples agree. "peak" is the
mean number of firing neurons at the step where most fire. The dense form, the papers' own, is left
out where its Gramian would take more than 1 GB. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

import psutil
import torch
from sklearn.datasets import load_digits
from torch import Tensor
from torch.nn.functional import normalize

from workbench.data import datasets
from workbench.document.schema import Data
from workbench.systems import kinds
from workbench.systems.protocol import System, Wiring

CPU = torch.device("cpu")
STEPS = 100
BATCHES = (1, 64)
LARGEST_GRAMIAN = 1 << 28


class Case(NamedTuple):
    """Signals, most of which are left out at small batches, and what codes them."""

    name: str
    atoms: Tensor  # [M, N]
    signals: Tensor  # [64, N]
    threshold: float
    time_constant: float


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mnist", type=Path, metavar="FOLDER", help="a torchvision root")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases with this in their name")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="small dictionaries, one repetition")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    options = parser.parse_args()
    repeat = 1 if options.quick else options.repeat
    where = f"{torch.get_num_threads()} threads"
    if options.device == "cuda":
        where = torch.cuda.get_device_name()
    print(f"{STEPS} steps, median of {repeat}, {where}, torch {torch.__version__}")
    print(
        f"{'case':<32} {'batch':>5} {'peak':>6} {'engine':>9} {'time, s':>8} {'faster':>7} "
        f"{'in passes':>9} {'passes':>6} {'MB':>6} {'difference':>10} {'counts':>8}"
    )
    chosen = (case for case in cases(options.mnist, options.quick) if options.only in case.name)
    for case in chosen:
        there = case._replace(
            atoms=case.atoms.to(options.device), signals=case.signals.to(options.device)
        )
        for batch in BATCHES:
            report(there, batch, repeat)


def cases(mnist: Path | None, quick: bool) -> Iterator[Case]:
    """Handwritten digits, MNIST where it is, and features as of a network."""
    digits = torch.tensor(load_digits().data / 16, dtype=torch.float32)
    few = normalize(torch.randn(256, 784, generator=torch.Generator().manual_seed(0)), dim=1)
    mixed = 3 * torch.randn(64, 256, generator=torch.Generator().manual_seed(1)).clamp_(min=0) @ few
    yield Case("random 256 x 784, λ 2", few, mixed, 2.0, 20.0)
    yield Case("digits 1437 x 64, λ 2", normalize(digits[:1437], dim=1), digits[-64:], 2.0, 20.0)
    if mnist is not None:
        data = datasets.load(Data(dataset="mnist", root=str(mnist)))
        atoms = data.train.images[: 6000 if quick else None].flatten(1).float()
        atoms, signals = normalize(atoms, dim=1), data.test.images[:64].flatten(1).float() / 255
        for threshold in (2.0, 1.0):
            name = f"MNIST {len(atoms)} x 784, λ {threshold:.0f}"
            yield Case(name, atoms, signals, threshold, 100.0)
    neurons = 5000 if quick else 50_000
    made = features(neurons + 64)
    name = f"features {neurons} x 2048, λ 1.5"
    yield Case(name, made[:neurons], 10 * made[neurons:], 1.5, 100.0)


def features(count: int, length: int = 2048) -> Tensor:
    """Such as a pretrained network gives of ten classes, [count, length], unit norm.

    Class centres, what varies within a class in 64 directions that all share, a little noise in
    every feature; a rectifier leaves half of it.
    """
    drawn = torch.Generator().manual_seed(0)
    centres = torch.randn(10, length, generator=drawn)
    shared = torch.randn(64, length, generator=drawn) / 8
    labels = torch.randint(0, 10, (count,), generator=drawn)
    within = torch.randn(count, 64, generator=drawn) @ shared
    noise = 0.3 * torch.randn(count, length, generator=drawn)
    return normalize((centres[labels] + within + noise).clamp_(min=0), dim=1)


def report(case: Case, batch: int, repeat: int) -> None:
    """Print a line for each engine."""
    signals = case.signals[:batch]
    engines = ["residual", "lazy"]
    if len(case.atoms) ** 2 <= LARGEST_GRAMIAN:
        engines.append("dense")
    memory = {
        engine: peak_memory(lambda e=engine: run(case, signals, e), signals.device)
        for engine in engines
    }
    times: dict[str, list[float]] = {name: [] for name in (*engines, "pass")}
    passes: dict[str, str] = dict.fromkeys(engines, "")
    for _ in range(repeat):  # in turns, so that what else the machine does hits all alike
        for engine in engines:
            seconds, system = run(case, signals, engine)
            times[engine].append(seconds)
            if engine == "lazy":
                passes[engine] = str(system.lazy.passes)
        times["pass"] += [timed(lambda: signals @ case.atoms.T, signals.device) for _ in range(5)]
    for engine in engines:
        seconds = median(times[engine])
        difference, agreeing, peak = compared(case, signals, engine)
        told = f"{difference:>10.1e} {agreeing:>4}/{STEPS}" if engine != "residual" else ""
        print(
            f"{case.name:<32} {batch:>5} {peak:>6.0f} {engine:>9} {seconds:>8.4f} "
            f"{median(times['residual']) / seconds:>7.1f} {seconds / median(times['pass']):>9.1f} "
            f"{passes[engine]:>6} {memory[engine] / 2**20:>6.0f} {told}",
            flush=True,
        )


def network(case: Case, engine: str) -> System:
    """The network of a case."""
    lca = kinds()["lca"]
    params = lca.Params(threshold=case.threshold, time_constant=case.time_constant)
    wiring = Wiring(case.atoms.shape[1], case.atoms, checked=len(case.atoms), engine=engine)
    return lca(params, wiring)


def run(case: Case, signals: Tensor, engine: str) -> tuple[float, System]:
    """Seconds that a run takes, and the network, which has seen nothing before."""
    systems = []

    def go() -> None:
        systems.append(network(case, engine))
        state = systems[0].init(signals)
        for _ in range(STEPS):
            state = systems[0].step(state)

    return timed(go, signals.device), systems[0]


def compared(case: Case, signals: Tensor, engine: str) -> tuple[float, int, float]:
    """The largest difference of the codes from the residual form's, steps with equal firing counts,
    and how many fire at most.
    """
    systems = [network(case, name) for name in ("residual", engine)]
    states = [system.init(signals) for system in systems]
    difference, agreeing, peak = 0.0, 0, 0.0
    for _ in range(STEPS):
        states = [system.step(state) for system, state in zip(systems, states, strict=True)]
        one, other = (
            system.observe(state, ("activation", "firing_count"))
            for system, state in zip(systems, states, strict=True)
        )
        apart = float((one["activation"] - other["activation"]).abs().max())
        difference = max(difference, apart)
        agreeing += one["firing_count"].equal(other["firing_count"])
        peak = max(peak, float(one["firing_count"].double().mean()))
    return difference, agreeing, peak


def timed(call: Callable[[], object], device: torch.device = CPU) -> float:
    """Seconds that a call takes, until the device is done."""
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    wait()
    started = time.perf_counter()
    call()
    wait()
    return time.perf_counter() - started


def peak_memory(call: Callable[[], object], device: torch.device = CPU) -> int:
    """Bytes that the process, or what it has on the GPU, grows by at most during a call."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        call()
        return torch.cuda.max_memory_allocated() - before
    process, done = psutil.Process(), threading.Event()
    before = highest = process.memory_info().rss

    def watch() -> None:
        nonlocal highest
        while not done.wait(0.001):
            highest = max(highest, process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        call()
    finally:
        done.set()
        watcher.join()
    return highest - before


if __name__ == "__main__":
    main()
