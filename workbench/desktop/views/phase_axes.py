"""What the axes of a phase plane are: two neurons, or two principal components."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtWidgets import QWidget

from workbench.desktop.asking import Asker
from workbench.desktop.planes import ComponentsWish, RivalWish
from workbench.desktop.views.base import View, choice_row, coloured
from workbench.desktop.views.neuron_choice import neuron_choice
from workbench.desktop.views.phase_plot import INKS
from workbench.desktop.views.traces import RANK_EVERY

OFFERED = 12  # of the strongest neurons, to choose from
PACE = 0.1  # seconds between two searches for a rival in a run
RARELY = 2.0  # seconds between two searches for components in a run
Pair = tuple[int, int]


class NeuronAxes:
    """Two neurons: those that are chosen or selected, and the strongest for who is not.

    Once one of the two has reached its threshold they stay: axes must not jump.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self.observable: Any = None
        self.pair: Pair | None = None
        self.reached = False  # one of the two has been at the threshold
        self.rivals = Asker("phase")
        self.across = neuron_choice("Neuron to the right")
        self.up = neuron_choice("Neuron upwards")
        self._wanted: tuple[int | None, int | None] | None = None  # for the pair there is
        self._frames = 0

    def row(self) -> QWidget:
        """The two choices, side by side."""
        return choice_row(("→", self.across), ("↑", self.up))

    def forget(self, neurons: int) -> None:
        """Other neurons, so many; or the same, and another image."""
        self.pair, self._wanted = None, None
        self.rivals.forget()
        for choice in (self.across, self.up):
            if choice.neuron is not None and choice.neuron >= neurons:
                choice.release()

    def neurons(self, snapshot: Any) -> np.ndarray | None:
        """The pair; None: it cannot be chosen yet."""
        values = snapshot.observed.get(self.observable.name)
        if values is None:
            return None
        self._frames += 1
        size = np.nan_to_num(np.abs(values), nan=np.inf)
        wanted = self._pointed_out(snapshot, len(size))
        due = not self._view.workspace.running or self._frames % RANK_EVERY == 0
        if self.pair is None or wanted != self._wanted or (due and not self.reached):
            self.pair, self._wanted, self.reached = _completed(wanted, size), wanted, False
        if due:
            self._offer(snapshot, size)
        return np.array(self.pair)

    def _pointed_out(self, snapshot: Any, neurons: int) -> tuple[int | None, int | None]:
        """The neurons that are chosen or selected; None: the strongest there is."""
        across, up, selected = self.across.neuron, self.up.neuron, self._view.workspace.neuron
        if across is None and selected is not None and selected < neurons and selected != up:
            across = selected
        if across is not None and up is None:
            up = self._rival_of(snapshot, across)
        return across, up

    def _rival_of(self, snapshot: Any, neuron: int) -> int | None:
        """Its strongest rival, where it first was found to have one."""
        made = self.rivals.latest
        mine = made is not None and made.wish.neuron == neuron
        if mine and made.found is not None:
            return made.found
        wish = RivalWish(snapshot.state, snapshot.system, neuron)
        if not mine or not made.wish.same(wish):
            self._view.ask(self.rivals, wish, PACE)
        return None

    def _offer(self, snapshot: Any, size: np.ndarray) -> None:
        """The strongest neurons at the cursor and the selected one, in both lists."""
        strongest = _strongest(size, OFFERED)
        selected = self._view.workspace.neuron
        if selected is not None and selected < len(size):
            strongest = [selected, *(n for n in strongest if n != selected)]
        for choice, other in ((self.across, self.up), (self.up, self.across)):
            choice.offer([(n, name_of(snapshot, n)) for n in strongest if n != other.neuron])

    def place(self, values: np.ndarray) -> np.ndarray:
        """Points [n, 2] of potentials [n, 2]: the same."""
        return values

    def names(self, snapshot: Any) -> tuple[str, str]:
        """The two, with their classes."""
        return tuple(name_of(snapshot, neuron) for neuron in self.pair)

    def labels(self, snapshot: Any) -> list[str]:
        """The names of the axes."""
        symbol = self.observable.symbol or self.observable.title
        return [f"{symbol} of {name}" for name in self.names(snapshot)]

    def columns(self) -> list[str]:
        """The names of the columns of a table."""
        return [f"{self.observable.symbol or self.observable.name}_{n}" for n in self.pair]

    def level(self, snapshot: Any) -> float:
        """The threshold."""
        return getattr(snapshot.experiment.system.params, self.observable.threshold)

    def summary(self, snapshot: Any, here: np.ndarray) -> str:
        """Who the two are, and who fires at the cursor."""
        names = [coloured(n, ink) for n, ink in zip(self.names(snapshot), INKS, strict=True)]
        size = np.abs(here) if self.observable.signed else here
        firing = [n for n, u in zip(names, size, strict=True) if u >= self.level(snapshot)]
        words = ("both silent", f"{''.join(firing)} fires", "both fire")[len(firing)]
        return f"{' and '.join(names)} · {words}"


