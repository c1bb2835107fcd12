"""The lazy form of the LCA judged by the residual form, step by step, and by its own replay."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import normalize

from workbench.engine import fingerprint
from workbench.engine.recording import Recording
from workbench.systems import lazy
from workbench.systems.lazy import Lazy
from workbench.systems.lca import LCA
from workbench.systems.protocol import Wiring

few = settings(max_examples=60, deadline=None, derandomize=True)
seeds = st.integers(0, 10_000)
precisions = st.sampled_from([torch.float32, torch.float64])
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}


def draw(rows, features, seed, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, features, generator=generator, dtype=torch.float64).to(dtype)


def related_atoms(seed, features=9, dtype=torch.float64):
    """Random atoms, with some of them again: the same, negated, nearly the same, and an axis."""
    atoms = normalize(draw(11, features, seed, dtype), dim=1)
    nearly = normalize(atoms[2:5] + 1e-4 * draw(3, features, seed + 1, dtype), dim=1)
    axis = torch.eye(features, dtype=dtype)[:1]
    return torch.cat((atoms, atoms[:2], -atoms[1:3], nearly, axis))


def crowd(atoms, features, dtype=torch.float64, classes=4):
    """Many atoms and three signals, about a few directions."""
    centres = 3 * draw(classes, features, 5, dtype)
    generator = torch.Generator().manual_seed(6)
    which = torch.randint(0, classes, (atoms + 3,), generator=generator)
    vectors = normalize(centres[which] + 1.5 * draw(atoms + 3, features, 7, dtype), dim=1)
    return vectors[:atoms], 10 * vectors[atoms:]


def pair(atoms, **params):
    """The same network by either engine."""
    made = LCA.Params(**params)
    return [
        LCA(made, Wiring(atoms.shape[1], atoms, engine=engine)) for engine in ("lazy", "residual")
    ]


def states_of(system, signal, steps):
    states = [system.init(signal)]
    for _ in range(steps):
        states.append(system.step(states[-1]))
    return states


def bits(state):
    return [part.numpy().tobytes() for part in state]


def difference(one, other):
    """The largest, in parts of the largest value."""
    return float((one - other).abs().max() / other.abs().max().clamp(min=1.0))


@few
@given(
    seed=seeds,
    dtype=precisions,
    threshold=st.floats(0, 3),
    eta=st.floats(0.01, 2.5),
    transfer=st.sampled_from(["soft", "hard"]),
    integrator=st.sampled_from(["euler", "exponential"]),
)
def test_every_step_is_that_of_the_residual_form(seed, dtype, threshold, eta, transfer, integrator):
    """Each from where the lazy form is, so that an unstable run cannot amplify what is rounding."""
    atoms, signal = related_atoms(seed, dtype=dtype), 2 * draw(3, 9, seed + 2, dtype)
    quick, plain = pair(
        atoms, threshold=threshold, time_constant=1 / eta, transfer=transfer, integrator=integrator
    )
    state, other = quick.init(signal), plain.init(signal)
    for _ in range(25):
        state, other = quick.step(state), plain.step(other)
        seen, expected = quick.observe(state), plain.observe(other)
        u = expected["membrane_potential"]
        assert difference(seen["membrane_potential"], u) < TOLERANCE[dtype]
        clear = (u.abs() - threshold).abs() > TOLERANCE[dtype] * u.abs().max().clamp(min=1.0)
        assert seen["firing"][clear].equal(expected["firing"][clear])
        assert (
            difference(seen["activation"][clear], expected["activation"][clear])
            < (TOLERANCE[dtype])
        )
        other = other._replace(u=seen["membrane_potential"])


@few
@given(seed=seeds, dtype=precisions, threshold=st.floats(0, 4), eta=st.floats(0.01, 0.2))
def test_a_stable_run_is_that_of_the_residual_form(seed, dtype, threshold, eta):
    atoms, signal = related_atoms(seed, dtype=dtype), 2 * draw(3, 9, seed + 2, dtype)
    quick, plain = pair(atoms, threshold=threshold, time_constant=1 / eta)
    for state, other in zip(
        states_of(quick, signal, 60), states_of(plain, signal, 60), strict=True
    ):
        seen, expected = quick.observe(state), plain.observe(other)
        for name in set(expected) - {"firing", "firing_count"}:
            assert difference(seen[name], expected[name]) < 10 * TOLERANCE[dtype], name


def test_with_many_atoms_and_few_active_the_runs_agree_and_the_dictionary_is_hardly_read():
    for dtype in (torch.float32, torch.float64):
        atoms, signal = crowd(4000, 60, dtype)
        quick, plain = pair(atoms, threshold=2.5, time_constant=30.0)
        states, others = states_of(quick, signal, 100), states_of(plain, signal, 100)
        # One pass along the signal, and few more.
        assert 2 <= quick.lazy.passes <= 6
        fired = torch.stack([plain.observe(other)["firing_count"] for other in others])
        assert 5 < fired.max() < 400
        for state, other in zip(states, others, strict=True):
            seen, expected = quick.observe(state), plain.observe(other)
            assert seen["firing"].equal(expected["firing"])
            for name in expected:
                found = difference(seen[name].double(), expected[name].double())
                assert found < 10 * TOLERANCE[dtype], name


def test_silence_costs_one_pass():
    atoms, signal = crowd(500, 30)
    quick, plain = pair(atoms, threshold=11.0, time_constant=20.0)
    states = states_of(quick, signal, 200)
    assert quick.lazy.passes == 1
    assert len(states[-1].awake) == 0
    quick.observe(states[-1], ["activation", "firing", "energy", "residual", "class_evidence"])
    assert quick.lazy.passes == 1
    quick.observe(states[-1], ["membrane_potential"])
    assert quick.lazy.passes == 2


@few
@given(seed=seeds, dtype=precisions, threshold=st.floats(0, 2), eta=st.floats(0.01, 0.3))
def test_a_batch_is_its_samples_one_by_one(seed, dtype, threshold, eta):
    atoms, signal = related_atoms(seed, dtype=dtype), 2 * draw(4, 9, seed + 2, dtype)
    system, _ = pair(atoms, threshold=threshold, time_constant=1 / eta)
    last = states_of(system, signal, 30)[-1]
    together = system.observe(last)["membrane_potential"]
    alone = [states_of(system, row[None], 30)[-1] for row in signal]
    alone = torch.cat([system.observe(state)["membrane_potential"] for state in alone])
    assert difference(together, alone) < 10 * TOLERANCE[dtype]


@few
@given(
    seed=seeds,
    dtype=precisions,
    threshold=st.floats(0, 2.5),
    eta=st.floats(0.01, 1.5),
    start=st.integers(0, 29),
    samples=st.integers(1, 3),
)
def test_what_was_seen_of_the_dictionary_changes_nothing(
    seed, dtype, threshold, eta, start, samples
):
    atoms, signal = related_atoms(seed, dtype=dtype), 2 * draw(samples, 9, seed + 2, dtype)
    system, _ = pair(atoms, threshold=threshold, time_constant=1 / eta)
    states = states_of(system, signal, 30)
    fresh, _ = pair(atoms, threshold=threshold, time_constant=1 / eta)
    for replayed in (fresh, system):  # seen nothing; seen all
        state = states[start]
        for following in states[start + 1 :]:
            state = replayed.step(state)
            assert bits(state) == bits(following)


@pytest.mark.parametrize("count", [1, 2, 7, 300])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_product_is_the_same_bits_whatever_is_computed_beside_it(dtype, count):
    atoms, vectors = normalize(draw(400, 117, 1, dtype), dim=1), draw(2, 117, 2, dtype)
    form = Lazy(atoms)
    whole = form._dots(vectors, torch.arange(800))
    places = torch.randperm(800, generator=torch.Generator().manual_seed(count))[:count].sort()[0]
    assert form._dots(vectors, places).equal(whole[places])
    of_one = places[places >= 400]
    assert form._dots(vectors[1:], of_one - 400).equal(whole[of_one])
    torch.testing.assert_close(whole.view(2, 400), vectors @ atoms.T)


@pytest.mark.parametrize("budget", [0, 6000, 10**9])
def test_a_recording_finds_every_step_again_in_any_order(budget):
    atoms, signal = crowd(3000, 40, torch.float32)
    system, _ = pair(atoms, threshold=2.0, time_constant=20.0)
    states = states_of(system, signal[:1], 0)
    recording = Recording(system, states[0], budget)
    for _ in range(80):
        states.append(recording.advance(states[-1]))
    digest = fingerprint.START
    for step, state in enumerate(states):
        digest = fingerprint.chain(digest, system.observe(state)["activation"])
        assert recording.digest(step) == digest.hex()
    for step in (80, 3, 41, 40, 0, 79, 12):
        assert bits(recording.state(step)) == bits(states[step])
    branch = recording.fork(30, system.with_params(system.params.changed(threshold=1.0)))
    state = branch.state(30)
    for _ in range(20):
        state = branch.advance(state)
    assert bits(branch.state(50)) == bits(state) and bits(branch.state(20)) == bits(states[20])


CHANGES = [
    {"threshold": 0.5},
    {"threshold": 4.0},
    {"threshold": 0.0},
    {"time_constant": 5.0},
    {"time_step": 3.0},
    {"transfer": "hard"},
    {"integrator": "exponential"},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
@pytest.mark.parametrize("step", [0, 6, 25])
def test_parameters_changed_in_mid_run_act_as_in_the_residual_form(change, step):
    atoms, signal = crowd(300, 20)
    quick, plain = pair(atoms, threshold=2.0, time_constant=20.0)
    state, other = states_of(quick, signal, step)[-1], states_of(plain, signal, step)[-1]
    changed = quick.params.changed(**change)
    quick, plain = quick.with_params(changed), plain.with_params(changed)
    back = quick.params.changed(threshold=2.0)
    for _ in range(15):
        seen, expected = quick.observe(state), plain.observe(other)
        for name in expected:
            assert difference(seen[name].double(), expected[name].double()) < 1e-10, name
        state, other = quick.step(state), plain.step(other)
    quick, plain = quick.with_params(back), plain.with_params(back)
    state, other = quick.step(state), plain.step(other)
    seen, expected = quick.observe(state), plain.observe(other)
    assert difference(seen["membrane_potential"], expected["membrane_potential"]) < 1e-10
    assert seen["firing"].equal(expected["firing"])


def test_a_network_under_other_parameters_goes_on_with_what_was_seen():
    atoms, signal = crowd(500, 30)
    system, _ = pair(atoms, threshold=9.0, time_constant=20.0)
    state = states_of(system, signal, 3)[-1]
    changed = system.with_params(system.params.changed(time_constant=30.0))
    changed.step(state)
    assert changed.lazy.passes == 1


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("batch", [1, 3])
def test_a_run_that_explodes_does_so_as_in_the_residual_form(dtype, batch):
    atoms, signal = crowd(200, 20, dtype)
    quick, plain = pair(atoms, threshold=1.0, time_constant=0.3)
    state, other = quick.init(signal[:batch]), plain.init(signal[:batch])
    ended: list[list[bool]] = []
    for _ in range(400):
        state, other = quick.step(state), plain.step(other)
        seen, expected = quick.observe(state), plain.observe(other)
        finite = [now["energy"][:, 2].isfinite() for now in (seen, expected)]
        assert finite[0].equal(finite[1])
        ended.append((~finite[0]).tolist())
    assert not any(ended[0]) and all(ended[-1])
    assert seen["activation"].isnan().all() and expected["activation"].isnan().all()
    assert seen["firing_count"].tolist() == [200] * batch


def test_a_trail_that_is_not_a_number_wakes_all():
    atoms, signal = crowd(200, 20)
    system, _ = pair(atoms, threshold=1.0)
    state = states_of(system, signal, 3)[-1]
    for wrong in (math.nan, math.inf):
        trail = state.trail.clone()
        trail[1] = wrong
        now = system.observe(system.step(state._replace(trail=trail)))
        assert now["firing_count"].tolist()[1] == 200


def test_a_dense_code_is_computed_in_residual_form():
    atoms, signal = crowd(300, 20)
    quick, plain = pair(atoms, threshold=0.01, time_constant=20.0)
    state, other = states_of(quick, signal, 40)[-1], states_of(plain, signal, 40)[-1]
    assert len(state.u) == 3 * 300 and len(state.awake) == 0
    lower = quick.with_params(quick.params.changed(threshold=0.001))
    expected = plain.with_params(lower.params).observe(other)
    assert lower.observe(state)["firing"].equal(expected["firing"])
    seen, expected = quick.observe(state), plain.observe(other)
    torch.testing.assert_close(seen["membrane_potential"], expected["membrane_potential"])


def test_without_a_threshold_all_fire_at_once():
    atoms, signal = crowd(50, 20)
    system, _ = pair(atoms, threshold=0.0)
    state = system.init(torch.zeros_like(signal))
    for _ in range(3):
        assert system.observe(state)["firing"].all()
        state = system.step(state)


@few
@given(seed=seeds, dtype=precisions, directions=st.integers(1, 5), turn=st.floats(0, 2))
def test_no_neuron_that_reached_the_threshold_is_overlooked(seed, dtype, directions, turn):
    """Whatever R comes after whatever other: the suspects hold all that reached it."""
    atoms, signal = crowd(300, 12, dtype)
    form, threshold = Lazy(atoms), 1.5
    state = form.init(signal)
    walk = draw(40, 3 * 12, seed, dtype).view(40, 3, 12)
    for k, step in enumerate(walk):
        trail = 0.1 * k * signal / 10 + turn * step * (k % (directions + 1))
        state = state._replace(trail=trail)
        places = form._suspects(state, threshold)
        match = form._dots(trail, torch.arange(900))
        reached = (match.abs() >= threshold).nonzero()[:, 0]
        assert torch.isin(reached, places).all()
        assert places.equal(places.unique())


def test_a_neuron_exactly_at_the_threshold_is_not_overlooked():
    """Where R lies in the directions known, only rounding parts an estimate from what decides."""
    atoms, signal = crowd(300, 60, torch.float32)
    form = Lazy(atoms)
    trail = 0.3 * signal
    state = form.init(signal)._replace(trail=trail, floor=torch.tensor(math.inf))
    match = form._dots(trail, torch.arange(900)).abs()
    for place in match.argsort(descending=True)[:100].tolist():
        threshold = float(match[place])
        assert place in form._suspects(state, threshold).tolist()
        assert place in form.complete(state, threshold).awake.tolist()


def test_a_sleeper_is_seen_below_the_threshold_even_where_a_pass_rounds_it_above():
    atoms, signal = crowd(300, 60, torch.float32)
    form = Lazy(atoms)
    state = form.init(signal)._replace(trail=0.3 * signal, floor=torch.tensor(math.inf))
    match = form._dots(state.trail, torch.arange(900)).abs()
    order = match.argsort(descending=True)[:100]  # few enough to be awake one by one
    above = order[form.match(state.trail).view(-1).abs()[order] > match[order]]
    assert len(above) > 10
    for place in above.tolist():
        threshold = float(torch.nextafter(match[place], torch.tensor(math.inf)))
        now = form.complete(state, threshold)
        assert place not in now.awake.tolist()
        seen = form.potentials(now).view(-1)
        assert float(seen[place].abs()) < threshold
        assert (seen.abs() >= threshold).nonzero()[:, 0].equal(now.awake)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_where_all_directions_are_known_rounding_is_not_taken_for_one(dtype):
    atoms, signal = crowd(50, 3, dtype)
    form = Lazy(atoms)
    state = form.init(signal)
    lookout = form._look_along(normalize(signal, dim=1)[None], signal)
    for trail in draw(6, 9, 4, dtype).view(6, 3, 3):
        lookout = form._widened(lookout, state._replace(trail=trail))
        left = lookout.parts(trail)[1]
        torch.testing.assert_close(left, torch.zeros_like(left))


def test_directions_are_at_right_angles_and_begin_again_when_there_are_too_many():
    atoms, signal = crowd(300, 12)
    form = Lazy(atoms)
    state = form.init(signal)
    walk = draw(30, 36, 3).view(30, 3, 12)
    walk[5:, 1] = signal[1] / 10  # one sample stays where it began, and needs no more
    lookout, most = None, 0
    for trail in walk:
        state = state._replace(trail=trail)
        lookout = (
            form._widened(lookout, state)
            if lookout
            else form._look_along(normalize(signal, dim=1)[None], signal)
        )
        gram = torch.einsum("qbn,pbn->bqp", lookout.basis, lookout.basis)
        diagonal = torch.diag_embed(gram.diagonal(dim1=1, dim2=2))
        torch.testing.assert_close(gram, diagonal, rtol=0, atol=1e-9)
        most = max(most, len(lookout.basis))
        if lookout.basis[-1, 0].any() and len(lookout.basis) > 1:
            torch.testing.assert_close(lookout.parts(trail)[1], torch.zeros_like(trail))
    assert most == lazy._DIRECTIONS


# -- some samples of a batch ----------------------------------------------------------------------


@few
@given(
    seed=seeds,
    threshold=st.floats(0.05, 3),
    eta=st.floats(0.01, 1.5),
    steps=st.integers(0, 12),
    rows=st.sets(st.integers(0, 4), min_size=1).map(sorted),
)
def test_selected_samples_are_those_of_the_residual_form(seed, threshold, eta, steps, rows):
    """Sleepers, the awake, and all awake alike; also when the threshold falls afterwards."""
    atoms = related_atoms(seed)
    signal = 2 * draw(5, 9, seed + 2)
    system, plain = pair(atoms, threshold=threshold, time_constant=1 / eta)
    states = [states_of(s, signal, steps)[-1] for s in (system, plain)]
    rows = torch.tensor(rows)
    selected, expected = (
        s.select(state, rows) for s, state in zip((system, plain), states, strict=True)
    )
    places = selected.awake
    assert (places.diff() > 0).all() and (places < len(rows) * len(atoms)).all()
    assert len(selected.u) in (len(places), len(rows) * len(atoms))
    for params in (system.params, system.params.changed(threshold=0.5 * threshold)):
        one, other = system.with_params(params), plain.with_params(params)
        mine, theirs = selected, expected
        for name in ("membrane_potential", "activation", "energy"):
            now = one.observe(mine, (name,))[name]
            assert difference(now, other.observe(theirs, (name,))[name]) < 1e-9, name
        for _ in range(3):
            mine, theirs = one.step(mine), other.step(theirs)
            codes = (net.observe(s)["activation"] for net, s in ((one, mine), (other, theirs)))
            assert difference(*codes) < 1e-9


def test_where_a_selected_sample_is_all_awake_it_goes_on_all_awake():
    """Beside silent samples its neurons are named one by one; alone it is in residual form."""
    atoms = normalize(draw(4, 4, 0), dim=1)
    system, plain = pair(atoms, threshold=0.01, time_constant=2.0)
    signal = torch.zeros(40, 4, dtype=torch.float64)
    signal[3] = draw(1, 4, 1)[0]
    state = states_of(system, signal, 6)[-1]
    assert len(state.u) == 4 and len(state.awake) == 4
    rows = torch.tensor([3])
    alone = states_of(system, signal[rows], 6)[-1]
    selected = system.select(state, rows)
    for _ in range(5):
        selected, alone = system.step(selected), system.step(alone)
        activation = [system.observe(s)["activation"] for s in (selected, alone)]
        assert difference(*activation) < 1e-12
