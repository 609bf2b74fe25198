"""A repro capsule: one folder with exactly what a run ran, to be repeated and read without reimage.

The last CASA call of the stage that failed becomes one command (``run.sh``), which begins with what the call
began with, in a place of its own.  A stage that calls no CASA has no command: what it read is told.
"""

from __future__ import annotations

import errno
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from reimage import document
from reimage.desk import capsule_readme, capsule_source, capsule_state, capsule_texts
from reimage.desk.capsule_call import Call
from reimage.desk.capsule_entry import Found
from reimage.desk.capsule_filling import SUMS, Filling, listed
from reimage.desk.capsule_readme import Told
from reimage.desk.capsule_source import Source
from reimage.errors import UsageError
from reimage.model import Stage
from reimage.settings import Settings
from reimage.store.rows import RunRow
from reimage.triage.catalogue import load_classes

LOGS = ("casa.log", "stdout.log", "stderr.log", "result.json", "exit.json")


class ReproExists(UsageError):
    """Where the capsule is to be there is something already."""

    code = "repro-exists"
    hint = "Name another folder with -o, or replace a capsule with --force."


class ReproPlaceUnusable(UsageError):
    """The capsule cannot be written where it is to be."""

    code = "repro-place-unusable"
    hint = "Name a folder with -o below one that you may write to."


@dataclass(frozen=True, slots=True, kw_only=True)
class Capsule:
    """A capsule that was made."""

    directory: Path
    run: str
    dataset: str
    stage: Stage | None
    """The stage of the call, or where the run ended."""
    job: str | None
    """The CASA job that ``run.sh`` repeats; None: no CASA call to repeat."""
    build: str | None
    error_class: str | None
    decisive: str | None
    with_data: bool
    n_bytes: int
    inputs: int
    """Files that the call read."""
    missing: tuple[str, ...]
    """What the call found and what is not in the run directory any more."""
    cut: tuple[str, ...]
    """How the call was cut down."""


def make(
    settings: Settings,
    row: RunRow,
    to: Path,
    *,
    stage: Stage | None = None,
    with_data: bool = False,
    force: bool = False,
) -> Capsule:
    """Make the capsule of a run.

    Parameters
    ----------
    stage
        Whose last CASA call is to be repeated; None: that of the stage that failed.
    with_data
        Bring all data along: what is only read by hard links where that can be.
    force
        Replace a capsule that is there; nothing else is ever replaced.

    Raises
    ------
    ReproUnderWay, ReproNothingRan, ReproDirectoryGone, ReproStageSilent, ReproExists, DiskFull
    ReproPlaceUnusable
    """
    source = capsule_source.read(settings, row, stage)
    _require_free(to, force=force)
    with document.full_disk_told(to):
        part = _part(to)
        try:
            made = _fill(source, Filling(part, source.directory, with_data), to, settings)
            if to.exists():
                shutil.rmtree(to)
            part.rename(to)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
    return made


def _part(to: Path) -> Path:
    """Return a new folder beside the one that is to be: it is renamed when it is whole.

    Raises
    ------
    ReproPlaceUnusable
    """
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{to.name}.", dir=to.parent))
        part.chmod(0o755)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise ReproPlaceUnusable(
            f"cannot write {to}: {error.strerror}", evidence={"path": str(to)}
        ) from error
    return part


def _require_free(to: Path, *, force: bool) -> None:
    """Demand that nothing is replaced but a capsule, and that only when it is wanted."""
    if not (to.exists() or to.is_symlink()) or (to.is_dir() and not any(to.iterdir())):
        return
    if not force:
        raise ReproExists(f"{to} is there already", evidence={"path": str(to)})
    readme = to / "README.md"
    is_ours = readme.is_file() and (to / SUMS).is_file() and not to.is_symlink()
    if not (is_ours and readme.read_bytes().startswith(capsule_readme.TITLE.encode())):
        raise ReproExists(
            f"{to} is no capsule: it is not replaced",
            hint="Name another folder with -o.",
            evidence={"path": str(to)},
        )


