"""The record of a run: any step again, bit for bit, in as much memory as it may take."""

import sys
import threading

import pytest
import torch

from workbench.engine.recording import Recording, expected_bytes
from workbench.systems.lca import LCA
from workbench.systems.protocol import tensors

KINDS = ("lca", "lca lazy", "lif", "lif poisson")
STATES = 4  # so many states of a run fit in the tiny budget


@pytest.fixture
def run(prepared):
    """Records a run, and keeps every state itself: (recording, states)."""

    def make(kind="lca", steps=40, budget_in_states=10**6, **changes):
        experiment = prepared(kind, **changes)
        state = experiment.initial([0])
        one = expected_bytes(experiment.system, state, 0)
        recording = Recording(experiment.system, state, budget_in_states * one)
        return recording, advance(recording, [state], steps)

    return make


def advance(recording, states, steps):
    """Advance the recording; the states, with the new ones appended."""
    states = list(states)
    for _ in range(steps):
        states.append(recording.advance(states[-1]))
    return states


def other(system, **changes):
    """The system under other parameters."""
    return system.with_params(system.params.changed(**changes))


def same(one, another):
    pairs = zip(tensors(one), tensors(another), strict=True)
    return all(a.numpy(force=True).tobytes() == b.numpy(force=True).tobytes() for a, b in pairs)


def record_of(recording, until=None):
    """Everything that was recorded up to a step, as bytes."""
    count = (recording.head if until is None else until) + 1
    names = [o.name for o in recording.system.observables]
    summaries = {name: recording.summary(name) for name in names}
    return (
        [recording.digest(k) for k in range(count)],
        {name: rows[:count].tobytes() for name, rows in summaries.items() if rows is not None},
        [fired.tobytes() for fired in recording.spikes()[:count]],
        [recording.state(k) for k in range(count)],
    )


def equal_records(one, another):
    return one[:3] == another[:3] and all(map(same, one[3], another[3]))


@pytest.mark.parametrize("kind", KINDS)
def test_every_step_can_be_had_again_exactly(run, kind):
    recording, states = run(kind, budget_in_states=STATES)
    assert recording.spacing > 1 and len(recording.stored_steps()) <= STATES + 1
    for step in [*range(41), *range(40, -1, -3)]:
        assert same(recording.state(step), states[step])
    for step in range(40):
        assert same(recording.following(step, states[step]), states[step + 1])
        assert recording.stored(step) is None or same(recording.stored(step), states[step])


def test_runs_of_a_poisson_population_differ_by_their_generator(run):
    """So a replay that forgot the generator's state would have been caught above."""
    _, states = run("lif poisson")
    assert not torch.equal(states[1].rng, states[2].rng)
    assert not torch.equal(states[1].current, states[2].current)


@pytest.mark.parametrize("kind", KINDS)
def test_thinning_keeps_the_checkpoints_within_the_budget(run, kind):
    recording, states = run(kind, steps=0, budget_in_states=STATES)
    for _ in range(60):
        states = advance(recording, states, 1)
        kept = [recording.stored(step) for step in recording.stored_steps()]
        first = {tensor.data_ptr() for tensor in tensors(kept[0])}  # shared, or there anyway
        rest = [t for state in kept[1:] for t in tensors(state)]
        held = {t.data_ptr(): t.numel() * t.element_size() for t in rest}
        checkpoints = sum(size for pointer, size in held.items() if pointer not in first)
        spikes = sum(index.nbytes for index in recording.spikes())
        counted = recording.bytes_used - spikes
        assert counted == checkpoints
        assert recording.bytes_used <= recording.budget or len(kept) == 1
        assert recording.stored_steps() == list(range(0, recording.head + 1, recording.spacing))
    assert recording.spacing >= 16


def test_a_budget_for_nothing_keeps_the_first_state_and_computes_the_rest(run):
    recording, states = run(budget_in_states=0)
    assert recording.stored_steps() == [0]
    assert same(recording.state(40), states[40])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "lca lazy"])
def test_the_memory_said_before_a_run_is_what_its_checkpoints_take(run, kind):
    recording, states = run(kind)
    said = expected_bytes(recording.system, states[0], 40)
    spikes = sum(index.nbytes for index in recording.spikes())
    one = said / 41
    assert abs(said - (recording.bytes_used - spikes)) <= one
    assert one >= 4 * recording.system.neurons


