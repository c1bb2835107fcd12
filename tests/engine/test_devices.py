"""Where it is computed: what is chosen and refused, and that nothing mixes two devices."""

import numpy as np
import pytest
import torch

from tests.engine.elsewhere import DEVICE, Elsewhere, Far
from workbench.analysis import stability
from workbench.document import Document
from workbench.engine import devices
from workbench.engine.evaluation import evaluate
from workbench.engine.experiment import prepare
from workbench.engine.recording import Recording, expected_bytes
from workbench.errors import InputError
from workbench.papers import guard
from workbench.papers.guard import Claimed
from workbench.systems.protocol import WHOLE, Shard


@pytest.fixture
def machine(monkeypatch):
    """Makes a machine that has these devices."""
    return lambda *names: monkeypatch.setattr(devices, "there", lambda: (*names, "cpu"))


def asking(**run):
    return Document.parse({"system": {"kind": "lca"}, "run": run})


@pytest.mark.parametrize(
    ("names", "run", "chosen"),
    [
        ((), {}, "cpu"),
        (("cuda",), {}, "cuda"),
        (("cuda", "mps"), {}, "cuda"),
        (("mps",), {}, "mps"),
        (("mps",), {"precision": "float64"}, "cpu"),
        (("mps",), {"engine": "lazy"}, "cpu"),
        (("cuda",), {"precision": "float64", "engine": "lazy"}, "cuda"),
        (("cuda",), {"device": "cpu"}, "cpu"),
        (("cuda", "mps"), {"device": "mps"}, "mps"),
    ],
)
def test_auto_is_the_fastest_that_can_do_it(machine, names, run, chosen):
    machine(*names)
    assert devices.device(asking(**run)) == chosen


@pytest.mark.parametrize(
    ("names", "run", "words"),
    [
        ((), {"device": "cuda"}, "run.device = 'cuda': is not there; auto or cpu is"),
        (("mps",), {"device": "cuda"}, "run.device = 'cuda': is not there; auto, mps or cpu is"),
        (("mps",), {"device": "mps", "precision": "float64"}, "'mps': has no float64; run.precis"),
        (("mps",), {"device": "mps", "engine": "lazy"}, "'lazy': cannot be computed on mps"),
        ((), {"storage": "bfloat16", "precision": "float64"}, "run.storage = 'bfloat16': products"),
    ],
)
def test_what_is_not_there_is_refused_in_one_line(machine, names, run, words):
    machine(*names)
    with pytest.raises(InputError) as error:
        prepare(asking(**run))
    assert words in str(error.value) and "\n" not in str(error.value)


def test_processes_do_not_share_mps(machine):
    machine("mps")
    assert devices.device(asking(), Shard(0, 2)) == "cpu"
    with pytest.raises(InputError, match="'mps': cannot be shared by 2 processes; the device cpu"):
        devices.device(asking(device="mps"), Shard(0, 2))


@pytest.mark.parametrize(
    ("here", "gpus", "chosen"), [("2", 2, "cuda"), ("1", 1, "cuda"), ("2", 1, "cpu")]
)
def test_each_process_of_a_machine_takes_a_gpu_or_none_does(
    machine, monkeypatch, here, gpus, chosen
):
    machine("cuda")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", here)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert devices.device(asking(), Shard(0, 2)) == chosen
    assert devices.device(asking()) == "cuda"
    if chosen == "cpu":
        with pytest.raises(InputError, match=r"'cuda': 2 processes .* cannot share 1 GPU"):
            devices.device(asking(device="cuda"), Shard(0, 2))


def test_devices_are_told_by_the_names_of_the_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: f"GPU {index}")
    assert list(map(devices.described, ("cuda", "mps", "cpu"))) == [
        "cuda (GPU 0, GPU 1)",
        "mps",
        "cpu",
    ]


