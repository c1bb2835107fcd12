"""The f–I curve of a neuron: how often it fires under a constant current, as its steps make it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from workbench.systems.protocol import Wiring

CURRENTS = 64  # from none to the largest
STEPS = 4000
_COPIES = 8  # neurons under each current, whose rates are averaged where the input is random
_FINE = 400  # points of the closed form


class Curve(NamedTuple):
    """Firing rates, in spikes per time unit, over input currents, both ascending."""

    current: np.ndarray  # [n]
    simulated: np.ndarray  # [n]
    closed_current: np.ndarray  # [m]
    closed: np.ndarray  # [m], of a steady current, in continuous time
    time_step: float  # in time units


def f_i_curve(
    system: Any, largest: float, stopped: Callable[[], bool] = lambda: False
) -> Curve | None:
    """Rates under constant signals from 0 to ``largest``, under the parameters of a system.

    The system's own step is taken `STEPS` times for a population of neurons under each signal. A
    rate is one over the mean interval between spikes, so that neither the first spike nor where
    the run ends counts; of who fired once it is one over all the time.

    Args:
        system: one that has a `response`, and no dictionary.
        largest: signal.
        stopped: asked before each step.

    Returns:
        None, if ``stopped`` said so.
    """
    population = type(system)(system.params, Wiring(_COPIES))
    signals = torch.linspace(0, largest, CURRENTS, dtype=torch.float64)[:, None]
    fired = _spikes(population, signals.expand(-1, _COPIES).contiguous(), stopped)
    if fired is None:
        return None
    coarse = population.response(signals)
    fine = population.response(torch.linspace(0, largest, _FINE, dtype=torch.float64)[:, None])
    rates = _rates(*fired) / coarse.time_step
    parts = (coarse.current, rates.mean(1, keepdim=True), fine.current, fine.rate)
    return Curve(*(part[:, 0].cpu().numpy() for part in parts), coarse.time_step)


def _spikes(
    population: Any, signals: Tensor, stopped: Callable[[], bool]
) -> tuple[Tensor, Tensor, Tensor] | None:
    """How often each neuron fired, and at which step first and last, [n, copies] float64."""
    name = next(o.name for o in population.observables if o.kind == "spikes")
    state = population.init(signals)
    count, first, last = (torch.zeros_like(signals) for _ in range(3))
    for step in range(1, STEPS + 1):
        if stopped():
            return None
        state = population.step(state)
        fired = population.observe(state, (name,))[name]
        first.masked_fill_(fired & (count == 0), step)
        last.masked_fill_(fired, step)
        count += fired
    return count, first, last


def _rates(count: Tensor, first: Tensor, last: Tensor) -> Tensor:
    """Spikes per step."""
    return torch.where(count > 1, (count - 1) / (last - first).clamp(min=1), count / STEPS)
