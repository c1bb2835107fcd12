"""Why one neuron fires at the next step, or stays silent, and what would have changed that.

`System.account` splits the step of a potential into parts. Here they become a sentence, and the
least change of one thing alone, all else as it is, after which the step would have ended on the
other side of the threshold:

- *threshold*: another λ for the whole network in this step, its other neurons included: u_{k+1}
  follows λ through the activations T_λ(u_k), piecewise linearly, so the nearest turn is exact;
- *drive*: another drive of this neuron; u_{k+1} follows it with the slope ``Account.gain``;
- *rivals*: the fewest neurons whose silence in this step lets it fire. Their shares add up, so
  these are the largest ones.

The step η is that of this step also where the integrator would choose another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from workbench.parameters import declared
from workbench.systems.protocol import Account, Competition, Part, System

# Pushes that differ by less than this part count as balanced.
_BALANCED = 0.005
# A network that gets there is on its way to infinity: no signal is nearly so strong.
_HUGE = 1e12
# Neurons that are named one by one; beyond them, they are counted.
_NAMED = 4
# Where the potential goes, said where one would not expect it.
_RISING, _FALLING = ", still rising", ", falling"


@dataclass(frozen=True)
class Change:
    """One thing that would have made a neuron fire, or silenced it."""

    kind: str  # "threshold", "drive" or "rivals"
    text: str
    value: float | None = None  # the threshold or the drive at which it turns
    neurons: tuple[int, ...] = ()  # whose silence suffices; empty: nobody's


@dataclass(frozen=True, eq=False)
class Explanation:
    """One neuron in the step from ``step`` to the next."""

    neuron: int
    step: int
    before: float  # u_k
    after: float  # u_{k+1}
    threshold: float
    signed: bool  # whether it fires beyond −threshold, too
    symbol: str  # of the potential
    threshold_symbol: str
    fires: bool
    bounded: bool  # False: the network has blown up, and there is nothing to weigh
    parts: tuple[Part, ...]  # as in `Account`
    sentence: str
    changes: tuple[Change, ...]

    @property
    def heading(self) -> str:
        """What each of the changes would lead to."""
        return f"It would {'be silent' if self.fires else 'fire'} at step {self.step + 1}"


def explain(
    system: System, state: Any, neuron: int, step: int, names: Sequence[str] = ()
) -> Explanation | None:
    """Why a neuron fires after ``step``, or not; None where the system gives no account.

    Args:
        system: that makes the next step.
        state: of one sample, at ``step``.
        neuron: whom to explain.
        step: k, for the words.
        names: of the classes; empty: no classes are named.

    Raises:
        ValueError: the state is of more than one sample, or there is no such neuron.
    """
    account = system.account(state, neuron)
    if account is None:
        return None
    observable = next(o for o in system.observables if o.threshold)
    threshold = getattr(system.params, observable.threshold)
    symbols = {p.name: p.symbol for p in declared(type(system.params))}
    words = _Words(
        neuron,
        step,
        observable.symbol,
        symbols[observable.threshold],
        threshold,
        observable.signed,
        _classes(system, names),
    )
    numbers = (account.before, account.after, *(part.value for part in account.parts))
    bounded = all(abs(number) < _HUGE for number in numbers)  # False for NaN
    return Explanation(
        neuron=neuron,
        step=step,
        before=account.before,
        after=account.after,
        threshold=threshold,
        signed=observable.signed,
        symbol=words.symbol,
        threshold_symbol=words.threshold_symbol,
        fires=account.fires,
        bounded=bounded,
        parts=account.parts,
        sentence=_sentence(words, account) if bounded else _blown_up(words, account.after),
        changes=_changes(words, account) if bounded else (),
    )


# -- what would have changed it ----------------------------------------------------------------


class _Words(NamedTuple):
    """What the sentences need to know beside the account."""

    neuron: int
    step: int
    symbol: str
    threshold_symbol: str
    threshold: float
    signed: bool
    classes: Sequence[str] | None  # [M], of each neuron

    def who(self, neuron: int) -> str:
        """A neuron by its number and its class."""
        return f"{neuron}{_of_class(self.classes, neuron)}"


def _changes(words: _Words, account: Account) -> tuple[Change, ...]:
    if account.gain == 0:
        return ()  # it rests, whatever else is changed
    found = [_threshold_change(words, account), _drive_change(words, account)]
    if not account.fires and account.competition is not None:
        found.append(_rivals_change(words, account))
    return tuple(change for change in found if change is not None)


def _threshold_change(words: _Words, account: Account) -> Change | None:
    turn = nearest_threshold(
        account.after, account.competition, words.threshold, words.signed, account.fires
    )
    if turn is None or turn <= 0:
        return None
    sign = ">" if account.fires else "≤"
    limit = f"{words.threshold_symbol} {sign} {_exact(turn)}"
    return Change("threshold", f"with threshold {limit} ({_now(words.threshold, turn)})", turn)


def _drive_change(words: _Words, account: Account) -> Change:
    side = _side(words, account.after)
    turn = account.drive + (side * words.threshold - account.after) / account.gain
    less = (side > 0) == account.fires
    sign = ("<" if less else ">") if account.fires else ("≤" if less else "≥")
    limit = f"{account.parts[0].name} {account.drive_symbol} {sign} {_exact(turn)}"
    return Change("drive", f"with {limit} ({_now(account.drive, turn)})", turn)


def _rivals_change(words: _Words, account: Account) -> Change:
    sides = (1, -1) if words.signed else (1,)
    sets = [_fewest(account, side, words.threshold) for side in sides]
    found = min((s for s in sets if s is not None), key=len, default=None)
    if found is None:
        return Change("rivals", "nothing that rivals do keeps it silent")
    if len(found) == 1:
        return Change("rivals", f"without neuron {words.who(found[0])} alone", neurons=found)
    less = "no single rival is" if len(found) == 2 else "no fewer are"
    return Change("rivals", f"without {_listed(words, found)}; {less} enough", neurons=found)


def _fewest(account: Account, side: int, threshold: float) -> tuple[int, ...] | None:
    """The fewest rivals without whom the potential reaches ``side · threshold``; or None."""
    reached, gone = side * account.after, []
    for part in account.parts:  # rivals come largest first
        if part.neuron is not None and side * part.value < 0:
            reached -= side * part.value
            gone.append(part.neuron)
            if reached >= threshold:
                return tuple(gone)
    return None


def nearest_threshold(
    after: float, competition: Competition | None, threshold: float, signed: bool, fires: bool
) -> float | None:
    """The threshold nearest to the present one at which the neuron does the other thing.

    Between two neighbouring |u_m| the same neurons are active, and the potential after the step
    is linear in λ.

    Args:
        after: u_{k+1} under ``threshold``.
        competition: how it follows the threshold; None: not at all.
        threshold: λ now.
        signed: whether it also fires beyond −λ.
        fires: whether it fires now. If so the answer is the infimum of the higher thresholds that
            silence it, else the highest of the lower ones, 0 included, at which it fires.
    """
    pieces = _Pieces.of(after, competition, threshold)
    low, high = pieces.low.clamp(min=0.0), pieces.high
    if fires:
        low = low.clamp(min=threshold)
    else:
        high = high.clamp(max=threshold)
    there = low < high
    if not there.any():
        return None
    low, high, level, slope = (part[there] for part in (low, high, pieces.level, pieces.slope))
    turns = []
    for side in (1.0, -1.0) if signed else (1.0,):
        # excess(λ) = side · u(λ) − λ = start + rise · λ; it fires where an excess is not negative
        start, rise = side * level, side * slope - 1.0
        turns.append((start, rise, -start / rise))
    return _first_silent(low, high, turns) if fires else _last_firing(low, high, turns)


def _last_firing(low: Tensor, high: Tensor, turns: list) -> float | None:
    """The largest λ of the pieces (low, high] at which one of the excesses is not negative."""
    found = []
    for start, rise, root in turns:
        inside = (rise < 0) & (root > low) & (root <= high)
        found.append(torch.where(inside, root, -torch.inf))
        # at the upper end itself; a piece without an end is not looked at from there
        found.append(torch.where((start + rise * high >= 0) & high.isfinite(), high, -torch.inf))
    best = float(torch.stack(found).max())
    return best if math.isfinite(best) else None


def _first_silent(low: Tensor, high: Tensor, turns: list) -> float | None:
    """The least λ of the pieces (low, high] above which every excess is negative.

    Of the two excesses at most one is positive, for they add up to −2λ.
    """
    positive = [start + rise * low >= 0 for start, rise, _ in turns]
    found = [torch.where(~torch.stack(positive).any(0), low, torch.inf)]
    for fires, (_, rise, root) in zip(positive, turns, strict=True):
        inside = fires & (rise < 0) & (root >= low) & (root < high)
        found.append(torch.where(inside, root, torch.inf))
    best = float(torch.stack(found).min())
    return best if math.isfinite(best) else None


class _Pieces(NamedTuple):
    """u_{k+1} as a function of the threshold: level + slope · λ on (low, high]; [M + 1] each."""

    low: Tensor
    high: Tensor
    level: Tensor
    slope: Tensor

    @classmethod
    def of(cls, after: float, competition: Competition | None, threshold: float) -> _Pieces:
        zero = torch.zeros(1, dtype=torch.float64)
        end = torch.full_like(zero, torch.inf)
        if competition is None:
            return cls(zero, end, torch.full_like(zero, after), zero)
        size, order = competition.potentials.abs().cpu().sort(descending=True)
        u, pulls = competition.potentials.cpu()[order], competition.pulls.cpu()[order]
        level = torch.cat((zero, (pulls * u).cumsum(0)))
        slope = torch.zeros_like(level)
        if not competition.hard:
            slope = torch.cat((zero, -(pulls * u.sign()).cumsum(0)))
        active = int((size >= threshold).sum())
        alone = after - float(level[active] + slope[active] * threshold)
        return cls(torch.cat((size, zero)), torch.cat((end, size)), alone + level, slope)


# -- words -------------------------------------------------------------------------------------


def _sentence(words: _Words, account: Account) -> str:
    was = account.before >= words.threshold
    if words.signed:
        was = abs(account.before) >= words.threshold
    verb = {
        (True, True): "fires on",
        (False, True): "begins to fire",
        (True, False): "falls silent",
        (False, False): "stays silent",
    }[was, account.fires]
    if account.gain == 0:
        end = f": {account.note}."
    else:
        reason, trend = _reason(words, account)
        if account.note:
            end = f": {account.note}. {_upper(reason)}."
        else:
            expected = _RISING if account.fires else _FALLING  # what needs no saying
            end = f"{'' if trend == expected else trend}: {reason}."
    level = f"{words.symbol} = {_exact(account.after)}"
    limit = f"{words.threshold_symbol} = {_exact(words.threshold)}"
    subject = f"Neuron {words.who(words.neuron)} {verb} at step {words.step + 1}"
    return f"{subject} with {level} ({limit}){end}"


def _reason(words: _Words, account: Account) -> tuple[str, str]:
    """What pushes against what, in units of the drive, and where that takes the potential."""
    side = _side(words, account.after)
    ups, downs, up, down = [], [], 0.0, 0.0
    for value, phrase in _pushes(words, account, side):
        size = abs(value) / account.gain
        if value > 0:
            ups.append(phrase)
            up += size
        elif value < 0:
            downs.append(phrase)
            down += size
    if not ups and not downs:
        return "nothing moves it", ""
    if not downs:
        return f"nothing holds {_joined(ups)} back", _RISING
    if not ups:
        return f"nothing stands against {_joined(downs)}", _FALLING
    trend, verb = "", _verb(ups, "balances", "balance")
    if up > (1 + _BALANCED) * down:
        trend, verb = _RISING, _verb(ups, "outweighs", "outweigh")
    elif down > (1 + _BALANCED) * up:
        trend, verb = _FALLING, _verb(ups, "does", "do") + " not make up for"
    return f"{_joined(ups)} {verb} {_joined(downs)}", trend


def _pushes(words: _Words, account: Account, side: int) -> list[tuple[float, str]]:
    """What each of the neuron's own parts, and all rivals together, add on ``side``, in words."""
    found = []
    for place, part in enumerate(account.parts):
        if part.neuron is None and not part.jump:
            size = _short(abs(part.value) / account.gain)
            found.append((side * part.value, f"{'the' if place else 'its'} {part.name} of {size}"))
    rivals = [part for part in account.parts if part.neuron is not None]
    total = side * math.fsum(part.value for part in rivals)
    if rivals:
        name = "inhibition" if total < 0 else "support"
        size = _short(abs(total) / account.gain)
        found.append((total, f"the {name} of {size} by {_named(words, rivals, total, side)}"))
    return found


