"""``reimage fix``, or ``reimage fixes``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reimage import document, queueing
from reimage import fix as declared
from reimage.cli import render, shapes
from reimage.cli.casa_choice import DeliveryNotHere
from reimage.cli.invocation import Invocation
from reimage.cli.options import Json
from reimage.cli.render import Column
from reimage.delivery import layout
from reimage.errors import UidMalformed
from reimage.fix import Facts, Fix
from reimage.model import Delivery, FixReference, Stage
from reimage.settings import Settings, shipped
from reimage.stages.context import PROVEN
from reimage.stages.values import RestoreValue
from reimage.uid import Uid

app = typer.Typer(add_completion=False, no_args_is_help=True)

COLUMNS = (
    Column(title="fix"),
    Column(title="before", keep=6),
    Column(title="title"),
    Column(title="issue", keep=3),
)
NEEDED = (
    Column(title="fix"),
    Column(title="before", keep=6),
    Column(title="does", keep=6),
    Column(title="because", keep=2),
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
                "issue": one.issue,
                "path": reference.path,
                "sha256": reference.sha256,
            }
            for reference, one in found
        )
        render.show(shapes.Declared(declared=rows))
        return
    render.table(
        render.console(),
        COLUMNS,
        [[one.id, one.before.value, one.title, one.issue] for _, one in found],
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
    found = shapes.Applicable(
        applicable=tuple(
            shapes.ApplicableFix(
                fix=one.id,
                title=one.title,
                before=one.before,
                reports=one.reports,
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


def _tell(found: shapes.Applicable) -> None:
    if found.applicable:
        rows: list[list[render.Cell | None]] = [
            [one.fix, one.before.value, "reports" if one.reports else "mends", one.because]
            for one in found.applicable
        ]
        render.table(render.console(), NEEDED, rows)
    else:
        render.say("no fix is needed")
    if found.unasked:
        render.say(f"{len(found.unasked)} fixes look at restored MSs, and there are none yet")


def _known(settings: Settings) -> list[tuple[FixReference, Fix]]:
    references = declared.discover((shipped("fixes"), *settings.fixes))
    return [(reference, declared.read(Path(reference.path))) for reference in references]


def _place(invocation: Invocation, target: str) -> Path:
    """Return the directory that is meant; only a dataset asks the run database.

    Raises
    ------
    DeliveryNotHere, RunUnknown
    """
    path = Path(target).expanduser()
    if path.is_dir():
        return path
    try:
        dataset = str(Uid.parse(target))
    except UidMalformed as error:
        raise DeliveryNotHere(
            f"no directory or dataset {target!r}", evidence={"target": target}
        ) from error
    settings = invocation.settings
    with invocation.database() as database, database.read() as session:
        row = queueing.find_target(session, settings.holding, dataset)
    return queueing.run_directory(settings, row)


def _evidence(place: Path) -> tuple[Delivery, Facts]:
    """Return the delivery in a directory, and, in a run's, the facts of the MSs that it restored.

    Raises
    ------
    DeliveryNotHere, DeliveryEmpty
    """
    if not (place / "run.json").is_file():
        return layout.read_layout(place), {}
    fetched = place / Stage.FETCH.value / "delivery"
    if not fetched.is_dir():
        raise DeliveryNotHere(f"{place} has fetched nothing yet", evidence={"run": str(place)})
    proven = place / Stage.RESTORE.value / PROVEN
    if not proven.is_file():
        return layout.read_layout(fetched), {}
    value = document.load(RestoreValue, document.read_json(proven)["value"], origin=str(proven))
    return layout.read_layout(fetched), value.facts
