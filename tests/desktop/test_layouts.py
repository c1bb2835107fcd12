"""The table of the layouts."""

from __future__ import annotations

from typing import get_args

import pytest

from workbench.desktop.layouts import LAYOUTS, columns_of
from workbench.desktop.views import VIEWS
from workbench.document.schema import View

NAMES = {view.name for view in VIEWS}


def test_the_document_can_name_every_layout():
    assert set(LAYOUTS) == set(get_args(View.model_fields["layout"].annotation))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_names_real_views_once_and_shares_all_the_room(layout):
    named = [name for _, cells in LAYOUTS[layout] for names, _ in cells for name in names]
    assert set(named) <= NAMES and len(named) == len(set(named))
    assert sum(width for width, _ in LAYOUTS[layout]) == 100
    assert all(sum(part for _, part in cells) == 100 for _, cells in LAYOUTS[layout])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_views_that_do_not_apply_leave_no_gap(layout):
    assert columns_of(layout, []) == []
    for columns in (columns_of(layout, ["traces"]), columns_of(layout, ["traces", "raster"])):
        assert columns
        assert all(names for _, cells in columns for names, _ in cells)
