"""What a run can be told to stop at, besides a number of steps.

Each condition is about the step from one recorded instant to the next, so it is found at the same
step however the run got there. A run that is not finite any more stops by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.analysis import optimality
from workbench.engine.alarm import total_energy
from workbench.engine.experiment import Experiment
from workbench.engine.recording import Recording

# A rise of the energy by less than this part of the first is the rounding of float32.
_ROUNDING = 1e-5


@dataclass(frozen=True)
class Moment:
    """One recorded instant of a run after step 0, and what a condition may look at."""

    step: int
    state: Any
    recording: Recording
    experiment: Experiment
    neuron: int | None  # the selected one

    def spikes(self, back: int = 0) -> np.ndarray:
        """The neurons that fire, at this step or so many before."""
        return self.recording.fired(self.step - back)


@dataclass(frozen=True)
class Breakpoint:
    """A condition; ``look`` says in words what happened at a moment, or nothing."""

    name: str
    title: str  # completes "Run until …"
    needs: str  # the kind of observable it looks at; "lasso": that the system solves one
    look: Callable[[Moment], str]

    def applies(self, system: Any) -> bool:
        """Whether a system has what it looks at."""
        if self.needs == "lasso":
            return type(system).solves_lasso(system.params)
        return any(o.kind == self.needs for o in system.observables)


def _fires(moment: Moment) -> str:
    begun = np.setdiff1d(moment.spikes(), moment.spikes(1))
    if len(begun) == 0:
        return ""
    if len(begun) == 1:
        return f"neuron {begun[0]} begins to fire"
    return f"{len(begun)} neurons begin to fire, neuron {begun[0]} among them"


def _crosses(moment: Moment) -> str:
    if moment.neuron is None:
        return ""
    now, before = (moment.neuron in moment.spikes(back) for back in (0, 1))
    if now == before:
        return ""
    return f"neuron {moment.neuron} {'begins to fire' if now else 'falls silent'}"


def _decides(moment: Moment) -> str:
    declared = [o for o in moment.experiment.system.observables if o.kind == "evidence"]
    rows = moment.recording.summary(declared[0].name) if declared else None
    if rows is None:  # no evidence, for one because the system was changed meanwhile
        return ""
    before, now = (_decision(rows[k]) for k in (moment.step - 1, moment.step))
    if before == now:
        return ""
    names = moment.experiment.dataset.class_names
    words = ["undecided" if one is None else f"“{names[one]}”" for one in (before, now)]
    return f"the decision changes from {words[0]} to {words[1]}"


def _decision(evidence: np.ndarray) -> int | None:
    return int(evidence.argmax()) if evidence.max() > 0 else None


def _rises(moment: Moment) -> str:
    total = total_energy(moment.recording)
    if total is None:
        return ""
    before, now = float(total[moment.step - 1]), float(total[moment.step])
    if not now > before + _ROUNDING * abs(float(total[0])):
        return ""
    return f"the energy rises from {before:.4g} to {now:.4g}"


def _converges(moment: Moment) -> str:
    lasso = moment.experiment.system.lasso(moment.state)
    if lasso is None:  # the transfer function was changed meanwhile
        return ""
    asked = moment.experiment.document.run.tolerance
    certificate = optimality.certify(lasso) if asked is None else optimality.certify(lasso, asked)
    if not bool(certificate.converged):
        return ""
    return f"converged, the energy is at most {100 * float(certificate.excess):.2g} % too high"


BREAKPOINTS = {
    point.name: point
    for point in (
        Breakpoint("fires", "a neuron begins to fire", "spikes", _fires),
        Breakpoint("crosses", "the selected neuron starts or stops firing", "spikes", _crosses),
        Breakpoint("decides", "the decision changes", "evidence", _decides),
        Breakpoint("rises", "the energy rises", "terms", _rises),
        Breakpoint("converges", "it has converged", "lasso", _converges),
    )
}
