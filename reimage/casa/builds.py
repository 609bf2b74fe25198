"""Builds of CASA: which are registered here, and how one is installed, probed and registered.

A build is a file, ``<data>/builds/<id>.json``.
"""

from __future__ import annotations

import dataclasses
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from reimage import document
from reimage.casa import environments, process
from reimage.casa.environments import Report
from reimage.errors import CasaError, UsageError
from reimage.model import CasaBuild, Limits

PROBE_LIMITS = Limits(memory_mb=4000, wall_s=180, silence_s=120)


class BuildUnknown(UsageError):
    """No registered build has this id."""

    code = "build-unknown"
    hint = "`reimage casa list` shows the registered builds."


class BuildUnusable(CasaError):
    """What was named is no working CASA."""

    code = "build-unusable"
    hint = "Name an environment with casatasks, its python, or the root directory of a monolithic CASA."


def registered(builds_dir: Path) -> tuple[CasaBuild, ...]:
    """Return the registered builds, by id."""
    files = sorted(builds_dir.glob("*.json")) if builds_dir.is_dir() else []
    return tuple(document.read(CasaBuild, file) for file in files)


def find(builds_dir: Path, build_id: str) -> CasaBuild:
    """Return a registered build by its id or, where only one has it, its version.

    Raises
    ------
    BuildUnknown
    """
    known = registered(builds_dir)
    fitting = [b for b in known if b.id == build_id] or [b for b in known if b.version == build_id]
    if len(fitting) != 1:
        raise BuildUnknown(
            f"no build {build_id!r}",
            evidence={"build": build_id, "registered": [b.id for b in known]},
        )
    return fitting[0]


def install(
    row: environments.Installable,
    *,
    cache: Path,
    builds_dir: Path,
    report: Report,
    interpreter: str | None = None,
) -> CasaBuild:
    """Make a build's environment (or reuse the finished one in the cache), probe and register it.

    Raises
    ------
    PythonMissing, CasaInstallFailed, BuildUnusable
    """
    python = interpreter or environments.find_python(row.python)
    place = environments.make(row, cache, python, report)
    own = str(place / "bin" / "python")  # it has pip, which a bare interpreter of Debian has not
    casadata = environments.install_casadata(cache, own, report)
    build = CasaBuild(
        id=row.id,
        version=row.version,
        kind="modular",
        python=own,
        casadata=str(casadata),
    )
    return register(build, builds_dir, report)


def register(build: CasaBuild, builds_dir: Path, report: Report) -> CasaBuild:
    """Probe a build and write its file.

    Raises
    ------
    BuildUnusable
    """
    report(f"{build.id}: probing")
    probed = probe(build)
    builds_dir.mkdir(parents=True, exist_ok=True)
    document.write(builds_dir / f"{build.id}.json", probed)
    report(f"{build.id}: registered (CASA {probed.version}, Python {probed.python_version})")
    return probed


def probe(build: CasaBuild) -> CasaBuild:
    """Prove in a process of its own that a build imports, opens an MS and knows its measures data.

    Raises
    ------
    BuildUnusable
        With what the process said.
    """
    with tempfile.TemporaryDirectory(prefix="reimage-probe-") as scratch:
        try:
            seen = process.run_job(
                build,
                "probe_build",
                {},
                directory=Path(scratch) / "probe",
                limits=PROBE_LIMITS,
                emit=lambda *_, **__: None,
            )
        except CasaError as error:
            raise BuildUnusable(
                f"{build.id} does not work: {error.message}", evidence=error.evidence
            ) from error
    return dataclasses.replace(
        build,
        version=seen["version"],
        python_version=seen["python"],
        pipeline=seen["pipeline"],
        packages={"casatools": seen["casatools"], "numpy": seen["numpy"]},
        probed_at=datetime.now(UTC),
    )


def from_path(path: Path, casadata: Path) -> CasaBuild:
    """Describe an existing CASA: an environment, its python, or a monolithic CASA's directory.

    A monolithic CASA 6 has a Python of its own (``lib/py/bin/python3``) that runs our jobs.

    Raises
    ------
    BuildUnusable
    """
    pythons = [path] if path.is_file() else [path / "bin" / "python", path / "lib/py/bin/python3"]
    python = next((p for p in pythons if p.is_file()), None)
    casa = path / "bin" / "casa"
    if python is None:
        what = "CASA 5 or older: its jobs cannot be run yet" if casa.exists() else "no CASA"
        raise BuildUnusable(f"{path} is {what}", evidence={"path": str(path)})
    name = (path.parent.parent if path.is_file() else path).name
    return CasaBuild(
        id=f"site-{name}",
        version="",
        kind="monolithic" if casa.exists() else "modular",
        python=str(python.absolute()),
        casa=str(casa) if casa.exists() else None,
        casadata=str(casadata),
    )
