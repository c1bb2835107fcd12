"""Figures for paper and screen: plain arrays in, matplotlib figures out, `save_figure` to a file.

White ground, vector text, few ticks, the colours of `workbench.palette`, the caption small at the
bottom. No pyplot: nothing is global, so figures can be made in any thread and without a display.
"""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from workbench.analysis.decision import decided_at
from workbench.errors import InputError
from workbench.palette import NEUTRAL, TERM_COLOURS, class_colour, class_dash

SUFFIXES = (".png", ".svg", ".pdf")

_INK = "#22252b"
_QUIET = "#6b7078"
_HAIRLINE = "#d4d7dc"
_UNSIGNED, _SIGNED = "viridis", "RdBu_r"
_MOST_NUMBERED = 20  # classes up to which the cells of a confusion matrix hold their numbers
_EXPLODED = 100.0  # how many times the first energy is too much for a linear axis
_IN_A_ROW = 8  # images
_NEAR = 1.5  # a threshold within so many spans of the parts is drawn
_MOST_VECTOR = 20_000  # spikes up to which a raster is drawn as vectors

_STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib and has every symbol used here
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": _HAIRLINE,
    "axes.labelcolor": _INK,
    "axes.formatter.useoffset": False,
    "text.color": _INK,
    "xtick.color": _HAIRLINE,
    "ytick.color": _HAIRLINE,
    "xtick.labelcolor": _QUIET,
    "ytick.labelcolor": _QUIET,
    "lines.linewidth": 1.5,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.hashsalt": "workbench",  # the same figure gives the same file
    "pdf.fonttype": 42,  # text stays text
}


