"""Codes of training images: none explains itself; each is coded as a test image would be."""

import numpy as np
import pytest
import torch

from workbench.data import datasets
from workbench.document.schema import Data
from workbench.engine import training_codes
from workbench.engine.evaluation import evaluate
from workbench.engine.experiment import Cancelled, prepare
from workbench.engine.training_codes import code_training_images
from workbench.errors import InputError
from workbench.systems.lca import LCA
from workbench.systems.protocol import Wiring

ALL = {"kind": "exemplar"}  # all training images are atoms


def last(iterator):
    *_, final = iterator
    return final


def test_no_image_is_coded_by_itself(prepared):
    experiment = prepared(dictionary=ALL)
    found = last(code_training_images(experiment))
    assert found.done == found.total == 1437
    order = np.random.default_rng(0).permutation(1437)
    own = np.asarray(found.codes[np.arange(1437), order]).ravel()
    assert (own == 0).all()
    assert (found.codes.getnnz(axis=1) > 0).mean() > 0.95  # others explain it
    assert torch.equal(found.labels, experiment.dataset.train.labels[order])


def test_a_code_is_that_of_the_network_without_the_images_of_its_part(prepared):
    experiment = prepared(dictionary=ALL, decoder={"kind": "perceptron", "samples": 50})
    found = last(code_training_images(experiment))
    order = np.random.default_rng(0).permutation(1437)[:50]
    part = order[:10]  # five parts of ten
    keep = np.setdiff1d(np.arange(1437), part)
    wiring = experiment.system.wiring
    smaller = LCA(experiment.system.params, Wiring(64, wiring.atoms[keep], wiring.labels[keep], 10))
    state = smaller.init(experiment.training_signals(part.tolist()))
    for _ in range(experiment.steps):
        state = smaller.step(state)
    code = smaller.observe(state, ("activation",))["activation"].numpy(force=True)
    assert np.allclose(found.codes[:10].toarray()[:, keep], code, atol=1e-6)


def test_they_are_coded_by_the_engine_of_the_network(prepared):
    plain, quick = (
        last(code_training_images(prepared(kind, decoder={"kind": "perceptron", "samples": 50})))
        for kind in ("lca", "lca lazy")
    )
    assert np.allclose(plain.codes.toarray(), quick.codes.toarray(), atol=1e-6)
    system = prepared("lca lazy").system
    smaller = training_codes._without(system, np.arange(20))
    assert smaller.neurons == 130 and smaller.lazy is not None


def test_images_that_are_no_atoms_come_first_and_meet_the_whole_network(prepared):
    experiment = prepared(
        dictionary={"kind": "exemplar", "atoms": 1000},
        decoder={"kind": "perceptron", "samples": 437},
    )
    found = last(code_training_images(experiment))
    order = np.random.default_rng(0).permutation(1437)
    free = order[~np.isin(order, experiment.dictionary.source.numpy())]
    assert torch.equal(found.labels, experiment.dataset.train.labels[free])
    state = experiment.system.init(experiment.training_signals(free[:5].tolist()))
    for _ in range(experiment.steps):
        state = experiment.system.step(state)
    code = experiment.system.observe(state, ("activation",))["activation"].numpy(force=True)
    assert np.allclose(found.codes[:5].toarray(), code, atol=1e-6)


def test_it_stops_when_asked(prepared):
    with pytest.raises(Cancelled):
        list(code_training_images(prepared(), lambda: True))


def test_the_perceptron_reads_a_random_dictionary_that_the_others_cannot(prepared):
    experiment = prepared(
        dictionary={"kind": "random", "atoms": 300},
        threshold=0.5,
        time_constant=10.0,
        decoder={"kind": "perceptron", "samples": 600},
    )
    stages = list(evaluate(experiment))
    final = stages[-1]
    assert set(final.accuracy) == {"perceptron"} and final.accuracy["perceptron"] > 0.75
    assert stages[0].stage.startswith("Coded 512 of 600 training images, ")
    assert stages[0].done == 0 and stages[0].stage_part == 512 / 600
    assert any(e.stage.startswith("Trained 3 of at most 200 epochs") for e in stages)
    assert final.stage == "" and final.seconds["training"] > 0
    assert final.perceptron is final.training.perceptron
    assert final.confusion["perceptron"].sum() == 360


def test_all_three_decoders_stand_side_by_side_and_the_others_do_not_change(prepared):
    plain = last(evaluate(prepared()))
    three = last(evaluate(prepared(decoder={"kind": "perceptron", "samples": 500})))
    assert three.fingerprint == plain.fingerprint
    assert (three.confusion["sum"] == plain.confusion["sum"]).all()
    assert set(three.accuracy) == {"max", "sum", "perceptron"}
    assert three.accuracy["perceptron"] > 0.9


def test_too_few_images_are_one_line(prepared):
    experiment = prepared(
        data={"dataset": "digits", "train": 5},
        dictionary=ALL,
        decoder={"kind": "perceptron"},
    )
    with pytest.raises(InputError, match="'perceptron': a perceptron needs at least 10 codes"):
        list(evaluate(experiment))


def test_chosen_samples_are_evaluated_alone(prepared):
    experiment = prepared()
    sevens = (experiment.dataset.test.labels == 7).nonzero()[:, 0].tolist()
    final = last(evaluate(experiment, sevens))
    assert final.done == final.total == len(sevens)
    assert final.confusion["sum"].sum(1)[7] == len(sevens)
    whole = last(evaluate(experiment))
    assert (final.confusion["sum"][7] == whole.confusion["sum"][7]).all()


def test_preparing_again_after_growth_equals_preparing_at_once(document):
    base = document(dictionary={"kind": "exemplar", "leave_out": "7"})
    grown = base.with_value("dictionary.added", "7=40")
    first = prepare(base)
    second = prepare(grown, first)
    anew = prepare(grown)
    assert second.dataset is first.dataset
    assert second.system.wiring.checked == len(first.dictionary)
    assert torch.equal(second.system.wiring.atoms, anew.system.wiring.atoms)
    assert second.document == anew.document and second.notes == anew.notes
    sevens = (first.dataset.test.labels == 7).nonzero()[:, 0].tolist()
    assert last(evaluate(first, sevens)).accuracy["sum"] == 0
    assert last(evaluate(second, sevens)).accuracy["sum"] > 0.8


def test_copies_of_an_image_do_not_code_it_either(document, tmp_path):
    """Every image is there twice; no code may hold a neuron that equals its image."""
    digits = datasets.load(Data())
    images = (255 * digits.train.images[:100]).round().to(torch.uint8).repeat(2, 1, 1).numpy()
    labels = digits.train.labels[:100].repeat(2).numpy()
    path = tmp_path / "twice.npz"
    np.savez(path, images=images, labels=labels)
    asked = document(dictionary=ALL, decoder={"kind": "perceptron", "seed": 1}).on_data(path)
    experiment = prepare(asked)
    found = last(code_training_images(experiment))
    atoms = experiment.dictionary.atoms
    order = np.random.default_rng(1).permutation(len(experiment.dataset.train))
    same = (atoms @ atoms.T)[order] > 1 - 1e-5
    assert (same.sum(1) == 2).any()
    assert (found.codes.toarray()[same.numpy()] == 0).all()
    assert torch.equal(found.labels, experiment.dataset.train.labels[order])


def test_a_diverging_network_trains_no_perceptron(prepared):
    experiment = prepared(
        dictionary=ALL, threshold=0.01, time_constant=1.0, decoder={"kind": "perceptron"}
    )
    with pytest.raises(InputError, match="'perceptron': the codes are not finite, or too large"):
        list(evaluate(experiment))
