"""Making CASA environments from the wheels: the table of what works, Pythons, pip, shared data.

Environments go below ``<cache>/casa/`` and share one ``casadata`` below ``<cache>/casadata/``;
nothing of them is ever in the service's own.
"""

from __future__ import annotations

import dataclasses
import fcntl
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

from reimage import document
from reimage.errors import CasaError, UsageError

HERE = Path(__file__).parent
TABLE = HERE / "builds.toml"
READY = "READY.json"

Report = Callable[[str], None]
"""Receives one line at each step of something long."""


class CasaVersionUnknown(UsageError):
    """No wheels of this version are known to work here."""

    code = "casa-version-unknown"
    hint = "`reimage casa list --installable` shows what can be installed; others can be registered by path."


class PythonMissing(UsageError):
    """The Python that a build's wheels need is not on this machine."""

    code = "python-missing"


class CasaInstallFailed(CasaError):
    """pip could not make a build's environment."""

    code = "casa-install-failed"
    hint = "The last lines say why; a network failure needs only the same command again."


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Installable:
    """One line of the table of builds."""

    version: str
    python: str
    packages: tuple[str, ...] = ()
    constraints: str | None = None
    why: str = ""
    broken: str | None = None

    @property
    def id(self) -> str:
        """Identity of the build that an installation makes."""
        return f"casa-{self.version}-py{self.python.replace('.', '')}"


def installable() -> tuple[Installable, ...]:
    """Return the table of builds, the default first."""
    rows = tomllib.loads(TABLE.read_text(encoding="utf-8"))["build"]
    return tuple(_installable(row) for row in rows)


def _installable(row: dict[str, Any]) -> Installable:
    packages = row.get("packages", [])
    if packages == "extra":
        packages = [
            pin for pin in default_pins() if not pin.startswith(("casatools==", "casatasks=="))
        ]
    return Installable(**{**row, "packages": tuple(packages)})


def default_pins() -> tuple[str, ...]:
    """Return the pins of ``[project.optional-dependencies] casa``, the default build's only source."""
    required = metadata.requires("reimage") or []
    return tuple(
        line.split(";")[0].strip()
        for line in required
        if "extra == 'casa'" in line.replace('"', "'")
    )


def default_version() -> str:
    """Return the default build's version."""
    return next(pin.partition("==")[2] for pin in default_pins() if pin.startswith("casatasks=="))


def select(version: str, python: str | None = None) -> Installable:
    """Return the line of the table for a version such as ``6.7.0`` or ``6.7.0.31``.

    Raises
    ------
    CasaVersionUnknown
    """
    fitting = [
        row
        for row in installable()
        if (row.version == version or row.version.startswith(version + "."))
        and (python is None or row.python == python)
    ]
    working = [row for row in fitting if row.broken is None]
    if not working:
        known = sorted({row.version for row in installable() if row.broken is None})
        broken = next((row.broken for row in fitting if row.broken), None)
        what = f"CASA {version}" + (f" on Python {python}" if python else "")
        raise CasaVersionUnknown(
            f"{what} cannot be installed from wheels" + (f": {broken}" if broken else ""),
            evidence={"version": version, "installable": known},
        )
    return working[0]


def find_python(version: str) -> str:
    """Return an interpreter of ``3.11``-like version that really starts.

    Raises
    ------
    PythonMissing
    """
    for candidate in _pythons(version):
        said = subprocess.run(  # noqa: S603 -- an interpreter found on PATH
            [candidate, "-c", "import sys, venv; print('%d.%d' % sys.version_info[:2])"],
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        if said.returncode == 0 and said.stdout.strip() == version:
            return candidate
    raise PythonMissing(
        f"no working python{version} with venv on PATH, nor where pyenv, uv and /opt keep theirs",
        hint=f"Install Python {version} with its venv module, or name one with --python PATH.",
        evidence={"python": version},
    )


def _pythons(version: str, home: Path | None = None, opt: Path = Path("/opt")) -> Iterator[str]:
    """Yield what may be an interpreter of a version: on PATH, then where pyenv, uv and /opt keep theirs.

    A shim of pyenv is found on PATH for every version, and starts only the chosen one.
    """
    for name in (f"python{version}", sys.executable, "python3"):
        found = shutil.which(name)
        if found:
            yield found
    kept = (
        (home or Path.home(), f".pyenv/versions/{version}*/bin/python{version}"),
        (home or Path.home(), f".local/share/uv/python/*-{version}*/bin/python{version}"),
        (opt, f"python*/bin/python{version}"),
    )
    for root, pattern in kept:
        yield from (str(path) for path in sorted(root.glob(pattern), reverse=True))


def casadata_path(cache: Path) -> Path:
    """Return where the shared data of all builds are (``measurespath``)."""
    version: str = tomllib.loads(TABLE.read_text(encoding="utf-8"))["casadata"]
    return cache / "casadata" / version / "casadata" / "__data__"


def install_casadata(cache: Path, python: str, report: Report) -> Path:
    """Bring the shared data (about 850 MB, once) and return their directory.

    Raises
    ------
    CasaInstallFailed
    """
    data = casadata_path(cache)
    place = data.parent.parent
    with _exclusively(place):
        if (place / READY).exists():
            return data
        report(f"casadata {place.name}: downloading (about 850 MB unpacked, once for all builds)")
        shutil.rmtree(place, ignore_errors=True)
        command = [
            python,
            "-m",
            "pip",
            "install",
            "--no-deps",
            "--target",
            str(place),
            f"casadata=={place.name}",
        ]
        _pip(command, report)
        document.write(place / READY, {"casadata": place.name})
    return data


def make(row: Installable, cache: Path, python: str, report: Report) -> Path:
    """Make a build's environment, or reuse the finished one, and return its directory.

    Raises
    ------
    CasaInstallFailed
    """
    place = cache / "casa" / f"{row.id}-{document.digest(row)[:8]}"
    with _exclusively(place):
        if (place / READY).exists():
            report(f"{row.id}: the environment is there already")
            return place
        shutil.rmtree(place, ignore_errors=True)
        report(f"{row.id}: making an environment (about 1 GB)")
        _pip([python, "-m", "venv", str(place)], report)
        command = [
            *(str(place / "bin" / "python"), "-m", "pip", "install"),
            *(f"casatools=={row.version}", f"casatasks=={row.version}", *row.packages),
        ]
        if row.constraints:
            command += ["--constraint", str(HERE / "constraints" / row.constraints)]
        _pip(command, report)
        document.write(place / READY, row)
    return place


@contextmanager
def _exclusively(place: Path) -> Iterator[None]:
    """Let one process at a time make something in the cache; a second one waits and finds it made."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.with_name(place.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _pip(command: list[str], report: Report) -> None:
    """Run pip or venv, passing on what it fetches."""
    said: list[str] = []
    with subprocess.Popen(  # noqa: S603 -- an interpreter we found, fixed arguments
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as child:
        for line in child.stdout or ():
            said.append(line.rstrip())
            if line.startswith(("Downloading", "Installing", "  Downloading")):
                report("  " + " ".join(line.split()[:4]))
    if child.returncode:
        raise CasaInstallFailed(
            f"{' '.join(command[1:4])} ended with {child.returncode}: {said[-1] if said else ''}",
            evidence={"command": command, "tail": said[-15:]},
        )
