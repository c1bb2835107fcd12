"""What a branch can change besides parameters: the input, or one atom of the dictionary.

Each edit is declared like any parameter, so dialogs and checks are made from it. An edit takes an
experiment and its input and gives those that the branch goes on with; neither is changed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from workbench.document.schema import LARGEST_SEED
from workbench.engine.experiment import Experiment
from workbench.engine.inputs import Input, of_image
from workbench.errors import InputError
from workbench.parameters import Params, parameter


class Edit(Params):
    """A change of what a network works on."""

    kind: ClassVar[str]  # its name in a session
    title: ClassVar[str]
    of_atom: ClassVar[bool] = False  # it concerns one neuron's atom

    def words(self) -> str:
        """What was done, for the name of a branch."""
        raise NotImplementedError

    def applied(self, experiment: Experiment, given: Input) -> tuple[Experiment, Input]:
        """The experiment and the input after it.

        Raises:
            InputError: it cannot be done here.
        """
        raise NotImplementedError

    def preview(self, experiment: Experiment, given: Input) -> tuple[np.ndarray, np.ndarray]:
        """What it changes, before and after: the image, or the atom [N]; quick.

        Raises:
            InputError: it cannot be done here.
        """
        raise NotImplementedError


class _OfInput(Edit):
    """An edit of the image."""

    def preview(self, experiment: Experiment, given: Input) -> tuple[np.ndarray, np.ndarray]:
        image = np.asarray(given.image, np.float32)
        return image, np.asarray(self.edited(image), np.float32)

    def applied(self, experiment: Experiment, given: Input) -> tuple[Experiment, Input]:
        _, image = self.preview(experiment, given)
        return experiment, of_image(experiment, given, np.ascontiguousarray(image))

    def edited(self, image: np.ndarray) -> np.ndarray:
        """The image [H, W] or [H, W, 3] in [0, 1] after the edit."""
        raise NotImplementedError


class Occlude(_OfInput):
    """A black rectangle over the image."""

    kind = "occlude"
    title = "Occlude the input"

    left: float = parameter(
        0.3, "left edge", label="Left", unit="of the width", ge=0, le=1, slider=(0.0, 1.0)
    )
    top: float = parameter(
        0.3, "upper edge", label="Top", unit="of the height", ge=0, le=1, slider=(0.0, 1.0)
    )
    width: float = parameter(
        0.4, "its width", label="Width", unit="of the width", ge=0, le=1, slider=(0.0, 1.0)
    )
    height: float = parameter(
        0.4, "its height", label="Height", unit="of the height", ge=0, le=1, slider=(0.0, 1.0)
    )

    def words(self) -> str:
        return f"input occluded, {100 * self.width:.0f} × {100 * self.height:.0f} %"

    def edited(self, image: np.ndarray) -> np.ndarray:
        tall, wide = image.shape[:2]
        rows = slice(round(tall * self.top), round(tall * (self.top + self.height)))
        columns = slice(round(wide * self.left), round(wide * (self.left + self.width)))
        image = image.copy()
        image[rows, columns] = 0.0
        return image


class NoisyInput(_OfInput):
    """Gaussian noise on every pixel; the image stays within black and white."""

    kind = "input_noise"
    title = "Add noise to the input"

    amount: float = parameter(
        0.2,
        "standard deviation, where white is 1",
        label="Noise",
        symbol="σ",
        ge=0,
        le=1,
        slider=(0.0, 1.0),
    )
    seed: int = parameter(0, "seed of the noise", label="Seed", ge=0, le=LARGEST_SEED)

    def words(self) -> str:
        return f"input noise {self.amount:g}"

    def edited(self, image: np.ndarray) -> np.ndarray:
        noise = np.random.default_rng(self.seed).normal(0.0, self.amount, image.shape)
        return np.clip(image + noise, 0.0, 1.0)


class Shift(_OfInput):
    """The image moved; what comes in at the edge is black."""

    kind = "shift"
    title = "Shift the input"

    right: int = parameter(
        1, "to the right", label="Right", unit="px", ge=-4096, le=4096, slider=(-10, 10)
    )
    down: int = parameter(
        0, "downwards", label="Down", unit="px", ge=-4096, le=4096, slider=(-10, 10)
    )

    def words(self) -> str:
        return f"input shifted by {self.right}, {self.down} px"

    def edited(self, image: np.ndarray) -> np.ndarray:
        tall, wide = image.shape[:2]
        moved = np.zeros_like(image)
        if abs(self.down) < tall and abs(self.right) < wide:
            source = image[_kept(-self.down, tall), _kept(-self.right, wide)]
            moved[_kept(self.down, tall), _kept(self.right, wide)] = source
        return moved


def _kept(by: int, length: int) -> slice:
    """The places that something moved by so much covers."""
    return slice(max(by, 0), length + min(by, 0))


class _OfAtom(Edit):
    """An edit of one neuron's atom."""

    of_atom = True

    neuron: int = parameter(0, "whose atom", label="Neuron", symbol="i", ge=0)

    def preview(self, experiment: Experiment, given: Input) -> tuple[np.ndarray, np.ndarray]:
        atom = self._atom(experiment)
        return atom.numpy(), self.edited(atom).numpy()

    def _atom(self, experiment: Experiment) -> Tensor:
        """The atom as it is, [N] float64."""
        dictionary = experiment.dictionary
        if dictionary is None:
            raise InputError(
                f"{experiment.system.title} has no dictionary whose atoms could change"
            )
        if self.neuron >= len(dictionary):
            raise InputError(
                f"neuron = {self.neuron}: there are neurons 0 to {len(dictionary) - 1}"
            )
        return dictionary.atoms[self.neuron].double()

    def applied(self, experiment: Experiment, given: Input) -> tuple[Experiment, Input]:
        atom, dictionary, system = self._atom(experiment), experiment.dictionary, experiment.system
        atoms = dictionary.atoms.clone()
        atoms[self.neuron] = self.edited(atom).to(atoms)
        wired = atoms.to(system.wiring.atoms)
        wiring = replace(system.wiring, atoms=wired, checked=len(wired))
        changed = replace(
            experiment,
            dictionary=replace(dictionary, atoms=atoms, store=None),
            system=type(system)(system.params, wiring),
        )
        return changed, given

    def edited(self, atom: Tensor) -> Tensor:
        """The atom [N], float64 and of unit norm, after the edit: of unit norm, or zero."""
        raise NotImplementedError


