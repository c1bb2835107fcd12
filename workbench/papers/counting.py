"""The paper's operation counts: exact integers, compared in every digit it prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.analysis import workload
from workbench.document import Document
from workbench.papers.claims import Claim, Finding, OneWork, Work
from workbench.papers.coding import Coding, described

if TYPE_CHECKING:
    from workbench.engine.evaluation import Evaluation

_SMALL = (3, 4, 5, 2)  # N, M, K, M̂ of a network whose operations are counted one by one


@dataclass(frozen=True)
class Operations:
    """Equation (12) for an inference, or the Gramian's cost if there are no steps."""

    features: int
    neurons: int
    steps: int | None = None
    firing: int = 0
    document: Document | None = None

    def works(self, budget: str) -> tuple[Work, ...]:
        return ()

    @property
    def count(self) -> int:
        """The number of operations."""
        if self.steps is None:
            return workload.gramian(self.features, self.neurons)
        sizes = (self.features, self.neurons, self.steps, self.firing)
        return workload.sparse_inference(*sizes)

    def find(self, claim: Claim, results: list[Any], budget: str) -> Finding:
        scale, name = (1e12, "T") if self.steps is None else (1e9, "G")
        ours = f"{self.count / scale:.5g} {name}FLOPs"
        slip = self._slip()
        if slip:  # the digits printed are too few to tell 2N − 1 from 2N
            return claim.judged(False, slip, ours=ours)
        same = claim.theirs.same_digits(self.count / scale)
        words = "the same" if same else "not the same"
        why = f"{self.count} operations, {words} in the digits printed"
        return claim.judged(same, why, ours=ours)

    def _slip(self) -> str:
        """What is wrong with the formula, by counting a small network's operations one by one."""
        features, neurons, steps, firing = _SMALL
        one_drive = features + (features - 1)  # multiplications and additions of one product
        if self.steps is None:
            pairs = sum(1 for row in range(neurons) for column in range(row + 1))
            formula, counted = workload.gramian(features, neurons), pairs * one_drive
        else:
            # of each neuron: its product with the firing ones, b − Ga, and the integration
            one_step = firing + (firing - 1) + 1 + 1
            formula = workload.sparse_inference(*_SMALL)
            counted = neurons * one_drive + steps * neurons * one_step
        wrong = f"the formula gives {formula} operations for a network that takes {counted}"
        return "" if formula == counted else wrong


@dataclass(frozen=True)
class MeasuredOperations(OneWork):
    """Equation (12) with the number of firing neurons of a run: shown, not judged."""

    full: Coding
    quick: Coding

    def find(self, claim: Claim, results: list[Evaluation], budget: str) -> Finding:
        (evaluation,) = results
        curve = evaluation.firing_counts
        firing, steps = float(curve.mean()), len(curve) - 1
        sizes = (evaluation.features, evaluation.neurons, steps)
        sparse, dense = workload.sparse_inference(*sizes, round(firing)), workload.inference(*sizes)
        return claim.not_run(
            f"other sizes than theirs; {dense / sparse:.0f} times fewer than the "
            f"{dense / 1e9:.4g} GFLOPs of equation (11)",
            ours=f"{sparse / 1e9:.3g} GFLOPs, M̂ = {firing:.0f}",
            conditions=described(evaluation),
            fingerprint=evaluation.fingerprint,
        )
