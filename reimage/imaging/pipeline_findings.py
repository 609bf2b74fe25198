"""What went wrong in the ALMA pipeline without being raised, found in what it said and scored.

The pipeline goes on after most failures, with a line in the log and a low score.  ``findings.toml`` says
which lines mean something; a cause comes before what only follows from it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

from reimage import document
from reimage.imaging.pipeline_steps import Message, PipelineStep

Weight: TypeAlias = Literal["lost", "doubt", "note"]
DOUBTFUL_BELOW = 0.66
"""The pipeline itself shows scores up to this one as warnings or errors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A line that means something."""

    kind: str
    weight: Weight
    pattern: str
    symptom: bool = False
    tasks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that went wrong, and where."""

    kind: str
    weight: Weight
    step: str
    message: str
    symptom: bool = False
    target: str | None = None
    spws: tuple[int, ...] = ()

    def concerns(self, target: str, spws: tuple[int, ...]) -> bool:
        """Whether it can be the reason of an image's absence: it names nothing else."""
        if self.target is not None and self.target != target:
            return False
        return not self.spws or set(self.spws) <= set(spws)

    def __str__(self) -> str:
        """Return kind and message in one line."""
        return f"{self.kind}: {self.message}"


def find(steps: Iterable[PipelineStep]) -> tuple[Finding, ...]:
    """Find what steps said and scored; in their order, causes before symptoms, each once."""
    found: dict[tuple[object, ...], Finding] = {}
    for step in steps:
        for one in (*of_messages(step.messages, step.step, step.task), *_of_scores(step)):
            key = (one.kind, one.step, one.target, one.spws)
            found.setdefault(key, one)
    return tuple(sorted(found.values(), key=lambda one: one.symptom))


def of_messages(messages: Iterable[Message], step: str, task: str) -> Iterator[Finding]:
    """Yield what messages mean: the first rule that matches one speaks for it."""
    rules, harmless = _declared()
    for message in messages:
        if harmless.search(message.text):
            continue
        for rule, pattern in rules:
            match = pattern.search(message.text)
            if match and (not rule.tasks or task in rule.tasks):
                yield Finding(
                    kind=rule.kind,
                    weight=rule.weight,
                    step=step,
                    message=message.text,
                    symptom=rule.symptom,
                    target=_named(match, "target"),
                    spws=numbers(_named(match, "spw") or ""),
                )
                break


def numbers(spw: str) -> tuple[int, ...]:
    """Return spw ids of a text such as ``0,1``."""
    return tuple(int(part) for part in re.findall(r"\d+", spw))


def _of_scores(step: PipelineStep) -> Iterator[Finding]:
    """Yield low scores; what could not be scored says nothing about the images."""
    harmless = _declared()[1]
    for one in step.qa:
        said = one.long or one.short
        if harmless.search(said):
            continue
        if one.score < 0:
            yield Finding(kind="qa-unknown", weight="note", step=step.step, message=said)
        elif one.score < DOUBTFUL_BELOW:
            place = re.search(r"[Ff]ield:? (\S+) .*?(?:SPW|spw):? ?([\d,]+)", said)
            yield Finding(
                kind="qa-low",
                weight="doubt",
                step=step.step,
                message=f"{one.score:.2f} {said}",
                target=place[1] if place else None,
                spws=numbers(place[2]) if place else (),
            )


def _named(match: re.Match[str], name: str) -> str | None:
    """Return a named group, in whichever branch of the pattern it stands."""
    groups: Mapping[str, str | None] = match.groupdict()
    found = groups.get(name) or groups.get(f"{name}2")
    return found.strip('"') if found else None


@cache
def _declared() -> tuple[tuple[tuple[Rule, re.Pattern[str]], ...], re.Pattern[str]]:
    """Return the rules with their patterns, and the pattern of what is harmless."""
    path = Path(__file__).with_name("findings.toml")
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    rules = document.load(tuple[Rule, ...], data["finding"], origin=path.name)
    return (
        tuple((rule, re.compile(rule.pattern)) for rule in rules),
        re.compile("|".join(data["harmless"]["patterns"])),
    )
