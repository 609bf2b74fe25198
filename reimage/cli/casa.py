"""``reimage casa``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from reimage.casa import builds, environments
from reimage.cli import casa_choice, complete, places, render, site_shapes
from reimage.cli.invocation import Invocation
from reimage.cli.options import Json
from reimage.cli.render import Column
from reimage.model import CasaBuild

app = typer.Typer(add_completion=False, no_args_is_help=True)

REGISTERED = (
    Column(title="build"),
    Column(title="CASA"),
    Column(title="python", keep=5),
    Column(title="pipeline", keep=6),
    Column(title="kind", keep=3),
    Column(title="interpreter", keep=2),
)
INSTALLABLE = (
    Column(title="CASA"),
    Column(title="python"),
    Column(title="can be installed"),
    Column(title="note", keep=2),
)


@app.callback(
    epilog="Examples:\n\n"
    "reimage casa install\n\n"
    "reimage casa register /opt/casa-6.6.6-17-pipeline-2025.1.0.35-py3.10.el8"
)
def casa() -> None:
    """List, install, probe and register builds of CASA; tell which one a delivery needs."""


@app.command("list", epilog="Examples:\n\nreimage casa list\n\nreimage casa list --installable")
def list_(
    context: typer.Context,
    *,
    installable: Annotated[
        bool, typer.Option("--installable", help="What `casa install` can make, instead.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List the registered builds."""
    if installable:
        _list_installable(as_json=as_json)
        return
    found = builds.registered(Invocation.of(context).settings.builds_dir)
    if as_json:
        render.show(site_shapes.Builds(builds=found))
    elif found:
        render.table(render.console(), REGISTERED, [_row(build) for build in found])
    else:
        render.say("no builds (`reimage casa install` makes the default one)")


def _list_installable(*, as_json: bool) -> None:
    found = tuple(
        site_shapes.InstallableBuild(
            version=row.version, python=row.python, build=row.id, broken=row.broken, note=row.why
        )
        for row in environments.installable()
    )
    if as_json:
        render.show(site_shapes.InstallableBuilds(installable=found))
        return
    rows = [[row.version, row.python, row.broken or "yes", row.note] for row in found]
    render.table(render.console(), INSTALLABLE, rows)


@app.command(
    epilog="Examples:\n\n"
    "reimage casa install\n\n"
    "reimage casa install 6.6.0 --python /usr/local/bin/python3.10"
)
def install(
    context: typer.Context,
    version: Annotated[
        str | None,
        typer.Argument(
            metavar="VERSION",
            help="As in 6.7.0 or 6.7.0.31; otherwise the default build.",
            show_default=False,
        ),
    ] = None,
    *,
    python: Annotated[
        Path | None,
        typer.Option(
            help="Interpreter to make the environment with.", dir_okay=False, show_default=False
        ),
    ] = None,
) -> None:
    """Make a build from the wheels, in an environment of its own, and register it."""
    settings = Invocation.of(context).settings
    row = environments.select(version or environments.default_version())
    err = render.console(stderr=True)
    with err.status(f"installing {row.id}") as shown:

        def report(line: str) -> None:
            shown.update(line.strip())
            err.print(line, style="dim", soft_wrap=True)

        made = builds.install(
            row,
            cache=settings.cache,
            builds_dir=settings.builds_dir,
            report=report,
            interpreter=None if python is None else str(python),
        )
    render.console().print(made.id)


@app.command(epilog="Example:\n\nreimage casa probe casa-6.7.0.31-py311")
def probe(
    context: typer.Context,
    build: Annotated[
        str,
        typer.Argument(
            metavar="BUILD",
            help="A registered build.",
            autocompletion=complete.builds,
            show_default=False,
        ),
    ],
    *,
    as_json: Json = False,
) -> None:
    """Prove that a build imports, opens an MS and knows its measures data; that its shell starts."""
    found = builds.find(Invocation.of(context).settings.builds_dir, build)
    probed = builds.probe(found, render.say)
    if as_json:
        render.show(site_shapes.Builds(builds=(probed,)))
        return
    shell = "" if probed.casa is None else ", delivered scripts run in its shell"
    shell += (
        "" if probed.python else " (and nothing else: another build looks into what they leave)"
    )
    pipeline = f", ALMA pipeline {probed.pipeline}" if probed.pipeline else ", no ALMA pipeline"
    render.console().print(
        f"{probed.id} works: CASA {probed.version}, Python {probed.python_version}{pipeline}{shell}",
        soft_wrap=True,
    )


@app.command(
    epilog="Examples:\n\n"
    "reimage casa register /opt/casa-6.5.4-9-pipeline-2023.1.0.124-py3.8\n\n"
    "reimage casa register /opt/casa-release-4.7.2-el6\n\n"
    "reimage casa register ~/venvs/casa/bin/python --id casa-nightly"
)
def register(
    context: typer.Context,
    path: Annotated[
        Path,
        typer.Argument(
            help="A monolithic CASA's directory or executable, an environment with casatasks, or its python.",
            show_default=False,
        ),
    ],
    *,
    name: Annotated[
        str | None, typer.Option("--id", help="Id of the build.", show_default=False)
    ] = None,
) -> None:
    """Probe an existing CASA and register it."""
    settings = Invocation.of(context).settings
    described = builds.from_path(
        (places.found(path) or path).absolute(), environments.casadata_path(settings.cache)
    )
    if name is not None:
        described = replace(described, id=name)
    made = builds.register(described, settings.builds_dir, render.say)
    render.console().print(made.id)


@app.command(
    epilog="Examples:\n\n"
    "reimage casa choose 2016.1.01435.S --explain\n\n"
    "reimage casa choose downloads/member.uid___A001_X87c_X69.README.txt --json\n\n"
    "reimage casa choose uid://A001/X87c/X69 --explain"
)
def choose(
    context: typer.Context,
    target: Annotated[
        str,
        typer.Argument(
            metavar="DIR|MOUS",
            help="A delivery's directory, a piece of one, a file of one; or a dataset that was fetched.",
            show_default=False,
        ),
    ],
    *,
    explain: Annotated[
        bool, typer.Option("--explain", help="Every statement, and the whole reasoning.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Tell which CASA a delivery needs, which build would be used, and why.

    A directory needs no run database and no fetched dataset.  Leaves with 0 also where no build will
    do, or nothing is said.
    """
    found = casa_choice.reason(Invocation.of(context), target)
    if as_json:
        render.show(found)
    else:
        casa_choice.tell(found, explain=explain)


def _row(build: CasaBuild) -> list[render.Cell | None]:
    return [
        build.id,
        build.version,
        build.python_version,
        build.pipeline or "none",
        build.kind,
        build.python or build.casa,
    ]
