"""The command line: what it prints, what it writes, and one line for every error."""

import json
import os
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from workbench import cli, display
from workbench.cli import main
from workbench.document import load, shipped

ROOT = Path(__file__).resolve().parents[1]
KEYS = [
    "fingerprint",
    "document",
    "samples",
    "steps",
    "atoms",
    "features",
    "accuracy",
    "accuracy_by_step",
    "confusion",
    "energy",
    "firing_counts",
    "active_fraction",
    "certificate",
    "seconds",
]
QUICK = [
    *("--set", "dictionary.atoms=100", "--set", "system.steps=10"),
    *("--set", "system.threshold=0.5", "--samples", "20"),
]
NO_DISPLAY = dict.fromkeys(("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"), "")


def real(*arguments, **environment):
    """`python -m workbench` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "workbench", *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        timeout=120,
    )


@pytest.fixture
def run(capsys):
    """Runs a command in this process: (exit code, stdout, stderr)."""

    def call(*arguments):
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as stop:
            code = stop.code
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def refused(run, monkeypatch):
    """Runs a command that must be refused; returns its one line."""
    monkeypatch.setattr(cli, "_desktop", lambda: pytest.fail("the window was asked for"))

    def call(*arguments):
        code, out, err = run(*arguments)
        assert (code, out) == (2, "") and "Traceback" not in err
        assert err.startswith("workbench: ") and err.count("\n") == 1 and err.endswith("\n")
        return err

    return call


# -- run ------------------------------------------------------------------------------------------


def test_run_prints_one_object_with_exactly_the_promised_keys_and_classifies_the_digits(run):
    code, out, err = run("run", "digits-exemplar", "--json")
    found = json.loads(out)
    assert code == 0 and out.count("\n") == 1 and list(found) == KEYS
    assert found["accuracy"]["sum"] >= 0.98
    assert (found["samples"], found["steps"], found["atoms"], found["features"]) == (
        360,
        100,
        1437,
        64,
    )
    energy = found["energy"]
    assert list(energy) == ["reconstruction", "sparsity", "total"]
    assert {len(values) for values in (*energy.values(), found["firing_counts"])} == {101}
    for reconstruction, sparsity, total in zip(*energy.values(), strict=True):
        assert total == pytest.approx(reconstruction + sparsity, rel=1e-5)
    counts = found["firing_counts"]
    peak = counts.index(max(counts))
    assert counts[0] == 0 and 0 < peak < 100 and counts[-1] < counts[peak] / 2
    assert [len(row) for row in found["confusion"]] == [10] * 10
    assert sum(map(sum, found["confusion"])) <= 360
    assert sum(row[i] for i, row in enumerate(found["confusion"])) / 360 == found["accuracy"]["sum"]
    assert "Coded 360 of 360 images" in err


def test_the_same_command_twice_gives_the_same_fingerprint_in_a_process_of_its_own_too(run):
    prints = [json.loads(run("run", "digits-exemplar", *QUICK, "--json")[1])["fingerprint"]]
    found = real("run", "digits-exemplar", *QUICK, "--json")
    assert found.returncode == 0 and b"Traceback" not in found.stderr
    prints.append(json.loads(found.stdout)["fingerprint"])
    other = run("run", "digits-exemplar", *QUICK, "--set", "system.threshold=0.6", "--json")
    assert len(prints[0]) == 32 and prints[0] == prints[1]
    assert json.loads(other[1])["fingerprint"] != prints[0]


def test_the_document_that_was_run_is_printed_wholly_resolved(run, tmp_path):
    found = json.loads(run("run", "digits-exemplar", *QUICK, "--json")[1])
    assert found["document"]["dictionary"]["atoms"] == 100
    assert found["document"]["run"]["batch"] == 512
    path = tmp_path / "resolved.json"
    path.write_text(json.dumps(found["document"]))
    again = json.loads(run("run", path, "--samples", "20", "--json")[1])
    assert again["fingerprint"] == found["fingerprint"]


def test_run_without_json_says_it_in_words(run):
    code, out, _ = run("run", "digits-exemplar", *QUICK, "--set", "system.time_constant=5")
    assert code == 0
    assert out.startswith("20 test images, 10 steps\naccuracy, max decoder: ")
    assert "firing neurons: at most" in out and "\nenergy: " in out
    assert out.splitlines()[-1].startswith("fingerprint ")


def test_run_says_in_words_who_did_not_converge(run):
    def said(tolerance):
        code, out, _ = run("run", "digits-exemplar", *QUICK, "--set", f"run.tolerance={tolerance}")
        assert code == 0
        return out.splitlines()[-2]

    none = "20 of 20 images did not converge within 10 steps: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …"
    assert said(1e-6) == none
    assert said(1) == "20 images converged, after 8.0 steps on average, at most 8"


def test_a_population_without_classes_is_summed_up_too(run):
    code, out, _ = run("run", "lif-population", "--samples", "5")
    assert code == 0 and "accuracy" not in out and "energy" not in out and "firing" in out


def test_a_network_that_diverged_is_called_so(run):
    code, out, _ = run("run", "digits-unstable", "--samples", "5")
    assert code == 0 and "not finite: the network diverged" in out


def test_run_writes_its_results(run, tmp_path):
    code, out, err = run("run", "digits-exemplar", *QUICK, "--json", "--out", tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert code == 0 and names >= {
        "results.json",
        "confusion.csv",
        "energy.csv",
        "firing_counts.csv",
    }
    assert {name.removesuffix(".svg") for name in names if name.endswith(".svg")} == {
        "accuracy_by_step",
        "confusion",
        "energy",
        "firing_counts",
    }
    assert json.loads((tmp_path / "out" / "results.json").read_text("utf-8")) == json.loads(out)
    assert all(f"Wrote {tmp_path / 'out' / name}" in err for name in names)


def test_a_session_file_is_run_whatever_it_is_packed_in(run, tmp_path):
    text = load(shipped()["digits-exemplar"]).to_json()
    (tmp_path / "mine.json").write_text(text, "utf-8")
    with zipfile.ZipFile(tmp_path / "mine.workbench", "w") as archive:
        archive.writestr("document.json", text)
    prints = {
        json.loads(run("run", session, *QUICK, "--json")[1])["fingerprint"]
        for session in ("digits-exemplar", tmp_path / "mine.json", tmp_path / "mine.workbench")
    }
    assert len(prints) == 1


def test_mnist_exemplars_classify(run, shared_data):
    code, out, _ = run(
        "run", "digits-exemplar", "--json", "--samples", "500",
        *("--set", "data.dataset=mnist", "--set", f"data.root={shared_data}"),
        *("--set", "dictionary.atoms=1568", "--set", "system.time_constant=100"),
    )  # fmt: skip
    found = json.loads(out)
    assert code == 0 and 0.91 <= found["accuracy"]["sum"] <= 0.96
    assert (found["samples"], found["atoms"], found["features"]) == (500, 1568, 784)


# -- what the user got wrong ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("system.threshold=-1", ["system.threshold = -1", "a number of at least 0"]),
        ("system.treshold=1", ["system.treshold", "did you mean threshold?"]),
        ("system.threshold=big", ["system.threshold = 'big'", "a number of at least 0"]),
        ("system.steps=1.5", ["system.steps = 1.5", "a whole number"]),
        ("data.sed=1", ["data.sed: unknown key", "did you mean seed?"]),
        ("date.seed=1", ["date.seed: unknown key", "did you mean data?"]),
        ("data.seed=-1", ["data.seed = -1", "a whole number from 0"]),
        ("decoder.kind=median", ["decoder.kind = 'median'", "max, sum, perceptron"]),
        ("data.dataset=mnist", ["data.root = null", "--set data.root=FOLDER"]),
        ("nonsense", ["'nonsense'", "section.key=value"]),
        ("view.sample=1e400", ["view.sample"]),
    ],
)
def test_a_wrong_setting_is_one_line_with_place_value_and_what_is_allowed(
    refused, assignment, words
):
    line = refused("run", "digits-exemplar", "--set", assignment)
    assert all(word in line for word in words)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("absent.json", None, "No such file"),
        ("digits-exmplar", None, "digits-exemplar, digits-learned, "),
        ("folder.json", ..., "is a folder"),
        ("notes.txt", b"{}", "must end in .json or .workbench"),
        ("broken.json", b'{"workbench": 1,', "is not JSON"),
        ("empty.json", b"", "is not JSON"),
        ("latin.json", b"\xe9", "is not UTF-8"),
        ("list.json", b"[]", "one JSON object"),
        ("newer.json", b'{"workbench": 99}', "newer workbench"),
        ("typo.json", b'{"workbench": 1, "sytem": {}}', "did you mean system?"),
        ("type.json", b'{"workbench": 1, "system": 3}', "system = 3"),
        ("cut.workbench", b"PK\x03\x04half", "not a whole zip"),
    ],
)
@pytest.mark.parametrize("command", [["run"], ["screenshot", "--step", "1", "--out", "x.png"], []])
def test_a_file_that_is_no_session_is_one_line_that_names_it(
    refused, tmp_path, name, content, words, command
):
    path = tmp_path / name
    if content is ...:
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    line = refused(*command, path)
    assert words in line and str(path) in line


def test_a_picture_opens_the_default_session_on_it(monkeypatch, tmp_path):
    opened = []
    desktop = type("Desktop", (), {"open_window": lambda *a, **k: opened.append(a) or 0})
    monkeypatch.setattr(cli, "_desktop", desktop)
    monkeypatch.setattr(cli, "has_display", lambda: True)
    monkeypatch.setattr(cli.faulthandler, "enable", lambda log: log.close())
    path = tmp_path / "cat.PNG"
    path.write_bytes(b"")
    assert main([str(path)]) == 0
    (_, document, session), *_ = opened
    assert (document.view.picture, session) == (str(path), shipped()["digits-exemplar"])


def test_one_picture_cannot_be_evaluated_and_must_be_there(refused, tmp_path):
    assert "there is no such picture" in refused(tmp_path / "cat.png")
    (tmp_path / "cat.png").write_bytes(b"")
    line = refused("run", tmp_path / "cat.png")
    assert "is one picture" in line and f"`workbench {tmp_path / 'cat.png'}`" in line


def test_a_folder_without_images_is_one_line_that_names_it(refused, tmp_path):
    assert str(tmp_path) in refused("run", tmp_path, "--samples", "1")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run"], "the following arguments are required: session"),
        (["run", "digits-exemplar", "--samples", "0"], "'0' must be a whole number of at least 1"),
        (["run", "digits-exemplar", "--samples", "-3"], "'-3' must be a whole number"),
        (["run", "digits-exemplar", "--samples", "many"], "'many' must be a whole number"),
        (["run", "digits-exemplar", "--sample", "3"], "unrecognized arguments: --sample 3"),
        (["run", "digits-exemplar", "--frobnicate"], "unrecognized arguments: --frobnicate"),
        (["run", "digits-exemplar", "--set"], "--set: expected one argument"),
        (["--frobnicate"], "unrecognized arguments: --frobnicate"),
        (["info", "more"], "unrecognized arguments: more"),
        (["screenshot", "digits-exemplar", "--out", "x.png"], "required: --step"),
        (["screenshot", "digits-exemplar", "--step", "3"], "required: --out"),
        (["screenshot", "digits-exemplar", "--step", "x", "--out", "x.png"], "--step: invalid int"),
        (["screenshot", "digits-exemplar", "--step", "-1", "--out", "x.png"], "--step -1: must be"),
        (["screenshot", "digits-exemplar", "--step", "1", "--out", "x.jpg"], "must be a .png file"),
        *(
            (["screenshot", "digits-exemplar", "--size", size], f"{size!r} must be WIDTHxHEIGHT")
            for size in ("big", "1440", "x", "0x0", "959x600", "99999x99999", "1440x-900")
        ),
    ],
)  # fmt: skip
def test_a_wrong_option_is_one_line(refused, arguments, words):
    line = refused(*arguments)
    assert words in line and (" --help" in line or "--step" in line or "--out" in line)


def test_a_data_folder_without_the_data_is_one_line(refused, tmp_path):
    line = refused(
        *("run", "mnist-exemplar", "--set", f"data.root={tmp_path}", "--samples", "1")
    )  # fmt: skip
    assert str(tmp_path) in line and "MNIST/raw" in line


def test_progress_is_shown_where_the_work_takes_a_while(run, monkeypatch):
    monkeypatch.setattr(cli._Progress, "HELD", 0.0)
    code, _, err = run("run", "mnist-exemplar")
    assert code == 2 and err.startswith("Loading mnist …\nworkbench: data.root = null")


def test_results_that_could_not_be_written_are_refused_before_the_work(
    refused, tmp_path, monkeypatch
):
    monkeypatch.setattr(cli._Progress, "HELD", 0.0)
    (tmp_path / "file").write_text("mine")
    line = refused("run", "digits-exemplar", *QUICK, "--out", tmp_path / "file")
    assert "results cannot be written there" in line  # and nothing about loading before it


def test_a_picture_below_a_file_is_refused(refused, tmp_path):
    (tmp_path / "file").write_text("mine")
    picture = tmp_path / "file" / "x.png"
    assert str(picture) in refused("screenshot", "digits-exemplar", "--step", "1", "--out", picture)


def test_a_name_with_a_line_break_is_still_one_line(refused):
    assert "no such file" in refused("run", "two\nlines")


# -- our own faults -------------------------------------------------------------------------------


@pytest.fixture
def fault(monkeypatch):
    """Makes `run` fail in a way that is nobody's input."""
    from workbench.engine import evaluation

    def evaluate(*_):
        raise ZeroDivisionError("by\nzero")

    monkeypatch.setattr(evaluation, "evaluate", evaluate)


