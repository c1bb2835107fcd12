"""Maps of regimes made in a thread: the newest alone, and only while somebody looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workbench.engine.job import Job
    from workbench.engine.lease import Lease
    from workbench.engine.regimes import Map, Wish

LEAVE = 0.5  # seconds of work that a look is good for


class Mapper:
    """Makes the map that was wanted last; its thread sleeps unless `work` is called again."""

    def __init__(self) -> None:
        self.wish: Wish | None = None
        self._job: Job | None = None
        self._lease: Lease | None = None
        self._ending: list[Job] = []  # called off, and not yet at an end

    @property
    def map(self) -> Map | None:
        """As far as it is known."""
        return self._job.latest if self._job is not None else None

    @property
    def error(self) -> str:
        """Why there will be no more of it; empty if nothing is wrong."""
        return self._job.error if self._job is not None else ""

    @property
    def working(self) -> bool:
        """Whether the map is not whole yet, nor has failed."""
        return self._job is not None and self._job.running

    def want(self, wish: Wish) -> None:
        """Make this map; what is there of it stays, any other is called off."""
        if self.wish is not None and wish.same(self.wish):
            return
        from workbench.engine.job import Job  # with torch, which is loaded by now
        from workbench.engine.lease import Lease
        from workbench.engine.regimes import explore

        self.call_off()
        lease = Lease()
        self.wish, self._lease = wish, lease
        self._job = Job(lambda stop: explore(wish, lease.ended), "regimes")

    def work(self) -> None:
        """Go on for a moment; to be called again and again."""
        if self._lease is not None:
            self._lease.renew(LEAVE)

    def call_off(self) -> None:
        """Want no map; the work ends at its next time step."""
        if self._job is not None:
            self._lease.end()
            self._ending = [job for job in self._ending if job.running] + [self._job]
        self.wish = self._job = self._lease = None

    def close(self) -> bool:
        """End every thread; True if all are gone."""
        self.call_off()
        return all([job.join() for job in self._ending])
