"""Exemplars that join the dictionary of the run, and what that does to each class.

Adding is one change of the document (``dictionary.added``), which the runner follows by growing the
dictionary it has. Beside it, some test images are coded before and after: all those of the class
that grows, up to a limit, and a few of every other class, to see that nothing is forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from workbench.desktop.workspace import Workspace
    from workbench.engine.job import Job

IMAGES, OTHERS = 100, 10  # test images of the class that grows, and of each other class


@dataclass(frozen=True, eq=False)
class Measure:
    """How well the test images of each class were decided, by the sum decoder."""

    right: np.ndarray  # [classes]
    images: np.ndarray  # [classes]

    def accuracy(self, label: int) -> float | None:
        """Fraction right of one class; None while none of its images is coded."""
        return float(self.right[label] / self.images[label]) if self.images[label] else None

    def of_others(self, label: int) -> float | None:
        """Fraction right of all other classes together."""
        right, images = (int(v.sum() - v[label]) for v in (self.right, self.images))
        return right / images if images else None


class Growth:
    """One addition at a time, with its measures before and after."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.label: int | None = None  # the class that grew last
        self.count = 0
        self.before: Measure | None = None
        self.after: Measure | None = None
        self.seconds: float | None = None  # that the dictionary took to grow
        self._asked: str | None = None  # dictionary.added, once the exemplars have joined
        self._old: Any = None  # the experiment before
        self._new: Any = None
        self._job: Job | None = None
        self._ending: list[Job] = []  # called off, and not yet at an end
        self._measuring: Any = None  # the experiment that the job codes with

    @property
    def busy(self) -> bool:
        """Whether an addition is still being measured."""
        return self._asked is not None

    def add(self, label: int, count: int) -> bool:
        """Let exemplars of a class join; False if that is refused, which is then said."""
        from workbench.coding import growth

        workspace, experiment = self._workspace, self._workspace.experiment
        names = experiment.dataset.class_names
        there = growth.parse_additions(workspace.document.dictionary.added, names)
        asked = growth.write_additions([*there, (label, count)], names)
        self.call_off()
        if not workspace.set_value("dictionary.added", asked):
            return False
        self.label, self.count, self._asked, self._old = label, count, asked, experiment
        self.before = self.after = self._new = self.seconds = None
        self._job = self._measure(experiment)
        return True

    def call_off(self) -> None:
        """Measure no more; what joined stays. The work ends at its next time step."""
        if self._job is not None:
            self._job.cancel()
            self._ending = [job for job in self._ending if job.running] + [self._job]
        self._job = self._asked = self._old = self._new = None

    def close(self) -> bool:
        """End every thread; True if all are gone."""
        self.call_off()
        return all([job.join() for job in self._ending])

    def forget(self) -> None:
        """Another session takes the place of this one."""
        self.call_off()
        self.label = self.before = self.after = self.seconds = None

    def poll(self) -> None:
        """Pull what is measured; called once a frame."""
        if self._asked is None:
            return
        workspace = self._workspace
        if workspace.document.dictionary.added != self._asked:  # refused, or taken back
            if self._new is None:
                self.label = None
            self.call_off()
            return
        asked = workspace.experiment.asked.dictionary.added
        if self._new is None and asked == self._asked and workspace.experiment is not self._old:
            self._new = workspace.experiment
            self.seconds = self._new.seconds["dictionary"]
        self._pull()

    def _pull(self) -> None:
        job = self._job
        if job is not None:
            running = job.running
            measure = None if job.latest is None else _by_class(job.latest)
            if self._measuring is self._old:
                self.before = measure or self.before
            else:
                self.after = measure or self.after
            if running:
                return
            self._job = None
            if job.error:
                workspace = self._workspace
                workspace.said.emit(f"The test images could not be coded: {job.error}")
            if self._measuring is self._new:
                self.call_off()
                return
        if self._new is not None:
            self._job = self._measure(self._new)

    def _measure(self, experiment: Any) -> Job:
        engine = self._workspace.engine
        self._measuring = experiment
        samples = _samples(experiment.dataset.test.labels.numpy(), self.label)
        evaluate = engine.evaluation.evaluate
        plain = _with_the_sum(experiment)
        return engine.job.Job(lambda stop: evaluate(plain, samples, cancelled=stop))


def _with_the_sum(experiment: Any) -> Any:
    """The experiment without a perceptron to train: only the sum decoder is read."""
    return replace(experiment, document=experiment.document.with_value("decoder.kind", "sum"))


def _samples(labels: np.ndarray, grown: int | None) -> list[int]:
    """Test images to code, those of the class that grows first."""
    chosen = [np.flatnonzero(labels == grown)[:IMAGES]]
    for label in np.unique(labels):
        if label != grown:
            chosen.append(np.flatnonzero(labels == label)[:OTHERS])
    return np.concatenate(chosen).tolist()


def _by_class(evaluation: Any) -> Measure | None:
    counts = evaluation.confusion.get("sum")
    if counts is None:
        return None
    return Measure(np.diag(counts[:, :-1]).copy(), counts.sum(1))
