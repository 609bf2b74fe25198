"""``reimage holdings``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from reimage import journal
from reimage.archive.directory import DirectoryArchive
from reimage.cli import render, site_shapes, status
from reimage.cli.invocation import Invocation
from reimage.cli.options import DatasetKey, Json, Limit
from reimage.cli.render import Column
from reimage.errors import SettingsError
from reimage.settings import Settings
from reimage.store import datasets, runs
from reimage.store.rows import DatasetRow, SyncCounts
from reimage.store.session import Database
from reimage.uid import path_name

app = typer.Typer(add_completion=False, no_args_is_help=True)

COLUMNS = (
    Column(title="dataset"),
    Column(title="project", keep=8),
    Column(title="cycle", right=True, keep=5),
    Column(title="bands", keep=6),
    Column(title="array", keep=4),
    Column(title="EBs", right=True, keep=3),
    Column(title="mosaic", keep=2),
    Column(title="size", right=True, keep=1),
    Column(title="targets", keep=7),
)


class ArchiveNotSet(SettingsError):
    """No setting says where the archive is."""

    code = "archive-not-set"
    hint = "Set `archive` in reimage.toml (or REIMAGE_ARCHIVE) to an archive directory."


class ArchiveUnsupported(SettingsError):
    """The archive is an address, and only directories can be read yet."""

    code = "archive-unsupported"
    hint = "Set `archive` to a directory; `reimage demo build` makes one."


@app.callback(epilog="Examples:\n\nreimage holdings sync\n\nreimage holdings list --limit 20")
def holdings() -> None:
    """Bring the mirror of the archive's holdings up to date, list and show datasets."""


@app.command(epilog="Example:\n\nreimage holdings sync")
def sync(context: typer.Context, *, as_json: Json = False) -> None:
    """Make the mirror of the holdings what the archive lists.

    What the archive no longer lists stays, marked as gone.
    """
    invocation = Invocation.of(context)
    settings = invocation.settings
    with invocation.database() as database:
        counts = synchronise(settings, database)
    if as_json:
        shown = site_shapes.Synced(
            holding=settings.holding, archive=settings.archive, counts=counts
        )
        render.show(shown)
        return
    render.console().print(
        f"{settings.holding}: {counts.added} added, {counts.changed} changed, "
        f"{counts.unchanged} unchanged, {counts.gone} gone"
    )


def synchronise(settings: Settings, database: Database) -> SyncCounts:
    """Read the archive's listing into the database.

    Raises
    ------
    ArchiveNotSet, ArchiveUnsupported, ArchiveForeign
    """
    if not settings.archive:
        raise ArchiveNotSet("the setting `archive` is empty")
    if "://" in settings.archive:
        raise ArchiveUnsupported(f"cannot read {settings.archive}")
    rows = [(row.key, row.facts) for row in DirectoryArchive(Path(settings.archive)).datasets()]
    with database.write() as session:
        return datasets.sync(
            session, settings.holding, rows, at=journal.now(), archive=settings.archive
        )


@app.command(
    "list",
    epilog="Examples:\n\n"
    'reimage holdings list --where "cycle >= 5 and bands = 6"\n\n'
    "reimage holdings list --where \"targets ~ 'NGC'\" --limit 20 --json",
)
def list_(
    context: typer.Context,
    *,
    where: Annotated[
        str,
        typer.Option(
            help="Conditions joined by `and`: COLUMN then = != < <= > >= or ~ (contains).",
            show_default=False,
        ),
    ] = "",
    limit: Limit = None,
    as_json: Json = False,
) -> None:
    """List datasets, all of them or those of a filter."""
    invocation = Invocation.of(context)
    with invocation.database() as database, database.read() as session:
        found = datasets.list_datasets(session, invocation.settings.holding, where, limit)
    if as_json:
        render.show(site_shapes.Datasets(datasets=found))
    elif found:
        render.table(render.console(), COLUMNS, [_row(row) for row in found])
    else:
        render.say("no datasets (`reimage holdings sync` reads the archive's listing)")


@app.command(epilog="Example:\n\nreimage holdings show uid://A001/X1a2b/X1")
def show(context: typer.Context, dataset: DatasetKey, *, as_json: Json = False) -> None:
    """Show what the archive says of one dataset, and its runs."""
    invocation = Invocation.of(context)
    holding = invocation.settings.holding
    with invocation.database() as database, database.read() as session:
        row = datasets.find(session, holding, dataset)
        found = runs.list_runs(session, dataset=row.dataset)
    if as_json:
        render.show(site_shapes.DatasetDetail(dataset=row, runs=found))
        return
    out = render.console()
    out.print(render.heading(row.dataset))
    for name, value in row.facts.items():
        out.print(f"  {name}: {_plain(value)}", soft_wrap=True)
    out.print(render.heading("runs" if found else "never run"))
    status.show_runs(found)


def _row(row: DatasetRow) -> list[render.Cell | None]:
    facts = row.facts
    return [
        path_name(row.dataset),
        _plain(facts.get("project")),
        _plain(facts.get("cycle")),
        _plain(facts.get("bands")),
        _plain(facts.get("array")),
        _plain(facts.get("n_ebs")),
        "yes" if facts.get("is_mosaic") else "",
        render.size(row.n_bytes),
        _plain(facts.get("targets")),
    ]


def _plain(value: Any) -> str:  # noqa: ANN401 -- JSON
    if value is None:
        return ""
    return ", ".join(str(part) for part in value) if isinstance(value, list) else str(value)
