"""Where in the plane of two parameters a network is silent, sparse, dense, or falls apart."""

from __future__ import annotations

import html
from typing import Any

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QLabel, QWidget

from workbench.analysis import regimes
from workbench.analysis.regimes import REGIMES, SIGNS, Node
from workbench.desktop.regimes import Mapper
from workbench.desktop.views.base import View, choice_row, coloured, quiet_combo
from workbench.desktop.views.regime_plot import RegimePlot
from workbench.desktop.views.regime_words import RULES, figures_of, values_at
from workbench.desktop.workspace import Workspace
from workbench.errors import InputError
from workbench.palette import REGIME_COLOURS
from workbench.parameters import declared

TOOL_TIP = Qt.ItemDataRole.ToolTipRole
SPEEDS = ("time_step", "time_constant")  # what is asked for beside the threshold, if declared


class RegimesView(View):
    """A map over two parameters, made in the background while it can be seen."""

    name = "regimes"
    title = "Map of regimes"
    tab = "Regimes"
    shows = (
        "What becomes of the network under other values of two parameters. Each sign is a run from "
        "silence over all steps, of the watched image and three others of the test set, most of "
        "which decide; the map grows finer where neighbours differ. The ring is where you are; a "
        f"click takes you elsewhere. The first rule that holds:{RULES}"
    )
    equation = "silent where max |b| &lt; λ; stable where η = Δt/τ ≤ 2 / λ_max(G of the active)"
    look_for = (
        "the way from silence to sparse codes as the threshold falls, and from there to the edge: "
        "the more neurons fire together, the shorter the step must be. Stay well inside."
    )

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.mapper = Mapper()
        self.up = quiet_combo("Parameter upwards", [])
        self.across = quiet_combo("Parameter across", [])
        self.plot = RegimePlot(self._describe)
        self.plot.chosen.connect(self._jump)
        self.legend = QLabel(wordWrap=True)
        self.legend.setProperty("role", "small")
        self.legend.setToolTip(RULES.removeprefix("<br>"))
        self._layout.addWidget(self._bar())
        self._layout.addWidget(self.plot, 1)
        self._layout.addWidget(self.legend)
        self._shown: Any = None  # the wish that the axes are of
        self._pair: tuple[str, str] = ("", "")  # the last choices that differed
        for combo in (self.up, self.across):
            combo.currentIndexChanged.connect(self._chosen)
        workspace.experimentChanged.connect(self._let_go)
        workspace.closing.connect(self.mapper.close)
        self.restyle()

    def _bar(self) -> QWidget:
        return choice_row(("↑", self.up), ("→", self.across))

    def restyle(self) -> None:
        super().restyle()
        self._shown = None
        names = zip(REGIME_COLOURS, SIGNS, REGIMES, strict=True)
        parts = (f"{coloured('■', c)}&nbsp;{sign}&nbsp;{name}" for c, sign, name in names)
        self.legend.setText("&nbsp; ".join(parts))

    # -- what it is of ---------------------------------------------------------------------------

    def applies(self, system: type) -> bool:
        numbers = [p for p in declared(system.Params) if p.slider is not None]
        return len(numbers) >= 2 and any(o.kind == "spikes" for o in system.observables)

    def refresh(self) -> None:
        """Also let the map grow, unless others need all there is."""
        super().refresh()
        if not self._resting:
            self.mapper.work()

    @property
    def _resting(self) -> bool:
        """Whether a run at full speed, or the next network being built, goes first."""
        workspace = self.workspace
        fast = workspace.running and workspace.document.view.speed is None
        return fast or workspace.status is None or workspace.status.state.value == "preparing"

    def _let_go(self, experiment: Any) -> None:
        """Another network: what is still being made of the one before is of no use."""
        wish = self.mapper.wish
        if wish is not None and wish.experiment.system.wiring is not experiment.system.wiring:
            self.mapper.call_off()

    def _offer(self, system: Any) -> None:
        """The parameters to choose from; what was chosen stays, where it can."""
        from workbench.engine.regimes import offered  # with torch, which is loaded by now

        known = {p.name: p for p in offered(system)}
        if [self.up.itemData(i) for i in range(self.up.count())] == list(known):
            return
        before = self.names
        for combo in (self.up, self.across):
            blocker = QSignalBlocker(combo)
            combo.clear()
            for name, parameter in known.items():
                combo.addItem(f"{parameter.symbol} {parameter.label.lower()}".strip(), name)
                combo.setItemData(combo.count() - 1, parameter.meaning, TOOL_TIP)
            blocker.unblock()
        kept = before if set(before) <= set(known) else _natural(system, list(known))
        self._pair = kept
        self._select(*kept)

    @property
    def names(self) -> tuple[str, str]:
        """The parameters across and up."""
        return self.across.currentData(), self.up.currentData()

    def _select(self, across: str, up: str) -> None:
        for combo, name in ((self.across, across), (self.up, up)):
            blocker = QSignalBlocker(combo)
            combo.setCurrentIndex(combo.findData(name))
            blocker.unblock()

    def _chosen(self) -> None:
        """Another parameter; that of the other axis is swapped for the one before."""
        across, up = self.names
        if across == up:
            self._select(*reversed(self._pair))
        self._pair = self.names

    def _jump(self, node: Node) -> None:
        """Set both parameters to those of a node, as one change."""
        workspace, wish = self.workspace, self.mapper.wish
        document = workspace.document
        if wish is None:
            return
        try:
            for name, value in wish.values(node).items():
                document = document.with_value(f"system.{name}", value)
            workspace.engine.experiment.system_params(document)
        except InputError as error:  # the document has become that of another system
            workspace.complained.emit(str(error))
            return
        if document != workspace.document:
            workspace.change(document, f"Set {' and '.join(wish.names)}")

    # -- drawing ---------------------------------------------------------------------------------

    def depends_on(self, snapshot: Any) -> tuple:
        mapper = self.mapper
        state = (mapper.map, mapper.working, mapper.error, self._resting)
        return (snapshot.experiment, snapshot.input, *self.names, *state)

    def draw(self, snapshot: Any) -> None:
        from workbench.engine.regimes import NODES, Wish

        experiment = snapshot.experiment
        if not self.applies(type(experiment.system)):
            self.show_empty(f"{experiment.system.title} has no two parameters to map.")
            return
        self._offer(experiment.system)
        self.mapper.want(Wish.of(experiment, *self.names, snapshot.input))
        wish, found = self.mapper.wish, self.mapper.map
        if wish is not self._shown:
            self._shown = wish
            self.plot.show_axes(wish.across.ticks(), wish.up.ticks(), NODES, wish.here)
        here = self._here(experiment, wish)
        self.plot.show_areas(_areas(found), here)
        self._say(found, here)

    def _here(self, experiment: Any, wish: Any) -> tuple[float, float]:
        """The present values, in nodes."""
        params = experiment.system.params
        axes = zip((wish.across, wish.up), wish.names, strict=True)
        return tuple(axis.place(getattr(params, name)) for axis, name in axes)

    def _say(self, found: Any, here: tuple[float, float]) -> None:
        if self.mapper.error:
            self.summarise(f"stopped: {html.escape(self.mapper.error)}")
            return
        around = found.at(*here) if found else None
        words = [f"<b>{REGIMES[around[1].regime]}</b> here"] if around else []
        runs = len(found.cells) if found else 0
        words.append(f"{runs} runs" + (" …" if self.mapper.working else ""))
        if self._resting and self.mapper.working:
            words.append("goes on when the network rests")
        self.summarise(" · ".join(words))

    def _describe(self, node: Node) -> str:
        """The figures of the run that a node was judged by."""
        wish, found = self.mapper.wish, self.mapper.map
        if wish is None:
            return ""
        there, near = values_at(wish, node), found.at(*node) if found else None
        if near is None:
            return f"{there}\nnot run yet"
        if near[0] != node:
            there += f"\nnot run; the nearest run was at {values_at(wish, near[0])}"
        return f"{there}\n{figures_of(near[1])}"

    # -- export ----------------------------------------------------------------------------------

    def figure(self) -> Any:
        found = self.mapper.map
        if found is None:
            return None
        from workbench.analysis.regime_figure import regimes_figure
        from workbench.engine.regimes import NODES

        wish = found.wish
        axes = [(axis.title, axis.ticks()) for axis in (wish.across, wish.up)]
        here = self._here(self.workspace.experiment, wish)
        return regimes_figure(_areas(found), axes, NODES, here, self.caption())

    def caption(self) -> str:
        wish = self.mapper.wish
        images = f"{wish.watched.name} and {len(wish.others)} other test images"
        return f"{self.workspace.name}, {images}, runs over all steps"

    def table(self) -> tuple[list[str], np.ndarray] | None:
        found = self.mapper.map
        if found is None:
            return None
        names = found.wish.names
        columns = [*names, "regime", "image", "regime of the image", "fire at most"]
        columns += ["fire at the end", "energy at the end", "energy of silence"]
        images = (found.wish.watched.name, *(f"test sample {s}" for s in found.wish.others))
        rows = []
        for node, cell in sorted(found.cells.items()):
            values = [found.wish.values(node)[name] for name in names]
            for place, image in enumerate(images):
                energy = [""] * 2
                if cell.energy is not None:
                    energy = [cell.energy[place], cell.silence[place]]
                each = [REGIMES[cell.regimes[place]], cell.peak[place], cell.last[place], *energy]
                rows.append([*values, REGIMES[cell.regime], image, *each])
        return columns, np.array(rows, dtype=object)


def _natural(system: Any, names: list[str]) -> tuple[str, str]:
    """What to begin with: the threshold across, the time step or constant upwards."""
    thresholds = [o.threshold for o in system.observables if o.threshold in names]
    across = (thresholds or names)[0]
    speeds = [name for name in (*SPEEDS, *names) if name in names and name != across]
    return across, speeds[0]


def _areas(found: Any) -> list[tuple[Node, int, int]]:
    if found is None:
        return []
    from workbench.engine.regimes import COARSE

    cells = found.cells
    return [(node, side, cells[node].regime) for node, side in regimes.areas(tuple(cells), COARSE)]
