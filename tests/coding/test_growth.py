"""Growing dictionaries: the old atoms stay, the new ones come behind, in any portions the same."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from workbench.coding import dictionaries, growth
from workbench.coding.dictionaries import build
from workbench.coding.growth import (
    Store,
    parse_additions,
    parse_classes,
    write_additions,
)
from workbench.data.datasets import load
from workbench.data.features import Pixels
from workbench.data.splits import Split
from workbench.document.schema import Data
from workbench.document.schema import Dictionary as Section
from workbench.errors import InputError

NAMES = tuple("0123456789")


@pytest.fixture(scope="module")
def digits():
    return load(Data())


def made(digits, previous=None, vectors=None, **values):
    vectors = vectors or Pixels(digits.train)
    return build(Section(**values), vectors, digits.train.labels, 64, NAMES, previous)


class Counting:
    """Training vectors that count how many of them are read."""

    def __init__(self, split):
        self.split, self.read = split, 0

    def rows(self, index):
        rows = self.split.signals(index)
        self.read += len(rows)
        return rows


def test_a_class_that_is_left_out_has_no_atom_and_is_named(digits):
    dictionary = made(digits, leave_out="7, 3")
    assert set(dictionary.labels.tolist()) == set(range(10)) - {3, 7}
    assert dictionary.notes == ("No exemplar of class 3, 7.",)
    assert made(digits, leave_out="7", added="7=1").notes == ()


def test_newcomers_stand_behind_the_old_atoms_and_are_their_training_images(digits):
    before = made(digits, leave_out="7", atoms=100)
    after = made(digits, leave_out="7", atoms=100, added="7=20,1=5")
    assert torch.equal(after.atoms[:100], before.atoms)
    assert after.labels[100:].tolist() == [7] * 20 + [1] * 5
    assert len(set(after.source.tolist())) == 125
    signals = digits.train.signals(after.source)
    norms = torch.linalg.vector_norm(signals, dim=1, keepdim=True)
    assert torch.allclose(after.atoms * norms, signals, atol=1e-6)


@given(portions=st.lists(st.integers(1, 12), min_size=1, max_size=5))
def test_one_by_one_or_all_at_once_gives_the_same_dictionary(digits, portions):
    values = {"leave_out": "4", "atoms": 30}
    section, dictionary, added = Section(**values), made(digits, **values), 0
    for portion in portions:
        added += portion
        grown = Section(**values, added=f"4={added}")
        dictionary = build(
            grown, Pixels(digits.train), digits.train.labels, 64, NAMES, (section, dictionary)
        )
        section = grown
    at_once = made(digits, **values, added=f"4={sum(portions)}")
    assert torch.equal(dictionary.atoms, at_once.atoms)
    assert torch.equal(dictionary.source, at_once.source)


def test_growing_reads_the_new_images_only_and_leaves_the_old_dictionary_as_it_was(digits):
    section = Section(leave_out="7")
    before = made(digits, leave_out="7")
    kept, vectors = before.atoms.clone(), Counting(digits.train)
    after = made(digits, (section, before), vectors, leave_out="7", added="7=3")
    assert vectors.read == 3
    assert len(after) == len(before) + 3
    assert torch.equal(before.atoms, kept)
    assert after.atoms.data_ptr() == before.atoms.data_ptr()  # no old row was copied


def test_two_branches_of_one_dictionary_do_not_disturb_each_other(digits):
    section = Section(atoms=50)
    base = made(digits, atoms=50)
    sevens = made(digits, (section, base), atoms=50, added="7=4")
    ones = made(digits, (section, base), atoms=50, added="1=6")
    assert sevens.labels[50:].tolist() == [7] * 4 and ones.labels[50:].tolist() == [1] * 6
    assert torch.equal(sevens.atoms, made(digits, atoms=50, added="7=4").atoms)
    assert torch.equal(ones.atoms, made(digits, atoms=50, added="1=6").atoms)


@pytest.mark.parametrize("added", [None, "7=2", "1=3", "7=5,1=2", "7=6,1=1"])
def test_whatever_was_there_before_the_document_decides(digits, added):
    """Taking back or changing what joined builds the same as building it anew."""
    section = Section(atoms=50, added="7=5,1=1")
    before = made(digits, atoms=50, added="7=5,1=1")
    after = made(digits, (section, before), atoms=50, added=added)
    assert torch.equal(after.atoms, made(digits, atoms=50, added=added).atoms)


def test_a_store_that_is_full_moves_and_leaves_the_old_rows_where_they_were(monkeypatch):
    monkeypatch.setattr(growth, "SPARE", 1)
    store = Store(4, 3).extended(0, torch.ones(4, 3))
    before = store.view(4)
    one = store.extended(4, torch.full((1, 3), 2.0))
    assert one is store
    two = one.extended(5, torch.full((1, 3), 3.0))
    assert two is not store and torch.equal(two.view(5), store.view(5))
    assert before.data_ptr() == store.view(4).data_ptr() and (before == 1).all()
    assert (two.view(6)[5] == 3).all() and two.used == 6 and store.used == 5


def test_vectors_are_read_in_portions(monkeypatch, digits):
    monkeypatch.setattr(growth, "READ", 7)
    vectors = Counting(digits.train)
    small = made(digits, None, vectors, atoms=100)
    assert vectors.read == 100
    monkeypatch.undo()
    assert torch.equal(small.atoms, made(digits, atoms=100).atoms)


def test_blank_images_do_not_join():
    split = Split(torch.ones(4, 2, 2), torch.tensor([0, 1, 1, 1]))
    split.images[1:3] = 0
    section = Section(leave_out="1", added="1=1")
    grown = build(section, Pixels(split), split.labels, 4, ("0", "1"))
    assert grown.source.tolist() == [0, 3]
    with pytest.raises(InputError, match="1=2: only 1 training images of class 1 are left"):
        build(Section(leave_out="1", added="1=2"), Pixels(split), split.labels, 4, ("0", "1"))


@pytest.mark.parametrize(
    ("key", "text", "line"),
    [
        ("added", "7", "dictionary.added = '7': must be a list of class=number, such as 0=100"),
        ("added", "7=0", "with numbers of at least 1"),
        ("added", "7=-3", "must be a list of class=number"),
        ("added", "7=" + "9" * 5000, "must be a list of class=number"),
        ("added", "seven=3", "dictionary.added: there is no class 'seven'; there are 0, 1, 2"),
        ("added", "7=500", "dictionary.added: 7=500: only 0 training images of class 7 are left"),
        ("leave_out", "x", "dictionary.leave_out: there is no class 'x'"),
        ("leave_out", ",".join(NAMES), "leaves out every class"),
    ],
)
def test_what_cannot_join_is_one_line(digits, key, text, line):
    with pytest.raises(InputError) as error:
        made(digits, **{key: text})
    assert line in str(error.value) and "\n" not in str(error.value)


def test_too_many_atoms_of_what_remains_says_so(digits):
    with pytest.raises(InputError, match="of the classes that are not left out"):
        made(digits, leave_out="7", atoms=1437)


def test_additions_are_read_and_written():
    odd = ("a,b", " lead", 'say "x"')
    pairs = [(0, 2), (1, 1), (2, 7), (0, 1)]
    assert parse_additions(write_additions(pairs, odd), odd) == pairs
    names = ("cat", "T-shirt", "a=b")
    assert parse_additions(" cat=3 , T-shirt = 10,a=b=2", names) == [(0, 3), (1, 10), (2, 2)]
    assert write_additions([(0, 3), (0, 2), (1, 1)], names) == "cat=5,T-shirt=1"
    assert write_additions([], names) is None and parse_additions(None, names) == []
    assert parse_classes("T-shirt", names) == {1}


def test_growing_by_the_function_equals_growing_by_the_document(digits):
    base = made(digits, atoms=20, seed=3)
    labels, vectors = digits.train.labels, Pixels(digits.train)
    grown = dictionaries.grow(base, vectors, labels, [(2, 5)], 3, NAMES)
    assert torch.equal(grown.atoms, made(digits, atoms=20, seed=3, added="2=5").atoms)