def _fill(source: Source, filling: Filling, to: Path, settings: Settings) -> Capsule:
    found, row, call = source.found, source.row, source.call
    for entry in found.entries:
        if entry.kind in ("read", "copy"):
            filling.take(entry)
    files = capsule_source.fetched(source.directory)
    if call is not None:
        _write_call(call, found, filling, source)
    _write_record(source, filling)
    filling.write("inputs.tsv", listed(filling.inputs))
    if files:
        filling.write("fetch.sh", capsule_texts.fetch_sh(source.run, files), program=True)
    filling.write("README.md", capsule_readme.text(_told(source, found, filling, settings)))
    return Capsule(
        directory=to.absolute(),
        run=row.run,
        dataset=row.dataset,
        stage=source.at,
        job=call.job if call else None,
        build=call.build.id if call else row.build,
        error_class=row.error_class,
        decisive=row.decisive,
        with_data=filling.with_data,
        n_bytes=filling.seal(),
        inputs=len(filling.inputs),
        missing=tuple(filling.missing),
        cut=found.cut,
    )


def _told(source: Source, found: Found, filling: Filling, settings: Settings) -> Told:
    row = source.row
    classes = {one.id: one for one in load_classes(settings.classes)}
    return Told(
        row=row,
        run=source.run,
        outcome=source.outcome,
        call=source.call,
        at=source.at,
        error_class=classes.get(row.error_class or ""),
        bundle=capsule_source.bundle(source.directory, row.attempts),
        cut=found.cut,
        inputs=tuple(filling.inputs),
        missing=tuple(filling.missing),
        there=frozenset(one.name for one in filling.folder.iterdir()),
    )


def _write_call(call: Call, found: Found, filling: Filling, source: Source) -> None:
    root, directory = capsule_state.RUN, f"{capsule_state.RUN}/{call.directory}"
    job = {
        "job": call.job,
        "result": f"{directory}/result.json",
        "progress": f"{directory}/progress.jsonl",
        "log": f"{directory}/casa.log",
        "input": dict(found.inputs),
    }
    decisive = (source.row.decisive or "").replace(str(call.origin), root)
    filling.write("job.json", json.dumps(job, indent=1) + "\n")
    filling.write("tree.tsv", capsule_texts.tree(found.entries))
    call_sh = capsule_texts.call_sh(call, source.run, decisive=decisive, looked=found.looked)
    filling.write("call.sh", call_sh)
    run_sh = (capsule_texts.FILES / "run.sh").read_text(encoding="utf-8")
    filling.write("run.sh", run_sh, program=True)
    for path, text in found.texts.items():
        filling.write(f"run/{path}", text)
    filling.write("build.json", _json(document.dump(call.build)))
    filling.take_job(call.job)
    for name in LOGS:
        filling.take_text(call.run_dir / call.directory / name, f"logs/{name}")
    for entry in found.entries:
        if entry.path.endswith(".py") and entry.kind in ("copy", "link"):
            filling.take_text(call.run_dir / entry.path, f"scripts/{Path(entry.path).name}")


def _write_record(source: Source, filling: Filling) -> None:
    """Write what the run was to do, how it went, and what was made of that."""
    attempt = f"attempts/{source.row.attempts}"
    for name in ("run.json", "outcome.json", f"{attempt}/exit.json", f"{attempt}/journal.jsonl"):
        filling.take_text(source.directory / name, f"record/{Path(name).name}")
    filling.write("recipe.json", _json(source.run.recipe))
    for path in sorted((source.directory / "evidence").rglob("*")):
        if path.is_file():
            folder = "scripts" if path.suffix == ".diff" else "evidence"
            filling.take_text(path, f"{folder}/{path.relative_to(source.directory / 'evidence')}")
    if source.row.decisive:
        filling.write("evidence/decisive.txt", source.row.decisive + "\n")


def _json(value: object) -> str:
    return json.dumps(value, indent=1, sort_keys=True) + "\n"
