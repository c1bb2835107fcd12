"""Which documents a sweep runs, in which order, under which names."""

import pytest

from workbench.engine.sweep_axes import read_axes
from workbench.engine.sweep_points import points
from workbench.errors import InputError

THREE_BY_TWO = ["system.threshold=0.5,1,2", "dictionary.atoms=50,100"]


def test_the_points_are_the_product_of_the_grids(document):
    found = points(read_axes(document(), THREE_BY_TWO), document())
    assert [tuple(point.asked.values()) for point in found] == [
        (threshold, atoms) for threshold in (0.5, 1, 2) for atoms in (50, 100)
    ]
    for point in found:
        assert point.document.system["threshold"] == point.asked["system.threshold"]
        assert point.document.dictionary.atoms == point.asked["dictionary.atoms"]
    assert len({point.name for point in found}) == 6


def test_another_session_or_number_of_samples_has_other_names_and_the_same_one_the_same(document):
    axes = read_axes(document(), THREE_BY_TWO)

    def names(session, samples=None):
        return {point.name for point in points(axes, session, samples)}

    assert names(document()) == names(document())
    others = [document(time_constant=5.0), document(data={"seed": 1})]
    for other in (names(others[0]), names(others[1]), names(document(), 20)):
        assert not other & names(document())


def test_each_draw_meets_every_listed_value_and_more_draws_begin_with_the_same(document):
    def asked(draws, seed=3):
        ranges = ["system.threshold=0.1:10:log", "system.steps=10:20"]
        axes = read_axes(document(), ["dictionary.atoms=50,100"], ranges, draws, seed)
        return [dict(point.asked) for point in points(axes, document())]

    few, many = asked(2), asked(30)
    assert len(few) == 4 and len(many) == 60 and many[:4] == few
    assert few[0] | {"dictionary.atoms": 100} == few[1] and few[1] != few[3]
    assert asked(2, seed=4) != few
    assert all(0.1 <= point["system.threshold"] <= 10 for point in many)
    assert {point["system.steps"] for point in many} <= set(range(10, 21))


def test_draws_that_fall_together_are_one_point(document):
    axes = read_axes(document(), [], ["system.steps=10:11"], 50)
    assert sorted(p.asked["system.steps"] for p in points(axes, document())) == [10, 11]


def test_another_kind_of_system_is_set_before_its_parameters(document):
    axes = read_axes(document(), ["system.steps=5,7", "system.kind=lif"])
    for point in points(axes, document()):
        assert point.document.system == {"kind": "lif", "steps": point.asked["system.steps"]}


def test_values_that_make_no_document_are_a_point_with_the_reason(document):
    good, bad = points(read_axes(document(), ["dictionary.atoms=10,0"]), document())
    assert good.document and not good.error
    assert bad.document is None and bad.error.startswith("dictionary.atoms = 0: must be")


def test_too_many_points_are_refused_before_any_is_made(document):
    listed = ",".join(map(str, range(1000)))
    grids = [f"{key}={listed}" for key in ("data.seed", "dictionary.seed", "decoder.seed")]
    with pytest.raises(InputError, match="1000000000 points: must be at most 100000"):
        points(read_axes(document(), grids), document())
    axes = read_axes(document(), grids[:1], ["system.threshold=1:2"], 101)
    with pytest.raises(InputError, match="101000 points"):
        points(axes, document())
