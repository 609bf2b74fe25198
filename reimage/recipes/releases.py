"""The table of dialects, ``dialects/pipeline.toml``, and which of its eras a pipeline belongs to."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

from reimage import document
from reimage.errors import RecipeError
from reimage.recipes.recipe import Value

TABLE = Path(__file__).parent / "dialects" / "pipeline.toml"
Era: TypeAlias = tuple[int, int]
_UNKNOWN = {"", "unknown", "0.0.dev0"}
"""What an installation without version data says of itself."""


class PipelineVersionUnknown(RecipeError):
    """A pipeline's version is of no form that is known, or older than any dialect."""

    code = "pipeline-version-unknown"
    hint = "Write a release like 2024.1 or 2016.10, or a revision like r38377."


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From the first era that has something to the first that has it no longer; empty: no end."""

    since: str = ""
    until: str = ""

    def holds(self, era: Era) -> bool:
        """Whether an era lies in it."""
        return (not self.since or era_of(self.since) <= era) and (
            not self.until or era < era_of(self.until)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument(Span):
    """When a task has an argument, and whether it may be left out where the task has it not."""

    may_go: bool | tuple[Value, ...] = False

    def may_lose(self, value: Value) -> bool:
        """Whether the images do not depend on this value."""
        return value in self.may_go if isinstance(self.may_go, tuple) else self.may_go


@dataclass(frozen=True, slots=True, kw_only=True)
class Name(Span):
    """What a task was called then."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Split(Span):
    """Then it took another task before it, which had these of its arguments."""

    first: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Span):
    """When a task is there, and how it differs from today's."""

    names: tuple[Name, ...] = ()
    merged_into: str | None = None
    """Which task does its work since."""
    split: Split | None = None
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Since when an argument may have a value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Respelling(Span):
    """What a recipe says, and what is written for it."""

    task: str
    said: Mapping[str, Value] = field(default_factory=dict)
    after: Mapping[str, Value] = field(default_factory=dict)
    """What the last list of images says."""
    written: Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Script(Span):
    """Where a script finds the tasks."""

    tasks: Literal["task_cli", "globals", "packages"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release of the pipeline and the CASA that it came with."""

    era: str
    casa: str
    revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialects:
    """The whole table."""

    release: tuple[Release, ...]
    task: Mapping[str, Task]
    respelling: tuple[Respelling, ...]
    script: tuple[Script, ...]


@cache
def dialects() -> Dialects:
    """Return the table that is shipped."""
    return document.load(Dialects, tomllib.loads(TABLE.read_text(encoding="utf-8")))


def era_of(text: str) -> Era:
    """Return an era as numbers that sort."""
    year, _, number = text.partition(".")
    return int(year), int(number)


def named(version: str | None) -> tuple[str, tuple[str, ...]]:
    """Return the era of a pipeline by what it says of itself, and caveats.

    One that does not know its version is taken for the newest, one that is newer than all likewise.

    Raises
    ------
    PipelineVersionUnknown
    """
    said, releases = (version or "").strip(), dialects().release
    newest = releases[-1].era
    if said in _UNKNOWN:
        return newest, (f"pipeline-version-unknown:taken for {newest}",)
    release = re.match(r"(20\d\d)\.(\d+)", said)
    revision = re.search(r"\b[r]?(\d{5})(?!\d)", said)
    if release:
        era = f"{release[1]}.{release[2]}"
        if era_of(era) > era_of(newest):
            return newest, (f"pipeline-newer-than-known:{era}, taken for {newest}",)
        if era_of(era) >= era_of(releases[0].era):
            return era, ()
    elif revision:
        older = [one for one in releases if one.revision and one.revision <= int(revision[1])]
        if older:
            return older[-1].era, ()
    raise PipelineVersionUnknown(
        f"no dialect is known for the pipeline {said!r}", evidence={"version": said}
    )
