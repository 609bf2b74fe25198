"""``reimage repro``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reimage import queueing
from reimage.cli import desk_shapes, render
from reimage.cli.invocation import Invocation
from reimage.cli.options import Json, RunOrDataset
from reimage.desk import capsule
from reimage.desk.capsule import Capsule
from reimage.model import Stage
from reimage.store import judged, runs

app = typer.Typer(add_completion=False)

FAILURE = "#"
"""What the number of a failure begins with."""


@app.command(
    epilog="Examples:\n\n"
    "reimage repro 20261120T082301-a1b2c3\n\n"
    "reimage repro uid://A001/X1a2b/X1 -o /tmp/for-the-helpdesk --with-data\n\n"
    "reimage repro 20261120T082301-a1b2c3 --stage restore --json\n\n"
    "reimage repro '#12' -o capsule --force"
)
def repro(
    context: typer.Context,
    which: RunOrDataset,
    *,
    to: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="The folder that is made; otherwise ./repro-RUN.",
            show_default=False,
        ),
    ] = None,
    stage: Annotated[
        Stage | None,
        typer.Option(
            help="Whose last CASA call is repeated; otherwise the stage that failed.",
            show_default=False,
        ),
    ] = None,
    with_data: Annotated[
        bool, typer.Option("--with-data", help="Bring all data along, not only their checksums.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a capsule that is there; nothing else.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a folder that repeats a run's last CASA call by one command, without reimage.

    With scripts after fixes, build, environment, inputs by checksum, evidence, and a README.  A failure
    may be named by its number: '#12'.
    """
    invocation = Invocation.of(context)
    settings = invocation.settings
    with invocation.database() as database, database.read() as session:
        if which.startswith(FAILURE):
            row = runs.find(session, judged.find(session, which).run)
        else:
            row = queueing.find_target(session, settings.holding, which)
    folder = to or Path(f"repro-{row.run}")
    if not as_json:
        render.say(f"reading {row.run}: every input gets a checksum")
    made = capsule.make(
        settings, row, folder.expanduser().absolute(), stage=stage, with_data=with_data, force=force
    )
    if as_json:
        render.show(desk_shapes.ReproCapsule(capsule=made))
    else:
        _show(made)


def _show(made: Capsule) -> None:
    out = render.console()
    out.print(render.heading(f"{made.directory}"), soft_wrap=True)
    facts = {
        "run": f"{made.run}  {made.dataset}",
        "why": made.error_class,
        "decisive line": made.decisive,
        "stage": made.stage.value if made.stage else None,
        "repeats": f"{made.job} with {made.build}" if made.job else None,
        "cut down": "; ".join(made.cut),
        "inputs": render.counted(made.inputs, "file") + (" with data" if made.with_data else ""),
        "size": render.size(made.n_bytes),
    }
    render.pairs(out, {key: value for key, value in facts.items() if value})
    if made.missing:
        out.print(f"  {len(made.missing)} inputs are gone from the run: see README.md")
    if made.job is None:
        out.print("  no CASA call to repeat: README.md says what there is", soft_wrap=True)
    else:
        out.print(f"  repeat it: {made.directory}/run.sh", soft_wrap=True)
