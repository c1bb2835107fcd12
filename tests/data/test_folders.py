"""Image folders and zips: found, divided, read; what cannot be read is left out and named."""

import io
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from workbench.data.datasets import load
from workbench.data.splits import Pictures, Split
from workbench.document.schema import Data
from workbench.errors import InputError


def picture(path, colour, size=(6, 4), mode="RGB"):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path)


@pytest.fixture
def root(tmp_path):
    """Two classes, red and blue, four training images and two test images of each."""
    for part, count in (("train", 4), ("test", 2)):
        for name, colour in (("blue", (0, 0, 255)), ("red", (255, 0, 0))):
            for i in range(count):
                picture(tmp_path / "data" / part / name / f"{i}.png", colour)
    return tmp_path / "data"


def zipped(root):
    return shutil.make_archive(str(root), "zip", root.parent, root.name)


def test_a_folder_and_its_zip_are_the_same_dataset(root):
    folder, archive = (load(Data(dataset="folder", root=str(r))) for r in (root, zipped(root)))
    assert folder.class_names == archive.class_names == ("blue", "red")
    for one, other in ((folder.train, archive.train), (folder.test, archive.test)):
        assert isinstance(one, Split)
        assert torch.equal(one.images, other.images) and torch.equal(one.labels, other.labels)
    assert folder.image_shape == (4, 6, 3)
    assert folder.train.labels.tolist() == [0] * 4 + [1] * 4
    assert folder.train.image(0)[0, 0].tolist() == [0, 0, 1]


def test_a_folder_without_a_split_is_divided_by_its_seed(root):
    shutil.rmtree(root / "test")
    both = [load(Data(dataset="folder", root=str(root / "train"), seed=s)) for s in (0, 0, 1)]
    assert [len(d.train) + len(d.test) for d in both] == [8, 8, 8]
    assert len(both[0].test) == 1
    assert torch.equal(both[0].train.images, both[1].train.images)


def test_unreadable_images_are_left_out_counted_and_named(root):
    (root / "train" / "red" / "0.png").write_bytes(b"no image")
    whole = (root / "train" / "red" / "1.png").read_bytes()
    (root / "train" / "red" / "1.png").write_bytes(whole[: len(whole) // 2])
    dataset = load(Data(dataset="folder", root=str(root)))
    assert len(dataset.train) == 6
    assert dataset.notes == (
        "2 train images cannot be read and are left out: train/red/0.png, train/red/1.png",
    )


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("L", 51, [51, 51, 51]),
        ("RGBA", (255, 0, 0, 0), [255, 255, 255]),  # transparent: the paper shows
        ("LA", (0, 255), [0, 0, 0]),
        ("P", 0, [0, 0, 0]),
        ("I;16", 65535, [255, 255, 255]),
    ],
)
def test_every_kind_of_image_becomes_rgb(tmp_path, mode, colour, expected):
    for part in ("train", "test"):
        picture(tmp_path / part / "a" / "0.png", colour, mode=mode)
    dataset = load(Data(dataset="folder", root=str(tmp_path)))
    assert dataset.test.images[0, 0, 0].tolist() == expected


def test_images_of_several_sizes_stay_in_their_files_and_need_a_side_to_be_coded(root):
    picture(root / "test" / "red" / "9.png", (255, 0, 0), size=(10, 10))
    dataset = load(Data(dataset="folder", root=str(root)))
    assert isinstance(dataset.test, Pictures) and dataset.test.picture(4).size == (10, 10)
    with pytest.raises(InputError, match="several sizes"):
        dataset.test.signals()
    squares = load(Data(dataset="folder", root=str(root)), side=5)
    assert squares.test.signals([0, 4]).shape == (2, 75)


def test_fewer_images_are_chosen_before_any_is_read(root):
    dataset = load(Data(dataset="folder", root=str(root), train=5, test=1))
    assert (len(dataset.train), len(dataset.test)) == (5, 1)
    with pytest.raises(InputError, match="data.test = 9: there are only 4"):
        load(Data(dataset="folder", root=str(root), test=9))


def test_a_call_can_be_called_off(root):
    class Enough(Exception):
        pass

    def check():
        raise Enough

    with pytest.raises(Enough):
        load(Data(dataset="folder", root=str(root)), check=check)


def test_what_is_no_image_folder_is_said_in_one_line(tmp_path, root):
    loose = tmp_path / "loose"
    picture(loose / "0.png", 0, mode="L")
    picture(loose / "a" / "0.png", 0, mode="L")
    (tmp_path / "empty").mkdir()
    (tmp_path / "torn.zip").write_bytes(b"PK\x03\x04 torn")
    for place, words in (
        (tmp_path / "nowhere", "no such folder or zip"),
        (tmp_path / "empty", "holds no images"),
        (tmp_path / "torn.zip", "whole zip"),
        (loose, "lies in no class folder"),
    ):
        with pytest.raises(InputError, match=words) as error:
            load(Data(dataset="folder", root=str(place)))
        assert "\n" not in str(error.value)


def test_a_damaged_member_of_a_zip_is_left_out(root):
    archive = zipped(root)
    with zipfile.ZipFile(archive) as file:
        members = {name: file.read(name) for name in file.namelist() if name.endswith("png")}
    data = bytearray(Path(archive).read_bytes())
    target = members["data/train/blue/2.png"]
    at = data.find(b"data/train/blue/2.png") + len(b"data/train/blue/2.png")
    data[at + 5 : at + 15] = b"\x00" * 10
    torn = root.parent / "torn.zip"
    torn.write_bytes(bytes(data))
    dataset = load(Data(dataset="folder", root=str(torn)))
    assert len(target) and len(dataset.train) == 7 and "data/train/blue/2.png" in dataset.notes[0]


def test_the_fingerprint_follows_the_content(root):
    before = load(Data(dataset="folder", root=str(root))).train.fingerprint()
    assert load(Data(dataset="folder", root=str(root))).train.fingerprint() == before
    picture(root / "train" / "red" / "0.png", (254, 0, 0))
    assert load(Data(dataset="folder", root=str(root))).train.fingerprint() != before


def test_a_picture_of_a_split_in_memory_is_the_image_itself():
    pixels = np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3)
    split = Split(torch.from_numpy(pixels), torch.tensor([0]))
    buffer = io.BytesIO()
    split.picture(0).save(buffer, "PNG")
    assert np.array_equal(np.asarray(Image.open(buffer)), pixels[0])
