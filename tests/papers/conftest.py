"""Small stand-ins for the paper's claims, and ways in which a model can be wrong.

The stand-ins are of the real kinds and go through the real judging with its real tolerances; only
the data is small: the digits that come along.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from workbench.coding import dictionaries
from workbench.coding.dictionaries import Dictionary
from workbench.document import Document
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


def _inhibition_excites(monkeypatch):
    right = LCA.step

    def step(self, state):
        u, moved = state.u, right(self, state).u
        goal = 2 * state.drive - (u + (moved - u) / self.step_ratio)  # b + (G − I) a
        return state._replace(u=torch.lerp(u, goal, self.step_ratio), k=state.k + 1)

    monkeypatch.setattr(LCA, "step", step)


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


def _far_too_fast(monkeypatch):
    ratio = LCA.step_ratio.fget
    monkeypatch.setattr(LCA, "step_ratio", property(lambda self: 40 * ratio(self)))


def _far_too_slow(monkeypatch):
    ratio = LCA.step_ratio.fget
    monkeypatch.setattr(LCA, "step_ratio", property(lambda self: ratio(self) / 40))


BREAKS = {
    "no inhibition": _no_inhibition,
    "inhibition excites": _inhibition_excites,
    "labels shuffled": _labels_shuffled,
    "random atoms": _random_atoms,
    "far too fast": _far_too_fast,
    "far too slow": _far_too_slow,
}


@pytest.fixture
def broken(request, monkeypatch):
    """The model made wrong in the way that the test is parametrized with."""
    BREAKS[request.param](monkeypatch)
    return request.param
