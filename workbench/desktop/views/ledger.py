"""How far the code is from the optimum, proved, at every step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyqtgraph as pg

from workbench import palette
from workbench.desktop.theme import theme
from workbench.desktop.views.base import PlotView, coloured, small_font
from workbench.desktop.workspace import Workspace

NAMES = ("above the optimum", "duality gap", "KKT violation / λ")
LEAST = 1e-7  # of the logarithmic axis; single precision tells no more


class LedgerView(PlotView):
    """Distance from the optimum, duality gap and KKT violation over the steps."""

    name = "ledger"
    title = "Optimality"
    shows = (
        "How much energy is left to lose. The optimum is found on the side by another method, "
        "coordinate descent on the same input. The duality gap needs no optimum: the energy is at "
        "most that much too high. The KKT violation is the largest breach of what holds at the "
        "optimum, in thresholds. The axis is logarithmic."
    )
    equation = "E − E*,  gap = P(a) − D(θ),  max |φᵢᵀr − λ sign aᵢ| / λ"
    look_for = (
        "straight lines downwards: the network converges at a steady pace. A line that lies flat "
        "above the others' bottom has stopped but not converged: more steps or a larger step Δt "
        "help; one that rises needs a smaller step. Click to go to a step."
    )

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._curves: list[pg.PlotCurveItem] = []
        self._names = pg.TextItem(anchor=(1, 0))
        self.plot.addItem(self._names, ignoreBounds=True)
        self.plot.getAxis("left").setLogMode(y=True)
        self.restyle()

    def applies(self, system: type) -> bool:
        return system.poses_lasso

    def depends_on(self, snapshot: Any) -> tuple:
        return (*super().depends_on(snapshot), self.workspace.ledger.of(snapshot, entries=True))

    def reset(self, snapshot: Any) -> None:
        for curve in self._curves:
            self.plot.removeItem(curve)
        self._curves = []
        system = snapshot.experiment.system
        if not type(system).solves_lasso(system.params):
            self.show_empty("Only under the soft threshold is there one optimum to be far from.")
            return
        self._curves = [pg.PlotCurveItem(pen=pg.mkPen(colour, width=1)) for colour in _colours()]
        for curve in self._curves:
            self.plot.addItem(curve)
        self.label_left("distance from the optimum")
        self.fit_steps(snapshot.experiment.steps)
        self.grow_range(-1.0, 1.0, fresh=True)

    def draw(self, snapshot: Any) -> None:
        ledger = self.workspace.ledger.of(snapshot, entries=True)
        if not self._curves or ledger is None:
            return
        steps, values = _columns(ledger)
        drawn: list[float] = []
        for curve, column in zip(self._curves, values.T, strict=True):
            shown = np.isfinite(column)
            curve.setData(steps[shown].astype(float), column[shown])
            drawn += column[shown].tolist()
        if drawn:
            self.grow_range(min(drawn), max(drawn))
        self._names.setPos(snapshot.experiment.steps, self._range[1])
        self.cursor.setValue(snapshot.step)
        self.summarise(self._line(ledger, snapshot.step))

    def _line(self, ledger: Any, step: int) -> str:
        """What is proved of the code at the cursor, in words."""
        if not ledger.entries:
            return "looking for the optimum …"
        near = min(ledger.entries, key=lambda known: abs(known - step))
        entry = ledger.entries[near]
        if not math.isfinite(entry.excess):
            return "not converged · nothing is proved yet"
        if entry.converged:
            return f"converged · at most {100 * entry.excess:.2g} % too high"
        words = f"at most {100 * entry.excess:.2g} % too high"
        if ledger.optimum is not None and near >= ledger.start:  # then it is known
            above = (entry.energy - ledger.optimum.energy) / ledger.optimum.energy
            words = f"{100 * max(above, 0.0):.2g} % too high"
        return coloured(f"not converged · {words}", theme.colours.warning)

    def restyle(self) -> None:
        super().restyle()
        self._names.setFont(small_font())
        named = zip(NAMES, _colours(), strict=True)
        self._names.setHtml("<br>".join(coloured(name, colour) for name, colour in named))

    def figure(self) -> Any:
        ledger = self._ledger()
        if ledger is None:
            return None
        from workbench.analysis import figures

        steps, values = _columns(ledger)
        parts = (steps, 10.0**values, NAMES, _colours())
        return figures.traces_figure(
            *parts, ylabel="distance from the optimum", caption=self.caption(), log=True
        )

    def table(self) -> tuple[list[str], np.ndarray] | None:
        ledger = self._ledger()
        if ledger is None:
            return None
        steps, values = _columns(ledger)
        return ["step", "above_optimum", "duality_gap", "kkt_violation"], np.column_stack(
            [steps, 10.0**values]
        )

    def _ledger(self) -> Any:
        ledger = self.workspace.ledger.of(self.workspace.snapshot, entries=True)
        return ledger if ledger is not None and ledger.entries and self._curves else None


def _colours() -> tuple[str, ...]:
    return (theme.colours.text, *palette.TERM_COLOURS[:2])


def _columns(ledger: Any) -> tuple[np.ndarray, np.ndarray]:
    """Steps [n] and log₁₀ of what `NAMES` says, [n, 3]; NaN where there is nothing to say."""
    steps, entries = ledger.rows()
    rows = np.array([(np.nan, e.gap, e.violation) for e in entries]).reshape(-1, 3)
    if ledger.optimum is not None:
        energies = np.array([e.energy for e in entries]) - ledger.optimum.energy
        rows[:, 0] = np.where(steps >= ledger.start, energies, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        return steps, np.log10(np.maximum(rows, LEAST))
