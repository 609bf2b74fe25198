"""Pre-flight: what a listing tells of a dataset before a byte of it is fetched.

Pure: a listing, the holdings' facts and a few numbers go in, a `Preflight` comes out.  It finds only what
no download could change; what it cannot tell, it leaves to the stages.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reimage.archive import cycle0
from reimage.archive.listing import AUXILIARY, README, ArchiveFile, Needed, needed, total

SHELL_BYTES = 10_000_000
"""Auxiliary tars of semipass shells have 1 to 3.5 MB, others 77 MB and more (archive pages, 1.4 and 7)."""
_TOLD_OF = re.compile(r"readme|qa[02]_report|scriptfor|casa_pipe|\.xml$|\.log", re.IGNORECASE)
"""What a shell has: without any of it, the members of a tar are not known to be a delivery's."""
PUBLIC = "Public"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a dataset should not be fetched."""

    code: str
    """Of the error that it is (`reimage.errors.CODES`)."""
    message: str
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What there is to fetch and restore with."""

    free_bytes: int
    """On the disk of the run."""
    reclaimable_bytes: int = 0
    """What the cache would make free there, without what of it is wanted."""
    restore_factor: float
    """The raw data times this is what the most sparing restore writes; 0: none is asked for."""
    rate_bytes_s: float | None = None
    """Of a transfer, measured or configured; None: not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """What a dataset's listing tells."""

    dataset: str
    is_public: bool
    """It is for everybody, or the archive hands it out to us."""
    is_complete: bool
    """README, what calibrates, and raw data of every execution block are listed."""
    is_restorable: bool
    """As far as listings tell."""
    n_files: int
    """To fetch."""
    fetch_bytes: int
    """To fetch, as far as the archive tells sizes."""
    left_bytes: int
    """Listed and not fetched: products."""
    unsized: tuple[str, ...]
    """Files to fetch whose size the archive does not tell."""
    transfer_s: float | None
    """How long the transfer takes; None where no rate is known."""
    disk_bytes: int
    """What fetch and restore write at most at one time."""
    free_bytes: int
    problems: tuple[Problem, ...] = ()
    """Why it should not be fetched, the first of them decides."""
    notes: tuple[str, ...] = ()
    """What is odd and stops nothing."""

    @classmethod
    def unasked(cls, dataset: str, problem: Problem) -> Preflight:
        """Return what is known of a dataset that there is no listing of."""
        return cls(
            dataset=dataset,
            is_public=problem.code not in {"data-proprietary", "archive-not-public"},
            is_complete=False,
            is_restorable=False,
            n_files=0,
            fetch_bytes=0,
            left_bytes=0,
            unsized=(),
            transfer_s=None,
            disk_bytes=0,
            free_bytes=0,
            problems=(problem,),
        )


def examine(
    dataset: str,
    files: Sequence[ArchiveFile],
    facts: Mapping[str, Any],
    means: Means,
    *,
    members: Sequence[ArchiveFile] = (),
    done: Collection[str] = (),
    cached: Collection[str] = (),
    blank: int = 0,
) -> Preflight:
    """Tell from a listing whether a dataset is public, complete, restorable, how large and how long.

    Parameters
    ----------
    members
        What is inside the auxiliary tar, where that was asked for (`worth_expanding`).
    done
        Names of files that are here already.
    cached
        Names of files that the cache has on the disk of the run: they take no room until they are unpacked.
    blank
        Rows of the listing without an address.
    """
    wanted = needed(files, facts)
    ours = (*wanted.light, *wanted.heavy)
    missing = [file for file in ours if file.name not in done]
    fetch_bytes = total(missing)
    disk = _disk(wanted, missing, means, cached)
    free = means.free_bytes + means.reclaimable_bytes
    private = _not_public(dataset, files, ours, facts)
    lacking = _lacking(dataset, wanted) if files else ()
    shell = _shell(dataset, members)
    odd = _odd(wanted, facts, blank) if files else ()
    return Preflight(
        dataset=dataset,
        is_public=not private,
        is_complete=bool(files) and not lacking and not odd,
        is_restorable=bool(files) and not lacking and not shell,
        n_files=len(missing),
        fetch_bytes=fetch_bytes,
        left_bytes=sum(left.n_bytes or 0 for left in wanted.left),
        unsized=tuple(file.name for file in missing if file.n_bytes is None),
        transfer_s=fetch_bytes / means.rate_bytes_s if means.rate_bytes_s else None,
        disk_bytes=disk,
        free_bytes=free,
        problems=(*private, *lacking, *shell, *_no_room(dataset, disk, free)),
        notes=odd,
    )


