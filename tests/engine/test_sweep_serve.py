"""A sweep in a process of its own: what it says, and that it ends with its window."""

import json
import subprocess
import sys
import time

import pytest

from workbench.engine import sweep
from workbench.engine.sweep_axes import read_axes
from workbench.engine.sweep_points import points
from workbench.engine.sweep_serve import STOPPED, Request
from workbench.engine.sweep_store import Store

GRIDS = ("system.threshold=0.5,1,2", "dictionary.atoms=40,0")


@pytest.fixture
def serve(tmp_path):
    """Starts processes on requests, and leaves none behind."""
    started = []

    def start(request):
        process = subprocess.Popen(
            [sys.executable, "-m", "workbench.engine.sweep_serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        process.stdin.write(request.to_line())
        process.stdin.flush()
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(10)
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()


def request_of(document, folder, **changes):
    fields = {"grids": GRIDS, "samples": 8, "jobs": 1} | changes
    return Request(document.model_dump(), str(folder), "digits", **fields)


def test_a_request_survives_its_line(document):
    request = request_of(document(), "out", ranges=("system.steps=5:60",), draws=3, seed=7)
    line = request.to_line()
    assert line.count("\n") == 1
    assert json.loads(line) == json.loads(Request.from_line(line).to_line())


def test_it_says_what_the_sweep_of_the_command_line_finds(document, serve, tmp_path):
    base = document(steps=10)
    process = serve(request_of(base, tmp_path / "far"))
    lines = [json.loads(line) for line in process.stdout]
    assert process.wait(30) == 0, process.stderr.read()
    assert lines[0] == {"keys": ["system.threshold", "dictionary.atoms"], "total": 6}
    near = Store(tmp_path / "near")
    near.make()
    there = points(read_axes(base, list(GRIDS)), base, 8)
    expected = {place: row for place, row, _ in sweep.run(there, near, 8, jobs=1)}
    told = {line["place"]: line for line in lines if "place" in line}
    assert told.keys() == expected.keys()
    for place, line in told.items():
        assert line["row"] | {"seconds": 0} == expected[place] | {"seconds": 0}
        assert line["now"] is (line["row"]["error"] is None)  # no dictionary has 0 atoms
    importance = lines[-1]["importance"]
    written = json.loads((tmp_path / "far" / "sweep.json").read_text("utf-8"))
    assert importance == written["importance"] and (tmp_path / "far" / "heatmap.svg").is_file()


def test_it_ends_when_its_input_does_and_goes_on_where_it_was(document, serve, tmp_path):
    thresholds = ",".join(f"{0.5 + i / 10:.1f}" for i in range(20))
    request = request_of(document(steps=400), tmp_path, grids=(f"system.threshold={thresholds}",))
    process = serve(request)
    while '"place"' not in process.stdout.readline():
        assert process.poll() is None
    process.stdin.close()  # as when the window is gone, however it went
    assert process.wait(10) == STOPPED
    kept = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("points/*.json")}
    assert 1 <= len(kept) < 20 and not list(tmp_path.rglob(".*"))
    process = serve(request)
    lines = [json.loads(line) for line in process.stdout]
    assert process.wait(60) == 0, process.stderr.read()
    assert sum(line.get("now") is False for line in lines) == len(kept)
    assert all((tmp_path / "points" / n).stat().st_mtime_ns == made for n, made in kept.items())


@pytest.mark.skipif(sys.platform == "win32", reason="priorities are another matter there")
def test_it_steps_back_behind_who_else_wants_the_cores(document, serve, tmp_path):
    psutil = pytest.importorskip("psutil")
    mine = psutil.Process().nice()
    process = serve(request_of(document(steps=2000), tmp_path))
    deadline = time.monotonic() + 20
    while psutil.Process(process.pid).nice() == mine and mine < 10:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"grids": ("system.treshold=1,2",)}, "did you mean threshold?"),
        ({"grids": ("dictionary.atoms=0,-1",)}, "all 2 points were refused; the first: dictionary"),
        ({"grids": ()}, "nothing is varied"),
    ],
)
def test_what_is_wrong_is_one_line(document, serve, tmp_path, changes, words):
    process = serve(request_of(document(steps=5), tmp_path, **changes))
    lines = [json.loads(line) for line in process.stdout]
    assert process.wait(30) == 2 and words in lines[-1]["error"] and not process.stderr.read()
