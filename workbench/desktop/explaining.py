"""What is asked to explain one neuron at one instant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.desktop import asking

if TYPE_CHECKING:
    from workbench.analysis.explanation import Explanation
    from workbench.engine.runner import Snapshot


@dataclass(frozen=True, eq=False)
class Wish(asking.Wish):
    """One neuron at one instant, and the system that takes the next step from there."""

    state: Any
    system: Any
    neuron: int
    step: int
    names: tuple[str, ...]  # of the classes

    @classmethod
    def of(cls, snapshot: Snapshot, neuron: int) -> Wish:
        """The wish for a neuron at the time cursor."""
        system = snapshot.recording.system_at(snapshot.step)
        names = tuple(snapshot.experiment.dataset.class_names)
        return cls(snapshot.state, system, neuron, snapshot.step, names)

    @property
    def title(self) -> str:
        return f"the explanation of neuron {self.neuron}"

    def find(self, stopped: Callable[[], bool]) -> Explanation | None:
        """Explain it; takes about as long as four passes over the dictionary.

        None where the system gives no account.
        """
        from workbench.analysis.explanation import explain  # with torch, which is loaded by now

        return explain(self.system, self.state, self.neuron, self.step, self.names)
