"""Explanations made in a thread: the dictionary may be large, and the window never waits."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.desktop.latest import Latest

if TYPE_CHECKING:
    from workbench.analysis.explanation import Explanation
    from workbench.engine.runner import Snapshot

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Wish:
    """One neuron at one instant, and the system that takes the next step from there."""

    state: Any
    system: Any
    neuron: int
    step: int
    names: tuple[str, ...]  # of the classes
    recording: Any = None  # that the instant is of, where the system may have been edited there

    @classmethod
    def of(cls, snapshot: Snapshot, neuron: int) -> Wish:
        """The wish for a neuron at the time cursor."""
        recording = snapshot.recording
        system = recording.system_at(snapshot.step)
        names = tuple(snapshot.experiment.dataset.class_names)
        return cls(snapshot.state, system, neuron, snapshot.step, names, recording)

    def same(self, other: Wish) -> bool:
        """Whether another wish has the same answer."""
        return (
            self.state is other.state
            and self.system is other.system
            and (self.neuron, self.step) == (other.neuron, other.step)
        )

    def answer(self) -> Answer:
        """Explain it; takes about as long as four passes over the dictionary."""
        from workbench.analysis.explanation import explain  # with torch, which is loaded by now

        started = time.perf_counter()
        try:
            system, state = self.system, self.state
            if self.recording is not None:
                system, state = self.recording.departure(self.step, state)
            found = explain(system, state, self.neuron, self.step, self.names)
        except Exception as error:  # of a system; the window must go on
            log.exception("neuron %d could not be explained", self.neuron)
            words = f"{type(error).__name__}: {' '.join(str(error).split())}"
            return Answer(self, None, time.perf_counter() - started, words)
        return Answer(self, found, time.perf_counter() - started)


@dataclass(frozen=True, eq=False)
class Answer:
    """What came of a wish."""

    wish: Wish
    explanation: Explanation | None  # None: the system gives no account, or it failed
    seconds: float  # that it took
    error: str = ""


class Explainer(Latest[Wish, Answer]):
    """Answers the newest wish alone."""

    def __init__(self) -> None:
        super().__init__("explainer", lambda wish, stop: (wish.answer(),), Wish.same)
