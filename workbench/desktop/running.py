"""Commands on the run: go, stop, step, and where to."""

from __future__ import annotations

from collections.abc import Callable

from workbench.desktop.workspace import Workspace


class Running:
    """What the Run menu, its keys and the transport ask of the runner."""

    def __init__(self, workspace: Workspace, moved: Callable[[], None]) -> None:
        """``moved`` is called when the cursor was asked to go somewhere, before it is there."""
        self._workspace, self._moved = workspace, moved

    def toggle(self) -> None:
        """Run if it stands still, pause if it runs."""
        running = self._workspace.running
        self._workspace.ask(lambda runner: runner.set_paused(running))

    def forward(self) -> None:
        """One step on."""
        self._step(1)

    def back(self) -> None:
        """One step back."""
        self._step(-1)

    def forward_ten(self) -> None:
        """Ten steps on."""
        self._step(10)

    def back_ten(self) -> None:
        """Ten steps back."""
        self._step(-10)

    def _step(self, count: int) -> None:
        self._workspace.ask(lambda runner: runner.step(count))
        self._moved()

    def first(self) -> None:
        """Back to step 0; the record stays."""
        self._workspace.ask(lambda runner: runner.seek(0))
        self._moved()

    def last(self) -> None:
        """On to the last step, computing what is not recorded."""
        steps = self._workspace.status.steps
        self._workspace.ask(lambda runner: runner.seek(steps))
        self._moved()

    def restart(self) -> None:
        """Begin again at step 0 with a new record."""
        self._workspace.ask(lambda runner: runner.restart())

    def cancel(self) -> None:
        """Call off preparing or running."""
        self._workspace.ask(lambda runner: runner.cancel())
