"""The figures of a report, from the results of the works, as SVG text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from workbench.analysis import figures
from workbench.engine.evaluation import Evaluation
from workbench.papers.pictures import Pictures

TERMS = ("reconstruction", "sparsity", "total")
_SHOWN = 2  # automobiles


def figures_of(results: Mapping[tuple, Any]) -> Iterator[tuple[str, str]]:
    """SVG text and caption of each figure that can be drawn of the results of works."""
    evaluations = [r for r in results.values() if isinstance(r, Evaluation)]
    pictures = [r for r in results.values() if isinstance(r, Pictures)]
    drawn = [*_accuracy(evaluations), *_firing(evaluations), *_images(pictures)]
    drawn += _energies(pictures)
    for number, (figure, words) in enumerate(drawn, start=1):
        yield _svg(figure, number, words), words


def _accuracy(evaluations: list[Evaluation]) -> Iterator[tuple[Figure, str]]:
    """Figure 5: the evaluations of pixels by size."""
    sizes = sorted((e for e in evaluations if e.features == 784), key=lambda e: e.neurons)
    if len(sizes) < 2:
        return
    atoms, samples = [e.neurons for e in sizes], [e.done for e in sizes]
    everywhere = [d for d in sizes[0].accuracy if all(d in e.accuracy for e in sizes)]
    images = ", ".join(map(str, dict.fromkeys(samples)))
    parts = {decoder: [e.accuracy[decoder] for e in sizes] for decoder in everywhere}
    yield (
        figures.accuracy_figure(atoms, parts, samples),
        "Figure 5, ours: accuracy on MNIST against the size of the dictionary, with binomial "
        f"standard errors of {images} test images.",
    )


def _firing(evaluations: list[Evaluation]) -> Iterator[tuple[Figure, str]]:
    """Figure 7: the largest dictionary's."""
    if not evaluations:
        return
    largest = max(evaluations, key=lambda e: e.neurons)
    yield (
        figures.counts_figure(largest.firing_counts, largest.neurons),
        f"Figure 7, its shape: mean number of firing neurons at each step, {largest.neurons} "
        f"atoms, {largest.done} test images.",
    )


def _images(pictures: list[Pictures]) -> Iterator[tuple[Figure, str]]:
    """Figure 3: some images with each dictionary."""
    if len(pictures) < 2:
        return
    first, second = pictures[:2]
    for i in range(min(_SHOWN, len(first.mse))):
        shown = (first.originals[i], first.reconstructions[i], second.reconstructions[i])
        titles = [
            "Original",
            *(f"{p.kind}, {p.psnr[i]:.1f} dB, SSIM {p.ssim[i]:.2f}" for p in (first, second)),
        ]
        yield (
            figures.images_figure(shown, titles, (False,) * 3),
            f"Figure 3, ours: image {i + 1} of {len(first.mse)}, reconstructed with "
            f"{first.neurons} atoms after 100 iterations.",
        )


def _energies(pictures: list[Pictures]) -> Iterator[tuple[Figure, str]]:
    """Figure 4: the energy of each dictionary."""
    for found in pictures:
        mean = np.mean(found.energy, axis=1)
        yield (
            figures.energy_figure(mean, TERMS),
            f"Figure 4, ours: energy with the {found.kind} dictionary of {found.neurons} atoms, "
            f"mean of {len(found.mse)} images, by iterations (a time of 1, "
            f"{found.steps_each} time steps each).",
        )


def _svg(figure: Figure, number: int, words: str) -> str:
    """SVG to stand inside a page: ids of its own, a name, and no size in points."""
    with TemporaryDirectory() as folder:
        path = figures.save_figure(figure, Path(folder) / "figure.svg")
        text = path.read_text(encoding="utf-8")
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="', f'id="f{number}-', text)
    text = re.sub(r'(href="#|url\(#)', rf"\1f{number}-", text)
    name = words.partition(":")[0]
    return text.replace("<svg ", f'<svg role="img" aria-label="{name}" ', 1)
