"""The LCA against other solvers of the same Lasso, to the same duality gap.

    python benchmarks/peers.py [--mnist FOLDER] [--only WORDS] [--repeat 3] [--limit 60] [--quick]

min over a of ½‖s − Φa‖² + λ‖a‖₁ for 1 and for 16 signals at once, until the gap of each is at most
1e-2 and 1e-4 of ½‖s‖². Every solver judges by its own rule: ours and FISTA by `optimality` at the
steps where a run with ``run.tolerance`` looks (who is done leaves the batch), scikit-learn's
coordinate descent by its own duality gap, with half the tolerance because it measures in ‖s‖². The
homotopies (LARS, SPAMS) have no tolerance and stand once, as exact. What was reached is then
measured for all by `optimality.duality_gap` in float64; "!" marks a gap above the tolerance.

- lca: residual or lazy engine, Euler, with η = 0.01 as the paper has it and with the largest step
  of a grid under which the energy of no signal rises; finding that step is not in the times.
- FISTA (Beck & Teboulle, SIAM J. Imaging Sci. 2, 2009, constant step): 1/λ_max(ΦΦᵀ) is found
  before, not in the times.
- scikit-learn's ``Lasso`` divides the error by the number of features, hence alpha = λ / N;
  ``sparse_encode`` would do so itself, but always builds the M × M Gramian and hides the tolerance.
  ``precompute=False`` here, the rest at its defaults (float32; LARS in float64).
- SPAMS, if it can be imported (``pip install spams-bin``): ``lasso`` in mode 2, all threads.

"ms" is the median time per signal, "times" that over the fastest of ours that reached the same
tolerance (the finest, for the exact ones), "gap" the largest reached as a part of ½‖s‖², "apart"
the largest difference of a code from the best code any solver found, "MB" the extra memory at its
peak in the first run. A batch method that is not done after ``--limit`` seconds is cut off there
("!"), a solver of single signals stops at the signal it is at ("solved" says how many). Nothing is
asserted.
"""

from __future__ import annotations

import argparse
import math
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import torch
from lca import Case, features, peak_memory
from sklearn.datasets import load_digits
from sklearn.linear_model import Lasso, LassoLars
from torch import Tensor
from torch.nn.functional import normalize, softshrink

from workbench.analysis import optimality, stability
from workbench.data import datasets
from workbench.document.schema import Data
from workbench.engine.convergence import instants, look_steps
from workbench.engine.experiment import Cancelled
from workbench.systems import kinds
from workbench.systems import protocol as problems
from workbench.systems.protocol import System, Wiring

try:
    import spams
except ImportError:
    spams = None

BATCHES = (1, 16)
TOLERANCES = (1e-2, 1e-4)
MOST_STEPS = 1_000_000
PAPER_STEP = 0.01


class Task(NamedTuple):
    """What a solver is given."""

    case: Case
    signals: Tensor  # [B, N]
    tolerance: float
    limit: float  # seconds
    largest: float  # λ_max(ΦΦᵀ)


class Row(NamedTuple):
    """What a solver did with a task."""

    solver: str
    tolerance: float | None  # None: exact
    seconds: float  # per signal
    codes: Tensor  # [solved, M]
    memory: int  # bytes


Solver = Callable[[Task], Tensor]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mnist", type=Path, metavar="FOLDER", help="a torchvision root")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--limit", type=float, default=60.0, help="seconds for one measurement")
    parser.add_argument("--only", default="", help="only cases with this in their name")
    parser.add_argument("--quick", action="store_true", help="small dictionaries, one repetition")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # who does not converge is seen in the gap
    repeat, limit = (
        (1, min(options.limit, 5.0)) if options.quick else (options.repeat, options.limit)
    )
    print(f"median of {repeat}, limit {limit:.0f} s, {torch.get_num_threads()} threads")
    for case in cases(options.mnist, options.quick):
        if options.only in case.name:
            report(case, repeat, limit)


def cases(mnist: Path | None, quick: bool) -> Iterator[Case]:
    """Handwritten digits, MNIST where it is, and features as of a network; 16 signals each."""
    digits = torch.tensor(load_digits().data / 16, dtype=torch.float32)
    yield Case("digits 1437 x 64, λ 2", normalize(digits[:1437], dim=1), digits[-16:], 2.0, 0.0)
    if mnist is not None:
        data = datasets.load(Data(dataset="mnist", root=str(mnist)))
        signals = data.test.images[:16].flatten(1).float() / 255
        for count in (2000,) if quick else (10_000, 60_000):
            atoms = normalize(data.train.images[:count].flatten(1).float(), dim=1)
            yield Case(f"MNIST {count} x 784, λ 2", atoms, signals, 2.0, 0.0)
    for count in (2000,) if quick else (10_000, 50_000):
        made = features(count + 16)
        yield Case(f"features {count} x 2048, λ 1.5", made[:count], 10 * made[count:], 1.5, 0.0)


