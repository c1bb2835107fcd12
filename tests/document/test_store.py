"""Sessions on disk: whole or not at all, and every bad file is one line with its path."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from workbench import systems
from workbench.document import Document, assets, load, save, shipped
from workbench.errors import InputError


@pytest.fixture
def document():
    return Document.parse({"system": {"kind": "lca", "threshold": 2.0}})


@pytest.mark.parametrize("name", ["a.json", "a.workbench", "A.JSON", "mit Leerzeichen ä.json"])
def test_a_saved_session_loads_as_it_was(tmp_path, document, name):
    save(document, tmp_path / name)
    assert load(tmp_path / name) == document
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_folder_name_that_is_no_text_survives(tmp_path, document):
    odd = document.with_value("data.root", os.fsdecode(b"/data/\xff"))
    save(odd, tmp_path / "a.json")
    assert load(tmp_path / "a.json") == odd


def test_a_workbench_file_is_a_zip_with_readable_json(tmp_path, document):
    save(document, tmp_path / "a.workbench")
    with zipfile.ZipFile(tmp_path / "a.workbench") as archive:
        assert archive.namelist() == ["document.json"]
        assert archive.read("document.json").decode() == document.to_json()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", b'{"workbench": 1,\n  "data": }', "line 2, column 11"),
        ("a.json", b"", "is not JSON"),
        ("a.json", b'{"workbench": 1, "data": "\xff"}', "is not UTF-8 text"),
        ("a.json", b"[1]", "must hold one JSON object"),
        ("a.json", b"[" * 100_000, "is not JSON"),
        ("a.json", b'{"workbench": ' + b"1" * 5000 + b"}", "is not JSON"),
        ("a.json", b'{"workbench": NaN}', "holds NaN"),
        ("a.json", b" " * (4 * 2**20 + 1), "is larger than 4 MiB"),
        ("a.json", b"{}", "workbench is missing"),
        ("a.json", b'{"workbench": 1, "system": {"kind": "lca"}, "dat": {}}', "dat: unknown key"),
        ("a.workbench", b"no zip", "is not a whole zip file"),
        ("a.workbench", b"", "is not a whole zip file"),
        ("a.png", b"", "must end in .json or .workbench"),
    ],
)
def test_a_bad_file_is_one_line_with_its_path(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as error:
        load(tmp_path / name)
    line = str(error.value)
    assert line.startswith(f"{tmp_path / name}: ")
    assert said in line
    assert "\n" not in line


def test_a_missing_file_and_a_folder_say_so(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        load(tmp_path / "absent.json")
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        load(tmp_path / "folder.json")


def test_a_zip_without_a_document_or_with_a_huge_one_is_refused(tmp_path):
    path = tmp_path / "a.workbench"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("other.json", "{}")
    with pytest.raises(InputError, match=r"holds no document\.json"):
        load(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("document.json", b" " * 2**26)  # 64 kB of zip
    with pytest.raises(InputError, match="is larger than 4 MiB"):
        load(path)


def test_no_damaged_byte_of_a_zip_makes_anything_but_one_line(tmp_path, document):
    path = tmp_path / "a.workbench"
    save(document, path)
    whole = path.read_bytes()
    refused = 0
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            assert load(path) == document
        except InputError as error:
            assert str(error).startswith(str(path))
            refused += 1
    assert refused > len(whole) / 2
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError):
            load(path)


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, document):
    pytest.importorskip("resource", reason="only POSIX limits the size of files")
    path = tmp_path / "a.json"
    save(document, path)
    before = path.read_bytes()
    code = (
        "import resource, sys\n"
        "from workbench.document import load, save\n"
        "document = load(sys.argv[1]).with_value('view.sample', 5)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"  # bytes a file may have
        "save(document, sys.argv[1])\n"
    )
    result = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert "InputError" in result.stderr
    assert f"{path}: not saved: File too large; what was there is unchanged" in result.stderr
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_save_that_fails_late_leaves_the_old_file(tmp_path, document, monkeypatch, call):
    path = tmp_path / "a.json"
    save(document, path)

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(InputError, match="No space left on device; what was there is unchanged"):
        save(document.with_value("view.sample", 5), path)
    monkeypatch.undo()
    assert load(path) == document
    assert list(tmp_path.iterdir()) == [path]


def test_a_read_only_file_is_not_replaced(tmp_path, document, monkeypatch):
    path = tmp_path / "a.json"
    save(document, path)
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    with pytest.raises(InputError, match="the file is read-only"):
        save(document.with_value("view.sample", 5), path)
    assert load(path) == document


def test_a_folder_that_does_not_exist_is_one_line(tmp_path, document):
    with pytest.raises(InputError, match="not saved: No such file or directory"):
        save(document, tmp_path / "absent" / "a.json")


@pytest.mark.skipif(os.name != "posix", reason="links and modes are POSIX")
def test_saving_keeps_a_link_and_the_mode_of_the_file(tmp_path, document):
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    save(document, real)
    real.chmod(0o640)
    link.symlink_to(real)
    save(document.with_value("view.sample", 5), link)
    assert link.is_symlink()
    assert load(real).view.sample == 5
    assert real.stat().st_mode & 0o777 == 0o640


def test_the_example_sessions_ship_and_their_systems_take_them():
    assert set(shipped()) == {
        "cifar10-backbone",
        "digits-embedded",
        "digits-exemplar",
        "digits-learned",
        "digits-lesion",
        "digits-new-class",
        "digits-random",
        "digits-unstable",
        "lif-population",
        "mnist-exemplar",
    }
    for path in shipped().values():
        document = load(path)
        assert path.read_text(encoding="utf-8") == document.to_json(), path
        values = {key: value for key, value in document.system.items() if key != "kind"}
        systems.kinds()[document.system["kind"]].Params.parse(values, "system")


def test_the_assets_ship():
    assert assets() == Path(__file__).resolve().parents[2] / "assets"
