"""The start script: what it installs, when it does nothing, and what it says when it cannot."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "start.py"


@pytest.fixture
def start(tmp_path, monkeypatch):
    """The script as a module, at work in a folder of its own; every command is only noted."""
    spec = importlib.util.spec_from_file_location("start", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_text("", encoding="utf-8")
    module.ROOT, module.VENV = tmp_path, tmp_path / ".venv"
    module.STAMP = module.VENV / "set-up.txt"
    module.commands, module.codes = [], {}

    def call(command, **_):
        module.commands.append([str(part) for part in command])
        if "venv" in command:
            module.python().parent.mkdir(parents=True)
            module.python().touch()
        return next((code for word, code in module.codes.items() if word in command), 0)

    monkeypatch.setattr(subprocess, "call", call)
    monkeypatch.setattr(module, "become", call)
    monkeypatch.setattr(module, "provide_libraries", lambda window: None)
    monkeypatch.setattr(module, "has_display", lambda: True)
    return module


def pip_runs(start):
    return [command[-1] for command in start.commands if "pip" in command]


def test_the_first_start_makes_an_environment_and_the_second_only_opens(start):
    assert start.main([]) == 0
    assert [command[1:3] for command in start.commands] == [
        ["-m", "venv"],
        ["-m", "pip"],
        ["-m", "workbench"],
    ]
    start.commands.clear()
    assert start.main(["a.json"]) == 0
    assert start.commands == [[str(start.python()), "-m", "workbench", "a.json"]]


def test_the_tested_versions_are_installed_and_the_tests_need_more(start):
    start.main([])
    start.main(["test"])
    start.main(["test"])
    start.main([])
    assert pip_runs(start) == [".", ".[test]"]
    assert all("constraints.txt" in command for command in start.commands if "pip" in command)


def test_other_versions_are_installed_anew_in_the_same_environment(start):
    start.main([])
    (start.ROOT / "constraints.txt").write_text("torch==2.13.0", encoding="utf-8")
    start.main([])
    assert pip_runs(start) == [".", "."]
    assert sum("venv" in command for command in start.commands) == 1


def test_a_set_up_that_fails_is_tried_twice_said_and_redone(start, capsys):
    start.codes["pip"] = 1
    assert start.main([]) == 1
    assert pip_runs(start) == [".", "."]
    assert "(is there a network?). What failed: " in capsys.readouterr().err
    start.codes.clear()
    assert start.main([]) == 0
    assert sum("venv" in command for command in start.commands) == 2


def test_an_interrupted_set_up_is_redone(start, monkeypatch):
    real = start.run

    def interrupted(command, failure):
        real(command, failure)
        raise KeyboardInterrupt

    monkeypatch.setattr(start, "run", interrupted)
    assert start.main([]) == 130
    monkeypatch.setattr(start, "run", real)
    assert start.main([]) == 0
    assert pip_runs(start) == ["."]


def test_an_environment_of_the_users_own_is_left_alone(start, capsys):
    start.VENV.mkdir()
    (start.VENV / "mine").touch()
    assert start.main([]) == 1
    assert "was not made by start.py; move it away" in capsys.readouterr().err
    assert start.commands == []
    assert (start.VENV / "mine").exists()


def test_without_a_display_the_default_session_runs_into_files(start, monkeypatch, capsys):
    monkeypatch.setattr(start, "has_display", lambda: False)
    assert start.main([]) == 0
    run, screenshot = (command[3:] for command in start.commands[-2:])
    session = str(Path("sessions", "digits-exemplar.json"))
    assert run == ["run", session, "--out", str(Path("out", "digits-exemplar"))]
    assert screenshot[:4] == ["screenshot", session, "--step", "44"]
    said = capsys.readouterr().out
    assert str(start.ROOT / "out" / "digits-exemplar") in said
    assert str(start.ROOT / "out" / "window.png") in said


def test_what_is_asked_for_without_a_display_is_passed_on(start, monkeypatch):
    monkeypatch.setattr(start, "has_display", lambda: False)
    start.main(["info"])
    assert start.commands[-1][2:] == ["workbench", "info"]


def test_every_check_runs_and_the_first_failure_is_the_exit_code(start):
    start.codes = {"check": 3, "pytest": 4}
    assert start.main(["test", "-k", "digits"]) == 3
    assert [Path(command[0]).stem for command in start.commands[-3:-1]] == ["lint-imports", "ruff"]
    spread = ["-n", "2", "--dist", "loadfile"]
    assert start.commands[-1][1:] == ["-m", "pytest", *spread, "-k", "digits"]


@pytest.fixture
def system(start, monkeypatch):
    """A Debian without Qt's screen libraries, for root or for someone without a password."""
    spec = importlib.util.spec_from_file_location("start", SCRIPT)
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    monkeypatch.setattr(fresh, "loads", lambda name: name not in fresh.SCREEN_LIBRARIES)
    monkeypatch.setattr(fresh, "has_font", lambda: False)
    monkeypatch.setattr(fresh, "manager", lambda: "apt-get")
    monkeypatch.setattr(fresh, "may_sudo", lambda: False)
    monkeypatch.setattr(fresh.os, "geteuid", lambda: 1000, raising=False)
    fresh.commands, fresh.codes = start.commands, start.codes
    return fresh


