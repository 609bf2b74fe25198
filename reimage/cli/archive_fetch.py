"""``reimage archive fetch``: files of a dataset, outside any run."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import (
    BarColumn,
    DownloadColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from reimage.archive import listing, noted, opened, preflight, room
from reimage.archive.cache import make_own
from reimage.archive.faults import ArchiveNothingListed, ArchiveNotSet
from reimage.archive.listing import ArchiveFile, plain_name
from reimage.archive.preflight import Means
from reimage.archive.protocol import Archive, Fetched
from reimage.cli import render, site_shapes
from reimage.cli.archive_files import facts_of
from reimage.cli.invocation import Invocation
from reimage.cli.options import DatasetKey, Json
from reimage.cli.progress import Bars
from reimage.errors import CODES, ReimageError
from reimage.settings import secrets
from reimage.store import datasets
from reimage.uid import path_name

app = typer.Typer(add_completion=False)

KINDS = ("readme", "auxiliary", "raw", "product")
"""What may be asked for by ``--only``: kinds of whole files of a listing."""
NO_MEANS = Means(free_bytes=0, restore_factor=0)
"""Nothing is restored, and of room the transfer is the judge."""


def _kinds(texts: list[str] | None) -> list[str] | None:
    """Return kinds, several of which may be in one word, with commas between."""
    kinds = [kind.strip().lower() for text in texts or () for kind in text.split(",")]
    for kind in kinds:
        if kind not in KINDS:
            raise typer.BadParameter(f"{kind!r} is none of {', '.join(KINDS)}")
    return kinds or None


@app.command(
    epilog="Examples:\n\nreimage archive fetch uid://A001/X1a2b/X1\n\n"
    "reimage archive fetch uid___A001_X1a2b_X1 --only readme,auxiliary -o /data/look\n\n"
    "What was interrupted goes on where it was: give the same command again."
)
def fetch(
    context: typer.Context,
    dataset: DatasetKey,
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            file_okay=False,
            help="Where the files go; otherwise a folder of the dataset's name here.",
            show_default=False,
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND",
            help=f"Only these: {', '.join(KINDS)}, with commas between; otherwise what a run fetches.",
            callback=_kinds,
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Fetch files of a dataset into a folder, whole and proven, without a run.

    What is there or in the cache already is not asked for again.  The sums of what came are noted in the
    folder: `sha256sum -c fetched.sha256` checks them, and a repeated call goes by them.
    """
    invocation = Invocation.of(context)
    site = invocation.settings
    if not site.archive:
        raise ArchiveNotSet("the setting `archive` is empty")
    key = datasets.canonical(dataset)
    facts = facts_of(invocation, key)
    archive = opened.open_archive(site.archive, site.transfer, secrets)
    wanted = _wanted(archive.files(key), key, facts, only)
    folder = _made(output or Path(path_name(key)))
    here = _Here(archive, key, str(facts.get("last_modified") or ""), quiet=as_json)
    failed: ReimageError | None = None
    try:
        here.fetch(wanted, folder)
    except ReimageError as error:
        failed = error
    _show(here, site.archive, folder, is_complete=failed is None, as_json=as_json)
    if failed is not None:
        raise failed


def _wanted(
    offered: Sequence[ArchiveFile], key: str, facts: Mapping[str, Any], only: list[str] | None
) -> Sequence[ArchiveFile]:
    """Return what of a listing is fetched.

    Raises
    ------
    ArchiveNothingListed, ArchiveNotPublic
    """
    if not offered:
        for problem in preflight.examine(key, offered, facts, NO_MEANS).problems:
            raise CODES[problem.code](problem.message, evidence=problem.evidence)
    if not only:
        needed = listing.needed(offered, facts)
        return needed.light + needed.heavy
    wanted = [file for file in offered if file.kind in only]
    if not wanted:
        raise ArchiveNothingListed(
            f"the archive lists nothing of {', '.join(only)} for {key}",
            hint="`reimage archive files` tells what it lists.",
            evidence={"dataset": key, "only": only},
        )
    return wanted


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise typer.BadParameter(f"cannot make {folder}: {error.strerror}") from error
    return folder


