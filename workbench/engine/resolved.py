"""The natural choices of a document, written out: what its nulls stand for in this experiment."""

from __future__ import annotations

from typing import Any

from workbench.coding import growth
from workbench.coding.dictionaries import Dictionary
from workbench.data.datasets import Dataset
from workbench.document import Document
from workbench.document.schema import Decoder
from workbench.engine.vectors import FEATURE_NORM, Vectors
from workbench.errors import InputError
from workbench.parameters import declared
from workbench.systems.protocol import System

FEWEST = 10  # images that a perceptron can be trained on
TRAINING_CODES = 3000  # images that it is trained on, if there are so many


def resolve(
    document: Document,
    dataset: Dataset,
    dictionary: Dictionary | None,
    system: System,
    found: Vectors,
    device: str,
) -> Document:
    """The document with every natural choice written out; run again, it gives the same."""
    backbone = found.backbone
    values: dict[str, Any] = {
        "data.train": len(dataset.train),
        "data.test": len(dataset.test),
        "signal.norm": natural_norm(document, found),
        "run.engine": system.wiring.engine,
        "run.device": device,
        "run.batch": document.run.batch or natural_batch(system.neurons),
    }
    if backbone is not None:
        values["backbone.image_size"] = backbone.image_size
        values["backbone.weights_hash"] = backbone.weights_hash
    if dictionary is not None:
        values |= _dictionary_values(document, dataset, dictionary)
    for place, value in values.items():
        document = document.with_value(place, value)
    return document.changed(
        system=system_values(system), decoder=resolved_decoder(document, dataset), branches=()
    )


def _dictionary_values(
    document: Document, dataset: Dataset, dictionary: Dictionary
) -> dict[str, Any]:
    section, atoms = document.dictionary, len(dictionary)
    if section.kind == "exemplar":  # atoms counts those it began with
        added = growth.parse_additions(section.added, dataset.class_names)
        atoms -= sum(count for _, count in added)
    values: dict[str, Any] = {"dictionary.atoms": atoms}
    if section.kind == "learned":
        values["dictionary.learning_threshold"] = dictionary.learned.threshold
        values["dictionary.learning_rate"] = dictionary.learned.rate
    return values


def resolved_decoder(document: Document, dataset: Dataset) -> Decoder:
    """The decoder section with the number of training codes written out."""
    decoder, there = document.decoder, len(dataset.train)
    if decoder.kind != "perceptron" or decoder.samples is not None or there < FEWEST:
        return decoder  # with too few images the training says so
    return decoder.changed(samples=min(TRAINING_CODES, there))


def check_decoder(document: Document, dataset: Dataset) -> None:
    """Refuse a perceptron on more training codes than there are images.

    Raises:
        InputError: in one line.
    """
    decoder, there = document.decoder, len(dataset.train)
    if decoder.kind == "perceptron" and (decoder.samples or 0) > there:
        raise InputError(
            f"decoder.samples = {decoder.samples}: there are only {there} training images"
        )


def natural_norm(document: Document, found: Vectors) -> float | str:
    """The length that signals are scaled to, or "none"."""
    return document.signal.norm or (FEATURE_NORM if found.backbone else "none")


def natural_batch(neurons: int) -> int:
    """Samples coded at once: about 16 MB of membrane potentials, at most 512 samples."""
    return max(1, min(512, 4_000_000 // neurons))


def system_values(system: System) -> dict[str, Any]:
    """A ``system`` section with every parameter written out that means something in it."""
    values = system.params.model_dump()
    kept = {p.name: values[p.name] for p in declared(system.Params) if p.applies(values)}
    return {"kind": system.kind, **kept}
