"""Arguments and options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reimage.cli import complete
from reimage.model import Result, Stage, State
from reimage.uid import Uid


def _spelt(context: typer.Context, text: str) -> str:
    """Return what names a dataset or a run, refusing an ALMA uid that is misspelt."""
    if text.lower().startswith("uid") and not context.resilient_parsing:
        Uid.parse(text)
    return text


Json = Annotated[
    bool, typer.Option("--json", help="Print JSON (its shape: ops/guide/reference/json.md).")
]
RunId = Annotated[
    str,
    typer.Argument(metavar="RUN", help="A run's id, or its beginning.", show_default=False),
]
RunOrDataset = Annotated[
    str,
    typer.Argument(
        metavar="RUN|DATASET",
        help="A run's id (or its beginning), or a dataset: then its newest run.",
        callback=_spelt,
        show_default=False,
    ),
]
DatasetKey = Annotated[
    str,
    typer.Argument(
        metavar="DATASET",
        help="For ALMA a member OUS: uid://A001/X1/X2 or uid___A001_X1_X2.",
        callback=_spelt,
        show_default=False,
    ),
]
Recipe = Annotated[
    str | None,
    typer.Option(
        help="Recipe; otherwise the setting `recipe`.",
        autocompletion=complete.recipes,
        show_default=False,
    ),
]
Casa = Annotated[
    str | None,
    typer.Option(
        help="Registered build to restore with; otherwise the delivery's statements decide.",
        autocompletion=complete.builds,
        show_default=False,
    ),
]
Until = Annotated[Stage | None, typer.Option(help="Stop after this stage.", show_default=False)]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="STEP.PARAM=VALUE",
        help="Change one parameter of the recipe; may be repeated.",
        show_default=False,
    ),
]
Fixes = Annotated[
    list[str] | None,
    typer.Option(
        "--fix",
        metavar="FIX",
        help="Take a fix that is only offered (`reimage fix list`); may be repeated.",
        autocompletion=complete.fixes,
        show_default=False,
    ),
]
Preflight = Annotated[
    bool,
    typer.Option(
        "--preflight/--no-preflight", help="Ask the archive first, and queue nothing in vain."
    ),
]
Detach = Annotated[bool, typer.Option("--detach", help="Queue the run and return at once.")]
Limit = Annotated[
    int | None, typer.Option(min=1, help="At most so many.", metavar="N", show_default=False)
]
InState = Annotated[State | None, typer.Option(help="Only runs in this state.", show_default=False)]
WithResult = Annotated[
    Result | None, typer.Option(help="Only runs that ended so.", show_default=False)
]
OfSweep = Annotated[str | None, typer.Option(help="Only runs of this sweep.", show_default=False)]
OfCategory = Annotated[
    str | None,
    typer.Option(
        help="Only runs of this category.",
        autocompletion=complete.categories,
        show_default=False,
    ),
]
CategoryId = Annotated[
    str,
    typer.Argument(
        metavar="CATEGORY",
        help="A category's id.",
        autocompletion=complete.categories,
        show_default=False,
    ),
]
Folder = Annotated[Path, typer.Argument(file_okay=False, metavar="DIR")]
