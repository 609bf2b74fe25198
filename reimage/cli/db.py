"""``reimage db``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reimage import rebuild as rebuilding
from reimage.cli import codes, db_backup, db_shapes, render
from reimage.cli.invocation import Invocation
from reimage.cli.options import Json
from reimage.store import migrate, tallies

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback(epilog="Examples:\n\nreimage db upgrade\n\nreimage db sql --dialect oracle")
def db() -> None:
    """Upgrade the run database, copy it, tell its version, rebuild it from run directories."""


@app.command(epilog="Example:\n\nreimage db upgrade")
def upgrade(context: typer.Context) -> None:
    """Bring the run database to the schema of this program; make it if absent."""
    invocation = Invocation.of(context)
    url = invocation.settings.database_url
    applied = migrate.upgrade(url, invocation.password)
    what = f"applied {', '.join(applied)}" if applied else "nothing to do"
    render.console().print(f"{url}: {what}", soft_wrap=True)


@app.command(epilog="Example:\n\nreimage db current --json")
def current(context: typer.Context, *, as_json: Json = False) -> None:
    """Tell the schema's revision, and the one this program needs."""
    invocation = Invocation.of(context)
    url = invocation.settings.database_url
    revision, head = migrate.current(url, invocation.password), migrate.head()
    if as_json:
        shown = db_shapes.Revision(database=url, revision=revision, head=head)
        render.show(shown)
        return
    what = "no tables yet" if revision is None else f"at {revision}"
    render.console().print(f"{url}: {what}, needs {head}", soft_wrap=True)


@app.command(epilog="Examples:\n\nreimage db rebuild --into /tmp/again.db")
def rebuild(
    context: typer.Context,
    *,
    into: Annotated[
        Path | None,
        typer.Option(
            help="A new SQLite file; otherwise the run database itself, which must be empty.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Replay run directories and ledger into an empty database: the same rows."""
    invocation = Invocation.of(context)
    settings, password = invocation.settings, invocation.password
    url = settings.database_url if into is None else f"sqlite:///{into.absolute()}"
    migrate.upgrade(url, password)
    database = migrate.open_database(url, password)
    try:
        counts = rebuilding.rebuild(settings, database)
    finally:
        database.close()
    acts = f"{render.counted(counts.acts, 'act')} of the desk"
    found = (
        f"{render.counted(counts.runs, 'run')}, {render.counted(counts.sweeps, 'sweep')}, {acts}"
    )
    render.console().print(f"{url}: {found}", soft_wrap=True)
    for left in counts.unreadable:
        render.say(f"{left.directory}: {left.reason}")


@app.command(epilog="Examples:\n\nreimage db recount\n\nreimage db recount --check --json")
def recount(
    context: typer.Context,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 where sums and rows differ.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Count the sums that the desk reads afresh from the rows, and mend and tell what was wrong with them.

    Runs may go on ending meanwhile.
    """
    invocation = Invocation.of(context)
    with invocation.database() as database:
        if check:
            with database.read() as session:
                wrong = tallies.differences(session)
        else:
            wrong = tallies.mend(database)
        url = database.url
    mended = bool(wrong) and not check
    if as_json:
        render.show(db_shapes.Recount(database=url, differences=tuple(wrong), mended=mended))
    else:
        for one in wrong:
            render.console().print(one, soft_wrap=True, markup=False, highlight=False)
        what = f"{len(wrong)} differences" if wrong else "the sums are what the rows say"
        render.console().print(f"{url}: {what}{', mended' * mended}", soft_wrap=True)
    if check and wrong:
        raise typer.Exit(codes.FAILED)


app.command(epilog=db_backup.EPILOG)(db_backup.backup)


@app.command(
    epilog="Examples:\n\n"
    "reimage db sql --dialect oracle > schema.sql\n\n"
    "reimage db sql --dialect oracle --from r0002 > upgrade.sql"
)
def sql(
    *,
    dialect: Annotated[str, typer.Option(help="sqlite, postgresql or oracle.")] = "oracle",
    since: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="REVISION",
            help="What the schema is at (`reimage db current`); otherwise it is made from nothing.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Print the schema, or what upgrades it, as a script for a database administrator to run."""
    typer.echo(migrate.offline_sql(dialect, since))
