"""``workbench sweep``: what it prints, what it writes, and that it goes on where it was stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.engine.clusters import cluster
from workbench.cli import main
from workbench.document import load

ROOT = Path(__file__).resolve().parents[1]
SMALL = ["--set", "system.steps=10", "--set", "dictionary.atoms=50", "--samples", "12"]
THRESHOLDS = ["--grid", "system.threshold=0.5,1,2"]
SIXTY = [
    *("digits-exemplar", "--grid", "dictionary.atoms=200,400,600", "--grid"),
    "system.threshold=" + ",".join(f"{0.5 + 0.1 * i:.1f}" for i in range(20)),
]


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """Runs the command on one job in an empty folder: (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        code = main(["sweep", *map(str, arguments), "--jobs", "1"])
        return code, *capsys.readouterr()

    return call


def started(*arguments):
    """`python -m workbench sweep` in a process of its own, two jobs."""
    return subprocess.Popen(
        [sys.executable, "-m", "workbench", "sweep", *map(str, arguments), "--jobs", "2"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def times(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("points/*.json")}


def wait_for(points, folder, process):
    deadline = time.monotonic() + 100
    while len(times(folder)) < points:
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.02)


def test_it_prints_one_object_and_writes_table_points_sessions_and_figures(run, tmp_path):
    code, out, err = run("digits-exemplar", *THRESHOLDS, *SMALL, "--out", "out", "--json")
    found = json.loads(out)
    assert code == 0 and out.count("\n") == 1 and list(found) == ["keys", "points"]
    assert found["keys"] == ["system.threshold"]
    assert [point["values"] for point in found["points"]] == [
        {"system.threshold": value} for value in (0.5, 1, 2)
    ]
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"points", "sessions", "sweep.json", "sweep.csv", "line.svg"}
    assert "Did 3 of 3 points" in err and f"Wrote {Path('out') / 'sweep.csv'}" in err
    for point in found["points"]:
        document = load(tmp_path / "out" / point["session"])
        assert document.system["threshold"] == point["values"]["system.threshold"]
        kept = json.loads((tmp_path / "out" / point["result"]).read_text("utf-8"))
        assert kept["fingerprint"] == point["fingerprint"] and kept["samples"] == 12


@pytest.mark.slow
def test_two_jobs_give_what_single_runs_print(tmp_path, capsys):
    grids = ["--grid", "system.threshold=0.5,2", "--grid", "decoder.kind=max,perceptron"]
    process = started("digits-exemplar", *grids, *SMALL, "--out", tmp_path, "--json")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    for point in json.loads(out)["points"]:
        changes = [f"{key}={value}" for key, value in point["values"].items()]
        sets = [word for change in changes for word in ("--set", change)]
        assert main(["run", "digits-exemplar", *SMALL, *sets, "--json"]) == 0
        alone = json.loads(capsys.readouterr().out)
        kept = json.loads((tmp_path / point["result"]).read_text("utf-8"))
        assert list(kept) == list(alone)
        for key in alone.keys() - {"seconds"}:
            assert kept[key] == alone[key], key


@pytest.mark.slow
def test_a_killed_sweep_repeats_no_finished_point(tmp_path):
    process = started(*SIXTY, "--out", tmp_path)
    wait_for(10, tmp_path, process)
    process.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
    process.communicate(timeout=30)
    time.sleep(1.5)  # its processes see that it has gone, and end
    before = times(tmp_path)
    assert 10 <= len(before) < 60 and not (tmp_path / "sweep.csv").exists()
    process = started(*SIXTY, "--out", tmp_path, "--json")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    after = times(tmp_path)
    assert len(after) == 60 and all(after[name] == made for name, made in before.items())
    assert f"Found {len(before)} of 60 points done already" in err
    assert all(point["fingerprint"] for point in json.loads(out)["points"])


@pytest.mark.skipif(sys.platform == "win32", reason="there Ctrl-C is no signal to one process")
def test_ctrl_c_says_how_far_it_is_and_that_the_same_command_goes_on(tmp_path):
    process = started(*SIXTY, "--out", tmp_path)
    wait_for(4, tmp_path, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130 and out == "" and "Traceback" not in err
    assert "of 60 points are done; the same command goes on from here\n" in err
    # joblib's own tracker, which outlives the command, may still say that a folder is gone already
    ours = [line for line in err.splitlines() if "resource_tracker" not in line]
    assert "workbench: stopped" in [line for line in ours if "warnings.warn" not in line][-1]
    assert not list(tmp_path.rglob(".*"))


def test_the_same_command_again_runs_nothing_and_says_so(run, tmp_path):
    first = run("digits-exemplar", *THRESHOLDS, *SMALL, "--out", "out", "--json")
    before = times(tmp_path / "out")
    again = run("digits-exemplar", *THRESHOLDS, *SMALL, "--out", "out", "--json")
    assert again[:2] == first[:2] and "Found 3 of 3 points done already" in again[2]
    assert times(tmp_path / "out") == before
    changed = run(
        "digits-exemplar", *THRESHOLDS, *SMALL, "--set", "system.time_constant=5", "--out", "out"
    )
    assert changed[0] == 0 and "done already" not in changed[2]
    assert len(times(tmp_path / "out")) == 6


def test_refused_points_do_not_end_a_sweep(run, tmp_path):
    grid = ["--grid", "dictionary.atoms=50,0,99999"]
    code, out, _ = run("digits-exemplar", *SMALL, *grid, "--out", "out")
    assert code == 0 and out.startswith("1 of 3 points over dictionary.atoms\naccuracy, sum ")
    assert "2 refused; the first: dictionary.atoms = 0: must be" in out
    table = (tmp_path / "out" / "sweep.csv").read_text("utf-8")
    assert "dictionary.atoms = 0: must be a whole number" in table


def test_without_accuracy_the_summary_is_without_the_best(run):
    code, out, _ = run(
        *("lif-population", "--grid", "system.gain=1,2", "--samples", "2", "--out", "out"),
        *("--set", "system.steps=5"),
    )
    assert code == 0 and out == "2 of 2 points over system.gain\n"


def test_random_values_are_drawn_with_a_seed(run):
    def drawn(seed):
        span = ["--range", "system.threshold=0.5:2:log", "--random", "3", "--seed", seed]
        out = run("digits-exemplar", *SMALL, *span, "--out", "out", "--json")[1]
        return [point["values"]["system.threshold"] for point in json.loads(out)["points"]]

    assert drawn(1) == drawn(1) != drawn(2) and all(0.5 <= value <= 2 for value in drawn(1))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "nothing is varied; give --grid"),
        (["--grid", "system.treshold=1,2"], "did you mean threshold?"),
        (["--grid", "system.threshold="], "must list one value or more"),
        (["--range", "system.threshold=2:1", "--random", "3"], "LOW must be less than HIGH"),
        (["--range", "system.threshold=0:1:log", "--random", "3"], "must be above 0"),
        (["--range", "system.threshold=1:2"], "belong together"),
        (["--range", "system.steps=1:99999", "--random", "100001"], "must be at most 100000"),
        (["--random", "0"], "'0' must be a whole number of at least 1"),
        (["--seed", "-1"], "seed"),
        (["--dask", "nonsense", *THRESHOLDS], "--dask nonsense: "),
        (["--jobs", "many", *THRESHOLDS], "'many' must be a whole number of at least 1"),
        ([*THRESHOLDS, "--out", "file"], "file: results cannot be written there"),
        ([*THRESHOLDS, "--out", ""], "--out: must name a folder, got an empty text"),
        (["--grid", "dictionary.atoms=0,-1"], "all 2 points were refused; the first: dictionary."),
        (["--grid", "data.dataset=mnist"], "all 1 points were refused; the first: data.root"),
        ([*THRESHOLDS, "--set", "system.steps=x"], "all 3 points were refused; the first: system."),
    ],
)
def test_what_is_wrong_is_one_line(capsys, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("mine")
    code = main(["sweep", "digits-exemplar", "--out", "out", "--jobs", "1", *arguments])
    out, err = capsys.readouterr()
    assert (code, out) == (2, "") and err.count("\n") == 1 and words in err
    assert not list(tmp_path.glob("out/points/*"))


def test_a_folder_is_needed_and_a_picture_has_no_test_set(capsys, tmp_path):
    assert main(["sweep", "digits-exemplar", *THRESHOLDS]) == 2
    assert "required: --out" in capsys.readouterr().err
    (tmp_path / "cat.png").write_bytes(b"")
    assert main(["sweep", str(tmp_path / "cat.png"), *THRESHOLDS, "--out", str(tmp_path)]) == 2
    assert "`workbench sweep` codes a test set" in capsys.readouterr().err


def test_a_cluster_named_by_its_address_prints_what_this_machine_does(run, tmp_path):
    sweep = ("digits-exemplar", *THRESHOLDS, *SMALL, "--json")
    near = json.loads(run(*sweep, "--out", "near")[1])
    with cluster(n_workers=1, threads_per_worker=2) as address:
        code, out, err = run(*sweep, "--out", "far", "--dask", address)
    far = json.loads(out)
    assert code == 0 and "Did 3 of 3 points" in err
    for row in (*near["points"], *far["points"]):
        row.pop("seconds")
    assert far == near and len(times(tmp_path / "far")) == 3