def test_without_a_window_only_the_font_is_missing(system, capsys):
    system.provide_libraries(window=False)
    assert capsys.readouterr().err.endswith(
        "    sudo apt-get install -y --no-install-recommends fonts-dejavu-core\n"
    )


def test_who_must_be_asked_is_told_the_exact_line(system, capsys):
    system.provide_libraries(window=True)
    line = capsys.readouterr().err.splitlines()[-1].strip()
    assert line.startswith("sudo apt-get install -y --no-install-recommends libxcb-cursor0 ")
    assert line.endswith("libx11-xcb1 fonts-dejavu-core")
    assert system.commands == []


def test_root_is_not_asked(system, monkeypatch):
    monkeypatch.setattr(system.os, "geteuid", lambda: 0, raising=False)
    system.provide_libraries(window=True)
    update, install = system.commands
    assert update[-3:] == ["apt-get", "update", "-q"]
    assert install[2:5] == ["apt-get", "install", "-y"]
    assert len(install) == 6 + len(system.SCREEN_LIBRARIES) + 1


def test_what_even_a_picture_needs_stops_the_start(system, monkeypatch):
    monkeypatch.setattr(system, "loads", lambda name: False)
    with pytest.raises(system.Stop, match=r"Qt needs libEGL\.so\.1"):
        system.provide_libraries(window=False)


def test_a_python_without_ensurepip_is_completed_or_the_line_is_told(system, monkeypatch):
    monkeypatch.setattr(system.importlib.util, "find_spec", lambda name: None)
    package = "python{}.{}-venv".format(*sys.version_info)
    with pytest.raises(system.Stop, match=f"    sudo apt-get install -y .* {package}$"):
        system.provide_venv()
    monkeypatch.setattr(system.os, "geteuid", lambda: 0, raising=False)
    with pytest.raises(system.Stop, match=f"{package} is installed, but"):
        system.provide_venv()
    assert system.commands[-1][-1] == package


def test_dnf_and_zypper_find_a_package_by_its_library(system, monkeypatch):
    monkeypatch.setattr(system, "manager", lambda: "dnf")
    name = "libxcb-cursor.so.0"
    package = system.package_of(name, system.SCREEN_LIBRARIES[name])
    assert package == "libxcb-cursor.so.0()(64bit)"


def test_an_older_python_is_told_so_in_one_line():
    code = (
        "import runpy, sys\n"
        "sys.version_info, sys.version = (3, 9, 2), '3.9.2 (old)'\n"
        f"runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr.startswith("start.py needs Python 3.11 or newer; this is 3.9.2")
    assert len(result.stderr.splitlines()) == 1


def test_an_older_python_reads_as_far_as_that_line():
    ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 6))