def report(case: Case, repeat: int, limit: float) -> None:
    """Measure every solver on one dictionary and print its blocks."""
    largest = 1.01 * spectral(case.atoms)  # power iteration ends a little below
    steady = steady_step(case)
    wide = case.atoms.double()
    print(f"\n{case.name}: λ_max {largest:.4g}, largest η of the grid {steady:.3g}")
    for batch in BATCHES:
        rows = []
        for tolerance in TOLERANCES:
            task = Task(case, case.signals[:batch], tolerance, limit, largest)
            rows += [
                measured(name, tolerance, task, solve, repeat)
                for name, solve in gradual(steady).items()
            ]
        rows += [measured(name, None, task, solve, repeat) for name, solve in EXACT.items()]
        show(rows, case, batch, wide)


def gradual(steady: float) -> dict[str, Solver]:
    """The solvers that have a tolerance."""
    steps = {PAPER_STEP: None, steady: None}
    ours = {
        f"lca {engine} η {step:.3g}": lambda task, e=engine, s=step: lca(task, e, s)
        for step in steps
        for engine in ("residual", "lazy")
    }
    return ours | {"FISTA": fista, "sklearn lasso_cd": coordinate_descent}


# -- solvers --------------------------------------------------------------------------------------


def network(case: Case, engine: str, step: float) -> System:
    """An LCA that goes ``step`` of the way at each step."""
    kind = kinds()["lca"]
    params = kind.Params(threshold=case.threshold, time_constant=1 / step, steps=MOST_STEPS)
    wiring = Wiring(case.atoms.shape[1], case.atoms, checked=len(case.atoms), engine=engine)
    return kind(params, wiring)


def lca(task: Task, engine: str, step: float) -> Tensor:
    """Ours, until each signal has converged or the time is over."""
    system, deadline = network(task.case, engine, step), time.perf_counter() + task.limit
    codes = task.signals.new_zeros(len(task.signals), len(task.case.atoms))
    going = instants(
        system,
        system.init(task.signals),
        len(task.signals),
        task.tolerance,
        lambda: time.perf_counter() > deadline,
    )
    left = None
    try:
        for now in going:
            left = now
            if len(now.stopping):
                codes[now.rows[now.stopping]] = activation(system, now.stopped(system))
                left = None if len(now.stopping) == len(now.rows) else now
    except Cancelled:
        codes[left.rows] = activation(system, left.state)
    return codes


def activation(system: System, state: object) -> Tensor:
    """The code [B, M]."""
    return system.observe(state, ("activation",))["activation"]


def fista(task: Task) -> Tensor:
    """a' = T(y + Φᵀ(s − Φy) / L), y' = a' + (t − 1) / t' (a' − a), with L = λ_max."""
    atoms, threshold, scale = task.case.atoms, task.case.threshold, 1 / task.largest
    codes = task.signals.new_zeros(len(task.signals), len(atoms))
    rows, signal = torch.arange(len(codes)), task.signals
    a = y = codes.clone()
    t, looks = 1.0, frozenset(look_steps(MOST_STEPS))
    deadline, step = time.perf_counter() + task.limit, 0
    while len(rows) and time.perf_counter() < deadline:
        before, step = a, step + 1
        left = torch.addmm(signal, y, atoms, alpha=-1)
        a = softshrink(torch.addmm(y, left, atoms.T, alpha=scale), threshold * scale)
        t, last = (1 + (1 + 4 * t * t) ** 0.5) / 2, t
        y = a + (last - 1) / t * (a - before)
        if step in looks:
            done = optimality.converged(problem(signal, atoms, a, threshold), task.tolerance)
            codes[rows[done]] = a[done]
            rows, signal, a, y = rows[~done], signal[~done], a[~done], y[~done]
    codes[rows] = a
    return codes


def coordinate_descent(task: Task) -> Tensor:
    """scikit-learn's Lasso; its gap is compared with tol ‖s‖²."""
    alpha = task.case.threshold / task.case.atoms.shape[1]
    settings = {"fit_intercept": False, "precompute": False, "copy_X": False, "max_iter": 100_000}
    solver = Lasso(alpha, tol=task.tolerance / 2, **settings)
    atoms = task.case.atoms.numpy().T
    return one_by_one(task, lambda s: solver.fit(atoms, s.numpy()).coef_)


def lars(task: Task) -> Tensor:
    """scikit-learn's homotopy, down to alpha or, by default, for 500 steps."""
    alpha = task.case.threshold / task.case.atoms.shape[1]
    solver = LassoLars(alpha, fit_intercept=False, precompute=False)
    atoms = task.case.atoms.double().numpy().T
    return one_by_one(task, lambda s: solver.fit(atoms, s.double().numpy()).coef_)


def spams_lasso(task: Task) -> Tensor:
    """SPAMS' homotopy, all signals in one call."""
    found = spams.lasso(
        np.asfortranarray(task.signals.numpy().T),
        D=np.asfortranarray(task.case.atoms.numpy().T),
        lambda1=task.case.threshold,
        mode=2,
    )
    return torch.from_numpy(found.T.toarray())


