"""What every test gets: no screen needed, settings of its own, and the data sets where they are."""

import os
from pathlib import Path

import pytest

from tests.served import served_mnist, served_weights, server  # noqa: F401 (fixtures)

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # read when the first window is made

# Torch's threads spin while they wait, which beside any other busy process costs far more than it
# gives; the command line sets the same.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def own_settings(tmp_path_factory, monkeypatch):
    """Settings, log and cache go to a fresh folder, never to the user's."""
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture(autouse=True)
def own_threads():
    """On another number of threads torch adds up in another order, and to other last bits."""
    import torch  # after the environment is set

    before = torch.get_num_threads()
    yield
    if torch.get_num_threads() != before:
        torch.set_num_threads(before)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """A folder that holds MNIST/raw: WORKBENCH_TEST_DATA, or shared/data beside the checkout."""
    folder = Path(os.environ.get("WORKBENCH_TEST_DATA") or ROOT.parent / "shared" / "data")
    if not (folder / "MNIST" / "raw").is_dir():
        pytest.skip(f"needs MNIST/raw in {folder}; WORKBENCH_TEST_DATA names another folder")
    return folder
