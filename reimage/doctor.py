"""What `reimage doctor` looks at: the installation, the settings, the machine, the declarations.

A check never raises and never changes anything: what is wrong becomes a line with a hint.
"""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import psutil

import reimage
from reimage import category, fix
from reimage.archive import opened, reaching
from reimage.archive.directory import DirectoryArchive
from reimage.casa import builds, confine, environments
from reimage.errors import ReimageError
from reimage.recipes import load as recipes
from reimage.settings import Settings, secrets, shipped
from reimage.store import checkup, lease, migrate, tallies
from reimage.store.session import Database, is_absent
from reimage.triage.catalogue import load_classes

Verdict: TypeAlias = Literal["ok", "note", "bad"]
SCARCE_BYTES = 20 * 10**9
"""Free space below which a run of one execution block may not fit."""
FULL_BYTES = 10**9
MB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    name: str
    verdict: Verdict
    """``note``: worth knowing, and nothing is broken."""
    found: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program that some features use."""

    name: str
    serves: str
    command: str
    package: str
    elsewhere: str = ""
    """Where Debian puts it when it is not on PATH, as a pattern."""


PROGRAMS = (
    Program(
        name="PostgreSQL",
        serves="tests on a second database",
        command="initdb",
        package="postgresql",
        elsewhere="usr/lib/postgresql/*/bin/initdb",
    ),
    Program(
        name="STILTS",
        serves="checks of the served archive",
        command="stilts",
        package="stilts",
    ),
    Program(name="aria2", serves="`make bench-fetch`", command="aria2c", package="aria2"),
)


def examine(settings: Settings, *, thorough: bool = False) -> tuple[Check, ...]:
    """Look at everything; ``thorough``: also at every page and every sum of the run database."""
    looks: tuple[tuple[str, Callable[[Settings], Iterator[Check]]], ...] = (
        ("reimage", _program),
        ("settings", _settings),
        ("data", _data),
        ("disk", _disk),
        ("memory", _memory),
        ("run database", _database),
        ("archive", _archive),
        ("CASA builds", _builds),
        ("error classes", _classes),
        ("recipes", _recipes),
        ("categories", _categories),
        ("fixes", _fixes),
        ("ADMIT", _admit),
        ("programs", _programs),
        *((("rows", _rows),) if thorough else ()),
    )
    return tuple(check for name, look in looks for check in _looked(name, look, settings))


def _looked(
    name: str, look: Callable[[Settings], Iterator[Check]], settings: Settings
) -> Iterator[Check]:
    try:
        yield from look(settings)
    except ReimageError as error:
        found = f"[{error.code}] {error.message}"
        yield Check(name=name, verdict="bad", found=found, hint=error.hint)


def _program(settings: Settings) -> Iterator[Check]:
    del settings
    found = f"{reimage.__version__}, Python {platform.python_version()}, {platform.platform()}"
    yield Check(name="reimage", verdict="ok", found=found)


def _settings(settings: Settings) -> Iterator[Check]:
    yield Check(
        name="settings",
        verdict="ok",
        found=settings.source or "no file: defaults, variables and options",
        hint="" if settings.source else "`reimage doctor --settings` lists them all.",
    )


def _data(settings: Settings) -> Iterator[Check]:
    place = _existing(settings.data)
    if not _is_writable(place):
        yield Check(
            name="data",
            verdict="bad",
            found=f"{place} cannot be written to",
            hint="Set `data` to a directory of yours (--data, REIMAGE_DATA, reimage.toml).",
        )
    elif place == settings.data:
        yield Check(name="data", verdict="ok", found=str(settings.data))
    else:
        yield Check(name="data", verdict="ok", found=f"{settings.data} (will be made)")


def _disk(settings: Settings) -> Iterator[Check]:
    for name, wanted in (("data", settings.data), ("cache", settings.cache)):
        free = shutil.disk_usage(_existing(wanted)).free
        verdict: Verdict = "bad" if free < FULL_BYTES else "note" if free < SCARCE_BYTES else "ok"
        hint = (
            "" if verdict == "ok" else "An execution block may need 100 GB while it is processed."
        )
        found = f"{free / 1e9:.1f} GB free for {wanted}"
        yield Check(name=f"disk ({name})", verdict=verdict, found=found, hint=hint)


def _memory(settings: Settings) -> Iterator[Check]:
    total = psutil.virtual_memory().total // MB
    asked = settings.slots * settings.memory_mb
    cores = psutil.cpu_count() or 1
    hints = []
    if asked > total:
        hints.append("Runs at their limit would not fit: lower `slots` or `memory_mb`.")
    if settings.slots * settings.cores > cores:
        hints.append("More CASA processes than cores only get in each other's way: lower `cores`.")
    yield Check(
        name="memory",
        verdict="note" if hints else "ok",
        found=f"{total} MB and {cores} cores; {settings.slots} runs at once of up to "
        f"{settings.memory_mb} MB and {settings.cores} CASA processes",
        hint=" ".join(hints),
    )


def _database(settings: Settings) -> Iterator[Check]:
    url = settings.database_url
    password = _password(settings)
    revision = None if is_absent(url) else migrate.current(url, password)
    if revision is None:
        hint = "`reimage db upgrade` makes it."
        yield Check(name="run database", verdict="note", found=f"{url}: absent", hint=hint)
        return
    with closing(Database(url, password)) as database:
        migrate.check(database)
        held = checkup.held(database)
        with database.read() as session:
            leader = lease.find(session)
    yield Check(name="run database", verdict="ok", found=f"{url}: at {revision}, {held.told()}")
    leads = (
        "nobody" if leader is None else f"{leader.owner}, until {leader.expires_at:%H:%M:%S} UTC"
    )
    yield Check(name="controller", verdict="ok", found=f"leading: {leads}")


def _rows(settings: Settings) -> Iterator[Check]:
    """Yield what is wrong within the run database; that it is there is `_database`'s to say."""
    with closing(migrate.open_database(settings.database_url, _password(settings))) as database:
        fine, wrong = checkup.unsound(database)
        with database.read() as session:
            differ = tallies.differences(session)
    yield _verdict("rows", wrong, fine, "`reimage db rebuild --into FILE` makes a new one.")
    yield _verdict("sums", differ, "what the rows say", "`reimage db recount` mends them.")