def test_a_fault_of_ours_is_one_line_with_the_log_that_holds_the_traceback(
    run, fault, tmp_path, monkeypatch
):
    for home in ("one", "another"):
        monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / home))
        log = tmp_path / home / "workbench.log"
        code, out, err = run("run", "digits-exemplar", *QUICK)
        assert (code, out) == (1, "")
        assert err == f"workbench: ZeroDivisionError: by zero (details in {log})\n"
        text = log.read_text("utf-8")
        assert "workbench run digits-exemplar" in text
        assert "Traceback" in text and "by\nzero" in text


def test_without_a_place_for_a_log_the_traceback_is_shown(run, fault, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "file" / "home"))
    code, _, err = run("run", "digits-exemplar", *QUICK)
    assert code == 1 and "Traceback" in err and "no log could be written" in err


def test_an_interruption_is_said_and_has_its_own_code(run, monkeypatch):
    from workbench.engine import evaluation

    def evaluate(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluation, "evaluate", evaluate)
    code, _, err = run("run", "digits-exemplar", *QUICK)
    assert code == 130 and err.endswith("workbench: stopped\n")


# -- the window -----------------------------------------------------------------------------------


def test_without_a_display_open_says_so_and_what_does_the_same(refused, monkeypatch):
    for name in NO_DISPLAY:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    line = refused("digits-random")
    assert "no display" in line and "`workbench run digits-random`" in line


