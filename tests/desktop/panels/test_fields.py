"""The rows of the parameter panel by themselves."""

from __future__ import annotations

import pytest

from workbench.desktop.panels.fields import TICKS, NumberField, make_field, subscripted
from workbench.document import sections
from workbench.parameters import declared
from workbench.systems import kinds

SLIDERS = [
    pytest.param(parameter, id=f"{kind}.{parameter.name}")
    for kind, system in kinds().items()
    for parameter in declared(system.Params)
    if parameter.slider
]


@pytest.mark.parametrize("parameter", SLIDERS)
def test_a_slider_spans_its_range_and_shows_what_it_sets(themed_app, qtbot, parameter):
    field = NumberField("system.x", parameter)
    qtbot.addWidget(field)
    low, high = parameter.slider
    assert field._from_tick(0) == pytest.approx(low)
    assert field._from_tick(TICKS) == pytest.approx(high)
    values = [field._from_tick(tick) for tick in range(TICKS + 1)]
    assert values == sorted(values)
    for tick, value in enumerate(values):
        shown = field._from_tick(field._to_tick(value))
        assert shown == pytest.approx(value, abs=1e-9), f"tick {tick}"


@pytest.mark.parametrize("parameter", SLIDERS)
def test_a_slider_only_offers_what_the_model_allows(parameter):
    low, high = parameter.slider
    assert parameter.low is None or low >= parameter.low + (1e-12 if parameter.low_open else 0)
    assert parameter.high is None or high <= parameter.high


@pytest.mark.parametrize(
    "parameter",
    [
        pytest.param(parameter, id=f"{name}.{parameter.name}")
        for name, model in [
            *((n, m) for n, m in sections().items() if n != "view"),
            *((kind, system.Params) for kind, system in kinds().items()),
        ]
        for parameter in declared(model)
    ],
)
def test_every_declared_parameter_gets_a_row_that_shows_its_default(themed_app, qtbot, parameter):
    field = make_field("section.x", parameter)
    qtbot.addWidget(field)
    edits = []
    field.edited.connect(lambda *edit: edits.append(edit))
    field.show_value(parameter.default)
    assert not edits  # showing is not editing


def test_a_choice_that_may_be_left_open_offers_that_first(themed_app, qtbot):
    storage = next(p for p in declared(sections()["run"]) if p.name == "storage")
    field = make_field("run.storage", storage)
    qtbot.addWidget(field)
    edits = []
    field.edited.connect(lambda *edit: edits.append(edit))
    field.show_value("bfloat16")
    assert field.combo.currentText() == "bfloat16"
    field.combo.setCurrentIndex(field.combo.findText("as precision"))
    field.combo.setCurrentIndex(field.combo.findText("float16"))
    assert edits == [(None, False), ("float16", False)]


def test_an_index_is_set_low():
    assert subscripted("V_θ") == "V<sub>θ</sub>"
    assert subscripted("λ") == "λ"
