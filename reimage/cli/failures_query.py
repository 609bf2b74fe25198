"""``reimage failures query``: saved questions, and SQL of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from reimage import journal
from reimage.cli import inbox_shapes, render, rows_out
from reimage.cli.invocation import Invocation
from reimage.cli.options import Json
from reimage.cli.render import Column
from reimage.errors import UsageError
from reimage.store import free_sql, questions
from reimage.store.answer import Answer
from reimage.store.asking import Question
from reimage.store.session import Database

EPILOG = (
    "Examples:\n\n"
    "reimage failures query --list\n\n"
    "reimage failures query memory-by-category\n\n"
    "reimage failures query days --with days=90 --csv > days.csv\n\n"
    'reimage failures query --sql "SELECT result, COUNT(*) FROM run GROUP BY result" --json'
)
ROWS = 100
MOST_ROWS = 1_000_000
MOST_SAID = 60
"""Characters of a value in a table."""
LEAST_ASKED = 25
"""Characters of a question's words at least, where they are told."""


class QuestionUnclear(UsageError):
    """Neither a question nor SQL is given, or both."""

    code = "question-unclear"
    hint = "Give a question's name (`reimage failures query --list`), or SQL with --sql."


def _names(incomplete: str) -> list[str]:
    return [name for name in questions.QUESTIONS if name.startswith(incomplete)]


def query(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="A saved question.", autocompletion=_names, show_default=False
        ),
    ] = None,
    *,
    list_: Annotated[bool, typer.Option("--list", help="List the saved questions.")] = False,
    with_: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="NAME=VALUE",
            help="What the question is asked with; may be repeated.",
            show_default=False,
        ),
    ] = None,
    sql: Annotated[
        str | None,
        typer.Option(help="A SELECT of one's own; it can only read.", show_default=False),
    ] = None,
    limit_s: Annotated[
        float, typer.Option(min=0.01, max=3600, help="Seconds after which SQL is ended.")
    ] = 10.0,
    rows: Annotated[int, typer.Option(min=1, max=MOST_ROWS, help="Rows at most.")] = ROWS,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    as_votable: Annotated[bool, typer.Option("--votable", help="Print a VOTable.")] = False,
    as_json: Json = False,
) -> None:
    """Ask the run database a saved question, or in SQL of one's own.

    Without a name the questions are listed.  SQL reads and changes nothing, whatever it says.
    """
    if name is not None and sql is not None:
        raise QuestionUnclear("a question and SQL at once")
    if list_ or (name is None and sql is None):
        _list(as_json=as_json)
        return
    with Invocation.of(context).database() as database:
        if sql is not None:
            title, found = "SQL", free_sql.ask(database, sql, limit_s=limit_s, most=rows)
        else:
            title, found = _asked(database, str(name), with_ or [], rows)
    if as_json:
        render.show(_shape(name, title, found))
    elif as_csv:
        rows_out.write_csv(found.columns, found.rows)
    elif as_votable:
        rows_out.write_votable(found.columns, found.rows, title)
    else:
        _show(title, found)
    if found.cut and not as_json:
        render.say(f"there are more than {rows} rows: --rows")


def _asked(database: Database, name: str, values: Sequence[str], most: int) -> tuple[str, Answer]:
    question = questions.find(name)
    pairs = {}
    for value in values:
        key, equals, text = value.partition("=")
        if not equals:
            raise questions.QuestionParameter(f"not NAME=VALUE: {value!r}")
        pairs[key.strip()] = text.strip()
    given = questions.given(question, pairs, journal.now())
    with database.read() as session:
        return question.title, questions.ask(session, question, given, most)


def _list(*, as_json: bool) -> None:
    if as_json:
        saved = tuple(
            inbox_shapes.SavedQuestion(
                name=one.name, title=one.title, meaning=one.meaning, parameters=one.parameters
            )
            for one in questions.QUESTIONS.values()
        )
        render.show(inbox_shapes.SavedQuestions(questions=saved))
        return
    out = render.console()
    for title, group in questions.GROUPS.items():
        columns = (
            Column(title=title),
            Column(title="asks", squeeze=LEAST_ASKED, keep=8),
            Column(title="with", keep=8),
            Column(title="meaning", squeeze=MOST_SAID, keep=4),
        )
        render.table(out, columns, [_row(one) for one in group])
    render.say("ask one: `reimage failures query NAME`, with other values: `--with NAME=VALUE`")


def _row(one: Question) -> list[render.Cell | None]:
    taken = " ".join(f"{key}={value}" for key, value in one.parameters.items())
    return [one.name, one.title, taken, one.meaning]


def _shape(name: str | None, title: str, found: Answer) -> inbox_shapes.Answer:
    return inbox_shapes.Answer(
        question=name,
        title=title,
        columns=found.columns,
        rows=tuple(tuple(rows_out.plain(value) for value in row) for row in found.rows),
        cut=found.cut,
        wall_s=round(found.wall_s, 4),
    )


def _show(title: str, found: Answer) -> None:
    out = render.console()
    if title != "SQL":
        out.print(render.heading(title))
    if not found.rows:
        out.print("no rows")
        return
    numeric = [all(_is_number(row[i]) for row in found.rows) for i in range(len(found.columns))]
    columns = [
        Column(title=name, right=numeric[i], keep=max(0, 8 - i) if i else render.ALWAYS)
        for i, name in enumerate(found.columns)
    ]
    render.table(out, columns, [[_cell(value) for value in row] for row in found.rows])


def _is_number(value: Any) -> bool:  # noqa: ANN401 -- whatever a database gives
    return value is None or isinstance(value, int | float)


def _cell(value: Any) -> str:  # noqa: ANN401 -- the same
    text = "" if value is None else str(rows_out.plain(value))
    line = " ".join(text.split())
    return line if len(line) <= MOST_SAID else line[: MOST_SAID - 1] + "…"
