"""Fetch: copy what the archive lists, prove it, unpack it.

README and auxiliary files come first; then the refusal rules and the choice of a build are asked
(both pure), and only where they say yes are the raw data fetched: 60 GB an execution block.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from reimage import document
from reimage.archive import directory
from reimage.casa import choose, policy
from reimage.delivery import layout, refusal, unpack, versions
from reimage.errors import ArchiveError, ReimageError
from reimage.model import Calibration, Stage
from reimage.run import Run
from reimage.stages.context import StageContext
from reimage.stages.values import FetchedFile, FetchValue

README, AUXILIARY, PRODUCT, RAW = "#documentation", "#auxiliary", "#this", "#progenitor"
PROGRESS_STEP_BYTES = 64 << 20


class ArchiveNothingListed(ArchiveError):
    """The archive offers no file for a dataset."""

    code = "archive-nothing-listed"
    hint = "It may be proprietary, or not delivered: look it up in the archive's own interface."


def run(context: StageContext) -> FetchValue:
    """Fetch a dataset; files that an earlier attempt has proven are not fetched again.

    Raises
    ------
    ArchiveNothingListed, ArchiveFileMissing, ArchiveFileSize, ArchiveFileDamaged, ArchiveFileHostile, DiskFull
    """
    work = context.work(Stage.FETCH)
    archive = directory.DirectoryArchive(Path(context.run.archive))
    listed = archive.files(context.run.dataset)
    if not listed:
        raise ArchiveNothingListed(
            f"the archive lists no file for {context.run.dataset}",
            evidence={"dataset": context.run.dataset},
        )
    light = [file for file in listed if file.semantics in {README, AUXILIARY}]
    # Cycle 0 has everything in its product tars.  Elsewhere products are left where they are: our
    # scriptForPI must split, not link, and that is what it does when it sees no products.
    heavy = [file for file in listed if file.semantics == RAW]
    if not any(file.semantics == AUXILIARY for file in listed):
        light = [file for file in listed if file.semantics in {README, PRODUCT}]
    fetcher = _Fetcher(context, archive, work)
    manifest = [fetcher.fetch(file) for file in light]
    postponed = _will_be_refused(context.run, work / "delivery")
    if postponed is None:
        manifest += [fetcher.fetch(file) for file in heavy]
    return FetchValue(
        delivery=f"{Stage.FETCH.value}/delivery",
        manifest=tuple(manifest),
        postponed=postponed,
    )


class _Fetcher:
    """Fetches and unpacks one file after the other, each with a record of its proof."""

    def __init__(
        self, context: StageContext, archive: directory.DirectoryArchive, work: Path
    ) -> None:
        self._context, self._archive = context, archive
        self._files, self._delivery, self._records = (
            work / "files",
            work / "delivery",
            work / "records",
        )
        for folder in (self._files, self._delivery, self._records):
            folder.mkdir(exist_ok=True)

    def fetch(self, file: directory.ArchiveFile) -> FetchedFile:
        record = self._records / f"{file.name}.json"
        if record.exists():
            return document.read(FetchedFile, record)
        self._context.emit("file.started", name=file.name, n_bytes=file.n_bytes)
        target = self._files / file.name
        sha256 = self._archive.fetch(file, target, self._progress(file))
        if file.name.endswith(".tar"):
            unpack.unpack(target, self._delivery)
            target.unlink()  # unpacked and recorded; the archive has it
        else:
            shutil.copyfile(target, self._delivery / file.name)
        fetched = FetchedFile(
            name=file.name, semantics=file.semantics, n_bytes=file.n_bytes, sha256=sha256
        )
        self._context.still_current()
        document.write(record, fetched)
        self._context.emit("file.fetched", name=file.name, n_bytes=file.n_bytes, sha256=sha256)
        return fetched

    def _progress(self, file: directory.ArchiveFile) -> directory.Progress:
        told = 0

        def progress(done: int) -> None:
            nonlocal told
            if done - told >= PROGRESS_STEP_BYTES:
                told = done
                self._context.emit(
                    "file.progress", name=file.name, n_bytes=done, of_bytes=file.n_bytes
                )

        return progress


def _will_be_refused(run: Run, delivery: Path) -> str | None:
    """Return why raw data need not be fetched: *choose* will say the same, with its evidence."""
    try:
        refusal.refuse_by_facts(run.facts)
        found = layout.read_layout(delivery)
        if found.calibration is Calibration.NONE:
            refusal.refuse_by_delivery(found)
        statements = versions.find_statements(found)
        choice = choose.choose(
            found.calibration, statements, run.builds, run.casa, policy.of_run(run)
        )
        choose.require(choice, run.builds, run.casa)
    except ReimageError as error:
        return error.message
    return None
