"""``reimage failures remedy``: the remedy of a class, a signature or a run, for every dataset it blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

from reimage.cli import driving, remedy_shapes, render
from reimage.cli.asking import DryRun, Yes, agreed
from reimage.cli.invocation import Invocation
from reimage.cli.options import Json
from reimage.cli.progress import Bars
from reimage.cli.render import Column
from reimage.desk import remedying
from reimage.desk.remedying import Done, Plan, Planned
from reimage.model import Result
from reimage.store.rows import RunRow
from reimage.store.session import Database
from reimage.triage.catalogue import load_classes

SHOWN = 20
"""Datasets that are listed one by one."""
REMEDY = (
    "Examples:\n\n"
    "reimage failures remedy memory --dry-run\n\n"
    "reimage failures remedy memory --canary 3 --yes\n\n"
    "reimage failures remedy sv1:0123456789ab --limit 10\n\n"
    "reimage failures remedy 20261120T082301-a1b2c3 --yes --json\n\n"
    "Leaves with 1 where runs that were tried first did not succeed."
)
COLUMNS = (
    Column(title="dataset"),
    Column(title="class", keep=1),
    Column(title="run", keep=2),
    Column(title="what", squeeze=38),
)


def remedy(
    context: typer.Context,
    which: Annotated[
        str,
        typer.Argument(
            metavar="CLASS|SIGNATURE|RUN",
            help="An error class, a signature (sv1:...), a run's id, a failure's number (#12) or a dataset.",
            show_default=False,
        ),
    ],
    *,
    limit: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="New runs at most.", show_default="all"),
    ] = None,
    canary: Annotated[
        int,
        typer.Option(
            min=0,
            metavar="N",
            help="Run so many first, small and large ones, and go on only if all are imaged; 0: none.",
        ),
    ] = 0,
    why: Annotated[
        str | None, typer.Option(help="Kept with the decision.", show_default=False)
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Queue a new run for every dataset that a failure blocks, with what its remedy asks for.

    More memory from the measured peak, more time, the next build, a fix ... as the error class says. A new
    run adopts what the earlier one has proven; `reimage controller` carries the runs out.
    """
    invocation = Invocation.of(context)
    with invocation.database() as database:
        settings = invocation.settings
        with _Bar() as bar:
            classes = load_classes(settings.classes)
            found = remedying.plan(
                settings, database, which, classes, limit=limit, progress=bar.tell
            )
        if not as_json:
            _print(found)
        tried: tuple[RunRow, ...] = ()
        queued: tuple[Done, ...] = ()
        stopped = False
        question = f"Queue {render.counted(len(found.planned), 'new run')}?"
        if found.planned and not dry_run and agreed(question, yes=yes):
            desk = _Desk(invocation, database, which, why)
            tried, queued, stopped = desk.carry_out(found.planned, canary)
    if as_json:
        shape = remedy_shapes.Remedies(
            name=which,
            dry_run=dry_run,
            planned=found.planned,
            left=found.left,
            short_of_memory=found.short_of_memory,
            canaries=tried,
            stopped=stopped,
            queued=queued,
        )
        render.show(shape)
    else:
        _print_done(tried, queued, stopped=stopped)
    if stopped:
        raise typer.Exit(1)


class _Desk:
    """Does what was agreed to."""

    def __init__(
        self, invocation: Invocation, database: Database, name: str, why: str | None
    ) -> None:
        self._invocation, self._database, self._name, self._why = invocation, database, name, why

    def carry_out(
        self, chosen: tuple[Planned, ...], canary: int
    ) -> tuple[tuple[RunRow, ...], tuple[Done, ...], bool]:
        """Queue the runs, some of them first; return what came of these, all that was queued, and if it stopped."""
        first = remedying.canaries(chosen, canary) if canary else ()
        queued = self._queue(first)
        tried = tuple(self._drive(one) for one in queued if one.run is not None)
        stopped = len(tried) < len(first) or not remedying.succeeded(tried)
        if not stopped:
            queued += self._queue([one for one in chosen if one not in first])
        return tried, queued, stopped

    def _queue(self, planned: Sequence[Planned]) -> tuple[Done, ...]:
        settings, author = self._invocation.settings, self._invocation.author
        if not planned:
            return ()
        remedying.ask(
            settings,
            self._database,
            self._name,
            planned,
            author=author,
            reason=self._why,
            at=datetime.now(UTC),
        )
        return tuple(remedying.carry_out(settings, self._database, planned, author=author))

    def _drive(self, one: Done) -> RunRow:
        return driving.until_settled(self._invocation.settings, self._database, str(one.run))[-1]


def _print(found: Plan) -> None:
    """Print what would be done, and what not."""
    out = render.console()
    if not found.planned and not found.left:
        out.print(f"{found.name} blocks nothing now", soft_wrap=True)
        return
    every = (*found.planned, *found.left)
    rows = [(one.dataset, one.error_class, one.run, _what(one)) for one in every[:SHOWN]]
    render.table(out, COLUMNS, rows)
    if len(every) > SHOWN:
        out.print(f"... and {len(every) - SHOWN} more (--json tells all)")
    counts = Counter(one.remedy for one in found.planned)
    for name, number in counts.most_common():
        out.print(f"{render.counted(number, 'new run')}: {name}")
    if found.left:
        out.print(f"{render.counted(len(found.left), 'dataset')} left: nothing to try")
        for name in dict.fromkeys(one.error_class for one in found.left):
            render.say(f"what a person can do: `reimage classes show {name}`")
    if found.beyond:
        out.print(f"{render.counted(found.beyond, 'dataset')} beyond the limit")
    for share in found.short_of_memory:
        out.print(
            f"category {share.category}: {share.datasets} of {share.of} datasets ran out of memory: "
            "give all its runs more (`memory_mb`)",
            style="yellow",
            soft_wrap=True,
        )


def _what(one: Planned) -> str:
    """Return what is done, without the class that the row names already."""
    words = one.reason.removeprefix(f"{one.error_class}: ")
    return words if one.change is not None else f"left: {words}"


def _print_done(tried: tuple[RunRow, ...], queued: tuple[Done, ...], *, stopped: bool) -> None:
    out = render.console()
    for row in tried:
        came = row.result or row.state
        failed = f" ({row.error_class})" if row.result is not Result.IMAGED else ""
        out.print(f"tried first: {row.dataset}: {came}{failed}, {row.run}", soft_wrap=True)
    for one in queued:
        if one.run is None:
            out.print(f"not queued: {one.dataset}: {one.reason}", style="yellow", soft_wrap=True)
    made = sum(one.run is not None for one in queued)
    if queued:
        out.print(f"{render.counted(made, 'run')} queued")
    if stopped:
        out.print(
            "the others were not queued: not all that were tried first are imaged", style="red"
        )
    elif made > len(tried):
        render.say("`reimage controller` carries them out; `reimage status` shows how far they are")


class _Bar(Bars):
    """How far it is."""

    def __init__(self) -> None:
        super().__init__(
            TextColumn("looking at"), BarColumn(), MofNCompleteColumn(), TextColumn("datasets")
        )
        self._task = self._progress.add_task("looking at", total=None)

    def tell(self, done: int, of: int) -> None:
        """Tell how many of so many were looked at."""
        self._progress.update(self._task, completed=done, total=of)
