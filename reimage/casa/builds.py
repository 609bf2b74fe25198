"""Builds of CASA: which are registered here, and how one is installed, probed and registered.

A build is a file, ``<data>/builds/<id>.json``.
"""

from __future__ import annotations

import dataclasses
import re
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reimage import document
from reimage.casa import environments, following, process
from reimage.casa.environments import Report
from reimage.errors import CasaError, ResourceError, UsageError
from reimage.model import CasaBuild
from reimage.run import Limits

PROBE_LIMITS = Limits(memory_mb=4000, wall_s=180, silence_s=120)
SHELLS = ("casa", "casapy")
"""What the executable of a monolithic CASA is called; up to 4.2 the second."""
KNOWN = (
    (
        r"libtinfo",
        "Its own lib/libtinfo.so.5 does not suit this system: rename it, then register again.",
    ),
    (
        r"error while loading shared libraries|cannot open shared object file",
        "A system library is missing: install the one that is named, then register again.",
    ),
    (
        r"(?i)cannot connect to X server|could(?:n't| not) open display|no display name",
        "It wants a display: start the service under `xvfb-run`, then register again.",
    ),
    (
        r"GLIBC|GLIBCXX|version `",
        "It is built for another Linux: use the distribution for this one, or a container.",
    ),
)
"""Why a monolithic CASA does not start: what it says, and what to do (archive.md 3.6, A3C)."""


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
    probed = probe(build, report)
    builds_dir.mkdir(parents=True, exist_ok=True)
    document.write(builds_dir / f"{build.id}.json", probed)
    report(f"{build.id}: registered (CASA {probed.version}, Python {probed.python_version})")
    return probed


def probe(build: CasaBuild, report: Report = lambda _: None) -> CasaBuild:
    """Prove in processes of its own that a build works.

    A Python that runs our jobs imports CASA, opens an MS and knows its measures data.  The shell of a
    monolithic CASA tells its versions, started as delivered scripts are; that it starts without the
    pipeline suffices (`casa --pipeline` of 4.7.0 and 5.1.1 dies in containers).

    Raises
    ------
    BuildUnusable
        With what the process said.
    """
    seen: dict[str, Any] = {}
    packages: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="reimage-probe-") as scratch:
        if build.casa is not None:
            seen = _asked(build, Path(scratch) / "shell", process.run_in_shell, "probe_shell")
            seen["pipeline"] = _pipeline_of_shell(build, Path(scratch) / "pipeline", report)
        if build.python is not None:
            told = _asked(build, Path(scratch) / "probe", process.run_job, "probe_build")
            if told.get("pipeline_broken"):
                report(f"{build.id}: its pipeline does not work: {told['pipeline_broken']}")
            seen = {**told, **seen}
            packages = {"casatools": told["casatools"], "numpy": told["numpy"]}
    return dataclasses.replace(
        build,
        version=seen["version"],
        python_version=seen["python"],
        pipeline=seen["pipeline"],
        packages=packages,
        probed_at=datetime.now(UTC),
    )


def _asked(
    build: CasaBuild, directory: Path, run: Callable[..., dict[str, Any]], job: str, **how: bool
) -> dict[str, Any]:
    """Return what a probe says; what is known to end it is the hint.

    Raises
    ------
    BuildUnusable
    """
    try:
        return run(
            build,
            job,
            {},
            directory=directory,
            limits=PROBE_LIMITS,
            emit=lambda *_, **__: None,
            **how,
        )
    except (CasaError, ResourceError) as error:
        said = following.tail(directory / "stdout.log") + following.tail(directory / "stderr.log")
        hint = next((hint for sign, hint in KNOWN if re.search(sign, said)), "")
        raise BuildUnusable(
            f"{build.id} does not work: {error.message}",
            hint=hint,
            evidence={**error.evidence, "stdout_tail": following.tail(directory / "stdout.log")},
        ) from error


def _pipeline_of_shell(build: CasaBuild, directory: Path, report: Report) -> str | None:
    """Return the version of the pipeline that the shell has with ``--pipeline``, None without one."""
    try:
        seen = _asked(build, directory, process.run_in_shell, "probe_shell", pipeline=True)
    except BuildUnusable as error:
        report(f"{build.id}: it does not start with --pipeline: {error.message}")
        return None
    version: str | None = seen["pipeline"]
    return version


def from_path(path: Path, casadata: Path) -> CasaBuild:
    """Describe an existing CASA: an environment, its python, or a monolithic CASA's directory.

    A monolithic CASA 6 has a Python of its own (``lib/py/bin/python3``) that runs our jobs; of an older
    one the shell alone is used, for delivered scripts.

    Raises
    ------
    BuildUnusable
    """
    if path.name in SHELLS and path.is_file():
        path = path.parent.parent if path.parent.name == "bin" else path.parent
    shells = (path / place / name for place in ("bin", ".") for name in SHELLS)
    casa = next((shell for shell in shells if shell.is_file()), None)
    if path.is_file():
        pythons = [path]
    elif casa is None:
        pythons = [path / "bin" / "python"]
    else:  # CASA 5 has a bin/python, too, of Python 2
        pythons = [path / "lib/py/bin/python3", path / "bin" / "python3"]
    python = next((p for p in pythons if p.is_file()), None)
    if python is None and casa is None:
        raise BuildUnusable(f"{path} is no CASA", evidence={"path": str(path)})
    name = (path.parent.parent if path.is_file() else path).name
    return CasaBuild(
        id=f"site-{name}",
        version="",
        kind="monolithic" if casa is not None else "modular",
        python=None if python is None else str(python.absolute()),
        casa=None if casa is None else str(casa.absolute()),
        casadata=str(casadata if casadata.is_dir() else _own_data(path) or casadata),
    )


def _own_data(root: Path) -> Path | None:
    """Return the measures data of a monolithic CASA: a package of its Python, or up to 5 ``data``."""
    places = [*root.glob("lib/py/lib/python3*/site-packages/casadata/__data__"), root / "data"]
    return next((place for place in places if place.is_dir()), None)
