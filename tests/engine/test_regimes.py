"""Cells of a map against runs of their own, closed forms, and the stability bound."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from workbench.analysis import regimes, stability
from workbench.analysis.regimes import DENSE, DIVERGENT, OSCILLATING, REGIMES, SILENT, SPARSE
from workbench.document.schema import View
from workbench.engine import inputs
from workbench.engine.alarm import total_energy
from workbench.engine.courses import course
from workbench.engine.evaluation import evaluate
from workbench.engine.experiment import Cancelled
from workbench.engine.recording import Recording
from workbench.engine.regimes import NODES, Axis, Cell, Wish, explore, offered
from workbench.errors import InputError
from workbench.parameters import declared


def wish_of(experiment, across="threshold", up="time_step", sample=0):
    return Wish.of(experiment, across, up, inputs.chosen(experiment, View(sample=sample)))


def whole_map(experiment, *names, **options):
    return list(explore(wish_of(experiment, *names, **options)))[-1]


@pytest.fixture(scope="module")
def explored(tmp_path_factory):
    """A whole map of a small LCA."""
    from workbench.document import Document
    from workbench.engine.experiment import prepare

    system = {"kind": "lca", "time_constant": 20.0, "steps": 60}
    document = Document.parse({"dictionary": {"atoms": 150}, "system": system})
    return whole_map(prepare(document))


def recorded(experiment, vectors, row):
    """A run of one image, as the window records it."""
    state = experiment.initial_of(vectors[row : row + 1], "it")
    recording = Recording(experiment.system, state)
    for _ in range(experiment.steps):
        state = recording.advance(state)
    return recording


def test_a_map_shows_every_regime_and_its_cells_say_which_images_agree(explored):
    assert explored.whole and {cell.regime for cell in explored.cells.values()} == set(range(5))
    for cell in explored.cells.values():
        assert cell.regime == regimes.overall(cell.regimes) and len(cell.regimes) == 4


def test_cells_are_what_an_evaluation_of_the_same_images_gives(explored):
    wish = explored.wish
    samples = [wish.watched.sample, *wish.others]
    assert samples == [0, 90, 180, 270]
    for node, cell in list(explored.cells.items())[::12]:
        there = wish.at(node)
        with np.errstate(all="ignore"):
            found = list(evaluate(there, samples))[-1]
            counts, energy = course(there, wish.vectors())[:4:3]
        np.testing.assert_array_equal(counts.mean(1), found.firing_counts)
        assert cell.last.mean() == found.firing_counts[-1]
        finite = np.isfinite(energy).all()
        if finite:
            np.testing.assert_allclose(energy.mean(1), found.energy["total"], rtol=1e-12)
            assert cell.energy.mean() == pytest.approx(found.energy["total"][-1], rel=1e-12)
        assert finite or cell.regime == DIVERGENT or DIVERGENT in cell.regimes


def test_quiet_cells_are_what_the_window_records_of_each_image(explored):
    wish = explored.wish
    quiet = [n for n, c in explored.cells.items() if set(c.regimes) <= {SILENT, SPARSE}]
    for node in quiet[::10]:
        there, vectors, cell = wish.at(node), wish.vectors(), explored.cells[node]
        for row in range(len(vectors)):
            recording = recorded(there, vectors, row)
            counts = recording.summary("firing_count")
            assert (counts.max(), counts[-1]) == (cell.peak[row], cell.last[row])
            energy = total_energy(recording)
            assert cell.energy[row] == pytest.approx(energy[-1], rel=1e-4)
            assert cell.silence[row] == pytest.approx(energy[0], rel=1e-6)


def test_silence_ends_where_the_largest_drive_reaches_the_threshold(explored):
    """A silent LCA is linear: u = b (1 − (1 − η)ᵏ), and that of the best matching atom is first."""
    wish = explored.wish
    signals = wish.experiment.scaled(wish.vectors()).double().cpu()
    drive = (signals @ wish.experiment.dictionary.atoms.double().T).abs().amax(1).numpy()
    for node, cell in explored.cells.items():
        params = wish.at(node).system.params
        ratio = params.time_step / params.time_constant
        highest = drive * (1 - (1 - ratio) ** params.steps)
        sure = abs(highest / params.threshold - 1) > 1e-4  # not a matter of rounding
        silent = cell.regimes == SILENT
        assert (silent[sure] == (highest < params.threshold)[sure]).all(), node
        assert not silent[drive < 0.999 * params.threshold].any() or silent.any()
        if ratio > 0.2:  # the end is near the limit: the drive itself
            near = abs(drive / params.threshold - 1) < 1e-3
            assert (silent == (drive < params.threshold))[~near].all()


def test_within_the_bound_of_all_atoms_nothing_oscillates(explored):
    """η ≤ 2 / λ_max(ΦᵀΦ), η ≤ 1: the energy cannot rise, whoever is active (see `stability`)."""
    wish, checked = explored.wish, 0
    largest = stability.largest_eigenvalue(wish.experiment.system.wiring.atoms)
    for node, cell in explored.cells.items():
        if wish.at(node).system.step_ratio <= 2 / largest:
            assert not {OSCILLATING, DIVERGENT} & set(cell.regimes)
            checked += 1
    assert checked > 10


def test_networks_that_settled_obey_the_bound_and_those_that_swing_break_it(explored):
    wish, vectors = explored.wish, explored.wish.vectors()
    settled, swinging = [], []
    for node, cell in explored.cells.items():
        there = wish.at(node)
        for row in np.flatnonzero(np.isin(cell.regimes, (SPARSE, OSCILLATING))):
            recording = recorded(there, vectors, row)
            steps = range(regimes.first_of_end(there.steps), there.steps + 1)
            bounds = [stability.bound(there.system.lasso(recording.state(k))) for k in steps]
            over = np.mean([bound.exceeded for bound in bounds])
            (settled if cell.regimes[row] == SPARSE else swinging).append(over)
    assert len(settled) > 50 and len(swinging) > 5
    assert np.mean([over == 0 for over in settled]) > 0.97
    assert min(swinging) > 0


def test_lif_neurons_are_silent_where_their_potential_stays_below_threshold(prepared):
    """V after K steps under a constant current: (R s / g) (1 − exp(−g K Δt / τ))."""
    found = whole_map(prepared("lif", leak=1.0), "threshold", "gain")
    seen = set()
    brightest = found.wish.vectors().double().amax(1).numpy()
    for node, cell in found.cells.items():
        p = found.wish.at(node).system.params
        highest = p.gain * brightest * -np.expm1(-p.steps * p.time_step / p.time_constant)
        near = abs(highest / p.threshold - 1) < 1e-5
        assert ((cell.regimes == SILENT) == (highest < p.threshold))[~near].all()
        assert cell.energy is None
        seen.add(cell.regime)
    assert seen == {SILENT, SPARSE, OSCILLATING}


def test_neurons_of_one_brightness_fire_in_volleys_and_poisson_spikes_break_them(prepared):
    def course_of(kind):
        experiment = prepared(kind, gain=5.0, steps=200)
        return course(experiment, torch.ones(1, 64))

    assert regimes.classify(course_of("lif")).tolist() == [OSCILLATING]
    assert regimes.classify(course_of("lif poisson")).tolist() == [DENSE]


def test_the_lazy_engine_gives_the_same_map(prepared):
    one, other = (
        whole_map(prepared(kind, threshold=1.0, steps=30)) for kind in ("lca", "lca lazy")
    )
    shared = one.cells.keys() & other.cells.keys()
    alike = [one.cells[n].regimes == other.cells[n].regimes for n in shared]
    assert len(shared) > 0.9 * len(one.cells) and np.mean(alike) > 0.99


def test_a_network_that_blew_up_is_run_no_further_and_counts_as_if_it_were(prepared):
    experiment = prepared(threshold=0.05, time_step=10.0, steps=400)
    vectors, took = wish_of(experiment).vectors(), []
    system = experiment.system

    class Counting(type(system)):
        def step(self, state):
            took.append(int(state.k))
            return super().step(state)

    watched = Counting(system.params, system.wiring)
    found = course(replace(experiment, system=watched), vectors)
    assert len(took) < 200 and len(found.counts) == len(found.energy) == 401
    assert (found.counts[-1] == 150).all() and not np.isfinite(found.energy[-1]).any()
    counts = list(evaluate(experiment, [0, 90, 180, 270]))[-1].firing_counts
    np.testing.assert_array_equal(found.counts.mean(1), counts)


def test_it_can_be_called_off_at_any_step(prepared):
    wish = wish_of(prepared())
    with pytest.raises(Cancelled):
        next(explore(wish, lambda: True))
    left = iter([False] * 50)
    with pytest.raises(Cancelled):
        list(explore(wish, lambda: next(left, True)))


def test_an_image_that_a_system_refuses_is_named_in_one_line(prepared):
    wish = wish_of(prepared("lif poisson"))
    wish.watched.vector[0, 0] = -1.0
    with pytest.raises(InputError, match="an image of the map of regimes: Poisson encoding needs"):
        list(explore(wish))


def test_a_run_of_no_steps_is_silent(prepared):
    experiment = prepared(steps=0)
    assert Cell.of(course(experiment, wish_of(experiment).vectors())).regime == SILENT


def test_what_a_map_can_be_over_are_numbers_that_mean_something(prepared):
    names = {p.name for p in offered(prepared().system)}
    assert names == {"threshold", "time_constant", "time_step", "steps"}
    with_momentum = {p.name for p in offered(prepared(integrator="momentum").system)}
    assert with_momentum == names | {"momentum"}


def parameter(experiment, name):
    return {p.name: p for p in declared(experiment.system.Params)}[name]


def test_axes_are_spaced_as_their_sliders_and_hold_the_present_value(prepared):
    experiment = prepared()
    threshold = Axis.of(parameter(experiment, "threshold"), 2.0)
    assert len(threshold.values) == NODES
    assert threshold.values[0] == 0.01 and threshold.values[-1] == 5.0
    ratios = np.diff(np.log(threshold.values))
    np.testing.assert_allclose(ratios, ratios.mean(), rtol=0.02)  # three digits
    for place, value in enumerate(threshold.values):
        assert threshold.place(value) == pytest.approx(place, abs=0.02)
    assert Axis.of(parameter(experiment, "threshold"), 20.0).values[-1] == 20.0
    nothing = Axis.of(parameter(experiment, "threshold"), 0.0)
    assert nothing.values[0] == 0.01 and nothing.place(0.0) == 0.0
    steps = Axis.of(parameter(experiment, "steps"), 40)
    assert all(isinstance(value, int) for value in steps.values)
    momentum = Axis.of(parameter(experiment, "momentum"), 0.5)
    np.testing.assert_allclose(np.diff(momentum.values), 0.95 / 16, atol=0.001)


@pytest.mark.parametrize(
    "name, words",
    [
        ("threshold", ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1", "2", "5"]),
        ("steps", ["10", "20", "50", "100", "200", "500", "1000"]),
        ("momentum", ["0", "0.2", "0.4", "0.6", "0.8"]),
    ],
)
def test_ticks_are_round_and_stand_where_they_belong(prepared, name, words):
    experiment = prepared()
    axis = Axis.of(parameter(experiment, name), getattr(experiment.system.params, name))
    ticks = axis.ticks()
    assert [text for _, text in ticks] == words
    assert [place for place, _ in ticks] == [pytest.approx(axis.place(float(w))) for w in words]


def test_the_same_map_is_known_as_such(prepared):
    experiment = prepared(steps=30)
    system = experiment.system

    def under(**values):
        return replace(experiment, system=system.with_params(system.params.changed(**values)))

    wish = wish_of(experiment)
    assert wish.same(wish_of(under(threshold=0.3, time_step=2.0)))
    assert not wish.same(wish_of(under(time_constant=30.0)))
    assert not wish.same(wish_of(under(steps=31)))
    assert not wish.same(wish_of(experiment, sample=1))
    assert not wish.same(wish_of(experiment, "time_step", "threshold"))
    assert not wish.same(wish_of(under(threshold=9.0)))  # the axis is another one
    assert not wish.same(wish_of(prepared(steps=30)))  # another network, though alike


def test_regimes_have_names_in_the_order_of_what_goes_on():
    assert [REGIMES[r] for r in (SILENT, SPARSE, DENSE, OSCILLATING, DIVERGENT)] == list(REGIMES)
