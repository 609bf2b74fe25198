"""``reimage archive files`` and ``reimage archive preflight``: what an archive says, nothing downloaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.text import Text

from reimage import log, preflighting
from reimage.archive import listing, opened
from reimage.archive.faults import ArchiveNotSet
from reimage.archive.listing import ArchiveFile, Needed
from reimage.archive.preflight import Preflight, Problem
from reimage.archive.protocol import Archive
from reimage.cli import render, site_shapes
from reimage.cli.codes import DONE, FAILED, REFUSED
from reimage.cli.invocation import Invocation
from reimage.cli.options import DatasetKey, Json
from reimage.cli.render import Column
from reimage.errors import CODES, DatasetUnknown, Refusal, ReimageError, StoreError
from reimage.settings import Settings, secrets
from reimage.store import datasets, runs
from reimage.store.session import Database
from reimage.uid import path_name

app = typer.Typer(add_completion=False)

FILES = (
    Column(title="file"),
    Column(title="what", keep=8),
    Column(title="size", right=True, keep=7),
    Column(title="a run", keep=6),
)
PREFLIGHTS = (
    Column(title="dataset"),
    Column(title="goes", keep=9),
    Column(title="files", right=True, keep=4),
    Column(title="to fetch", right=True, keep=8),
    Column(title="takes", right=True, keep=6),
    Column(title="disk", right=True, keep=7),
    Column(title="free", right=True, keep=3),
    Column(title="why not, or what is odd", keep=8),
)
RECENT_RUNS = 20
"""Whose transfers tell the rate."""


@app.command(
    epilog="Examples:\n\nreimage archive files uid://A001/X1a2b/X1\n\n"
    "reimage archive files uid___A001_X1a2b_X1 --expand"
)
def files(
    context: typer.Context,
    dataset: DatasetKey,
    *,
    expand: Annotated[
        bool, typer.Option("--expand", help="Tell what is inside tars, as far as the archive does.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List what the archive offers for a dataset, and what of it a run fetches.

    The archive is asked, the mirror of the holdings need not know the dataset; nothing is downloaded.
    """
    invocation = Invocation.of(context)
    site = invocation.settings
    _require_archive(site)
    key = datasets.canonical(dataset)
    facts = facts_of(invocation, key)
    archive = opened.open_archive(site.archive, site.transfer, secrets)
    shown = _file_list(site, archive, key, facts, expand=expand)
    if as_json:
        render.show(shown)
        return
    if not shown.files:
        render.say(
            "the archive lists no file (proprietary data have none for who may not have them)"
        )
        return
    render.table(render.console(), FILES, [row for file in shown.files for row in _rows(file)])
    render.say(
        f"a run fetches {render.size(shown.fetch_bytes)} and leaves {render.size(shown.left_bytes)}"
    )


def _file_list(
    site: Settings, archive: Archive, key: str, facts: Mapping[str, Any], *, expand: bool
) -> site_shapes.FileList:
    offered = archive.files(key)
    wanted = listing.needed(offered, facts)
    inside = {
        file.name: archive.members(file) if expand and file.is_tar and not file.is_raw else ()
        for file in offered
    }
    return site_shapes.FileList(
        dataset=key,
        archive=site.archive,
        fetch_bytes=wanted.n_bytes,
        left_bytes=sum(left.n_bytes or 0 for left in wanted.left),
        files=tuple(_listed(file, wanted, inside[file.name]) for file in offered),
    )


def _listed(
    file: ArchiveFile, wanted: Needed, inside: Sequence[ArchiveFile]
) -> site_shapes.ListedFile:
    left = {one.name: one.why for one in wanted.left}
    if not file.is_offered:
        left[file.name] = "the archive says no address of it"
    return site_shapes.ListedFile(
        name=file.name,
        kind=file.kind,
        semantics=file.semantics,
        n_bytes=file.n_bytes,
        fetched=file.name not in left,
        why_not=left.get(file.name),
        url=file.url,
        inside=tuple(
            site_shapes.InnerFile(name=one.name, kind=one.kind, n_bytes=one.n_bytes)
            for one in inside
        ),
    )