class ComponentAxes:
    """The first two principal components of the neurons that move most."""

    def __init__(self, view: View) -> None:
        self._view = view
        self.observable: Any = None
        self.asker = Asker("components")
        self.missing = ""  # why there are none

    def forget(self, neurons: int) -> None:
        """Other neurons."""
        self.asker.forget()

    def neurons(self, snapshot: Any) -> np.ndarray | None:
        """The neurons that the components are made of; None: see ``missing``."""
        recording = snapshot.recording
        wish, made = ComponentsWish(recording, self.observable.name, recording.head), self._made
        if made is None or not made.wish.same(wish):
            self._view.ask(self.asker, wish, RARELY)
        self.missing = _why_none(made)
        return None if self.missing else made.found.neurons

    @property
    def _made(self) -> Any:
        return self.asker.latest

    def place(self, values: np.ndarray) -> np.ndarray:
        """Points [n, 2] in the plane of the components, of potentials [n, m]."""
        return self._made.found.components.place(values)

    def labels(self, snapshot: Any) -> list[str]:
        """The names of the axes."""
        found = self._made.found
        first, second = 100 * found.components.explained
        return [
            f"PC 1 of {len(found.neurons)} neurons, {first:.3g} % of variance",
            f"PC 2, {second:.3g} % of variance",
        ]

    def columns(self) -> list[str]:
        """The names of the columns of a table."""
        return ["PC1", "PC2"]

    def summary(self, snapshot: Any, here: np.ndarray) -> str:
        """How much of what the plane shows."""
        found, all_ = self._made.found, snapshot.experiment.system.neurons
        part = 100 * found.components.explained.sum()
        return f"{part:.3g} % of the variance of {len(found.neurons)} of {all_} neurons"


def _why_none(made: Any) -> str:
    if made is None:
        return "Looking for the principal components …"
    if made.error:
        return f"There are no principal components: {made.error}"
    return "" if made.found else "Principal components need three steps: run it, or step on."


def _completed(wanted: tuple[int | None, int | None], size: np.ndarray) -> Pair:
    """A pair in which the strongest take the places that are free.

    Two free places are for two that differ, if there are such: twins make a straight line.
    """
    order = [neuron for neuron in _strongest(size, OFFERED) if neuron not in wanted]
    if wanted == (None, None):
        others = [n for n in order[1:] if size[n] < size[order[0]]]
        return order[0], (others or order[1:])[0]
    free = iter(order)
    return tuple(next(free) if neuron is None else neuron for neuron in wanted)


def _strongest(size: np.ndarray, count: int) -> list[int]:
    """The neurons with the largest values, the largest first, of equal ones the first."""
    count = min(count, len(size))
    least = np.partition(size, len(size) - count)[len(size) - count]
    found = np.flatnonzero(size >= least)
    return found[np.argsort(-size[found], kind="stable")][:count].tolist()


def name_of(snapshot: Any, neuron: int) -> str:
    """A neuron and its class in words."""
    labels = snapshot.experiment.system.wiring.labels
    if labels is None:
        return str(neuron)
    return f"{neuron} “{snapshot.experiment.dataset.class_names[int(labels[neuron])]}”"