@pytest.mark.parametrize("budget", [10**6, STATES])
def test_a_fork_leaves_the_trunk_byte_identical(run, budget):
    trunk, states = run(budget_in_states=budget)
    before = record_of(trunk)
    branch = trunk.fork(13, other(trunk.system, threshold=0.2))
    assert branch.head == 13 and max(branch.stored_steps()) <= 13
    advance(branch, states[:14], 60)
    assert equal_records(record_of(trunk), before) and trunk.head == 40
    assert equal_records(record_of(branch, until=13), record_of(trunk, until=13))
    assert branch.digest(20) != trunk.digest(20)
    advance(trunk, states, 3)
    assert equal_records(record_of(trunk, until=40), before) and branch.head == 73


@pytest.mark.parametrize("kind", KINDS)
def test_a_fork_goes_on_exactly_like_a_run_with_the_new_parameter_from_there(run, kind):
    trunk, states = run(kind, budget_in_states=STATES)
    changed = other(trunk.system, threshold=0.6)
    branch = trunk.fork(13, changed)
    got = advance(branch, states[:14], 20)

    alone = Recording(changed, states[13])
    state = states[13]
    for step in range(14, 34):
        state = alone.advance(state)
        assert same(state, got[step]) and same(branch.state(step), state)
        for observable in changed.observables:
            rows, expected = branch.summary(observable.name), alone.summary(observable.name)
            assert (rows is None) == (expected is None)
            assert rows is None or rows[step].tobytes() == expected[step - 13].tobytes()
    assert [s.tobytes() for s in branch.spikes()[14:]] == [s.tobytes() for s in alone.spikes()[1:]]
    assert not same(states[33], got[33])


def test_a_replay_uses_the_parameters_that_were_in_force_at_each_step(run):
    trunk, states = run(budget_in_states=STATES)
    first = other(trunk.system, threshold=0.3)
    second = other(trunk.system, threshold=2.0, time_constant=40.0)
    branch = trunk.fork(10, first)
    states = advance(branch, states[:11], 10)
    branch = branch.fork(20, other(trunk.system, threshold=5.0)).fork(20, second)  # thought again
    states = advance(branch, states, 10)

    state = states[0]
    for step in range(30):
        maker = trunk.system if step < 10 else first if step < 20 else second
        assert branch.system_at(step).params == maker.params
        assert branch.observer(step + 1).params == maker.params
        state = maker.step(state)
        assert same(branch.state(step + 1), state)
    assert branch.spacing > 2  # steps 10 and 20 lie between checkpoints
    assert (trunk.course_start, branch.course_start) == (0, 21)


def test_a_fork_at_the_first_step_is_a_run_with_the_new_parameter(run):
    trunk, states = run()
    changed = other(trunk.system, threshold=0.3)
    branch = trunk.fork(0, changed)
    advance(branch, states[:1], 10)
    alone = Recording(changed, states[0])
    advance(alone, states[:1], 10)
    assert branch.digest(10) == alone.digest(10) != trunk.digest(10)
    assert branch.observer(0) is trunk.system


def test_arrays_that_were_handed_out_are_never_overwritten(run):
    recording, states = run(steps=5)
    early, copy = recording.summary("energy"), recording.summary("energy").copy()
    spikes = recording.spikes()
    states = advance(recording, states, 400)  # beyond what was reserved at first, twice
    branch = recording.fork(3, other(recording.system, threshold=0.2))
    advance(branch, states[:4], 200)
    assert early.shape == (6, 3) and early.tobytes() == copy.tobytes()
    assert len(spikes) == 6
    assert recording.summary("energy")[:6].tobytes() == copy.tobytes()
    assert recording.summary("energy").shape == (406, 3)
    with pytest.raises(ValueError, match="read-only"):
        early[0] = 0


