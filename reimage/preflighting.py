"""Pre-flight before queueing: what the archive says of a dataset decides whether a run is made at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from reimage import document, log, settings
from reimage.archive import opened
from reimage.archive.faults import (
    ArchiveForeign,
    ArchiveHtmlPage,
    ArchiveStalled,
    ArchiveUnavailable,
)
from reimage.archive.listing import ArchiveFile
from reimage.archive.preflight import Preflight
from reimage.model import Stage
from reimage.run import Run
from reimage.settings import Settings
from reimage.stages import preflight
from reimage.stages.context import PROVEN

PATIENCE_S = 20.0
"""Somebody waits for the answer: an archive that is away is left to the run, which has patience."""
UNASKED = (ArchiveForeign, ArchiveHtmlPage, ArchiveStalled, ArchiveUnavailable)
"""What says something of the archive and nothing of the dataset."""


def look(
    site: Settings,
    dataset: str,
    facts: Mapping[str, Any],
    *,
    restores: bool = True,
    rate_bytes_s: float | None = None,
) -> tuple[tuple[ArchiveFile, ...], Preflight]:
    """Ask the archive of a site about a dataset; nothing is downloaded.

    Parameters
    ----------
    rate_bytes_s
        As measured; a limit that the settings set holds, too.

    Raises
    ------
    DataProprietary, NoRecipe, ArchiveError, ArchiveNotPublic
        It could not be asked, or there is nothing to ask.
    """
    transfer = replace(
        site.transfer,
        patience_s=min(site.transfer.patience_s, PATIENCE_S),
        stall_s=min(site.transfer.stall_s, PATIENCE_S),
    )
    archive = opened.open_archive(site.archive, transfer, settings.secrets)
    rates = [rate for rate in (site.transfer.rate_bytes_s, rate_bytes_s) if rate]
    there = preflight.means(site.data, restores=restores, rate_bytes_s=min(rates, default=None))
    keeping = preflight.Keeping(place=site.data, locator=site.archive, transfer=transfer)
    return preflight.ask(archive, dataset, facts, there, keeping=keeping)


def look_first(site: Settings, run: Run) -> None:
    """Refuse a run that would be in vain.

    One that takes over what an earlier run has fetched needs no archive; one whose archive does not
    answer now is let through, because the run itself waits.

    Raises
    ------
    DataProprietary, NoRecipe, ArchiveNotPublic, NothingToRestore, ArchiveError, DiskFull
    """
    if not run.archive or _is_fetched(run):
        return
    restores = preflight.is_restored(run.recipe, run.until)
    try:
        _, told = look(site, run.dataset, run.facts, restores=restores)
    except UNASKED as error:
        log.logger(__name__).warning(
            "preflight.skipped", dataset=run.dataset, code=error.code, reason=error.message
        )
        return
    preflight.require(told)


def _is_fetched(run: Run) -> bool:
    """Whether an earlier run has fetched this delivery, raw data and all, from the same archive."""
    if run.adopt_from is None:
        return False
    earlier = Path(run.adopt_from)
    proven = earlier / Stage.FETCH.value / PROVEN
    if not proven.exists() or document.read_json(proven)["value"].get("postponed"):
        return False
    theirs = document.read_json(earlier / "run.json")
    modified = theirs["facts"].get("last_modified")
    return bool(theirs["archive"] == run.archive and modified == run.facts.get("last_modified"))


def measured_rate(archive: str, directories: Iterable[Path]) -> float | None:
    """Return the bytes per second that runs had from an archive; None where none has fetched anything."""
    n_bytes, seconds = 0, 0.0
    for directory in directories:
        proven = directory / Stage.FETCH.value / PROVEN
        if proven.exists() and document.read_json(directory / "run.json")["archive"] == archive:
            value = document.read_json(proven)["value"]
            n_bytes += value.get("transferred_bytes", 0)
            seconds += value.get("transfer_s", 0.0)
    return n_bytes / seconds if n_bytes and seconds else None
