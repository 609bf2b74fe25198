"""The README of a capsule: for an operator, and for who develops CASA and has never seen this service."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reimage import document
from reimage.desk import capsule_texts
from reimage.desk.capsule_call import Call
from reimage.desk.capsule_filling import Input
from reimage.errors import DocumentUnreadable
from reimage.imaging import calls
from reimage.model import Result, Stage
from reimage.run import Outcome, Run
from reimage.store.rows import RunRow
from reimage.triage import texts
from reimage.triage.advice import filled
from reimage.triage.catalogue import ErrorClass
from reimage.triage.evidence import Evidence

TITLE = "# Repro capsule of run "
MOST_NAMED = 20
EXPECTED = {
    "restore_script": "the delivered script to leave a calibrated MS of every execution block",
    "shell_script": "the delivered script to leave a calibrated MS of every execution block",
    "restore_tables": "an MS of every execution block, with the delivered flags and calibration applied",
    "image_make": "the image, with a beam and finite pixels, and its record with state `made`",
    "pipeline_run": "every step of the ALMA pipeline to end with state `done`",
    "shell_pipeline": "every step of the ALMA pipeline to end with state `done`",
    "inspect_ms": "to read what each MS holds",
    "fix_ms": "the declared changes of the MS",
}
"""What each job is to come to."""
FILES = (
    (
        "run.sh",
        "the command; `call.sh` and `tree.tsv` are what it reads, `job.json` is the job's input",
    ),
    (
        "jobs/",
        "the job's Python, standard library and CASA only; nothing else of reimage is needed",
    ),
    ("run/", "what the call found: small files, and all data if they were brought along"),
    ("scripts/", "the delivered scripts as they ran, after fixes, and the fixes as diffs"),
    ("inputs.tsv", "every file that the call read: size, sha256, where it was"),
    ("fetch.sh", "fetches the delivered files again, and checks them"),
    ("build.json", "the CASA build: version, packages, Python"),
    ("recipe.json", "the whole recipe of the run"),
    ("logs/", "what the call said in the service"),
    ("record/", "the run: its frozen inputs, its outcome, its journal"),
    ("evidence/", "what the failure was judged by"),
    ("SHA256SUMS", "of everything here: `sha256sum --check --quiet SHA256SUMS`"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the README tells."""

    row: RunRow
    run: Run
    outcome: Outcome | None
    call: Call | None
    at: Stage | None
    """The stage of the call, or where the run ended."""
    error_class: ErrorClass | None
    bundle: Path | None
    """The evidence of the last attempt."""
    cut: tuple[str, ...]
    inputs: tuple[Input, ...]
    missing: tuple[str, ...]
    there: frozenset[str]
    """Names in the capsule."""


def text(told: Told) -> str:
    """Return the README."""
    parts = (_symptom, _judged, _how, _last_task, _inputs, _machine, _files, _helpdesk)
    return "\n".join([_head(told), *(line for part in parts for line in part(told)), ""])


def _head(told: Told) -> str:
    row = told.row
    facts = [f"dataset {row.dataset}", f"recipe {row.recipe}"]
    facts += [f"project {told.run.facts['project']}"] if told.run.facts.get("project") else []
    facts += [f"ended {row.ended_at:%Y-%m-%d %H:%M} UTC"] if row.ended_at else []
    return f"{TITLE}{row.run}\n\n{', '.join(facts)}"


def _symptom(told: Told) -> Iterator[str]:
    row, fault = told.row, told.outcome.fault if told.outcome else None
    yield from _heading("What happens")
    yield f"The run ended `{row.result}`" + (f" in stage `{told.at}`." if told.at else ".")
    if fault is not None:
        yield f"\n{fault.message} (`{fault.code}`)"
    if row.decisive:
        yield "\nThe decisive line:\n"
        yield from _quoted(row.decisive)


def _judged(told: Told) -> Iterator[str]:
    row, known = told.row, told.error_class
    if row.error_class is None:
        return
    yield from _heading("What it is taken for")
    yield f"Error class `{row.error_class}`, signature `{row.signature or 'none'}`."
    if known is not None:
        meaning, advice = known.meaning, known.advice
        if (evidence := _evidence(told.bundle)) is not None:
            meaning, advice = filled(meaning, evidence), filled(advice, evidence)
        yield f"\n{known.title}: {_flat(meaning)}\n\nAdvice: {_flat(advice)}"


def _how(told: Told) -> Iterator[str]:
    yield from _heading("How to repeat it")
    call = told.call
    if call is None:
        yield _without_call(told)
        return
    yield "    ./run.sh\n"
    yield (
        f"repeats the call `{call.job}` with CASA {call.build.version}, in a directory `work` here, with a "
        f"HOME of its own, one thread, without network. Expected of a CASA that is well: "
        f"{EXPECTED.get(call.job, 'to end with a result')}. {_in_service(call)}"
    )
    yield f"\nThe build is `{call.build.id}`. Elsewhere: {capsule_texts.install(call)}."
    if told.cut:
        yield "\nIt was cut down:\n"
        yield from (f"- {one}" for one in told.cut)
    if call.ended.ok:
        yield (
            "\nCASA itself says that all is well: what fails is the proof of what it made (the message "
            "above). Look at what the call leaves in `work/run`."
        )


