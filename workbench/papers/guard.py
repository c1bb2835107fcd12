"""Whether a run was one of the paper's network, dictionary and decoders, before it may count.

Right answers alone prove little: the nearest exemplar classifies as well as the network, and half
the inhibition hardly worse. So what a run has used is compared with the paper's equations, written
out here neuron by neuron in float64 and in the Gramian form, which the systems do not have:

    (2) E = ½‖s − Φa‖² + λ‖a‖₁
    (3) τ u̇ + u = b − Σ_{m≠i} G_im a_m        (6) a = u − λ sign(u) where |u| ≥ λ, else 0
    (9) the class of the largest a_i           (10) the class of the largest Σ|a_i|

Each check returns what is wrong in one sentence, or nothing. Parameters are the claim's own, taken
from its document and not from the system.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from workbench.document import Document
from workbench.engine.evaluation import Evaluation, evaluate
from workbench.engine.experiment import Cancelled, Experiment
from workbench.systems.protocol import Observable, Params, System, Wiring

# Gap over ½‖s‖², the energy of silence. With MNIST and all its exemplars the right network has 0.03
# left, with fewer 0.06; features with much in common, near which it oscillates, leave up to 0.4.
# Half the inhibition leaves 0.75.
GAP = 0.5
_LARGE, _FEW, _STEPS, _NEURONS, _FEATURES, _CLASSES = 4.0, 6, 6, 16, 24, 5
_WATCHED = 4  # coded images whose steps are compared in the run's own network
_LOOKS = 4  # such steps in a run
_SPOTS = 256  # atoms compared with the training images that they should be
_SAME = 1 - 5e-5  # cosine from which two vectors are one: they differ by less than 1 %
_TWINS = 0.002  # of the coded images: so few of a published set may be in both of its splits
_ALL = {"mnist": 60_000, "cifar10": 50_000, "cifar100": 50_000}  # training images
_BATCH = 256  # images compared with the atoms at once


class Claimed(NamedTuple):
    """The parameters of equations (3) and (6) that a claim is about."""

    threshold: float  # λ
    ratio: float  # η = Δt/τ

    @classmethod
    def by(cls, document: Document) -> Claimed:
        """Those that a document writes down; a step takes 1 where it does not say how long."""
        system = document.system
        eta = system.get("time_step", 1.0) / system["time_constant"]
        return cls(system["threshold"], eta)


def before(
    experiment: Experiment,
    document: Document,
    samples: Sequence[int],
    cancelled: Callable[[], bool] = lambda: False,
) -> str:
    """What is wrong with what a run is going to use, or nothing.

    Args:
        experiment: what is run.
        document: what the claim asks for.
        samples: the test images that are coded.
        cancelled: asked now and then.
    """
    return network(experiment.system, Claimed.by(document)) or dictionary(
        experiment, document, samples, cancelled
    )


def network(system: System, claimed: Claimed) -> str:
    """What is wrong with a small network of the same class, or nothing.

    Its atoms, labels and signals are random, so potentials lie on both sides of ±λ and activations
    have both signs. The signals are so large that one step out of silence takes them there.
    """
    drawn = np.random.default_rng(0)
    atoms = drawn.standard_normal((_NEURONS, _FEATURES))
    atoms /= np.linalg.norm(atoms, axis=1, keepdims=True)
    labels = np.arange(_NEURONS) % _CLASSES
    signals = drawn.standard_normal((_FEW, _FEATURES))
    signals *= _LARGE * claimed.threshold / claimed.ratio * np.linspace(0.2, 1, _FEW)[:, None]
    wiring = replace(
        system.wiring,
        features=_FEATURES,
        atoms=torch.from_numpy(atoms),
        labels=torch.from_numpy(labels),
        classes=_CLASSES,
        checked=0,
    )
    small = type(system)(system.params, wiring)
    state = small.init(torch.from_numpy(signals))
    if small.observe(state, ("membrane_potential",))["membrane_potential"].any():
        return "the network does not start silent"
    for _ in range(_STEPS):
        moved = small.step(state)
        wrong = one_step(small, state, moved, claimed) or _observed(small, moved, signals, claimed)
        if wrong:
            return wrong
        state = moved
    return ""


def in_use(
    experiment: Experiment,
    document: Document,
    samples: Sequence[int],
    cancelled: Callable[[], bool] = lambda: False,
) -> str:
    """What is wrong with the very network of a run on some images that it codes, or nothing."""
    system, watch = experiment.system, Watch(experiment.system, document)
    state = experiment.initial(list(samples[:_WATCHED]))
    for step in range(1, document.system["steps"] + 1):
        if cancelled():
            raise Cancelled
        moved = system.step(state)
        watch.see(step, state, moved)
        state = moved
    return watch.fault


class Watch:
    """Looks at some of the steps of a run as they are taken."""

    def __init__(self, system: System, document: Document) -> None:
        self.fault = ""
        self._system, self._claimed = system, Claimed.by(document)
        self._looks = set(np.linspace(1, document.system["steps"], _LOOKS).astype(int).tolist())

    def see(self, step: int, state: Any, moved: Any) -> None:
        """Step number ``step``, from one state to the next."""
        if step in self._looks and not self.fault:
            self.fault = one_step(self._system, state, moved, self._claimed)


def one_step(system: System, state: Any, moved: Any, claimed: Claimed) -> str:
    """What is wrong with one step of a network, or nothing: equations (3) and (6).

    The neurons that are looked at are the most active ones, those driven most, and some others.
    """
    names = ("membrane_potential", "activation", "drive", "input")
    seen = {name: value.cpu().numpy() for name, value in system.observe(state, names).items()}
    potentials = system.observe(moved, names[:1])[names[0]].cpu().numpy()
    for row, signal in enumerate(seen["input"]):
        parts = (seen[name][row] for name in names[:3])
        wrong = _moved(system.wiring.atoms, signal, *parts, potentials[row], claimed)
        if wrong:
            return f"the network is not that of the paper: {wrong}"
    return ""


def _moved(
    atoms: Tensor,
    signal: np.ndarray,
    u: np.ndarray,
    activation: np.ndarray,
    drive: np.ndarray,
    moved: np.ndarray,
    claimed: Claimed,
) -> str:
    """One sample of `one_step`."""
    eps = float(np.finfo(u.dtype).eps)
    rounding = 8 * eps
    u64, signal64 = u.astype(np.float64), signal.astype(np.float64)
    a = _transfer(u64, claimed.threshold)
    if not np.allclose(a, activation, rtol=rounding, atol=rounding * np.abs(u64).max(initial=0)):
        return "an activation is not T(u) of equation (6)"
    firing = np.flatnonzero(a)
    columns = atoms[torch.from_numpy(firing)].cpu().double().numpy()
    # sums of thousands of products in the run's precision, and the rounding of u itself
    loose = claimed.ratio * 1000 * eps * (np.linalg.norm(signal64) + np.abs(a).sum())
    for i in _looked_at(a, drive):
        phi = atoms[i].cpu().double().numpy()
        others = firing != i
        inhibition = float((columns[others] @ phi) @ a[firing[others]])  # Σ_{m≠i} G_im a_m
        expected = u64[i] + claimed.ratio * (float(phi @ signal64) - inhibition - u64[i])
        if not abs(moved[i] - expected) <= loose + rounding * abs(u64[i]):  # NaN is wrong too
            return (
                f"a step took a potential from {u64[i]:.6g} to {moved[i]:.6g} where equation (3) "
                f"gives {expected:.6g}"
            )
    return ""


def _looked_at(a: np.ndarray, drive: np.ndarray, each: int = 8) -> list[int]:
    """Neurons: the most active, those driven most, and some at equal distances; all of few."""
    if len(a) <= _NEURONS:
        return list(range(len(a)))
    most = (np.argsort(-np.abs(values))[:each] for values in (a, drive))
    others = np.linspace(0, len(a) - 1, each).astype(int)
    return np.unique(np.concatenate([*most, others])).tolist()


def _transfer(u: np.ndarray, threshold: float) -> np.ndarray:
    """Equation (6)."""
    return np.where(np.abs(u) >= threshold, u - threshold * np.sign(u), 0.0)


def _observed(system: System, state: Any, signals: np.ndarray, claimed: Claimed) -> str:
    """What a small network shows of itself wrongly, or nothing: (2), (6), (10), who fires."""
    seen = {name: value.cpu().numpy() for name, value in system.observe(state).items()}
    atoms, labels = (part.cpu().numpy() for part in (system.wiring.atoms, system.wiring.labels))
    for row, (signal, u) in enumerate(zip(signals, seen["membrane_potential"], strict=True)):
        a = _transfer(u, claimed.threshold)
        picture = sum(a[m] * atoms[m] for m in range(len(a)))
        error = 0.5 * sum((signal - picture) ** 2)
        price = claimed.threshold * sum(abs(a))
        for name, right in {
            "input": signal,
            "activation": a,
            "reconstruction": picture,
            "energy": (error, price, error + price),
            "firing_count": sum(abs(u) >= claimed.threshold),
            "class_evidence": _sums(a, labels, _CLASSES),
        }.items():
            if not np.allclose(seen[name][row], right, rtol=1e-9, atol=1e-9):
                return f"the network is not that of the paper: its {name.replace('_', ' ')} is off"
    return ""


def decoder(name: str) -> str:
    """What is wrong with a decoder on random codes, or nothing: equations (9) and (10).

    The codes are decided by the evaluation itself, as those of a run are.
    """
    drawn = np.random.default_rng(0)
    codes = drawn.standard_normal((64, _NEURONS))
    codes[np.abs(codes) < 0.5] = 0.0  # silent neurons
    codes[-1], codes[-2] = 0.0, -np.abs(codes[-2])  # of nothing, and of nothing positive
    labels = np.arange(_NEURONS) % _CLASSES
    if name == "max":
        right = [int(labels[_first_largest(row)]) if max(row) > 0 else -1 for row in codes]
        equation = "(9), the class of the largest activation"
    elif name == "sum":
        sums = [_sums(row, labels, _CLASSES) for row in codes]
        right = [_first_largest(row) if max(row) > 0 else -1 for row in sums]
        equation = "(10), the class of the largest sum of |a|"
    else:
        return ""  # it is trained; no equation says what it decides
    decided = _decided(name, torch.from_numpy(codes), torch.from_numpy(labels))
    wrong = sum(ours != theirs for ours, theirs in zip(decided, right, strict=True))
    words = f"the {name} decoder decides {wrong} of {len(right)} codes otherwise than equation"
    return f"{words} {equation}" if wrong else ""


def _decided(name: str, codes: Tensor, labels: Tensor) -> list[int]:
    """The class that an evaluation decides each code for; −1 where it is undecided."""
    count = len(codes)
    # Each code is of a class of its own, so that the confusion shows what was decided for it.
    tests = _Tests(codes, torch.arange(count))
    system = _Codes(SimpleNamespace(steps=0), Wiring(_NEURONS, labels=labels, classes=count))
    experiment = Experiment(
        asked=_DECODING,
        document=_DECODING,
        dataset=SimpleNamespace(test=tests, class_names=[str(i) for i in range(count)]),
        dictionary=None,
        system=system,
        vectors=SimpleNamespace(test=tests),
        seconds={},
    )
    *_, found = evaluate(experiment, range(count))
    columns = found.confusion[name].argmax(axis=1)
    return [-1 if column == count else int(column) for column in columns]


_DECODING = Document.parse(
    {
        "workbench": 1,
        "system": {"kind": "lca"},
        "signal": {"norm": "none"},
        "run": {"device": "cpu", "precision": "float64", "batch": 24},
    }
)


@dataclass(frozen=True)
class _Tests:
    """Codes in the place of test images."""

    codes: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, index: slice | list[int]) -> Tensor:
        return self.codes[index]


class _Codes(System):
    """No network: its signals are the codes themselves."""

    kind, title, summary = "codes", "Codes", "Signals are codes."
    Params = Params
    observables = (Observable("activation", "Activation", "trace", "neuron"),)
    output = code = "activation"

    @property
    def neurons(self) -> int:
        return self.wiring.features

    def init(self, signal: Tensor) -> Tensor:
        return signal

    def step(self, state: Tensor) -> Tensor:
        return state

    def observe(self, state: Tensor, names: Collection[str] | None = None) -> dict[str, Tensor]:
        return {"activation": state}


def _sums(a: Sequence[float], labels: Sequence[int], classes: int) -> list[float]:
    """Σ|a| of each class."""
    return [
        sum(abs(value) for value, label in zip(a, labels, strict=True) if label == k)
        for k in range(classes)
    ]


def _first_largest(values: Sequence[float]) -> int:
    best = 0
    for i, value in enumerate(values):
        if value > values[best]:
            best = i
    return best


def certificate(gap: float | None, silence: float, document: Document) -> str:
    """What is wrong with where a run ended, or nothing.

    Only the network of equation (3) goes to the minimum of equation (2); another one may well
    lower the energy, but to somewhere else, and the duality gap proves how far from the minimum it
    can be. A run of less than one time constant is still on its way, so nothing is asked of it.

    Args:
        gap: the mean duality gap at the end.
        silence: the mean energy at the start, ½‖s‖².
        document: what was run.
    """
    if Claimed.by(document).ratio * document.system["steps"] < 1:
        return ""
    part = np.nan if gap is None else gap / silence
    words = f"the duality gap is {part:.0%} of the energy of silence (at most {GAP:.0%})"
    return "" if part <= GAP else f"the run did not come near the minimum of its energy: {words}"


def after(evaluation: Evaluation, document: Document, samples: int) -> str:
    """What is wrong with the extent and the end of an evaluation, or nothing."""
    steps = len(evaluation.firing_counts) - 1
    if steps != document.system["steps"]:
        return f"the run took {steps} steps instead of {document.system['steps']}"
    if evaluation.done != samples:
        return f"{evaluation.done} images were coded instead of {samples}"
    return certificate(evaluation.duality_gap, evaluation.energy["total"][0], document)


def dictionary(
    experiment: Experiment,
    document: Document,
    samples: Sequence[int],
    cancelled: Callable[[], bool] = lambda: False,
) -> str:
    """What is wrong with the atoms and labels that a run used, or nothing.

    Args:
        experiment: what was run.
        document: what the claim asks for.
        samples: the test images that are coded; none may be an atom, or it would explain itself.
        cancelled: asked between batches.
    """
    wiring, section = experiment.system.wiring, document.dictionary
    every = document.data.train or _ALL.get(document.data.dataset, len(experiment.dataset.train))
    wanted = section.atoms or every
    if not wanted == len(wiring.atoms) == experiment.system.neurons:
        return f"the dictionary has {len(wiring.atoms)} atoms instead of {wanted}"
    twins, atoms = _twins(experiment, samples, cancelled)
    if len(twins) > _TWINS * len(samples):
        return f"{len(twins)} of {len(samples)} test images that are coded are atoms themselves"
    return _exemplars(experiment, atoms) if section.kind == "exemplar" else ""


def _twins(
    experiment: Experiment, samples: Sequence[int], cancelled: Callable[[], bool]
) -> tuple[list[int], list[int]]:
    """Coded test images that are atoms, or nearly, and those atoms."""
    found: list[tuple[int, int]] = []
    for start in range(0, len(samples), _BATCH):
        if cancelled():
            raise Cancelled
        chosen = list(samples[start : start + _BATCH])
        signals = torch.nn.functional.normalize(experiment.signals(chosen))
        nearest, atom = experiment.system.wiring.products.match(signals).max(dim=1)
        same = (nearest > _SAME).nonzero().flatten().tolist()
        found += [(chosen[i], int(atom[i])) for i in same]
    return [image for image, _ in found], [atom for _, atom in found]


def _exemplars(experiment: Experiment, suspects: Sequence[int]) -> str:
    """What is wrong with atoms that should be training images, or nothing."""
    wiring, source = experiment.system.wiring, experiment.dictionary.source
    if source is None or len(source) != len(wiring.atoms):
        return "the atoms do not say which training images they are"
    if len(source.unique()) != len(source):
        return "a training image is more than one atom"
    wrong = int((wiring.labels.cpu() != experiment.dataset.train.labels[source]).sum())
    if wrong:
        return f"{wrong} of {len(source)} atoms have another class than their training image"
    drawn = torch.randperm(len(source), generator=torch.Generator().manual_seed(0))[:_SPOTS]
    spots = torch.cat([drawn, torch.tensor(suspects, dtype=torch.int64)])
    images = torch.nn.functional.normalize(experiment.vectors.train.rows(source[spots]).float())
    away = (wiring.atoms[spots].cpu().float() * images).sum(1) < _SAME
    wrong, of = int(away.sum()), len(spots)
    return f"{wrong} of {of} atoms looked at are not their training images" if wrong else ""