def _styled(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    @functools.wraps(draw)
    def styled(*args: object, **kwargs: object) -> Figure:
        with matplotlib.rc_context(_STYLE):
            return draw(*args, **kwargs)

    return styled


def save_figure(figure: Figure, path: Path | str) -> Path:
    """Write a figure as PNG, SVG or PDF, as the suffix says.

    Raises:
        InputError: another suffix.
        OSError: the file cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{path}: a figure is saved as {', '.join(SUFFIXES)}, got {suffix!r}")
    undated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(suffix)
    with matplotlib.rc_context(_STYLE):
        figure.savefig(path, dpi=200, metadata=undated)
    return path


@_styled
def energy_figure(terms: np.ndarray, labels: Sequence[str], caption: str = "") -> Figure:
    """Energy terms [K+1, terms] over the steps, the last column (the sum) thickest.

    Where the sum explodes, the axis is logarithmic above the decade of its first value.
    """
    total = terms[np.isfinite(terms[:, -1]), -1]
    figure, axes = _plot("Energy", "Energy E", caption)
    steps = np.arange(len(terms))
    ends = []
    for i, label in enumerate(labels):
        colour = TERM_COLOURS[i % len(TERM_COLOURS)]
        last = i == len(labels) - 1  # under the others, which it may equal
        axes.plot(steps, terms[:, i], color=colour, lw=2.6 if last else 1.4, zorder=2 - last)
        ends.append((_last(terms[:, i]), label, colour))
    if len(total) and total.max() > _EXPLODED * total[0] > 0:
        axes.set_yscale("symlog", linthresh=10 ** np.ceil(np.log10(total[0])))
        axes.yaxis.get_major_locator().set_params(numticks=6)
    axes.set_ylim(bottom=0)
    axes.set_xlim(0, max(len(terms) - 1, 1))  # also where the curves end early, at infinity
    _label_ends(axes, steps, ends)
    return figure


@_styled
def counts_figure(counts: np.ndarray, neurons: int, caption: str = "") -> Figure:
    """Firing neurons at the steps 0..K ([K+1]), out of ``neurons``; the peak is named."""
    figure, axes = _plot("Firing neurons per step", "Firing neurons", caption)
    counts = np.asarray(counts, dtype=float)
    steps = np.arange(len(counts))
    colour = TERM_COLOURS[0]
    axes.fill_between(steps, counts, color=colour, alpha=0.15, lw=0)
    axes.plot(steps, counts, color=colour)
    axes.set_ylim(0, max(1.0, 1.18 * float(counts.max(initial=0))))
    if counts.any():
        peak = int(counts.argmax())
        axes.plot(peak, counts[peak], "o", ms=4, color=colour)
        right = peak > 0.6 * len(counts)
        axes.annotate(
            f"peak {counts[peak]:.4g} at step {peak}, {counts[peak] / neurons:.2%} of {neurons}",
            (peak, counts[peak]),
            xytext=(-6 if right else 6, 6),
            textcoords="offset points",
            ha="right" if right else "left",
            fontsize=8,
            color=_QUIET,
        )
    return figure


@_styled
def confusion_figure(matrix: np.ndarray, class_names: Sequence[str], caption: str = "") -> Figure:
    """Confusion matrix [C, C] of counts, true classes down, predicted across.

    The colour of a cell is its part of the true class (its row); empty cells stay white.
    """
    matrix = np.asarray(matrix)
    classes, total = len(matrix), int(matrix.sum())
    share = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    side = min(9.0, max(4.2, 1.8 + 0.36 * classes))
    figure = Figure(figsize=(side + 0.9, side), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(np.ma.masked_equal(share, 0), cmap="cividis_r", vmin=0, vmax=1)
    axes.spines[:].set_visible(False)
    axes.set(xlabel="Predicted class", ylabel="True class")
    if total:
        axes.set_title(f"{np.trace(matrix) / total:.1%} of {total} correct")
    axes.tick_params(length=0)
    if classes <= _MOST_NUMBERED:
        long = max((len(name) for name in class_names), default=0) > 3
        axes.set_xticks(range(classes), class_names, rotation=45 if long else 0)
        axes.set_yticks(range(classes), class_names)
        for true, predicted in zip(*matrix.nonzero(), strict=True):
            axes.text(
                predicted,
                true,
                int(matrix[true, predicted]),
                ha="center",
                va="center",
                fontsize=8,
                color="white" if share[true, predicted] > 0.5 else _INK,
            )
    bar = figure.colorbar(image, ax=axes, shrink=0.6, aspect=24, format=_percent())
    bar.outline.set_visible(False)
    bar.set_label("Part of the true class")
    _caption(figure, caption)
    return figure


@_styled
def traces_figure(
    steps: np.ndarray,
    values: np.ndarray,
    names: Sequence[str],
    colours: Sequence[str],
    threshold: float | None = None,
    signed: bool = False,
    ylabel: str = "",
    caption: str = "",
    dashes: Sequence[tuple[float, ...]] | None = None,
    log: bool = False,
) -> Figure:
    """Traces [K, n] of n neurons over ``steps`` [K], named at their ends.

    The threshold is dashed; that of a signed quantity on the negative side too, if any trace comes
    half as near. ``dashes`` are on and off lengths in line widths, as from `palette.class_dash`.
    """
    figure, axes = _plot(ylabel, ylabel, caption)
    axes.set_yscale("log" if log else "linear")
    ends = []
    for i, (name, colour) in enumerate(zip(names, colours, strict=True)):
        dash = dashes[i] if dashes is not None else ()
        axes.plot(steps, values[:, i], color=colour, ls=_line(dash))
        ends.append((_last(values[:, i]), name, colour))
    if signed:
        axes.axhline(0, color=_HAIRLINE, lw=0.8, zorder=0)
    if threshold is not None:
        near = signed and bool((values < -0.5 * threshold).any())
        for level in (threshold, -threshold) if near else (threshold,):
            axes.axhline(level, color=_QUIET, lw=1, ls=(0, (4, 3)), zorder=0)
    _label_ends(axes, steps, ends)
    return figure


@_styled
def raster_figure(
    steps: np.ndarray,
    neurons: np.ndarray,
    last_step: int,
    total: int,
    colours: Sequence[str] | None = None,
    caption: str = "",
) -> Figure:
    """Spikes as marks: event i is neuron ``neurons[i]`` firing at step ``steps[i]``.

    Args:
        last_step: the last step of the run, the right edge.
        total: how many neurons there are, the upper edge.
        colours: one per event, for example by class; neutral if None.
    """
    figure, axes = _plot("Spikes", "Neuron", caption)
    axes.scatter(
        steps,
        neurons,
        s=float(np.clip(200 / total, 3, 12)) ** 2,  # points²; marks as tall as the rows allow
        marker="|",
        linewidths=1.1,
        c=NEUTRAL if colours is None else list(colours),
        rasterized=len(steps) > _MOST_VECTOR,
    )
    axes.set_xlim(-0.5, last_step + 0.5)
    axes.set_ylim(-0.5, total - 0.5)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    return figure


@_styled
def accuracy_figure(
    atoms: Sequence[int],
    accuracies: Mapping[str, Sequence[float]],
    samples: Sequence[int],
    caption: str = "",
) -> Figure:
    """Accuracy (0..1) against the number of atoms, one curve per decoder, with error bars.

    Args:
        atoms: sizes of the dictionary, the axis is logarithmic.
        accuracies: by decoder, one for each size.
        samples: test images behind each size; the bars are binomial standard errors.
    """
    figure, axes = _plot("Accuracy and size of the dictionary", "Accuracy", caption)
    axes.set(xlabel="Atoms M", xscale="log")
    axes.margins(x=0.04)
    counts = np.asarray(samples)
    ends = []
    for i, (name, parts) in enumerate(accuracies.items()):
        colour, parts = class_colour(i, len(accuracies)), np.asarray(parts)
        errors = np.sqrt(parts * (1 - parts) / counts)
        axes.errorbar(atoms, parts, errors, color=colour, marker="o", ms=4, capsize=2, elinewidth=1)
        ends.append((float(parts[-1]), name, colour))
    axes.set_xticks(list(atoms), [f"{size}" for size in atoms])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(_percent())
    _label_ends(axes, np.asarray(atoms), ends)
    return figure


@_styled
def classes_figure(
    names: Sequence[str],
    exemplars: Sequence[int],
    before: Sequence[float | None],
    after: Sequence[float | None],
    caption: str = "",
) -> Figure:
    """The exemplars of each class, and its accuracy (0..1) before and after some joined.

    An accuracy that was not measured is None, and leaves its place empty.
    """
    rows = np.arange(len(names))
    figure = Figure(figsize=(6.4, 1.4 + 0.28 * len(names)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    colours = [class_colour(i, len(names)) for i in rows]
    left.barh(rows, exemplars, color=colours, height=0.6)
    left.set(xlabel="Exemplars", ylabel="Class", yticks=rows, yticklabels=names)
    left.invert_yaxis()
    for values, looks in ((after, {"color": colours}), (before, {"color": "none", "ec": _INK})):
        widths = [np.nan if value is None else value for value in values]
        right.barh(rows, widths, height=0.6, **looks)
    right.set(xlabel="Test images right; outlined: before", xlim=(0, 1.02))
    right.xaxis.set_major_formatter(_percent())
    _caption(figure, caption)
    return figure


@_styled
def images_figure(
    images: Sequence[np.ndarray],
    titles: Sequence[str],
    signed: Sequence[bool],
    caption: str = "",
) -> Figure:
    """Images [H, W] or [H, W, 3] side by side, in rows of at most `_IN_A_ROW`.

    Unsigned ones share one scale from 0; a signed one has a diverging scale centred at 0.
    """
    columns = min(len(images), _IN_A_ROW)
    rows = -(-len(images) // columns)
    figure = Figure(figsize=(0.4 + 2.4 * columns, 3.1 * rows), layout="constrained")
    plain = [image for image, sign in zip(images, signed, strict=True) if not sign]
    top = max((_largest(image) for image in plain), default=0.0) or 1.0
    each = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in each[len(images) :]:
        axes.set_axis_off()
    for axes, image, title, sign in zip(each[: len(images)], images, titles, signed, strict=True):
        image = np.asarray(image, dtype=float)
        if sign:
            if image.ndim == 3:  # a diverging scale has one channel
                image = image.mean(2)
            limit = _largest(np.abs(image)) or 1.0
            shown = axes.imshow(image, cmap=_SIGNED, vmin=-limit, vmax=limit)
        elif image.ndim == 3:
            shown = axes.imshow(np.clip(image, 0, 1))
        else:
            shown = axes.imshow(image, cmap=_UNSIGNED, vmin=0, vmax=top)
        axes.set_title(title, fontsize=9)
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        if image.ndim == 2:
            bar = figure.colorbar(shown, ax=axes, location="bottom", shrink=0.8, aspect=22)
            bar.outline.set_visible(False)
            bar.locator = MaxNLocator(3)
    _caption(figure, caption)
    return figure


@_styled
def parts_figure(
    names: Sequence[str],
    values: Sequence[float],
    colours: Sequence[str],
    before: float,
    threshold: float,
    symbol: str,
    title: str,
    caption: str = "",
) -> Figure:
    """Parts from top to bottom, each from where the one above ended, beginning at ``before``.

    The threshold is drawn dashed where it is near; else an arrow points at it. Names, values and
    colours are of equal number.
    """
    figure = Figure(figsize=(6.4, 1.9 + 0.24 * len(names)), layout="constrained")
    axes = figure.add_subplot()
    ends, rows = before + np.cumsum([0.0, *values]), np.arange(len(names))
    axes.barh(rows, values, left=ends[:-1], color=list(colours), height=0.62)
    axes.vlines(ends[1:-1], rows[:-1], rows[1:], color=_QUIET, lw=0.8)
    low, high = float(ends.min()), float(ends.max())
    span = (high - low) or 1.0
    near = low - _NEAR * span <= threshold <= high + _NEAR * span
    levels = [low, high, threshold] if near else [low, high]
    axes.set_xlim(min(levels) - 0.05 * span, max(levels) + 0.05 * span)
    if near:
        axes.axvline(threshold, color=_INK, lw=1, ls=(0, (4, 3)))
    words = [f"{name}   {value:+.3g}" for name, value in zip(names, values, strict=True)]
    far = "" if near else f"; threshold {threshold:.4g} {'→' if threshold > high else '←'}"
    axes.set(yticks=rows, yticklabels=words, xlabel=f"Potential {symbol}{far}")
    axes.invert_yaxis()
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.set_title("\n".join(textwrap.wrap(title, 72)), fontsize=8, fontweight="normal")
    _caption(figure, caption)
    return figure


@_styled
def evidence_figure(evidence: np.ndarray, class_names: Sequence[str], caption: str = "") -> Figure:
    """Class evidence [K+1, C] over the steps, the winner thick, and the step of the decision."""
    figure, axes = _plot("Class evidence", "Evidence Σ|a|", caption)
    steps, classes = np.arange(len(evidence)), len(class_names)
    winner = int(evidence[-1].argmax())
    ends = []
    for c, name in enumerate(class_names):
        colour = class_colour(c, classes)
        width = 2.6 if c == winner else 1.3
        dash = _line(class_dash(c, classes))
        axes.plot(steps, evidence[:, c], color=colour, ls=dash, lw=width, zorder=2 + (c == winner))
        if evidence[:, c].max() > 0.02 * evidence.max():  # the rest lie on the zero line
            ends.append((float(evidence[-1, c]), name, colour))
    axes.set_ylim(bottom=0)
    decided = decided_at(evidence)
    if decided is not None and np.isfinite(evidence).all():
        axes.axvline(decided, color=_QUIET, lw=1, ls=(0, (1, 2)), zorder=0)
        axes.set_title(f"Class evidence: {class_names[winner]}, decided at step {decided}")
    _label_ends(axes, steps, ends)
    return figure


def _plot(title: str, ylabel: str, caption: str) -> tuple[Figure, Axes]:
    """An empty plot over time."""
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.06)  # inches
    axes = figure.add_subplot()
    axes.set(title=title, xlabel="Step k", ylabel=ylabel)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.margins(x=0)
    _caption(figure, caption)
    return figure, axes


def _caption(figure: Figure, caption: str) -> None:
    if caption:
        figure.supxlabel(caption, x=0.01, ha="left", fontsize=6.5, color=_QUIET)


def _label_ends(axes: Axes, steps: np.ndarray, ends: list[tuple[float, str, str]]) -> None:
    """Write names at the right ends of curves, moved apart where they would overlap."""
    ends = sorted(end for end in ends if np.isfinite(end[0]))
    if not ends:
        return
    axes.set_ylim(axes.get_ylim())  # keep: the names must not move it
    to_axes = axes.transData + axes.transAxes.inverted()
    heights = to_axes.transform([(steps[-1], value) for value, _, _ in ends])[:, 1]
    for height, (_, name, colour) in zip(_apart(heights), ends, strict=True):
        axes.text(
            1.02,
            height,
            name,
            transform=axes.transAxes,
            va="center",
            fontsize=8,
            color=colour,
        )


def _last(curve: np.ndarray) -> float:
    """The last finite value of a curve, NaN if it has none."""
    finite = curve[np.isfinite(curve)]
    return float(finite[-1]) if len(finite) else np.nan


def _largest(values: np.ndarray) -> float:
    """The largest finite value above 0, or 0."""
    values = np.asarray(values, dtype=float)
    return float(np.max(values, initial=0.0, where=np.isfinite(values)))


def _apart(heights: np.ndarray) -> list[float]:
    """Sorted heights, moved as little as it takes to stay inside 0..1 a line of text apart."""
    gap = min(0.058, 1 / len(heights))
    moved = [float(height) for height in heights]
    for i in range(len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + gap if i else 0.0)
    for i in reversed(range(len(moved))):
        moved[i] = min(moved[i], moved[i + 1] - gap if i + 1 < len(moved) else 1.0)
    return moved


def _line(dash: tuple[float, ...]) -> str | tuple[int, tuple[float, ...]]:
    return (0, dash) if dash else "-"


def _percent() -> FuncFormatter:
    return FuncFormatter(lambda value, _: f"{value:.0%}")


styled, add_caption = _styled, _caption  # for figures in modules beside this
