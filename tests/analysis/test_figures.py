import subprocess
import sys

import numpy as np
import pytest
from matplotlib.colors import to_hex

from workbench.analysis import figures
from workbench.errors import InputError
from workbench.palette import TERM_COLOURS, class_colour

CAPTION = "digits · step 100 · fingerprint 9f3a"
TERMS = np.array([[7.0, 0.0, 7.0], [3.0, 2.0, 5.0], [2.0, 2.5, 4.5]])
EVIDENCE = np.array([[0.0, 0.0, 0.0], [0.5, 0.9, 0.0], [2.0, 1.0, 0.0], [3.0, 1.0, 0.1]])


def every_figure():
    square = np.linspace(0, 1, 64).reshape(8, 8)
    return {
        "energy": figures.energy_figure(TERMS, ("reconstruction", "sparsity", "total"), CAPTION),
        "counts": figures.counts_figure(np.array([0, 3, 9, 5]), 200, CAPTION),
        "confusion": figures.confusion_figure(
            np.array([[9, 1], [0, 8]]), ("cat", "automobile"), CAPTION
        ),
        "traces": figures.traces_figure(
            np.arange(3), TERMS, ("a", "b", "c"), TERM_COLOURS, 2.0, True, "u", CAPTION
        ),
        "raster": figures.raster_figure(
            np.array([1, 2, 2]), np.array([0, 5, 9]), 10, 20, caption=CAPTION
        ),
        "images": figures.images_figure(
            [square, np.dstack([square] * 3), square - 0.5],
            ("Input", "Colour", "Residual"),
            (False, False, True),
            CAPTION,
        ),
        "accuracy": figures.accuracy_figure(
            (784, 1568), {"max": (0.9, 0.95), "sum": (0.92, 0.96)}, (100, 400), CAPTION
        ),
        "evidence": figures.evidence_figure(EVIDENCE, ("0", "1", "2"), CAPTION),
        "parts": parts(threshold=2.0),
    }


def parts(threshold):
    names, colours = ("drive", "leak", "neuron 7"), TERM_COLOURS
    title = "Neuron 3 stays silent."
    return figures.parts_figure(
        names, (0.4, -0.2, -0.1), colours, 1.8, threshold, "u", title, CAPTION
    )


def texts(figure):
    axes = figure.axes[0]
    return [t.get_text() for t in axes.texts] + [axes.get_title(loc="left")]


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_every_figure_is_saved_in_every_format(tmp_path, suffix):
    starts = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}
    for name, figure in every_figure().items():
        path = figures.save_figure(figure, tmp_path / (name + suffix))
        assert path.read_bytes().startswith(starts[suffix]), name


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_the_same_figure_gives_the_same_file(tmp_path, suffix):
    one, other = (
        figures.save_figure(every_figure()["evidence"], tmp_path / (name + suffix)).read_bytes()
        for name in ("one", "other")
    )
    assert one == other


def test_every_figure_has_its_caption_and_a_white_ground():
    for name, figure in every_figure().items():
        assert figure.get_supxlabel() == CAPTION, name
        assert to_hex(figure.get_facecolor()) == "#ffffff", name


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"\.png, \.svg, \.pdf, got '\.bmp'"):
        figures.save_figure(every_figure()["energy"], tmp_path / "energy.bmp")
    assert list(tmp_path.iterdir()) == []


def test_accuracies_stand_at_their_sizes_with_their_errors_and_names():
    axes = every_figure()["accuracy"].axes[0]
    line, (bars,) = axes.containers[0][0], axes.containers[0][2]
    np.testing.assert_array_equal(line.get_ydata(), (0.9, 0.95))
    low, high = bars.get_segments()[0][:, 1]
    assert (high - low) / 2 == pytest.approx(np.sqrt(0.9 * 0.1 / 100))
    assert {t.get_text() for t in axes.texts} == {"max", "sum"}
    assert [t.get_text() for t in axes.get_xticklabels()] == ["784", "1568"]


def test_energy_lines_are_the_numbers_given_in_the_colours_of_the_terms():
    axes = every_figure()["energy"].axes[0]
    for i, line in enumerate(axes.lines):
        np.testing.assert_array_equal(line.get_ydata(), TERMS[:, i])
        assert to_hex(line.get_color()) == TERM_COLOURS[i]
    assert {t.get_text() for t in axes.texts} == {"reconstruction", "sparsity", "total"}


def test_an_exploding_energy_is_drawn_on_a_logarithmic_axis(tmp_path):
    terms = np.array([[7.0, 0, 7], [4e3, 1e3, 5e3], [1e30, 1e20, 1e30], [np.inf, 1, np.inf]])
    figure = figures.energy_figure(terms, ("reconstruction", "sparsity", "total"))
    assert figure.axes[0].get_yscale() == "symlog"
    assert figure.axes[0].get_ylim()[1] >= 1e30
    figures.save_figure(figure, tmp_path / "energy.png")
    assert every_figure()["energy"].axes[0].get_yscale() == "linear"


def test_the_peak_of_the_counts_is_named():
    assert "peak 9 at step 2, 4.50% of 200" in texts(every_figure()["counts"])
    silent = figures.counts_figure(np.zeros(5), 200)
    assert texts(silent) == ["Firing neurons per step"]


def test_the_confusion_matrix_shows_counts_and_accuracy():
    figure = every_figure()["confusion"]
    assert texts(figure) == ["9", "1", "8", "94.4% of 18 correct"]
    empty = figures.confusion_figure(np.zeros((3, 3), dtype=int), ("a", "b", "c"))
    assert texts(empty) == [""]


