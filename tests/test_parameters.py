"""Declared parameters: what is said once is what is checked and what is read back."""

from typing import Annotated, Literal

import pytest
from annotated_types import Gt

from workbench.errors import InputError
from workbench.parameters import Params, declared, parameter


class Example(Params):
    gain: float = parameter(2.0, "how much", symbol="R", unit="V", equation="(1)", gt=0, le=5)
    steps: int = parameter(10, "how long", ge=0, slider=(1, 100), log=True, restart=True)
    mode: Literal["soft", "hard"] = parameter("soft", "which form", label="Form", advanced=True)
    on: bool = parameter(True, "whether")
    root: str | None = parameter(None, "where")
    norm: Annotated[float, Gt(0)] | Literal["none"] | None = parameter(None, "how long")


def by_name(name):
    return next(p for p in declared(Example) if p.name == name)


def test_a_declaration_reads_back_as_it_was_made():
    gain, steps, mode = by_name("gain"), by_name("steps"), by_name("mode")
    assert (gain.type, gain.low, gain.high, gain.low_open) == ("float", 0, 5, True)
    assert (gain.symbol, gain.unit, gain.equation, gain.meaning) == ("R", "V", "(1)", "how much")
    assert (steps.type, steps.slider, steps.log, steps.restart) == ("int", (1, 100), True, True)
    assert (mode.type, mode.choices, mode.label, mode.advanced) == (
        "choice",
        ("soft", "hard"),
        "Form",
        True,
    )
    assert (by_name("root").type, by_name("root").optional, gain.optional) == ("text", True, False)


def test_a_number_that_may_also_be_a_word_keeps_its_range():
    norm = by_name("norm")
    assert (norm.type, norm.low, norm.low_open, norm.choices) == ("float", 0, True, ("none",))
    assert norm.optional
    assert Example(norm="none").norm == "none"


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("gain", "a number above 0 and at most 5"),
        ("steps", "a whole number of at least 0"),
        ("mode", "one of soft, hard"),
        ("on", "true or false"),
        ("root", "a text or null"),
        ("norm", 'a number above 0 or "none" or null'),
    ],
)
def test_what_is_allowed_is_said_in_words(name, allowed):
    assert by_name(name).allowed == allowed


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"gain": 0}, "x.gain = 0: must be a number above 0 and at most 5"),
        ({"gain": float("nan")}, "x.gain = nan: must be a number above 0 and at most 5"),
        ({"gain": "2"}, "x.gain = '2': must be a number above 0 and at most 5"),
        ({"steps": 1.5}, "x.steps = 1.5: must be a whole number of at least 0"),
        ({"steps": True}, "x.steps = True: must be a whole number of at least 0"),
        ({"mode": "sof"}, "x.mode = 'sof': must be one of soft, hard"),
        ({"on": 1}, "x.on = 1: must be true or false"),
        ({"norm": -1.0}, 'x.norm = -1.0: must be a number above 0 or "none" or null'),
        ({"norm": "some"}, "x.norm = 'some': must be a number above 0 or \"none\" or null"),
        (
            {"stepps": 1},
            "x.stepps: unknown key; did you mean steps? "
            "known here: gain, steps, mode, on, root, norm",
        ),
    ],
)
def test_a_wrong_value_is_one_line_with_place_value_and_what_is_allowed(values, line):
    with pytest.raises(InputError) as error:
        Example.parse(values, "x")
    assert str(error.value) == line


def test_a_changed_copy_is_checked_and_leaves_the_original():
    before = Example()
    assert before.changed(gain=3.0).gain == 3.0
    assert before.gain == 2.0
    with pytest.raises(InputError, match="gain"):
        before.changed(gain=-1.0)
