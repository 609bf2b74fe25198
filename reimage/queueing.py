"""Making runs: everything a runner will need, frozen into a run directory, and a row in the queue."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from reimage import document, fix, ingest, journal
from reimage.casa import builds, policy
from reimage.errors import RunUnknown
from reimage.ingest import LOG, Place
from reimage.journal import Journal
from reimage.model import Stage
from reimage.recipes.load import load_recipe, override
from reimage.run import Limits, Run
from reimage.settings import Settings, shipped
from reimage.store import datasets, moves, requests, runs
from reimage.store.rows import RunRow
from reimage.store.session import Database
from reimage.uid import path_name


def make_run(
    settings: Settings,
    database: Database,
    *,
    dataset: str,
    recipe: str | None = None,
    casa: str | None = None,
    until: Stage | None = None,
    overrides: Sequence[str] = (),
    fixes: Sequence[str] = (),
    category: str | None = None,
    sweep: str | None = None,
    retry_of: str | None = None,
    adopt_from: str | None = None,
) -> RunRow:
    """Queue a run of a dataset of the holdings.

    Parameters
    ----------
    overrides
        ``step.parameter=value``, as of ``--set``.
    fixes
        Offered fixes that the run is to have beside those that every run has.
    adopt_from
        Directory of an earlier run whose proven stages may be taken over.

    Raises
    ------
    DatasetUnknown, RunLive, BuildUnknown, RecipeError, FixUnreadable, FixUnknown
    """
    with database.read() as session:
        row = datasets.find(session, settings.holding, dataset)
    asked = builds.find(settings.builds_dir, casa).id if casa is not None else None
    chosen = load_recipe(recipe or settings.recipe, settings.recipes)
    if overrides:
        chosen = override(chosen, overrides)
    now = journal.now()
    run = Run(
        run=new_id(now),
        holding=settings.holding,
        dataset=row.dataset,
        facts=row.facts,
        recipe=document.dump(chosen),
        recipe_digest=document.digest(chosen),
        archive=settings.archive,
        builds=builds.registered(settings.builds_dir),
        fixes=fix.discover((shipped("fixes"), *settings.fixes), fixes),
        limits=Limits(
            memory_mb=settings.memory_mb, wall_s=settings.wall_s, silence_s=settings.silence_s
        ),
        created_at=now,
        casa=asked,
        policy=document.dump(policy.load(settings.policy)),
        until=until,
        category=category,
        sweep=sweep,
        retry_of=retry_of,
        adopt_from=adopt_from,
    )
    return enqueue(settings, database, run)


def rerun(
    settings: Settings,
    database: Database,
    target: str,
    *,
    recipe: str | None = None,
    casa: str | None = None,
    until: Stage | None = None,
    overrides: Sequence[str] = (),
    fixes: Sequence[str] = (),
) -> RunRow:
    """Queue a new run of the dataset of an earlier one, which it may take proven stages from.

    ``target`` is a run, or a dataset, whose latest run is then meant.

    Raises
    ------
    RunUnknown, and what `make_run` raises.
    """
    with database.read() as session:
        earlier = find_target(session, settings.holding, target)
    return make_run(
        settings,
        database,
        dataset=earlier.dataset,
        recipe=recipe or earlier.recipe,
        casa=casa,
        until=until,
        overrides=overrides,
        fixes=fixes,
        category=earlier.category,
        retry_of=earlier.run,
        adopt_from=str(run_directory(settings, earlier)),
    )


def find_target(session: Session, holding: str, target: str) -> RunRow:
    """Return a run by its id, or the latest run of a dataset.

    Raises
    ------
    RunUnknown
    """
    latest = runs.latest(session, holding, datasets.canonical(target))
    if latest is not None:
        return latest
    try:
        return runs.find(session, target)
    except RunUnknown as error:
        raise RunUnknown(
            f"no run {target!r}, and no dataset {target!r} that has one", evidence=error.evidence
        ) from error


def enqueue(settings: Settings, database: Database, run: Run) -> RunRow:
    """Insert a run's row and write its directory; both, or neither.

    Raises
    ------
    RunLive, DiskFull
    """
    directory = settings.runs_dir / path_name(run.dataset) / run.run
    try:
        with document.full_disk_told(settings.data), database.write() as session:
            dataset_id = datasets.ensure(
                session, run.holding, run.dataset, run.facts, run.created_at
            )
            where = str(directory.relative_to(settings.data))
            run_id = moves.insert_run(session, run, dataset_id=dataset_id, directory=where)
            _write(directory, run)
            ingest.ingest_log(session, Place(run=run.run, run_id=run_id, directory=directory))
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)  # ours, and of no use without its row
        raise
    with database.read() as session:
        return runs.find(session, run.run)


def request_cancel(
    database: Database, run: str, *, author: str, reason: str | None = None
) -> RunRow:
    """Ask the controller to end a run.

    Raises
    ------
    RunUnknown
    """
    with database.write() as session:
        row = runs.find(session, run)
        requests.add(session, "cancel", row.run, author=author, reason=reason, at=journal.now())
    return row


def run_directory(settings: Settings, row: RunRow) -> Path:
    """Return where a run's directory is."""
    return settings.data / row.directory


def new_id(now: datetime) -> str:
    """Return a name for a run that sorts by time and that nobody else has."""
    return f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


def _write(directory: Path, run: Run) -> None:
    (directory / "attempts").mkdir(parents=True)
    document.write(directory / "run.json", run)
    log = Journal(directory / LOG, 0, clock=lambda: run.created_at)
    try:
        log.emit("run.queued", run=run.run, dataset=run.dataset)
    finally:
        log.close()
