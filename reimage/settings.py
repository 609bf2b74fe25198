"""One frozen `Settings`: defaults < TOML files < ``REIMAGE_*`` < flags.  The only reader of the environment."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import platformdirs
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from reimage import credentials, settings_files
from reimage.address import is_web_address
from reimage.credentials import Secrets
from reimage.errors import SettingsError
from reimage.run import Transfer

PREFIX = "REIMAGE_"
DEFAULT, VARIABLES, OPTION = "default", "environment", "option"
"""Origins of a setting that are no file."""


class Settings(BaseModel):
    """What a site decides.  Relative paths are relative to the file that states them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Path = Field(
        default=Path("data"), description="Runs, builds, ledger and (SQLite) database."
    )
    cache: Path = Field(
        default_factory=lambda: Path(platformdirs.user_cache_dir("reimage", appauthor=False)),
        description="CASA environments, casadata, simulated inputs: what can be made again.",
    )
    database: str = Field(
        default="",
        description="SQLAlchemy URL; empty: SQLite at <data>/reimage.db. No password here.",
    )
    database_password: SecretStr | None = Field(
        default=None,
        description="Of the database; only ever from REIMAGE_DATABASE_PASSWORD, never from a file.",
    )
    holding: str = Field(default="alma", description="Name of the archive's collection.")
    archive: str = Field(default="", description="A directory that is an archive, or its URL.")
    archive_mirrors: tuple[str, ...] = Field(
        default=(),
        description="Base URLs to fall back to while the archive's own host does not give a file.",
    )
    archive_connections: int = Field(
        default=4,
        ge=1,
        le=16,
        description="Transfers at once from one host of the archive, by all processes of a machine"
        " that share a cache.",
    )
    archive_patience_s: float = Field(
        default=900, ge=0, description="How long an archive that does not answer is waited for."
    )
    archive_stall_s: float = Field(
        default=60, gt=0, description="A transfer that brings nothing for so long is begun again."
    )
    archive_rate_bytes_s: int = Field(
        default=0,
        ge=0,
        description="Bytes per second at most, of all processes of a machine that share a cache;"
        " 0: no limit.",
    )
    archive_cache_bytes: int = Field(
        default=50_000_000_000,
        ge=0,
        description="Of fetched files, what is kept below <cache>/archive so that a rerun fetches"
        " nothing; 0: nothing is.",
    )
    recipe: str = Field(default="hifatargets-2017", description="Recipe of runs that name none.")
    slots: int = Field(default=2, ge=1, description="Runs at once on this machine.")
    cores: int = Field(default=1, ge=1, description="CASA processes at once within a run.")
    memory_mb: int = Field(default=8000, ge=500, description="Memory of a run's process tree.")
    wall_s: float = Field(default=86400, gt=0, description="Wall-clock limit of an attempt.")
    silence_s: float = Field(
        default=7200, gt=0, description="A CASA process that writes nothing for so long is ended."
    )
    max_attempts: int = Field(
        default=3, ge=1, description="Starts of one run that end by its own doing."
    )
    max_interruptions: int = Field(
        default=10,
        ge=1,
        description="Starts of one run that machines or the archive cut short: not counted as attempts.",
    )
    remedies: Literal["auto", "ask", "off"] = Field(
        default="auto",
        description="What an error class's remedy does: the controller carries it out (auto), new runs"
        " wait for `reimage failures remedy` (ask), or nothing is tried again (off).",
    )
    max_remedies: int = Field(
        default=3, ge=0, description="New runs of a dataset that follow one another of themselves."
    )
    memory_most_mb: int = Field(
        default=0,
        ge=0,
        description="The most memory that a run may be given as a remedy; 0: all of this machine.",
    )
    wall_most_s: float = Field(
        default=604800,
        gt=0,
        description="The longest wall-clock limit that a run may be given as a remedy.",
    )
    poll_s: float = Field(default=0.2, gt=0, description="How often the controller looks.")
    fixes: tuple[Path, ...] = Field(default=(), description="Further folders of fixes.")
    categories: tuple[Path, ...] = Field(default=(), description="Further folders of categories.")
    recipes: tuple[Path, ...] = Field(default=(), description="Further folders of recipes.")
    classes: tuple[Path, ...] = Field(default=(), description="Further folders of error classes.")
    policy: Path | None = Field(
        default=None,
        description="Table of CASA versions that may stand in for others; unset: the shipped one.",
    )
    admit: str = Field(default="", description="Interpreter of a registered ADMIT; empty: our own.")
    source: str = Field(
        default="", description="The file these settings came from (set on loading)."
    )

    @field_validator("database", "archive", "archive_mirrors")
    @classmethod
    def _without_password(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401 -- a URL or several
        for url in [value] if isinstance(value, str) else value:
            if urlsplit(url).password:
                name = (info.field_name or "").partition("_")[0].upper()
                raise ValueError(f"has a password in it: put that into {PREFIX}{name}_PASSWORD")
        return value

    @field_validator("archive", "archive_mirrors")
    @classmethod
    def _addresses(cls, value: Any) -> Any:  # noqa: ANN401 -- an address or a folder, or several addresses
        if isinstance(value, str):
            return _address(value) if "://" in value else value
        return tuple(_address(url) for url in value)

    @property
    def database_url(self) -> str:
        """The run database's URL."""
        return self.database or f"sqlite:///{self.data / 'reimage.db'}"

    @property
    def transfer(self) -> Transfer:
        """How files are fetched, by value."""
        return Transfer(
            mirrors=self.archive_mirrors,
            connections=self.archive_connections,
            patience_s=self.archive_patience_s,
            stall_s=self.archive_stall_s,
            rate_bytes_s=self.archive_rate_bytes_s,
            cache=str(self.cache / "archive") if self.archive_cache_bytes else "",
            cache_bytes=self.archive_cache_bytes,
        )

    @property
    def builds_dir(self) -> Path:
        """Where registered CASA builds are described, one JSON each."""
        return self.data / "builds"

    @property
    def runs_dir(self) -> Path:
        """Where run directories are."""
        return self.data / "runs"


def secrets(*, environ: Mapping[str, str] | None = None) -> Secrets:
    """Return who we are to the archive: ``REIMAGE_ARCHIVE_TOKEN``, ``_USER``, ``_PASSWORD``, else the keyring's."""
    return credentials.find(_environment() if environ is None else environ, PREFIX)


def shipped(name: str) -> Path:
    """Return the folder of shipped declarations: ``fixes``, ``categories`` or ``migrations``."""
    package = Path(__file__).parent
    inside = package / "shipped" / name
    return inside if inside.is_dir() else package.parent / name


def load(
    config: Path | None = None,
    flags: Mapping[str, Any] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Settings:
    """Merge all layers.

    Raises
    ------
    SettingsError
        A file is not readable, or a value not usable; the message names file and key.
    """
    files: list[str] = []
    merged: dict[str, Any] = {}
    for origin, values in _layers(config, flags, environ, cwd):
        merged |= values
        files += [origin] if origin not in {DEFAULT, VARIABLES, OPTION} else []
    if files:
        merged["source"] = files[-1]
    try:
        return Settings(**merged)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise SettingsError(
            f"setting {key!r}: {first['msg']}",
            hint="`reimage doctor --settings` lists every setting and where it came from.",
            evidence={"key": key, "files": files},
        ) from error


def origins(
    config: Path | None = None,
    flags: Mapping[str, Any] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> dict[str, str]:
    """Return for every setting what it comes from: a file, its variable, ``option`` or ``default``."""
    found = dict.fromkeys(Settings.model_fields, DEFAULT)
    for origin, values in _layers(config, flags, environ, cwd):
        for key in values:
            found[key] = PREFIX + key.upper() if origin == VARIABLES else origin
    return {key: origin for key, origin in found.items() if key != "source"}


def _layers(
    config: Path | None,
    flags: Mapping[str, Any] | None,
    environ: Mapping[str, str] | None,
    cwd: Path | None,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each layer with its origin, weakest first."""
    environ = _environment() if environ is None else environ
    cwd = cwd or Path.cwd()
    chosen = config or (Path(environ["REIMAGE_CONFIG"]) if "REIMAGE_CONFIG" in environ else None)
    if chosen and not chosen.is_file():
        raise SettingsError(
            f"no such settings file: {chosen}", hint="Check --config or REIMAGE_CONFIG."
        )
    yield DEFAULT, {"data": cwd / "data"}
    for file in [chosen.absolute()] if chosen else settings_files.find(cwd):
        values = settings_files.read(file, PREFIX)
        yield str(file), {key: _absolute(key, value, file.parent) for key, value in values.items()}
    yield VARIABLES, _from_environment(environ, cwd)
    yield OPTION, {key: value for key, value in (flags or {}).items() if value is not None}


def _environment() -> Mapping[str, str]:
    return os.environ  # noqa: TID251 -- this is the one place


def _address(url: str) -> str:
    """Refuse what no web server can be reached by."""
    if not is_web_address(url):
        raise ValueError(f"{url!r} is no address: https://host, with a port where it has one")
    return url


def _from_environment(environ: Mapping[str, str], cwd: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, kind in Settings.model_fields.items():
        text = environ.get(PREFIX + key.upper())
        if text is None or key == "source":
            continue
        value: str | list[str] = text
        if kind.annotation == tuple[Path, ...]:
            value = text.split(os.pathsep)
        elif kind.annotation == tuple[str, ...]:  # addresses: they have colons, and no blanks
            value = text.split()
        found[key] = _absolute(key, value, cwd)
    return found


def _absolute(key: str, value: Any, base: Path) -> Any:  # noqa: ANN401 -- TOML values
    """Anchor relative paths at the file (or directory) that states them."""
    field = Settings.model_fields.get(key)
    if field is None:
        return value
    if field.annotation in {Path, Path | None}:
        return base / Path(value).expanduser()
    if field.annotation == tuple[Path, ...] and isinstance(value, list):
        return [base / Path(item).expanduser() for item in value]
    if key == "archive" and value and "://" not in value:
        return str(base / Path(value).expanduser())
    return value
