"""Small documents, systems that misbehave, and runners that leave no thread behind."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from workbench.document import Document
from workbench.engine import experiment as experiments
from workbench.engine.experiment import Experiment
from workbench.engine.runner import Runner
from workbench.systems.lca import LCA

LCA_OF_DIGITS = {"kind": "lca", "threshold": 1.0, "time_constant": 20.0, "steps": 40}
SYSTEMS = {
    "lca": LCA_OF_DIGITS,
    "lca lazy": LCA_OF_DIGITS,
    "lif": {"kind": "lif", "gain": 3.0, "steps": 40},
    "lif poisson": {"kind": "lif", "encoding": "poisson", "gain": 3.0, "steps": 40, "seed": 7},
}


@pytest.fixture
def document() -> Callable[..., Document]:
    """Makes a small document on the digits; keywords change the system, mappings a section."""

    def make(system: str = "lca", **changes: Any) -> Document:
        sections = {k: v for k, v in changes.items() if isinstance(v, dict)}
        parameters = {k: v for k, v in changes.items() if k not in sections}
        plain = {"dictionary": {"atoms": 150}, "system": SYSTEMS[system] | parameters}
        if system == "lca lazy":
            plain["run"] = {"engine": "lazy"}
        return Document.parse(plain | sections)

    return make


@pytest.fixture
def prepared(document) -> Callable[..., Experiment]:
    """Makes the experiment of a small document."""
    return lambda *kind, **changes: experiments.prepare(document(*kind, **changes))


@pytest.fixture
def watched_steps() -> Callable[..., Callable[..., Experiment]]:
    """A `prepare` whose LCA calls ``before(k)`` in front of every step from k to k + 1."""

    def make(before: Callable[[int], None]) -> Callable[..., Experiment]:
        class Watched(LCA):
            def step(self, state):
                before(int(state.k))
                return super().step(state)

        def prepare(*arguments: Any) -> Experiment:
            experiment = experiments.prepare(*arguments)
            system = Watched(experiment.system.params, experiment.system.wiring)
            return replace(experiment, system=system)

        return prepare

    return make


@pytest.fixture
def new_runner():
    """Makes runners; afterwards each must end its thread."""
    made = []

    def make(**settings: Any) -> Runner:
        made.append(Runner(**settings))
        return made[-1]

    yield make
    assert all([runner.close() for runner in made])