def worth_expanding(files: Sequence[ArchiveFile]) -> tuple[ArchiveFile, ...]:
    """Return the auxiliary tars that are so small that it pays to ask what is in them."""
    return tuple(
        file
        for file in files
        if file.semantics == AUXILIARY and file.is_tar and 0 < (file.n_bytes or 0) <= SHELL_BYTES
    )


def _not_public(
    dataset: str,
    files: Sequence[ArchiveFile],
    ours: Sequence[ArchiveFile],
    facts: Mapping[str, Any],
) -> tuple[Problem, ...]:
    """Tell an empty listing from one of files that who asks may not have."""
    evidence = {"dataset": dataset, "release_at": facts.get("release_at")}
    if not files:
        if facts.get("data_rights", PUBLIC) == PUBLIC:
            message = f"the archive lists no file for {dataset}"
            return (Problem(code="archive-nothing-listed", message=message, evidence=evidence),)
        message = f"the archive lists no file for {dataset}, which is not public"
        return (Problem(code="archive-not-public", message=message, evidence=evidence),)
    closed = [file.name for file in ours if file.is_readable is False]
    if not closed:
        return ()
    message = f"the archive does not hand out {closed[0]} to us"
    return (
        Problem(code="archive-not-public", message=message, evidence={**evidence, "files": closed}),
    )


def _lacking(dataset: str, wanted: Needed) -> tuple[Problem, ...]:
    """Tell what no restore can do without: something that calibrates, and raw or calibrated data."""
    packages = [file for file in wanted.light if file.semantics != README]
    packed = [file for file in packages if file.semantics != AUXILIARY]
    said = {"dataset": dataset, "listed": [file.name for file in (*wanted.light, *wanted.heavy)]}
    code = "archive-listing-incomplete"
    lost = [file.name for file in (*wanted.light, *wanted.heavy) if not file.is_offered]
    if lost:
        message = f"the archive names {lost[0]} and says no address of it"
        return (Problem(code=code, message=message, evidence={**said, "not_offered": lost}),)
    if not packages:
        message = f"the archive lists neither an auxiliary tar nor a delivery for {dataset}"
        return (Problem(code=code, message=message, evidence=said),)
    if not wanted.heavy and not packed:
        message = f"the archive lists no raw data for {dataset}"
        return (Problem(code=code, message=message, evidence=said),)
    return ()


def _shell(dataset: str, members: Sequence[ArchiveFile]) -> tuple[Problem, ...]:
    """Tell a semipass shell: a few documents, and nothing that calibrates (archive pages, 1.4, row 16)."""
    is_known = any(_TOLD_OF.search(file.name) for file in members)
    if not is_known or any(file.is_calibration for file in members):
        return ()
    return (
        Problem(
            code="nothing-to-restore",
            message="the auxiliary tar holds no calibration tables and no calibration script",
            evidence={"dataset": dataset, "members": [file.name for file in members]},
        ),
    )


def _odd(wanted: Needed, facts: Mapping[str, Any], blank: int) -> tuple[str, ...]:
    """Tell what is missing and stops nothing."""
    notes = [f"{blank} rows of the listing have no address"] if blank else []
    said = {file.semantics for file in wanted.light}
    if AUXILIARY in said and README not in said:  # else it is inside the one delivery
        notes.append("no README is listed")
    blocks = {block for file in wanted.heavy if (block := file.block)}
    if blocks:
        lost = sorted(set(facts.get("ebs") or ()) - blocks)
        notes += [f"no raw data are listed for {eb}" for eb in lost]
    lost = list(cycle0.absent(wanted.light, facts.get("ebs") or ()))
    notes += [f"no listed delivery of Cycle 0 contains {eb}" for eb in lost]
    return tuple(notes)


def _disk(
    wanted: Needed, missing: Sequence[ArchiveFile], means: Means, cached: Collection[str]
) -> int:
    """Return the bytes that fetch and restore write at most.

    Fetched tars are unpacked one at a time and removed; the restore then writes its multiple of the raw data.
    """
    largest = max((file.n_bytes or 0 for file in missing if file.is_tar), default=0)
    restore = int(wanted.raw_bytes * means.restore_factor)
    return total(file for file in missing if file.name not in cached) + max(largest, restore)


def _no_room(dataset: str, disk: int, free: int) -> tuple[Problem, ...]:
    if disk <= free:
        return ()
    message = f"{dataset} needs {disk / 1e9:.3g} GB of disk and {free / 1e9:.3g} GB are free"
    evidence = {"dataset": dataset, "needed_bytes": disk, "free_bytes": free}
    return (Problem(code="disk-full", message=message, evidence=evidence),)
