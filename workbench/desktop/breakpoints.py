"""Running until something happens: one command for each condition of the engine."""

from __future__ import annotations

from workbench.desktop.workspace import Workspace

UNTIL = ("fires", "crosses", "decides", "rises", "converges")


class Breakpoints:
    """What the Run menu's "Run until …" asks of the runner."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def applies(self, name: str) -> bool:
        """Whether the run on screen can be told to stop at a condition."""
        workspace = self._workspace
        if workspace.experiment is None or (name == "crosses" and workspace.neuron is None):
            return False
        return workspace.engine.runner.BREAKPOINTS[name].applies(workspace.experiment.system)

    def fires(self) -> None:
        """Until a neuron begins to fire."""
        self._run_until("fires")

    def crosses(self) -> None:
        """Until the selected neuron starts or stops firing."""
        self._run_until("crosses")

    def decides(self) -> None:
        """Until the decision changes."""
        self._run_until("decides")

    def rises(self) -> None:
        """Until the energy rises."""
        self._run_until("rises")

    def converges(self) -> None:
        """Until the duality gap is small."""
        self._run_until("converges")

    def _run_until(self, name: str) -> None:
        neuron = self._workspace.neuron
        self._workspace.ask(lambda runner: runner.run_until(name, neuron))
