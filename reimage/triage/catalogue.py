"""Error classes: one TOML file each, in ``classes/<family>/<id>.toml``; the folder is the registry.

A class is chosen by its `Match` entries, any of which may hold; within one entry every key that is
given must hold for the *same* clue.  Sites add folders of the same shape.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from reimage.errors import SettingsError
from reimage.model import Stage
from reimage.triage import patterns
from reimage.triage.scope import Scope, Words

SHIPPED = Path(__file__).with_name("classes")
UNCLASSIFIED = "unclassified"
_LINE = re.compile(r"\(at line (?P<line>\d+)")


class ErrorClassUnusable(SettingsError):
    """The file of an error class cannot be read, or two files claim one id."""

    code = "error-class-unusable"
    hint = "See ops/guide for the keys; `reimage doctor` checks every folder of classes."


class Family(StrEnum):
    """What part of the work a failure belongs to."""

    FETCH = "fetch"
    """The archive and the download."""
    DATA = "data"
    """What was delivered."""
    ENVIRONMENT = "environment"
    """CASA is missing or does not start."""
    CALIBRATION = "calibration"
    """scriptForPI and the restore."""
    IMAGING = "imaging"
    """Imaging tasks."""
    RESOURCES = "resources"
    """Memory, disk, time."""
    INFRASTRUCTURE = "infrastructure"
    """Machines and schedulers."""
    OUTPUT = "output"
    """What should be there and is not, or is and should not."""
    QUALITY = "quality"
    """Numbers of the products."""
    OPERATIONS = "operations"
    """People, and we ourselves."""


class Actor(StrEnum):
    """Who must act."""

    ARCHIVE = "archive"
    """Staff of the archive: what it holds is wrong."""
    DELIVERY = "delivery"
    """Nobody can change a delivery; a fix of ours may work around it."""
    CASA = "casa"
    """CASA's developers, or another build."""
    RECIPE = "recipe"
    """Whoever keeps the recipe."""
    SITE = "site"
    """Whoever runs the machines: memory, disks, builds."""
    US = "us"
    """The service's developers."""
    NOBODY = "nobody"
    """Nothing is wrong."""


class Remedy(StrEnum):
    """What the controller does next, of itself."""

    NONE = "none"
    RETRY = "retry"
    """The same again, as the next attempt."""
    MORE_MEMORY = "more memory"
    """A new run with more, from the measured peak."""
    MORE_TIME = "more time"
    OTHER_BUILD = "other build"
    """A new run with the next ranked build."""
    SERIAL = "serial"
    """A new run without parallel tasks."""
    FIX = "fix"
    """A new run with the fix that the class names."""
    SHRINK = "shrink work"
    """A new run that makes less: no machine has what the whole needs."""


Regex = Annotated[str, AfterValidator(patterns.check)]


class Match(BaseModel):
    """One way to know the class; all keys that are given must hold for one clue.

    ``message`` is searched in the clue's text, ``origin`` in the origin of a line of CASA's log;
    ``unless`` must be found in neither.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: Words | None = None
    """Codes of the fault, or ``no-outcome``, ``no-exit-record``, ``plan-incomplete``."""
    exit: tuple[int, ...] | None = None
    signal: Words | None = None
    why: Words | None = None
    """Who ended it: ``memory``, ``wall``, ``silent``, ``oom``."""
    scheduler: Words | None = None
    """States of a batch job or of one of its steps: ``OUT_OF_MEMORY``, ``TIMEOUT``."""
    stage: tuple[Stage, ...] | None = None
    severity: Words | None = None
    origin: Regex | None = None
    message: Regex | None = None
    unless: Regex | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Match:
        telling = (self.code, self.exit, self.signal, self.why, self.scheduler, self.message)
        if all(key is None for key in telling):
            raise ValueError("a match needs code, exit, signal, why, scheduler or message")
        return self


class Sample(BaseModel):
    """A clue written by hand, for what no line of a log can show."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str | None = None
    exit: int | None = None
    signal: str | None = None
    why: str | None = None
    scheduler: str | None = None
    stage: Stage | None = None
    casa: str | None = None
    text: str = ""


