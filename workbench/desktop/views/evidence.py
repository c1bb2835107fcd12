"""Which class the network believes in, and since when."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg

from workbench import palette
from workbench.analysis.decision import decided_at
from workbench.desktop.views.bars import Bars
from workbench.desktop.views.base import PlotView, class_pen, coloured, of_kind, quiet_combo
from workbench.desktop.views.decoder_bars import DecoderBars, by_decoder
from workbench.desktop.views.ghosts import GhostCurves
from workbench.desktop.views.verdict import Verdict
from workbench.desktop.workspace import Workspace


class EvidenceView(PlotView):
    """The first observable of kind ``evidence``, at the cursor or over time; or all decoders."""

    name = "evidence"
    title = "Class evidence"
    tab = "Evidence"
    shows = (
        "The activity of the neurons of each class, added up. The largest sum is the decision; "
        "the true class is marked with a bar beside its name. Below, when the run stands still: "
        "when the decision was made, and which atoms were most of it."
    )
    equation = "class = argmax_c Σ |a_i| over the neurons i of class c"
    look_for = (
        "the step at which the decision is made and whether a rival led before. Click the plot "
        "to go to a step. All decoders side by side: they need not agree. The perceptron is "
        "trained when the test set is evaluated with it as the decoder."
    )

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.mode = quiet_combo("What to show", ["now", "over time", "all decoders"])
        self.mode.currentIndexChanged.connect(self._mode_chosen)
        self.header.controls.addWidget(self.mode)
        self._observable: Any = None
        self._curves: list[pg.PlotCurveItem] = []
        self._ghosts = GhostCurves(self.plot)
        self.bars = Bars()
        self._layout.addWidget(self.bars, 1)
        self.decoders = DecoderBars()
        self._layout.addWidget(self.decoders, 1)
        self.verdict = Verdict(workspace)
        self._layout.addWidget(self.verdict)
        self._mode_chosen()
        self.restyle()

    @property
    def over_time(self) -> bool:
        """Whether curves are shown instead of bars."""
        return self.mode.currentIndex() == 1

    @property
    def all_decoders(self) -> bool:
        """Whether the three decoders stand side by side."""
        return self.mode.currentIndex() == 2

    def needs(self, system: Any) -> set[str]:
        return {system.code} if self.all_decoders and system.code else set()

    def depends_on(self, snapshot: Any) -> tuple:
        shown = (self.mode.currentIndex(), self.workspace.perceptron)
        verdict = (self.verdict.made, self.workspace.running)
        return (*super().depends_on(snapshot), *shown, *verdict)

    def _mode_chosen(self) -> None:
        self._recording = None
        self._show_mode()

    def _show_mode(self) -> None:
        self.bars.setVisible(self.mode.currentIndex() == 0)
        self.widget.setVisible(self.over_time)
        self.decoders.setVisible(self.all_decoders)

    def applies(self, system: type) -> bool:
        return bool(of_kind(system, "evidence"))

    def reset(self, snapshot: Any) -> None:
        for curve in self._curves:
            self.plot.removeItem(curve)
        self._curves = []
        system = snapshot.experiment.system
        declared = [
            o for o in of_kind(system, "evidence") if snapshot.recording.summary(o.name) is not None
        ]
        self._observable = declared[0] if declared else None
        if self._observable is None and not (self.all_decoders and system.code):
            self.show_empty(
                "No evidence: the neurons have no classes. Take an exemplar dictionary."
                if of_kind(system, "evidence")
                else f"{system.title} has no classes to weigh."
            )
            return
        self._show_mode()
        if self._observable is None:
            return
        classes = system.wiring.classes
        self._curves = [pg.PlotCurveItem(pen=class_pen(c, classes)) for c in range(classes)]
        for curve in self._curves:
            self.plot.addItem(curve)
        self._ghosts.restyle([palette.class_colour(c, classes) for c in range(classes)])
        self.label_left(self._observable.symbol)
        self.fit_steps(snapshot.experiment.steps)
        self.grow_range(0.0, 1e-3, fresh=True)

    def draw(self, snapshot: Any) -> None:
        self.verdict.follow(snapshot, self._observable)
        if self.all_decoders:
            self._draw_decoders(snapshot)
            return
        if self._observable is None:
            return
        evidence = snapshot.recording.summary(self._observable.name)
        names = snapshot.experiment.dataset.class_names
        truth = snapshot.input.truth
        now = evidence[min(snapshot.step, len(evidence) - 1)]
        if self.over_time:
            steps = np.arange(len(evidence), dtype=float)
            finite = np.isfinite(evidence).all(1)
            for curve, column in zip(self._curves, evidence.T, strict=True):
                curve.setData(steps[finite], column[finite].astype(float))
            if finite.any():
                self.grow_range(0.0, float(evidence[finite].max()))
            reach = self._ghosts.show(self.ghost_rows(self._observable.name))
            if reach is not None:
                self.grow_range(0.0, reach)
            self.cursor.setValue(snapshot.step)
        else:
            self.bars.show_values(now, names, truth, self._ghost_now(snapshot.step, len(now)))
        self._summary(evidence, now, names, truth)

    def _ghost_now(self, step: int, classes: int) -> np.ndarray | None:
        """The evidence of what the run is drawn over at this step, or as far as it goes."""
        rows = self.ghost_rows(self._observable.name)
        if rows is None or rows.shape[1:] != (classes,):
            return None
        return rows[min(step, len(rows) - 1)]

    def _draw_decoders(self, snapshot: Any) -> None:
        system, dataset = snapshot.experiment.system, snapshot.experiment.dataset
        code = snapshot.observed.get(system.code)
        if code is None:
            return
        truth = snapshot.input.truth
        evidence = by_decoder(code, system.wiring, self.workspace.perceptron)
        decided = self.decoders.show_decoders(evidence, dataset.class_names, truth)
        words = [f"{decoder} {dataset.class_names[label]}" for decoder, label in decided.items()]
        self.summarise(" · ".join(words) or "undecided")

    def _summary(
        self, evidence: np.ndarray, now: np.ndarray, names: tuple[str, ...], truth: int | None
    ) -> None:
        since = decided_at(evidence)
        if since is None or not np.isfinite(now).all() or not now.max() > 0:
            self.summarise("undecided" if since is None else f"undecided until step {since}")
            return
        final = int(evidence[-1].argmax())
        colour = palette.class_colour(final, len(names))
        if truth is None:
            verdict = "· true class unknown"
        else:
            verdict = "✓" if final == truth else f"✗ it is {names[truth]}"
        self.summarise(f"{coloured(f'<b>{names[final]}</b>', colour)} since {since} {verdict}")

    def figure(self) -> Any:
        if self._observable is None:
            return None
        from workbench.analysis import figures

        snapshot = self.workspace.snapshot
        evidence = snapshot.recording.summary(self._observable.name)
        return figures.evidence_figure(
            evidence, snapshot.experiment.dataset.class_names, self.caption()
        )

    def table(self) -> tuple[list[str], np.ndarray] | None:
        if self._observable is None:
            return None
        snapshot = self.workspace.snapshot
        evidence = snapshot.recording.summary(self._observable.name)
        names = [f"class {name}" for name in snapshot.experiment.dataset.class_names]
        return ["step", *names], np.column_stack([np.arange(len(evidence)), evidence])
