"""What every system must keep, tried on each that is found."""

import pytest
import torch
from torch.nn.functional import normalize

from workbench.parameters import declared
from workbench.systems import kinds
from workbench.systems.protocol import System, Wiring, tensors

FEATURES, ATOMS, CLASSES = 6, 11, 4
EVERY_CHOICE = [
    ("lca", {}),
    ("lca", {"transfer": "hard", "integrator": "exponential"}),
    ("lca", {"engine": "lazy", "threshold": 0.5, "time_constant": 10.0}),
    ("lif", {}),
    ("lif", {"encoding": "poisson", "reset": "subtract"}),
]


def build(kind: str, engine: str = "residual", **params) -> System:
    found = kinds()[kind]
    atoms = normalize(torch.rand(ATOMS, FEATURES, generator=torch.Generator().manual_seed(0)))
    labels = torch.arange(ATOMS) % CLASSES
    wiring = Wiring(FEATURES)
    if found.uses_dictionary:
        wiring = Wiring(FEATURES, atoms, labels, CLASSES, engine=engine)
    return found(found.Params(**params), wiring)


def images(batch):
    return 4 * torch.rand(batch, FEATURES, generator=torch.Generator().manual_seed(1))


def some_steps(system, state, steps=8):
    for _ in range(steps):
        state = system.step(state)
    return state


def test_every_system_is_found_by_being_there():
    assert {"lca", "lif"} <= set(kinds())
    assert all(found.kind == kind for kind, found in kinds().items())


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("kind, params", EVERY_CHOICE)
def test_every_declared_observable_comes_in_its_declared_shape(kind, params, batch):
    system = build(kind, **params)
    state = some_steps(system, system.init(images(batch)))
    now = system.observe(state)
    assert list(now) == [o.name for o in system.observables]
    for o in system.observables:
        size = {
            "neuron": (system.neurons,),
            "feature": (FEATURES,),
            "class": (CLASSES,),
            "term": (len(o.labels),),
            "none": (),
        }[o.axis]
        assert now[o.name].shape == (batch, *size), o.name
        assert (now[o.name].dtype == torch.bool) == (o.kind == "spikes"), o.name
        assert system.observe(state, [o.name])[o.name].equal(now[o.name])


@pytest.mark.parametrize("kind, params", EVERY_CHOICE)
def test_neither_stepping_nor_observing_changes_a_state(kind, params):
    system = build(kind, **params)
    state = some_steps(system, system.init(images(3)))
    before = [part.numpy().tobytes() for part in tensors(state)]
    first, again = system.step(state), system.step(state)
    system.observe(state)
    system.lasso(state)
    assert [part.numpy().tobytes() for part in tensors(state)] == before
    pairs = zip(tensors(first), tensors(again), strict=True)
    assert all(one.equal(other) for one, other in pairs)


@pytest.mark.parametrize("kind, params", EVERY_CHOICE)
def test_time_is_the_step_number(kind, params):
    system = build(kind, **params)
    state = system.init(images(1))
    assert state.k.dtype == torch.int64 and state.k.ndim == 0 and int(state.k) == 0
    assert int(some_steps(system, state, 5).k) == 5


@pytest.mark.parametrize("rows", [[0], [2], [1, 3], [0, 1, 2, 3]])
@pytest.mark.parametrize(
    "kind, params",
    # Poisson spikes are drawn for the whole batch at once.
    [choice for choice in EVERY_CHOICE if choice[1].get("encoding") != "poisson"],
)
def test_selected_samples_go_on_as_in_the_batch(kind, params, rows):
    system = build(kind, **params)
    for steps in (0, 1, 8, 30):
        state = some_steps(system, system.init(images(4)), steps)
        selected = system.select(state, torch.tensor(rows))
        now, then = (system.observe(some_steps(system, s, 5)) for s in (selected, state))
        assert system.observe(selected).keys() == now.keys()
        for name, before in system.observe(state).items():
            assert torch.allclose(system.observe(selected)[name], before[rows], atol=1e-5), name
            assert torch.allclose(now[name], then[name][rows], atol=1e-5), name


def test_selected_samples_share_what_has_no_batch_axis():
    system = build("lif", encoding="poisson")
    state = some_steps(system, system.init(images(4)))
    selected = system.select(state, torch.tensor([1, 2]))
    assert selected.rng.equal(state.rng) and selected.k.equal(state.k)
    assert selected.v.equal(state.v[[1, 2]]) and len(system.step(selected).v) == 2


@pytest.mark.parametrize("kind, params", EVERY_CHOICE)
def test_a_system_says_whether_it_solves_a_lasso(kind, params):
    system = build(kind, **params)
    lasso = system.lasso(system.init(images(1)))
    assert system.solves_lasso(system.params) is (lasso is not None)


@pytest.mark.parametrize("kind, params", EVERY_CHOICE)
def test_output_and_code_are_observables_of_the_neurons(kind, params):
    system = build(kind, **params)
    for name in {system.output, system.code} - {None}:
        assert system.observable(name).axis == "neuron"
    for o in system.observables:
        if o.threshold is not None:
            assert isinstance(getattr(system.params, o.threshold), float)
        if o.compare_with is not None:
            assert system.observable(o.compare_with).kind == "image"


@pytest.mark.parametrize("kind", ["lca", "lif"])
def test_every_parameter_is_declared_in_full(kind):
    parameters = declared(kinds()[kind].Params)
    assert "steps" in {p.name for p in parameters}
    for p in parameters:
        assert p.meaning.endswith(".") and len(p.meaning) < 120, p.name
        if p.type in ("float", "int"):
            assert p.symbol and p.equation and p.low is not None, p.name
        if p.slider is not None:
            low, high = p.slider
            assert low <= p.default <= high, p.name
            assert p.low <= low and (not p.log or low > 0), p.name


def test_new_parameters_leave_the_state_and_the_old_system_alone():
    system = build("lca", threshold=2.0)
    state = some_steps(system, system.init(images(2)), 30)
    other = system.with_params(system.params.changed(threshold=0.1))
    assert system.params.threshold == 2.0
    assert other.observe(state)["firing_count"].sum() > system.observe(state)["firing_count"].sum()
