"""The session document: everything needed to repeat a run, typed, checked and readable.

Here stand keys, types and ranges, once. The ``system`` section is free but for its ``kind``: that
system's own ``Params`` check it when the document is resolved.
"""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from annotated_types import Gt

from workbench.document.kept_branches import KeptBranch
from workbench.errors import InputError
from workbench.parameters import Params, declared, parameter, unknown_key

Scalar = bool | int | float | str | None  # what a key of the system section may hold

LARGEST_SEED = 2**31 - 1  # what every generator and every spin box takes
MOST_ATOMS = 10**7  # several gigabytes of the smallest images


class Data(Params):
    """Which images are coded, and which of them train and test."""

    dataset: Literal[
        "digits", "mnist", "fashion_mnist", "cifar10", "cifar100", "imagenet", "folder", "arrays"
    ] = parameter("digits", "the images to code", label="Dataset", restart=True)
    root: str | None = parameter(
        None,
        "folder that holds the files of the dataset; null for datasets that come along",
        label="Data folder",
        restart=True,
    )
    train: int | None = parameter(
        None,
        "number of training images to use; null uses all",
        label="Training images",
        ge=1,
        restart=True,
        advanced=True,
    )
    test: int | None = parameter(
        None,
        "number of test images to use; null uses all",
        label="Test images",
        ge=1,
        restart=True,
        advanced=True,
    )
    seed: int = parameter(
        0,
        "seed of the split and of the choice of training images",
        label="Split seed",
        ge=0,
        le=LARGEST_SEED,
        restart=True,
        advanced=True,
    )


class Backbone(Params):
    """The pretrained network whose features are coded instead of pixels."""

    name: str = parameter(
        "none", 'pretrained network, or "none" to code the pixels', label="Backbone", restart=True
    )
    weights: str | None = parameter(
        None,
        "file with the weights; null takes the ones published for the network",
        label="Weights file",
        restart=True,
        advanced=True,
    )
    image_size: int | None = parameter(
        None,
        "side to which images are resized; null takes the one the network was trained on",
        label="Image size",
        unit="px",
        ge=1,
        le=1024,
        restart=True,
        advanced=True,
    )
    weights_hash: str | None = parameter(
        None,
        "hash of the weights a result was made with; null takes any weights and records theirs",
        label="Weights hash",
        restart=True,
        advanced=True,
    )


class Signal(Params):
    """How a feature vector becomes the signal that drives the neurons."""

    norm: Annotated[float, Gt(0)] | Literal["none"] | None = parameter(
        None,
        'L2 norm every signal is scaled to; "none" leaves it as it is; '
        "null leaves pixels as they are and scales features to 10",
        label="Signal norm",
        symbol="‖s‖",
        restart=True,
        advanced=True,
    )


