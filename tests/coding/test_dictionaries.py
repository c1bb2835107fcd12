"""Dictionaries: unit-norm atoms, chosen as asked, with the labels they should have."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.spread import spread
from workbench.coding.dictionaries import Storage, build, exemplar, random
from workbench.data.datasets import Dataset, Split, load
from workbench.data.features import Pixels
from workbench.document.schema import Data
from workbench.document.schema import Dictionary as Section
from workbench.errors import InputError


@pytest.fixture(scope="module")
def digits():
    return load(Data())


def made(section, dataset):
    features = dataset.test.signals([0]).shape[1]
    vectors, labels = Pixels(dataset.train), dataset.train.labels
    return build(section, vectors, labels, features, dataset.class_names)


def split_of(labels):
    """One image of 2×2 pixels per label; image i is told by its first pixel."""
    images = torch.full((len(labels), 2, 2), 0.5)
    images[:, 0, 0] = torch.arange(1, len(labels) + 1) / (len(labels) + 1)
    return Split(images, torch.tensor(labels))


def test_an_exemplar_is_its_training_image_at_unit_norm(digits):
    dictionary = exemplar(Pixels(digits.train), digits.train.labels, 100, True, 0)
    signals = digits.train.signals(dictionary.source)
    norms = torch.linalg.vector_norm(signals, dim=1, keepdim=True)
    assert torch.allclose(dictionary.atoms * norms, signals, atol=1e-6)
    assert torch.allclose(torch.linalg.vector_norm(dictionary.atoms, dim=1), torch.ones(100))
    assert torch.equal(dictionary.labels, digits.train.labels[dictionary.source])
    assert len(set(dictionary.source.tolist())) == 100
    assert dictionary.atoms.is_contiguous()


def test_without_a_number_every_training_image_is_an_atom_in_its_order(digits):
    dictionary = exemplar(Pixels(digits.train), digits.train.labels, None, True, 0)
    assert torch.equal(dictionary.source, torch.arange(1437))
    everything = exemplar(Pixels(digits.train), digits.train.labels, 1437, False, 5)
    assert torch.equal(dictionary.atoms, everything.atoms)


@given(
    labels=st.lists(st.integers(0, 4), min_size=1, max_size=40),
    share=st.floats(0, 1),
    seed=st.integers(0, 2**31 - 1),
)
def test_balanced_classes_differ_by_one_at_most_unless_one_is_used_up(labels, share, seed):
    count = max(1, round(share * len(labels)))
    split = split_of(labels)
    chosen = exemplar(Pixels(split), split.labels, count, True, seed).labels
    assert len(chosen) == count
    taken = torch.bincount(chosen, minlength=5)
    there = torch.bincount(torch.tensor(labels), minlength=5)
    assert (taken <= there).all()
    left = taken[taken < there]  # the classes that could have given more
    assert left.numel() == 0 or int(left.min()) >= int(taken.max()) - 1


def test_the_odd_ones_out_of_a_balanced_choice_favour_no_class(digits):
    first = [
        exemplar(Pixels(digits.train), digits.train.labels, 1, True, seed).labels.item()
        for seed in range(100)
    ]
    assert set(first) == set(range(10))


def test_a_plain_choice_is_not_balanced_and_follows_the_classes():
    split = split_of([0] * 900 + [1] * 100)
    taken = torch.bincount(exemplar(Pixels(split), split.labels, 500, False, 0).labels)
    assert 420 < int(taken[0]) < 480  # expected 450, deviation 4.7
    assert torch.bincount(exemplar(Pixels(split), split.labels, 150, True, 0).labels).tolist() == [
        75,
        75,
    ]


@pytest.mark.parametrize("balanced", [True, False])
def test_the_choice_follows_the_seed(digits, balanced):
    def source(seed):
        return exemplar(
            Pixels(digits.train), digits.train.labels, 50, balanced, seed
        ).source.tolist()

    assert source(1) == source(1)
    assert source(1) != source(2)


def test_blank_images_are_passed_over_and_noted():
    split = split_of([0, 1, 2])
    split.images[1] = 0
    dictionary = build(Section(), Pixels(split), split.labels, 4, ("a", "b", "c"))
    assert dictionary.source.tolist() == [0, 2]
    assert dictionary.notes == (
        "1 blank training images cannot be atoms",
        "No exemplar of class b.",
    )
    with pytest.raises(ValueError, match="atoms = 3: there are only 2 training images"):
        exemplar(Pixels(split), split.labels, 3, True, 0)


def test_only_blank_images_make_no_dictionary():
    split = Split(torch.zeros(2, 2, 2), torch.tensor([0, 1]))
    with pytest.raises(ValueError, match="there are only 0 training images that are not blank"):
        exemplar(Pixels(split), split.labels, None, True, 0)


def test_random_atoms_point_everywhere_alike_at_unit_norm():
    atoms = random(4000, 16, 0).atoms
    assert torch.allclose(torch.linalg.vector_norm(atoms, dim=1), torch.ones(4000), atol=1e-5)
    # Uniform on the sphere: mean 0 and covariance I / N.
    assert atoms.mean(0).abs().max() < 5 / 4000**0.5 / 4
    assert torch.allclose(atoms.T @ atoms / 4000, torch.eye(16) / 16, atol=0.01)


def test_random_atoms_follow_the_seed_and_have_no_class():
    assert torch.equal(random(5, 3, 1).atoms, random(5, 3, 1).atoms)
    assert not torch.equal(random(5, 3, 1).atoms, random(5, 3, 2).atoms)
    assert random(5, 3, 1).labels is None


def test_the_document_chooses_the_kind_and_the_number(digits):
    assert made(Section(atoms=20), digits).labels is not None
    assert made(Section(kind="random", atoms=20), digits).atoms.shape == (20, 64)
    assert made(Section(kind="random"), digits).atoms.shape == (1437, 64)


def test_random_atoms_have_as_many_features_as_a_colour_image():
    colour = Split(torch.rand(4, 2, 3, 3), torch.arange(4))
    dataset = Dataset("colour", colour, colour, ("a", "b", "c", "d"), (2, 3, 3))
    assert made(Section(kind="random", atoms=5), dataset).atoms.shape == (5, 18)


def test_what_cannot_be_built_is_one_line_with_its_place(digits):
    with pytest.raises(InputError) as error:
        made(Section(atoms=1438), digits)
    assert str(error.value) == (
        "dictionary.atoms = 1438: there are only 1437 training images that are not blank"
    )


class Counted:
    """Training vectors that count how many of them were read."""

    def __init__(self, split):
        self.pixels, self.read = Pixels(split), 0

    def rows(self, index):
        rows = self.pixels.rows(index)
        self.read += len(rows)
        return rows


SPREAD = {
    "exemplar": Section(atoms=100),
    "all": Section(),
    "grown": Section(atoms=100, added="3=7"),
    "random": Section(kind="random", atoms=50),
    "learned": Section(kind="learned", atoms=20, learning_updates=3),
}


@pytest.mark.parametrize("kind", SPREAD)
def test_each_process_keeps_its_slice_and_no_more(digits, kind):
    section, whole = SPREAD[kind], made(SPREAD[kind], digits)
    parts = (digits.train.labels, 64, digits.class_names)

    def build_here(shard):
        vectors = Counted(digits.train)
        found = build(section, vectors, *parts, storage=Storage(shard=shard))
        return found, vectors.read

    built = spread(3, build_here)
    assert torch.equal(torch.cat([found.atoms for found, _ in built]), whole.atoms)
    for found, read in built:
        assert len(found) == len(whole) and found.notes == whole.notes and found.store is None
        assert found.atoms.untyped_storage().nbytes() < 0.5 * whole.atoms.nbytes + 2e6  # and spare
        for all_of in ("labels", "source"):
            one, other = getattr(found, all_of), getattr(whole, all_of)
            assert (one is None and other is None) or torch.equal(one, other)
        if kind in ("exemplar", "all"):
            assert read == len(found.atoms)


def test_a_blank_image_in_one_slice_is_passed_over_by_all():
    split = split_of([0, 1, 2, 0, 1, 2])
    split.images[4] = 0

    def build_here(shard):
        names = ("a", "b", "c")
        return build(Section(), Pixels(split), split.labels, 4, names, storage=Storage(shard=shard))

    for found in spread(2, build_here):
        assert found.source.tolist() == [0, 1, 2, 3, 5]
        assert found.notes == ("1 blank training images cannot be atoms",)


@pytest.mark.parametrize("kind", ["exemplar", "random"])
def test_fewer_atoms_than_processes_are_refused(digits, kind):
    section = Section(kind=kind, atoms=2)
    parts = (Pixels(digits.train), digits.train.labels, 64, digits.class_names)
    with pytest.raises(InputError, match="^dictionary.atoms = 2: cannot be spread over 3 proc"):
        spread(3, lambda shard: build(section, *parts, storage=Storage(shard=shard)))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("kind", SPREAD)
def test_atoms_are_kept_in_the_type_asked_for_and_rounded_once(digits, kind, dtype):
    section, whole = SPREAD[kind], made(SPREAD[kind], digits)
    parts = (Pixels(digits.train), digits.train.labels, 64, digits.class_names)
    half = build(section, *parts, storage=Storage(dtype))
    assert torch.equal(half.atoms, whole.atoms.to(dtype))
    if kind == "exemplar":  # and so are those that join later
        more = Section(atoms=100, added="3=7")
        grown = build(more, *parts, (section, half), storage=Storage(dtype))
        assert torch.equal(grown.atoms, made(more, digits).atoms.to(dtype))
        assert grown.store is half.store
