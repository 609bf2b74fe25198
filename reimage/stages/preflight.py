"""Asking an archive about a dataset before anything of it is fetched, and saying no where it is in vain."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reimage.archive import kept, opened, preflight
from reimage.archive.listing import ArchiveFile, needed
from reimage.archive.preflight import Means, Preflight
from reimage.archive.protocol import Archive
from reimage.delivery import refusal
from reimage.errors import CODES, ArchiveError
from reimage.model import Stage
from reimage.run import Transfer
from reimage.stages import room

LEAST_FACTOR = min(room.FACTORS.values()) * room.MARGIN
"""Raw data times this is what the most sparing restore writes: less room than that is never enough."""


def is_restored(recipe: Mapping[str, Any], until: Stage | None) -> bool:
    """Whether a run of a recipe goes as far as *restore*."""
    return Stage.RESTORE in recipe["stages"] and until not in {Stage.FETCH, Stage.CHOOSE}


def means(place: Path, *, restores: bool, rate_bytes_s: float | None = None) -> Means:
    """Return what there is to fetch and restore with below a directory, which need not exist yet."""
    return Means(
        free_bytes=shutil.disk_usage(_existing(place)).free,
        restore_factor=LEAST_FACTOR if restores else 0,
        rate_bytes_s=rate_bytes_s,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """Where files go to, and how they come: whether a cache makes room for them."""

    place: Path
    locator: str
    transfer: Transfer


def ask(
    archive: Archive,
    dataset: str,
    facts: Mapping[str, Any],
    there: Means,
    *,
    done: Collection[str] = (),
    keeping: Keeping | None = None,
) -> tuple[tuple[ArchiveFile, ...], Preflight]:
    """Return what the archive offers for a dataset, and what that tells.

    Parameters
    ----------
    keeping
        None: there is no cache.

    Raises
    ------
    DataProprietary, NoRecipe
        The holdings alone rule it out: the archive is not asked.
    ArchiveError
        It could not be asked.
    """
    refusal.refuse_by_facts(facts, archive_decides=archive.knows_us)
    files = archive.files(dataset)
    members = tuple(
        member for tar in preflight.worth_expanding(files) for member in _members(archive, tar)
    )
    wanted = needed(files, facts)
    missing = tuple(one for one in (*wanted.light, *wanted.heavy) if one.name not in done)
    cached = _kept(keeping, missing, dataset, facts)
    told = preflight.examine(
        dataset,
        files,
        facts,
        replace(there, reclaimable_bytes=cached.reclaimable_bytes),
        members=members,
        done=done,
        cached=cached.names,
        blank=archive.n_blank(dataset),
    )
    return files, told


def version_of(facts: Mapping[str, Any]) -> str:
    """Return which delivery of a dataset is meant: re-deliveries have the same names (archive pages, 1.4)."""
    return str(facts.get("last_modified") or "")


def _kept(
    keeping: Keeping | None, files: tuple[ArchiveFile, ...], dataset: str, facts: Mapping[str, Any]
) -> kept.Kept:
    """Return what the cache has; nothing for a folder, whose files are copied and never cached."""
    if keeping is None or not opened.is_address(keeping.locator):
        return kept.Kept()
    return kept.on_disk_of(
        _existing(keeping.place),
        keeping.locator,
        keeping.transfer,
        files,
        dataset=dataset,
        version=version_of(facts),
    )


def _existing(place: Path) -> Path:
    """Return a directory, or the first above it that exists."""
    return next(one for one in (place, *place.parents) if one.exists())


def _members(archive: Archive, tar: ArchiveFile) -> tuple[ArchiveFile, ...]:
    """Return what is inside a tar; nothing where the archive cannot say: then the tar itself will."""
    try:
        return archive.members(tar)
    except ArchiveError:
        return ()


def require(told: Preflight) -> None:
    """Demand that nothing speaks against fetching.

    Raises
    ------
    ArchiveNotPublic, ArchiveNothingListed, ArchiveListingIncomplete, NothingToRestore, DiskFull
    """
    for problem in told.problems:
        raise CODES[problem.code](problem.message, evidence=problem.evidence)
