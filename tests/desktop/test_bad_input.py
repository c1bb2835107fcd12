"""Whatever data or weights are given: one exact line, and the run before goes on as it was."""

from __future__ import annotations

import pickle
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from workbench.data import backbones
from workbench.document.schema import Backbone as Section

SMALL = ("digits-exemplar", "data.train=300", "dictionary.atoms=100", "system.steps=40")
pytestmark = pytest.mark.parametrize("user", [SMALL], indirect=True)


def picture(path: Path, size=(6, 4), mode="RGB", colour=200) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path)


def folder(root: Path, count: int = 3, parts=("train", "test"), classes=("a", "b")) -> Path:
    for part in parts:
        for name in classes:
            for i in range(count):
                picture(root / part / name / f"{i}.png", colour=(50 * i + 40, 90, 120))
    return root


def idx(root: Path) -> Path:
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part in ("train", "t10k"):
        images = struct.pack(">HBB3I", 0, 8, 3, 20, 4, 4) + bytes(range(1, 21)) * 16
        labels = struct.pack(">HBBI", 0, 8, 1, 20) + bytes(range(10)) * 2
        (raw / f"{part}-images-idx3-ubyte").write_bytes(images)
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(labels)
    return root


@pytest.fixture
def refused(user, window):
    """Changes the document; returns the one line, after checking that all is as it was."""
    user.go_to(20)

    def change(**sections: dict) -> str:
        workspace = window.workspace
        before, fingerprint = workspace.document, workspace.status.fingerprint
        plain = {k: getattr(before, k).model_dump() | v for k, v in sections.items()}
        workspace.change(before.changed(**plain), "Something wrong")
        user.wait(lambda: user.complaints)
        line = user.dismiss()
        user.settle()
        assert "\n" not in line
        assert workspace.document == before and not workspace.history.dirty
        assert (user.step, workspace.status.fingerprint) == (20, fingerprint)
        return line

    return change


@pytest.fixture
def accepted(user, window):
    """Changes the document; returns the experiment's notes, after checking that it runs."""

    def change(**sections: dict) -> tuple[str, ...]:
        workspace = window.workspace
        plain = {k: getattr(workspace.document, k).model_dump() | v for k, v in sections.items()}
        workspace.change(workspace.document.changed(**plain), "Something odd")
        user.wait(lambda: workspace.experiment.asked == workspace.document or user.complaints)
        assert not user.complaints, user.complaints[0].text()
        user.settle()
        user.go_to(40)
        user.do("evaluate")
        user.wait(lambda: not workspace.evaluating)
        assert not user.complaints
        return workspace.experiment.notes

    return change


FEW = {"dictionary": {"atoms": None}}


def test_truncated_idx(refused, tmp_path):
    root = idx(tmp_path)
    name = "t10k-images-idx3-ubyte"
    (root / "MNIST" / "raw" / name).write_bytes((root / "MNIST" / "raw" / name).read_bytes()[:-9])
    line = refused(data={"dataset": "mnist", "root": str(root)})
    assert line == f"data.root = {str(root)!r}: not whole or not readable in MNIST/raw: {name}"


