"""The same points on a Dask cluster, and clusters that cannot be used."""

import socket
import sys

import pytest

from tests.engine.clusters import cluster
from workbench.engine import sweep, sweep_cluster
from workbench.engine.sweep_axes import read_axes
from workbench.engine.sweep_points import points
from workbench.engine.sweep_store import Store
from workbench.errors import InputError

distributed = pytest.importorskip("distributed", reason="an optional dependency")
SAMPLES = 12


@pytest.fixture(scope="module")
def scheduler():
    """The address of a cluster of two processes with two threads each."""
    with cluster(n_workers=2, threads_per_worker=2) as address:
        yield address


@pytest.fixture
def swept(document, tmp_path):
    """Runs a small sweep: rows by place, and the store."""

    def run(name, grids=("system.threshold=0.5,1,1.5", "dictionary.atoms=40,80,0"), **options):
        base = document(steps=10, **options.pop("sections", {}))
        store = Store(tmp_path / name)
        store.make()
        there = points(read_axes(base, list(grids)), base, SAMPLES)
        found = {place: row for place, row, _ in sweep.run(there, store, SAMPLES, **options)}
        return found, store

    return run


def timeless(row):
    return {key: value for key, value in row.items() if key != "seconds"}


def test_a_cluster_gives_what_this_machine_gives(swept, scheduler):
    near, _ = swept("near", jobs=1)
    far, store = swept("far", dask=scheduler)
    assert len(far) == 9 and [timeless(far[p]) for p in range(9)] == [
        timeless(near[p]) for p in range(9)
    ]
    assert sum(row["error"] is not None for row in far.values()) == 3  # no dictionary of 0 atoms
    for row in far.values():
        if row["error"] is None:  # kept here, whoever computed it
            assert (store.folder / row["result"]).is_file()
            assert (store.folder / row["session"]).is_file()
    again, _ = swept("far", dask=scheduler)
    assert {p: row["fingerprint"] for p, row in again.items()} == {
        p: row["fingerprint"] for p, row in far.items()
    }


def test_features_are_computed_on_one_worker_before_all_read_them(swept, scheduler):
    said = []
    sections = {"backbone": {"name": "embedded"}, "data": {"train": 200, "test": 40}}
    options = {"sections": sections, "dask": scheduler, "report": said.append}
    rows, _ = swept("features", ["system.threshold=1,2"], **options)
    assert [row["error"] for row in rows.values()] == [None, None]
    assert said == ["Computing features on 127.0.0.1"]


def test_whoever_answers_that_is_no_scheduler_is_refused_in_one_line(swept, scheduler, monkeypatch):
    monkeypatch.setattr(sweep_cluster, "PATIENCE", 1)
    with distributed.Client(scheduler, set_as_default=False) as client:
        worker = next(iter(client.scheduler_info()["workers"]))
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"tcp://127.0.0.1:{closed.getsockname()[1]}"
    for address in (worker, nobody, "nonsense", "foo://x:1"):
        with pytest.raises(InputError, match=f"--dask {address}: no Dask scheduler answers there"):
            swept("out", dask=address)


def test_a_cluster_of_another_version_or_without_workers_is_refused(swept, scheduler, monkeypatch):
    monkeypatch.setattr(sweep_cluster, "__version__", "99.0")
    with pytest.raises(InputError, match=r"its workers have version .*must be 99\.0, as here"):
        swept("out", dask=scheduler)
    with (
        cluster(n_workers=0) as empty,
        pytest.raises(InputError, match="the scheduler there has no workers"),
    ):
        swept("out", dask=empty)


def test_without_dask_one_line_says_how_to_get_it(swept, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"is not installed; pip install 'lca-workbench\[dask\]'"):
        swept("out", dask="tcp://127.0.0.1:8786")