def _last_task(told: Told) -> Iterator[str]:
    """Yield the last call of a CASA task that raised something, else the last of all, as it can be typed."""
    if told.call is None:
        return
    log = told.call.run_dir / told.call.directory / calls.FILE
    made = [one for one in map(_object, texts.lines(log)) if one.get("task")]
    chosen = [one for one in made if one.get("error")] or made
    if chosen:
        last = chosen[-1]
        arguments = dict(last.get("arguments") or {})
        yield from _heading("The last CASA task of it")
        yield f"It raised `{_flat(last['error'])}`:\n" if last.get("error") else "It came back:\n"
        yield from _quoted(f"{last['task']}(")
        shown = (f"    {name}={value!r}," for name, value in arguments.items())
        yield from _quoted(
            "\n".join(one.replace(str(told.call.origin), "work/run") for one in shown)
        )
        yield from _quoted(")")


def _object(line: str) -> dict[str, Any]:
    try:
        told = json.loads(line)
    except ValueError:  # torn by a kill
        return {}
    return told if isinstance(told, dict) else {}


def _in_service(call: Call) -> str:
    ended = call.ended
    how = ended.signal or (
        f"exit code {ended.exit_code}" if ended.exit_code is not None else "no end"
    )
    words = {
        "wall": "it was ended for the time it took",
        "silent": "it was ended for its silence",
        "flood": "it was ended for the mass of its output",
    }
    return f"In the service: {words.get(ended.why or '', how)}; `logs/` has what it said."


def _without_call(told: Told) -> str:
    if told.at is Stage.FETCH:
        return (
            "It failed while the delivery was fetched: no CASA was called. `fetch.sh` asks the archive for the "
            f"same files; `reimage archive files {told.run.dataset}` lists what is offered now."
        )
    if told.at in (Stage.CHOOSE, Stage.DERIVE, Stage.ASSESS):
        return (
            f"Stage `{told.at}` runs within reimage itself: no CASA is called. `inputs.tsv` names what it read; "
            f"`reimage rerun {told.row.run}` does it again. The last CASA call of an earlier stage is in "
            "`reimage repro RUN --stage image`."
        )
    return (
        f"Nothing is left of a CASA call in stage `{told.at}`: none was started, or its working files were "
        f"deleted. `reimage rerun {told.row.run} --until {told.at or Stage.RESTORE}` makes them again; then "
        "make the capsule of that run."
    )


def _inputs(told: Told) -> Iterator[str]:
    if not (told.inputs or told.missing):
        return
    absent = [one for one in told.inputs if not one.here]
    total = sum(one.n_bytes for one in told.inputs)
    yield from _heading("Inputs")
    yield f"{len(told.inputs)} files, {total} bytes, in `inputs.tsv` with their checksums."
    if absent:
        yield (
            f"\n{len(absent)} of them are not in this folder; `run.sh` takes them from the run directory "
            "(REIMAGE_RUN says where it is, if it was moved). `reimage repro "
            f"{told.row.run} --with-data -o DIR` brings them along."
        )
    if told.missing:
        yield f"\n{len(told.missing)} are in the run directory no more, deleted since the run:\n"
        yield from (f"- {name}" for name in told.missing[:MOST_NAMED])
        if len(told.missing) > MOST_NAMED:
            yield f"- and {len(told.missing) - MOST_NAMED} more"
        yield (
            "\nWhat was delivered comes again with `fetch.sh` (unpack the tars below "
            "`run/fetch/delivery`), MSs with "
            f"`reimage rerun {told.row.run} --until {Stage.RESTORE}`."
        )


def _machine(told: Told) -> Iterator[str]:
    limits, build = told.run.limits, told.call.build if told.call else None
    yield from _heading("Environment")
    yield (
        f"Limits of the run: {limits.memory_mb} MB for all its processes, {limits.wall_s:.0f} s, ended after "
        f"{limits.silence_s:.0f} s of silence."
    )
    if told.call is not None:
        yield "`run.sh` keeps the time; for the memory:"
        yield f"\n    systemd-run --user --scope -p MemoryMax={limits.memory_mb}M -p MemorySwapMax=0 ./run.sh"
    if build is not None:
        yield f"\nPython {build.python_version or 'of CASA'}, packages:\n"
        names = [f"{name} {version}" for name, version in sorted(build.packages.items())]
        yield from _quoted("\n".join(names) or f"CASA {build.version}")
        yield "\nThe variables of the process, all of them, are in `call.sh`."
    if told.run.fixes:
        yield "\nFixes that the run had: " + ", ".join(one.id for one in told.run.fixes) + "."


def _files(told: Told) -> Iterator[str]:
    there = told.there | {"SHA256SUMS"}  # written last: it is of this file, too
    yield from _heading("What is here")
    yield "| file | what |\n|---|---|"
    yield from (f"| `{name}` | {what} |" for name, what in FILES if name.rstrip("/") in there)


def _helpdesk(told: Told) -> Iterator[str]:
    if told.call is None or told.row.result is Result.IMAGED:
        return
    yield from _heading("For the helpdesk")
    yield (
        "Send this folder (made with `--with-data` if the data may be handed on: look at the dataset's "
        "proprietary period first), and say what `run.sh` says on your machine. Passwords and tokens are not "
        "in it; names of hosts and paths are."
    )


def _evidence(path: Path | None) -> Evidence | None:
    try:
        return document.read(Evidence, path) if path is not None else None
    except DocumentUnreadable:  # of another version: the words stand
        return None


def _heading(title: str) -> Iterable[str]:
    return ("", f"## {title}", "")


def _quoted(told: str) -> Iterator[str]:
    yield from (f"    {line}" for line in told.splitlines())


def _flat(told: str) -> str:
    return " ".join(told.split())
