"""One controller per database: the lease, who holds it, and when it may be taken over."""

from __future__ import annotations

from datetime import timedelta

from reimage.errors import StoreError
from reimage.identity import Identity
from reimage.journal import Clock
from reimage.store import lease
from reimage.store.rows import LeaseRow
from reimage.store.session import Database

TERM = timedelta(seconds=60)


class ControllerRunning(StoreError):
    """Another controller leads this database."""

    code = "controller-running"
    hint = "Let it do the work (runs can be queued meanwhile), or end it first (SIGTERM)."


class ControllerDisplaced(StoreError):
    """Another controller took over while this one slept."""

    code = "controller-displaced"
    hint = "Nothing is lost: the other one goes on."


class Leadership:
    """The lease of one controller.

    A lease is free when nobody has it, when it ran out, or when its holder is a process of this
    machine that no longer runs: a killed controller is succeeded at once.
    """

    def __init__(self, database: Database, own: Identity, clock: Clock) -> None:
        self._database, self._own, self._clock = database, own, clock
        self._held: LeaseRow | None = None

    def acquire(self) -> None:
        """Become leader.

        Raises
        ------
        ControllerRunning
        """
        now = self._clock()
        with self._database.write() as session:
            before = lease.find(session)
            if before is not None and before.expires_at > now and self._may_live(before):
                raise ControllerRunning(
                    f"a controller leads already: {before.owner}",
                    evidence={"owner": before.owner, "until": before.expires_at.isoformat()},
                )
            self._held = lease.take(session, before, str(self._own), now, now + TERM)
        if self._held is None:
            raise ControllerRunning("a controller became leader at this moment")

    def renew(self) -> None:
        """Make sure of going on to lead; cheap when the lease is young.

        Raises
        ------
        ControllerDisplaced
        """
        now = self._clock()
        if self._held is not None and self._held.expires_at - now > TERM * 2 / 3:
            return
        if self._held is not None:
            with self._database.write() as session:
                self._held = lease.renew(session, self._held, now + TERM)
        if self._held is None:
            raise ControllerDisplaced("this controller no longer leads the database")

    def resign(self) -> None:
        """Free the lease."""
        if self._held is not None:
            with self._database.write() as session:
                lease.resign(session, self._held)
            self._held = None

    def _may_live(self, holder: LeaseRow) -> bool:
        who = Identity.parse(holder.owner)
        return who is None or (who.is_alive() is not False and who != self._own)
