"""The ledger of the run on screen, kept in a thread while somebody looks at it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from workbench.desktop.latest import Latest

if TYPE_CHECKING:
    from workbench.desktop.workspace import Workspace

log = logging.getLogger(__name__)
TOLERANCE = 1e-3  # where the document asks for none


class LedgerKeeper:
    """Knows how far the run is from the optimum, as far as views have asked."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._worker: Latest[Any, Any] = Latest("ledger", self._kept)
        self._asked: Any = None  # the record that was asked about last

    def close(self) -> bool:
        """End the thread; True if it is gone."""
        return self._worker.close()

    def of(self, snapshot: Any, entries: bool = False) -> Any:
        """What is known of the run; more is found out from now on. None: nothing yet.

        ``entries`` are wanted of the steps, too; without, it is the optimum alone.
        """
        from workbench.engine.ledger import Ledger  # with torch, which is loaded by now

        system, record, found = snapshot.experiment.system, snapshot.recording, self._worker.latest
        if not type(system).solves_lasso(system.params):
            return None
        known = found if found is not None and found.recording is record else None
        if self._workspace.running and self._workspace.document.view.speed is None:
            return known  # a run that goes as fast as it can has the machine for itself
        lacks = known is None or (entries and not known.complete)
        if lacks and (record is not self._asked or not self._worker.busy):
            self._asked = record
            self._worker.want((known or Ledger(record, record.course_start), entries))
        return known

    def _kept(self, wish: tuple[Any, bool], stop: Callable[[], bool]) -> Iterable[Any]:
        from workbench.engine.ledger import ledger

        before, entries = wish
        tolerance = self._workspace.document.run.tolerance or TOLERANCE
        try:
            yield from ledger(before, tolerance, entries, lambda: self._workspace.running, stop)
        except Exception:  # of a system; the window must go on
            log.exception("the distance from the optimum could not be told")
