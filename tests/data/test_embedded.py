"""The embedded backbone: what its card says is so, and its script learns."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from workbench.data import backbones, datasets, embedded
from workbench.document import load, shipped
from workbench.document.schema import Backbone, Data
from workbench.engine.evaluation import evaluate
from workbench.engine.experiment import prepare
from workbench.errors import InputError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("train", ROOT / "scripts" / "train_embedded.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def network():
    network = embedded.Embedded()
    network.load_state_dict(torch.load(embedded.weights_file(), weights_only=True))
    return network.eval()


def sum_accuracy(session, *changes):
    document = load(shipped()[session])
    for change in changes:
        document = document.with_text(change)
    *_, final = evaluate(prepare(document))
    return final.accuracy["sum"]


def test_coding_its_features_beats_pixels():
    """The runs of the card: pixels with their best time constant, and with the same one."""
    features = sum_accuracy("digits-embedded")
    assert features >= 0.991
    assert features > sum_accuracy("digits-exemplar") >= 0.985
    assert features > sum_accuracy("digits-exemplar", "system.time_constant=100") + 0.02


def test_with_few_exemplars_it_beats_pixels_by_far():
    few = "dictionary.atoms=100"
    assert sum_accuracy("digits-embedded", few) > sum_accuracy("digits-exemplar", few) + 0.02


def test_the_head_is_as_good_as_the_card_says_on_digits(script, network):
    """Within a point; these digits were never trained on."""
    digits = datasets.load(Data())
    assert script.accuracy(network, digits.train) == pytest.approx(0.9743, abs=0.01)
    assert script.accuracy(network, digits.test) == pytest.approx(0.9694, abs=0.01)


def test_the_head_is_as_good_as_the_card_says_on_mnist(script, network, shared_data):
    data = datasets.load(Data(dataset="mnist", root=str(shared_data), train=1, test=2000))
    assert script.accuracy(network, data.test) == pytest.approx(0.9955, abs=0.01)


def test_the_script_learns(script, shared_data):
    """One short pass over a part of the data is far above chance."""
    data = datasets.load(Data(dataset="mnist", root=str(shared_data), train=3000, test=300))
    images = data.train.images.float() / 255
    trained = script.train(images, data.train.labels, 4, 0)
    again = script.train(images[:500], data.train.labels[:500], 1, 0).state_dict()
    assert script.accuracy(trained, data.test) > 0.6
    twice = script.train(images[:500], data.train.labels[:500], 1, 0).state_dict()
    assert all(torch.equal(again[key], twice[key]) for key in again)


def test_a_picture_becomes_grey_at_its_side():
    ink = Image.fromarray(np.full((8, 8, 3), 255, np.uint8))
    assert torch.equal(embedded.Grey()(ink), torch.ones(1, 28, 28))
    assert embedded.Grey(14)(ink).shape == (1, 14, 14)
    assert repr(embedded.Grey(14)) != repr(embedded.Grey())  # the cache tells them apart


def test_it_loads_without_torchvision_and_names_its_weights():
    found = backbones.load(Backbone(name="embedded"))
    assert (found.size, found.image_size, found.weights) == (96, 28, "weights.pt")
    picture = Image.fromarray(np.zeros((8, 8), np.uint8)).convert("RGB")
    features = found.features(torch.stack([found.transform(picture)]))
    assert features.shape == (1, 96) and (features >= 0).all()
    assert found.weights_hash == backbones.load(Backbone(name="embedded")).weights_hash


def test_weights_of_another_network_are_refused(tmp_path):
    other = tmp_path / "other.pt"
    torch.save(torch.nn.Linear(3, 2).state_dict(), other)
    with pytest.raises(InputError, match="other.pt are not of embedded: layers"):
        backbones.load(Backbone(name="embedded", weights=str(other)))