def test_a_display_that_does_not_answer_is_none():
    found = real("digits-exemplar", **NO_DISPLAY | {"DISPLAY": ":4097"})
    assert found.returncode == 2 and found.stderr.count(b"\n") == 1
    assert b"there is no display" in found.stderr


def test_open_hands_document_and_file_to_the_window(run, monkeypatch):
    opened = []

    class Desktop:
        @staticmethod
        def open_window(document, path, **more):
            opened.append((document, path))
            return 7

    monkeypatch.setattr(cli, "has_display", lambda: True)
    monkeypatch.setattr(cli.faulthandler, "enable", lambda log: log.close())
    monkeypatch.setattr(cli, "_desktop", lambda: Desktop)
    assert run()[0] == 7
    assert run("digits-random", "--set", "system.threshold=0.5")[0] == 7
    (first, path), (second, _) = opened
    assert path == shipped()["digits-exemplar"] and first == load(path)
    assert second.value("system.threshold") == 0.5


def test_screenshot_writes_a_picture_of_the_size_asked_for(tmp_path):
    picture = tmp_path / "new" / "window.png"
    found = real(
        *("screenshot", "digits-exemplar", "--step", "12", "--out", str(picture)),
        *("--size", "1100x700", "--set", "dictionary.atoms=100", "--show", "ledger"),
        **NO_DISPLAY,
    )
    assert found.returncode == 0, found.stderr
    assert found.stderr.decode().splitlines() == [f"Wrote {picture}"]
    content = picture.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n" and len(content) > 20_000
    assert struct.unpack(">II", content[16:24]) == (1100, 700)