class DropAtom(_OfAtom):
    """A lesion: the neuron falls silent and never fires again."""

    kind = "drop_atom"
    title = "Drop an atom"

    def words(self) -> str:
        return f"neuron {self.neuron} dropped"

    def edited(self, atom: Tensor) -> Tensor:
        return torch.zeros_like(atom)


class NoisyAtom(_OfAtom):
    """Gaussian noise on an atom, which is then scaled back to unit norm."""

    kind = "atom_noise"
    title = "Add noise to an atom"

    amount: float = parameter(
        0.5,
        "length of the noise; an atom has length 1",
        label="Noise",
        ge=0,
        le=100,
        slider=(0.0, 2.0),
    )
    seed: int = parameter(0, "seed of the noise", label="Seed", ge=0, le=LARGEST_SEED)

    def words(self) -> str:
        return f"noise {self.amount:g} on atom {self.neuron}"

    def edited(self, atom: Tensor) -> Tensor:
        if not self.amount:
            return atom
        noise = np.random.default_rng(self.seed).normal(0.0, 1.0, len(atom))
        noisy = atom + torch.from_numpy(noise * (self.amount / np.linalg.norm(noise)))
        return noisy / torch.linalg.vector_norm(noisy)


EDITS: tuple[type[Edit], ...] = (Occlude, NoisyInput, Shift, DropAtom, NoisyAtom)
