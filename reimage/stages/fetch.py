"""Fetch: get what the archive lists and a restore needs, prove it, unpack it.

The listing is looked at first (`reimage.stages.preflight`): a dataset that is in vain costs no
download.  README and auxiliary files come then; then the refusal rules and the choice of a build are
asked (both pure), and only where they say yes are the raw data fetched: 60 GB an execution block.

Each file has a record of its own once it is fetched, proven and unpacked: an attempt that was killed,
or that met a bad file, is followed by one that fetches only what has no record.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from reimage import document, settings
from reimage.archive import cycle0, listing, opened
from reimage.archive.listing import ArchiveFile
from reimage.archive.protocol import Archive, Fetched
from reimage.casa import choose, policy
from reimage.delivery import layout, refusal, unpack, versions
from reimage.errors import ArchiveError, ReimageError
from reimage.model import Calibration, Stage
from reimage.run import Run
from reimage.stages import preflight
from reimage.stages.context import StageContext
from reimage.stages.values import FetchedFile, FetchValue
from reimage.uid import Uid

PROGRESS_STEP_BYTES = 64 << 20


def run(context: StageContext) -> FetchValue:
    """Fetch a dataset; files that an earlier attempt has proven are not fetched again.

    Raises
    ------
    ArchiveError, ArchiveNotPublic, DataProprietary, NoRecipe, NothingToRestore, DiskFull
    """
    run = context.run
    archive = opened.open_archive(run.archive, run.transfer, settings.secrets)
    fetcher = _Fetcher(context, archive, context.work(Stage.FETCH))
    there = preflight.means(
        context.directory, restores=preflight.is_restored(run.recipe, run.until)
    )
    keeping = preflight.Keeping(place=context.directory, locator=run.archive, transfer=run.transfer)
    done = fetcher.recorded_names()
    listed, told = preflight.ask(archive, run.dataset, run.facts, there, done=done, keeping=keeping)
    preflight.require(told)
    context.emit(
        "files.listed",
        n_files=told.n_files,
        n_bytes=told.fetch_bytes,
        left_bytes=told.left_bytes,
        notes=list(told.notes),
    )
    wanted = listing.needed(listed, run.facts)
    manifest, left = fetcher.fetch(wanted.light), wanted.left
    postponed = _will_be_refused(run, fetcher.delivery)
    if postponed is None:
        manifest += fetcher.fetch(wanted.heavy)
    else:
        left += tuple(listing.leave(file, postponed) for file in wanted.heavy)
    return FetchValue(
        delivery=f"{Stage.FETCH.value}/{fetcher.delivery.name}",
        manifest=tuple(manifest),
        left=left,
        transferred_bytes=fetcher.transferred_bytes,
        transfer_s=round(fetcher.transfer_s, 3),
        postponed=postponed,
        caveats=(
            *(f"listing:{note}" for note in told.notes),
            *(f"cycle0-block-absent:{eb}" for eb in _absent_of_cycle0(run, fetcher.delivery)),
        ),
    )


class _Fetcher:
    """Fetches and unpacks files, each with a record of its proof."""

    def __init__(self, context: StageContext, archive: Archive, work: Path) -> None:
        self._context, self._archive = context, archive
        self._files, self.delivery, self._records = (
            work / "files",
            work / "delivery",
            work / "records",
        )
        for folder in (self._files, self.delivery, self._records):
            folder.mkdir(exist_ok=True)
        self._told: dict[str, int] = {}
        self.transferred_bytes = 0
        self.transfer_s = 0.0

    def recorded_names(self) -> frozenset[str]:
        """Return the files that have a record."""
        return frozenset(path.name.removesuffix(".json") for path in self._records.glob("*.json"))

    def fetch(self, files: Sequence[ArchiveFile]) -> list[FetchedFile]:
        """Fetch what has no record; a file that cannot be had does not stop the others.

        Raises
        ------
        ArchiveError, Refusal, DiskFull
            The first that was met, when all others are there.
        """
        found = {file.name: record for file in files if (record := self._recorded(file))}
        for name in found:  # where an attempt ended between the record and this
            (self._files / name).unlink(missing_ok=True)
        missing = [file for file in files if file.name not in found]
        failure: ReimageError | None = None
        run = self._context.run
        arriving = self._archive.fetch_all(
            missing, self._files, self._tell, dataset=run.dataset, version=version_of(run)
        )
        begun = time.monotonic()
        try:
            with closing(arriving):  # no transfer goes on behind an error
                for fetched in arriving:
                    self.transferred_bytes += 0 if fetched.is_cached else fetched.n_bytes
                    try:
                        found[fetched.file.name] = self._take(fetched)
                    except ArchiveError as error:  # damaged or hostile
                        self._reject(fetched.file, error)
                        failure = failure or error
        except ArchiveError as error:
            failure = failure or error
        self.transfer_s += time.monotonic() - begun
        if failure is not None:
            raise failure
        return [found[file.name] for file in files]

    def _recorded(self, file: ArchiveFile) -> FetchedFile | None:
        """Return the record of a file, None where there is none or the archive has delivered it anew."""
        path = self._records / f"{file.name}.json"
        if not path.exists():
            return None
        record = document.read(FetchedFile, path)
        return record if file.n_bytes in {None, record.n_bytes} else None

    def _take(self, fetched: Fetched) -> FetchedFile:
        """Unpack a file that is there, and record it."""
        file, target = fetched.file, self._files / fetched.file.name
        self._begin(file)
        if file.is_tar:
            unpack.unpack(target, self.delivery)
        else:
            shutil.copyfile(target, self.delivery / file.name)
        record = FetchedFile(
            name=file.name, semantics=file.semantics, n_bytes=fetched.n_bytes, sha256=fetched.sha256
        )
        self._context.still_current()
        document.write(self._records / f"{file.name}.json", record)
        target.unlink()  # it has a record; the archive has it, and the cache
        self._context.emit(
            "file.fetched",
            name=file.name,
            n_bytes=fetched.n_bytes,
            sha256=fetched.sha256,
            is_cached=fetched.is_cached,
        )
        return record

    def _reject(self, file: ArchiveFile, error: ReimageError) -> None:
        """Have a file fetched anew by the next attempt, and not from the cache."""
        run = self._context.run
        (self._files / file.name).unlink(missing_ok=True)
        self._archive.reject(file, dataset=run.dataset, version=version_of(run))
        self._context.emit("file.rejected", name=file.name, code=error.code, message=error.message)

    def _begin(self, file: ArchiveFile) -> None:
        if file.name not in self._told:
            self._told[file.name] = 0
            self._context.emit("file.started", name=file.name, n_bytes=file.n_bytes)

    def _tell(self, file: ArchiveFile, done: int) -> None:
        self._begin(file)
        if done - self._told[file.name] >= PROGRESS_STEP_BYTES:
            self._told[file.name] = done
            self._context.emit("file.progress", name=file.name, n_bytes=done, of_bytes=file.n_bytes)


def version_of(run: Run) -> str:
    """Return which delivery of the dataset is meant."""
    return preflight.version_of(run.facts)


def _absent_of_cycle0(run: Run, delivery: Path) -> tuple[str, ...]:
    """Return the execution blocks that a delivery of Cycle 0 must contain and does not, raw or calibrated."""
    expected = frozenset[str]().union(*cycle0.expected(run.facts.get("ebs") or ()).values())
    if not expected:
        return ()
    tables = (path for path in delivery.rglob("uid___*") if path.is_dir())
    found = {str(uid) for path in tables if (uid := Uid.find(path.name))}
    return tuple(sorted(expected - found))


def _will_be_refused(run: Run, delivery: Path) -> str | None:
    """Return why raw data need not be fetched: *choose* will say the same, with its evidence."""
    try:
        refusal.refuse_by_facts(run.facts, archive_decides=True)
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
