"""The guard: right networks, dictionaries and decoders pass it, and what is wrong is named."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.papers.conftest import (
    BREAKS,
    LCA,
    NETWORKS,
    _test_images_are_atoms,
    claim_of,
    digits,
    found,
)
from workbench.coding import decoders
from workbench.coding.dictionaries import Dictionary
from workbench.engine.evaluation import evaluate
from workbench.engine.experiment import prepare, system_params
from workbench.papers import PAPERS, guard
from workbench.papers.claims import NOT_RUN, Bench
from workbench.papers.coding import Coding
from workbench.papers.counting import MeasuredOperations
from workbench.papers.guard import Claimed
from workbench.papers.pictures import Reconstruction
from workbench.systems import products
from workbench.systems.protocol import Products, Wiring

DOCUMENT = digits(200)
CODED = list(range(40))


def small(document=DOCUMENT) -> LCA:
    """Some network under the parameters of a document."""
    return LCA(system_params(document), Wiring(3, torch.eye(3), torch.arange(3), 3))


def wrong_before(document=DOCUMENT, coded=CODED) -> str:
    experiment = prepare(document)
    return guard.before(experiment, document, coded) or guard.in_use(experiment, document, coded)


def test_the_network_passes_under_the_parameters_of_every_claim():
    documents = {c.document.to_json(): c.document for c in PAPERS["dseld"].claims if c.document}
    systems = {str(document.system): document for document in documents.values()}
    assert len(systems) == 3
    for document in systems.values():
        assert guard.network(small(document), Claimed.by(document)) == ""


def test_the_small_network_has_potentials_and_activations_of_both_signs(monkeypatch):
    seen = []
    right = guard._moved
    monkeypatch.setattr(guard, "_moved", lambda *a: seen.append((a[2], a[3])) or right(*a))
    assert guard.network(small(), Claimed.by(DOCUMENT)) == ""
    for u, a in seen[guard._FEW :]:  # the first step begins in silence
        assert ((a != 0) == (abs(u) > 2.0)).all()
    potentials = torch.tensor([u.tolist() for u, _ in seen[guard._FEW :]])
    parts = [float(p.float().mean()) for p in (potentials > 2, potentials < -2)]
    assert min(parts) > 0.1 and sum(parts) < 0.9


@pytest.mark.parametrize("broken", NETWORKS, indirect=True)
def test_a_wrong_network_is_named(broken):
    words = "its activation is off" if "in T" in broken else "equation (3) gives"
    assert words in guard.network(small(), Claimed.by(DOCUMENT))


@pytest.mark.parametrize("place", ["threshold", "time_constant", "time_step"])
def test_parameters_are_the_claims_and_not_the_systems(place):
    claimed = Claimed.by(DOCUMENT)
    params = small().params
    other = small().with_params(params.model_copy(update={place: 1.01 * getattr(params, place)}))
    assert guard.network(small(), claimed) == ""
    assert guard.network(other, claimed) != ""


def test_a_network_that_codes_another_signal_is_named(monkeypatch):
    right = LCA.init
    monkeypatch.setattr(LCA, "init", lambda self, signal: right(self, 2 * signal))
    assert "its input is off" in guard.network(small(), Claimed.by(DOCUMENT))


@pytest.mark.parametrize("name", ["energy", "reconstruction", "firing_count", "class_evidence"])
def test_what_a_network_shows_of_itself_must_be_right(monkeypatch, name):
    right = LCA.observe

    def observe(self, state, names=None):
        seen = right(self, state, names)
        return seen | ({name: seen[name] + 1} if name in seen else {})

    monkeypatch.setattr(LCA, "observe", observe)
    assert name.replace("_", " ") in guard.network(small(), Claimed.by(DOCUMENT))


def test_a_network_that_begins_with_something_is_named(monkeypatch):
    right = LCA.init

    def init(self, signal):
        state = right(self, signal)
        return state._replace(u=state.drive / 2)

    monkeypatch.setattr(LCA, "init", init)
    assert guard.network(small(), Claimed.by(DOCUMENT)) == "the network does not start silent"


def test_what_is_wrong_only_in_the_network_of_the_run_is_seen_there(monkeypatch):
    """As in the branch for large dictionaries that gathers the active atoms."""
    monkeypatch.setattr(products, "_SMALL_DICTIONARY", 1000)  # numbers
    assert wrong_before() == ""
    right = Products.combine

    def combine(self, activation):
        found = right(self, activation)
        return found if len(self.atoms) < 100 or found is None else 0.98 * found

    monkeypatch.setattr(Products, "combine", combine)
    experiment = prepare(DOCUMENT)
    assert guard.before(experiment, DOCUMENT, CODED) == ""
    assert "equation (3) gives" in guard.in_use(experiment, DOCUMENT, CODED)


def test_the_steps_of_a_reconstruction_are_looked_at_too(monkeypatch):
    right = Products.combine
    monkeypatch.setattr(
        Products, "combine", lambda self, a: right(self, a) * (1 if len(self.atoms) < 100 else 0.98)
    )
    steps = Reconstruction(DOCUMENT, "0", 2).do(Bench(Path("nowhere")))
    with pytest.raises(StopIteration) as end:
        while True:
            next(steps)
    assert "equation (3) gives" in end.value.value.fault


@pytest.mark.parametrize("name", ["max", "sum", "perceptron"])
def test_the_decoders_pass(name):
    assert guard.decoder(name) == ""


def test_a_sum_without_abs_is_named(monkeypatch):
    BREAKS["sum without abs"](monkeypatch)
    assert "sum decoder" in guard.decoder("sum") and "(10)" in guard.decoder("sum")
    assert guard.decoder("max") == ""


def test_a_sum_that_goes_wrong_in_the_evaluation_is_named(monkeypatch):
    """It loses what is negative before it comes to the decoder."""
    right = decoders.evidence
    monkeypatch.setattr(decoders, "evidence", lambda a, *more: right(a.clamp(min=0), *more))
    assert "sum decoder" in guard.decoder("sum")


def test_a_max_of_the_absolute_activation_is_named(monkeypatch):
    right = decoders.by_max
    monkeypatch.setattr(decoders, "by_max", lambda a, *rest: right(a.abs(), *rest))
    assert "max decoder" in guard.decoder("max") and "(9)" in guard.decoder("max")


@pytest.mark.parametrize("document", [DOCUMENT, digits(), digits(200, "random")])
def test_the_dictionary_passes(document):
    assert wrong_before(document) == ""


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("labels shuffled", "another class"),
        ("random atoms", "not their training images"),
        ("fewer atoms", "instead of 200"),
        ("test images are atoms", "are atoms themselves"),
    ],
    indirect=["broken"],
)
def test_a_wrong_dictionary_is_named(broken, words):
    assert words in wrong_before()


@pytest.mark.parametrize("atoms", [None, 200])
def test_fewer_atoms_than_the_complete_dictionary_or_than_asked_for(monkeypatch, atoms):
    BREAKS["fewer atoms"](monkeypatch)
    assert "atoms instead of" in wrong_before(digits(atoms))


def test_the_complete_dictionary_of_a_known_set_is_all_of_it():
    """A data folder that holds a part of MNIST does not give the complete dictionary."""
    experiment = prepare(digits())
    document = digits().changed(data={"dataset": "mnist"})
    assert guard.dictionary(experiment, document, CODED) == (
        "the dictionary has 800 atoms instead of 60000"
    )


@pytest.mark.parametrize(
    ("source", "words"),
    [(lambda s: None, "do not say"), (lambda s: s // 2 * 2, "more than one atom")],
)
def test_atoms_must_say_which_training_images_they_are(source, words):
    experiment = prepare(digits())
    made = experiment.dictionary
    other = Dictionary(made.atoms, made.labels, source(made.source) if source else None)
    assert words in guard.dictionary(replace(experiment, dictionary=other), digits(), CODED)


def test_a_single_coded_image_among_the_atoms_is_found(monkeypatch):
    _test_images_are_atoms(monkeypatch, 1)
    assert wrong_before() == "1 of 40 test images that are coded are atoms themselves"
    assert "training image" in wrong_before(coded=[5, 6])  # it is none of these, nor an exemplar


def test_the_certificate_must_fit():
    assert guard.certificate(0.4, 1.0, DOCUMENT) == ""
    assert "minimum of its energy" in guard.certificate(0.75, 1.0, DOCUMENT)
    assert "minimum of its energy" in guard.certificate(None, 1.0, DOCUMENT)
    assert "minimum of its energy" in guard.certificate(float("nan"), 1.0, DOCUMENT)
    assert guard.certificate(0.75, 1.0, digits(steps=15)) == ""  # τ is 16: it is on its way


def test_an_evaluation_of_other_extent_is_named():
    *_, evaluation = evaluate(prepare(DOCUMENT), 40)
    assert guard.after(evaluation, DOCUMENT, 40) == ""
    assert guard.after(evaluation, DOCUMENT, 41) == "40 images were coded instead of 41"
    assert "60 steps instead of 50" in guard.after(evaluation, digits(200, steps=50), 40)


def test_a_number_that_is_only_shown_says_what_is_wrong_with_it(monkeypatch):
    BREAKS["inhibition halved"](monkeypatch)
    coding = Coding(DOCUMENT, 20)
    finding = found(claim_of(MeasuredOperations(coding, coding)))
    assert finding.verdict == NOT_RUN and "not that of the paper" in finding.why
