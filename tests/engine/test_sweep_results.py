"""The table, the object and the figures of a sweep."""

import csv
import json

import pytest

from workbench.engine import sweep_results
from workbench.engine.sweep_axes import read_axes
from workbench.engine.sweep_measures import axis_of
from workbench.engine.sweep_points import points
from workbench.engine.sweep_store import row


def rows_of(document, grids, accuracy, ranges=(), draws=None):
    """Axes and rows whose accuracy is a function of the asked values; None refuses a point."""
    axes = read_axes(document, grids, ranges, draws)
    rows = []
    for point in points(axes, document):
        value = accuracy(*point.asked.values())
        measured = {
            "decoder": point.document.decoder.kind,
            "accuracy": {"max": 0.5, "sum": value, "perceptron": None},
            "active_fraction": 0.1,
            "peak_firing": 7.5,
            "final_energy": 2.0,
            "duality_gap": None,
            "converged_fraction": None,
            "seconds": 0.5,
            "fingerprint": "ab",
        }
        refused = value is None
        rows.append(row(point, None if refused else measured, "no, because" if refused else ""))
    return axes, rows


def test_the_table_has_a_line_a_point_and_empty_fields_for_what_is_not_known(document, tmp_path):
    grids = ["signal.norm=null,none", "system.threshold=0.5,1"]
    axes, rows = rows_of(document(), grids, lambda norm, λ: None if λ == 1 and norm else λ / 2)
    sweep_results.write(tmp_path, axes, rows, "digits")
    with (tmp_path / "sweep.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 4
    assert [line["signal.norm"] for line in lines] == ["null", "null", "none", "none"]
    assert [line["accuracy_sum"] for line in lines] == ["0.25", "0.5", "0.25", ""]
    assert [line["error"] for line in lines] == ["", "", "", "no, because"]
    assert lines[0]["accuracy_perceptron"] == lines[3]["peak_firing"] == ""
    assert lines[0]["peak_firing"] == "7.5" and lines[0]["result"].startswith("points/")


@pytest.mark.parametrize(
    ("grids", "ranges", "names"),
    [
        (["system.threshold=0.5,1,2"], [], {"line"}),
        (["decoder.kind=max,sum"], [], {"line"}),
        (["system.threshold=0.5,1,2", "system.steps=5,6,7"], [], {"heatmap", "importance"}),
        (
            ["system.threshold=0.5,1,2", "system.steps=5,6", "signal.norm=null,none"],
            [],
            {"heatmap", "parallel", "importance"},
        ),
        ([], ["system.threshold=0.1:9:log", "system.steps=5:60"], {"heatmap", "importance"}),
    ],
)
def test_the_figures_are_those_that_the_number_of_keys_asks_for(
    document, tmp_path, grids, ranges, names
):
    draws = 12 if ranges else None

    def accuracy(first, *_):
        return min(1.0, first / 10) if isinstance(first, float | int) else 0.5

    axes, rows = rows_of(document(), grids, accuracy, ranges, draws)
    paths = sweep_results.write(tmp_path, axes, rows, "digits")
    assert {path.name for path in paths} == {path.name for path in tmp_path.iterdir()}
    assert {path.stem for path in paths if path.suffix == ".svg"} == names


def test_figures_of_a_sweep_over_other_keys_do_not_stay(document, tmp_path):
    (tmp_path / "mine.svg").write_text("mine")
    for grid, name in (
        (["system.steps=5,6"], "line"),
        (["system.steps=5,6", "system.threshold=1"], "heatmap"),
    ):
        axes, rows = rows_of(document(), grid, lambda *_: 0.5)
        sweep_results.write(tmp_path, axes, rows, "digits")
        assert {path.stem for path in tmp_path.glob("*.svg")} == {name, "mine"}


def test_the_object_names_the_importance_of_each_key(document, tmp_path):
    thresholds = ",".join(str(i / 10) for i in range(10))
    grids = [f"system.threshold={thresholds}", "system.steps=5,6,7"]
    axes, rows = rows_of(document(), grids, lambda λ, steps: λ)
    sweep_results.write(tmp_path, axes, rows, "digits")
    found = json.loads((tmp_path / "sweep.json").read_text("utf-8"))
    assert list(found) == ["keys", "points", "importance"]
    assert found["keys"] == ["system.threshold", "system.steps"] and found["points"] == rows
    assert found["importance"]["outcome"] == "Accuracy, sum decoder (%)"
    keys = found["importance"]["keys"]
    assert keys["system.threshold"]["fall"] > 1 > 0.1 > abs(keys["system.steps"]["fall"])
    assert found["importance"]["caution"] is None
    assert sweep_results.as_object(axes, rows) == {"keys": axes.keys, "points": rows}


def test_where_nothing_can_be_said_of_importance_the_reason_is(document, tmp_path):
    for grid, words in (("1,2,3", "fewer than 5 points"), ("1,2,3,4,5,6", "all points came out")):
        axes, rows = rows_of(document(), [f"system.threshold={grid}"], lambda λ: 0.5)
        sweep_results.write(tmp_path, axes, rows, "digits")
        found = json.loads((tmp_path / "sweep.json").read_text("utf-8"))["importance"]
        assert found["keys"] is None and words in found["caution"]


def test_axes_carry_name_symbol_and_unit_and_wide_ones_are_logarithmic(document):
    grids = ["system.time_constant=1,10,100", "system.threshold=1,2"]
    axes, rows = rows_of(document(), grids, lambda *_: 0.5)
    time, threshold = (axis_of(axes, key, rows) for key in axes.keys)
    assert time.label == "Time constant τ (steps)" and time.log
    assert threshold.label == "Threshold λ" and not threshold.log