EXACT: dict[str, Solver] = {"sklearn lasso_lars": lars}
if spams is not None:
    EXACT["SPAMS lasso"] = spams_lasso


def one_by_one(task: Task, solve: Callable[[Tensor], np.ndarray]) -> Tensor:
    """The codes of as many signals as there is time for."""
    codes, deadline = [], time.perf_counter() + task.limit
    for signal in task.signals:
        codes.append(torch.from_numpy(solve(signal).copy()).float())
        if time.perf_counter() > deadline:
            break
    return torch.stack(codes)


# -- measuring ------------------------------------------------------------------------------------


def measured(solver: str, tolerance: float | None, task: Task, solve: Solver, repeat: int) -> Row:
    """Median of the times; the first run, which is watched, counts only where it takes long."""
    times, kept = [], []

    def run() -> None:
        started = time.perf_counter()
        kept[:] = [solve(task)]
        times.append(time.perf_counter() - started)

    memory = peak_memory(run)
    if times[0] < task.limit / 6:
        times.clear()
        for _ in range(repeat):
            run()
    (codes,) = kept
    return Row(solver, tolerance, median(times) / len(codes), codes, memory)


def show(rows: list[Row], case: Case, batch: int, atoms: Tensor) -> None:
    """Print a block: one batch size, all solvers; exact ones beside our fastest at the finest."""
    signals = case.signals[:batch]
    gaps = [relative_gaps(row.codes, signals, atoms, case.threshold) for row in rows]
    best = []  # for each signal the code with the smallest gap
    for i in range(batch):
        able = [j for j, row in enumerate(rows) if i < len(row.codes)]
        best.append(rows[min(able, key=lambda j, i=i: float(gaps[j][i]))].codes[i])
    fastest = dict.fromkeys(TOLERANCES, math.nan)  # of ours; NaN where none reached the tolerance
    for row, gap in zip(rows, gaps, strict=True):
        if row.solver.startswith("lca") and float(gap.max()) <= row.tolerance:
            fastest[row.tolerance] = np.fmin(fastest[row.tolerance], row.seconds)
    print(
        f"{'batch':>5} {'tolerance':>9}  {'solver':<22} {'ms':>9} {'times':>6} "
        f"{'gap':>9}   {'apart':>7} {'MB':>5} {'solved':>7}"
    )
    for tolerance in (*TOLERANCES, None):
        for row, gap in zip(rows, gaps, strict=True):
            if row.tolerance != tolerance:
                continue
            apart = max(float((c - b).abs().max()) for c, b in zip(row.codes, best, strict=False))
            times = row.seconds / fastest[tolerance or TOLERANCES[-1]]
            missed = "!" if float(gap.max()) > (tolerance or TOLERANCES[-1]) else " "
            print(
                f"{batch:>5} {tolerance or 'exact':>9}  {row.solver:<22} {1e3 * row.seconds:>9.2f} "
                f"{times:>6.2g} {float(gap.max()):>9.1e} {missed} {apart:>7.1e} "
                f"{row.memory / 2**20:>5.0f} {len(row.codes):>4}/{batch}",
                flush=True,
            )
    if spams is None:
        print(f"{batch:>5} {'exact':>9}  {'SPAMS lasso':<22} not installed")


def problem(signal: Tensor, atoms: Tensor, a: Tensor, threshold: float) -> problems.Lasso:
    """The Lasso as `optimality` takes it."""
    return problems.Lasso(signal, atoms, a, threshold, 1.0)


def relative_gaps(codes: Tensor, signals: Tensor, atoms: Tensor, threshold: float) -> Tensor:
    """The gap of each code in float64, in parts of ½‖s‖²."""
    signals = signals[: len(codes)].double()
    gap = optimality.duality_gap(problem(signals, atoms, codes.double(), threshold))
    return gap / (0.5 * signals.square().sum(1))


def spectral(atoms: Tensor, most: int = 200) -> float:
    """λ_max(ΦΦᵀ) by power iteration on all atoms."""
    vector, value = torch.ones(atoms.shape[1]), 0.0
    for _ in range(most):
        vector = atoms.T @ (atoms @ (vector / torch.linalg.vector_norm(vector)))
        before, value = value, float(torch.linalg.vector_norm(vector))
        if value - before <= 1e-6 * value:
            break
    return value


def steady_step(case: Case) -> float:
    """The largest of 0.01, 0.015, 0.0225, … under which the energy of no signal rises."""
    step = PAPER_STEP
    while 1.5 * step < 1 and is_steady(case, 1.5 * step):
        step *= 1.5
    return step


def is_steady(case: Case, step: float) -> bool:
    """Whether no energy rises within five time constants, past the peak of activity."""
    system = network(case, "lazy", step)
    state, energies = system.init(case.signals), []
    for _ in range(int(5 / step)):
        energies.append(system.observe(state, ("energy",))["energy"][:, 2])
        state = system.step(state)
    return all(stability.first_rise(total.numpy()) is None for total in torch.stack(energies, 1))


if __name__ == "__main__":
    main()
