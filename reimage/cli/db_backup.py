"""``reimage db backup``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn

from reimage.cli import db_shapes, render
from reimage.cli.invocation import Invocation
from reimage.cli.options import Json
from reimage.cli.progress import Bars
from reimage.store import backup as copying

EPILOG = (
    "Examples:\n\n"
    "reimage db backup\n\n"
    "reimage db backup /backup/reimage\n\n"
    "A copy is looked at, or put back, by being named: `REIMAGE_DATABASE=sqlite:////backup/reimage/COPY.db"
    " reimage status`."
)


def backup(
    context: typer.Context,
    to: Annotated[
        Path | None,
        typer.Argument(
            help="A new file, or a folder in which the copy is named by date and time.",
            show_default="beside the run database",
        ),
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Copy the run database (SQLite) while everything goes on, and check the copy."""
    settings = Invocation.of(context).settings
    with _Bar() as bar:
        copy = copying.backup(settings.database_url, to, at=datetime.now(UTC), on_progress=bar.tell)
    if as_json:
        render.show(
            db_shapes.DatabaseCopy(
                database=settings.database_url,
                path=str(copy.path.absolute()),
                n_bytes=copy.n_bytes,
                revision=copy.revision,
            )
        )
        return
    found = f"{copy.path}: {render.size(copy.n_bytes)}, at {copy.revision}, checked"
    render.console().print(found, soft_wrap=True)


class _Bar(Bars):
    """How much is copied."""

    def __init__(self) -> None:
        super().__init__(
            TextColumn("copying"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
        )
        self._task = self._progress.add_task("copying", total=None)

    def tell(self, done: int, whole: int) -> None:
        """Show how far it is."""
        self._progress.update(self._task, completed=done, total=whole)
