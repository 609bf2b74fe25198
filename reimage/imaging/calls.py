"""Every call of a CASA task that the jobs made, and the log of those that made the products.

A job tells of its calls in ``calls.jsonl`` in its directory (``casa/jobs/_calls.py``).  The log is in the form
of the pipeline's ``casa_commands.log``: a comment for each step of the recipe, then its calls.  Unlike the
pipeline's it can be run: names are those of a directory of one's own, and what was tried in vain is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reimage import __version__, document
from reimage.model import PlannedImage
from reimage.recipes import Recipe, Step
from reimage.recipes.dialect import CARRIED
from reimage.recipes.effective import effective, pairs, specmode_of
from reimage.recipes.selection import chooses

FILE = "calls.jsonl"
WIDTH = 100
_STEPS: Mapping[str, tuple[str, ...]] = {
    "mstransform": ("hif_mstransform",),
    "flagdata": ("hifa_flagtargets", "hif_mstransform"),
    "uvcontsub": ("hif_uvcontsub",),
    "exportfits": ("hifa_exportdata", "hif_makeimages"),
}
"""Of a task that makes no image: the first of these steps that the recipe has."""
_FINDER, _TRIAL = ("hif_findcont",), ("hifa_imageprecheck", "hif_makeimlist")
ABOUT: Mapping[str, str] = {
    "hifa_importdata": "The calibrated measurement sets are taken as they are.",
    "hif_mstransform": "Split the calibrated data of the science targets off.",
    "hifa_flagtargets": "Apply the flags of the targets, where there are any.",
    "hifa_imageprecheck": "Synthesised beams are tried on real data.",
    "hif_checkproductsize": "Sizes are predicted: no task is called.",
    "hif_makeimlist": "Images are listed; cell and size follow from the beam of a trial PSF.",
    "hif_findcont": "Find continuum channels in a dirty cube of each spectral window.",
    "hif_uvcontfit": "The fit is part of hif_uvcontsub.",
    "hif_uvcontsub": "Subtract the continuum in the uv plane.",
    "hif_makeimages": "Clean each image of the list: dirty image first, its peak sets the threshold.",
    "hifa_exportdata": "Write FITS files.",
}
"""What each step does here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call that came back."""

    task: str
    arguments: Mapping[str, Any]
    start: float
    """Seconds since 1970."""
    seconds: float
    error: str | None = None
    """What it raised."""
    source: str | None = None
    """Of a function of our own, its text."""

    @property
    def begins(self) -> bool:
        """Whether it makes its files anew; else it goes on from those of an earlier call."""
        if self.task == "tclean":
            return self.arguments.get("calcpsf") is not False
        return self.task in {"mstransform", "uvcontsub"}

    @property
    def works_on(self) -> str:
        """The name of what it makes or changes, without directory; empty when none is known."""
        named = (self.arguments.get(key) for key in ("imagename", "where", "outputvis", "vis"))
        return next((_own_name(name) for name in named if isinstance(name, str)), "")


def read_calls(work: Path) -> tuple[Call, ...]:
    """Return the calls of all jobs below an engine's directory, by time, each once."""
    found = [call for path in sorted(work.glob(f"*/{FILE}")) for call in _read(path)]
    by_time = {(call.start, call.task, call.works_on): call for call in found}
    return tuple(by_time[key] for key in sorted(by_time))


def keep_calls(calls: Iterable[Call], directory: Path) -> None:
    """Write calls beside the records, which a later run may adopt."""
    lines = "".join(json.dumps(document.dump(call)) + "\n" for call in calls)
    document.write_bytes(directory / FILE, lines.encode())


