"""The rows of a sweep as a table."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QObject, QSortFilterProxyModel, Qt
from PySide6.QtTest import QAbstractItemModelTester

from workbench.desktop.sweep.table import SORT, RunsModel, differences
from workbench.engine.sweep_store import DECODERS

Role = Qt.ItemDataRole


def row_of(values, accuracy=None, error=None, **measures):
    """A row as a sweep gives it."""
    nothing = dict.fromkeys(
        ("active_fraction", "peak_firing", "final_energy", "duality_gap", "converged_fraction")
    )
    known = {} if accuracy is None else {"sum": accuracy, "max": accuracy / 2}
    return {
        "values": values,
        "decoder": None if error else "sum",
        "accuracy": dict.fromkeys(DECODERS) | known,
        **nothing,
        "seconds": None if error else 0.5,
        "fingerprint": None if error else "ab",
        "error": error,
        "result": None,
        "session": None,
    } | measures


@pytest.fixture
def model(qapp):
    parent = QObject()
    found = RunsModel(parent)
    tester = QAbstractItemModelTester(
        found, QAbstractItemModelTester.FailureReportingMode.Warning, parent
    )
    yield found
    del tester
    parent.deleteLater()


def shown(model):
    columns = range(model.columnCount())
    head = [model.headerData(c, Qt.Orientation.Horizontal) for c in columns]
    return head, [[model.data(model.index(r, c)) for c in columns] for r in range(model.rowCount())]


def test_columns_are_the_keys_and_what_is_known(model):
    model.begin(["system.threshold"])
    model.add([row_of({"system.threshold": 0.5}, 0.975, peak_firing=12.25)])
    head, rows = shown(model)
    assert head == ["system.threshold", "accuracy", "max decoder", "peak firing", "seconds"]
    assert rows == [["0.5", "97.5 %", "48.75 %", "12.25", "0.5"]]
    model.add([row_of({"system.threshold": -1}, error="must be at least 0")])
    head, rows = shown(model)
    assert head[-1] == "refused because" and rows[1] == ["-1", *4 * [""], "must be at least 0"]
    assert model.data(model.index(1, 0), Role.ToolTipRole) == "must be at least 0"
    model.add([row_of({"system.threshold": 1}, 0.9, peak_firing=1.0)])
    assert model.rowCount() == 3


def test_numbers_sort_as_numbers_and_what_is_not_known_comes_last_from_above(model):
    model.begin(["dictionary.atoms", "signal.norm"])
    model.add(
        [
            row_of({"dictionary.atoms": 100, "signal.norm": None}, 0.5),
            row_of({"dictionary.atoms": 9, "signal.norm": 10}, 0.75),
            row_of({"dictionary.atoms": 20, "signal.norm": "none"}, error="no"),
        ]
    )
    proxy = QSortFilterProxyModel()
    proxy.setSourceModel(model)
    proxy.setSortRole(SORT)

    def column(place, order):
        proxy.sort(place, order)
        return [proxy.data(proxy.index(r, place)) for r in range(3)]

    up, down = Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder
    assert column(0, up) == ["9", "20", "100"]
    assert column(1, up) == ["10", "none", "null"]
    assert column(2, down) == ["75 %", "50 %", ""]


def test_two_rows_differ_in_settings_and_results():
    one = row_of({"system.threshold": 0.5, "decoder.kind": "sum"}, 0.5, final_energy=2.0)
    other = row_of({"system.threshold": 2, "decoder.kind": "sum"}, 0.75, final_energy=2.0)
    assert differences(one, other) == [
        ("system.threshold", "0.5", "2"),
        ("accuracy", "50 %", "75 %"),
        ("max decoder", "25 %", "37.5 %"),
    ]
    assert differences(one, one) == []
    alone = row_of({"system.threshold": 0.5, "system.gain": 1.0}, 0.5, final_energy=2.0)
    assert differences(one, alone)[0] == ("decoder.kind", "sum", "")