@pytest.mark.parametrize("content", ["truncated", "text", "empty"])
def test_a_zip_that_is_none(refused, tmp_path, content):
    path = Path(shutil.make_archive(str(tmp_path / "images"), "zip", folder(tmp_path / "data")))
    whole = path.read_bytes()
    path.write_bytes({"truncated": whole[: len(whole) // 2], "text": b"PK", "empty": b""}[content])
    line = refused(data={"dataset": "folder", "root": str(path)})
    assert line == (
        f"data.root = {str(path)!r}: must be a folder or a whole zip (File is not a zip file)"
    )


def test_a_zip_that_is_mended_meanwhile_is_read_anew(refused, accepted, tmp_path):
    path = Path(shutil.make_archive(str(tmp_path / "images"), "zip", folder(tmp_path / "data")))
    whole = path.read_bytes()
    path.write_bytes(whole[:50])
    refused(data={"dataset": "folder", "root": str(path)})
    path.write_bytes(whole)
    assert accepted(data={"dataset": "folder", "root": str(path), "train": None}, **FEW) == ()


@pytest.mark.parametrize("zipped", [False, True])
def test_unreadable_images_are_left_out_counted_and_listed(accepted, window, tmp_path, zipped):
    root = folder(tmp_path / "data")
    whole = (root / "train" / "a" / "0.png").read_bytes()
    (root / "train" / "a" / "0.png").write_bytes(whole[:40])
    (root / "train" / "b" / "1.png").write_bytes(b"")
    (root / "test" / "b" / "2.png").write_bytes(b"GIF89a and no more")
    if zipped:
        root = Path(shutil.make_archive(str(root), "zip", root))
    notes = accepted(data={"dataset": "folder", "root": str(root), "train": None}, **FEW)
    assert notes == (
        "2 train images cannot be read and are left out: train/a/0.png, train/b/1.png",
        "1 test images cannot be read and are left out: test/b/2.png",
    )
    assert window.alarm.isVisible() and window.alarm.text() == " · ".join(notes)


def test_no_readable_image_at_all(refused, tmp_path):
    root = folder(tmp_path, count=1)
    for path in (root / "train").rglob("*.png"):
        path.write_bytes(b"")
    line = refused(data={"dataset": "folder", "root": str(root), "train": None})
    assert line == "data.root: none of the 2 train images can be read"


def test_every_kind_of_image_in_one_folder(accepted, window, tmp_path):
    root = folder(tmp_path, count=1)
    for i, (mode, colour, suffix) in enumerate(
        [
            ("L", 120, "png"),
            ("LA", (120, 60), "png"),
            ("RGBA", (9, 120, 200, 60), "png"),
            ("1", 1, "png"),
            ("I;16", 40000, "png"),
            ("CMYK", (20, 90, 10, 5), "jpg"),
            ("F", 90.0, "tif"),
            ("YCbCr", (90, 100, 120), "jpg"),
        ]
    ):
        picture(root / "train" / "a" / f"k{i}.{suffix}", mode=mode, colour=colour)
    notes = accepted(data={"dataset": "folder", "root": str(root), "train": None}, **FEW)
    dataset = window.workspace.experiment.dataset
    assert notes == ()
    assert len(dataset.train) == 10 and dataset.image_shape == (4, 6, 3)


def test_several_sizes(refused, accepted, tmp_path):
    root = folder(tmp_path)
    picture(root / "test" / "a" / "large.png", size=(20, 9))
    data = {"dataset": "folder", "root": str(root), "train": None}
    several = (
        "backbone.image_size = null: the images are of several sizes; give the side of the square "
        "that they are to be resized to, or take a backbone"
    )
    assert refused(data=data, dictionary={"atoms": None}) == several
    (root / "test" / "a" / "large.png").rename(root / "train" / "a" / "large.png")
    assert refused(data=data, dictionary={"atoms": None}) == several
    accepted(data=data, backbone={"image_size": 5}, **FEW)


def test_training_and_test_images_of_two_sizes(refused, tmp_path):
    root = folder(tmp_path, parts=("train",))
    for name in ("a", "b"):
        picture(root / "test" / name / "0.png", size=(5, 5))
    line = refused(data={"dataset": "folder", "root": str(root), "train": None})
    assert line == (
        "backbone.image_size = null: training images have 72 values and test images 75; "
        "give the side of the square that all are to be resized to, or take a backbone"
    )


def test_classes_without_images(accepted, window, tmp_path):
    root = folder(tmp_path)
    (root / "train" / "c").mkdir()  # and one image for the test
    picture(root / "test" / "c" / "0.png", colour=(1, 2, 3))
    (root / "train" / "d").mkdir()
    (root / "test" / "d").mkdir()
    notes = accepted(data={"dataset": "folder", "root": str(root), "train": None}, **FEW)
    assert notes[:2] == (
        "no training image of: c",
        "empty folders are no classes: test/d, train/c, train/d",
    )
    assert window.workspace.experiment.dataset.class_names == ("a", "b", "c")


def test_labels_out_of_range(refused, tmp_path):
    path, images = tmp_path / "a.npz", np.ones((10, 4, 4), np.uint8)
    for labels, words in (
        (np.arange(10) - 1, "labels must be whole numbers of at least 0, one for each image"),
        (np.arange(10) + 10**6, "labels must be class numbers from 0 on; one is 1000009"),
    ):
        np.savez(path, images=images, labels=labels)
        line = refused(data={"dataset": "arrays", "root": str(path)})
        assert line == f"data.root = {str(path)!r}: {words}"


def test_a_thousand_classes_without_images_are_one_note(accepted, window, tmp_path):
    rng = np.random.default_rng(0)
    images = rng.integers(1, 255, (20, 4, 4), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", images=images, labels=np.r_[np.arange(19), 1000])
    data = {"dataset": "arrays", "root": str(tmp_path / "a.npz"), "train": None}
    notes = accepted(data=data, **FEW)
    assert len(notes) == 1 and notes[0].startswith("No exemplar of class")
    assert window.alarm.text() == notes[0] and len(notes[0]) < 100


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """A weights file of squeezenet1_1."""
    backbones.load(Section(name="squeezenet1_1", image_size=64, weights="random"))
    from torchvision.models import squeezenet1_1

    path = tmp_path_factory.mktemp("weights") / "squeeze.pth"
    torch.save(squeezenet1_1().state_dict(), path)
    return path


def test_weights_of_another_network(refused, weights):
    line = refused(backbone={"name": "resnet18", "weights": str(weights)})
    assert line == (
        "the weights squeeze.pth are not of resnet18: layers 102 missing (conv1.weight, "
        "bn1.weight, …); 52 unknown (features.0.weight, features.0.bias, …)"
    )


class Evil:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return (Path.touch, (self.mark,))


def test_a_pickle_that_would_run_something(refused, tmp_path):
    path = tmp_path / "evil.pth"
    path.write_bytes(pickle.dumps(Evil(tmp_path / "ran")))
    line = refused(backbone={"name": "squeezenet1_1", "weights": str(path)})
    assert line == (
        f"backbone.weights = {str(path)!r}: must be a plain state dict of tensors or TorchScript; "
        "it is damaged, or holds other objects, which are not loaded (UnpicklingError)"
    )
    assert not (tmp_path / "ran").exists()


def test_an_image_size_that_is_too_small(refused, weights):
    asked = {"name": "squeezenet1_1", "weights": str(weights), "image_size": 8}
    line = refused(backbone=asked)
    assert line == "backbone.image_size = 8: is too small for squeezenet1_1; null takes 224"


def test_more_atoms_than_images(refused):
    line = refused(dictionary={"atoms": 1000})
    assert line == (
        "dictionary.atoms = 1000: there are only 300 training images that are not blank"
    )