def _verdict(name: str, wrong: Sequence[str], fine: str, remedy: str) -> Check:
    if not wrong:
        return Check(name=name, verdict="ok", found=fine)
    return Check(name=name, verdict="bad", found="; ".join(wrong[:3]), hint=remedy)


def _password(settings: Settings) -> str | None:
    secret = settings.database_password
    return None if secret is None else secret.get_secret_value()


def _archive(settings: Settings) -> Iterator[Check]:
    if not settings.archive:
        hint = "Set `archive`; `reimage demo build` makes a small one."
        yield Check(name="archive", verdict="note", found="not set", hint=hint)
    elif not opened.is_address(settings.archive):
        DirectoryArchive(Path(settings.archive))
        yield Check(name="archive", verdict="ok", found=settings.archive)
    else:
        said = reaching.reach(settings.archive, settings.transfer, secrets())
        known = "with credentials" if said.has_credentials else "as anybody"
        found = f"{said.address} answers in {said.seconds:.1f} s, {known}"
        yield Check(name="archive", verdict="ok", found=found)


def _builds(settings: Settings) -> Iterator[Check]:
    registered = builds.registered(settings.builds_dir)
    for build in registered:
        program = build.python or build.casa or ""
        there = bool(program) and Path(program).is_file()
        pipeline = f"ALMA pipeline {build.pipeline}" if build.pipeline else "no ALMA pipeline"
        yield Check(
            name=f"build {build.id}",
            verdict="ok" if there else "bad",
            found=f"CASA {build.version}, {pipeline}" if there else f"gone: {program}",
            hint="" if there else "`reimage casa install` or `register` it again.",
        )
    if not registered:
        row = environments.select(environments.default_version())
        hint = f"`reimage casa install` makes the default one, {row.version} (Python {row.python})."
        yield Check(name="CASA builds", verdict="note", found="none registered", hint=hint)


def _classes(settings: Settings) -> Iterator[Check]:
    found = load_classes(settings.classes)
    yield Check(name="error classes", verdict="ok", found=str(len(found)))


def _recipes(settings: Settings) -> Iterator[Check]:
    found = recipes.find_recipes(settings.recipes)
    for path in found.values():
        recipes.read_recipe(path, settings.recipes)
    yield Check(name="recipes", verdict="ok", found=", ".join(sorted(found)))


def _categories(settings: Settings) -> Iterator[Check]:
    found = category.load_categories((shipped("categories"), *settings.categories))
    yield Check(name="categories", verdict="ok", found=", ".join(one.id for one in found))


def _fixes(settings: Settings) -> Iterator[Check]:
    found = fix.known((shipped("fixes"), *settings.fixes))
    yield Check(name="fixes", verdict="ok", found=", ".join(one.id for _, one in found))


def _admit(settings: Settings) -> Iterator[Check]:
    if not settings.admit:
        yield Check(name="ADMIT", verdict="ok", found="our own first form")
        return
    wrong = () if Path(settings.admit).is_file() else (settings.admit,)
    yield _verdict("ADMIT", wrong, settings.admit, "The setting `admit` names no interpreter.")


def _programs(settings: Settings) -> Iterator[Check]:
    del settings
    bwrap = confine.available()
    yield Check(
        name="bubblewrap",
        verdict="ok" if bwrap else "note",
        found=bwrap or "absent, or not allowed to work here: delivered scripts run unconfined",
        hint="" if bwrap else "`make system`, or as root: apt-get install bubblewrap",
    )
    for program in PROGRAMS:
        place = shutil.which(program.command)
        if place is None and program.elsewhere:
            place = next((str(found) for found in Path("/").glob(program.elsewhere)), None)
        yield Check(
            name=program.name,
            verdict="ok" if place else "note",
            found=place or f"absent ({program.serves})",
            hint="" if place else f"`make system`, or as root: apt-get install {program.package}",
        )


def _existing(path: Path) -> Path:
    """Return a path, or the nearest folder above it that exists."""
    return next(place for place in (path, *path.parents) if place.exists())


def _is_writable(path: Path) -> bool:
    return path.is_dir() and os.access(path, os.W_OK | os.X_OK)