class Dictionary(Params):
    """The atoms a signal is coded with."""

    kind: Literal["exemplar", "random", "learned"] = parameter(
        "exemplar",
        "exemplar: training images are the atoms; random: N(0, 1); learned: fitted to the data",
        label="Dictionary",
        symbol="Φ",
        equation="(8)",
        restart=True,
    )
    atoms: int | None = parameter(
        None,
        "number of atoms, one neuron each; null takes as many as there are training images",
        label="Atoms",
        symbol="M",
        ge=1,
        le=MOST_ATOMS,
        restart=True,
    )
    balanced: bool = parameter(
        True,
        "choose as many exemplars of each class as of any other",
        label="Balanced classes",
        restart=True,
        advanced=True,
    )
    seed: int = parameter(
        0,
        "seed of the choice of exemplars, of the random atoms, or of learning",
        label="Dictionary seed",
        ge=0,
        le=LARGEST_SEED,
        restart=True,
        advanced=True,
    )
    leave_out: str | None = parameter(
        None,
        "classes that get no exemplar at first, by name, separated by commas; null leaves out none",
        label="Leave out",
        restart=True,
        advanced=True,
        when=("kind", "exemplar"),
    )
    added: str | None = parameter(
        None,
        "exemplars that joined the dictionary later, in order, as class=number, "
        "such as 7=100,3=50; null adds none",
        label="Added later",
        restart=True,
        advanced=True,
        when=("kind", "exemplar"),
    )
    learning_rate: float | None = parameter(
        None,
        "how far the atoms follow the residual after a mini-batch, at first; it falls to zero; "
        "null takes 30 over the mean square of the signals' lengths",
        label="Learning rate",
        symbol="η",
        equation="(7)",
        gt=0,
        le=100,
        restart=True,
        advanced=True,
        when=("kind", "learned"),
    )
    learning_updates: int = parameter(
        500,
        "number of mini-batches that the atoms are learned from",
        label="Updates",
        equation="(7)",
        ge=1,
        le=1_000_000,
        restart=True,
        advanced=True,
        when=("kind", "learned"),
    )
    learning_batch: int = parameter(
        64,
        "training images of a mini-batch",
        label="Mini-batch",
        unit="images",
        ge=1,
        le=65_536,
        restart=True,
        advanced=True,
        when=("kind", "learned"),
    )
    learning_threshold: float | None = parameter(
        None,
        "threshold of the network while it learns; "
        "null takes a tenth of the mean length of the signals",
        label="Threshold while learning",
        symbol="λ",
        equation="(6)",
        gt=0,
        restart=True,
        advanced=True,
        when=("kind", "learned"),
    )


class Decoder(Params):
    """How a sparse code becomes a class."""

    kind: Literal["max", "sum", "perceptron"] = parameter(
        "sum",
        "max: class of the most active neuron; sum: class with the largest summed activity; "
        "perceptron: a single trained layer",
        label="Decoder",
        equation="(9), (10)",
    )
    samples: int | None = parameter(
        None,
        "training images that are coded to train the perceptron; null takes at most 3 000",
        label="Training codes",
        ge=10,
        advanced=True,
        when=("kind", "perceptron"),
    )
    epochs: int = parameter(
        200,
        "most passes over the codes; training stops before when the validation loss rises",
        label="Epochs",
        ge=1,
        le=100_000,
        advanced=True,
        when=("kind", "perceptron"),
    )
    seed: int = parameter(
        0,
        "seed of the choice of training codes and of their order",
        label="Perceptron seed",
        ge=0,
        le=LARGEST_SEED,
        advanced=True,
        when=("kind", "perceptron"),
    )


