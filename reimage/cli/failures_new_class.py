"""``reimage failures new-class``: an error class drafted from one failure."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.text import Text

from reimage import journal, mirror
from reimage.cli import judge_shapes, render
from reimage.cli.failures_judge import FailureName
from reimage.cli.invocation import Invocation
from reimage.cli.options import Json
from reimage.cli.progress import Bars
from reimage.cli.render import Column
from reimage.desk import drafting
from reimage.desk import preview as foreseen
from reimage.desk.drafting import Draft
from reimage.desk.preview import HISTORY, Preview
from reimage.triage.catalogue import Family, load_classes

NEW_CLASS = (
    "Examples:\n\n"
    "reimage failures new-class 20261120T082301-a1b2c3\n\n"
    'reimage failures new-class "#1234" --line 3 --id wvr-gap --family calibration\n\n'
    "reimage failures new-class 20261120T082301-a1b2c3 --save"
)
COLUMNS = (
    Column(title="found in failures of"),
    Column(title="failures", right=True),
    Column(title="would move", right=True),
    Column(title="blocked", right=True, keep=5),
    Column(title="example", keep=4),
)
MOST_LINE = 110


def new_class(
    context: typer.Context,
    which: FailureName,
    *,
    error_class: Annotated[
        str | None,
        typer.Option("--id", help="Its id; otherwise the line's first words.", show_default=False),
    ] = None,
    family: Annotated[
        Family | None,
        typer.Option(help="Its family; otherwise that of the stage.", show_default=False),
    ] = None,
    title: Annotated[
        str | None, typer.Option(help="Its title; otherwise the line.", show_default=False)
    ] = None,
    line: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Number of the line to draft from; otherwise the decisive one.",
            show_default=False,
        ),
    ] = None,
    history: Annotated[
        int, typer.Option(min=0, help="How many failures, the newest, it is held against.")
    ] = HISTORY,
    save: Annotated[
        bool, typer.Option("--save", help="Write it into the site's own folder of classes.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Draft an error class from a failure's line, and show what it would match in history.

    The draft is passive: it names failures and carries nothing out until a person has said what helps.
    """
    invocation = Invocation.of(context)
    settings = invocation.settings
    classes = load_classes(settings.classes)
    with invocation.database() as database:
        draft = drafting.draft(
            settings,
            database,
            which,
            classes,
            author=invocation.author,
            error_class=error_class,
            family=family,
            title=title,
            line=line,
        )
        with _Bar() as bar:
            preview = foreseen.preview(
                settings, database, draft.error_class, classes, history=history, progress=bar.tell
            )
        path = str(drafting.save(settings, draft)) if save else None
        if save:
            mirror.error_classes(database, (draft.error_class,), journal.now())
    if as_json:
        render.show(_shape(draft, preview, path))
    else:
        _print(draft, preview, path)


def _shape(draft: Draft, preview: Preview, path: str | None) -> judge_shapes.DraftedClass:
    return judge_shapes.DraftedClass(
        id=draft.id,
        family=draft.family.value,
        run=draft.run,
        attempt=draft.attempt,
        pattern=draft.pattern,
        text=draft.text,
        file=path,
        lines=draft.lines,
        looked=preview.looked,
        of=preview.of,
        unreadable=preview.unreadable,
        taken=preview.taken,
    )


def _print(draft: Draft, preview: Preview, path: str | None) -> None:
    out = render.console()
    out.print(render.heading(f"lines of {draft.run} attempt {draft.attempt}"))
    for one in draft.lines:
        text = " ".join(one.text.split())[:MOST_LINE]
        mark = "*" if one.chosen else " "
        style = "bold" if one.chosen else "dim"
        out.print(Text(f"{mark}{one.number:>3} {one.severity:<9} {text}", style=style))
    out.print()
    out.print(render.heading(f"{draft.family}/{draft.id}.toml"))
    out.print(draft.text, soft_wrap=True)
    seen = f"{preview.looked} of {preview.of} failures" + (
        f", {preview.unreadable} without evidence" if preview.unreadable else ""
    )
    if preview.taken:
        rows = [
            [one.error_class, str(one.failures), str(one.moved), str(one.datasets), one.example]
            for one in preview.taken
        ]
        render.table(out, COLUMNS, rows)
        out.print(f"looked at {seen}", style="dim")
    else:
        out.print(f"found in none of {seen}")
    if path is None:
        render.say("not saved; --save writes it, --line and --id change it")
    else:
        out.print(f"saved: {path}", soft_wrap=True)
        render.say("go over its meaning and advice, then: reimage failures reclassify --dry-run")


class _Bar(Bars):
    """How far history is looked through."""

    def __init__(self) -> None:
        super().__init__(
            TextColumn("history"), BarColumn(), MofNCompleteColumn(), TextColumn("failures")
        )
        self._task = self._progress.add_task("history", total=None)

    def tell(self, done: int, of: int) -> None:
        """Tell how many of so many were looked at."""
        self._progress.update(self._task, completed=done, total=of)
