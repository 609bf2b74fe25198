"""How a version of CASA comes onto this machine: as a wheel that we install, or as a distribution."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from reimage.casa import environments
from reimage.casa.numbers import agree


def how_to_install(version: str) -> str:
    """Return what a person does to have a version, in one sentence."""
    wheels = [row for row in environments.installable() if agree(row.version, version)]
    working = [row.version for row in wheels if not row.broken]
    if working:
        return f"`reimage casa install {working[-1]}` makes it."
    named = [name for known, name in _distributions().items() if agree(known, version)]
    where = f"Install {named[-1]}" if named else f"Install CASA {version}"
    return f"{where}, then `reimage casa register PATH`."


@cache
def _distributions() -> dict[str, str]:
    """Return the newest distribution's name by version; the file's order is by version."""
    path = Path(__file__).with_name("distributions.toml")
    return {str(k): str(v) for k, v in tomllib.loads(path.read_text(encoding="utf-8")).items()}