def test_screenshot_of_branches_that_do_not_fit_is_refused_in_one_line(tmp_path):
    session, picture = tmp_path / "lesion.json", tmp_path / "window.png"
    text = shipped()["digits-lesion"].read_text(encoding="utf-8")
    session.write_text(text.replace('"neuron": 55', '"neuron": 5500'), encoding="utf-8")
    found = real("screenshot", str(session), "--step", "10", "--out", str(picture), **NO_DISPLAY)
    assert found.returncode == 2 and not picture.exists()
    line = found.stderr.decode().splitlines()[-1]
    assert line.startswith("workbench: branches[1]: neuron = 5500: there are neurons 0 to 1436")


def test_screenshot_beyond_the_end_says_where_the_run_ends(tmp_path):
    found = real(
        *("screenshot", "digits-exemplar", "--step", "500", "--out", str(tmp_path / "x.PNG")),
        *("--set", "dictionary.atoms=100", "--set", "system.steps=20", "--dark"),
        **NO_DISPLAY,
    )
    assert found.returncode == 0 and b"(the run ends at step 20)" in found.stderr


def test_screenshot_of_what_cannot_be_prepared_is_one_line(tmp_path):
    found = real(
        *("screenshot", "mnist-exemplar", "--step", "5", "--out", str(tmp_path / "x.png")),
        **NO_DISPLAY,
    )
    assert found.returncode == 2 and b"data.root" in found.stderr
    assert found.stderr.count(b"\n") == 1 and not (tmp_path / "x.png").exists()


