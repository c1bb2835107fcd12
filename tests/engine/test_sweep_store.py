"""Results are written whole or not at all."""

import pytest

from workbench.engine.sweep_store import Store, write_whole
from workbench.errors import InputError


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path):
    path = tmp_path / "a.json"
    write_whole(path, "one\r\n")
    write_whole(path, "two λ\n")
    assert path.read_bytes() == "two λ\n".encode()
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_is_one_line_and_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    write_whole(path, "one")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match=r"a\.json: not written: No space left on device"):
        write_whole(path, "two")
    assert path.read_text() == "one" and list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="file.*: results cannot be written there"):
        Store(tmp_path / "file").make()


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "{}", '{"fingerprint": ""}'])
def test_what_is_no_result_counts_as_absent(tmp_path, text):
    store = Store(tmp_path)
    store.make()
    assert store.read("abc") is None
    store.session("abc").write_text("{}")
    store.result("abc").write_text(text)
    assert store.read("abc") is None
