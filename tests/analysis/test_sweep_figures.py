import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex

from workbench.analysis import figures, sweep_figures
from workbench.analysis.parallel_figure import parallel_figure
from workbench.analysis.sweep_axis import Axis, Measure, word

CAPTION = "digits, 6 points"
THRESHOLDS = Axis("Threshold λ", [0.1, 0.1, 1, 1, 10, 10], log=True)
NORMS = Axis("Signal norm ‖s‖", [None, "none"] * 3)
ACCURACY = Measure("Accuracy (%)", np.array([0.1, 0.2, 0.5, 0.9, 0.7, np.nan]))
BOTH = [ACCURACY, Measure("Active fraction (%)", np.linspace(0, 0.1, 6))]


def every_figure():
    drawn = Axis("Threshold λ", [0.1, 0.3, 1.7, 2.2, 5, 9], log=True, drawn=True)
    fall = {"Threshold λ": 1.2, "Atoms M": 0.4}
    return {
        "line": sweep_figures.line_figure(THRESHOLDS, BOTH, CAPTION),
        "names": sweep_figures.line_figure(NORMS, BOTH, CAPTION),
        "heatmap": sweep_figures.heatmap_figure(THRESHOLDS, NORMS, BOTH, CAPTION),
        "dots": sweep_figures.heatmap_figure(drawn, NORMS, BOTH, CAPTION),
        "parallel": parallel_figure([THRESHOLDS, NORMS, drawn], ACCURACY, CAPTION),
        "importance": sweep_figures.importance_figure(
            fall, dict.fromkeys(fall, 0.1), "What decides", CAPTION
        ),
    }


def labels(ticks):
    return [tick.get_text() for tick in ticks]


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_every_figure_is_saved_and_has_its_caption_and_a_white_ground(tmp_path, suffix):
    for name, figure in every_figure().items():
        assert figures.save_figure(figure, tmp_path / (name + suffix)).stat().st_size > 1000
        assert figure.get_supxlabel() == CAPTION, name
        assert to_hex(figure.get_facecolor()) == "#ffffff", name


def test_nothing_is_drawn_outside_a_figure():
    for name, figure in every_figure().items():
        FigureCanvasAgg(figure).draw()
        inside = figure.bbox.padded(1)
        box = figure.get_tightbbox().transformed(figure.dpi_scale_trans)
        assert inside.x0 <= box.x0 and box.x1 <= inside.x1, name
        assert inside.y0 <= box.y0 and box.y1 <= inside.y1, name


def test_a_line_goes_through_the_points_in_the_order_of_their_values():
    axis = Axis("Threshold λ", [2, 0.5, 1])
    figure = sweep_figures.line_figure(axis, [Measure("Accuracy", np.array([0.9, 0.1, 0.5]))])
    (axes,) = figure.axes
    assert axes.lines[0].get_xydata().tolist() == [[0.5, 0.1], [1, 0.5], [2, 0.9]]
    assert axes.get_xlabel() == "Threshold λ"
    assert labels(axes.get_xticklabels()) == ["0.5", "1", "2"]


def test_a_cell_is_the_mean_of_its_points_and_empty_without_any():
    across = Axis("Threshold λ", [2, 1, 1, 1])
    down = Axis("Decoder", ["max", "max", "sum", "sum"])
    values = np.array([0.9, np.nan, 0.2, 0.4])
    figure = sweep_figures.heatmap_figure(across, down, [Measure("Accuracy", values)])
    axes = figure.axes[0]
    cells = axes.images[0].get_array()
    assert cells.mask.tolist() == [[True, False], [False, True]]
    assert cells.compressed().tolist() == pytest.approx([0.9, 0.3])
    assert labels(axes.get_xticklabels()) == ["1", "2"]
    assert labels(axes.get_yticklabels()) == ["max", "sum"]
    assert [text.get_text() for text in axes.texts] == ["–", "90", "30", "–"]


def test_the_most_important_is_on_top():
    axes = every_figure()["importance"].axes[0]
    assert labels(axes.get_yticklabels()) == ["Atoms M", "Threshold λ"]
    assert [bar.get_width() for bar in axes.patches] == [0.4, 1.2]


def test_an_axis_of_one_value_and_many_values_are_marked():
    assert Axis("", [3, 3]).heights().tolist() == [0.5, 0.5]
    many = Axis("", list(range(40)))
    assert many.marks() == [(0.0, "0"), (1.0, "39")]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (0.123456, "0.1235"),
        (100000, "100000"),
        ("sum", "sum"),
        ("$5", r"\$5"),
        ("x\udcff", r"x\udcff"),
        ("/data/" + "a" * 40, "…" + "a" * 29),
    ],
)
def test_values_are_written_as_people_write_them(value, text):
    assert word(value) == text


def test_a_name_may_hold_anything_that_a_file_name_can(tmp_path):
    axis = Axis("Data folder", ["x\udcff", "$\\frac$", "/data/" + "a" * 300])
    figure = sweep_figures.line_figure(axis, [Measure("Accuracy", np.array([0.1, 0.2, 0.3]))])
    assert figures.save_figure(figure, tmp_path / "names.svg").stat().st_size > 1000
