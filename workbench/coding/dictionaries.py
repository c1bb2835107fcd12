"""Dictionaries: the unit-norm atoms that signals are coded with, one neuron each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from workbench.coding import growth, learning
from workbench.coding.growth import Additions, Rows, Store
from workbench.coding.learning import Forming
from workbench.document.schema import Dictionary as Section
from workbench.errors import InputError
from workbench.systems.protocol import WHOLE, Shard

__all__ = ["Dictionary", "Rows", "Storage", "build", "exemplar", "grow", "random"]


@dataclass(frozen=True)
class Storage:
    """What is kept of a dictionary in this process: its atoms in a type, all or a slice."""

    dtype: torch.dtype = torch.float32
    shard: Shard = WHOLE

    def part(self, count: int) -> slice:
        """Which of so many atoms are kept here.

        Raises:
            InputError: there are fewer than processes.
        """
        if count < self.shard.processes:
            raise InputError(
                f"dictionary.atoms = {count}: cannot be spread over {self.shard.processes} "
                "processes; each needs at least one"
            )
        return self.shard.part(count)


@dataclass(frozen=True, eq=False)
class Dictionary:
    """Atoms, unit-norm rows: the transpose of the papers' Φ.

    Where M atoms are spread over processes, ``atoms`` are those of this one; all else is of all.
    """

    atoms: Tensor  # [M, N] float32, or rounded to float16 or bfloat16
    labels: Tensor | None = None  # [M] int64, the class of each atom
    source: Tensor | None = None  # [M] int64, the training image each atom is
    notes: tuple[str, ...] = ()  # what a person should know about it, one line each
    store: Store | None = None  # where the atoms lie, with room for more
    learned: Forming | None = None  # how they were learned
    count: int | None = None  # M, where they are spread over processes

    def __len__(self) -> int:
        return len(self.atoms) if self.count is None else self.count


def build(
    section: Section,
    vectors: Rows,
    labels: Tensor,
    features: int,
    class_names: Sequence[str],
    previous: tuple[Section, Dictionary] | None = None,
    tell: Callable[[Forming], None] = lambda forming: None,
    storage: Storage = Storage(),
) -> Dictionary:
    """The dictionary a document asks for.

    Args:
        section: of the document.
        vectors: the training images, as pixels or as features of a backbone.
        labels: [n] int64, their classes.
        features: N, the length of a vector.
        class_names: names of the classes.
        previous: a dictionary of the same images and what it was asked for; if only exemplars
            join it, it is grown, in time proportional to what is new.
        tell: shown the atoms as they are learned; may raise to call it off.
        storage: what is kept of it here. Exemplars are read one slice in each process, unless
            others join them; else each process builds the whole and keeps its slice.

    Raises:
        InputError: the training images are too few, or a class is named that is not there.
    """
    if section.kind == "random":
        return _kept(random(section.atoms or len(labels), features, section.seed), storage)
    if section.kind == "learned":
        return _kept(_learned(section, vectors, labels, features, class_names, tell), storage)
    additions = growth.parse_additions(section.added, class_names)
    first = Storage(storage.dtype) if additions else storage
    if previous is not None and _only_grows(previous[0], section):
        base, known = previous[1], growth.parse_additions(previous[0].added, class_names)
    else:
        base, known = _base(section, vectors, labels, class_names, first), []
    more = _beyond(known, additions)
    if more is None:
        base, more = _base(section, vectors, labels, class_names, first), additions
    grown = grow(base, vectors, labels, more, section.seed, class_names)
    return _kept(_noted(grown, class_names), storage)


def _kept(dictionary: Dictionary, storage: Storage) -> Dictionary:
    """The dictionary as it is to be kept here; what is not is set free with the old one."""
    if dictionary.count is not None:  # it is so already
        return dictionary
    if storage.shard.processes == 1:
        return replace(dictionary, atoms=dictionary.atoms.to(storage.dtype))
    here, learned = storage.part(len(dictionary)), dictionary.learned
    if learned is not None:
        learned = replace(learned, atoms=learned.atoms[here].clone())
    atoms = dictionary.atoms[here].to(storage.dtype, copy=True)
    return replace(dictionary, atoms=atoms, store=None, learned=learned, count=len(dictionary))


def _base(
    section: Section, vectors: Rows, labels: Tensor, class_names: Sequence[str], storage: Storage
) -> Dictionary:
    """The exemplars that the dictionary begins with."""
    without = growth.parse_classes(section.leave_out, class_names)
    try:
        choice = (section.atoms, section.balanced, section.seed)
        return exemplar(vectors, labels, *choice, frozenset(without), storage)
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"dictionary.{error}") from None


def _only_grows(old: Section, new: Section) -> bool:
    return old.model_copy(update={"added": new.added}) == new


def _beyond(known: Additions, wanted: Additions) -> list[tuple[int, int]] | None:
    """What ``wanted`` adds to ``known``; None where it is not a continuation of it."""
    more = list(wanted)
    for label, count in known:
        if not more or more[0][0] != label:
            return None
        first = more.pop(0)[1]
        if first < count or (first > count and (label, count) != known[-1]):
            return None
        if first > count:
            more.insert(0, (label, first - count))
    return more


def exemplar(
    vectors: Rows,
    labels: Tensor,
    atoms: int | None,
    balanced: bool,
    seed: int,
    without: frozenset[int] = frozenset(),
    storage: Storage = Storage(),
) -> Dictionary:
    """Training vectors, scaled to unit norm, are the atoms: equation (8).

    Args:
        vectors: the training images, as pixels or as features of a backbone.
        labels: [n] int64, their classes.
        atoms: how many to choose; None takes all.
        balanced: choose as many of each class as of any other, as far as there are enough.
        seed: of the choice. The chosen stay in the order they have in the split.
        without: classes that get no exemplar.
        storage: what is kept of them here; only those vectors are read.

    Raises:
        ValueError: fewer images are usable than asked for. Blank images have no direction.
    """
    allowed = ~np.isin(labels.numpy(), list(without)) if without else np.ones(len(labels), bool)
    usable, blanks = np.flatnonzero(allowed), 0
    while True:
        if len(usable) == 0 or (atoms is not None and atoms > len(usable)):
            of = " of the classes that are not left out" if without else ""
            raise ValueError(
                f"atoms = {atoms}: there are only {len(usable)} training images{of} that are not "
                "blank"
            )
        source = usable
        if atoms is not None:
            source = _choose(usable, labels.numpy()[usable], atoms, balanced, seed)
        here = storage.part(len(source))
        store, blank_here = growth.read(vectors, source[here], storage.dtype)
        blank = np.zeros(len(source), np.uint8)
        blank[here] = blank_here
        blank = storage.shard.sum(torch.from_numpy(blank)).numpy() > 0
        if not blank.any():
            break
        blanks += int(blank.sum())
        usable = np.setdiff1d(usable, source[blank])  # choose again without them
    chosen = torch.from_numpy(source)
    notes = (f"{blanks} blank training images cannot be atoms",) if blanks else ()
    whole = storage.shard.processes == 1
    return Dictionary(
        store.view(here.stop - here.start),
        labels[chosen],
        chosen,
        notes,
        store if whole else None,
        count=None if whole else len(chosen),
    )


def grow(
    dictionary: Dictionary,
    vectors: Rows,
    labels: Tensor,
    additions: Additions,
    seed: int,
    class_names: Sequence[str],
) -> Dictionary:
    """The dictionary with more exemplars behind those it has; the old one stays as it is.

    Of the old atoms only the indices are touched (16 bytes each), not the vectors, until the room
    to spare is used up and they move to a larger place.

    Args:
        dictionary: of exemplars.
        vectors: the training images, as pixels or as features of a backbone.
        labels: [n] int64, their classes.
        additions: classes and how many of each, in order.
        seed: of the order in which the images of a class join.
        class_names: names of the classes.

    Raises:
        InputError: so many images of a class are not left.
    """
    for label, count in additions:
        index, rows = growth.newcomers(
            vectors, labels, dictionary.source, label, count, seed, class_names[label]
        )
        store = dictionary.store.extended(len(dictionary), rows)
        dictionary = Dictionary(
            store.view(len(dictionary) + len(index)),
            torch.cat([dictionary.labels, labels[index]]),
            torch.cat([dictionary.source, index]),
            dictionary.notes,
            store,
        )
    return dictionary


def _noted(dictionary: Dictionary, class_names: Sequence[str]) -> Dictionary:
    """The same with a note of the classes that no atom stands for."""
    counts = torch.bincount(dictionary.labels, minlength=len(class_names)).tolist()
    absent = [name for name, count in zip(class_names, counts, strict=True) if not count]
    blanks = [note for note in dictionary.notes if "blank" in note]
    if len(absent) > 5:
        absent = [*absent[:5], f"and {len(absent) - 5} more"]
    notes = [f"No exemplar of class {', '.join(absent)}."] if absent else []
    return replace(dictionary, notes=(*blanks, *notes))


def random(atoms: int, features: int, seed: int) -> Dictionary:
    """Atoms drawn from N(0, 1) in every feature, then scaled to unit norm."""
    return Dictionary(learning.random_atoms(atoms, features, seed))


def _learned(
    section: Section,
    vectors: Rows,
    labels: Tensor,
    features: int,
    class_names: Sequence[str],
    tell: Callable[[Forming], None],
) -> Dictionary:
    """Atoms fitted to the training images; see `workbench.coding.learning`."""
    for forming in learning.learn(section, vectors, len(labels), features):
        tell(forming)
    found = learning.label_atoms(forming, vectors, labels, len(class_names), section.seed)
    notes = () if found.silent == 0 else (f"{found.silent} learned atoms are never active.",)
    return Dictionary(forming.atoms, found.labels, None, notes, learned=forming)


def _choose(
    usable: np.ndarray, labels: np.ndarray, count: int, balanced: bool, seed: int
) -> np.ndarray:
    """``count`` of the usable indices, in order; ``labels`` are theirs."""
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(usable))
    if balanced:
        # Deal by turns: first one of every class, then a second of every class, and so on. Which
        # classes come first in a turn is drawn too, so that the odd ones out have no favourites.
        turn = np.empty(len(order), dtype=np.int64)
        for label in np.unique(labels):
            members = np.flatnonzero(labels[order] == label)
            turn[members] = np.arange(len(members))
        favour = generator.permutation(labels.max() + 1)
        order = order[np.lexsort((favour[labels[order]], turn))]
    return np.sort(usable[order[:count]])
