"""Rows of what is varied: keys, proposals, ranges."""

from __future__ import annotations

import pytest

from workbench.desktop.sweep.axes import AxesEditor, suggested
from workbench.document import load, shipped
from workbench.engine.sweep_axes import read_axes, varied
from workbench.engine.sweep_folder import settings
from workbench.parameters import Parameter


@pytest.fixture
def document():
    return load(shipped()["digits-exemplar"])


@pytest.fixture
def editor(qtbot, document):
    found = AxesEditor()
    qtbot.addWidget(found)
    found.offer(varied(document), settings(document))
    return found


def test_it_begins_with_what_is_worth_varying_around_the_present_value(editor):
    row = editor.add_row()
    assert (row.key.currentText(), row.values.text()) == ("system.threshold", "1, 2, 4")
    other = editor.add_row()
    assert (other.key.currentText(), other.values.text()) == ("system.time_constant", "10, 20, 40")
    assert editor.grids == ["system.threshold=1, 2, 4", "system.time_constant=10, 20, 40"]


def test_another_key_proposes_anew_but_never_overwrites_what_was_typed(editor):
    row = editor.add_row()
    row.key.setCurrentText("decoder.kind")
    assert row.values.text() == "max, sum, perceptron"
    row.values.setText("max, sum")
    row.key.setCurrentText("system.transfer")
    assert row.values.text() == "max, sum"


@pytest.mark.parametrize(
    "text, is_range",
    [
        ("0.5:8:log", True),
        ("0.5 : 8 : log", True),
        ("5:200", True),
        ("1e-3:1e3:log", True),
        ("-1:1", True),
        ("0.5,1,2", False),
        ("0.5", False),
        (r"C:\images", False),
        ("1:2:3", False),
        ("", False),
    ],
)
def test_a_range_is_told_from_a_list(editor, text, is_range):
    row = editor.add_row("system.threshold", text)
    assert row.is_range is is_range
    assert editor.ranges == ([f"system.threshold={text}"] if is_range else [])


def test_rows_go_and_come_and_the_keys_of_another_system_replace_the_old(editor, document, qtbot):
    editor.add_row()
    row = editor.add_row("system.time_constant")
    editor.add_row("dictionary.atoms", "50,100")
    with qtbot.waitSignal(editor.changed):
        row.removed.emit(row)
    assert [r.key.currentText() for r in editor.rows] == ["system.threshold", "dictionary.atoms"]
    spiking = document.with_value("system.kind", "lif")
    editor.offer(varied(spiking), settings(spiking))
    kept = [(r.key.currentText(), r.values.text()) for r in editor.rows]
    assert kept == [("system.threshold", "1, 2, 4"), ("dictionary.atoms", "50,100")]
    assert editor.rows[0].key.findText("system.gain") >= 0
    assert editor.rows[0].key.findText("system.transfer") < 0


@pytest.mark.parametrize(
    "parameter, present, expected",
    [
        (Parameter("x", "float", 2.0, "", "X"), 0.25, "0.125, 0.25, 0.5"),
        (Parameter("x", "float", 2.0, "", "X", high=0.4), 0.25, "0.125, 0.25"),
        (Parameter("x", "int", 2, "", "X"), 1, "1, 2"),
        (Parameter("x", "int", 2, "", "X"), 100, "50, 100, 200"),
        (Parameter("x", "float", 0.0, "", "X", slider=(0.0, 20.0)), 0.0, "0, 10, 20"),
        (Parameter("x", "int", None, "", "X", optional=True), None, ""),
        (Parameter("x", "bool", True, "", "X"), True, "true, false"),
        (Parameter("x", "choice", "a", "", "X", choices=("a", "b")), "a", "a, b"),
        (Parameter("x", "text", None, "", "X"), "name", ""),
    ],
)
def test_values_worth_a_try(parameter, present, expected):
    assert suggested(parameter, present) == expected


def test_every_proposal_is_one_that_a_sweep_takes(editor, document):
    for key in varied(document):
        row = editor.add_row(key)
        if row.values.text():
            axes = read_axes(document, [row.assignment])
            for value in axes.grids[0].values:
                assert document.with_value(key, value)
