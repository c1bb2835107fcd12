"""An LCA spread over processes: what a step costs, and what it sends.

    python benchmarks/sharding.py [--atoms 32768] [--features 2048] [--steps 100]

The processes share this machine, each with one thread, and talk through gloo. `step` is the mean
time of a step as an evaluation takes it, with the energy and the fingerprint; `bare` that of a step
alone, and `pass` that of one product of the batch with the atoms here. `sent` is what one process
puts into sums, maxima and gathers per step, counted in them, and `waits` the time it spends there,
for the slowest as well as for the wire. `difference` is the largest of any activation at any step
from that of one process in the same storage, `firing` the mean number of firing neurons at the step
where most fire. Atoms and signals are made up: features of 64 classes, as a backbone gives them.
Nothing is asserted.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean, median

import torch
from torch import Tensor
from torch.nn.functional import normalize

from workbench.engine import fingerprint, sharding
from workbench.systems import kinds
from workbench.systems.protocol import WHOLE, System, Wiring

CLASSES, THRESHOLD, TIME_CONSTANT = 64, 2.0, 100.0
BLOCK = 1024  # atoms made at once, each block from a seed of its own
PROCESSES = (1, 2, 4)
STORAGES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def main() -> None:
    """Print the table, or be one of the processes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--atoms", type=int, default=32_768)
    parser.add_argument("--features", type=int, default=2048)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker is not None:
        work(options)
        return
    print(
        f"{options.atoms} x {options.features} atoms, {options.steps} steps, "
        f"{os.cpu_count()} cores\n"
        f"{'storage':<9} {'batch':>5} {'processes':>9} {'step, ms':>9} {'bare, ms':>9} "
        f"{'pass, ms':>9} {'sent, kB':>9} {'bare, kB':>9} {'waits, ms':>9} {'MB atoms':>8} "
        f"{'firing':>6} {'difference':>10}"
    )
    with tempfile.TemporaryDirectory() as folder:
        for processes in PROCESSES:
            launch(processes, Path(folder), options)


def launch(processes: int, folder: Path, options: argparse.Namespace) -> None:
    """Start the processes and wait for them."""
    command = [sys.executable, __file__, "--worker", str(folder)]
    for name in ("atoms", "features", "steps"):
        command += [f"--{name}", str(getattr(options, name))]
    if processes > 1:
        torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node"]
        command[1:1] = [*torchrun, str(processes)]
    root = str(Path(__file__).resolve().parents[1])
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": root}
    subprocess.run(command, check=True, env=environment)


def work(options: argparse.Namespace) -> None:
    """One process of the benchmark; the first prints."""
    processes = sharding.join() if os.environ.get("RANK") else None
    shard = processes.shard if processes else WHOLE
    here = shard.part(options.atoms)
    atoms = torch.cat([*features(here, options.features)])
    signals = 10 * torch.cat([*features(slice(options.atoms, options.atoms + 64), atoms.shape[1])])
    for storage, dtype in STORAGES.items():
        over = shard.over(options.atoms) if processes else WHOLE
        wiring = Wiring(options.features, atoms.to(dtype), shard=over)
        lca = kinds()["lca"]
        params = lca.Params(threshold=THRESHOLD, time_constant=TIME_CONSTANT)
        system = lca(params, wiring)
        for batch in (1, 64):
            line = measured(system, signals[:batch], options, storage, processes)
            if shard.rank == 0:
                print(line, flush=True)
    if processes:
        processes.wait()
        processes.close()


def measured(
    system: System,
    signals: Tensor,
    options: argparse.Namespace,
    storage: str,
    processes: sharding.Processes | None,
) -> str:
    """One line of the table."""
    shard, neurons = system.wiring.shard, options.atoms
    traffic = processes.traffic if processes else sharding.Traffic()
    state, digest = system.init(signals), fingerprint.START
    unwatched = system.with_params(system.params)  # has no observation to take over
    full, bare, waits, sent, sent_bare, codes, firing = [], [], [], [], [], [], 0.0
    for _ in range(options.steps):
        started, before = time.perf_counter(), traffic.bytes
        unwatched.step(state)
        bare.append(time.perf_counter() - started)
        sent_bare.append(traffic.bytes - before)
        started, before, waited = time.perf_counter(), traffic.bytes, traffic.seconds
        state = system.step(state)
        seen = system.observe(state, ("activation", "energy", "firing_count"))
        digest = fingerprint.chain(digest, seen["activation"], shard)
        full.append(time.perf_counter() - started)
        sent.append(traffic.bytes - before)
        waits.append(traffic.seconds - waited)
        firing = max(firing, float(seen["firing_count"].double().mean()))
        place = seen["activation"].nonzero()
        value = seen["activation"][place[:, 0], place[:, 1]]
        place[:, 1] += shard.start
        codes.append(torch.cat([place.double(), value[:, None].double()], 1))
    passes = []
    for _ in range(5):
        started = time.perf_counter()
        system.products.match(signals)
        passes.append(time.perf_counter() - started)
    codes = [shard.gather(code) for code in codes]
    difference = ""
    if shard.rank == 0:
        difference = compared(codes, options.worker / f"{storage}-{len(signals)}.pt", neurons)
    return (
        f"{storage:<9} {len(signals):>5} {shard.processes:>9} {1000 * mean(full):>9.2f} "
        f"{1000 * mean(bare):>9.2f} {1000 * median(passes):>9.2f} {mean(sent) / 1e3:>9.1f} "
        f"{mean(sent_bare) / 1e3:>9.1f} {1000 * mean(waits):>9.2f} "
        f"{system.atoms.nbytes / 1e6:>8.0f} {firing:>6.0f} {difference:>10}"
    )


def compared(codes: list[Tensor], path: Path, neurons: int) -> str:
    """The largest difference from what one process left in the file; it leaves it there."""
    if not path.exists():
        torch.save(codes, path)
        return "0"
    worst = 0.0
    for one, other in zip(torch.load(path), codes, strict=True):
        dense = torch.zeros(2, 64 * neurons, dtype=torch.float64)
        for row, code in zip(dense, (one, other), strict=True):
            row[(code[:, 0] * neurons + code[:, 1]).long()] = code[:, 2]
        worst = max(worst, float((dense[0] - dense[1]).abs().max()))
    return f"{worst:.1e}"


def features(which: slice, size: int):
    """Rows of a made-up training set, block by block: non-negative, of classes, of length 1."""
    means = torch.randn(CLASSES, size, generator=torch.Generator().manual_seed(1 << 40))
    for block in range(which.start // BLOCK, -(-which.stop // BLOCK)):
        generator = torch.Generator().manual_seed(block)
        labels = torch.randint(CLASSES, (BLOCK,), generator=generator)
        noise = torch.randn(BLOCK, size, generator=generator)
        rows = normalize((means[labels] + noise).clamp_(min=0), dim=1)
        first = block * BLOCK
        yield rows[max(which.start - first, 0) : which.stop - first]


if __name__ == "__main__":
    main()
