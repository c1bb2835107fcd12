"""Real processes: the same results as one, and one line where something is wrong."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from workbench.document import load, shipped
from workbench.engine import results
from workbench.engine.evaluation import evaluate
from workbench.engine.experiment import prepare

ROOT = Path(__file__).resolve().parents[2]
PATH = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
CHANGES = ("system.steps=40", "data.test=60", "run.device=cpu")


def torchrun(count, *arguments):
    """What the processes print on stdout."""
    command = ["torch.distributed.run", "--standalone", "--nproc-per-node", str(count), "-m"]
    done = subprocess.run(
        [sys.executable, "-m", *command, *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": PATH, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def side_by_side(*commands):
    """Exit code, stdout and stderr of processes started as `torchrun` would start them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    there = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "PYTHONPATH": PATH}
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "workbench", *command],
            cwd=ROOT,
            env=os.environ | there | {"RANK": str(rank), "WORLD_SIZE": str(len(commands))},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank, command in enumerate(commands)
    ]
    try:
        said = [process.communicate(timeout=90) for process in running]
    finally:
        for process in running:
            process.kill()
    return [(process.returncode, *text) for process, text in zip(running, said, strict=True)]


def test_sums_maxima_and_rows_of_all():
    assert torchrun(3, "tests.engine.reductions") == "done\n"


@pytest.mark.parametrize("more", [(), ("run.storage=bfloat16", "decoder.kind=max")])
def test_two_processes_find_what_one_finds(more, tmp_path):
    document = load(shipped()["digits-exemplar"])
    arguments = []
    for change in (*CHANGES, *more):
        document = document.with_text(change)
        arguments += ["--set", change]
    experiment = prepare(document)
    *_, last = evaluate(experiment)
    alone = results.as_object(last, experiment)
    out = torchrun(
        2, "workbench", "run", "digits-exemplar", *arguments, "--json", "--out", str(tmp_path)
    )
    assert out.count("\n") == 1  # one of them prints
    shared = json.loads(out)
    assert shared["processes"] == 2 and "processes" not in alone
    assert json.loads((tmp_path / "results.json").read_text()) == shared
    for name in ("document", "samples", "atoms", "accuracy", "confusion", "firing_counts"):
        assert shared[name] == alone[name], name
    for term, values in alone["energy"].items():
        np.testing.assert_allclose(shared["energy"][term], values, rtol=1e-5)
    assert shared["active_fraction"] == alone["active_fraction"]
    gaps = [found["certificate"]["duality_gap"] for found in (shared, alone)]
    assert gaps[0] == pytest.approx(gaps[1], rel=1e-4)


GOOD = ("run", "digits-exemplar", "--json")


@pytest.mark.parametrize(
    ("commands", "words"),
    [
        ([GOOD, ("run", "digits-exemplar", "--set", "data.test=9999")], "data.test = 9999: there"),
        ([("run", "nothing"), ("run", "nothing")], "nothing: no such file or example"),
        ([(*GOOD, "--set", "decoder.kind=perceptron")] * 2, "'perceptron': cannot be trained by 2"),
        ([(*GOOD, "--set", "run.engine=lazy")] * 2, "'lazy': cannot be spread over 2 processes"),
        ([("digits-exemplar",)] * 2, "several processes can do `workbench run` and nothing else"),
    ],
)
def test_where_one_is_refused_all_end_and_the_first_says_why_once(commands, words):
    (code, out, line), *others = side_by_side(*commands)
    assert code == 2 and out == "" and line.startswith("workbench: ") and line.count("\n") == 1
    assert words in line
    assert others == [(2, "", "")] * (len(commands) - 1)


def test_what_torchrun_would_set_is_asked_for(monkeypatch, capsys):
    from workbench import cli

    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    assert cli.main(["run", "digits-exemplar"]) == 2
    line = capsys.readouterr().err
    assert "MASTER_ADDR is not" in line and "torchrun" in line and line.count("\n") == 1


@pytest.mark.parametrize("name", ["WORLD_SIZE", "LOCAL_WORLD_SIZE"])
def test_a_number_of_processes_that_is_none_is_refused_in_one_line(monkeypatch, capsys, name):
    from workbench import cli

    there = {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}
    for key, value in (there | {name: "two"}).items():
        monkeypatch.setenv(key, value)
    assert cli.main(["run", "digits-exemplar"]) == 2
    line = capsys.readouterr().err
    assert "did not meet" in line and "'two'" in line and line.count("\n") == 1
