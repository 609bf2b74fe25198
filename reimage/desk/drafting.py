"""A new error class from one failure: drafted, held against the law, and saved.

The law: a class's example is its own and no other's.  What the class would take of history is told by
`reimage.desk.preview`, before anything is saved.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reimage import document
from reimage.desk import naming
from reimage.desk.judging import evidence_path
from reimage.errors import UsageError
from reimage.settings import Settings
from reimage.store.judged import JudgedFailure
from reimage.store.session import Database
from reimage.triage import draft_text, rejudging, rules
from reimage.triage.catalogue import UNCLASSIFIED, ErrorClass, Family, Sample
from reimage.triage.clues import Clue
from reimage.triage.draft_text import DraftImpossible
from reimage.triage.evidence import Evidence, of_text
from reimage.triage.judge import Judged
from reimage.triage.signature import is_useless

MOST_LINES = 30
MOST_TOLD = 110


class DraftTaken(UsageError):
    """The id of a drafted class is somebody else's, or its file is there."""

    code = "class-draft-taken"
    hint = "Choose another: --id ID."


class DraftAmbiguous(UsageError):
    """A drafted class breaks the law: what it matches is another class's already."""

    code = "class-draft-ambiguous"
    hint = "Choose another line (--line N), or mend the class that is named (`reimage classes show CLASS`)."


class DraftNowhere(UsageError):
    """There is no folder of the site's own to save a class in."""

    code = "class-draft-nowhere"
    hint = 'Name one in the settings: classes = ["/site/classes"].'


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line that a class can be drafted from."""

    number: int
    severity: str
    source: str
    text: str
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A new error class that is not saved yet."""

    id: str
    family: Family
    run: str
    attempt: int
    text: str
    """Of its file."""
    pattern: str
    lines: tuple[Line, ...]
    """What could be drafted from, the chosen one marked."""
    error_class: ErrorClass


def draft(
    settings: Settings,
    database: Database,
    name: str,
    classes: Sequence[ErrorClass],
    *,
    author: str,
    error_class: str | None = None,
    family: Family | None = None,
    title: str | None = None,
    line: int | None = None,
) -> Draft:
    """Draft a class from a failure's decisive line, or from another one of its evidence.

    Raises
    ------
    FailureUnknown, RunUnknown, DocumentUnreadable
    DraftImpossible, DraftTaken, DraftAmbiguous
    """
    with database.read() as session:
        failure = naming.failure(session, settings.holding, name)
    evidence = rejudging.read(evidence_path(settings, failure))
    clues = said(evidence)
    now = rejudging.rejudge(evidence, failure.result, failure.caveats, classes)
    wish = _Wish(author=author, error_class=error_class, family=family, title=title)
    try:
        number = _chosen(clues, now, line)
        made, text = _made(failure, evidence, clues[number - 1], wish, classes)
    except (DraftImpossible, DraftAmbiguous) as error:
        error.evidence["lines"] = [
            f"{one.number:>3} {' '.join(one.text.split())[:MOST_TOLD]}" for one in _lines(clues, 0)
        ]
        raise
    return Draft(
        id=made.id,
        family=made.family,
        run=failure.run,
        attempt=failure.attempt,
        text=text,
        pattern=str(made.match[0].message),
        lines=_lines(clues, number),
        error_class=made,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What a person said of the new class."""

    author: str
    error_class: str | None
    family: Family | None
    title: str | None


def _made(
    failure: JudgedFailure,
    evidence: Evidence,
    clue: Clue,
    wish: _Wish,
    classes: Sequence[ErrorClass],
) -> tuple[ErrorClass, str]:
    """Return the new class and the text of its file."""
    wanted = wish.error_class or draft_text.id_of(clue.text)
    if wanted == UNCLASSIFIED or any(one.id == wanted for one in classes):
        raise DraftTaken(f"the error class {wanted!r} is there already", evidence={"class": wanted})
    text = draft_text.text_of(
        clue,
        family=wish.family or draft_text.family_of(evidence.stage),
        title=wish.title or draft_text.title_of(clue.text),
        run=failure.run,
        attempt=failure.attempt,
        stage=evidence.stage,
        author=wish.author,
    )
    made = draft_text.parsed(wanted, text)
    obey(made, classes)
    return made, text


def obey(made: ErrorClass, classes: Sequence[ErrorClass]) -> None:
    """Hold a class against the law of one match.

    Raises
    ------
    DraftAmbiguous
    """
    holding = _found(made, (*classes, made))
    if made.id not in holding:
        raise DraftImpossible("the pattern does not find its own example")
    others = holding - {made.id}
    if others:
        names = ", ".join(sorted(others))
        raise DraftAmbiguous(f"the line is known already: {names}", evidence={"classes": names})
    taken = sorted(one.id for one in classes if made.id in _found(one, (made,)))
    if taken:
        raise DraftAmbiguous(
            f"the pattern also finds examples of {', '.join(taken)}",
            evidence={"pattern": made.match[0].message},
        )


def save(settings: Settings, draft: Draft) -> Path:
    """Write a draft into the site's first folder of classes.

    Raises
    ------
    DraftNowhere, DraftTaken
    """
    if not settings.classes:
        raise DraftNowhere("the setting `classes` names no folder")
    path = settings.classes[0] / draft.family.value / f"{draft.id}.toml"
    if path.exists():
        raise DraftTaken(f"{path} is there already", evidence={"file": str(path)})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with document.full_disk_told(path):
            document.write_bytes(path, draft.text.encode())
    except OSError as error:
        raise DraftNowhere(f"cannot write {path}: {error.strerror}") from error
    return path


def _found(one: ErrorClass, classes: Sequence[ErrorClass]) -> set[str]:
    """Return the classes that hold for the examples of one."""
    clues = [clue for example in one.evidence.examples for clue in _of_example(example)]
    return {finding.error_class for finding in rules.find(clues, classes)}


def _of_example(example: str | Sample) -> Iterable[Clue]:
    return (rules.of_sample(example),) if isinstance(example, Sample) else of_text(example).clues


def said(evidence: Evidence) -> tuple[Clue, ...]:
    """Return the lines of a failure's evidence, the runner's own word first."""
    fault = evidence.fault
    if fault is None:
        return evidence.clues
    told = Clue(source="fault", text=fault.message, code=fault.code, stage=fault.stage)
    return (told, *evidence.clues)


def _chosen(clues: tuple[Clue, ...], now: Judged, line: int | None) -> int:
    """Return the number of the line to draft from.

    Raises
    ------
    DraftImpossible
    """
    if line is not None:
        if not 1 <= line <= len(clues):
            raise DraftImpossible(f"there is no line {line}: the evidence has {len(clues)}")
        return line
    for number, clue in enumerate(clues, 1):
        if clue.text and now.decisive and clue.text.startswith(now.decisive):
            return number
    for number, clue in enumerate(clues, 1):
        if clue.text and not is_useless(clue.text):
            return number
    raise DraftImpossible("the evidence has no line that speaks of trouble")


def _lines(clues: tuple[Clue, ...], chosen: int) -> tuple[Line, ...]:
    """Return the first lines, and the chosen one."""
    shown = [*range(1, min(len(clues), MOST_LINES) + 1)]
    if chosen > MOST_LINES:
        shown.append(chosen)
    return tuple(
        Line(
            number=number,
            severity=clues[number - 1].severity,
            source=clues[number - 1].source,
            text=clues[number - 1].text,
            chosen=number == chosen,
        )
        for number in shown
    )
