"""Accuracy over time steps: how early the network could have been asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg

from workbench.desktop.theme import theme
from workbench.desktop.views.base import PlotView, coloured, quiet_legend, style_legend
from workbench.desktop.workspace import Workspace


class AnytimeView(PlotView):
    """What part of the test set each decoder would have right at each step."""

    name = "anytime"
    title = "Anytime accuracy"
    tab = "Accuracy"
    shows = (
        "What part of the test set each decoder would have right if it were asked at that step. A "
        "dot marks the step from which on the accuracy stays within 0.5 % of the last one. An "
        "image that has converged before the last step (run.tolerance) keeps its decision."
    )
    equation = "accuracy(k) = part of the test images whose class is decided at step k"
    look_for = (
        "how many steps the answer needs: often far fewer than the code needs to settle. Before "
        "any neuron fires nothing is decided, and counts as wrong. Click to go to a step."
    )

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._curves: dict[str, pg.PlotCurveItem] = {}
        self._dots: dict[str, pg.ScatterPlotItem] = {}
        self._legend = quiet_legend(self.plot, (1, 1))
        self.label_left("right (%)")
        self.restyle()

    def applies(self, system: type) -> bool:
        return system.code is not None and system.uses_dictionary

    def depends_on(self, snapshot: Any) -> tuple:
        workspace = self.workspace
        return (*super().depends_on(snapshot), workspace.evaluation, workspace.evaluating)

    def reset(self, snapshot: Any) -> None:
        self.grow_range(0.0, 100.0, fresh=True)

    @property
    def _found(self) -> dict[str, np.ndarray]:
        """Accuracy [K + 1] by decoder, as far as it is known."""
        evaluation = self.workspace.evaluation
        return evaluation.accuracy_by_step if evaluation is not None else {}

    def draw(self, snapshot: Any) -> None:
        found = self._found
        if not found:
            self.show_empty(self._why_empty())
            return
        if self._empty.isVisible():
            self.show_empty("")
        if list(found) != list(self._curves):
            self._make_curves(list(found))
        self.fit_steps(max(len(curve) for curve in found.values()) - 1)
        self.cursor.setValue(snapshot.step)
        self._show_curves(found)
        self._summary(found)

    def _why_empty(self) -> str:
        workspace = self.workspace
        if workspace.evaluating:
            return "The test set is being coded …"
        if workspace.evaluation is not None and workspace.evaluation.done:
            return "Nothing to decide: the neurons have no classes, and no perceptron is trained."
        return "Evaluate the test set (Ctrl+E) to see how early it is right."

    def _make_curves(self, decoders: list[str]) -> None:
        from workbench.analysis.anytime_figure import decoder_colour

        for item in (*self._curves.values(), *self._dots.values()):
            self.plot.removeItem(item)
        self._legend.clear()
        self._curves, self._dots = {}, {}
        for name in decoders:
            colour = decoder_colour(name)
            self._curves[name] = pg.PlotCurveItem(pen=pg.mkPen(colour, width=2))
            self._dots[name] = pg.ScatterPlotItem(size=9, brush=pg.mkBrush(colour), pen=None)
            self.plot.addItem(self._curves[name])
            self.plot.addItem(self._dots[name])
            self._legend.addItem(self._curves[name], name)

    def _show_curves(self, found: dict[str, np.ndarray]) -> None:
        from workbench.analysis.anytime_figure import settled_at

        for name, curve in found.items():
            self._curves[name].setData(np.arange(len(curve), dtype=float), 100 * curve)
            step = settled_at(curve)
            self._dots[name].setData([float(step)], [100 * curve[step]])
            words = f"{name} {100 * curve[-1]:.1f} % · from {step}"
            self._legend.getLabel(self._curves[name]).setText(words)
        style_legend(self._legend)

    def _summary(self, found: dict[str, np.ndarray]) -> None:
        """The document's decoder first."""
        from workbench.analysis.anytime_figure import decoder_colour, settled_at

        own = self.workspace.document.decoder.kind
        words = [
            f"{coloured(name, decoder_colour(name))} {100 * found[name][-1]:.1f} %, "
            f"within 0.5 % from step {settled_at(found[name])}"
            for name in sorted(found, key=lambda name: name != own)
        ]
        workspace, evaluation = self.workspace, self.workspace.evaluation
        if evaluation.done < evaluation.total:
            words.append(f"{evaluation.done} of {evaluation.total} images")
        if workspace.evaluated_words:
            words.append(workspace.evaluated_words)
        if workspace.evaluated_earlier:
            words.append(coloured("of earlier settings", theme.colours.warning))
        self.summarise(" · ".join(words))

    def restyle(self) -> None:
        super().restyle()
        style_legend(self._legend)

    def figure(self) -> Any:
        if not self._found:
            return None
        from workbench.analysis.anytime_figure import anytime_figure

        return anytime_figure(self._found, self.caption())

    def caption(self) -> str:
        return self.workspace.evaluation_caption()

    def table(self) -> tuple[list[str], np.ndarray] | None:
        found = self._found
        if not found:
            return None
        curves = list(found.values())
        return ["step", *found], np.column_stack([np.arange(len(curves[0])), *curves])
