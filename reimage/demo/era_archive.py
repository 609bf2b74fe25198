"""Build an archive directory of the kinds of `reimage.demo.eras`, for tests and for who wants to look."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from reimage import document
from reimage.demo import build, era_kinds, era_packing, era_trees, eras, listing
from reimage.demo.delivery import ArchiveFile
from reimage.journal import Emit
from reimage.model import CasaBuild

TYPES = {"#documentation": "text/plain"}


def build_archive(
    target: Path,
    *,
    build_with: CasaBuild,
    cache: Path,
    emit: Emit,
    running: str,
    only: frozenset[str] = frozenset(),
) -> dict[str, eras.EraKind]:
    """Make an archive of all kinds in the empty directory ``target``; return the kinds by id.

    Parameters
    ----------
    build_with
        The CASA that simulates (cached in ``<cache>/demo``); others may restore.
    running
        Version of the CASA that is to restore, for the gates of manual scripts.
    only
        Ids of the kinds wanted; empty: all.

    Raises
    ------
    CasaError
        A simulation failed; its directory is kept.
    """
    named = eras.simulations()
    with ThreadPoolExecutor(max_workers=build.AT_ONCE) as pool:
        places = pool.map(
            lambda dataset: build.simulate(dataset, build_with, cache, emit), named.values()
        )
        made = dict(zip(named, places, strict=True))
    simulated = era_packing.Simulated(**{name: place / "out" for name, place in made.items()})
    times = _times(list(made.values()))
    portal = target / "dataPortal"
    portal.mkdir(parents=True)
    rows, files = [], []
    wanted = {kind.id: kind for kind in era_kinds.kinds(running) if not only or kind.id in only}
    for kind in wanted.values():
        offered = _write(era_trees.packages(kind, simulated), portal)
        files += [(kind.dataset, file) for file in offered]
        rows += listing.rows(kind.dataset, times, sum(file.n_bytes for file in offered) // 1000)
    listing.write_holdings(target / "holdings.ecsv", rows)
    listing.write_files(target / "files.ecsv", files)
    return wanted


def _times(places: list[Path]) -> dict[str, tuple[float, float]]:
    """Return first and last MJD of each block."""
    blocks = [
        block
        for place in places
        for block in document.read_json(place / "result.json")["value"]["ebs"]
    ]
    return {block["eb"]: (block["mjd"][0], block["mjd"][1]) for block in blocks}


def _write(packages: tuple[era_packing.Package, ...], portal: Path) -> list[ArchiveFile]:
    offered = []
    for package in packages:
        path = era_packing.write(portal, package)
        offered.append(
            ArchiveFile(
                name=path.name,
                semantics=package.semantics,
                content_type=TYPES.get(package.semantics, "application/x-tar"),
                n_bytes=path.stat().st_size,
            )
        )
    return offered
