"""``reimage db``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reimage import rebuild as rebuilding
from reimage.cli import render, site_shapes
from reimage.cli.invocation import Invocation
from reimage.cli.options import Json
from reimage.store import migrate

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback(epilog="Examples:\n\nreimage db upgrade\n\nreimage db sql --dialect oracle")
def db() -> None:
    """Upgrade the run database, tell its version, rebuild it from run directories."""


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
        shown = site_shapes.Revision(database=url, revision=revision, head=head)
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
    found = f"{counts.runs} runs, {counts.sweeps} sweeps"
    render.console().print(f"{url}: {found}", soft_wrap=True)
    for left in counts.unreadable:
        render.say(f"{left.directory}: {left.reason}")


@app.command(epilog="Example:\n\nreimage db sql --dialect oracle > schema.sql")
def sql(
    *,
    dialect: Annotated[str, typer.Option(help="sqlite, postgresql or oracle.")] = "oracle",
) -> None:
    """Print the whole schema as a script, for a database administrator to run."""
    typer.echo(migrate.offline_sql(dialect))
