"""Images and labels from NumPy files."""

import numpy as np
import pytest

from workbench.data.datasets import load
from workbench.document.schema import Data
from workbench.errors import InputError

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 3, 4), dtype=np.uint8)
LABELS = np.arange(20) % 4


def loaded(path, **values):
    return load(Data(dataset="arrays", root=str(path), **values))


def test_a_npz_is_divided_by_the_seed_and_nothing_is_lost(tmp_path):
    np.savez(tmp_path / "a.npz", images=IMAGES, labels=LABELS)
    dataset = loaded(tmp_path / "a.npz")
    assert (len(dataset.train), len(dataset.test)) == (16, 4)
    assert dataset.class_names == ("0", "1", "2", "3") and dataset.image_shape == (3, 4)
    together = np.concatenate([dataset.train.images.numpy(), dataset.test.images.numpy()])
    assert sorted(map(bytes, together)) == sorted(map(bytes, IMAGES))


def test_a_split_in_the_file_is_kept(tmp_path):
    halves = dict(zip(("train", "test"), np.split(IMAGES, 2), strict=True))
    arrays = {f"{part}_images": images / 255 for part, images in halves.items()}
    labels = {f"{part}_labels": LABELS[:10] for part in halves}
    np.savez(tmp_path / "a.npz", **arrays, **labels)
    dataset = loaded(tmp_path / "a.npz")
    np.testing.assert_allclose(dataset.test.images.numpy(), halves["test"] / 255, rtol=1e-6)


def test_a_npy_has_its_labels_beside_it(tmp_path):
    np.save(tmp_path / "x.npy", IMAGES)
    with pytest.raises(InputError, match="x_labels.npy"):
        loaded(tmp_path / "x.npy")
    np.save(tmp_path / "x_labels.npy", LABELS)
    assert len(loaded(tmp_path / "x.npy", train=5).train) == 5


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"images": IMAGES}, "must hold images and labels"),
        ({"images": IMAGES, "labels": LABELS[:3]}, "labels must be int64 of the shape"),
        ({"images": IMAGES, "labels": LABELS - 1}, "at least 0"),
        ({"images": IMAGES, "labels": LABELS + 10**6}, "class numbers from 0 on"),
        ({"images": IMAGES, "labels": LABELS / 2}, "whole numbers"),
        ({"images": IMAGES.astype(int) + 300, "labels": LABELS}, "between 0 and 255"),
        ({"images": np.full((20, 2, 2), np.nan), "labels": LABELS}, "between 0 and 1"),
        ({"images": IMAGES[:, 0, 0], "labels": LABELS}, "must have the shape"),
        ({"images": np.array(["a"] * 20), "labels": LABELS}, "must be numbers"),
        ({"images": np.array([None] * 20), "labels": LABELS}, "plain numbers"),
    ],
)
def test_wrong_arrays_are_one_clear_line(tmp_path, arrays, words):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(InputError, match=words) as error:
        loaded(tmp_path / "a.npz")
    assert "\n" not in str(error.value)


def test_a_file_that_is_no_npz_is_refused(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"something else")
    with pytest.raises(InputError, match="whole .npz"):
        loaded(tmp_path / "a.npz")
