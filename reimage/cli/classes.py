"""``reimage classes``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from reimage.cli import complete, render, site_shapes
from reimage.cli.invocation import Invocation
from reimage.cli.options import Json
from reimage.cli.render import Column
from reimage.triage.advice import unfilled
from reimage.triage.catalogue import ErrorClass, Sample, load_classes
from reimage.triage.lookup import find_class

app = typer.Typer(add_completion=False, no_args_is_help=True)

COLUMNS = (
    Column(title="error class"),
    Column(title="family", keep=7),
    Column(title="who acts", keep=4),
    Column(title="remedy", keep=5),
    Column(title="title"),
)


@app.callback(epilog="Examples:\n\nreimage classes list\n\nreimage classes show memory")
def classes() -> None:
    """List and show error classes: what each means, and what to do."""


@app.command("list", epilog="Example:\n\nreimage classes list --json")
def list_(context: typer.Context, *, as_json: Json = False) -> None:
    """List every error class."""
    found = load_classes(Invocation.of(context).settings.classes)
    if as_json:
        render.show(site_shapes.Declared(declared=tuple(_brief(one) for one in found)))
        return
    rows = [[one.id, one.family, one.fault, one.remedy, one.title] for one in found]
    render.table(render.console(), COLUMNS, rows)


@app.command(epilog="Example:\n\nreimage classes show archive-file-damaged")
def show(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="An error class.",
            autocompletion=complete.error_classes,
            show_default=False,
        ),
    ],
    *,
    as_json: Json = False,
) -> None:
    """Show what an error class means, what to do, and what it was made from."""
    known = load_classes(Invocation.of(context).settings.classes)
    found = find_class(known, name)
    if as_json:
        render.show(site_shapes.Declaration(declaration=found.model_dump(mode="json")))
        return
    out = render.console()
    out.print(render.heading(f"{found.family}/{found.id}: {found.title}"), soft_wrap=True)
    facts = {
        "meaning": " ".join(unfilled(found.meaning).split()),
        "advice": " ".join(unfilled(found.advice).split()),
        "who acts": found.fault.value,
        "remedy": found.fix or found.remedy.value,
        "explains": ", ".join(found.explains),
        "only where": found.scope.words(),
        "mode": found.mode if found.mode != "active" else "",
        "met": _met(found),
        "source": found.evidence.source,
        "link": found.link or "",
    }
    render.pairs(out, {key: value for key, value in facts.items() if value})
    out.print(render.heading("examples"))
    for example in found.evidence.examples:
        out.print(f"  {_example(example)}", soft_wrap=True)
    if found.evidence.counterexamples:
        out.print(render.heading("and what it is not"))
    for example in found.evidence.counterexamples:
        out.print(f"  {_example(example)}", soft_wrap=True)


def _met(found: ErrorClass) -> str:
    """Return how far a class was met; of a site's own only its source tells, unless its file says more."""
    says_itself = found.evidence.provoked_by or found.evidence.not_provoked
    return found.evidence.met() if says_itself or found in load_classes() else ""


def _example(one: str | Sample) -> str:
    """Return a piece of a log as it is, and a clue as what it says."""
    if isinstance(one, str):
        return one.strip()
    facts = one.model_dump(mode="json", exclude_none=True, exclude={"text"})
    return ", ".join(
        [*(f"{key} {value}" for key, value in facts.items()), *filter(None, [one.text])]
    )


def _brief(one: ErrorClass) -> dict[str, Any]:
    return one.model_dump(mode="json", include={"id", "family", "title", "fault", "remedy", "mode"})
