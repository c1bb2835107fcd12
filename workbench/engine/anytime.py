"""What the decoders decide at each step on the way, and how many samples of a batch are right."""

from __future__ import annotations

import numpy as np

from workbench.coding import sparse_decoders
from workbench.coding.perceptron import Perceptron
from workbench.engine.convergence import Instant
from workbench.engine.experiment import Experiment
from workbench.engine.fingerprint import Entries


def decide(
    experiment: Experiment, code: Entries, samples: int, perceptron: Perceptron | None
) -> dict[str, np.ndarray]:
    """Decisions [samples] by decoder, −1 where undecided; for codes given by their entries.

    Max and sum need classes of the neurons, the perceptron needs to be trained.
    """
    decided = {}
    labels = experiment.dictionary.labels if experiment.dictionary else None
    if labels is not None:
        known, classes = labels.numpy(), experiment.system.wiring.classes
        decided["max"] = sparse_decoders.by_max(*code, samples, known)
        decided["sum"] = sparse_decoders.by_sum(*code, samples, known, classes)
    if perceptron is not None:
        decided["perceptron"] = sparse_decoders.by_perceptron(*code, samples, perceptron)
    return decided


class Rights:
    """How many samples of a batch each decoder has right, step by step."""

    def __init__(self, truth: np.ndarray) -> None:
        """``truth`` [B] are the classes."""
        self._truth = truth
        self._rows: dict[str, list[int]] = {}
        self._kept: dict[str, int] = {}  # of those that have stopped
        self.decided: dict[str, np.ndarray] = {}  # [B], in the end

    def add(
        self, now: Instant, on_the_way: dict[str, np.ndarray], last: dict[str, np.ndarray]
    ) -> None:
        """One more step.

        Args:
            now: who still runs, and who of them stops here.
            on_the_way: decisions of all who still run, by decoder.
            last: decisions of those who stop here, in place of the ones above.
        """
        rows, stopping = now.rows.numpy(), now.stopping.numpy()
        for name, classes in on_the_way.items():
            if name in last:
                classes[stopping] = last[name]
                decided = self.decided.setdefault(name, np.empty_like(self._truth))
                decided[rows[stopping]] = last[name]
            right, kept = classes == self._truth[rows], self._kept.get(name, 0)
            self._rows.setdefault(name, []).append(kept + int(right.sum()))
            self._kept[name] = kept + int(right[stopping].sum())

    def by_step(self, steps: int) -> dict[str, np.ndarray]:
        """Samples that are right at the steps 0..``steps``, by decoder."""
        return {
            name: np.array(rows + [self._kept[name]] * (steps + 1 - len(rows)))
            for name, rows in self._rows.items()
        }
