"""A system that declares next to nothing, can be slow, and can go wrong."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import torch
from torch import Tensor

from workbench.systems.protocol import Observable, Params, System, check_signal, parameter


class BareParams(Params):
    steps: int = parameter(50, "How many steps a run takes.", ge=0)
    seconds: float = parameter(0.0, "How long a step takes.", ge=0)
    fails_at: int | None = parameter(None, "The step that goes wrong.", ge=0)


class BareState(NamedTuple):
    signal: Tensor  # [B, N]
    k: Tensor  # int64


class Bare(System):
    """A system that declares next to nothing: one neuron per pixel fires at each step."""

    kind, title, summary = "bare", "Bare", "As little as a system may be."
    Params = BareParams
    observables = (Observable("marks", "Marks", "spikes", "neuron"),)
    output = "marks"

    @property
    def neurons(self) -> int:
        return self.wiring.features

    def init(self, signal: Tensor) -> BareState:
        return BareState(check_signal(signal, self.wiring.features), torch.tensor(0))

    def step(self, state: BareState) -> BareState:
        time.sleep(self.params.seconds)
        if self.params.fails_at == int(state.k) + 1:
            raise RuntimeError("the neurons went on strike")
        return state._replace(k=state.k + 1)

    def observe(self, state: BareState, names: Any = None) -> dict[str, Tensor]:
        marks = torch.zeros(state.signal.shape, dtype=torch.bool)
        marks[:, int(state.k) % self.neurons] = True
        return {"marks": marks} if names is None or "marks" in names else {}
