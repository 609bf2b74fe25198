"""``reimage log``."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from reimage import queueing
from reimage.cli import render, run_shapes
from reimage.cli.invocation import Invocation
from reimage.cli.options import Json, RunOrDataset
from reimage.cli.progress import describe
from reimage.errors import UsageError
from reimage.journal import Event
from reimage.model import State
from reimage.settings import Settings
from reimage.store import events, runs
from reimage.store.rows import EventRow, RunRow
from reimage.store.session import Database

app = typer.Typer(add_completion=False)

RUNNER = "runner"


class LogUnknown(UsageError):
    """A run has no log of this name."""

    code = "log-unknown"
    hint = "`reimage log RUN` shows the journal: its casa.started lines name the jobs."


@app.command(
    epilog="Examples:\n\n"
    "reimage log uid://A001/X1a2b/X1\n\n"
    "reimage log uid://A001/X1a2b/X1 --job restore/script --lines 50\n\n"
    "reimage log 20261120T082301-a1b2c3 --job make --file stderr.log --follow"
)
def log(
    context: typer.Context,
    which: RunOrDataset,
    *,
    job: Annotated[
        str | None,
        typer.Option(
            help="A CASA job, by name or directory, its last start; or `runner`.",
            show_default=False,
        ),
    ] = None,
    file: Annotated[
        str, typer.Option(help="Of a CASA job: casa.log, stderr.log or stdout.log.")
    ] = "casa.log",
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="The last so many.")] = 200,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until the run is done.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print a run's journal, or the log of one of its CASA jobs."""
    invocation = Invocation.of(context)
    with invocation.database() as database:
        with database.read() as session:
            run = queueing.find_target(session, invocation.settings.holding, which)
            said = events.of_run(session, run.run)
        if job is not None:
            path = find_log(invocation.settings, run, said, job, file)
            _print_file(database, run, path, lines, follow=follow)
        elif as_json:
            render.show(run_shapes.Events(events=said))
        else:
            _print_journal(database, run, said[-lines:], follow=follow)


def find_log(
    settings: Settings, run: RunRow, said: Sequence[EventRow], job: str, file: str
) -> Path:
    """Return a log of a run; of a job that was started several times, the last.

    Raises
    ------
    LogUnknown
    """
    directory = queueing.run_directory(settings, run)
    if job == RUNNER:
        return directory / "attempts" / str(run.attempts) / "runner.log"
    started = {
        _relative(Path(str(event.data["directory"])), directory): str(event.data["job"])
        for event in said
        if event.event == "casa.started"
    }
    for place, name in reversed(started.items()):
        if job in {name, place, Path(place).name} and Path(file).name == file:
            found = directory / place / file
            if found.is_file():
                return found
    raise LogUnknown(
        f"run {run.run} has no {file} of a job {job!r}", evidence={"jobs": [*started, RUNNER]}
    )


def _relative(path: Path, directory: Path) -> str:
    return str(path.relative_to(directory) if path.is_relative_to(directory) else path)


def _print_journal(
    database: Database, run: RunRow, said: Sequence[EventRow], *, follow: bool
) -> None:
    out = render.console()
    seen = 0
    while True:
        for event in said:
            seen = event.id
            out.print(_line(event), soft_wrap=True)
        if not follow or _is_done(database, run):
            return
        time.sleep(1)
        with database.read() as session:
            said = events.of_run(session, run.run, after_id=seen)


def _line(event: EventRow) -> str:
    """Return an event in one line: in words where there are any, else with its plain facts."""
    who = f"attempt {event.attempt}" if event.attempt else "controller"
    told = Event(
        attempt=event.attempt, seq=event.seq, at=event.at, event=event.event, data=event.data
    )
    said = describe(told)
    facts = (f"{k}={_plain(v)}" for k, v in event.data.items() if _is_plain(v))
    words = said.plain.strip() if said is not None else "  ".join(facts)
    return f"{render.moment(event.at)}  {who}  {event.event}  {words}"


def _is_plain(value: object) -> bool:
    return value not in (None, [], "") and not isinstance(value, dict)


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _print_file(database: Database, run: RunRow, path: Path, lines: int, *, follow: bool) -> None:
    """Print the end of a file as it is, and what comes to it."""
    out = render.console()
    render.say(str(path))
    with path.open(encoding="utf-8", errors="replace") as stream:
        for line in deque(stream, maxlen=lines):
            out.print(line.rstrip("\n"), soft_wrap=True)
        while follow and not _is_done(database, run):
            time.sleep(1)
            for line in stream:
                out.print(line.rstrip("\n"), soft_wrap=True)


def _is_done(database: Database, run: RunRow) -> bool:
    with database.read() as session:
        return runs.find(session, run.run).state is State.DONE
