"""Learned dictionaries: equation (7) itself, that it learns, and that dead atoms live again."""

import pytest
import torch
from sklearn.decomposition import sparse_encode
from torch.nn import functional

from workbench.coding import learning
from workbench.coding.dictionaries import build
from workbench.data.datasets import load
from workbench.data.features import Pixels
from workbench.data.splits import Split
from workbench.document.schema import Data
from workbench.document.schema import Dictionary as Section


class Vectors:
    def __init__(self, table):
        self.table = table

    def rows(self, index):
        return self.table[index]


@pytest.fixture(scope="module")
def digits():
    return load(Data())


def unit(*shape, seed=0):
    drawn = torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
    return functional.normalize(drawn, dim=-1)


def test_an_update_is_equation_7_written_out():
    atoms, code = unit(3, 4), torch.tensor([[0.5, 0.0, -2.0], [1.0, 0.0, 0.0]])
    residual = torch.randn(2, 4, generator=torch.Generator().manual_seed(1))
    expected = atoms.clone()
    for i in range(3):
        for b in range(2):
            expected[i] += 0.3 * residual[b] * code[b, i] / 2  # η (s − ŝ) a_i, mean of the batch
        expected[i] /= expected[i].norm()
    found = learning.updated(atoms, residual, code, 0.3)
    assert torch.allclose(found, expected, atol=1e-6)
    assert torch.equal(found[1], atoms[1] / atoms[1].norm())  # silent: it stays


def test_an_update_descends_the_reconstruction_error():
    """With the codes held, a small step of equation (7) is a step down the error's gradient."""
    atoms, code = unit(6, 8), torch.rand(20, 6, generator=torch.Generator().manual_seed(2))
    signals = torch.randn(20, 8, generator=torch.Generator().manual_seed(3))
    before = (signals - code @ atoms).square().sum()
    free = atoms + 0.01 / 20 * (code.T @ (signals - code @ atoms))
    assert (signals - code @ free).square().sum() < before
    updated = learning.updated(atoms, signals - code @ atoms, code, 0.01)
    assert torch.allclose(updated, functional.normalize(free, dim=1), atol=1e-6)


def test_hidden_atoms_are_found_again():
    """Signals made of few of 8 orthonormal atoms: learning recovers each, up to its sign."""
    generator = torch.Generator().manual_seed(0)
    truth = torch.linalg.qr(torch.randn(16, 16, generator=generator))[0][:8]
    which = torch.rand(2000, 8, generator=generator) < 0.2
    signals = (which * (1 + torch.rand(2000, 8, generator=generator))) @ truth
    section = Section(kind="learned", atoms=8, learning_updates=400, learning_threshold=0.2)
    forming = list(learning.learn(section, Vectors(signals), 2000, 16))
    match = (forming[-1].atoms @ truth.T).abs()
    assert match.max(0).values.min() > 0.98
    assert forming[-1].energy[-1] < 0.5 * forming[0].energy[0]


def test_atoms_have_unit_norm_and_the_record_is_whole(digits):
    section = Section(kind="learned", atoms=20, learning_updates=12, learning_batch=16)
    seen = list(learning.learn(section, Pixels(digits.train), 1437, 64))
    assert [f.update for f in seen] == list(range(1, 13)) and seen[-1].updates == 12
    for forming in seen:
        norms = torch.linalg.vector_norm(forming.atoms, dim=1)
        assert torch.allclose(norms, torch.ones(20), atol=1e-5)
    assert len(seen[-1].energy) == 12
    assert not torch.equal(seen[0].atoms, seen[-1].atoms)  # what was shown is kept as it was


def test_learning_follows_the_seed(digits):
    def learned(seed):
        section = Section(kind="learned", atoms=10, learning_updates=5, seed=seed)
        return list(learning.learn(section, Pixels(digits.train), 1437, 64))[-1].atoms

    assert torch.equal(learned(1), learned(1))
    assert not torch.equal(learned(1), learned(2))


