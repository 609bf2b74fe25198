"""``reimage failures show``: one failure on its timeline, or one class or signature."""

from __future__ import annotations

from typing import Annotated

import typer

from reimage.cli import complete, desk_shapes, failure_text, group_text, render
from reimage.cli.invocation import Invocation
from reimage.cli.options import Json
from reimage.desk import showing
from reimage.desk.groups import Group
from reimage.desk.showing import Shown, ShownGroup
from reimage.triage.catalogue import load_classes

EPILOG = (
    "Examples:\n\n"
    "reimage failures show 20261120T082301-a1b2c3\n\n"
    'reimage failures show "#1234" --all\n\n'
    "reimage failures show uid://A001/X1a2b/X1\n\n"
    "reimage failures show memory\n\n"
    "reimage failures show sv1:0123456789ab --json"
)


def show(
    context: typer.Context,
    which: Annotated[
        str,
        typer.Argument(
            metavar="RUN|FAILURE|DATASET|CLASS|SIGNATURE",
            help="A run (or its beginning): its last failure; a failure's number (#12); a dataset: its newest "
            "run; an error class; a signature.",
            autocompletion=complete.error_classes,
            show_default=False,
        ),
    ],
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Every line that logs say, also the light ones.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show root and symptoms of a failure on one timeline, others like it, and what helped them.

    Of an error class or a signature: what it blocks, what helped, what people said.
    """
    invocation = Invocation.of(context)
    settings = invocation.settings
    classes = load_classes(settings.classes)
    failure: Shown | None = None
    group: ShownGroup | None = None
    with invocation.database() as database:
        found = showing.find(settings, database, classes, which)
        if isinstance(found, Group):
            group = showing.of_group(database, classes, found)
        else:
            failure = showing.of_failure(settings, database, classes, found)
    if as_json:
        render.show(desk_shapes.FailureShown(failure=failure, group=group))
    elif failure is not None:
        failure_text.show(failure, everything=everything)
    elif group is not None:
        group_text.show(group)