def _rows(file: site_shapes.ListedFile) -> list[list[render.Cell | None]]:
    verdict = "fetches it" if file.fetched else f"leaves it: {file.why_not}"
    rows: list[list[render.Cell | None]] = [
        [file.name, file.kind, render.size(file.n_bytes), verdict]
    ]
    rows += [[f"  {one.name}", one.kind, render.size(one.n_bytes), ""] for one in file.inside]
    return rows


@app.command(
    epilog="Examples:\n\nreimage archive preflight uid://A001/X1a2b/X1\n\n"
    "reimage archive preflight uid___A001_X1a2b_X1 uid___A001_X1a2b_X5 --json\n\n"
    "Leaves with 0 where every dataset may go, 4 where one is refused, 1 where one fails."
)
def preflight(
    context: typer.Context,
    which: Annotated[
        list[str],
        typer.Argument(metavar="DATASET", help="Datasets of the holdings.", show_default=False),
    ],
    *,
    as_json: Json = False,
) -> None:
    """Tell of datasets whether they are public, complete and restorable, how large, and for how long.

    `reimage run` asks the same before it queues; nothing is downloaded.
    """
    invocation = Invocation.of(context)
    site = invocation.settings
    _require_archive(site)
    with invocation.database() as database:
        rate = _rate(site, database)
        told = tuple(_told(site, database, key, rate) for key in which)
    if as_json:
        render.show(site_shapes.Preflights(archive=site.archive, preflights=told))
    else:
        render.table(render.console(), PREFLIGHTS, [_row(one) for one in told])
    raise typer.Exit(max((_code(one) for one in told), key=[DONE, REFUSED, FAILED].index))


def _told(site: Settings, database: Database, key: str, rate: float | None) -> Preflight:
    """Return what is told of one dataset; where it cannot be asked, the reason is its problem."""
    with database.read() as session:
        row = datasets.find(session, site.holding, key)
    try:
        return preflighting.look(site, row.dataset, row.facts, rate_bytes_s=rate)[1]
    except ReimageError as error:
        problem = Problem(code=error.code, message=error.message, evidence=error.evidence)
        return Preflight.unasked(row.dataset, problem)


def _row(told: Preflight) -> list[render.Cell | None]:
    first = told.problems[0] if told.problems else None
    goes = Text("yes", style="green") if first is None else Text("no", style="red")
    numbers = [
        str(told.n_files),
        render.size(told.fetch_bytes),
        render.seconds(told.transfer_s),
        render.size(told.disk_bytes),
        render.size(told.free_bytes),
    ]
    return [
        path_name(told.dataset),
        goes,
        *(numbers if told.n_files else [""] * len(numbers)),
        f"[{first.code}] {first.message}" if first else "; ".join(told.notes),
    ]


def _code(told: Preflight) -> int:
    if not told.problems:
        return DONE
    return REFUSED if issubclass(CODES[told.problems[0].code], Refusal) else FAILED


def _require_archive(site: Settings) -> None:
    if not site.archive:
        raise ArchiveNotSet("the setting `archive` is empty")


def facts_of(invocation: Invocation, key: str) -> Mapping[str, Any]:
    """Return what the mirror of the holdings says of a dataset.

    Nothing where it does not know it, or where there is no run database that can be read: the archive
    alone can be asked without one.
    """
    try:
        with invocation.database() as database, database.read() as session:
            return datasets.find(session, invocation.settings.holding, key).facts
    except DatasetUnknown:
        return {}
    except StoreError as error:
        log.logger(__name__).warning("database.skipped", code=error.code, reason=error.message)
        return {}


def _rate(site: Settings, database: Database) -> float | None:
    with database.read() as session:
        recent = runs.list_runs(session, limit=RECENT_RUNS)
    return preflighting.measured_rate(site.archive, [site.data / row.directory for row in recent])