def test_dead_atoms_begin_anew_as_the_worst_explained_images():
    atoms = unit(4, 3)
    residual = torch.tensor([[0.0, 0.1, 0.0], [0.0, 0.0, -2.0], [0.0, 0.0, 0.0]])
    revived, begun = learning.revive(atoms, residual, torch.tensor([1, 2, 3]))
    assert begun == 2  # the third image is explained: nothing can begin from it
    assert torch.equal(revived[0], atoms[0]) and torch.equal(revived[3], atoms[3])
    assert revived[1].tolist() == [0, 0, -1] and revived[2].tolist() == [0, 1, 0]


def test_an_atom_that_never_fires_is_revived_while_learning():
    """All signals lie in one plane; atoms that begin outside it would stay dead."""
    table = torch.zeros(100, 10)
    table[:, :2] = 2 * torch.rand(100, 2, generator=torch.Generator().manual_seed(0)) + 1
    section = Section(kind="learned", atoms=10, learning_updates=60, learning_threshold=1.5)
    last = list(learning.learn(section, Vectors(table), 100, 10))[-1]
    assert last.revived > 0
    assert (last.atoms[:, :2].norm(dim=1) > 0.9).sum() >= 3


def test_the_network_that_learns_comes_close_to_the_optimum():
    """Its energy is within a few percent of the Lasso optimum that scikit-learn finds."""
    atoms, signals = unit(30, 12), 3 * unit(20, 12, seed=1)
    code = learning.encode(signals, atoms, 0.5)
    exact = sparse_encode(
        signals.double().numpy(), atoms.double().numpy(), algorithm="lasso_cd", alpha=0.5
    )

    def energy(a):
        return float((0.5 * (signals - a @ atoms).square().sum(1) + 0.5 * a.abs().sum(1)).mean())

    optimum = energy(torch.from_numpy(exact).float())
    assert optimum <= energy(code) * (1 + 1e-5) < 1.03 * optimum


def test_atoms_take_the_class_they_are_active_for():
    atoms = torch.eye(4)
    table = torch.eye(4).repeat_interleave(5, 0)[:15] * 3  # nothing ever activates atom 3
    labels = torch.tensor([2, 0, 1]).repeat_interleave(5)
    forming = learning.Forming(1, 1, atoms, [1.0], 1.0, 0, 0.5, 0.1)
    found = learning.label_atoms(forming, Vectors(table), labels, 3, 0)
    assert found.labels[:3].tolist() == [2, 0, 1]
    assert found.silent == 1


def test_natural_choices_follow_the_length_of_the_signals():
    table = torch.full((50, 4), 3.0)  # length 6
    threshold, rate = learning.choices(Section(kind="learned"), Vectors(table), 50)
    assert (threshold, rate) == (pytest.approx(0.6), pytest.approx(30 / 36))
    section = Section(kind="learned", learning_threshold=0.25, learning_rate=2.0)
    assert learning.choices(section, Vectors(table), 50) == (0.25, 2.0)


def test_a_blank_data_set_can_be_learned_from_without_a_crash():
    split = Split(torch.zeros(12, 2, 2), torch.zeros(12, dtype=torch.int64))
    section = Section(kind="learned", atoms=3, learning_updates=40)
    dictionary = build(section, Pixels(split), split.labels, 4, ("0",))
    assert torch.isfinite(dictionary.atoms).all()
    assert dictionary.notes == ("3 learned atoms are never active.",)


def test_the_document_chooses_and_learned_atoms_have_classes(digits):
    shown = []
    section = Section(kind="learned", learning_updates=3)
    labels = digits.train.labels
    built = build(section, Pixels(digits.train), labels, 64, digits.class_names, None, shown.append)
    assert built.atoms.shape == (128, 64)  # twice as many as features
    assert built.labels.shape == (128,) and built.source is None
    assert [f.update for f in shown] == [1, 2, 3]
    assert torch.equal(shown[-1].atoms, built.atoms)


@pytest.mark.parametrize("seed", range(4))
def test_the_step_of_the_learning_network_is_stable_with_all_atoms_active(seed):
    same = torch.zeros(40, 5)
    same[:20, 0], same[20:, 0] = 1, -1
    for atoms in (unit(60, 20, seed=seed), same):
        largest = float(torch.linalg.eigvalsh(atoms @ atoms.T)[-1])
        assert learning._step(atoms) * largest < 2
