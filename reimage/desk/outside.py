"""Judge what somebody brings: logs, directories of logs, run directories, kept evidence.  No database.

Of a run directory and of kept evidence everything is known that was known when the run was judged; of
a log only its lines.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from reimage.closing import read_exit
from reimage.errors import DocumentUnreadable, UsageError
from reimage.ingest import own_outcome
from reimage.model import Result
from reimage.triage import evidence as evidences
from reimage.triage import rejudging, texts
from reimage.triage.catalogue import ErrorClass
from reimage.triage.clues import Clue, scan
from reimage.triage.evidence import Evidence
from reimage.triage.judge import Judged, judge, judge_text

STDIN = "-"
MOST_STDIN = 4_000_000_000
"""Bytes taken of standard input."""
PIECE = 2**20
_LAST = datetime.max.replace(tzinfo=UTC)


class NothingToJudge(UsageError):
    """What was named is not there, cannot be read, or holds no log."""

    code = "nothing-to-judge"
    hint = (
        "Name logs (also .gz), a directory with *.log below it, a run directory, evidence/attempt-1.json,"
        " or - for standard input."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """One thing that was brought, judged."""

    path: str
    kind: str
    """``log``, ``logs``, ``run`` or ``evidence``."""
    evidence: Evidence
    judged: Judged
    notes: tuple[str, ...] = ()
    """What makes the judgement less sure."""


def bring(path: str, classes: Sequence[ErrorClass], stdin: BinaryIO) -> tuple[Brought, ...]:
    """Judge what is called so; more than one thing is in a directory of kept evidence.

    Raises
    ------
    NothingToJudge
    DocumentUnreadable
        It should be kept evidence and cannot be read as such.
    """
    if path == STDIN:
        return (_text(path, "log", _standard_input(stdin), classes),)
    place = Path(path).expanduser()
    try:
        is_directory = place.is_dir()
        if not is_directory:
            place.open("rb").close()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise NothingToJudge(f"cannot read {path}: {reason}", evidence={"path": path}) from error
    if is_directory:
        return _directory(path, place, classes)
    if place.suffix == ".json":
        return (_kept(path, place, classes),)
    return (_text(path, "log", evidences.of_path(place).clues, classes),)


def together(brought: Iterable[Brought], classes: Sequence[ErrorClass]) -> Judged:
    """Judge everything at once, in order of time: one root for all of it."""
    clues = in_time(_clues(one) for one in brought)
    return judge_text(Evidence(run="", attempt=0, clues=clues), classes)


def _clues(brought: Brought) -> tuple[Clue, ...]:
    """Return what was seen in one thing, the fact that decided among it."""
    root, clues = brought.judged.root, brought.evidence.clues
    return clues if root is None or root.clue in clues else (root.clue, *clues)


def in_time(texts_clues: Iterable[tuple[Clue, ...]]) -> tuple[Clue, ...]:
    """Return the clues of several texts by time; one without takes that of the next in its text."""
    timed: list[tuple[datetime, Clue]] = []
    for clues in texts_clues:
        following = _LAST
        of_text = []
        for clue in reversed(clues):
            following = clue.at or following
            of_text.append((following, clue))
        timed += reversed(of_text)
    return tuple(clue for _, clue in sorted(timed, key=lambda one: one[0]))


def _directory(path: str, place: Path, classes: Sequence[ErrorClass]) -> tuple[Brought, ...]:
    if (place / "run.json").is_file():
        return (_run(path, place, classes),)
    kept = sorted(place.glob("attempt-*.json"))
    if kept:
        return tuple(_kept(str(one), one, classes) for one in kept)
    try:
        n_logs = sum(1 for name in ("*.log", "*.log.gz") for _ in place.rglob(name))
        found = evidences.of_path(place).clues
    except OSError as error:
        raise NothingToJudge(
            f"cannot read {path}: {error.strerror}", evidence={"path": path}
        ) from error
    if n_logs == 0:
        raise NothingToJudge(f"no log is below {path}", evidence={"path": path})
    by_source: dict[str, list[Clue]] = {}
    for clue in found:
        by_source.setdefault(clue.source, []).append(clue)
    clues = in_time(tuple(one) for one in by_source.values())
    most = evidences.MOST_LOGS
    left_out = (f"only {most} of {n_logs} logs were read",) if n_logs > most else ()
    return (_text(path, "logs", clues, classes, left_out),)


def _text(
    path: str,
    kind: str,
    clues: tuple[Clue, ...],
    classes: Sequence[ErrorClass],
    notes: tuple[str, ...] = (),
) -> Brought:
    evidence = Evidence(run="", attempt=0, clues=clues)
    judged = judge_text(evidence, classes)
    notes = (*notes, *_doubts(clues))
    return Brought(path=path, kind=kind, evidence=evidence, judged=judged, notes=notes)


def _doubts(clues: tuple[Clue, ...]) -> tuple[str, ...]:
    """Return why it may not be of a failure at all: a log does not tell how its process ended."""
    if not clues:
        return ("nothing in it speaks of trouble",)
    if all(clue.severity == "WARN" for clue in clues):
        return ("it holds warnings alone: what wrote it may have ended well",)
    return ()


def _kept(path: str, place: Path, classes: Sequence[ErrorClass]) -> Brought:
    evidence = rejudging.read(place)
    judged = rejudging.rejudge(evidence, Result.FAILED, (), classes)
    return Brought(path=path, kind="evidence", evidence=evidence, judged=judged)


def _run(path: str, place: Path, classes: Sequence[ErrorClass]) -> Brought:
    """Judge the last attempt of a run, from what was kept of it or from the directory as it is."""
    attempt = _last_attempt(place)
    run = str(texts.json_object(place / "run.json").get("run") or place.name)
    outcome = own_outcome(place, run, attempt)
    ended = read_exit(place, attempt)
    notes: tuple[str, ...] = ()
    if outcome is None and ended is None:
        notes = ("it has neither an outcome nor a record of its end: it may be under way",)
    try:
        evidence = rejudging.read(place / "evidence" / f"attempt-{attempt}.json")
    except DocumentUnreadable:
        evidence = evidences.collect(place, attempt, outcome, ended)
    judged = judge(outcome, ended, evidence, classes)
    return Brought(path=path, kind="run", evidence=evidence, judged=judged, notes=notes)


def _last_attempt(place: Path) -> int:
    numbers = [one.name for one in place.glob("attempts/*") if one.name.isdecimal()]
    return max(map(int, numbers), default=1)


def _standard_input(stdin: BinaryIO) -> tuple[Clue, ...]:
    """Return the clues of standard input; it is put into a file, since a long text has two ends."""
    with tempfile.TemporaryFile() as kept:
        left = MOST_STDIN
        while left > 0 and (piece := stdin.read(min(left, PIECE))):
            kept.write(piece)
            left -= len(piece)
        kept.seek(0)
        clues = scan(texts.of_stream(kept), STDIN, None)
    return tuple(replace(clue, source="standard input") for clue in clues)
