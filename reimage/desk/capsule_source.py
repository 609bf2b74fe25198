"""A run, read from its directory for a capsule: which of its calls, and what that found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reimage import document, ingest, queueing
from reimage.desk import capsule_call, capsule_state
from reimage.desk.capsule_call import Call
from reimage.desk.capsule_entry import Entry, Found
from reimage.errors import DocumentUnreadable, ReimageError, UsageError
from reimage.model import ProductState, Result, Stage, State
from reimage.run import Outcome, Run
from reimage.settings import Settings
from reimage.stages.context import PROVEN
from reimage.store.rows import RunRow


class ReproNothingRan(UsageError):
    """There is nothing of a run that could be repeated."""

    code = "repro-nothing-ran"
    hint = "`reimage show RUN` tells how far it came; `reimage rerun RUN` tries the dataset again."


class ReproUnderWay(UsageError):
    """A run is not done: what it reads is being written."""

    code = "repro-under-way"
    hint = "Wait for its end, or `reimage cancel RUN` first."


class ReproStageSilent(UsageError):
    """A run has no CASA call in the stage that was asked for."""

    code = "repro-stage-silent"
    hint = "Leave out --stage: the last call of the stage that failed is taken."


class ReproDirectoryGone(ReimageError):
    """The directory of a run was deleted."""

    code = "repro-directory-gone"
    hint = "`reimage rerun RUN` does it again; the database keeps what was judged of it."


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A run, as its directory has it."""

    row: RunRow
    directory: Path
    run: Run
    outcome: Outcome | None
    at: Stage | None
    """The stage that is looked at: the one that was asked for, else the one that failed."""
    call: Call | None

    @property
    def found(self) -> Found:
        """What its call found; nothing where there is none."""
        if self.call is None:
            return Found(inputs={}, entries=_products(self))
        return capsule_state.of_call(self.call)


def read(settings: Settings, row: RunRow, stage: Stage | None) -> Source:
    """Return a run and its call that is to be repeated.

    Raises
    ------
    ReproUnderWay, ReproNothingRan, ReproDirectoryGone, ReproStageSilent
    """
    directory = queueing.run_directory(settings, row).absolute()
    if row.state is not State.DONE:
        raise ReproUnderWay(f"run {row.run} is {row.state}", evidence={"run": row.run})
    if not row.attempts:
        raise ReproNothingRan(f"run {row.run} was never started", evidence={"run": row.run})
    if row.result is Result.REFUSED and stage is None:
        raise ReproNothingRan(
            f"run {row.run} was refused by a rule: nothing failed", evidence={"run": row.run}
        )
    if not (directory / "run.json").exists():
        raise ReproDirectoryGone(f"{directory} is not there", evidence={"run": row.run})
    run = document.read(Run, directory / "run.json")
    outcome = ingest.own_outcome(directory, run.run, row.attempts)
    jobs = capsule_call.jobs_of(directory)
    at = stage or _stage(row, outcome)
    chosen = capsule_call.choose([job for job in jobs if job.stage is at])
    call = capsule_call.read(directory, run, chosen) if chosen else None
    if stage is not None and call is None:
        raise ReproStageSilent(
            f"run {row.run} has no CASA call in {stage}",
            evidence={"stages": sorted({str(job.stage) for job in jobs})},
        )
    return Source(row=row, directory=directory, run=run, outcome=outcome, at=at, call=call)


def _stage(row: RunRow, outcome: Outcome | None) -> Stage | None:
    """Return where a run failed: an image that is absent is the image stage's, however the run went on."""
    if outcome is not None and outcome.fault is not None:
        return outcome.fault.stage
    if row.result in (Result.PARTIAL, Result.IMAGED):
        return Stage.IMAGE
    return outcome.stage if outcome is not None and outcome.stage else row.stage


def _products(source: Source) -> tuple[Entry, ...]:
    """Return the images that a stage after imaging read."""
    if source.outcome is None or source.outcome.stage not in (Stage.DERIVE, Stage.ASSESS):
        return ()
    value = _json(source.directory / Stage.IMAGE / PROVEN).get("value", {})
    paths = [
        one.get("path")
        for one in value.get("products", ())
        if one.get("state") != ProductState.ABSENT
    ]
    return tuple(Entry(kind="read", path=path) for path in paths if path)


def fetched(directory: Path) -> list[dict[str, str]]:
    """Return what was fetched or begun: name and, where it came whole, checksum."""
    kept = [_json(path) for path in sorted((directory / Stage.FETCH / "records").glob("*.json"))]
    proven = _json(directory / Stage.FETCH / PROVEN).get("value", {}).get("manifest", ())
    known = {one["name"]: str(one["sha256"]) for one in (*proven, *kept) if "sha256" in one}
    begun = (e for e in capsule_call.events(directory) if e.event == "file.started")
    for event in begun:
        known.setdefault(str(event.data.get("name")), "")
    return [{"name": name, "sha256": sha256} for name, sha256 in known.items()]


def bundle(directory: Path, attempt: int) -> Path | None:
    """Return where the evidence of an attempt is; None where none was kept."""
    path = directory / "evidence" / f"attempt-{attempt}.json"
    return path if path.is_file() else None


def _json(path: Path) -> Mapping[str, Any]:
    try:
        kept = document.read_json(path)
    except DocumentUnreadable:
        return {}
    return kept if isinstance(kept, dict) else {}
