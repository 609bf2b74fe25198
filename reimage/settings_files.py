"""The files that settings come from: where they may be, and what one says."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import platformdirs

from reimage import credentials
from reimage.errors import SettingsError


def find(cwd: Path) -> list[Path]:
    """Return the settings files that exist, weakest first."""
    candidates = [
        Path(platformdirs.site_config_dir("reimage", appauthor=False)) / "reimage.toml",
        Path(platformdirs.user_config_dir("reimage", appauthor=False)) / "reimage.toml",
        cwd / "reimage.toml",
    ]
    return [file for file in candidates if file.is_file()]


def read(file: Path, prefix: str) -> dict[str, Any]:
    """Return what a file says, as it says it.

    Raises
    ------
    SettingsError
        It is no TOML, or has a secret, whose place is a variable that begins with ``prefix``.
    """
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"cannot read {file}: {error}", hint="It must be TOML.") from error
    for key in ("database_password", *credentials.NAMES):
        if key in values:
            raise SettingsError(
                f"{file}: {key}: a secret does not belong into a file",
                hint=f"Put it into the environment: {prefix}{key.upper()}.",
            )
    return values
