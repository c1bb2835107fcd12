"""The lazy form of the LCA judged by the residual form, step by step, and by its own replay."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import normalize

from workbench.engine import fingerprint
from workbench.engine.recording import Recording
from workbench.systems import lazy, lookout
from workbench.systems.lazy import Lazy, LazyState
from workbench.systems.lca import LCA, LCAState
from workbench.systems.protocol import Products, Wiring, tensors

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
    return [part.numpy().tobytes() for part in tensors(state)]


def difference(one, other):
    """The largest, in parts of the largest value."""
    if one.numel() == 0:
        return 0.0
    return float((one - other).abs().max() / other.abs().max().clamp(min=1.0))


def decided(was, pace, dtype):
    """Samples whose adaptive step does not hang on the rounding of a small change of the energy."""
    if was.shape[1] == 0:
        return torch.ones(3, dtype=torch.bool)
    change = (was[:, 2] - pace[:, 2]).abs() / was[:, 2].abs()
    return change > (3e-2 if dtype == torch.float32 else 1e-6)


@few
@given(
    seed=seeds,
    dtype=precisions,
    threshold=st.floats(0, 3),
    eta=st.floats(0.01, 2.5),
    transfer=st.sampled_from(["soft", "hard"]),
    integrator=st.sampled_from(["euler", "exponential", "momentum", "adaptive"]),
)
def test_every_step_is_that_of_the_residual_form(seed, dtype, threshold, eta, transfer, integrator):
    """Each from where the lazy form is, so that an unstable run cannot amplify what is rounding."""
    atoms, signal = related_atoms(seed, dtype=dtype), 2 * draw(3, 9, seed + 2, dtype)
    quick, plain = pair(
        atoms, threshold=threshold, time_constant=1 / eta, transfer=transfer, integrator=integrator
    )
    state, other = quick.init(signal), plain.init(signal)
    for _ in range(25):
        was = other.pace
        state, other = quick.step(state), plain.step(other)
        seen, expected = quick.observe(state), plain.observe(other)
        alike = decided(was, other.pace, dtype)
        u = expected["membrane_potential"]
        assert difference(seen["membrane_potential"][alike], u[alike]) < TOLERANCE[dtype]
        clear = (u.abs() - threshold).abs() > TOLERANCE[dtype] * u.abs().max().clamp(min=1.0)
        clear &= alike[:, None]
        assert seen["firing"][clear].equal(expected["firing"][clear])
        codes = (seen["activation"][clear], expected["activation"][clear])
        assert difference(*codes) < TOLERANCE[dtype]
        before = other.before
        if integrator == "momentum" and isinstance(state, LazyState):
            before = quick.lazy.potentials(state, state.before)
        other = other._replace(u=seen["membrane_potential"], before=before, pace=state.pace)


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
                # In float32 the residual form itself is 2e-4 from the run in float64.
                assert found < 20 * TOLERANCE[dtype], name


def test_silence_costs_one_pass():
    atoms, signal = crowd(500, 30)
    quick, plain = pair(atoms, threshold=11.0, time_constant=20.0)
    states = states_of(quick, signal, 200)
    assert quick.lazy.passes == 1
    assert not states[-1].there.any()
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
def test_a_step_again_from_any_state_is_the_same_step(seed, dtype, threshold, eta, start, samples):
    atoms, signal = related_atoms(seed, dtype=dtype), 2 * draw(samples, 9, seed + 2, dtype)
    system, _ = pair(atoms, threshold=threshold, time_constant=1 / eta)
    states = states_of(system, signal, 30)
    fresh, _ = pair(atoms, threshold=threshold, time_constant=1 / eta)
    for replayed in (fresh, system):
        state = states[start]
        for following in states[start + 1 :]:
            state = replayed.step(state)
            assert bits(state) == bits(following)


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


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_a_potential_that_is_not_a_number_spreads_as_in_the_residual_form(wrong):
    atoms, signal = crowd(200, 20)
    system, _ = pair(atoms, threshold=1.0)
    state = states_of(system, signal, 12)[-1]
    assert isinstance(state, LazyState) and state.there[1].sum() > 1
    u = state.now.u.clone()
    u[1, 0] = wrong
    now = system.step(system.step(state._replace(now=state.now._replace(u=u))))
    assert isinstance(now, LCAState)
    assert system.observe(now)["firing_count"].tolist()[1] == 200
    assert system.observe(now)["activation"][[0, 2]].isfinite().all()


def test_a_dense_code_is_computed_in_residual_form(monkeypatch):
    monkeypatch.setattr(lazy, "_FEW", 100)
    monkeypatch.setattr(lazy, "_TIMES", 0)
    for integrator in ("euler", "momentum", "adaptive"):
        atoms, signal = crowd(300, 20)
        params = {"threshold": 0.3, "time_constant": 20.0, "integrator": integrator}
        quick, plain = pair(atoms, **params)
        states, others = states_of(quick, signal, 40), states_of(plain, signal, 40)
        assert isinstance(states[0], LazyState) and isinstance(states[-1], LCAState)
        for state, other in zip(states, others, strict=True):
            seen, expected = quick.observe(state), plain.observe(other)
            assert difference(seen["membrane_potential"], expected["membrane_potential"]) < 1e-10
            assert seen["firing"].equal(expected["firing"])


def test_without_a_threshold_all_fire_at_once():
    atoms, signal = crowd(50, 20)
    system, _ = pair(atoms, threshold=0.0)
    state = system.init(torch.zeros_like(signal))
    for _ in range(3):
        assert system.observe(state)["firing"].all()
        state = system.step(state)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("worth", [0.0, 0.5, 1e9], ids=["widened", "as it is", "never widened"])
def test_the_bounds_hold_for_every_neuron_at_every_step(monkeypatch, dtype, worth):
    monkeypatch.setattr(lazy, "_WORTH", worth)
    monkeypatch.setattr(lookout, "_BLOCK", 600)
    atoms, signal = crowd(2000, 40, dtype)
    system, _ = pair(atoms, threshold=2.0, time_constant=30.0)
    slack = 50 * torch.finfo(dtype).eps * 10
    tightness = []
    for state in states_of(system, signal, 120)[1:]:
        if worth > 1 and isinstance(state, LCAState):
            break  # too many are in doubt
        trail = state.now.gone[:, None] * signal.double()
        for row in range(3):
            there = state.there[row]
            tracked = atoms[state.neuron[row][there]].double()
            trail[row] -= state.now.held[row][there].double() @ tracked
        match = (trail @ atoms.T.double()).abs()
        sight = lookout.look(state.lookout, lazy._parts(state), torch.finfo(dtype).eps)
        most = lookout.scores(state.lookout, sight) + sight.rounding[:, None]
        error = state.lookout.near_outside * sight.radius[:, None] + sight.rounding[:, None]
        least = most - 2 * error
        others = torch.ones_like(match, dtype=torch.bool)
        for row in range(3):
            near = state.lookout.near[row]
            listed = state.lookout.near_outside[row] >= 0
            true = match[row][near[listed]]
            assert (true <= most[row][listed] + slack).all()
            assert (true >= least[row][listed] - slack).all()
            tightness += (most[row][listed] - true).tolist()
            others[row, near[listed]] = False
            tracked = state.neuron[row][state.there[row]]
            assert len(torch.cat((near[listed], tracked)).unique()) == listed.sum() + len(tracked)
            others[row, tracked] = False
        outer = match.masked_fill(~others, 0.0).amax(1)
        assert (outer <= sight.reach + slack).all() and (outer < 2.0).all()
    assert len(tightness) > 1000 and 0 < sum(tightness) / len(tightness) < 1.0


def test_directions_are_at_right_angles_and_given_up_when_there_are_too_many(monkeypatch):
    monkeypatch.setattr(lazy, "_WORTH", 0.0)
    monkeypatch.setattr(lazy, "_DIRECTIONS", 3)
    atoms, signal = crowd(2000, 40)
    quick, plain = pair(atoms, threshold=2.0, time_constant=30.0)
    states, others = states_of(quick, signal, 120), states_of(plain, signal, 120)
    counts = [state.lookout.basis.shape[1] for state in states]
    assert max(counts) == 3 and any(b < a for a, b in zip(counts, counts[1:], strict=False))
    for state, other in zip(states, others, strict=True):
        basis = state.lookout.basis
        gram = basis @ basis.transpose(1, 2)
        torch.testing.assert_close(gram, torch.diag_embed(gram.diagonal(dim1=1, dim2=2)))
        torch.testing.assert_close(torch.stack(state.lookout.seen, 1), basis @ atoms.T)
        seen, expected = quick.observe(state), plain.observe(other)
        assert difference(seen["membrane_potential"], expected["membrane_potential"]) < 1e-9


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_where_all_directions_are_known_rounding_is_not_taken_for_one(dtype):
    signal = draw(3, 3, 1, dtype)
    basis = torch.eye(3, dtype=dtype)[None].expand(3, -1, -1)
    known = Lazy(Products(torch.eye(3, dtype=dtype))).init(signal).lookout._replace(basis=basis)
    assert not lookout.aside(known, signal).any()
    two = known._replace(basis=basis[:, :2])
    expected = torch.tensor([[0, 0, 1.0]], dtype=dtype) * signal[:, 2:].sign()
    torch.testing.assert_close(lookout.aside(two, signal), expected)


@pytest.mark.parametrize("rest", [1e-1, 1e-6, 1e-10, 4e-13])
def test_a_direction_has_length_one_however_little_is_left_of_it(rest):
    known = Lazy(Products(torch.eye(9).double())).init(draw(1, 9, 1)).lookout
    vector = known.basis[0] + rest * draw(1, 9, 2)
    found = lookout.aside(known, vector)
    torch.testing.assert_close(found @ found.T, torch.ones(1, 1).double())
    torch.testing.assert_close(found @ known.basis[0].T, torch.zeros(1, 1).double())
    for scale in (1e-30, 1e30):
        torch.testing.assert_close(lookout.unit(scale * vector), lookout.unit(vector))
    assert not lookout.unit(torch.zeros(2, 9)).any()


def test_the_trail_holds_what_no_neuron_explains():
    atoms, signal = crowd(2000, 40)
    quick, plain = pair(atoms, threshold=2.0, time_constant=30.0)
    trail, held = torch.zeros_like(signal), signal.new_zeros(3, 2000)
    other = plain.init(signal)
    for state in states_of(quick, signal, 60):
        torch.testing.assert_close(quick.lazy._trail(state, state.now), trail)
        torch.testing.assert_close(quick.lazy.spread(state, state.now.held), held)
        seen = plain.observe(other, ("residual", "activation"))
        trail = torch.lerp(trail, seen["residual"], 1 / 30)
        held = torch.lerp(held, seen["activation"], 1 / 30)
        other = plain.step(other)


def test_who_is_not_tracked_is_seen_below_the_threshold_even_where_a_pass_rounds_it_above():
    atoms, signal = crowd(2000, 40, torch.float32)
    system, _ = pair(atoms, threshold=2.0, time_constant=30.0)
    state = states_of(system, signal, 40)[-1]
    others = torch.ones(3, 2000, dtype=torch.bool)
    for row in range(3):
        others[row, state.neuron[row][state.there[row]]] = False
    exact = system.observe(state)["membrane_potential"]
    highest = float(exact[others].abs().max())
    floor = torch.tensor(highest * (1 - 1e-7), dtype=torch.float64)  # decided more exactly
    seen = system.observe(state._replace(floor=floor))["membrane_potential"]
    assert float(seen[others].abs().max()) < floor
    torch.testing.assert_close(seen, exact)
    assert seen[~others].equal(exact[~others])


@pytest.mark.parametrize("integrator", ["euler", "momentum", "adaptive"])
def test_some_samples_of_a_batch_go_on_without_the_others(integrator):
    atoms, signal = crowd(2000, 40)
    params = {"threshold": 2.0, "time_constant": 30.0, "integrator": integrator}
    for system in pair(atoms, **params):
        state = states_of(system, signal, 40)[-1]
        part = system.select(state, torch.tensor([2, 0]))
        for _ in range(20):
            state, part = system.step(state), system.step(part)
        whole, seen = system.observe(state), system.observe(part)
        for name in whole:
            torch.testing.assert_close(seen[name], whole[name][[2, 0]])


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
    """Also when the threshold falls afterwards."""
    atoms = related_atoms(seed)
    signal = 2 * draw(5, 9, seed + 2)
    system, plain = pair(atoms, threshold=threshold, time_constant=1 / eta)
    states = [states_of(s, signal, steps)[-1] for s in (system, plain)]
    rows = torch.tensor(rows)
    selected, expected = (
        s.select(state, rows) for s, state in zip((system, plain), states, strict=True)
    )
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


@pytest.mark.parametrize("kept", [torch.float16, torch.bfloat16])
def test_atoms_in_half_precision_give_the_same_run_as_in_residual_form(kept):
    atoms, signal = crowd(3000, 60, torch.float32)
    quick, plain = pair(atoms.to(kept), threshold=2.5, time_constant=30.0)
    states, others = states_of(quick, signal, 60), states_of(plain, signal, 60)
    assert isinstance(states[-1], LazyState) and quick.lazy.passes <= 8
    for state, other in zip(states, others, strict=True):
        seen, expected = quick.observe(state), plain.observe(other)
        assert difference(seen["membrane_potential"], expected["membrane_potential"]) < 1e-4
        assert difference(seen["reconstruction"], expected["reconstruction"]) < 1e-4


def test_some_neurons_can_be_looked_at_without_the_others():
    atoms, signal = crowd(2000, 40)
    quick, plain = pair(atoms, threshold=2.0, time_constant=30.0)
    state, other = states_of(quick, signal, 50)[-1], states_of(plain, signal, 50)[-1]
    fired = plain.observe(other)["firing"].any(0).nonzero()[:, 0]
    neurons = [*fired[:5].tolist(), 0, 1999, *fired[-3:].tolist(), 7]
    passes = quick.lazy.passes
    for name in ("membrane_potential", "activation", "drive"):
        expected = plain.observe(other)[name][:, neurons]
        torch.testing.assert_close(quick.observe_neurons(state, name, neurons), expected)
        torch.testing.assert_close(plain.observe_neurons(other, name, neurons), expected)
    assert quick.lazy.passes == passes
    seen = quick.observe_neurons(state, "firing", neurons)
    assert seen.equal(plain.observe(other)["firing"][:, neurons]) and seen.any()
    lower = quick.with_params(quick.params.changed(threshold=1.0))
    expected = plain.with_params(lower.params).observe(other)["activation"][:, neurons]
    found = lower.observe_neurons(state, "activation", neurons)
    torch.testing.assert_close(found, expected)
