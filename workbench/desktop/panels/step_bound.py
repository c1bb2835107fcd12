"""The step of the network beside the largest that its active neurons allow, in one line."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QLabel, QWidget

NEAR = 0.7  # of the bound; from there on the line is amber

EXPLAINED = """
<p><b>Step against its bound</b></p>
<p>In one step u goes the part η of the way to its goal: Δt/τ, or 1 − exp(−Δt/τ) with the
exponential integrator. The active neurons settle only while</p>
<p>η &lt; 2 / λ<sub>max</sub>(G),&nbsp; G = Φ<sub>A</sub>ᵀΦ<sub>A</sub>,</p>
<p>where Φ<sub>A</sub> are the atoms of the neurons active now ({active}): the more alike they are,
the smaller it is. Above the bound ({limit}) they overshoot more and more, and the energy
rises.</p>
<p>Amber from {near:.0f} % of the bound on, red beyond it.</p>
"""


class StepBound(QLabel):
    """η against 2 / λ_max(G); hidden where a system solves no Lasso."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)  # without one it would be a window of its own
        self.setWordWrap(True)  # thousands of active neurons need a second line
        self.setProperty("role", "bound")
        self.setProperty("level", "")
        self.setAccessibleName("Step and the largest stable step")
        self.hide()
        self._shown: Any = None

    def show_bound(self, bound: Any) -> None:
        """Show a `stability.Bound`, or nothing if there is none."""
        if bound == self._shown:
            return
        self._shown = bound
        self.setVisible(bound is not None)
        if bound is None:
            return
        against = ">" if bound.exceeded else "·"
        active = f"{bound.active:,}".replace(",", " ")
        self.setText(f"η = {bound.step:.2g} {against} bound {bound.limit:.2g} ({active} active)")
        limit = f"{bound.limit:.3g}"
        self.setToolTip(EXPLAINED.format(active=active, limit=limit, near=100 * NEAR))
        near = "near" if bound.step > NEAR * bound.limit else ""
        self._colour("exceeded" if bound.exceeded else near)

    def _colour(self, level: str) -> None:
        if self.property("level") != level:
            self.setProperty("level", level)
            self.style().unpolish(self)
            self.style().polish(self)
