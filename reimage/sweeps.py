"""Launching a category, or its pilot, and saying how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reimage import category as declared
from reimage import document, fix, journal, ledger, queueing
from reimage.category import Category
from reimage.errors import UsageError
from reimage.model import Stage
from reimage.settings import Settings, shipped
from reimage.store import categories, datasets, runs, sweeps
from reimage.store.moves import RunLive
from reimage.store.rows import RunRow, StateCount, SweepRow
from reimage.store.session import Database

LEDGER = "sweeps"


class CategoryEmpty(UsageError):
    """No dataset of the holdings belongs to the category."""

    code = "category-empty"
    hint = "`reimage holdings sync` brings the holdings up to date; `holdings list` tries a filter."


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A dataset of a sweep for which no run was made."""

    dataset: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepLaunch:
    """What a launch did."""

    sweep: SweepRow
    runs: tuple[RunRow, ...]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepStatus:
    """How far a sweep is."""

    sweep: SweepRow
    counts: tuple[StateCount, ...]
    runs: tuple[RunRow, ...]


def folders(settings: Settings) -> tuple[Path, ...]:
    """Return the folders of categories: the shipped one and the site's."""
    return (shipped("categories"), *settings.categories)


def launch(
    settings: Settings,
    database: Database,
    category_id: str,
    *,
    pilot: bool = False,
    recipe: str | None = None,
    casa: str | None = None,
    until: Stage | None = None,
    fixes: Sequence[str] = (),
    limit: int | None = None,
    author: str | None = None,
) -> SweepLaunch:
    """Queue a run for every dataset of a category, or of its pilot.

    A dataset that has a live run of the recipe is left out, and said so; ``limit`` takes the first
    so many.

    Raises
    ------
    CategoryUnknown, CategoryUnusable, CategoryEmpty, FilterMalformed, RecipeError, FixUnknown
    """
    category = declared.find_category(category_id, folders(settings))
    members = find_members(database, category)
    chosen = (declared.sample(members, category.pilot) if pilot else members)[:limit]
    fix.discover((shipped("fixes"), *settings.fixes), fixes)  # refused before a sweep is recorded
    now = journal.now()
    sweep = SweepRow(
        sweep=f"{category.id}-{queueing.new_id(now)}"[:80],
        category=category.id,
        holding=category.holding,
        recipe=recipe or category.recipe or settings.recipe,
        pilot=pilot,
        datasets=len(chosen),
        author=author,
        created_at=now,
    )
    _record(settings, database, sweep, category, members)
    made: list[RunRow] = []
    skipped: list[Skipped] = []
    for dataset in chosen:
        try:
            made.append(
                queueing.make_run(
                    settings,
                    database,
                    dataset=dataset,
                    recipe=sweep.recipe,
                    casa=casa,
                    until=until,
                    fixes=fixes,
                    category=category.id,
                    sweep=sweep.sweep,
                )
            )
        except RunLive as error:
            skipped.append(Skipped(dataset=dataset, reason=error.message))
    return SweepLaunch(sweep=sweep, runs=tuple(made), skipped=tuple(skipped))


def find_members(database: Database, category: Category) -> tuple[str, ...]:
    """Return the datasets of a category, as the holdings are now.

    Raises
    ------
    CategoryEmpty, DatasetUnknown, FilterMalformed
    """
    with database.read() as session:
        if category.datasets:
            found = tuple(
                datasets.find(session, category.holding, key).dataset for key in category.datasets
            )
        else:
            rows = datasets.list_datasets(session, category.holding, category.criteria)
            found = tuple(row.dataset for row in rows)
    if not found:
        raise CategoryEmpty(
            f"category {category.id} has no dataset in {category.holding}",
            evidence={"category": category.id, "criteria": category.criteria},
        )
    return found


def status(database: Database, sweep: str) -> SweepStatus:
    """Return how far a sweep is.

    Raises
    ------
    SweepUnknown
    """
    with database.read() as session:
        return SweepStatus(
            sweep=sweeps.find(session, sweep),
            counts=runs.counts(session, sweep),
            runs=runs.list_runs(session, sweep=sweep),
        )


def replay(settings: Settings, database: Database) -> int:
    """Bring the sweeps of the ledger into an empty database; return how many."""
    count = 0
    for event in ledger.read(settings.data, LEDGER):
        if event.event != "sweep.launched":
            continue
        with database.write() as session:
            row = document.load(SweepRow, event.data["sweep"])
            datasets.ensure_holding(session, row.holding)
            categories.declare(
                session,
                row.category,
                event.data["category"],
                event.data["digest"],
                row.created_at,
            )
            sweeps.add(session, row)
        count += 1
    return count


def _record(
    settings: Settings,
    database: Database,
    sweep: SweepRow,
    category: Category,
    members: tuple[str, ...],
) -> None:
    """Write a sweep into the ledger, then into the database."""
    definition = category.model_dump(mode="json", by_alias=True)
    ledger.append(
        settings.data,
        LEDGER,
        "sweep.launched",
        sweep.created_at,
        sweep=document.dump(sweep),
        category=definition,
        digest=category.digest,
        members=list(members),
    )
    with database.write() as session:
        categories.declare(session, category.id, definition, category.digest, sweep.created_at)
        ids = [datasets.row_id(session, category.holding, key) for key in members]
        categories.add_members(session, category.id, ids, sweep.created_at)
        sweeps.add(session, sweep)
