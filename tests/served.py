"""What torchvision would fetch from the network, on a server of this machine."""

import contextlib
import gc
import gzip
import hashlib
import http.server
import random
import struct
import threading
from types import SimpleNamespace

import pytest


@pytest.fixture
def server(tmp_path):
    """Serves ``folder`` at ``address``; while ``gate`` is closed, files come by half."""
    folder, gate = tmp_path / "served", threading.Event()
    folder.mkdir()
    gate.set()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *words):
            pass

        def copyfile(self, source, output):
            content = source.read()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it was called off
                output.write(content[: len(content) // 2])
                gate.wait(30)
                output.write(content[len(content) // 2 :])

    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet)
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield SimpleNamespace(
        folder=folder, gate=gate, address=f"http://127.0.0.1:{httpd.server_port}/"
    )
    gate.set()
    httpd.shutdown()
    thread.join()
    httpd.server_close()
    gc.collect()  # answers that torchvision dropped are closed in this test, not in a later one


def idx(*shape):
    """An IDX file: images of noise, or labels 0 and 1 by turns."""
    size = 1
    for n in shape:
        size *= n
    head = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)
    noise = len(shape) > 1
    return head + (random.Random(0).randbytes(size) if noise else bytes(i % 2 for i in range(size)))


@pytest.fixture
def served_mnist(server, monkeypatch):
    """torchvision's MNIST, its mirror and checksums those of a small one on the server."""
    from workbench.data import torchvision_compat

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
        (server.folder / f"{name}.gz").write_bytes(data)
        resources.append((f"{name}.gz", hashlib.md5(data).hexdigest()))
    monkeypatch.setattr(MNIST, "mirrors", [server.address])
    monkeypatch.setattr(MNIST, "resources", resources)
    return server


@pytest.fixture
def served_weights(server, monkeypatch, tmp_path):
    """Published weights of a network that are on the server; their content and their file."""
    from workbench.data import download

    content = bytes(range(256)) * 2000
    name = f"tiny-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    (server.folder / name).write_bytes(content)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "hub"))
    entry = SimpleNamespace(url=server.address + name)
    monkeypatch.setattr(download, "published", lambda network: entry)
    place = tmp_path / "hub" / "hub" / "checkpoints" / name
    monkeypatch.setattr(download, "published_file", lambda network: place)
    return server.folder / name, place