def test_many_classes_are_drawn_without_numbers():
    figure = figures.confusion_figure(np.eye(100, dtype=int), [str(c) for c in range(100)])
    assert texts(figure) == ["100.0% of 100 correct"]


def levels(figure):
    dashed = [line for line in figure.axes[0].lines if line.get_linestyle() == "--"]
    return sorted(float(line.get_ydata()[0]) for line in dashed)


def test_the_threshold_is_dashed_on_the_sides_where_traces_come_near():
    def with_values(values, signed):
        values = np.array(values, dtype=float)[:, None]
        return figures.traces_figure(np.arange(2), values, ("n",), ("#0000ff",), 2.0, signed)

    assert levels(with_values([0, 3], signed=True)) == [2.0]
    assert levels(with_values([0, -1.5], signed=True)) == [-2.0, 2.0]
    assert levels(with_values([0, -1.5], signed=False)) == [2.0]


def test_names_at_the_ends_of_curves_do_not_overlap():
    values = np.tile([1.0, 1.001, 1.002, 1.003, 5.0], (3, 1))
    colours = [class_colour(c, 5) for c in range(5)]
    figure = figures.traces_figure(np.arange(3), values, list("abcde"), colours)
    figure.draw_without_rendering()
    boxes = sorted((t.get_window_extent() for t in figure.axes[0].texts), key=lambda box: box.y0)
    assert len(boxes) == 5
    assert all(low.y1 <= high.y0 + 1 for low, high in zip(boxes, boxes[1:], strict=False))


def test_the_evidence_names_the_winner_and_the_step_of_the_decision():
    figure = every_figure()["evidence"]
    assert "Class evidence: 0, decided at step 2" in texts(figure)
    silent = figures.evidence_figure(np.zeros((4, 3)), ("0", "1", "2"))
    assert texts(silent) == ["Class evidence"]


def test_signed_images_are_centred_at_zero_and_unsigned_ones_share_a_scale():
    dim, bright = np.full((4, 4), 0.2), np.full((4, 4), 0.8)
    signed = np.array([[-0.1, 0.4]])
    figure = figures.images_figure([dim, bright, signed], ("a", "b", "c"), (False, False, True))
    limits = [axes.images[0].get_clim() for axes in figure.axes if axes.images]
    assert limits == [(0, 0.8), (0, 0.8), (-0.4, 0.4)]


def test_spikes_are_marked_where_they_happen():
    figure = every_figure()["raster"]
    marks = figure.axes[0].collections[0].get_offsets()
    np.testing.assert_array_equal(marks, [[1, 0], [2, 5], [2, 9]])
    assert figure.axes[0].get_xlim() == (-0.5, 10.5)


def test_figures_of_a_network_that_blew_up_are_drawn_all_the_same(tmp_path):
    lost = np.full((3, 3), np.nan)
    names = ("a", "b", "c")
    for i, figure in enumerate(
        (
            figures.energy_figure(lost, names),
            figures.traces_figure(np.arange(3), lost, names, TERM_COLOURS, 1.0, True),
            figures.evidence_figure(lost, names),
            figures.images_figure([lost, lost], ("Input", "Residual"), (False, True)),
        )
    ):
        figures.save_figure(figure, tmp_path / f"{i}.png")
    assert texts(figures.evidence_figure(lost, names)) == ["Class evidence"]


def test_figures_need_neither_pyplot_nor_a_display():
    code = "import sys, workbench.analysis.figures; sys.exit('matplotlib.pyplot' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_many_images_stand_in_rows():
    images = [np.full((2, 2, 3), i / 20) for i in range(19)]
    figure = figures.images_figure(images, [str(i) for i in range(19)], [False] * 19)
    shown = [axes for axes in figure.axes if axes.get_title("left")]
    figure.draw_without_rendering()
    tops = sorted({round(axes.get_position().y0, 2) for axes in shown})
    assert len(shown) == 19 and len(tops) == 3


def test_classes_stand_with_their_exemplars_and_accuracies():
    figure = figures.classes_figure(["a", "b"], [3, 0], [0.5, None], [1.0, 0.25], "caption")
    left, right = figure.axes[:2]
    assert [bar.get_width() for bar in left.patches] == [3, 0]
    widths = [bar.get_width() for bar in right.patches]
    assert widths[:2] == [1.0, 0.25] and widths[2] == 0.5 and widths[3] != widths[3]
    assert [text.get_text() for text in left.get_yticklabels()] == ["a", "b"]


def test_each_part_begins_where_the_one_above_ended():
    axes = parts(threshold=2.0).axes[0]
    spans = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches]
    np.testing.assert_allclose(spans, [(1.8, 2.2), (2.2, 2.0), (2.0, 1.9)])
    words = [label.get_text() for label in axes.get_yticklabels()]
    assert words == ["drive   +0.4", "leak   -0.2", "neuron 7   -0.1"]
    (threshold,) = axes.lines
    assert threshold.get_xdata()[0] == 2.0 and axes.yaxis_inverted()


@pytest.mark.parametrize("threshold, arrow", [(9.0, "→"), (-9.0, "←")])
def test_a_far_threshold_is_pointed_at(threshold, arrow):
    axes = parts(threshold).axes[0]
    assert not axes.lines
    assert axes.get_xlabel() == f"Potential u; threshold {threshold:g} {arrow}"
