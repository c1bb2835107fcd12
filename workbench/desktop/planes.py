"""What is asked about the plane of a path, to be answered in a thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from workbench.desktop.asking import Stopped, Wish

LOOKS = 16  # stored steps at which all neurons are read, to find those that move most
MOST_NEURONS = 256  # whose potentials make the components
MOST_STEPS = 400  # stored steps that they are made of


class Principal(NamedTuple):
    """Principal components of a run, and of which neurons."""

    components: Any  # analysis.phase.Components
    neurons: np.ndarray  # [m], ascending


@dataclass(frozen=True, eq=False)
class ComponentsWish(Wish):
    """The principal components of a quantity over the recorded steps."""

    recording: Any
    name: str
    head: int  # the last step recorded when it was asked for

    @property
    def title(self) -> str:
        return "the search for principal components"

    def find(self, stopped: Callable[[], bool]) -> Principal | None:
        """Of the neurons with the largest range; None: too little has happened yet."""
        from workbench.analysis.phase import principal_plane  # with torch, which is loaded by now

        steps = [step for step in self.recording.stored_steps() if step <= self.head]
        looks = self._read(_spread(steps, LOOKS), None, stopped)
        if len(looks) < 3 or looks.shape[1] < 2:
            return None
        moved = np.ptp(looks, axis=0)
        count = min(MOST_NEURONS, len(moved))
        neurons = np.sort(np.argpartition(moved, len(moved) - count)[-count:])
        values = self._read(_spread(steps, MOST_STEPS), neurons, stopped)
        return Principal(principal_plane(values), neurons) if len(values) >= 3 else None

    def _read(
        self, steps: list[int], neurons: np.ndarray | None, stopped: Callable[[], bool]
    ) -> np.ndarray:
        """Values at stored steps, [n, neurons]; steps at which not all are finite are left out."""
        rows = []
        for step in steps:
            if stopped():
                raise Stopped
            state, system = self.recording.stored(step), self.recording.observer(step)
            if state is None:  # thinned meanwhile
                continue
            if neurons is None:
                seen = system.observe(state, (self.name,))[self.name]
            else:
                seen = system.observe_neurons(state, self.name, neurons)
            rows.append(seen[0].cpu().numpy())
        values = np.stack(rows) if rows else np.empty((0, 0))
        return values[np.isfinite(values).all(1)]


@dataclass(frozen=True, eq=False)
class FlowWish(Wish):
    """The flow in a box of the plane of two neurons, the others as they are in a state."""

    state: Any
    system: Any
    pair: tuple[int, int]
    box: tuple[float, float, float, float]

    @property
    def title(self) -> str:
        return f"the flow of neurons {self.pair}"

    def find(self, stopped: Callable[[], bool]) -> Any:
        """The flow; None where the system does not know it."""
        from workbench.analysis.phase import flow

        return flow(self.system, self.state, self.pair, self.box)


@dataclass(frozen=True, eq=False)
class RivalWish(Wish):
    """Who acts most on a neuron in the step after a state."""

    state: Any
    system: Any
    neuron: int

    @property
    def title(self) -> str:
        return f"the search for the strongest rival of neuron {self.neuron}"

    def find(self, stopped: Callable[[], bool]) -> int | None:
        """A neuron; None: nobody acts on it."""
        from workbench.analysis.phase import strongest_rival

        return strongest_rival(self.system, self.state, self.neuron)


def _spread(steps: list[int], most: int) -> list[int]:
    """At most so many of some steps, spread evenly, the first and the last among them."""
    if len(steps) <= most:
        return steps
    return [steps[i] for i in np.linspace(0, len(steps) - 1, most).round().astype(int)]
