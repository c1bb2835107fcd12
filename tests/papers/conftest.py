"""Small stand-ins for the paper's claims, and ways in which a model can be wrong.

The stand-ins are of the real kinds and go through the real judging with its real tolerances; only
the data is small: the digits that come along.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional

from workbench.coding import decoders, dictionaries
from workbench.coding.dictionaries import Dictionary
from workbench.document import Document
from workbench.engine import experiment
from workbench.papers.claims import FULL, Bench, Claim, Finding
from workbench.papers.run import reproduce
from workbench.systems import kinds

TESTS = 180  # images
LCA = kinds()["lca"]


def digits(
    atoms: int | None = None, kind: str = "exemplar", codes: int | None = None, **system: float
) -> Document:
    """A session on some of the digits, quick enough for tests; ``codes`` train a perceptron."""
    decoder = {"kind": "perceptron" if codes else "sum", "samples": codes}
    values = {"kind": "lca", "threshold": 2.0, "time_constant": 16.0, "steps": 60} | system
    return Document.parse(
        {
            "workbench": 1,
            "data": {"dataset": "digits", "train": 800, "test": TESTS},
            "dictionary": {"kind": kind, "atoms": atoms},
            "decoder": decoder,
            "system": values,
        }
    )


def claim_of(measure, theirs="a statement", name="test") -> Claim:
    """A claim that is measured so."""
    return Claim(name, "Table 0", "something", "theirs", theirs, "why", measure)


def found(claim: Claim, budget: str = FULL) -> Finding:
    """What comes out for one claim."""
    *_, last = reproduce([claim], Bench(Path("nowhere"), budget))
    (finding,) = last.findings
    return finding


def _no_inhibition(monkeypatch):
    def step(self, state):
        return state._replace(u=torch.lerp(state.u, state.drive, self.step_ratio), k=state.k + 1)

    monkeypatch.setattr(LCA, "step", step)


def _goes_to(monkeypatch, change):
    """Every step goes towards what ``change`` makes of b, b − (G − I) a and a."""
    right = LCA.step

    def step(self, state):
        u, moved = state.u, right(self, state).u
        goal = change(state.drive, u + (moved - u) / self.step_ratio, self._transfer(u))
        return state._replace(u=torch.lerp(u, goal, self.step_ratio), k=state.k + 1)

    monkeypatch.setattr(LCA, "step", step)


def _inhibition_excites(monkeypatch):
    _goes_to(monkeypatch, lambda drive, goal, a: 2 * drive - goal)


def _inhibition_halved(monkeypatch):
    _goes_to(monkeypatch, lambda drive, goal, a: (drive + goal) / 2)


def _no_self_term(monkeypatch):
    _goes_to(monkeypatch, lambda drive, goal, a: goal - a)


def _threshold_of_t(monkeypatch, factor):
    def transfer(self, u):
        return functional.softshrink(u, factor * self.params.threshold)

    monkeypatch.setattr(LCA, "_transfer", transfer)


def _labels_shuffled(monkeypatch):
    right = dictionaries.exemplar

    def exemplar(*arguments):
        made = right(*arguments)
        order = torch.randperm(len(made.labels), generator=torch.Generator().manual_seed(0))
        return Dictionary(made.atoms, made.labels[order], made.source)

    monkeypatch.setattr(dictionaries, "exemplar", exemplar)


def _random_atoms(monkeypatch):
    """Atoms of noise, with the labels of the exemplars."""
    right = dictionaries.exemplar

    def exemplar(*arguments):
        made = right(*arguments)
        noise = dictionaries.random(*made.atoms.shape, 7)
        return Dictionary(noise.atoms, made.labels, made.source)

    monkeypatch.setattr(dictionaries, "exemplar", exemplar)


def _fewer_atoms(monkeypatch):
    right = dictionaries.exemplar

    def exemplar(vectors, labels, atoms, *choice):
        return right(vectors, labels, (atoms or len(labels)) // 3, *choice)

    monkeypatch.setattr(dictionaries, "exemplar", exemplar)


def _test_images_are_atoms(monkeypatch, count=None):
    """The first atoms, or all but one, are test images, with the right labels."""
    right = experiment._dictionary

    def dictionary(document, dataset, found, *more):
        made = right(document, dataset, found, *more)
        if made.labels is None:
            return made
        images = functional.normalize(found.test.rows(slice(0, count or len(made) - 1)))
        atoms, labels = made.atoms.clone(), made.labels.clone()
        atoms[: len(images)] = images
        labels[: len(images)] = dataset.test.labels[: len(images)]
        return Dictionary(atoms, labels, made.source)

    monkeypatch.setattr(experiment, "_dictionary", dictionary)


def _speed(monkeypatch, factor):
    ratio = LCA.step_ratio.fget
    monkeypatch.setattr(LCA, "step_ratio", property(lambda self: factor * ratio(self)))


def _sum_without_abs(monkeypatch):
    def evidence(activation, labels, classes):
        sums = activation.new_zeros(len(activation), classes)
        return sums.index_add_(1, labels, activation)

    monkeypatch.setattr(decoders, "evidence", evidence)


# Of the network, of its dictionary, and of its decoders.
NETWORKS = {
    "no inhibition": _no_inhibition,
    "inhibition excites": _inhibition_excites,
    "inhibition halved": _inhibition_halved,
    "no self term": _no_self_term,
    "λ doubled in T": lambda monkeypatch: _threshold_of_t(monkeypatch, 2.0),
    "λ halved in T": lambda monkeypatch: _threshold_of_t(monkeypatch, 0.5),
    "far too fast": lambda monkeypatch: _speed(monkeypatch, 40),
    "far too slow": lambda monkeypatch: _speed(monkeypatch, 1 / 40),
    "τ too long by half": lambda monkeypatch: _speed(monkeypatch, 1 / 1.5),
}
ATOMS = {
    "labels shuffled": _labels_shuffled,
    "random atoms": _random_atoms,
    "fewer atoms": _fewer_atoms,
    "test images are atoms": _test_images_are_atoms,
}
SUMS = {"sum without abs": _sum_without_abs}
BREAKS = NETWORKS | ATOMS | SUMS


@pytest.fixture
def broken(request, monkeypatch):
    """The model made wrong in the way that the test is parametrized with."""
    BREAKS[request.param](monkeypatch)
    return request.param