def _read(path: Path) -> Iterator[Call]:
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            yield document.load(Call, json.loads(line), origin=str(path))
        except ValueError:  # torn by a kill: the call was made again
            continue


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A call and the step of the recipe to which it belongs."""

    call: Call
    step: str
    """Id of the step; empty when the recipe has none for it."""
    image: str = ""
    """`PlannedImage.id`, of what belongs to one."""


def place(
    calls: Iterable[Call], recipe: Recipe, plan: Sequence[PlannedImage]
) -> tuple[Placed, ...]:
    """Say of each call for what it was made."""
    return tuple(_place(call, recipe, plan) for call in calls)


def _place(call: Call, recipe: Recipe, plan: Sequence[PlannedImage]) -> Placed:
    name = call.works_on
    image = next((one for one in plan if name.startswith(one.basename)), None)
    if call.task in _STEPS:
        wanted = _STEPS[call.task]
    elif image is not None:
        return Placed(call=call, step=maker_of(recipe, image), image=image.id)
    else:
        wanted = _FINDER if name.startswith("findcont") else _TRIAL
    steps = carried_out(recipe)
    ids = (step.id for task in wanted for step in steps if step.task == task)
    return Placed(call=call, step=next(ids, ""), image=image.id if image else "")


def maker_of(recipe: Recipe, image: PlannedImage) -> str:
    """Return the id of the step that makes an image: several may make images of one specmode."""
    for wanted, maker in pairs(carried_out(recipe)):
        said = wanted.parameters
        if (
            specmode_of(wanted) == image.specmode
            and chooses(said.get("field"), image.target)
            and all(chooses(said.get("spw"), str(spw)) for spw in image.spws)
        ):
            return maker.id
    return ""


def carried_out(recipe: Recipe) -> tuple[Step, ...]:
    """Return the steps that the *tasks* engine does not leave out."""
    return effective(recipe.steps, CARRIED.__contains__)[0]


def of_products(placed: Iterable[Placed]) -> tuple[Placed, ...]:
    """Leave out what an earlier try made that a later one replaced, and what failed.

    Each trial PSF stands for itself; they get names of their own.
    """
    kept: list[Placed] = []
    for one in placed:
        call, name = one.call, one.call.works_on
        if call.error is not None:
            continue
        if _is_trial(one):
            if all(_without_name(call) != _without_name(other.call) for other in kept):
                kept.append(_numbered(one, sum(map(_is_trial, kept)) + 1))
            continue
        if call.begins:
            kept = [other for other in kept if not _same(other.call.works_on, name)]
        kept.append(one)
    return tuple(kept)


def _same(name: str, other: str) -> bool:
    return name == other or name.startswith(f"{other}.")


def _is_trial(one: Placed) -> bool:
    return one.call.task == "tclean" and not (one.image or one.call.works_on.startswith("findcont"))


def _without_name(call: Call) -> dict[str, Any]:
    return {key: value for key, value in call.arguments.items() if key != "imagename"}


def _numbered(one: Placed, number: int) -> Placed:
    arguments = {**one.call.arguments, "imagename": f"trial-{number}"}
    return replace(one, call=replace(one.call, arguments=arguments))


# --- as text ---------------------------------------------------------------------------------------


def commands_log(
    placed: Iterable[Placed], recipe: Recipe, inputs: Mapping[str, str], casa: str
) -> str:
    """Return ``casa_commands.log``.

    Parameters
    ----------
    inputs
        The name that each calibrated MS has in the log, by its path.
    casa
        Version of CASA.
    """
    told = of_products(placed)
    parts = [_head(told, recipe, inputs, casa)]
    for step in carried_out(recipe):
        of_step = [one.call for one in told if one.step == step.id]
        parts.append(_step_text(step, of_step, inputs))
    rest = [one.call for one in told if not one.step]
    if rest:
        parts.append("# not of a step of the recipe\n" + _calls_text(rest, inputs))
    return "\n".join(parts)


def _head(told: Sequence[Placed], recipe: Recipe, inputs: Mapping[str, str], casa: str) -> str:
    tasks = sorted({one.call.task for one in told if one.call.source is None})
    sources = dict.fromkeys(one.call.source for one in told if one.call.source)
    flags = [one.call.arguments.get("inpfile") for one in told]
    needed = [*inputs.values(), *(_own_name(one) for one in flags if isinstance(one, str))]
    names = "\n".join(f"#   {name}" for name in dict.fromkeys(needed))
    lines = [
        f"# The CASA commands with which reimage {__version__} made the images, step by step of the recipe",
        f"# {recipe.id}.  They can be run: with Python and CASA {casa}, in a directory that holds the",
        f"# calibrated measurement sets (and flag commands)\n{names}",
        "# What was chosen between two calls (cell, size, thresholds, continuum) is in their arguments.",
        "# FITS keywords of provenance are not in the files that exportfits writes here.\n",
        *((f"from casatasks import {', '.join(tasks)}",) if tasks else ()),
    ]
    if sources:
        lines += ["from casatools import image", "import os, shutil\n", *map(str, sources)]
    return "\n".join(lines) + "\n"


def _step_text(step: Step, calls: Sequence[Call], inputs: Mapping[str, str]) -> str:
    about = ABOUT.get(step.task, f"No comment registered for {step.task}")
    return f"# {step_call(step)}\n#\n# {about}\n#\n" + _calls_text(calls, inputs)


def step_call(step: Step) -> str:
    """Return a step as the pipeline's script has it: ``hif_makeimlist(specmode='mfs')``."""
    given = ", ".join(f"{key}={value!r}" for key, value in step.parameters.items())
    return f"{step.task}({given})"


def _calls_text(calls: Sequence[Call], inputs: Mapping[str, str]) -> str:
    return "".join(f"{call_text(call, inputs)}\n" for call in calls)


def call_text(call: Call, inputs: Mapping[str, str]) -> str:
    """Return a call as Python, its arguments as given, directories left out."""
    words = [f"{key}={own_names(value, inputs)!r}" for key, value in call.arguments.items()]
    lines, indent = [f"{call.task}("], " " * (len(call.task) + 1)
    for number, word in enumerate(words):
        piece = word + (", " if number + 1 < len(words) else ")")
        if len(lines[-1]) + len(piece) > WIDTH and lines[-1].strip() not in {"", f"{call.task}("}:
            lines.append(indent)
        lines[-1] += piece
    return "\n".join(line.rstrip() for line in lines) if words else f"{call.task}()"


def own_names(value: Any, inputs: Mapping[str, str]) -> Any:  # noqa: ANN401 -- JSON is what JSON is
    """Return an argument with names in place of paths."""
    if isinstance(value, str):
        return inputs.get(value) or (_own_name(value) if value.startswith("/") else value)
    if isinstance(value, list):
        return [own_names(one, inputs) for one in value]
    if isinstance(value, dict):
        return {key: own_names(one, inputs) for key, one in value.items()}
    return value


def _own_name(path: str) -> str:
    """Return a file's name; a ``.part`` is the file that it becomes."""
    return Path(path).name.removesuffix(".part")


def input_names(paths: Mapping[str, Path]) -> dict[str, str]:
    """Return distinct names of the calibrated MSs by path; ``paths`` by execution block."""
    names = [path.name for path in paths.values()]
    return {
        str(path): path.name if names.count(path.name) == 1 else f"{eb}.ms"
        for eb, path in paths.items()
    }
