"""Runs that follow others: a remedy, carried out as a new run with other inputs or resources."""

from __future__ import annotations

from dataclasses import replace

from reimage import document, histories, queueing
from reimage.cases import Change
from reimage.errors import DiskFull, ReimageError
from reimage.logbook import Logbook
from reimage.run import Limits, Remedied, Run
from reimage.settings import Settings
from reimage.store import following
from reimage.store.decisions import CONTROLLER
from reimage.store.rows import RunRow
from reimage.store.session import Database


class AlreadyFollowed(ReimageError):
    """Another run follows a run already."""

    code = "already-followed"
    hint = "`reimage show RUN` tells which; see what came of that one."


def follow(
    settings: Settings, database: Database, row: RunRow, change: Change, remedy: Remedied
) -> RunRow:
    """Queue a run that is as an earlier one, but for a change; it may take over what that one proved.

    Recipe, CASA, fixes and sweep are the earlier run's; its limits are too, unless the settings give more.

    Raises
    ------
    AlreadyFollowed, RunLive, DocumentUnreadable, BuildUnknown, FixUnknown, DatasetUnknown, RecipeError
    """
    with database.read() as session:
        later = following.followers(session, row.run)
    if later:
        raise AlreadyFollowed(f"run {later[-1].run} follows {row.run}", evidence={"run": row.run})
    directory = queueing.run_directory(settings, row)
    earlier = document.read(Run, directory / "run.json")
    fixes = [one.id for one in earlier.fixes]
    sizes = () if change.cube_gb is None else (f"checkproductsize.maxcubesize={change.cube_gb}",)
    return queueing.make_run(
        settings,
        database,
        dataset=row.dataset,
        casa=change.casa,
        until=earlier.until,
        overrides=sizes,
        fixes=fixes if change.fix is None else [*fixes, change.fix],
        category=earlier.category,
        sweep=earlier.sweep,
        retry_of=row.run,
        adopt_from=str(directory),
        same_as=earlier,
        only_missing=change.keeps_images,
        limits=_limits(settings, earlier.limits, change),
        remedy=remedy,
    )


def _limits(settings: Settings, earlier: Limits, change: Change) -> Limits:
    """Return what the new run may use: never less than the earlier one."""
    return replace(
        earlier,
        memory_mb=max(change.memory_mb or 0, earlier.memory_mb, settings.memory_mb),
        wall_s=max(change.wall_s or 0.0, earlier.wall_s, settings.wall_s),
        silence_s=max(earlier.silence_s, settings.silence_s),
        cores=change.cores or earlier.cores,
    )


class Follower:
    """Queues, for the controller, the new runs that were decided on."""

    def __init__(self, settings: Settings, database: Database, logbook: Logbook) -> None:
        self._settings, self._database, self._logbook = settings, database, logbook

    def catch_up(self) -> None:
        """Queue what a controller before this one decided on and did not live to queue."""
        if self._settings.remedies != "auto":  # by now they wait for a person
            return
        with self._database.read() as session:
            left = following.unanswered(session)
        for row in left:
            self.answer(row)

    def answer(self, row: RunRow) -> None:
        """Queue the run that is to follow one that ended, if there is to be one; say why where that cannot be.

        Raises
        ------
        DiskFull
        """
        place = self._logbook.place(row)
        decision = histories.last_decision(place.directory)
        if decision is None or decision.get("kind") != following.RERUN:
            return
        reason = str(decision.get("reason", ""))
        try:
            change = document.load(Change, decision.get("change") or {})
            remedy = Remedied(reason=reason, author=CONTROLLER, automatic=True)
            follow(self._settings, self._database, row, change, remedy)
        except DiskFull:
            raise
        except ReimageError as error:
            said = f"{reason}: not queued, {error.code}: {error.message}"
            self._logbook.record(place, row, "remedy.refused", number=row.attempts, reason=said)
