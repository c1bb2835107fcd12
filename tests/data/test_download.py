"""Downloads through torchvision's own code, from a server on this machine."""

import gzip
from pathlib import Path

import pytest

from tests.served import idx
from workbench.data import download
from workbench.data.datasets import load
from workbench.document.schema import Data
from workbench.errors import InputError

# torchvision drops the answers of a server that says no without closing them
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


class CalledOff(Exception):
    pass


def test_a_dataset_comes_whole_with_its_progress_and_nothing_beside_it(
    served_mnist, tmp_path, capfd
):
    told = []
    download.dataset("mnist", tmp_path / "root", lambda done, total: told.append((done, total)))
    assert len(load(Data(dataset="mnist", root=str(tmp_path / "root"))).train) == 300
    assert [p.name for p in (tmp_path / "root").iterdir()] == ["MNIST"]
    assert all(done <= total for done, total in told) and told[-1][0] == told[-1][1]
    assert capfd.readouterr().out == ""


def test_calling_off_leaves_nothing_behind(served_mnist, tmp_path):
    calls = []

    def check():
        calls.append(1)
        if len(calls) == 2:
            raise CalledOff

    with pytest.raises(CalledOff):
        download.dataset("mnist", tmp_path / "root", check=check)
    assert list((tmp_path / "root").iterdir()) == []


def test_a_dataset_with_a_wrong_checksum_is_refused_and_not_kept(served_mnist, tmp_path):
    file = served_mnist.folder / "t10k-labels-idx1-ubyte.gz"
    file.write_bytes(gzip.compress(idx(50)[:-1] + b"\x07", mtime=0))
    with pytest.raises(InputError, match="mnist was downloaded but is not whole") as error:
        download.dataset("mnist", tmp_path / "root")
    assert "\n" not in str(error.value)
    assert list((tmp_path / "root").iterdir()) == []


def test_without_a_network_a_sentence_helps(served_mnist, tmp_path, monkeypatch):
    from torchvision.datasets import MNIST

    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])  # nobody answers there
    with pytest.raises(InputError, match="mnist cannot be downloaded, there is no way") as error:
        download.dataset("mnist", tmp_path / "root")
    assert "\n" not in str(error.value)
    assert list((tmp_path / "root").iterdir()) == []


def test_a_server_that_falls_silent_is_given_up(served_mnist, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "PATIENCE", 0.2)
    served_mnist.gate.clear()
    with pytest.raises(InputError, match=r"there is no way to its server \(timed out\)"):
        download.dataset("mnist", tmp_path / "root")
    assert list((tmp_path / "root").iterdir()) == []


def test_an_older_copy_stays_until_the_new_one_is_whole(served_mnist, tmp_path):
    kept = tmp_path / "root" / "MNIST" / "raw" / "mine"
    kept.parent.mkdir(parents=True)
    kept.write_text("here")
    (served_mnist.folder / "train-images-idx3-ubyte.gz").unlink()
    with pytest.raises(InputError):
        download.dataset("mnist", tmp_path / "root")
    assert kept.read_text() == "here"


def test_what_cannot_be_downloaded_is_said(tmp_path):
    with pytest.raises(InputError, match="'nothing' cannot be downloaded: it is neither"):
        download.weights("nothing")
    with pytest.raises(InputError, match="'imagenet' cannot be downloaded; can be: mnist"):
        download.dataset("imagenet", tmp_path)


def test_weights_come_with_progress_and_are_fetched_once(served_weights):
    served, place = served_weights
    told = []
    assert download.weights("tiny", lambda done, total: told.append((done, total))) == place
    assert place.read_bytes() == served.read_bytes()
    assert told[-1] == (512000, 512000)
    served.unlink()
    assert download.weights("tiny") == place


def test_weights_with_a_wrong_checksum_are_refused_and_not_kept(served_weights):
    served, place = served_weights
    served.write_bytes(b"something else")
    with pytest.raises(InputError, match="not whole: invalid hash value"):
        download.weights("tiny")
    assert list(Path(place.parent).iterdir()) == []


def test_weights_called_off_leave_nothing_behind(served_weights):
    def check():
        raise CalledOff

    with pytest.raises(CalledOff):
        download.weights("tiny", check=check)
    assert list(served_weights[1].parent.iterdir()) == []
