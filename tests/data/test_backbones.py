"""Backbones: the paper's feature sizes, weights that fit, and those that do not."""

import pickle

import pytest
import torch
from PIL import Image

from workbench.data import backbones
from workbench.document.schema import Backbone as Section
from workbench.errors import InputError


def small(**values):
    return Section(name="squeezenet1_1", image_size=64, **values)


@pytest.fixture(scope="module")
def states(tmp_path_factory):
    """A weights file of squeezenet1_1 and the network it was taken of."""
    torch.manual_seed(3)
    backbones.load(small(weights="random"))  # makes torchvision importable
    from torchvision.models import squeezenet1_1

    network = squeezenet1_1().eval()
    path = tmp_path_factory.mktemp("weights") / "own.pth"
    torch.save(network.state_dict(), path)
    return path, network


@pytest.mark.parametrize("name", backbones.PAPER_SIZES)
def test_the_papers_seven_networks_give_the_papers_feature_sizes(name):
    side = 96 if name != "inception_v3" else 128
    backbone = backbones.load(Section(name=name, weights="random", image_size=side))
    features = backbone.features(torch.rand(2, 3, side, side))
    assert features.shape == (2, backbones.PAPER_SIZES[name])
    assert torch.isfinite(features).all()


def test_features_are_the_networks_own_pooled_map(states):
    path, network = states
    backbone = backbones.load(small(weights=str(path)))
    batch = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        expected = network.features(batch).mean((2, 3))
    torch.testing.assert_close(backbone.features(batch), expected)
    assert (backbone.weights, backbone.size) == ("own.pth", 512)


def test_the_hash_names_the_numbers_not_the_file(states, tmp_path):
    path, network = states
    state = {f"module.{k}": v for k, v in network.state_dict().items()}
    torch.save({"state_dict": state}, tmp_path / "other.pth")
    first, same = (backbones.load(small(weights=str(p))) for p in (path, tmp_path / "other.pth"))
    assert first.weights_hash == same.weights_hash
    state["module.features.0.bias"] = state["module.features.0.bias"] + 1
    torch.save(state, tmp_path / "other.pth")
    changed = backbones.load(small(weights=str(tmp_path / "other.pth")))
    assert changed.weights_hash != first.weights_hash


def test_pictures_are_prepared_as_the_weights_ask():
    backbone = backbones.load(small(weights="random"))
    grey = backbone.transform(Image.new("RGB", (200, 100), (124, 116, 104)))
    assert grey.shape == (3, 64, 64) and grey.abs().max() < 0.02  # the mean of ImageNet
    assert backbones.load(Section(name="resnet50", weights="random")).image_size == 224


def test_random_weights_are_seeded_and_warned_of():
    one, same, other = (backbones.load(small(weights="random"), seed) for seed in (1, 1, 2))
    assert one.weights_hash == same.weights_hash != other.weights_hash
    assert "random weights" in one.notes[0]


def test_published_weights_that_are_not_here_say_how_to_get_them(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(InputError, match="workbench download resnet18"):
        backbones.load(Section(name="resnet18"))


def test_wrong_weights_are_one_clear_line(states, tmp_path):
    class Evil:
        def __reduce__(self):
            return (print, ("this must never be run",))

    (tmp_path / "evil.pth").write_bytes(pickle.dumps(Evil()))
    torch.save({"a": [1, 2]}, tmp_path / "list.pth")
    (tmp_path / "torn.pth").write_bytes(states[0].read_bytes()[:5000])
    state = dict(states[1].state_dict())
    state["features.0.bias"] = torch.zeros(3)
    torch.save(state, tmp_path / "shape.pth")
    for section, words in (
        (small(weights=str(tmp_path / "none.pth")), "no such file"),
        (small(weights=str(tmp_path / "evil.pth")), "other objects, which are not loaded"),
        (small(weights=str(tmp_path / "list.pth")), "plain state dict"),
        (small(weights=str(tmp_path / "torn.pth")), "damaged"),
        (small(weights=str(tmp_path / "shape.pth")), r"features.0.bias \[3\] instead of \[64\]"),
        (Section(name="resnet18", weights=str(states[0])), "not of resnet18: layers 102 missing"),
        (Section(name="mynet"), "classification model of torchvision"),
    ):
        with pytest.raises(InputError, match=words) as error:
            backbones.load(section)
        assert "\n" not in str(error.value)


def test_the_given_weights_of_squeezenet_fit(shared_data):
    path = shared_data / "weights" / "squeezenet1_0-imagenet.pth"
    backbone = backbones.load(Section(name="squeezenet1_0", weights=str(path), image_size=112))
    assert backbone.features(torch.rand(1, 3, 112, 112)).shape == (1, 512)