# -- info, help and the process -------------------------------------------------------------------


def test_info_names_versions_folders_examples_and_every_parameter(run):
    code, out, _ = run("info")
    assert code == 0 and f"settings and log: {os.environ['WORKBENCH_HOME']}" in out
    for word in ("workbench 0.", "torch 2.", "pyqtgraph ", "digits-exemplar, digits-learned"):
        assert word in out
    assert "system lca: Neurons compete" in out and "system lif: " in out
    row = next(line for line in out.splitlines() if "system.threshold" in line)
    assert row.split() == ["system.threshold", "λ", "2.0", "a", "number", "of", "at", "least", "0"]


@pytest.mark.parametrize("command", [[], ["run"], ["screenshot"], ["info"]])
def test_help_is_no_error(run, command):
    code, out, err = run(*command, "--help")
    assert code == 0 and out.startswith("usage: workbench") and err == ""


def test_version(run):
    assert run("--version")[:2] == (0, "workbench 0.1.0\n")


def test_the_command_line_is_there_before_torch_and_qt():
    code = "import sys; from workbench import cli; cli._parse(['run', 'x']); print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, timeout=60)
    modules = set(found.stdout.decode().split())
    assert "workbench.cli" in modules
    heavy = {"torch", "numpy", "PySide6", "pyqtgraph", "sklearn", "matplotlib", "torchvision"}
    assert not modules & heavy