class Examples(BaseModel):
    """What the class was made from.  A string is a piece of a log as it was written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    examples: Annotated[tuple[str | Sample, ...], Field(min_length=1)]
    counterexamples: tuple[str | Sample, ...] = ()
    source: str = ""
    """Where the examples were seen."""
    provoked_by: str = ""
    """A test that brings it about with the real programs, where no log in tests/corpus shows it."""
    not_provoked: str = ""
    """Why neither a log nor a test has it: what cannot be brought about here."""

    def met(self) -> str:
        """Return how far the class was met for real, in a sentence."""
        if self.not_provoked:
            return f"Never met here: {self.not_provoked}"
        if self.provoked_by:
            return f"Brought about by {self.provoked_by}."
        return "Seen in logs that CASA or the pipeline wrote (tests/corpus)."


class ErrorClass(BaseModel):
    """A kind of failure, as an operator meets it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    """The file's name."""
    family: Family
    version: int = Field(default=1, ge=1)
    """Raised when the matches change: judgements name it."""
    title: str = Field(min_length=5, max_length=90)
    meaning: str = Field(min_length=20)
    advice: str = Field(min_length=20)
    """What to do; ``{key}`` stands for a fact of the evidence."""
    fault: Actor
    role: Literal["cause", "symptom"] = "cause"
    """A symptom is the root only of a failure of which no cause was seen."""
    explains: tuple[str, ...] = ()
    """Classes that this one brings about: where it was seen earlier, it is their root."""
    remedy: Remedy = Remedy.NONE
    fix: str | None = None
    scope: Scope = Scope()
    mode: Literal["active", "passive"] = "active"
    """Passive: judged and shown, but its remedy is not carried out."""
    link: str | None = None
    match: Annotated[tuple[Match, ...], Field(min_length=1)]
    evidence: Examples

    @model_validator(mode="after")
    def _names_its_fix(self) -> ErrorClass:
        if (self.remedy is Remedy.FIX) != (self.fix is not None):
            raise ValueError('remedy = "fix" and the key `fix` go together')
        return self


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in (SHIPPED, *folders):
        yield from sorted(folder.glob("*/*.toml"))


def read_class(path: Path) -> ErrorClass:
    """Read one file; the id is its name, the family its folder.

    Raises
    ------
    ErrorClassUnusable
    """
    evidence: dict[str, Any] = {"file": str(path)}
    text = ""
    try:
        text = path.read_text(encoding="utf-8")
        return _parsed(path, text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        evidence |= {"key": where, "line": _line(text, first["loc"])}
        place = f"{path}, line {evidence['line']}" if evidence["line"] else str(path)
        raise ErrorClassUnusable(f"{place}: {where}: {first['msg']}", evidence=evidence) from error
    except (OSError, ValueError) as error:
        told = _LINE.search(str(error))
        evidence["line"] = int(told["line"]) if told else None
        raise ErrorClassUnusable(f"cannot read {path}: {error}", evidence=evidence) from error


@lru_cache(maxsize=4096)
def _parsed(path: Path, text: str) -> ErrorClass:
    """Return what a file declares; what was read once is taken from memory as long as it is the same."""
    data = tomllib.loads(text)
    if data.get("family") != path.parent.name:
        raise ErrorClassUnusable(
            f"{path}: family is {data.get('family')!r} in folder {path.parent.name!r}",
            evidence={"file": str(path)},
        )
    return ErrorClass.model_validate({"id": path.stem, **data})


def _line(text: str, where: tuple[int | str, ...]) -> int | None:
    """Return the line on which a key stands: ``("match", 1, "message")``; None when it stands nowhere."""
    found = None
    after = 0
    lines = text.splitlines()
    for number, part in enumerate(where):
        if isinstance(part, int):
            continue
        following = where[number + 1] if number + 1 < len(where) else 0
        heads = re.compile(rf"\s*(?:\[+\s*)?{re.escape(part)}\b")
        places = [at for at, line in enumerate(lines) if at >= after and heads.match(line)]
        index = following if isinstance(following, int) and part == "match" else 0
        if index < len(places):
            after = places[index]
            found = after + 1
    return found


def load_classes(folders: Iterable[Path] = ()) -> tuple[ErrorClass, ...]:
    """Return every class, the shipped ones and those of a site's folders, ordered by id.

    Raises
    ------
    ErrorClassUnusable
        A file has an unknown key or a wrong value, two files have one id, or a class explains one
        that does not exist.
    """
    known: dict[str, Path] = {}
    classes: list[ErrorClass] = []
    for path in _files(folders):
        error_class = read_class(path)
        if error_class.id == UNCLASSIFIED or error_class.id in known:
            raise ErrorClassUnusable(
                f"the error class {error_class.id!r} is declared twice or reserved",
                evidence={"files": [str(known.get(path.stem, "")), str(path)]},
            )
        known[error_class.id] = path
        classes.append(error_class)
    for error_class in classes:
        for other in error_class.explains:
            if other not in known:
                raise ErrorClassUnusable(
                    f"{error_class.id} explains {other!r}, which does not exist",
                    evidence={"file": str(known[error_class.id])},
                )
    return tuple(sorted(classes, key=lambda one: one.id))
