"""The whole test set, coded in batches and classified.

With ``run.tolerance`` set, a sample that has converged leaves its batch (`convergence`): it keeps
its code, and its last energy and firing count in the mean curves up to step K. The fingerprint is
chained, batch after batch and step by step, over what the system puts out for the samples that have
not stopped before that step, numbered in order from 0; steps at which none is left add nothing. So
the fingerprint of one sample is that of its run in the window up to where it stops, and without a
tolerance it covers every sample at every step.

Where the document's decoder is the perceptron, it is trained first, on codes of training images.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from workbench.coding import perceptron
from workbench.engine.experiment import Cancelled, Experiment
from workbench.engine.tally import Evaluation, Tally
from workbench.engine.training_codes import code_training_images
from workbench.errors import InputError

__all__ = ["Evaluation", "evaluate"]


def evaluate(
    experiment: Experiment,
    samples: int | Sequence[int] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Evaluation]:
    """Code test signals; yields after each batch.

    Args:
        experiment: what is evaluated.
        samples: the first so many, or these; all, if None.
        cancelled: asked before each time step.

    Raises:
        Cancelled: ``cancelled`` said so, within one time step.
        InputError: a signal the system refuses, or a perceptron that cannot be trained.
    """
    there, size = len(experiment.dataset.test), experiment.document.run.batch
    if samples is None or isinstance(samples, int):
        total = there if samples is None else min(samples, there)
        batches = [slice(i, min(i + size, total)) for i in range(0, total, size)]
    else:
        total = len(samples)
        batches = [list(samples[i : i + size]) for i in range(0, total, size)]
    tally = Tally(experiment, total)
    if experiment.document.decoder.kind == "perceptron" and experiment.system.code is not None:
        yield from _train(experiment, tally, cancelled)
    for batch in batches:
        tally.add(batch, cancelled)
        yield tally.evaluation()


def _train(
    experiment: Experiment, tally: Tally, cancelled: Callable[[], bool]
) -> Iterator[Evaluation]:
    """Code training images and train the perceptron on them; it is then in the tally."""
    started = time.perf_counter()
    for codes in code_training_images(experiment, cancelled):
        left = (time.perf_counter() - started) / codes.done * (codes.total - codes.done)
        yield tally.evaluation(
            f"Coded {codes.done} of {codes.total} training images, {left:.0f} s left",
            codes.done / codes.total,
        )
    decoder, classes = experiment.document.decoder, len(experiment.dataset.class_names)
    try:
        trainings = perceptron.train(
            codes.codes, codes.labels, classes, decoder.epochs, decoder.seed
        )
        for tally.training in trainings:
            if cancelled():
                raise Cancelled
            last = tally.training.epochs[-1]
            yield tally.evaluation(
                f"Trained {len(tally.training.epochs)} of at most {decoder.epochs} epochs, "
                f"validation loss {last.validation_loss:.3g}",
                len(tally.training.epochs) / decoder.epochs,
            )
    except ValueError as error:
        raise InputError(f"decoder.kind = 'perceptron': {error}") from None
    tally.seconds["training"] = time.perf_counter() - started
