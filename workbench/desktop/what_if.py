"""What if: while a slider is dragged, the run that its value would give is drawn as a ghost."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from workbench.desktop.latest import Latest
from workbench.document import Document
from workbench.errors import InputError

if TYPE_CHECKING:
    from workbench.desktop.workspace import Workspace

log = logging.getLogger(__name__)


class WhatIf:
    """The value that is tried and the record of what it would do."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._worker: Latest[Any, Any] = Latest("what-if", _rollout)
        self.document: Document | None = None  # as it would be; None: nothing is tried
        self._trial: Any = None  # where the run stood then

    @property
    def recording(self) -> Any:
        """What the value tried would do, as far as it is known; None: nothing is tried here."""
        return self._worker.latest if self._stands else None

    @property
    def _stands(self) -> bool:
        """Whether the run is still where a value is tried; keys work while a slider is held."""
        snapshot, trial = self._workspace.snapshot, self._trial
        if self.document is None or snapshot is None:
            return False
        return snapshot.recording is trial.branch.recording and snapshot.step == trial.step

    def try_value(self, place: str, value: Any) -> bool:
        """Try a value of a system parameter; False where that cannot be shown beside the run.

        While a run goes on it can be turned itself; then there is nothing to foresee.
        """
        workspace = self._workspace
        snapshot, status = workspace.snapshot, workspace.status
        if snapshot is None or workspace.running or not place.startswith("system."):
            return False
        if snapshot.experiment.system.kind != workspace.document.system["kind"]:
            return False  # another system is being prepared
        try:
            tried = workspace.document.with_value(place, value)
        except InputError:
            return False
        if tried == workspace.document:  # letting go would change nothing
            self.end()
            return True
        self.document = tried
        from workbench.engine.rollout import Trial  # with torch, which is loaded by now

        self._trial = Trial(snapshot.branch, status.branches, snapshot.step, self.document)
        self._worker.want(self._trial)
        return True

    def end(self) -> None:
        """Nothing is tried any more."""
        self.document = self._trial = None
        self._worker.forget()

    def close(self) -> bool:
        """End the thread; True if it is gone."""
        return self._worker.close()


def _rollout(trial: Any, stop: Callable[[], bool]) -> Iterable[Any]:
    from workbench.engine.rollout import rollout

    try:
        yield from rollout(trial, stop)
    except InputError:
        return  # the slider's end may be refused beside other values; letting go says so
    except Exception:  # of a system; the window must go on
        log.exception("what a value would do could not be computed")
