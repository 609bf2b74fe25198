"""``reimage fix``, or ``reimage fixes``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reimage import document
from reimage import fix as declared
from reimage.cli import places, render, site_shapes
from reimage.cli.invocation import Invocation
from reimage.cli.options import Json
from reimage.cli.render import Column
from reimage.delivery import layout
from reimage.fix import Facts, Fix
from reimage.model import Delivery, Stage
from reimage.run import FixReference
from reimage.settings import Settings, shipped
from reimage.stages.context import PROVEN
from reimage.stages.values import RestoreValue

app = typer.Typer(add_completion=False, no_args_is_help=True)

COLUMNS = (
    Column(title="fix"),
    Column(title="before", keep=6),
    Column(title="title"),
    Column(title="issue", keep=3),
)


@app.callback(epilog="Examples:\n\nreimage fix list\n\nreimage fix applicable uid://A001/X1a2b/X1")
def fix() -> None:
    """List the known fixes, and those that a dataset needs."""


@app.command("list", epilog="Example:\n\nreimage fix list --json")
def list_(context: typer.Context, *, as_json: Json = False) -> None:
    """List every fix, shipped and the site's."""
    found = _known(Invocation.of(context).settings)
    if as_json:
        rows = tuple(
            {
                "id": one.id,
                "title": one.title,
                "before": one.before.value,
                "reports": one.reports,
                "offered": one.offered,
                "issue": one.issue,
                "path": reference.path,
                "sha256": reference.sha256,
            }
            for reference, one in found
        )
        render.show(site_shapes.Declared(declared=rows))
        return
    render.table(
        render.console(),
        COLUMNS,
        [[one.id, one.before.value, _title(one), one.issue] for _, one in found],
    )


@app.command(
    epilog="Examples:\n\n"
    "reimage fix applicable uid://A001/X1a2b/X1\n\n"
    "reimage fix applicable data/2016.1.00001.S --json"
)
def applicable(
    context: typer.Context,
    target: Annotated[
        str,
        typer.Argument(
            metavar="DATASET|DIR",
            help="A dataset: what its latest run has; or the directory of a delivery or a run.",
            show_default=False,
        ),
    ],
    *,
    as_json: Json = False,
) -> None:
    """List the fixes that a dataset needs, and why."""
    invocation = Invocation.of(context)
    delivery, facts = _evidence(_place(invocation, target))
    known = [one for _, one in _known(invocation.settings)]
    asked = [one for one in known if facts or one.before is Stage.RESTORE]
    whys = {one.id: one.applies(delivery, facts) for one in asked}
    found = site_shapes.Applicable(
        applicable=tuple(
            site_shapes.ApplicableFix(
                fix=one.id,
                title=one.title,
                before=one.before,
                reports=one.reports,
                offered=one.offered,
                obstacles=one.obstacles(delivery, facts),
                because=why,
            )
            for one in asked
            if (why := whys[one.id]) is not None
        ),
        ms=tuple(facts),
        unasked=tuple(one.id for one in known if one not in asked),
    )
    if as_json:
        render.show(found)
    else:
        _tell(found)


def _tell(found: site_shapes.Applicable) -> None:
    out = render.console()
    for one in found.applicable:
        render.pairs(out, {one.fix: f"before {one.before.value}, {_does(one)}: {one.because}"})
        _offer(one)
    if not found.applicable:
        render.say("no fix is needed")
    if found.unasked:
        render.say(f"{len(found.unasked)} fixes look at restored MSs, and there are none yet")


def _title(one: Fix) -> str:
    return f"offered: {one.title}" if one.offered else one.title


def _does(one: site_shapes.ApplicableFix) -> str:
    if one.obstacles:
        return "nothing"
    if one.offered:
        return "offered"
    return "reports" if one.reports else "mends"


def _offer(one: site_shapes.ApplicableFix) -> None:
    """Say how an offered fix is taken, or why it cannot be."""
    if one.obstacles:
        render.say(f"{one.fix} is not safe here:")
        for why in one.obstacles:
            render.say(f"  {why}")
    elif one.offered:
        render.say(f"to take it: reimage rerun DATASET --fix {one.fix}")


def _known(settings: Settings) -> list[tuple[FixReference, Fix]]:
    return list(declared.known((shipped("fixes"), *settings.fixes)))


def _place(invocation: Invocation, target: str) -> Path:
    """Return the directory that is meant; only a dataset asks the run database.

    Raises
    ------
    DeliveryNotHere, RunUnknown
    """
    path = places.found(target)
    return path if path and path.is_dir() else places.latest_run(invocation, target)


def _evidence(place: Path) -> tuple[Delivery, Facts]:
    """Return the delivery in a directory, and, in a run's, the facts of the MSs that it restored.

    Raises
    ------
    DeliveryNotHere, DeliveryEmpty
    """
    if not (place / "run.json").is_file():
        return layout.read_layout(place), {}
    fetched = places.fetched(place)
    proven = place / Stage.RESTORE.value / PROVEN
    if not proven.is_file():
        return layout.read_layout(fetched), {}
    value = document.load(RestoreValue, document.read_json(proven)["value"], origin=str(proven))
    return layout.read_layout(fetched), value.facts
