"""What every dynamical system offers, and all that the rest of the workbench knows of one.

A system is a pure step function with named observables. It holds parameters and wiring, never
state: the state is a NamedTuple of tensors, batch first, that is handed in and returned. So a run
can be stopped, replayed, sought and forked at any step, and observing it changes nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple, Self

import torch
from torch import Tensor
from torch.nn import functional

from workbench.parameters import Params, parameter
from workbench.systems.products import WHOLE, Products, Shard

__all__ = [
    "WHOLE",
    "Account",
    "Competition",
    "Lasso",
    "Observable",
    "Params",
    "Part",
    "Products",
    "Response",
    "Shard",
    "System",
    "Wiring",
    "check_accountable",
    "check_signal",
    "parameter",
    "summed_by_class",
    "tensors",
]


@dataclass(frozen=True)
class Observable:
    """A declared quantity of a system; views choose by ``kind`` and draw what is declared here.

    The shape of the observed tensor follows from ``axis``: ``[B, M]`` for ``neuron``, ``[B, N]``
    for ``feature``, ``[B, classes]`` for ``class``, ``[B, len(labels)]`` for ``term`` and ``[B]``
    for ``none``.
    """

    name: str
    title: str
    kind: Literal["trace", "spikes", "terms", "image", "count", "evidence"]
    axis: Literal["neuron", "feature", "class", "term", "none"]
    symbol: str = ""
    unit: str = ""
    meaning: str = ""
    equation: str = ""
    labels: tuple[str, ...] = ()  # names along the term axis
    threshold: str | None = None  # the parameter at which a neuron fires, drawn dashed
    signed: bool = False  # may be negative: diverging colours, threshold on both sides
    compare_with: str | None = None  # an image observable this one is judged against (PSNR, SSIM)


@dataclass(frozen=True)
class Wiring:
    """What a system is built on.

    ``atoms`` is [M, N], one unit-norm atom a row (the transpose of the papers' Φ), or None where
    there is no dictionary; in half precision their norms may be off by its rounding. ``labels`` is
    [M] int64, the class of each atom, or None. Both are on the device that computes. Where the
    neurons are spread over processes, ``shard`` says which are here and reaches the others.
    """

    features: int
    atoms: Tensor | None = None
    labels: Tensor | None = None
    classes: int = 0
    seed: int = 0
    checked: int = 0  # so many atoms are known to be of unit norm
    engine: str = "residual"  # how it is computed, one of the system's ``engines``
    shard: Shard = WHOLE

    def __post_init__(self) -> None:
        if self.atoms is None:
            return
        if self.atoms.ndim != 2 or self.atoms.shape[1] != self.features:
            raise ValueError(
                f"atoms must have the shape [M, {self.features}], got {list(self.atoms.shape)}"
            )
        norms = Products(self.atoms[self.checked :]).lengths()
        worst = float((norms - 1).abs().max()) if len(norms) else 0.0
        if not worst <= 1e-3 + torch.finfo(self.atoms.dtype).eps / 2:  # also catches NaN
            raise ValueError(f"atoms must have unit norm; one is off by {worst:.3g}")
        if self.labels is not None and len(self.labels) != len(self.atoms):
            raise ValueError(f"{len(self.atoms)} atoms need as many labels, got {len(self.labels)}")

    @property
    def products(self) -> Products:
        """Products with the atoms."""
        return Products(self.atoms, self.shard)


class Lasso(NamedTuple):
    """The convex problem a system is solving, for certificates and stability bounds.

    min over a of ½‖signal − activation · atoms‖² + threshold · ‖activation‖₁. In one step the
    system goes ``step_ratio`` of the way to its goal: time step / time constant for Euler.
    """

    signal: Tensor  # [B, N]
    atoms: Tensor  # [M, N], unit-norm rows; those here, where they are spread over processes
    activation: Tensor  # [B, M], now
    threshold: float
    step_ratio: float
    time_constant: float = 1.0  # a ratio times this is a time step, for advice in its unit
    momentum: float = 0.0  # the part of the step before that a step goes on
    shard: Shard = WHOLE

    @property
    def products(self) -> Products:
        """Products with the atoms."""
        return Products(self.atoms, self.shard)


@dataclass(frozen=True)
class Part:
    """One share in the change of a neuron's potential in one step."""

    name: str  # "drive", "leak", "rival"
    symbol: str  # as the equation has it
    value: float  # what it adds to the potential
    neuron: int | None = None  # the neuron that it comes from; None: no other
    jump: bool = False  # set at once, as by a reset, and no force that could be outweighed


@dataclass(frozen=True, eq=False)
class Competition:
    """How the potential of a neuron at the next step follows the activations of all at this one.

    It is the sum of pulls · T_λ(potentials) and what does not depend on the threshold λ.
    """

    potentials: Tensor  # [M] float64, u_k
    pulls: Tensor  # [M] float64, what 1 more of their activation adds to u_{k+1}
    hard: bool  # T: u where |u| ≥ λ; else the soft one, u − λ sign(u) there


@dataclass(frozen=True, eq=False)
class Account:
    """What took the potential of one neuron from one step to the next.

    The potential is the observable that has a threshold. The values of the parts add up to
    ``after − before``, within the rounding of the run's precision.
    """

    before: float  # u_k
    after: float  # u_{k+1}, as the system computes it
    fires: bool  # whether it fires at k + 1
    parts: tuple[Part, ...]  # its own first, what drives it before all; then rivals, largest first
    drive: float  # what drives it in this step, in its own unit
    drive_symbol: str
    gain: float  # what 1 more of that adds to ``after``; 0: nothing can
    competition: Competition | None = None  # None: ``after`` does not depend on the threshold
    note: str = ""  # a clause on what befell it: "it rests after its spike"


class Response(NamedTuple):
    """What constant signals do to neurons, for their f–I curve."""

    current: Tensor  # [B, M], the input current of each neuron, its mean where it is random
    rate: Tensor  # [B, M], spikes per time unit in the long run, in closed form
    time_step: float  # that passes in one step, in time units


class System(ABC):
    """A dynamical system: parameters, wiring, and a pure step function."""

    kind: ClassVar[str]  # its name in a document
    title: ClassVar[str]
    summary: ClassVar[str]  # one sentence, for menus and help
    Params: ClassVar[type[Params]]
    observables: ClassVar[tuple[Observable, ...]]
    output: ClassVar[str]  # the observable that the fingerprint is taken of
    code: ClassVar[str | None] = None  # the observable [B, M] that decoders read
    uses_dictionary: ClassVar[bool] = False
    engines: ClassVar[tuple[str, ...]] = ("residual",)  # ways to compute the same numbers
    accounts: ClassVar[bool] = False  # whether `account` has something to tell
    poses_lasso: ClassVar[bool] = False  # whether `lasso` may give a problem
    responds: ClassVar[bool] = False  # whether `response` has

    def __init__(self, params: Any, wiring: Wiring) -> None:
        self.params = params
        self.wiring = wiring

    def with_params(self, params: Any) -> Self:
        """The same system under other parameters; states carry over."""
        return type(self)(params, self.wiring)

    def take_over(self, before: Self, state: Any, signal: Tensor | None = None) -> Any:
        """A state of another system of as many neurons as a state of this one, at that instant.

        What the neurons have gathered carries over; atoms and signal may be others from now on.

        Args:
            before: the system that the state came from.
            state: its state; where this system reads no atoms it may be any with a ``signal``.
            signal: [B, N], drives the neurons from now on; None: the one of the state.
        """
        return state if signal is None else state._replace(signal=signal.to(state.signal))

    @property
    @abstractmethod
    def neurons(self) -> int:
        """M, the number of neurons."""

    @abstractmethod
    def init(self, signal: Tensor) -> Any:
        """The state at step 0 for a batch of signals [B, N].

        Raises:
            ValueError: wrong shape, or a NaN or infinity in the signal.
        """

    @abstractmethod
    def step(self, state: Any) -> Any:
        """The state one time step later. Pure: the same state gives the same result."""

    @abstractmethod
    def observe(self, state: Any, names: Collection[str] | None = None) -> dict[str, Tensor]:
        """Observables by name (all, or the asked ones), all from the instant of ``state``."""

    def observe_neurons(self, state: Any, name: str, neurons: Sequence[int]) -> Tensor:
        """An observable along the neuron axis, of some neurons [n] only, [B, n].

        A system that need not look at all neurons for that is faster here than `observe`.
        """
        return self.observe(state, (name,))[name][:, torch.as_tensor(neurons)]

    def select(self, state: Any, rows: Tensor) -> Any:
        """The state of some samples of the batch; they go on as they would have in the batch.

        Here every tensor is batch first, but for those without axes, which all samples share.

        Args:
            state: a state of this system.
            rows: [b] int64, ascending, which samples.
        """
        return type(state)(*(part[rows.to(part.device)] if part.ndim else part for part in state))

    def lasso(self, state: Any) -> Lasso | None:
        """The Lasso problem behind the dynamics, or None where there is none."""
        return None

    def account(self, state: Any, neuron: int) -> Account | None:
        """What the next step adds to the potential of one neuron, and why; None: not known.

        Raises:
            ValueError: the state is of more than one sample, or there is no such neuron.
        """
        return None

    def flow(self, state: Any, neurons: Sequence[int], potentials: Tensor) -> Tensor | None:
        """How fast the potentials of some neurons change where they are at ``potentials``.

        That is the right side of the differential equation that the steps follow, divided by its
        time constant, with all other neurons and the input as they are in ``state``.

        Args:
            state: of one sample.
            neurons: [n], no two the same.
            potentials: [P, n], of the observable that has a threshold.

        Returns:
            [P, n], per time unit; None: not known.

        Raises:
            ValueError: the state is of more than one sample, or there is no such neuron.
        """
        return None

    def response(self, signal: Tensor) -> Response | None:
        """What currents the signals [B, N] are, held constant, and how often neurons then fire.

        None where a neuron's rate does not follow from its own input.
        """
        return None

    @classmethod
    def solves_lasso(cls, params: Any) -> bool:
        """Whether `lasso` gives a problem under these parameters."""
        return False

    @classmethod
    def observable(cls, name: str) -> Observable:
        """The declaration of one observable.

        Raises:
            KeyError: the system declares no such observable.
        """
        for declared in cls.observables:
            if declared.name == name:
                return declared
        raise KeyError(f"{cls.kind} has no observable {name!r}")


def tensors(state: Any) -> Iterator[Tensor]:
    """All tensors of a state, also those in tuples within it."""
    for part in state:
        if isinstance(part, Tensor):
            yield part
        else:
            yield from tensors(part)


def check_accountable(system: System, samples: int, neuron: int) -> None:
    """Refuse what `System.account` cannot tell of.

    Raises:
        ValueError: more than one sample, or no such neuron.
    """
    if samples != 1:
        raise ValueError(f"an account is of one sample, got {samples}")
    if not 0 <= neuron < system.neurons:
        raise ValueError(f"there is no neuron {neuron}; there are 0 to {system.neurons - 1}")


def check_signal(signal: Tensor, features: int) -> Tensor:
    """The signal, if it is a finite batch [B, ``features``].

    Raises:
        ValueError: says what came and what is allowed.
    """
    if signal.ndim != 2 or signal.shape[1] != features:
        raise ValueError(
            f"the signal must have the shape [B, {features}], got {list(signal.shape)}"
        )
    if not torch.isfinite(signal).all():
        bad = int((~torch.isfinite(signal)).any(1).nonzero()[0])
        raise ValueError(f"signal {bad} holds a NaN or an infinity; every feature must be finite")
    return signal


def summed_by_class(activation: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Summed activity |a| of the neurons of each class, [B, ``classes``].

    The same bits each time, on a GPU too, where `index_add_` adds in whatever order threads come.

    Args:
        activation: [B, M].
        labels: [M] int64, the class of each neuron.
        classes: how many there are.
    """
    amount = activation.abs()
    if amount.is_cuda:
        return amount @ functional.one_hot(labels, classes).to(amount)
    return amount.new_zeros(len(amount), classes).index_add_(1, labels, amount)
