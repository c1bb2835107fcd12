"""Two branches in words: the settings that differ, and where they part."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.engine.branches import Branch
    from workbench.engine.parting import Difference, Parting

LONGEST_WORD = 20  # letters of a word in a table; three columns fit


def settings_table(here: Branch, there: Branch, names: Sequence[str], muted: str) -> str:
    """Rich text: only what differs, the two branches side by side.

    Args:
        here: the branch of the run.
        there: the one that it is drawn over.
        names: of the two.
        muted: colour of the names of settings.
    """
    from workbench.engine.changes import rows  # with torch, which is loaded by now

    differ = rows(here.plain.asked, there.plain.asked)
    edits = [", ".join(edit.words() for edit in b.edits) or "none" for b in (here, there)]
    if edits[0] != edits[1]:
        differ.append(("edits", edits[0], edits[1]))
    gap = "&nbsp;" * 4
    lines = [("", *(f"<b>{_cell(name)}</b>" for name in names))]
    lines += [
        (f"<span style='color: {muted}'>{escape(name)}</span>", _cell(one), _cell(other))
        for name, one, other in differ
    ]
    cells = "".join(
        f"<tr>{''.join(f'<td>{cell}{gap}</td>' for cell in line)}</tr>" for line in lines
    )
    same = "" if differ else f"<p style='color: {muted}'>The settings are the same.</p>"
    return f"<table>{cells}</table>{same}"


def _cell(text: str) -> str:
    """A text whose words are short enough for a line; of a path, begin and end."""
    half = LONGEST_WORD // 2
    words = (w if len(w) <= LONGEST_WORD else f"{w[:half]}…{w[-half:]}" for w in text.split())
    return escape(" ".join(words))


def sentence(quantity: Any, alike: bool, found: Parting | None) -> str:
    """Where they part, and who does.

    Args:
        quantity: the observable that is compared; None: the system has none.
        alike: whether a neuron of one is the same as that of the other.
        found: what is known so far; None: nothing yet.
    """
    if not alike:
        return (
            "Their neurons are not the same ones, so potentials are not subtracted; the other "
            "views show both runs."
        )
    if found is None:
        return "Looking for the step at which they part …"
    output = f"What the neurons put out differs from step {found.output} on."
    if found.first is None and found.output is None:
        return f"Equal in every bit up to step {found.compared}."
    if found.first is None:
        return output
    symbol = quantity.symbol or quantity.title
    said = _difference(found.first, symbol, "They part at")
    if found.seen is not None and found.seen.step > found.first.step:
        said += " " + _difference(found.seen, symbol, "It can be seen from")
    if found.output is not None:
        said += f" {output}"
    return said


def _difference(difference: Difference, symbol: str, begin: str) -> str:
    amount = difference.here - difference.there
    words = (
        f"{begin} step {difference.step}: neuron {difference.neuron}, {symbol} "
        f"{difference.here:.4g} here and {difference.there:.4g} there, Δ = {amount:.2g}."
    )
    return words.replace("-", "−")