class Run(Params):
    """How the numbers are computed; not what they mean."""

    engine: Literal["auto", "dense", "residual", "lazy"] = parameter(
        "auto",
        "how the inhibition is computed: with the Gramian, through the residual, or lazily",
        label="Engine",
        restart=True,
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = parameter(
        "auto", "where it is computed", label="Device", restart=True, advanced=True
    )
    precision: Literal["float32", "float64"] = parameter(
        "float32", "floating-point type", label="Precision", restart=True, advanced=True
    )
    storage: Literal["float16", "bfloat16"] | None = parameter(
        None,
        "type that the atoms are kept in; half the memory, products still add up in float32; "
        "null keeps them in the floating-point type",
        label="Storage",
        nothing="as precision",
        restart=True,
        advanced=True,
    )
    batch: int | None = parameter(
        None,
        "test images evaluated at once; null chooses by memory",
        label="Batch",
        ge=1,
        restart=True,
        advanced=True,
    )
    tolerance: float | None = parameter(
        None,
        "an image stops once its duality gap is at most this part of ½‖s‖²; system.steps is then "
        "the most steps; null takes all steps",
        label="Tolerance",
        gt=0,
        nothing="off",
        restart=True,
        advanced=True,
    )


class View(Params):
    """What the window shows; changes no result."""

    sample: int = parameter(0, "index of the watched image in the test split", label="Sample", ge=0)
    picture: str | None = parameter(
        None,
        "an image file that is coded in place of the test image; null codes the test image",
        label="Picture",
    )
    speed: float | None = parameter(
        20.0,
        "steps shown per second; null runs as fast as possible",
        label="Speed",
        unit="steps/s",
        gt=0,
        slider=(1.0, 1000.0),
        log=True,
    )
    layout: Literal["explore", "teach", "debug", "compare"] = parameter(
        "explore", "arrangement of the views", label="Layout"
    )
    neuron: int | None = parameter(
        None, "selected neuron; null selects none", label="Neuron", symbol="i", ge=0
    )


class Document(Params):
    """A whole session. Frozen: every change makes a new, checked document."""

    workbench: Literal[1] = 1
    data: Data = Data()
    backbone: Backbone = Backbone()
    signal: Signal = Signal()
    dictionary: Dictionary = Dictionary()
    system: dict[str, Scalar]
    decoder: Decoder = Decoder()
    run: Run = Run()
    view: View = View()
    branches: tuple[KeptBranch, ...] = ()  # of the run, as they were saved

    @classmethod
    def parse(cls, values: Mapping[str, Any], where: str = "") -> Self:
        """Build from plain values, as JSON gives them; sections left out take their defaults.

        Raises:
            InputError: one line with the dotted place, what came and what is allowed.
        """
        prefix = f"{where}." if where else ""
        checked: dict[str, Any] = {}
        for name, section in _object(values, where or "the document").items():
            place = f"{prefix}{name}"
            if name == "workbench":
                checked[name] = section
            elif name == "system":
                checked[name] = _system(section, place)
            elif name == "branches":
                checked[name] = KeptBranch.parse_all(section, place)
            elif name in sections():
                checked[name] = sections()[name].parse(_object(section, place), place)
            else:
                raise InputError(unknown_key(place, name, cls.model_fields))
        if "system" not in checked:
            raise InputError(f'{prefix}system is missing; it must name a system, {{"kind": "lca"}}')
        return super().parse(checked, where)

    def changed(self, **values: Any) -> Self:
        """A checked copy with whole sections replaced, by mappings or by their models."""
        plain = {k: v.model_dump() if isinstance(v, Params) else v for k, v in values.items()}
        return self.parse(self.model_dump() | plain)

    def value(self, place: str) -> Scalar:
        """The value at a dotted place, such as ``data.root``.

        Raises:
            InputError: there is no such section or key, or the system section does not set it.
        """
        section, key = _place(place)
        if section != "system":
            return getattr(getattr(self, section), _known(section, key))
        if key not in self.system:
            raise InputError(f"{place} is not set here; set are: {', '.join(self.system)}")
        return self.system[key]

    def with_value(self, place: str, value: Scalar) -> Self:
        """A checked copy with one value replaced.

        Another ``system.kind`` starts from that system's defaults: the parameters of one system
        mean nothing in another.

        Raises:
            InputError: there is no such section or key, or the value is not allowed there.
        """
        section, key = _place(place)
        if section == "system":
            keep = {} if place == "system.kind" and value != self.system["kind"] else self.system
            changed: Any = _system(keep | {key: value}, section)
        else:
            values = getattr(self, section).model_dump() | {_known(section, key): value}
            changed = sections()[section].parse(values, section)
        return self.model_copy(update={section: changed})

    def shown_as(self, view: View) -> Self:
        """A copy that is shown as ``view`` says, but for its image, which is its own."""
        seen = {"sample": self.view.sample, "picture": self.view.picture}
        return self.model_copy(update={"view": view.model_copy(update=seen)})

    def on_data(self, path: Path) -> Self:
        """A checked copy on other images: a folder or zip of class folders, or a .npz file."""
        dataset = "arrays" if path.suffix in (".npz", ".npy") else "folder"
        values = {"dataset": dataset, "root": str(path), "train": None, "test": None}
        data = self.data.model_dump() | values
        # the classes are others
        dictionary = self.dictionary.model_dump() | {"leave_out": None, "added": None}
        view = self.view.model_dump() | {"sample": 0, "picture": None, "neuron": None}
        return self.changed(data=data, dictionary=dictionary, view=view)

    def with_text(self, assignment: str) -> Self:
        """A checked copy after ``section.key=value``, as ``--set`` takes it.

        The value is read as JSON (``0.5``, ``true``, ``null``), else as text.

        Raises:
            InputError: as `with_value`, or the text is not of this form.
        """
        place, equals, text = assignment.partition("=")
        if not equals:
            raise InputError(
                f"{assignment!r}: must be section.key=value, such as system.threshold=0.5"
            )
        return self.with_value(place.strip(), parsed(place.strip(), text))

    def to_json(self) -> str:
        """Readable JSON with one section a line, always in the same order.

        A key that means nothing here, because of another key's value, is left out if it holds its
        default.
        """
        width = max(map(len, type(self).model_fields)) + 3
        values = self.model_dump() | self._meaningful()
        del values["branches"]
        lines = [
            f"  {f'{json.dumps(name)}:':<{width}} {json.dumps(value, ensure_ascii=False)}"
            for name, value in values.items()
        ]
        if self.branches:
            rows = [json.dumps(b.plain(), ensure_ascii=False) for b in self.branches]
            lines.append('  "branches": [\n    ' + ",\n    ".join(rows) + "\n  ]")
        return "{\n" + ",\n".join(lines) + "\n}\n"

    def _meaningful(self) -> dict[str, dict[str, Scalar]]:
        """The declared sections without idle keys at their defaults."""
        kept = {}
        for name, model in sections().items():
            values = getattr(self, name).model_dump()
            kept[name] = {
                p.name: values[p.name]
                for p in declared(model)
                if p.applies(values) or values[p.name] != p.default
            }
        return kept


def sections() -> dict[str, type[Params]]:
    """The sections with declared keys, by name: all but ``system``."""
    return {
        name: field.annotation
        for name, field in Document.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, Params)
    }


