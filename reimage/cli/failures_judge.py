"""``reimage failures classify | reclassify``: judged by a person, or again by today's classes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

from reimage.cli import complete, judge_shapes, render
from reimage.cli.asking import DryRun, Yes, agreed
from reimage.cli.invocation import Invocation
from reimage.cli.options import Json
from reimage.cli.progress import Bars
from reimage.cli.since import Since, since_of
from reimage.desk import judging
from reimage.desk.judging import ClassChange, Reclassification, Survey
from reimage.errors import UsageError
from reimage.store.judged import Which
from reimage.triage.catalogue import UNCLASSIFIED, load_classes
from reimage.triage.lookup import find_class

MOST_EXAMPLE = 160
CLASSIFY = (
    "Examples:\n\n"
    'reimage failures classify 20261120T082301-a1b2c3 --as memory --why "the node swapped"\n\n'
    'reimage failures classify "#1234" --as corrupt-asdm --why "the archive says so: ticket 77"'
)
RECLASSIFY = (
    "Examples:\n\n"
    "reimage failures reclassify --dry-run\n\n"
    "reimage failures reclassify --class unclassified --yes\n\n"
    "reimage failures reclassify --signature sv1:0123456789ab\n\n"
    "reimage failures reclassify --all --since 2026-11-01 --json --yes"
)

FailureName = Annotated[
    str,
    typer.Argument(
        metavar="RUN|FAILURE|DATASET",
        help="A run's id (or its beginning): its last failure; a failure's number (#12); a dataset: its newest run.",
        show_default=False,
    ),
]


class SelectionContradicts(UsageError):
    """All failures, and only some."""

    code = "selection-contradicts"
    hint = "Either --all, or --class and --signature."


def classify(
    context: typer.Context,
    which: FailureName,
    *,
    error_class: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="CLASS",
            help="The error class that it has.",
            autocompletion=complete.error_classes,
            show_default=False,
        ),
    ],
    why: Annotated[
        str, typer.Option(help="What you know; kept with the judgement.", show_default=False)
    ],
    as_json: Json = False,
) -> None:
    """Say yourself what error class a failure has.

    Kept as one more judgement, with your name; `failures reclassify` leaves it.
    """
    invocation = Invocation.of(context)
    with invocation.database() as database:
        done = judging.classify(
            invocation.settings,
            database,
            which,
            error_class,
            load_classes(invocation.settings.classes),
            why=why,
            author=invocation.author,
            at=datetime.now(UTC),
        )
    if as_json:
        render.show(judge_shapes.Classification(classified=done))
        return
    out = render.console()
    out.print(
        f"{done.run} attempt {done.attempt}: {done.before} -> {done.after}, says {invocation.author}",
        soft_wrap=True,
    )
    if done.signature is not None:
        render.say(f"others like it: `reimage failures show {done.signature}`")


def reclassify(
    context: typer.Context,
    *,
    error_class: Annotated[
        str | None,
        typer.Option(
            "--class",
            metavar="CLASS",
            help=f"Only what has this class now; also `{UNCLASSIFIED}`.",
            autocompletion=complete.error_classes,
            show_default=False,
        ),
    ] = None,
    signature: Annotated[
        str | None, typer.Option(help="Only what has this signature now.", show_default=False)
    ] = None,
    since: Since = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every failure; so it is where none is chosen.")
    ] = False,
    also_people: Annotated[
        bool, typer.Option("--also-people", help="Take back what people said, too.")
    ] = False,
    why: Annotated[
        str, typer.Option(help="Kept with the judgements.")
    ] = "judged again by today's classes",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Judge stored evidence again by today's error classes, and show what differs.

    Each difference is one more judgement; none is overwritten.  Results never change.  Interrupted, it
    goes on where it was when called again.
    """
    if everything and (error_class or signature):
        raise SelectionContradicts("--all, and --class or --signature")
    invocation = Invocation.of(context)
    classes = load_classes(invocation.settings.classes)
    begin = None if since is None else since_of(since)
    which = Which(error_class=error_class, signature=signature, since=begin)
    with (
        invocation.database() as database,
        Reclassification(invocation.settings, database, classes) as again,
    ):
        with _Bar() as bar:
            survey = again.look(which, also_people=also_people, progress=bar.tell)
        if error_class not in {None, UNCLASSIFIED} and not survey.judged + survey.unreadable:
            find_class(classes, str(error_class))  # misspelt?
        if not as_json:
            _print(survey)
        recorded = 0
        question = f"Record {render.counted(survey.n_changes, 'new judgement')}?"
        if survey.n_changes and not dry_run and agreed(question, yes=yes):
            recorded = again.record(author=invocation.author, why=why, at=datetime.now(UTC))
    if as_json:
        render.show(_shape(survey, dry_run=dry_run, recorded=recorded))
    elif recorded:
        render.console().print(f"{render.counted(recorded, 'new judgement')} recorded")


def _shape(survey: Survey, *, dry_run: bool, recorded: int) -> judge_shapes.Reclassified:
    return judge_shapes.Reclassified(
        dry_run=dry_run,
        recorded=recorded,
        judged=survey.judged,
        same=survey.same,
        by_people=survey.by_people,
        other_result=survey.other_result,
        unreadable=survey.unreadable,
        unreadable_ones=tuple(survey.told),
        changes=survey.ordered(),
    )


def _print(survey: Survey) -> None:
    """Print the difference, then what was left."""
    out = render.console()
    for change in survey.ordered():
        out.print(_said(change), soft_wrap=True)
        if change.decisive:
            line = " ".join(change.decisive.split())[:MOST_EXAMPLE]
            out.print(f"    {change.example}: {line}", style="dim", soft_wrap=True)
    if not survey.changes:
        out.print(f"nothing would change: {survey.judged} judged")
    else:
        out.print(f"{survey.judged} judged, {survey.same} the same")
    if survey.by_people:
        out.print(f"{survey.by_people} judged by people: left (--also-people)")
    if survey.other_result:
        out.print(f"{survey.other_result} would have another result, too: results stay")
    if survey.unreadable:
        out.print(f"{survey.unreadable} without evidence that can be read: left", style="yellow")
        for one in survey.told:
            out.print(f"    {one.run} attempt {one.attempt}: {one.reason}", soft_wrap=True)


def _said(change: ClassChange) -> str:
    """Return a change as ``41 runs: unclassified -> sysval-times``."""
    n_attempts = change.failures - change.runs
    parts = [render.counted(change.runs, "run")] if change.runs or not n_attempts else []
    if n_attempts:
        parts.append(render.counted(n_attempts, "earlier attempt"))
    goes = (
        f"{change.before}, another signature"
        if change.before == change.after
        else f"{change.before} -> {change.after}"
    )
    blocked = f" ({render.counted(change.datasets, 'dataset')} blocked)" if change.datasets else ""
    return f"{' and '.join(parts)}: {goes}{blocked}"


class _Bar(Bars):
    """How far it is."""

    def __init__(self) -> None:
        super().__init__(
            TextColumn("judging"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("failures"),
            TimeRemainingColumn(),
        )
        self._task = self._progress.add_task("judging", total=None)

    def tell(self, done: int, of: int) -> None:
        """Tell how many of so many are judged."""
        self._progress.update(self._task, completed=done, total=of)
