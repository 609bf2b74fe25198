"""What a run directory, and those of the runs before it, tell of what was tried: the input of `reimage.remedies`.

Only files are read, so that the same is decided by a controller, by a person at the desk, and years later.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from reimage import document, journal
from reimage.cases import Case, Inputs
from reimage.errors import DocumentUnreadable
from reimage.imaging.memory import OURS_MB
from reimage.ingest import LOG
from reimage.model import Result, Stage
from reimage.run import Run
from reimage.stages.context import PROVEN
from reimage.triage.catalogue import Remedy
from reimage.triage.evidence import Evidence

MOST_EARLIER = 50
"""Runs that one may follow."""
_NEEDS = re.compile(r"memory-predicted: needs (\d+) MB")
_SIZES = "hif_checkproductsize"
_RESUMED = (Stage.IMAGE, Stage.DERIVE, Stage.ASSESS)


def read_case(
    directory: Path,
    evidence: Evidence,
    *,
    attempt: int,
    result: Result,
    error_class: str | None,
    family: str | None,
    remedy: Remedy,
    fix: str | None,
    cancelled: bool = False,
) -> Case:
    """Return what there is to decide on after an attempt.

    Parameters
    ----------
    directory
        Of the run; those of earlier runs of its dataset lie beside it.
    """
    chain = list(_chain(directory))
    run = chain[0][1] if chain else None
    limits = run.limits if run is not None else evidence.limits
    return Case(
        result=result,
        error_class=error_class,
        family=family,
        remedy=remedy,
        fix=fix,
        attempt=attempt,
        uncounted=_uncounted(directory, attempt),
        cancelled=cancelled,
        inputs=_inputs(*chain[0], evidence.build) if chain else None,
        earlier=tuple(_inputs(*one) for one in chain[1:]),
        is_build_asked=_is_build_asked([one for _, one in chain]),
        builds=_ranked([place for place, _ in reversed(chain)]),
        peak_mb=evidence.peak_mb,
        needed_mb=_needed(evidence),
        silent_s=evidence.silent_s,
        silence_s=limits.silence_s if limits is not None else None,
        resumable=run is not None
        and run.recipe.get("engine") == "tasks"
        and evidence.stage in _RESUMED,
    )


def last_decision(directory: Path) -> Mapping[str, Any] | None:
    """Return what was decided after a run's last attempt; None where nothing says."""
    told = [data["decision"] for data in _judged(directory)]
    return told[-1] if told else None


def _chain(directory: Path) -> Iterator[tuple[Path, Run]]:
    """Yield a run and those that it follows, the latest first, as far as their records stand."""
    seen: set[str] = set()
    here: Path | None = directory
    while here is not None and here.name not in seen and len(seen) < MOST_EARLIER:
        seen.add(here.name)
        try:
            run = document.read(Run, here / "run.json")
        except DocumentUnreadable:
            return
        yield here, run
        here = directory.with_name(run.retry_of) if run.retry_of else None


def _inputs(directory: Path, run: Run, build: str | None = None) -> Inputs:
    return Inputs(
        run=run.run,
        memory_mb=run.limits.memory_mb,
        wall_s=run.limits.wall_s,
        cores=run.limits.cores,
        build=_choice(directory).get("build") or run.casa or build,
        fixes=tuple(one.id for one in run.fixes),
        cube_gb=_cube_gb(run.recipe),
        automatic=run.remedy is not None and run.remedy.automatic,
    )


def _choice(directory: Path) -> Mapping[str, Any]:
    """Return the choice that *choose* proved; empty where it did not come to that."""
    try:
        proven = document.read_json(directory / Stage.CHOOSE.value / PROVEN)
    except DocumentUnreadable:
        return {}
    choice = proven.get("value", {}).get("choice") if isinstance(proven, dict) else None
    return choice if isinstance(choice, dict) else {}


def _ranked(directories: list[Path]) -> tuple[str, ...]:
    """Return the builds that were ranked, by the first run that did so before the later ones."""
    found: dict[str, None] = {}
    for directory in directories:
        choice = _choice(directory)
        named = (choice.get("build"), *choice.get("alternatives", ()))
        found |= dict.fromkeys(str(name) for name in named if name)
    return tuple(found)


def _is_build_asked(chain: list[Run]) -> bool:
    """Whether the first of the runs that remedies led on from was to have one build and no other."""
    first = next((run for run in chain if run.remedy is None), None)
    return first is not None and first.casa is not None


def _cube_gb(recipe: Mapping[str, Any]) -> float | None:
    """Return the size that a recipe keeps cubes below, in GB; 0 for none, None where nothing keeps them."""
    for step in recipe.get("steps", ()):
        if step.get("task") == _SIZES and step.get("enabled", True):
            return max(0.0, float(step.get("parameters", {}).get("maxcubesize", 0.0)))
    return None


def _needed(evidence: Evidence) -> int | None:
    """Return the memory that the largest image was predicted to need, the service's own share with it."""
    told = [one.reason or "" for one in evidence.absent]
    told += [clue.text for clue in evidence.clues]
    told += [evidence.fault.message] if evidence.fault is not None else []
    found = [int(number) for text in told for number in _NEEDS.findall(text)]
    return max(found) + OURS_MB if found else None


def _uncounted(directory: Path, attempt: int) -> int:
    """Return how many attempts before this one did not count."""
    earlier = (data for data in _judged(directory) if data["number"] < attempt)
    return sum(not data["decision"].get("counts", True) for data in earlier)


def _judged(directory: Path) -> Iterator[Mapping[str, Any]]:
    """Yield what a run's log tells of the ends of its attempts; lines that somebody spoilt are passed over."""
    for event, _ in journal.read(directory / LOG):
        said = event.data.get("decision"), event.data.get("number")
        if (
            event.event == "attempt.judged"
            and isinstance(said[0], dict)
            and isinstance(said[1], int)
        ):
            yield event.data
