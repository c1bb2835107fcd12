"""Downloads in a thread."""

from pathlib import Path

import pytest

from workbench.engine.fetch import Fetch

# torchvision drops the answers of a server that says no without closing them
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def test_a_dataset_comes_with_its_progress(served_mnist, tmp_path):
    fetch = Fetch("mnist", tmp_path / "root")
    assert fetch.join() and fetch.error == ""
    assert fetch.latest == tmp_path / "root" and fetch.done == fetch.total > 0


def test_weights_come_to_their_file(served_weights):
    fetch = Fetch("tiny", None)
    assert fetch.join() and fetch.latest == Path(served_weights[1])


def test_called_off_it_gives_nothing_and_no_error(served_mnist, tmp_path):
    served_mnist.gate.clear()
    fetch = Fetch("mnist", tmp_path / "root")
    fetch.cancel()
    served_mnist.gate.set()
    assert fetch.join() and (fetch.latest, fetch.error) == (None, "")


def test_what_goes_wrong_is_one_line(tmp_path):
    fetch = Fetch("imagenet", tmp_path)
    assert fetch.join() and "'imagenet' cannot be downloaded" in fetch.error
