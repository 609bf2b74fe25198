"""``reimage casa choose``: which CASA a delivery, or a piece of one, needs, and why."""

from __future__ import annotations

from pathlib import Path

from reimage.casa import builds, choose, distributions, policy
from reimage.cli import places, render, site_shapes
from reimage.cli.invocation import Invocation
from reimage.cli.render import Column
from reimage.delivery import versions

STATEMENTS = (
    Column(title="CASA"),
    Column(title="of the"),
    Column(title="trust", right=True, keep=3),
    Column(title="where"),
    Column(title="says", keep=2),
)


def reason(invocation: Invocation, target: str) -> site_shapes.CasaReasons:
    """Return the choice for a directory, a file, or the delivery of a dataset's latest run.

    Raises
    ------
    DeliveryNotHere, DeliveryEmpty, RunUnknown, PolicyUnreadable
    """
    settings = invocation.settings
    part = versions.read_part(_place(invocation, target))
    known = builds.registered(settings.builds_dir)
    choice = choose.choose(
        part.calibration, part.statements, known, policy=policy.load(settings.policy)
    )
    build = next((build for build in known if build.id == choice.build), None)
    is_exact = build is not None and choice.wanted is not None and choose.fits(build, choice.wanted)
    return site_shapes.CasaReasons(
        wanted=choice.wanted,
        version=None if build is None else build.version,
        installed=build is not None,
        doubtful=choice.doubtful,
        because=choice.statements,
        calibration=part.calibration,
        build=choice.build,
        reasons=choice.because,
        alternatives=choice.alternatives,
        install=None
        if is_exact or choice.wanted is None
        else distributions.how_to_install(choice.wanted),
    )


def _place(invocation: Invocation, target: str) -> Path:
    """Return the directory or file that is meant; only a dataset asks the run database."""
    return places.found(target) or places.fetched(places.latest_run(invocation, target))


def tell(found: site_shapes.CasaReasons, *, explain: bool) -> None:
    """Print a choice: one line, or the whole reasoning."""
    out = render.console()
    wanted = found.wanted or "nothing that is said about the calibration"
    used = f"{found.build} (CASA {found.version})" if found.build else "no registered build"
    doubt = ", doubtful" if found.doubtful else ""
    out.print(f"wanted: {wanted}; used: {used}{doubt}", soft_wrap=True)
    if explain:
        out.print(f"calibration: {found.calibration}")
        if found.because:
            rows = [
                [s.version, s.role.value, str(s.strength), f"{s.file}:{s.line}", s.text]
                for s in found.because
            ]
            render.table(out, STATEMENTS, rows)
        for line in found.reasons:
            out.print(f"- {line}", soft_wrap=True)
        if found.alternatives:
            out.print(f"alternatives: {', '.join(found.alternatives)}", soft_wrap=True)
    if found.install:
        out.print(f"CASA {found.wanted}: {found.install}", soft_wrap=True)
