"""Where two runs part: the first step at which they differ, who differs there, and by how much.

Two branches share the very states up to where one forked from the other; from there on every
recorded step is compared, number by number. A difference in the last bit of one potential counts;
beside it stands the first step at which one is worth seeing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from workbench.engine.branches import Branch
from workbench.engine.recording import Recording

SEEN = 0.01  # of the threshold: a difference of potentials that can be seen


@dataclass(frozen=True)
class Difference:
    """One neuron at one step of two runs."""

    step: int
    neuron: int  # the one that differs most
    here: float  # its potential on the first branch
    there: float


@dataclass(frozen=True)
class Parting:
    """What is known so far of where two branches part."""

    compared: int  # the potentials, up to this step
    first: Difference | None = None  # any difference of the potentials
    seen: Difference | None = None  # one of at least `SEEN` of the threshold
    output: int | None = None  # the first step at which what the systems put out differs
    outputs: int = -1  # these were compared up to this step

    def is_all_up_to(self, last: int) -> bool:
        """Whether no more can be known of runs recorded up to a step."""
        potentials = self.seen is not None or self.compared >= last
        return potentials and (self.output is not None or self.outputs >= last)


def comparable(a: Branch, b: Branch) -> bool:
    """Whether a neuron of one stands for the same atom or pixel as that of the other."""
    one, two = a.plain.asked, b.plain.asked
    same = all(
        getattr(one, part) == getattr(two, part) for part in ("data", "backbone", "dictionary")
    )
    return same and a.experiment.system.kind == b.experiment.system.kind


def potential_of(system: Any) -> Any:
    """The observable that a neuron fires by, or the first of its quantities; None: it has none."""
    traces = [o for o in system.observables if o.kind == "trace"]
    return next((o for o in traces if o.threshold), traces[0] if traces else None)


def partings(
    a: Branch,
    b: Branch,
    stop: Callable[[], bool] = lambda: False,
    found: Parting = Parting(0),
) -> Iterator[Parting]:
    """What is known of where two comparable branches part, as one looks at later and later steps.

    Ends at the last step that both have recorded, or where all that is asked for is found.

    Args:
        a: one of the two.
        b: the other.
        stop: asked at each step.
        found: what is known of the two already, to go on from.
    """
    quantity, step = potential_of(a.experiment.system), found.compared
    if quantity is None or found.seen is not None:  # no potentials to subtract, or no need to
        last = min(a.recording.head, b.recording.head)
        step = last if quantity is None else step
        yield replace(_outputs(found, a, b, last), compared=step)
        return
    here, there = a.recording.state(step), b.recording.state(step)
    while True:
        last = min(a.recording.head, b.recording.head)
        if here is not there:
            found = _looked(found, step, quantity, (a, here), (b, there))
        found = replace(_outputs(found, a, b, last), compared=step)
        if stop():
            return
        if step >= last or found.seen is not None:
            yield found
            return
        if step % 10 == 0:
            yield found
        here = a.recording.following(step, here)
        there = b.recording.following(step, there)
        step += 1


def _outputs(found: Parting, a: Branch, b: Branch, last: int) -> Parting:
    """What is known when outputs are compared, too: their digests are chained, so from the first
    difference on all differ.
    """
    low, high = 0, last + 1
    while low < high:
        middle = (low + high) // 2
        if a.recording.digest(middle) == b.recording.digest(middle):
            low = middle + 1
        else:
            high = middle
    return replace(found, output=low if low <= last else None, outputs=last)


def _looked(
    found: Parting, step: int, quantity: Any, a: tuple[Branch, Any], b: tuple[Branch, Any]
) -> Parting:
    values = [_values(branch.recording, step, state, quantity.name) for branch, state in (a, b)]
    first, seen = found.first, found.seen
    if not torch.equal(*values) and bool((values[0] != values[1]).any()):
        gap = (values[0] - values[1]).abs().nan_to_num(nan=torch.inf)
        neuron = int(gap.argmax())
        here = Difference(step, neuron, *(float(v[neuron]) for v in values))
        first = first or here
        if float(gap[neuron]) >= SEEN * _threshold(a[0], quantity):
            seen = here
    return replace(found, first=first, seen=seen)


def _values(recording: Recording, step: int, state: Any, name: str) -> Tensor:
    """One quantity of all neurons, [M] float64."""
    return recording.observer(step).observe(state, (name,))[name][0].cpu().double()


def _threshold(branch: Branch, quantity: Any) -> float:
    system = branch.experiment.system
    return getattr(system.params, quantity.threshold) if quantity.threshold else 1.0
