"""Datasets: the right images with the right labels, seeded; absent or damaged files say so."""

import struct

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from workbench.data.datasets import Split, load
from workbench.document.schema import Data
from workbench.errors import InputError

FILES = {
    "train-images-idx3-ubyte": (60, 28, 28),
    "train-labels-idx1-ubyte": (60,),
    "t10k-images-idx3-ubyte": (20, 28, 28),
    "t10k-labels-idx1-ubyte": (20,),
}


@pytest.fixture
def root(tmp_path):
    """A small MNIST; image i of a file is filled with i, its label is i modulo 10."""
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, shape in FILES.items():
        numbers = np.arange(shape[0], dtype=np.uint8)
        numbers = np.ones(shape, np.uint8) * numbers[:, None, None] if shape[1:] else numbers % 10
        header = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)
        (raw / name).write_bytes(header + numbers.tobytes())
    return tmp_path


def test_digits_are_scikit_learns_each_once_with_its_label():
    digits = load(Data())
    assert (len(digits.train), len(digits.test)) == (1437, 360)
    assert (digits.image_shape, digits.class_names) == ((8, 8), tuple("0123456789"))

    def rows(images, labels):
        return sorted(map(tuple, np.column_stack([images.reshape(1797, 64), labels])))

    bunch = load_digits()
    signals = torch.cat([digits.train.signals(), digits.test.signals()])
    labels = torch.cat([digits.train.labels, digits.test.labels])
    assert rows(signals.numpy() * 16, labels.numpy()) == rows(bunch.images, bunch.target)


def test_the_split_of_the_digits_follows_the_seed():
    def signals(seed):
        return load(Data(seed=seed)).test.signals()

    assert torch.equal(signals(3), signals(3))
    assert not torch.equal(signals(3), signals(4))


def test_fewer_digits_are_the_first_ones_of_the_split():
    everything, few = load(Data()), load(Data(train=100, test=7))
    assert torch.equal(few.train.signals(), everything.train.signals(slice(100)))
    assert torch.equal(few.test.labels, everything.test.labels[:7])


@pytest.mark.parametrize(("key", "count"), [("train", 1438), ("test", 361)])
def test_more_images_than_there_are_is_one_line(key, count):
    with pytest.raises(InputError, match=rf"^data\.{key} = {count}: there are only {count - 1} "):
        load(Data(**{key: count}))


def test_mnist_keeps_its_own_order(root):
    mnist = load(Data(dataset="mnist", root=str(root)))
    assert mnist.train.images[:, 5, 5].tolist() == list(range(60))
    assert mnist.test.labels.tolist() == [i % 10 for i in range(20)]
    assert mnist.image_shape == (28, 28)
    assert mnist.train.signals([51])[0].tolist() == pytest.approx([51 / 255] * 784)


def test_fewer_mnist_images_are_a_seeded_choice_for_training_and_the_first_for_the_test(root):
    def chosen(seed):
        mnist = load(Data(dataset="mnist", root=str(root), train=30, test=5, seed=seed))
        assert torch.equal(mnist.train.labels, mnist.train.images[:, 0, 0].long() % 10)
        assert mnist.test.images[:, 0, 0].tolist() == list(range(5))
        return mnist.train.images[:, 0, 0].tolist()

    assert chosen(0) == sorted(set(chosen(0)))
    assert len(chosen(0)) == 30
    assert chosen(0) != chosen(1)
    assert chosen(0) != list(range(30))


def test_the_complete_mnist_is_read(shared_data):
    mnist = load(Data(dataset="mnist", root=str(shared_data)))
    assert (len(mnist.train), len(mnist.test)) == (60_000, 10_000)
    # The first labels of either file, as LeCun's page shows them.
    assert mnist.train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert mnist.test.labels[:5].tolist() == [7, 2, 1, 0, 4]
    norms = torch.linalg.vector_norm(mnist.test.signals(slice(1000)), dim=1)
    assert 8.5 < norms.mean() < 10