def _named(words: _Words, rivals: list[Part], total: float, side: int) -> str:
    """How many rivals there are, and who among them does most."""
    alike = [part for part in rivals if side * part.value * total > 0]
    if len(rivals) == 1:
        return f"neuron {words.who(rivals[0].neuron)}"
    count = f"{len(rivals)} rivals"
    if not alike:
        return count
    most = abs(alike[0].value) > 0.5 * math.fsum(abs(part.value) for part in alike)
    share = "most of it" if most else "the most"
    return f"{count}, {share} by neuron {words.who(alike[0].neuron)}"


def _blown_up(words: _Words, after: float) -> str:
    level = f"{after:.1e}" if math.isfinite(after) else "no finite number"
    return (
        f"The network has blown up: at step {words.step + 1} the potential of neuron "
        f"{words.who(words.neuron)} is {level}. Go back to a step before the energy rose, or take "
        "a smaller time step."
    )


def _side(words: _Words, after: float) -> int:
    """The side of the threshold that is nearer: +1, or −1 below zero where that counts."""
    return -1 if words.signed and after < 0 else 1


def _listed(words: _Words, neurons: tuple[int, ...]) -> str:
    shown = [words.who(neuron) for neuron in neurons[:_NAMED]]
    left = len(neurons) - len(shown)
    if left:
        return f"neurons {', '.join(shown)} and {left} more"
    return f"neurons {', '.join(shown[:-1])} and {shown[-1]}"


