"""``workbench reproduce``: what it prints, what it writes, and one line for what is wrong."""

import json
import os

import pytest

from workbench.cli import main
from workbench.cli_reproduce import line
from workbench.papers import PAPERS
from workbench.papers.claims import VERDICTS, minutes


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """Runs the command in an empty folder: (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        code = main(["reproduce", *map(str, arguments)])
        return code, *capsys.readouterr()

    return call


def test_without_a_paper_all_claims_are_listed(run):
    code, out, err = run()
    lines = out.splitlines()
    assert code == 0 and err == "" and lines[0].startswith("dseld: D-SELD")
    assert len(lines) == 1 + len(PAPERS["dseld"].claims)
    assert any("table3/mnist/sum" in line and "97.48 %" in line for line in lines)


def test_a_line_for_each_claim_a_summary_and_a_report(run, tmp_path):
    code, out, err = run("dseld", "table4", "--data", tmp_path)
    lines = out.splitlines()
    assert code == 0  # not reproduced is no error
    assert len(lines) == 16 + 2
    assert all(line.startswith(VERDICTS) for line in lines[:-2])
    assert any("table4/2048/k100" in line and "ours 2.2098 GFLOPs" in line for line in lines)
    assert lines[-2] == "14 reproduced, 1 not reproduced, 1 not run"
    assert lines[-1] == "report: reproduce-dseld/report.html"
    assert "not reproduced" in (tmp_path / "reproduce-dseld" / "report.html").read_text("utf-8")
    assert err.startswith("16 claims, about 0 s")


def test_json_is_one_object(run, tmp_path):
    code, out, _ = run("dseld", "table4/960/k10", "--json", "--out", tmp_path / "mine")
    found = json.loads(out)
    assert code == 0 and out.count("\n") == 1
    assert found["counts"] == {"reproduced": 0, "not reproduced": 1, "not run": 0}
    assert found["report"] == str(tmp_path / "mine" / "report.html")
    (finding,) = found["findings"]
    assert (finding["theirs"], finding["ours"]) == ("0.29 GFLOPs", "0.29645 GFLOPs")
    assert finding["tolerance"] and finding["conditions"] and finding["why"]


def test_all_three_decoders_are_measured_where_mnist_is(run, shared_data, monkeypatch):
    from workbench.papers import dseld

    for coding in dseld._DOUBLINGS_QUICK:  # a few images and atoms are enough to see it work
        monkeypatch.setitem(coding.__dict__, "samples", 20)
        monkeypatch.setitem(coding.__dict__, "document", dseld._mnist(200, codes=50))
    code, out, err = run("dseld", "table3/mnist", "--data", shared_data)
    assert code == 0 and "theirs 97.48 %" in out and "theirs 98.25 %" in out
    assert "Loading mnist" in err and "training images" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["dselt"], "'dselt': no such paper; there are dseld"),
        (["dseld", "tabel3"], "'tabel3': dseld has no such claim; ids start with table1"),
        (["dseld", "--budget", "huge"], "invalid choice: 'huge'"),
        (["dseld", "table4", "--out", "file"], "file: results cannot be written there"),
        (["dseld", "table4", "--out", "taken"], "taken/report.html: not written: Is a directory"),
        (["dseld", "table4", "--out", "x" * 300], "results cannot be written there: File name too"),
        (["dseld", "table4", "--out", ""], "argument --out: must name a folder, got an empty text"),
        (["dseld", "--data", "file"], "--data file: it is no folder"),
        (["dseld", "--data", "dta"], "--data dta: there is no such folder"),
        (["dseld", "--data", "x" * 300], "--data xxx"),
        (["dseld", "--data", " "], "argument --data: must name a folder, got an empty text"),
    ],
)
def test_what_is_wrong_is_one_line(run, tmp_path, arguments, words):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "taken" / "report.html").mkdir(parents=True)
    code, out, err = run(*arguments)
    assert (code, out) == (2, "") and err.count("\n") == 1 and words in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "taken"]


def test_the_data_folder_that_nobody_named_may_be_absent(run, tmp_path):
    code, out, _ = run("dseld", "table3/mnist/sum")
    assert code == 0 and "(needs mnist)" in out
    (tmp_path / "data").write_text("mine")
    code, _, err = run("dseld", "table3/mnist/sum")
    assert code == 2 and "--data data: it is no folder" in err


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="may write everywhere")
def test_a_report_that_may_not_be_replaced_is_refused_before_the_work(run, tmp_path):
    (tmp_path / "report.html").write_text("mine")
    (tmp_path / "report.html").chmod(0o444)
    code, out, err = run("dseld", "table4", "--out", tmp_path)
    assert (code, out) == (2, "") and "report.html: not written: Permission denied" in err


def test_a_report_of_before_stays_until_the_new_one_is_written(tmp_path):
    from workbench.papers import report

    report.make_place(tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []
    (tmp_path / "new" / "report.html").write_text("mine")
    report.make_place(tmp_path / "new")
    assert (tmp_path / "new" / "report.html").read_text() == "mine"


def test_progress_tells_the_time_left(run, monkeypatch):
    from workbench import cli_reproduce

    monkeypatch.setattr(cli_reproduce._Teller, "EVERY", 0.0)
    monkeypatch.setattr(cli_reproduce, "PAPERS", {"tiny": _tiny()})
    code, out, err = run("tiny")
    assert code == 0 and "not run" in out
    assert "About 1 s left in all: digits, 20 atoms" in err or "About 0 s left" in err


def test_an_interruption_leaves_a_report_of_what_was_found(run, monkeypatch, tmp_path):
    from workbench.papers import run as module

    right = module.reproduce

    def interrupted(*arguments):
        yield from right(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "reproduce", interrupted)
    code, _, err = run("dseld", "table4/2048")
    assert code == 130 and err.endswith("workbench: stopped\n")
    assert "5.1189 TFLOPs" in (tmp_path / "reproduce-dseld" / "report.html").read_text("utf-8")


def _tiny():
    from tests.papers.conftest import claim_of, digits
    from workbench.papers.claims import FULL, Paper
    from workbench.papers.coding import Coding, Drawn

    measure = Drawn(Coding(digits(20)))
    claim = claim_of(measure)
    object.__setattr__(measure, "works", lambda budget: Drawn.works(measure, FULL))
    return Paper("tiny", "Tiny", "Nobody", (claim,))


def test_a_finding_without_a_number_says_why():
    (claim,) = PAPERS["dseld"].chosen("fig2")
    assert line(claim.not_run("needs more")).endswith("(needs more)")


@pytest.mark.parametrize(
    ("seconds", "words"), [(3.2, "3 s"), (89, "89 s"), (150, "2 min"), (9000, "2 h 30 min")]
)
def test_times_are_for_people(seconds, words):
    assert minutes(seconds) == words