def test_mnist_without_a_root_says_how_to_give_one():
    with pytest.raises(InputError, match=r"^data\.root = null: .*--set data\.root=FOLDER"):
        load(Data(dataset="mnist"))


def test_a_root_without_mnist_says_what_is_expected_where(tmp_path):
    with pytest.raises(InputError) as error:
        load(Data(dataset="mnist", root=str(tmp_path)))
    line = str(error.value)
    assert line.startswith(f"data.root = {str(tmp_path)!r}: must hold the four unpacked files")
    assert "MNIST/raw" in line
    assert all(name in line for name in FILES)


@pytest.mark.parametrize("damage", ["short", "long", "header", "empty", "type", "dimensions"])
def test_a_damaged_file_of_mnist_is_named(root, damage):
    name = "train-labels-idx1-ubyte"
    path = root / "MNIST" / "raw" / name
    whole = path.read_bytes()
    path.write_bytes(
        {
            "short": whole[:-1],
            "long": whole + b"\0",
            "header": whole[:3],
            "empty": b"",
            "type": b"\0\0\x0d" + whole[3:],
            "dimensions": b"\0\0\x08\x03" + struct.pack(">3I", 1, 1, 1) + b"\0",
        }[damage]
    )
    with pytest.raises(InputError) as error:
        load(Data(dataset="mnist", root=str(root)))
    assert str(error.value).endswith(f"not whole or not readable in MNIST/raw: {name}")


@pytest.mark.parametrize(
    ("labels", "said"),
    [(bytes(19), "20 images and 19 labels up to 0"), (b"\n" * 20, "20 labels up to 10")],
)
def test_labels_that_do_not_fit_the_images_are_one_line(root, labels, said):
    header = struct.pack(">HBBI", 0, 8, 1, len(labels))
    (root / "MNIST" / "raw" / "t10k-labels-idx1-ubyte").write_bytes(header + labels)
    with pytest.raises(InputError, match=f"^data\\.root = .*{said}$"):
        load(Data(dataset="mnist", root=str(root)))


@pytest.mark.parametrize("name", ["fashion_mnist", "cifar10", "cifar100", "imagenet", "folder"])
def test_a_dataset_without_its_folder_says_how_to_give_it(name):
    with pytest.raises(InputError) as error:
        load(Data(dataset=name))
    assert "--set data.root=FOLDER" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
@pytest.mark.parametrize("shape", [(3, 2, 4), (3, 2, 4, 3)])
def test_signals_are_flat_and_images_keep_their_shape_both_in_zero_to_one(dtype, shape):
    images = torch.rand(shape)
    images = (images * 255).byte() if dtype == torch.uint8 else images
    split = Split(images, torch.arange(3))
    scale = 255 if dtype == torch.uint8 else 1
    expected = images.numpy().astype(np.float32) / scale
    assert len(split) == 3
    assert split.signals().dtype == torch.float32
    np.testing.assert_array_equal(split.signals().numpy(), expected.reshape(3, -1))
    np.testing.assert_array_equal(split.signals([2, 0]).numpy(), expected.reshape(3, -1)[[2, 0]])
    np.testing.assert_array_equal(split.image(1), expected[1])


@pytest.mark.parametrize(
    ("images", "labels", "said"),
    [
        (torch.zeros(3, 4), torch.zeros(3).long(), "shape"),
        (torch.zeros(3, 4, 4, 2), torch.zeros(3).long(), "shape"),
        (torch.zeros(3, 4, 4).double(), torch.zeros(3).long(), "float64"),
        (torch.zeros(3, 4, 4), torch.zeros(2).long(), "labels"),
        (torch.zeros(3, 4, 4), torch.zeros(3), "labels"),
    ],
)
def test_a_split_of_the_wrong_shape_or_type_is_refused(images, labels, said):
    with pytest.raises(ValueError, match=said):
        Split(images, labels)