class _Here:
    """Fetches, showing on a terminal how far it is.

    What is fetched belongs to who asked, who may write into it: it is no name of a file in the cache.
    """

    def __init__(self, archive: Archive, key: str, version: str, *, quiet: bool) -> None:
        self.key, self.took_s = key, 0.0
        self.files: list[Fetched] = []
        self._archive, self._version, self._quiet = archive, version, quiet

    def fetch(self, wanted: Sequence[ArchiveFile], folder: Path) -> None:
        """Fetch files; what came is in ``files`` also where an error is raised."""
        begun = time.monotonic()
        try:
            with _FileBars(wanted) as bars:
                missing = []
                for file in wanted:
                    sha256 = noted.here(folder / plain_name(file.name), file.n_bytes)
                    if sha256 is None:
                        missing.append(file)
                    else:
                        self._have(_there(file, sha256), bars)
                self._fetch(missing, folder, bars)
        finally:
            self.took_s = time.monotonic() - begun

    def _fetch(self, missing: Sequence[ArchiveFile], folder: Path, bars: _FileBars) -> None:
        arriving = self._archive.fetch_all(
            missing, folder, bars.tell, dataset=self.key, version=self._version
        )
        with closing(arriving):
            for one in arriving:
                target = folder / one.file.name
                with room.told(one.file, folder):
                    make_own(target)
                noted.note(target, one.sha256)
                self._have(one, bars)

    def _have(self, one: Fetched, bars: _FileBars) -> None:
        self.files.append(one)
        bars.end(one, quiet=self._quiet)


def _there(file: ArchiveFile, sha256: str) -> Fetched:
    return Fetched(file=file, n_bytes=file.n_bytes or 0, sha256=sha256, is_cached=True)


class _FileBars(Bars):
    """One bar for all files, and one for each that is under way."""

    def __init__(self, wanted: Sequence[ArchiveFile]) -> None:
        super().__init__(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
        )
        sizes = [file.n_bytes for file in wanted]
        whole = None if None in sizes else float(sum(size or 0 for size in sizes))
        self._all = self._progress.add_task(f"{len(wanted)} files", total=whole)
        self._bars: dict[str, TaskID] = {}
        self._done: dict[str, int] = {}

    def tell(self, file: ArchiveFile, n_bytes: int) -> None:
        """Show how far a file is."""
        bar = self._bars.get(file.name)
        if bar is None:
            bar = self._bars[file.name] = self._progress.add_task(file.name, total=file.n_bytes)
        self._progress.update(bar, completed=n_bytes)
        self._done[file.name] = n_bytes
        self._progress.update(self._all, completed=sum(self._done.values()))

    def end(self, one: Fetched, *, quiet: bool) -> None:
        """Take a file's bar away, and say that it is there."""
        bar = self._bars.pop(one.file.name, None)
        if bar is not None:
            self._progress.remove_task(bar)
        if not quiet:
            kept = "  (was there)" if one.is_cached else ""
            self._progress.console.print(
                f"{one.file.name}  {render.size(one.n_bytes)}{kept}", soft_wrap=True
            )


def _show(here: _Here, archive: str, folder: Path, *, is_complete: bool, as_json: bool) -> None:
    if as_json:
        render.show(
            site_shapes.FilesHere(
                dataset=here.key,
                archive=archive,
                directory=str(folder.absolute()),
                is_complete=is_complete,
                files=tuple(_shape(one) for one in here.files),
            )
        )
        return
    came = sum(one.n_bytes for one in here.files if not one.is_cached)
    rate = f", {render.size(came / here.took_s)}/s" if came and here.took_s else ""
    render.console().print(
        f"{len(here.files)} files in {folder}: {render.size(came)} fetched in"
        f" {render.seconds(here.took_s)}{rate}",
        soft_wrap=True,
    )


def _shape(one: Fetched) -> site_shapes.FileHere:
    return site_shapes.FileHere(
        name=one.file.name,
        kind=one.file.kind,
        n_bytes=one.n_bytes,
        sha256=one.sha256,
        is_cached=one.is_cached,
    )
