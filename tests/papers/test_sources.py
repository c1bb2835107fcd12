"""Finding data and weights below one folder."""

import zipfile

import pytest
import torch

from workbench.document import Document
from workbench.papers import sources


@pytest.fixture(autouse=True)
def empty_hub(monkeypatch, tmp_path_factory):
    """No published weights are on the machine."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path_factory.mktemp("hub")))


def session(dataset, backbone="none"):
    return Document.parse(
        {
            "workbench": 1,
            "data": {"dataset": dataset},
            "backbone": {"name": backbone},
            "system": {"kind": "lca"},
        }
    )


def test_what_comes_along_needs_nothing(tmp_path):
    document = session("digits")
    assert sources.located(document, tmp_path) == document
    assert sources.missing([document], tmp_path) == ()


@pytest.mark.parametrize(
    ("dataset", "place"),
    [
        ("mnist", "MNIST/raw"),
        ("cifar10", "cifar-10-batches-py"),
        ("cifar100", "cifar-100-python"),
        ("imagenet", "meta.bin"),
        ("imagenet", "imagenet/meta.bin"),
    ],
)
def test_a_torchvision_root_is_found_in_the_folder_or_below_its_name(tmp_path, dataset, place):
    assert sources.missing([session(dataset)], tmp_path) == (dataset,)
    (tmp_path / place).mkdir(parents=True)
    root = tmp_path / "imagenet" if place.startswith("imagenet") else tmp_path
    assert sources.located(session(dataset), tmp_path).data.root == str(root)
    assert sources.missing([session(dataset)], tmp_path) == ()


def test_a_zip_of_class_folders_stands_in(tmp_path):
    path = tmp_path / "cifar10-images.zip"
    with zipfile.ZipFile(path, "w"):
        pass
    found = sources.located(session("cifar10"), tmp_path)
    assert (found.data.dataset, found.data.root) == ("folder", str(path))
    assert sources.missing([session("cifar10")], tmp_path) == ()
    assert sources.missing([session("cifar100")], tmp_path) == ("cifar100",)


def test_weights_are_named_when_missing_and_taken_from_the_folder(tmp_path):
    document = session("digits", "resnet18")
    assert sources.missing([document], tmp_path) == ("weights of resnet18",)
    path = tmp_path / "weights" / "resnet18-abc.pth"
    path.parent.mkdir()
    path.write_bytes(b"")
    assert sources.located(document, tmp_path).backbone.weights == str(path)
    assert sources.missing([document], tmp_path) == ()


def test_what_several_sessions_need_is_named_once(tmp_path):
    documents = [session("mnist"), session("mnist"), session("cifar10")]
    assert sources.missing(documents, tmp_path) == ("mnist", "cifar10")