def test_what_is_observed_is_what_was_recorded(run):
    recording, states = run(threshold=0.2)
    for step, state in enumerate(states):
        seen = recording.system.observe(state)
        assert recording.summary("energy")[step].tolist() == seen["energy"][0].tolist()
        assert recording.summary("firing_count")[step] == seen["firing_count"][0]
        assert recording.spikes()[step].tolist() == seen["firing"][0].nonzero()[:, 0].tolist()
    assert recording.summary("firing_count").max() > 0
    assert recording.summary("membrane_potential") is None


class Forgetful(LCA):
    """Draws on something that is not in the state."""

    drawn = 0

    def step(self, state):
        Forgetful.drawn += 1
        return super().step(state)._replace(u=state.u + 0.3 * Forgetful.drawn)


class Overwriting(LCA):
    """Changes the state it is given."""

    def step(self, state):
        after = super().step(state)
        state.u.copy_(after.u)
        return after._replace(u=state.u)


@pytest.mark.parametrize("impure", [Forgetful, Overwriting])
def test_a_system_that_is_not_pure_is_caught(prepared, impure):
    experiment = prepared()
    system = impure(experiment.system.params, experiment.system.wiring)
    state = experiment.initial([0])
    recording = Recording(system, state, 0)
    advance(recording, [state], 30)
    with pytest.raises(RuntimeError, match="the system 'lca' changes its states or draws"):
        recording.state(25)


def test_a_state_that_was_overwritten_is_caught_where_it_is_stored(prepared):
    experiment = prepared()
    system = Overwriting(experiment.system.params, experiment.system.wiring)
    state = experiment.initial([0])
    recording = Recording(system, state)
    states = advance(recording, [state], 30)
    assert recording.stored(25) is not None
    with pytest.raises(RuntimeError, match="step 25 came out otherwise"):
        recording.state(25)
    with pytest.raises(RuntimeError, match="step 25 came out otherwise"):
        recording.following(24, states[24])


@pytest.mark.parametrize("step", [-1, 41])
def test_a_step_that_is_not_recorded_is_refused(run, step):
    recording, _ = run()
    with pytest.raises(IndexError, match="steps 0 to 40"):
        recording.state(step)


def test_a_step_that_fails_is_not_recorded_and_can_be_tried_again(prepared):
    class Failing(LCA):
        failing = False

        def observe(self, state, names=None):
            if self.failing:
                raise RuntimeError("out of memory")
            return super().observe(state, names)

    experiment = prepared(threshold=0.2)
    system = Failing(experiment.system.params, experiment.system.wiring)
    start = experiment.initial([0])
    recording = Recording(system, start)
    states = advance(recording, [start], 5)
    system.failing = True
    with pytest.raises(RuntimeError, match="out of memory"):
        recording.advance(states[-1])
    system.failing = False
    assert recording.head == 5
    advance(recording, states, 5)

    whole = Recording(experiment.system, start)
    advance(whole, [start], 10)
    assert equal_records(record_of(recording), record_of(whole))


@pytest.fixture
def hasty_threads():
    """Threads take turns a thousand times more often than they otherwise do."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.parametrize("budget", [10**6, STATES])
def test_a_reader_in_another_thread_always_finds_whole_steps(run, hasty_threads, budget):
    recording, states = run(threshold=0.2, steps=0, budget_in_states=budget)
    errors, reads, done = [], [], threading.Event()

    def read():
        try:
            while not done.is_set():
                head = recording.head
                assert recording.state(head // 2).k == head // 2
                assert len(recording.summary("energy")) >= head + 1
                assert len(recording.spikes()) >= head + 1
                assert len(recording.digest(head)) == 32
                recording.stored_steps()
                reads.append(head)
        except BaseException as error:
            errors.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    advance(recording, states, 600)
    done.set()
    for reader in readers:
        reader.join(10)
    assert not errors and len(set(reads)) > 5


def test_spikes_come_as_pairs_from_any_step_on(run):
    recording, _ = run("lif")
    fired = recording.spikes()
    for start in (0, 7, recording.head, recording.head + 1):
        steps, neurons, end = recording.spike_pairs(start)
        pairs = [(step, n) for step in range(start, len(fired)) for n in fired[step]]
        assert list(zip(steps.tolist(), neurons.tolist(), strict=True)) == pairs
        assert end == recording.head + 1
    assert recording.spike_pairs()[1].size > 0
    assert all(recording.fired(step) is fired[step] for step in range(len(fired)))
