"""Regimes by hand-made courses, and maps of shapes that are known."""

import numpy as np
import pytest

from workbench.analysis.regimes import (
    DENSE,
    DIVERGENT,
    OSCILLATING,
    SILENT,
    SPARSE,
    Course,
    areas,
    classify,
    first_of_end,
    next_node,
    overall,
)

STEPS = 100
END = np.arange(STEPS + 1) >= first_of_end(STEPS)


def course(counts=5, switches=0.0, energy=None, part=None, neurons=200, features=20):
    """One run: each series a number, or one value a step."""
    counts, switches = (np.broadcast_to(v, STEPS + 1)[:, None] for v in (counts, switches))
    if energy is not None:
        energy = np.broadcast_to(energy, STEPS + 1)[:, None].astype(float)
    taking_part = np.array([counts[END].max() if part is None else part])
    return Course(counts, switches, taking_part, energy, neurons, features)


def regime(**series):
    return int(classify(course(**series))[0])


FALLING = np.linspace(1, 0.3, STEPS + 1)
GROWING = np.maximum(np.arange(STEPS + 1) - 81, 0)  # one more at each step


def rising(times, by=0.01):
    """A falling energy that jumps up so many times at the end."""
    jumps = np.zeros(STEPS + 1)
    jumps[np.flatnonzero(END)[1::2][:times]] = by
    return FALLING + jumps


@pytest.mark.parametrize("steps, first", [(100, 76), (4, 4), (1, 1), (0, 0), (1000, 751)])
def test_the_end_is_the_last_quarter(steps, first):
    assert first_of_end(steps) == first


@pytest.mark.parametrize(
    "expected, series",
    [
        (SPARSE, {"energy": FALLING}),
        (SILENT, {"energy": 1.0, "counts": 0}),
        (SPARSE, {"energy": FALLING, "counts": 20}),
        (DENSE, {"energy": FALLING, "counts": 21}),  # more than features
        (SPARSE, {"energy": FALLING, "counts": 50, "features": 1000}),
        (DENSE, {"energy": FALLING, "counts": 51, "features": 1000}),  # more than a quarter
        (DENSE, {"energy": FALLING, "counts": 5, "part": 21}),  # not at once, but in turn
        (SPARSE, {"energy": rising(2)}),
        (OSCILLATING, {"energy": rising(3)}),  # of 25 steps
        (SPARSE, {"energy": rising(12, by=0.0009)}),  # less than a rise
        (SPARSE, {"energy": np.where(END, FALLING, 1 + np.arange(STEPS + 1) % 2)}),  # before
        (SPARSE, {"energy": FALLING, "switches": 0.49}),
        (OSCILLATING, {"energy": FALLING, "switches": 0.5}),
        (SPARSE, {"energy": FALLING, "switches": 1.9, "counts": 20}),
        (OSCILLATING, {"energy": FALLING, "switches": 2.0, "counts": 20}),
        (SPARSE, {"energy": FALLING, "switches": 1.0, "counts": GROWING}),
        (OSCILLATING, {"energy": FALLING, "switches": 3.0, "counts": GROWING}),
        (DIVERGENT, {"energy": np.where(END, np.nan, 1.0)}),
        (DIVERGENT, {"energy": np.where(END, np.inf, 1.0), "counts": 0}),
        (DIVERGENT, {"energy": np.linspace(1, 11, STEPS + 1)}),
        (SPARSE, {"energy": np.append(np.full(STEPS, 1.0), 0.5) * np.r_[1, [99] * 70, [1] * 30]}),
        (SPARSE, {}),  # without an energy
        (SILENT, {"counts": 0}),
        (SPARSE, {"counts": np.arange(STEPS + 1) % 2 * 3}),  # variance 2.25, mean 1.5
        (OSCILLATING, {"counts": np.arange(STEPS + 1) % 2 * 5, "switches": 5}),  # 6.25 and 2.5
        (DENSE, {"counts": 5, "part": 51, "features": 200}),
    ],
)
def test_the_first_rule_that_holds(expected, series):
    assert regime(**series) == expected


def test_runs_of_a_batch_are_judged_one_by_one():
    one, two = course(energy=FALLING), course(counts=0, energy=1.0)
    both = Course(
        *(np.concatenate([a, b], -1) for a, b in zip(one[:4], two[:4], strict=True)), 200, 20
    )
    assert classify(both).tolist() == [SPARSE, SILENT]


@pytest.mark.parametrize(
    "regimes, expected",
    [
        ([SPARSE], SPARSE),
        ([SILENT, SILENT, DIVERGENT], SILENT),
        ([SILENT, SPARSE], SPARSE),
        ([SPARSE, DIVERGENT, SPARSE, DIVERGENT], DIVERGENT),
    ],
)
def test_most_images_decide_and_at_a_tie_the_one_in_which_more_goes_on(regimes, expected):
    assert overall(np.array(regimes)) == expected


def test_of_nothing_there_is_no_regime():
    with pytest.raises(ValueError, match="no runs"):
        overall(np.array([], dtype=int))


def explored(truth, here=(8, 8), nodes=17, spacing=4):
    """The nodes in the order in which they are looked at, and what is then known."""
    known, order = np.full((nodes, nodes), -1), []
    while (node := next_node(known, here, spacing)) is not None:
        assert known[node] == -1  # no node twice
        known[node] = truth(*node)
        order.append(node)
    return order, known


def painted(known, spacing=4):
    """The map as it is drawn from what is known."""
    shown = np.full(known.shape, -1)
    x, y = np.indices(known.shape)
    for (across, up), side in areas([tuple(n) for n in np.argwhere(known >= 0)], spacing):
        shown[(abs(x - across) <= side / 2) & (abs(y - up) <= side / 2)] = known[across, up]
    return shown


def test_where_all_is_alike_the_coarse_grid_is_enough():
    order, known = explored(lambda x, y: SPARSE)
    assert len(order) == 25 and (painted(known) == SPARSE).all()
    assert set(order) == {(x, y) for x in range(0, 17, 4) for y in range(0, 17, 4)}


def test_it_begins_at_the_present_point_and_goes_outwards():
    order, _ = explored(lambda x, y: SPARSE, here=(12, 3))
    far = [(x - 12) ** 2 + (y - 3) ** 2 for x, y in order]
    assert order[0] == (12, 4) and far == sorted(far)


@pytest.mark.parametrize(
    "truth",
    [
        lambda x, y: SPARSE if x + y < 17 else DENSE,
        lambda x, y: SPARSE if 2 * x < y + 3 else DIVERGENT,
        lambda x, y: SILENT if x > 13 else DENSE if y < 5 else DIVERGENT,
        lambda x, y: SPARSE if (x - 8) ** 2 + (y - 8) ** 2 < 30 else OSCILLATING,
    ],
)
def test_edges_are_found_to_one_node_from_a_part_of_the_runs(truth):
    order, known = explored(truth)
    whole = np.array([[truth(x, y) for y in range(17)] for x in range(17)])
    assert (painted(known) == whole).all() and len(order) < 0.65 * whole.size
    neighbours = [(known[:-1], known[1:]), (known[:, :-1], known[:, 1:])]
    for (one, other), (a, b) in zip(
        neighbours, [(whole[:-1], whole[1:]), (whole[:, :-1], whole[:, 1:])], strict=True
    ):
        edge = a != b
        assert (one[edge] >= 0).all() and (other[edge] >= 0).all()  # both sides were run


def test_coarse_cells_cover_the_map_before_it_is_refined():
    known = np.full((17, 17), -1)
    known[::4, ::4] = SPARSE
    assert (painted(known) == SPARSE).all()
