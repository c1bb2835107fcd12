"""Writing what a view shows; see also views/test_base.py."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PySide6.QtWidgets import QFileDialog

from workbench.desktop import export

SMALL = ("digits-exemplar", "data.train=300", "data.test=40", "system.steps=40")


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_the_table_holds_the_full_data_whatever_the_cursor_shows(user, window, tmp_path):
    user.go_to(40)
    user.go_to(7)
    path = tmp_path / "energy.csv"
    assert export.save(window.views["terms"], path)
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    assert rows[0][0] == "step"
    values = np.array(rows[1:], float)
    assert values[:, 0].tolist() == list(range(41))
    expected = window.workspace.snapshot.recording.summary("energy")
    np.testing.assert_array_equal(values[:, 1:].astype(np.float32), expected)


@pytest.mark.parametrize("user", [SMALL], indirect=True)
def test_the_ending_is_added_where_it_is_missing(user, window, tmp_path, monkeypatch):
    for typed, written in (
        ("a.csv", "a.csv"),
        ("b.CSV", "b.CSV"),
        ("c", "c.csv"),
        ("d 1.5", "d 1.5.csv"),
    ):
        path = str(tmp_path / typed)
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, path=path: (path, ""))
        export.ask_and_save(window.views["counts"], "csv")
        assert (tmp_path / written).read_text().startswith("step,count")
    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: ("", ""))  # cancelled
    export.ask_and_save(window.views["counts"], "csv")
    assert sorted(tmp_path.iterdir()) == before
