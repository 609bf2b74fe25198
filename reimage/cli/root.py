"""The command line's root: global options, and the verbs, each loaded when it is asked for."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

import reimage
from reimage import log

VERBS: dict[str, str] = {
    "doctor": "Check this installation: what is there, what is missing, what installs it.",
    "db": "Upgrade the run database, copy it, tell its version, rebuild it from run directories.",
    "holdings": "Bring the mirror of the archive's holdings up to date, list and show datasets.",
    "archive": "Serve a directory as an archive; list a dataset's files, look before launching, fetch.",
    "casa": "List, install, probe and register builds of CASA; tell which one a delivery needs.",
    "delivery": "Inspect a delivery on disk: its era, what it holds, what is odd.",
    "recipe": "List, show and compare recipes: how a dataset is processed.",
    "category": "List and show categories: datasets of which the same results are expected.",
    "fix": "List the known fixes, and those that a dataset needs.",
    "image": "Make images of calibrated MSs outside any run, by a recipe.",
    "run": "Run one dataset, from the archive to its outcome.",
    "rerun": "Run a dataset again, keeping what an earlier run has proven.",
    "cancel": "End a run that is queued or under way.",
    "sweep": "Launch a category, and see how far it is.",
    "controller": "Submit what is queued, follow what runs, judge what ends.",
    "status": "Count the runs by what came of them, and list them.",
    "show": "Show all about one run: timeline, CASA, fixes, failure, advice, evidence.",
    "log": "Print a run's journal, or the log of one of its CASA jobs.",
    "failures": "Tell what goes wrong, how often and since when, and what fixing it recovers.",
    "triage": "Judge logs or a directory of evidence outside any run: root, symptoms, what to do.",
    "matrix": "Show datasets by CASA build or recipe: result, class, key numbers, and what flips.",
    "repro": "Make a folder that repeats a run's last CASA call by one command, without reimage.",
    "products": "List what a run made of what it planned.",
    "classes": "List and show error classes: what each means, and what to do.",
    "demo": "Build and run the demonstration: a small archive made by real CASA.",
    "docs": "Write the generated references of the guide.",
}
"""Each verb is the module of its name here; the line is its first line of help."""
HIDDEN = frozenset({"docs"})
ALIASES = {"fixes": "fix"}
"""Other words for a verb, understood and not listed."""


def load(verb: str) -> Any:  # noqa: ANN401 -- a click command; typer names its kind in private
    """Return a verb's command, from the module of its name."""
    command = get_command(importlib.import_module(f"reimage.cli.{verb}").app)
    command.name = verb
    return command


def command() -> Any:  # noqa: ANN401 -- as above
    """Return the whole command line."""
    return get_command(app)


class VerbGroup(TyperGroup):
    """Knows the verbs by name and loads only the one that is used: help and completion stay quick."""

    def __init__(self, **arguments: Any) -> None:  # noqa: ANN401 -- typer's own
        super().__init__(**arguments)
        for verb, line in VERBS.items():
            self.commands[verb] = TyperCommand(verb, help=line, hidden=verb in HIDDEN)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 -- click's own kinds
        """Find the verb of a command line and load it."""
        name, _, rest = super().resolve_command(ctx, [ALIASES.get(args[0], args[0]), *args[1:]])
        return name, load(name) if name in VERBS else None, rest


app = typer.Typer(
    name="reimage",
    cls=VerbGroup,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:  # noqa: FBT001 -- typer calls it so
    if value:
        typer.echo(f"reimage {reimage.__version__}")
        raise typer.Exit


@app.callback(
    epilog="Examples:\n\n"
    "reimage doctor\n\n"
    "reimage run uid://A001/X1a2b/X1 --until restore\n\n"
    "reimage failures --by class"
)
def options(
    context: typer.Context,
    *,
    config: Annotated[
        Path | None,
        typer.Option(help="Settings file; otherwise REIMAGE_CONFIG, ./reimage.toml, user, system."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Data directory: runs, builds and the run database.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what is done.")] = False,
    version: Annotated[  # noqa: ARG001 -- its callback answers and leaves
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Tell the version.")
    ] = False,
) -> None:
    """Mass re-imaging of archived radio-interferometer datasets."""
    from reimage.cli.invocation import Invocation  # noqa: PLC0415 -- pulls the database in: verbs only

    log.configure(verbose=verbose)
    context.obj = Invocation(config=config, data=data, verbose=verbose)