def test_a_terminal_without_greek_shows_something_else():
    found = real("info", PYTHONIOENCODING="ascii")
    assert found.returncode == 0 and b"\\u03bb" in found.stdout


def test_a_reader_that_goes_away_is_no_fault_of_ours(tmp_path):
    command = f'"{sys.executable}" -m workbench info | {{ read line; }}; echo ${{PIPESTATUS[0]}}'
    found = subprocess.run(
        ["bash", "-c", f"exec 3>&1; {command}"],
        cwd=ROOT,
        env=os.environ | {"WORKBENCH_HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"},
        capture_output=True,
        timeout=60,
    )
    assert found.stderr == b"" and not (tmp_path / "workbench.log").exists()


def test_torchs_threads_do_not_spin_beside_the_window(monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    main(["--frobnicate"])
    assert os.environ["OMP_WAIT_POLICY"] == "passive"
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    main(["--frobnicate"])
    assert os.environ["OMP_WAIT_POLICY"] == "active"


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="there always is a display there")
@pytest.mark.parametrize(
    ("name", "there"),
    [("", False), (":4097", False), ("nonsense", False), ("localhost:4097.0", False)],
)
def test_a_display_is_there_if_it_answers(monkeypatch, name, there):
    for variable in NO_DISPLAY:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("DISPLAY", name)
    monkeypatch.setenv("WAYLAND_DISPLAY", name and "nobody-listens")
    assert display.has_display() is there
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert display.has_display()


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="there always is a display there")
@pytest.mark.parametrize("whole_path", [True, False])
def test_a_wayland_display_that_answers_is_one(monkeypatch, tmp_path, whole_path):
    import socket

    for variable in NO_DISPLAY:
        monkeypatch.delenv(variable, raising=False)
    path = tmp_path / "wayland-7"
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", str(path) if whole_path else path.name)
    assert not display.has_display()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        assert display.has_display()


LONG = "x" * 5000


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("run", LONG), "no such file or example"),
        (("run", f"{LONG}.json"), "too long"),
        (("run", f"{LONG}.npz"), "data.root"),
        (("run", f"{LONG}.png"), "there is no such picture"),
        (("run", ""), "must be a session file"),
        (("run", "digits-exemplar", "--out", ""), "must be the name of a folder"),
        (("run", "digits-exemplar", "--samples", "9" * 5000), "whole number of at least 1"),
        (("run", "digits-exemplar", "--set", "=1"), "must be section.key=value"),
        (("run", "digits-exemplar", "--set", "system.threshold=1e39"), "at most 1e+30"),
        (
            ("run", "digits-exemplar", "--set", f"data.root={LONG}", "--set", "data.dataset=mnist"),
            "",
        ),
        (
            (
                "run",
                "digits-exemplar",
                "--set",
                "data.dataset=folder",
                "--set",
                f"data.root={LONG}",
            ),
            "",
        ),
        (("run", "digits-embedded", "--set", f"backbone.weights={LONG}"), "there is no such file"),
        (("run", "digits-embedded", "--set", "backbone.image_size=4"), "at least 8 pixels"),
        (("run", "digits-embedded", "--set", "backbone.image_size=5000"), "from 1 to 1024"),
    ],
)
def test_names_and_numbers_out_of_all_bounds_are_one_short_line(run, command, words):
    code, out, err = run(*command)
    assert code == 2 and out == ""
    assert err.count("\n") == 1 and len(err) < 900 and words in err
