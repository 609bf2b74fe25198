"""What a CASA call found when it began: folders, links, files, so that it can be had again elsewhere.

What the call itself made is left out, and what it was given is cut down to what failed.  Data are named,
not held: who fills a capsule takes them from the run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from reimage.desk import capsule_imaging, capsule_scripts
from reimage.desk.capsule_call import Call
from reimage.desk.capsule_entry import OUTSIDE, Entry, Found, data

RUN = "@RUN@"
"""Stands for the run directory in the texts of a capsule; ``run.sh`` puts its own there."""
RULES = "home/.casarc"
"""What CASA is told of memory (`reimage.casa.place`)."""

Reader: TypeAlias = Callable[[Call], Found]


def of_call(call: Call) -> Found:
    """Return what a call found when it began, with `RUN` for the run directory.

    An input that a job of this name does not have makes it one that is not known: all places that it
    names are taken.
    """
    try:
        found = _BY_JOB.get(call.job, _whatever)(call)
    except (KeyError, TypeError, AttributeError):  # of an earlier version of the job
        found = _whatever(call)
    rules = Path(call.directory, RULES)
    entries = [*found.entries, *(Entry(kind="text", path=path) for path in found.texts)]
    if (call.run_dir / rules).is_file():
        entries.append(Entry(kind="copy", path=str(rules)))
    outside = {one.target: f"{RUN}/{one.path}" for one in entries if one.path.startswith(OUTSIDE)}
    inputs = renamed(call, json.dumps(found.inputs))
    for place, here in outside.items():
        inputs = inputs.replace(json.dumps(place), json.dumps(here))
    return Found(
        inputs=json.loads(inputs),
        entries=tuple(dict.fromkeys(entries)),
        texts={path: renamed(call, text) for path, text in found.texts.items()},
        cut=found.cut,
        looked=found.looked,
    )


def renamed(call: Call, text: str) -> str:
    """Return a text with `RUN` for the run directory, where it was and where it is."""
    for root in (call.origin, call.run_dir):
        text = text.replace(str(root), RUN)
    return text


def _whatever(call: Call) -> Found:
    """Return what a job needs of which nothing more is known: all that its inputs name and is there."""
    named = [place for place in _places(call.inputs) if call.relative(place) is not None]
    entries = [data(call, place, "copy") for place in named]
    there = [one for one in entries if (call.run_dir / one.path).exists()]
    return Found(inputs=call.inputs, entries=tuple(there))


def _places(value: Any) -> Iterator[str]:  # noqa: ANN401 -- JSON is what JSON is
    if isinstance(value, str):
        yield from [value] if value.startswith("/") else []
    elif isinstance(value, Mapping):
        yield from (place for one in value.values() for place in _places(one))
    elif isinstance(value, list):
        yield from (place for one in value for place in _places(one))


_BY_JOB: Mapping[str, Reader] = {
    "restore_script": capsule_scripts.script,
    "shell_script": capsule_scripts.script,
    "restore_tables": capsule_scripts.tables,
    "image_make": capsule_imaging.image,
    "pipeline_run": capsule_imaging.pipeline,
    "shell_pipeline": capsule_imaging.pipeline,
}
