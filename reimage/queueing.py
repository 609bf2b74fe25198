"""Making runs: everything a runner will need, frozen into a run directory, and a row in the queue."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from reimage import document, fix, ingest, journal, recipes
from reimage.casa import builds, imaging, policy
from reimage.errors import RunUnknown, UsageError
from reimage.ingest import LOG, Place
from reimage.journal import Journal
from reimage.model import CasaBuild, Stage
from reimage.recipes import Recipe
from reimage.recipes.load import load_recipe, override
from reimage.recipes.translate import translate
from reimage.run import Limits, Remedied, Run
from reimage.settings import Settings, shipped
from reimage.store import datasets, moves, requests, runs
from reimage.store.rows import RunRow
from reimage.store.session import Database
from reimage.uid import path_name


class MissingUnlike(UsageError):
    """Only missing images are asked for, and of another kind than those that are there."""

    code = "missing-unlike"
    hint = "Leave out --missing: a run of another recipe, CASA or fix makes every image."


class NothingMissing(UsageError):
    """The run has made every image of its plan."""

    code = "nothing-missing"
    hint = "`reimage rerun RUN` without --missing makes every image again."


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
    same_as: Run | None = None,
    only_missing: bool = False,
    limits: Limits | None = None,
    remedy: Remedied | None = None,
    look_first: bool = False,
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
    same_as
        An earlier run whose recipe and, where no other is named, CASA are taken as they were.
    only_missing
        The images of the run in `adopt_from` are kept; the others are made.
    limits, remedy, look_first
        Other ones than the settings'; why it follows an earlier run; whether the archive is asked first.

    Raises
    ------
    DatasetUnknown, RunLive, BuildUnknown, RecipeError, PipelineNotInBuild, FixUnreadable, FixUnknown
    ArchiveError, Refusal, DiskFull
        The archive was asked, and it would be in vain.
    """
    with database.read() as session:
        row = datasets.find(session, settings.holding, dataset)
    asked = builds.find(settings.builds_dir, casa).id if casa is not None else None
    asked = asked or (same_as.casa if same_as is not None else None)
    chosen, digest = _recipe(settings, recipe, overrides, same_as)
    registered = builds.registered(settings.builds_dir)
    _require_pipeline(chosen, registered, asked)
    now = journal.now()
    run = Run(
        run=new_id(now),
        holding=settings.holding,
        dataset=row.dataset,
        facts=row.facts,
        recipe=document.dump(chosen),
        recipe_digest=digest,
        archive=settings.archive,
        transfer=settings.transfer,
        builds=registered,
        fixes=fix.discover((shipped("fixes"), *settings.fixes), fixes),
        limits=limits or _limits(settings),
        created_at=now,
        casa=asked,
        policy=document.dump(policy.load(settings.policy)),
        until=until,
        category=category,
        sweep=sweep,
        retry_of=retry_of,
        adopt_from=adopt_from,
        only_missing=only_missing,
        remedy=remedy,
    )
    if look_first:
        from reimage import preflighting  # noqa: PLC0415 -- brings astropy: readers need not wait

        preflighting.look_first(settings, run)
    return enqueue(settings, database, run)


def _recipe(
    settings: Settings, recipe: str | None, overrides: Sequence[str], same_as: Run | None
) -> tuple[Recipe, str]:
    """Return the merged recipe and its digest."""
    if same_as is None:
        chosen = load_recipe(recipe or settings.recipe, settings.recipes)
    else:
        chosen = document.load(Recipe, same_as.recipe)
    if same_as is not None and not overrides:
        return chosen, same_as.recipe_digest
    chosen = override(chosen, overrides) if overrides else chosen
    return chosen, recipes.digest(chosen)


def _limits(settings: Settings) -> Limits:
    return Limits(
        memory_mb=settings.memory_mb,
        wall_s=settings.wall_s,
        silence_s=settings.silence_s,
        cores=settings.cores,
    )


def _require_pipeline(recipe: Recipe, registered: Sequence[CasaBuild], asked: str | None) -> None:
    """Refuse a recipe for the ALMA pipeline that no registered build could carry out.

    Raises
    ------
    PipelineNotInBuild, RecipeNotInDialect
    """
    if recipe.engine == "pipeline":
        chosen = next((build for build in registered if build.id == asked), None)
        translate(recipe, imaging.pipeline_build(chosen, registered).pipeline)


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
    missing: bool = False,
    look_first: bool = False,
) -> RunRow:
    """Queue a new run of the dataset of an earlier one, which it may take proven stages from.

    ``target`` is a run, or a dataset, whose latest run is then meant.  ``missing``: its images are kept,
    and only those that it did not make are made.

    Raises
    ------
    RunUnknown, MissingUnlike, NothingMissing, and what `make_run` raises.
    """
    with database.read() as session:
        earlier = find_target(session, settings.holding, target)
    same_as = None
    if missing:
        if recipe or casa or until or overrides or fixes:
            raise MissingUnlike("--missing makes images like those that are there")
        same_as = _with_missing(settings, earlier)
        fixes = [one.id for one in same_as.fixes]
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
        same_as=same_as,
        only_missing=missing,
        look_first=look_first,
    )


def _with_missing(settings: Settings, row: RunRow) -> Run:
    """Return the frozen inputs of a run that has not made all its images."""
    if row.products_planned and row.products_made == row.products_planned:
        raise NothingMissing(
            f"all {row.products_planned} products of {row.run} are there",
            evidence={"run": row.run},
        )
    run = document.read(Run, run_directory(settings, row) / "run.json")
    if run.recipe["engine"] != "tasks":
        raise MissingUnlike(f"the engine {run.recipe['engine']} makes its images in one go")
    return run


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
        if "run" not in error.evidence:  # it begins the names of several
            raise
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
        if run.remedy is not None:
            log.emit("run.follows", retry_of=run.retry_of, **document.dump(run.remedy))
    finally:
        log.close()
