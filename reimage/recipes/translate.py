"""A recipe in the words of one release of the ALMA pipeline.

Recipes are written in today's words.  What another release calls otherwise is translated, each translation
a caveat; what cannot be said to it is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from reimage.errors import RecipeError
from reimage.recipes.dialect import TASKS
from reimage.recipes.effective import LIST, effective, specmode_of
from reimage.recipes.recipe import Recipe, Step, Value
from reimage.recipes.releases import Dialects, Era, Split, Task, dialects, era_of, named


class RecipeNotInDialect(RecipeError):
    """The pipeline of a release has no word for a step of the recipe."""

    code = "recipe-not-in-dialect"
    hint = "Use another build's pipeline, or a recipe of its years: `reimage recipe list`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a pipeline's task, in its own words."""

    step: str
    """Id of the recipe's step."""
    task: str
    arguments: Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """A recipe for one release."""

    era: str
    calls: tuple[Call, ...]
    caveats: tuple[str, ...]


def translate(recipe: Recipe, version: str | None) -> Translation:
    """Return the calls that carry out a recipe in a pipeline, by what it says of its version.

    Raises
    ------
    RecipeNotInDialect, PipelineVersionUnknown
    """
    era, caveats = named(version)
    table, at = dialects(), era_of(era)

    def can(task: str) -> bool:
        rule = table.task[task]
        return rule.holds(at) or (rule.merged_into is not None and _over(rule, at))

    steps, left = effective(recipe.steps, can)
    work = _Translator(table=table, era=era, at=at, caveats=[*caveats, *left])
    for step in steps:
        work.take(step)
    return Translation(era=era, calls=tuple(work.calls), caveats=tuple(dict.fromkeys(work.caveats)))


def _over(rule: Task, at: Era) -> bool:
    return bool(rule.until) and at >= era_of(rule.until)


@dataclass(slots=True, kw_only=True)
class _Translator:
    """Takes a recipe's steps one by one."""

    table: Dialects
    era: str
    at: Era
    caveats: list[str]
    calls: list[Call] = field(default_factory=list)
    merged: dict[str, dict[str, Value]] = field(default_factory=dict)
    """Arguments of steps that another one does now, by that one."""
    listed: Mapping[str, Value] = field(default_factory=dict)
    """What the last list of images says."""

    def take(self, step: Step) -> None:
        """Add the calls of a step."""
        rule, said = self.table.task[step.task], dict(step.parameters)
        if rule.merged_into and _over(rule, self.at):
            self._merge(step, rule.merged_into)
            return
        if not rule.holds(self.at):
            raise RecipeNotInDialect(
                f"the pipeline of {self.era} has no {step.task}",
                evidence={"step": step.id, "task": step.task, "pipeline": self.era},
            )
        if step.task == LIST:
            self.listed = said = {"specmode": specmode_of(step), **said}
        said = {**self.merged.pop(step.task, {}), **said}
        if rule.split and rule.split.holds(self.at):
            said = self._split(step, rule.split, said)
        name = next((one.name for one in rule.names if one.holds(self.at)), step.task)
        if name != step.task:
            self.caveats.append(f"translated:{step.task} is {name}")
        self._call(step.id, step.task, name, said)

    def _merge(self, step: Step, into: str) -> None:
        """Leave a step to the one that does its work now, with the arguments that are known there."""
        self.caveats.append(f"translated:{step.task} is part of {into}")
        for name, value in step.parameters.items():
            if name in TASKS[into]:
                self.merged.setdefault(into, {})[name] = value
            elif value != TASKS[step.task][name]:
                raise self._unsayable(step.id, step.task, name, value)

    def _split(self, step: Step, split: Split, said: dict[str, Value]) -> dict[str, Value]:
        """Give the task that comes first then what is its; make the call where the recipe does not."""
        first = split.first
        moved = {name: said[name] for name in split.arguments if name in said}
        there = [n for n, call in enumerate(self.calls) if call.task == first]
        if there:
            earlier = self.calls[there[-1]]
            self.calls[there[-1]] = replace(earlier, arguments={**earlier.arguments, **moved})
        else:
            self.caveats.append(f"translated:{step.task} takes {first} before it")
            self._call(f"{step.id}.{first}", first, first, moved)
        return {name: value for name, value in said.items() if name not in moved}

    def _call(self, step: str, task: str, name: str, said: Mapping[str, Value]) -> None:
        rest, written = self._respelt(task, name, said)
        rule = self.table.task[task]
        for key, value in rest.items():
            argument = rule.arguments.get(key)
            since = rule.values.get(key, {}).get(str(value))
            if (argument is None or argument.holds(self.at)) and (
                since is None or era_of(since) <= self.at
            ):
                written[key] = _as_taken(key, value)
            elif argument is not None and (argument.may_lose(value) or value == TASKS[task][key]):
                self.caveats.append(f"translated:{task} without {key}={value!r}")
            else:
                raise self._unsayable(step, task, key, value)
        self.calls.append(Call(step=step, task=name, arguments=written))

    def _respelt(
        self, task: str, name: str, said: Mapping[str, Value]
    ) -> tuple[dict[str, Value], dict[str, Value]]:
        """Return what is left to say, and what is written already."""
        rest, written = dict(said), dict[str, Value]()
        for one in self.table.respelling:
            if one.task != task or not one.holds(self.at):
                continue
            if one.said.items() <= rest.items() and one.after.items() <= self.listed.items():
                written.update(one.written)
                rest = {key: value for key, value in rest.items() if key not in one.said}
                what = f"{task}({_written(one.said)})" + (
                    f" after {_written(one.after)}" if one.after else ""
                )
                self.caveats.append(f"translated:{what} is {name}({_written(one.written)})")
        return rest, written

    def _unsayable(self, step: str, task: str, name: str, value: Value) -> RecipeNotInDialect:
        return RecipeNotInDialect(
            f"{task} of the pipeline of {self.era} has no {name}={value!r}",
            evidence={"step": step, "task": task, "argument": name, "pipeline": self.era},
        )


def _as_taken(name: str, value: Value) -> Value:
    """Return a value in the type that the pipeline takes: a size in pixels is a number there."""
    return int(str(value)) if name == "hm_imsize" and str(value).isdigit() else value


def _written(arguments: Mapping[str, Value]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in arguments.items())