def _classes(system: System, names: Sequence[str]) -> Sequence[str] | None:
    labels = system.wiring.labels
    return None if labels is None or not names else _Labelled(labels, names)


class _Labelled(Sequence[str]):
    """The class names of neurons, looked up one by one: there may be very many."""

    def __init__(self, labels: Tensor, names: Sequence[str]) -> None:
        self._labels, self._names = labels, names

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, neuron: Any) -> Any:
        return self._names[int(self._labels[neuron])]


def _of_class(classes: Sequence[str] | None, neuron: int) -> str:
    if classes is None:
        return ""
    name = classes[neuron]
    vowel = name[:1].lower() in "aeiou8" or name in ("11", "18")
    return f" ({'an' if vowel else 'a'} {name})"


def _joined(phrases: list[str]) -> str:
    if len(phrases) < 3:
        return " and ".join(phrases)
    return f"{', '.join(phrases[:-1])} and {phrases[-1]}"


def _verb(subjects: list[str], one: str, many: str) -> str:
    return one if len(subjects) == 1 else many


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _now(now: float, turn: float) -> str:
    """What it is now, and its multiple that would do, where that says something."""
    times = turn / now if now else 0.0
    return f"now {_exact(now)}, × {times:.3g}" if 1e-3 < times < 1e3 else f"now {_exact(now)}"


def _short(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


def _exact(value: float) -> str:
    return f"{value:.4g}".replace("-", "−")
