"""Downloads through torchvision's own code, from a server on this machine."""

import contextlib
import gzip
import hashlib
import http.server
import struct
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from workbench.data import download, torchvision_compat
from workbench.data.datasets import load
from workbench.document.schema import Data
from workbench.errors import InputError

# torchvision drops the answers of a server that says no without closing them
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


class CalledOff(Exception):
    pass


@pytest.fixture
def server(tmp_path):
    """Serves a folder; (folder, address)."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *words):
            pass

        def copyfile(self, source, output):
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it was called off
                super().copyfile(source, output)

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{httpd.server_port}/"
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def idx(*shape):
    """An IDX file of zeros and ones."""
    size = 1
    for n in shape:
        size *= n
    head = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)
    return head + bytes(i % 2 for i in range(size))


@pytest.fixture
def mnist(server, monkeypatch):
    """torchvision's MNIST, its mirror and checksums those of a small one on the server."""
    folder, address = server
    torchvision_compat.ensure()
    from torchvision.datasets import MNIST

    resources = []
    for name, shape in (
        ("train-images-idx3-ubyte", (300, 28, 28)),
        ("train-labels-idx1-ubyte", (300,)),
        ("t10k-images-idx3-ubyte", (50, 28, 28)),
        ("t10k-labels-idx1-ubyte", (50,)),
    ):
        data = gzip.compress(idx(*shape), mtime=0)
        (folder / f"{name}.gz").write_bytes(data)
        resources.append((f"{name}.gz", hashlib.md5(data).hexdigest()))
    monkeypatch.setattr(MNIST, "mirrors", [address])
    monkeypatch.setattr(MNIST, "resources", resources)
    return folder


def test_a_dataset_comes_whole_with_its_progress_and_nothing_beside_it(mnist, tmp_path, capfd):
    told = []
    download.dataset("mnist", tmp_path / "root", lambda done, total: told.append((done, total)))
    assert len(load(Data(dataset="mnist", root=str(tmp_path / "root"))).train) == 300
    assert [p.name for p in (tmp_path / "root").iterdir()] == ["MNIST"]
    assert all(done <= total for done, total in told) and told[-1][0] == told[-1][1]
    assert capfd.readouterr().out == ""


def test_calling_off_leaves_nothing_behind(mnist, tmp_path):
    calls = []

    def check():
        calls.append(1)
        if len(calls) == 2:
            raise CalledOff

    with pytest.raises(CalledOff):
        download.dataset("mnist", tmp_path / "root", check=check)
    assert list((tmp_path / "root").iterdir()) == []


def test_a_dataset_with_a_wrong_checksum_is_refused_and_not_kept(mnist, tmp_path):
    file = mnist / "t10k-labels-idx1-ubyte.gz"
    file.write_bytes(gzip.compress(idx(50)[:-1] + b"\x07", mtime=0))
    with pytest.raises(InputError, match="mnist was downloaded but is not whole") as error:
        download.dataset("mnist", tmp_path / "root")
    assert "\n" not in str(error.value)
    assert list((tmp_path / "root").iterdir()) == []


def test_without_a_network_a_sentence_helps(mnist, tmp_path, monkeypatch):
    from torchvision.datasets import MNIST

    monkeypatch.setattr(MNIST, "mirrors", ["http://127.0.0.1:9/"])  # nobody answers there
    with pytest.raises(InputError, match="mnist cannot be downloaded, there is no way") as error:
        download.dataset("mnist", tmp_path / "root")
    assert "\n" not in str(error.value)
    assert list((tmp_path / "root").iterdir()) == []


def test_an_older_copy_stays_until_the_new_one_is_whole(mnist, tmp_path):
    kept = tmp_path / "root" / "MNIST" / "raw" / "mine"
    kept.parent.mkdir(parents=True)
    kept.write_text("here")
    (mnist / "train-images-idx3-ubyte.gz").unlink()
    with pytest.raises(InputError):
        download.dataset("mnist", tmp_path / "root")
    assert kept.read_text() == "here"


def test_what_cannot_be_downloaded_is_said(tmp_path):
    with pytest.raises(InputError, match="'nothing' cannot be downloaded: it is neither"):
        download.weights("nothing")
    with pytest.raises(InputError, match="'imagenet' cannot be downloaded; can be: mnist"):
        download.dataset("imagenet", tmp_path)


@pytest.fixture
def weights(server, monkeypatch, tmp_path):
    """Published weights of a network that are on the server; their content and their file."""
    folder, address = server
    content = bytes(range(256)) * 2000
    name = f"tiny-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    (folder / name).write_bytes(content)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "hub"))
    entry = SimpleNamespace(url=address + name)
    monkeypatch.setattr(download, "published", lambda network: entry)
    place = tmp_path / "hub" / "hub" / "checkpoints" / name
    monkeypatch.setattr(download, "published_file", lambda network: place)
    return folder / name, place


def test_weights_come_with_progress_and_are_fetched_once(weights):
    served, place = weights
    told = []
    assert download.weights("tiny", lambda done, total: told.append((done, total))) == place
    assert place.read_bytes() == served.read_bytes()
    assert told[-1] == (512000, 512000)
    served.unlink()
    assert download.weights("tiny") == place


def test_weights_with_a_wrong_checksum_are_refused_and_not_kept(weights):
    served, place = weights
    served.write_bytes(b"something else")
    with pytest.raises(InputError, match="not whole: invalid hash value"):
        download.weights("tiny")
    assert list(Path(place.parent).iterdir()) == []


def test_weights_called_off_leave_nothing_behind(weights):
    def check():
        raise CalledOff

    with pytest.raises(CalledOff):
        download.weights("tiny", check=check)
    assert list(weights[1].parent.iterdir()) == []