def test_auto_is_lazy_only_where_it_can_be():
    large = (devices.LARGE_DICTIONARY // 64, 64)
    for run, device, shard, chosen in (
        ({}, "cpu", WHOLE, "lazy"),
        ({}, "cuda", WHOLE, "residual"),
        ({}, "mps", WHOLE, "residual"),
        ({}, "cpu", Shard(0, 2), "residual"),
        ({"storage": "float16"}, "cpu", WHOLE, "lazy"),
    ):
        assert devices.engine(asking(**run), device, shard, large) == chosen
        assert devices.engine(asking(**run), device, shard, (large[0] - 1, 64)) == "residual"


def test_auto_is_dense_where_the_gramian_is_at_most_half_the_dictionary():
    for shape, device, shard, chosen in (
        ((32, 64), "cpu", WHOLE, "dense"),
        ((32, 64), "mps", WHOLE, "dense"),
        ((33, 64), "cpu", WHOLE, "residual"),
        ((32, 64), "cpu", Shard(0, 2), "residual"),
        (None, "cpu", WHOLE, "residual"),
    ):
        assert devices.engine(asking(), device, shard, shape) == chosen


@pytest.mark.parametrize("engine", ["lazy", "dense"])
def test_what_cannot_be_spread_is_refused_in_one_line(engine):
    words = f"run.engine = '{engine}': cannot be spread over 2 processes; auto and residual can"
    with pytest.raises(InputError, match=words):
        devices.engine(asking(engine=engine), "cpu", Shard(0, 2), (100, 64))


@pytest.fixture
def elsewhere(monkeypatch):
    """The device named "cuda" is one that is not there."""
    monkeypatch.setattr(devices, "there", lambda: ("cuda", "cpu"))
    monkeypatch.setattr(
        devices, "named", lambda name: DEVICE if name == "cuda" else torch.device(name)
    )
    with Elsewhere():
        yield


RUNS = {
    "residual": {"run": {}},
    "lazy": {"run": {"engine": "lazy"}, "threshold": 0.7, "time_constant": 10.0},
    "dense": {"run": {"engine": "dense"}},
    "momentum": {"run": {"engine": "lazy"}, "integrator": "momentum", "time_constant": 10.0},
    "adaptive": {"run": {}, "integrator": "adaptive", "time_constant": 10.0},
    "tolerance": {"run": {"tolerance": 0.2}, "time_constant": 5.0},
    "float64": {"run": {"precision": "float64"}},
    "bfloat16": {"run": {"storage": "bfloat16"}},
    "perceptron": {
        "run": {},
        "decoder": {"kind": "perceptron", "samples": 60, "epochs": 2},
        "data": {"train": 200},
    },
}


@pytest.fixture
def both(document, elsewhere):
    """Makes the experiment of a document on that device, and on the CPU."""

    def make(system, **changes):
        run = changes.pop("run", {})
        made = document(system, **changes)
        places = ("auto", "cpu")
        made = [made.changed(run=run | {"device": place}) for place in places]
        return [prepare(each) for each in made]

    return make


def test_the_stand_in_mixes_with_nothing(elsewhere):
    here, there = torch.ones(3), torch.ones(3).to(DEVICE)
    assert isinstance(there, Far) and there.device == DEVICE and (there + 1).device == DEVICE
    assert type(there.cpu()) is torch.Tensor and there.sum().item() == 3
    with pytest.raises(RuntimeError, match="same device"):
        here + there
    with pytest.raises(RuntimeError, match="same device"):
        there @ torch.ones(3, 2)
    with pytest.raises((TypeError, RuntimeError)):
        there.numpy()


@pytest.mark.parametrize("name", RUNS)
def test_a_test_set_is_coded_there_as_here(both, name):
    far, near = both("lca", steps=20, **RUNS[name])
    assert isinstance(far.system.wiring.atoms, Far) and isinstance(far.signals([0]), Far)
    assert (far.document.run.device, near.document.run.device) == ("cuda", "cpu")
    assert far.notes == near.notes
    (*_, there), (*_, here) = evaluate(far, 40), evaluate(near, 40)
    assert there.fingerprint == here.fingerprint and there.accuracy == here.accuracy
    assert there.duality_gap == here.duality_gap
    np.testing.assert_array_equal(there.energy["total"], here.energy["total"])


@pytest.mark.parametrize("system", ["lca", "lif"])
def test_a_run_is_recorded_there_as_here(both, system):
    digests = []
    for experiment in both(system):
        state = initial = experiment.initial([3])
        record = Recording(experiment.system, initial, budget=20_000)
        assert expected_bytes(experiment.system, initial, 10) > 0
        for _ in range(30):
            state = record.advance(state)
        record.state(17)  # computed again, and found to be the same
        digests.append(record.digest(30))
        lasso = experiment.system.lasso(state)
        if lasso is not None:
            assert stability.bound(lasso).active > 0
    assert digests[0] == digests[1]


def test_the_network_is_compared_with_the_equations_there(both):
    far, _ = both("lca", threshold=0.5)
    state = far.initial([0, 1])
    for _ in range(20):
        before, state = state, far.system.step(state)
    assert guard.one_step(far.system, before, state, Claimed.by(far.document)) == ""


@pytest.mark.parametrize("device", ["cuda", "mps"])
@pytest.mark.parametrize("engine", ["residual", "lazy"])
@pytest.mark.parametrize("storage", [None, "bfloat16"])
def test_real_devices_code_as_the_cpu(document, device, engine, storage):
    if device not in devices.there():
        pytest.skip(f"this machine has no {device}")
    if engine == "lazy" and device == "mps":
        pytest.skip("refused")
    found = []
    for place in (device, "cpu"):
        run = {"device": place, "engine": engine, "storage": storage}
        experiment = prepare(document(run=run))
        assert experiment.signals([0]).device.type == place
        *_, last = evaluate(experiment, 60)
        found.append(last)
    there, here = found
    assert there.accuracy == here.accuracy
    np.testing.assert_allclose(there.energy["total"], here.energy["total"], rtol=1e-4)


@pytest.mark.parametrize("engine", ["residual", "lazy"])
def test_a_run_on_a_gpu_is_the_same_again_to_the_last_bit(document, engine):
    """`index_add_` is not, there: the class evidence once came out otherwise each time."""
    if "cuda" not in devices.there():
        pytest.skip("this machine has no cuda")
    experiment = prepare(document(threshold=0.2, run={"device": "cuda", "engine": engine}))
    digests, summaries = set(), set()
    for _ in range(20):
        state = experiment.initial([0])
        record = Recording(experiment.system, state)
        for _ in range(20):
            state = record.advance(state)
        digests.add(record.digest(20))
        summaries.add(record.summary("class_evidence").tobytes())
    assert len(digests) == len(summaries) == 1