def parsed(place: str, text: str) -> Scalar:
    """The value that a text means at a dotted place: JSON (``0.5``, ``true``, ``null``), else text.

    Raises:
        InputError: there is no such section.
    """
    return _read(text.strip(), as_text=_is_text(*_place(place)))


def _object(values: Any, place: str) -> dict[str, Any]:
    """A copy of a mapping, if it is one."""
    if not isinstance(values, Mapping):
        raise InputError(f"{place} = {reprlib.repr(values)}: must be an object of keys and values")
    return {str(key): value for key, value in values.items()}


def _system(values: Any, place: str) -> dict[str, Scalar]:
    """A system section: a kind, and any other keys with plain values."""
    values = _object(values, place)
    kind = values.get("kind")
    if not isinstance(kind, str) or not kind:
        came = f".kind = {kind!r}: must be" if "kind" in values else ".kind is missing; it must be"
        raise InputError(f'{place}{came} the name of a system, such as "lca"')
    for key, value in values.items():
        if not isinstance(value, Scalar) or (isinstance(value, float) and not math.isfinite(value)):
            raise InputError(
                f"{place}.{key} = {reprlib.repr(value)}: must be a finite number, "
                "a text, true, false or null"
            )
    return {"kind": kind} | values


def _place(place: str) -> tuple[str, str]:
    """Section and key of a dotted place; the section exists."""
    if not place:
        raise InputError("'': must be section.key=value, such as system.threshold=0.5")
    section, dot, key = place.partition(".")
    names = [*sections(), "system"]
    if section not in names:
        raise InputError(unknown_key(place, section, names))
    if not dot or not key:
        raise InputError(f"{place!r}: must name a key of the section, such as {section}.key")
    return section, key


def _known(section: str, key: str) -> str:
    """The key, if the section declares it."""
    model = sections()[section]
    if key not in model.model_fields:
        raise InputError(unknown_key(f"{section}.{key}", key, model.model_fields))
    return key


def _is_text(section: str, key: str) -> bool:
    """Whether a key takes text, so that a folder called 2024 stays a text."""
    model = sections().get(section)
    return model is not None and any(p.name == key and p.type == "text" for p in declared(model))


def _read(text: str, as_text: bool) -> Scalar:
    """A value as JSON, else as text."""
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text
    return text if as_text and not isinstance(value, str | None) else value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
