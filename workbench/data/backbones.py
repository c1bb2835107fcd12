"""Pretrained networks of torchvision, cut where their feature vector leaves the last pooling.

The features of the D-SELD paper are those of the penultimate layer. What that is follows from the
network's own graph: the last child is the classifier head, what enters it (before flattening and
dropout) is the feature map, and its mean over the image is the feature vector. This gives the
paper's sizes for its seven networks, and works for other classification models of torchvision.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from workbench.data import embedded, torchscript, torchvision_compat
from workbench.document.schema import Backbone as Section
from workbench.errors import InputError

# N, the feature size of each network in the paper (Tables 3 and 4)
PAPER_SIZES = {
    "inception_v3": 2048,
    "resnet50": 2048,
    "resnet152": 2048,
    "efficientnet_v2_s": 1280,
    "densenet121": 1024,
    "mobilenet_v3_large": 960,
    "vgg16": 512,
}
RANDOM = "random"


@dataclass(frozen=True, eq=False)
class Backbone:
    """A network that turns images into feature vectors."""

    name: str
    layer: str  # the node of the graph whose output, averaged over the image, is the feature
    size: int  # N
    image_size: int  # side of the square that images are resized and cropped to
    weights: str  # where they come from, for people
    weights_hash: str  # of the numbers themselves
    transform: Callable[[Any], Tensor]  # picture (PIL, RGB) to [3, S, S], as the weights ask
    network: nn.Module
    notes: tuple[str, ...] = ()

    @torch.inference_mode()
    def features(self, batch: Tensor) -> Tensor:
        """Feature vectors [B, N] of transformed pictures [B, 3, S, S]."""
        found = self.network(batch)["features"]
        return found.flatten(2).mean(2) if found.ndim == 4 else found

    @property
    def identity(self) -> str:
        """Everything besides the images that the features depend on."""
        return f"{self.name} {self.layer} {self.weights_hash} {self.transform!r}"


def load(section: Section, seed: int = 0) -> Backbone:
    """The backbone that a document names.

    ``section.weights`` is null (the published weights, if they are on this machine), a file with
    a state dict or a TorchScript module, or "random".

    Raises:
        InputError: there is no such network, or its weights are absent, damaged or of another.
    """
    if section.name == embedded.NAME:
        return _embedded(section)
    torchvision_compat.ensure()
    from torchvision import models

    if section.name not in models.list_models(module=models):
        raise InputError(
            f"backbone.name = {section.name!r}: must be {embedded.NAME} or a classification model "
            f"of torchvision, such as {', '.join(PAPER_SIZES)}"
        )
    notes: list[str] = []
    if section.weights == RANDOM:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = _made(section.name)
        notes.append(f"{section.name} has random weights: its features mean little")
        origin = f"random, seed {seed}"
    else:
        network = _empty(section.name)
        state, origin = _state(section)
        _fill(network, state, section.name, origin)
    return _cut(section, network.eval(), origin, notes)


def _embedded(section: Section) -> Backbone:
    """The network that comes along; see `workbench.data.embedded`."""
    if section.image_size is not None and section.image_size < embedded.SMALLEST:
        raise InputError(
            f"backbone.image_size = {section.image_size}: {embedded.NAME} needs images of at "
            f"least {embedded.SMALLEST} pixels"
        )
    network = embedded.Embedded()
    path = Path(section.weights) if section.weights else embedded.weights_file()
    _fill(network, _read(path, "backbone.weights"), embedded.NAME, path.name)
    transform, side = embedded.transform(section.image_size)
    facts = ("features", embedded.FEATURES, side, path.name, _hash(network.state_dict()))
    return Backbone(embedded.NAME, *facts, transform, network.eval())


def published(name: str) -> Any:
    """The best weights that torchvision publishes for a network, with their preprocessing.

    Raises:
        InputError: it publishes none.
    """
    from torchvision import models

    try:
        return models.get_model_weights(name).DEFAULT
    except (ValueError, AttributeError):
        raise InputError(
            f"backbone.name = {name!r}: torchvision publishes no weights for it"
        ) from None


def published_file(name: str) -> Path:
    """Where torchvision keeps the published weights of a network once they are downloaded."""
    return Path(torch.hub.get_dir()) / "checkpoints" / Path(published(name).url).name


def _empty(name: str) -> nn.Module:
    """The network without the time that drawing random weights takes."""
    with torch.device("meta"):
        return _made(name)


def _made(name: str) -> nn.Module:
    from torchvision import models

    with warnings.catch_warnings():
        # two models warn that their first weights will be drawn otherwise one day
        warnings.simplefilter("ignore", FutureWarning)
        return models.get_model(name, weights=None)


def _state(section: Section) -> tuple[Mapping[str, Tensor], str]:
    """The state dict asked for, and where it came from."""
    if section.weights is not None:
        path = Path(section.weights)
        return _read(path, "backbone.weights"), path.name
    path = published_file(section.name)
    if not path.is_file():
        raise InputError(
            f"backbone.weights = null: the published weights of {section.name} are not on this "
            f"machine; download them with `workbench download {section.name}`, or give a file or "
            f'"{RANDOM}"'
        )
    return _read(path, "the published weights"), str(published(section.name))


def _read(path: Path, place: str) -> Mapping[str, Tensor]:
    """A state dict from a file, without running anything that the file may hold."""
    if not os.path.isfile(path):  # a name may be too long to be asked for
        raise InputError(f"{place} = {str(path)!r}: there is no such file")
    try:
        if torchscript.is_archive(path):
            state = torchscript.parameters(path)
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about pickles that are none of torch's
                state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # pickle, zip and torch each raise their own
        raise InputError(
            f"{place} = {str(path)!r}: must be a plain state dict of tensors or TorchScript; it is "
            f"damaged, or holds other objects, which are not loaded ({type(error).__name__})"
        ) from None
    if isinstance(state, Mapping) and isinstance(state.get("state_dict"), Mapping):
        state = state["state_dict"]
    if not isinstance(state, Mapping) or not all(torch.is_tensor(v) for v in state.values()):
        raise InputError(f"{place} = {str(path)!r}: must be a plain state dict of tensors")
    if not state:
        raise InputError(
            f"{place} = {str(path)!r}: holds no parameters; a frozen TorchScript module keeps them "
            "in its code, which is not run"
        )
    odd = [key for key, value in state.items() if not _is_plain(value)]
    if odd:
        raise InputError(
            f"{place} = {str(path)!r}: must hold dense tensors of real, finite numbers; "
            f"{odd[0]} is not one"
        )
    return {str(key).removeprefix("module."): value for key, value in state.items()}


def _is_plain(value: Tensor) -> bool:
    dense = value.layout == torch.strided and not value.is_complex()
    return dense and bool(torch.isfinite(value.float()).all())


def _fill(network: nn.Module, state: Mapping[str, Tensor], name: str, origin: str) -> None:
    """Put weights into an empty network; says which layers do not fit."""
    own = network.state_dict()
    missing = [key for key in own if key not in state and not key.endswith("num_batches_tracked")]
    unknown = [key for key in state if key not in own]
    shapes = [
        f"{key} {list(state[key].shape)} instead of {list(own[key].shape)}"
        for key in own
        if key in state and state[key].shape != own[key].shape
    ]
    problems = [
        f"{len(keys)} {what} ({', '.join(keys[:2])}{', …' if len(keys) > 2 else ''})"
        for what, keys in (("missing", missing), ("unknown", unknown), ("of another shape", shapes))
        if keys
    ]
    if problems:
        raise InputError(f"the weights {origin} are not of {name}: layers {'; '.join(problems)}")
    network.to_empty(device="cpu")
    network.load_state_dict(dict(state), strict=False)
    for key, buffer in network.named_buffers():
        if key.endswith("num_batches_tracked") and key not in state:
            buffer.zero_()


def _cut(section: Section, network: nn.Module, origin: str, notes: list[str]) -> Backbone:
    from torchvision.models.feature_extraction import create_feature_extractor

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the training graph has other nodes; only this one is used
        layer = _feature_node(network)
        cut = create_feature_extractor(network, {layer: "features"}).eval()
    transform, side = _preprocessing(section)
    try:
        with torch.inference_mode():
            found = cut(torch.zeros(1, 3, side, side))["features"]
    except RuntimeError:  # the image is gone before the last layer
        raise InputError(
            f"backbone.image_size = {side}: is too small for {section.name}; "
            f"null takes {_preprocessing(Section(name=section.name))[1]}"
        ) from None
    if found.ndim not in (2, 4):
        raise InputError(
            f"backbone.name = {section.name!r}: no feature vector is found; what enters its "
            f"classifier has the shape {list(found.shape)}"
        )
    size = found.shape[1]
    paper = PAPER_SIZES.get(section.name)
    if paper is not None and size != paper:
        raise RuntimeError(f"{section.name} gives {size} features; the paper has {paper}")
    weights_hash = _hash(network.state_dict())
    return Backbone(
        section.name, layer, size, side, origin, weights_hash, transform, cut, tuple(notes)
    )


def _feature_node(network: nn.Module) -> str:
    """The node of the graph whose output enters the classifier head, before it is flattened."""
    from torchvision.models.feature_extraction import get_graph_node_names

    head = [name for name, _ in network.named_children()][-1]
    _, nodes = get_graph_node_names(network)
    first = next(i for i, node in enumerate(nodes) if node.split(".")[0] == head)
    passing = ("flatten", "dropout", "view", "reshape")
    return next(
        node
        for node in reversed(nodes[:first])
        if not node.split(".")[-1].rstrip("_0123456789").startswith(passing)
    )


def _preprocessing(section: Section) -> tuple[Callable[[Any], Tensor], int]:
    """The transform that the published weights ask for, at the side asked for."""
    ask = published(section.name).transforms
    if section.image_size is None:
        transform = ask()
        return transform, transform.crop_size[0]
    side = section.image_size
    return ask(crop_size=side, resize_size=side), side


def _hash(state: Mapping[str, Tensor]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for key in sorted(state):
        digest.update(key.encode())
        digest.update(state[key].contiguous().numpy().tobytes())
    return digest.hexdigest()
