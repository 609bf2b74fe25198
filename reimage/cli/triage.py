"""``reimage triage``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from reimage.cli import judge_shapes, render
from reimage.cli.codes import UNCLASSIFIED as EXIT_UNCLASSIFIED
from reimage.cli.invocation import Invocation
from reimage.cli.judge_shapes import Seen, Verdict
from reimage.cli.options import Json
from reimage.desk import outside
from reimage.desk.outside import Brought
from reimage.triage.catalogue import UNCLASSIFIED, ErrorClass, load_classes
from reimage.triage.judge import Judged
from reimage.triage.rules import Finding
from reimage.triage.signature import mask, unwrap

app = typer.Typer(add_completion=False)

MOST_LINE = 400
OF_RUNS = {"run", "evidence"}
"""Kinds of what is judged with all that its run knows."""


@app.command(
    epilog="Examples:\n\n"
    "reimage triage casa-20261120-082301.log\n\n"
    "reimage triage run1/ run2.log.gz --json\n\n"
    "reimage triage evidence/attempt-1.json\n\n"
    "reimage triage - < casa.log"
)
def triage(
    context: typer.Context,
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...",
            help="Logs (also .gz), directories of logs, run directories, kept evidence; - reads"
            " standard input.",
            show_default=False,
        ),
    ],
    *,
    as_json: Json = False,
) -> None:
    """Judge logs or a directory of evidence outside any run: root, symptoms, what to do.

    No database is asked.  Leaves with 5 where something is unclassified.
    """
    classes = load_classes(Invocation.of(context).settings.classes)
    brought = [one for path in paths for one in outside.bring(path, classes, sys.stdin.buffer)]
    known = {one.id: one for one in classes}
    verdicts = tuple(_verdict(one.path, one.kind, one.judged, known, one) for one in brought)
    together = verdicts[0]
    if len(brought) > 1:
        together = _verdict(None, "together", outside.together(brought, classes), known)
    if as_json:
        render.show(judge_shapes.Triage(judged=verdicts, together=together))
    else:
        _print(verdicts, together)
    if any(one.error_class == UNCLASSIFIED for one in verdicts):
        raise typer.Exit(EXIT_UNCLASSIFIED)


def _verdict(
    path: str | None,
    kind: str,
    judged: Judged,
    known: dict[str, ErrorClass],
    brought: Brought | None = None,
) -> Verdict:
    error_class = known.get(judged.error_class or "")
    return Verdict(
        path=path,
        kind=kind,
        result=judged.result if kind == "run" else None,
        error_class=judged.error_class,
        family=judged.family,
        title=judged.title,
        root=_seen(judged.root) if judged.root else None,
        symptoms=tuple(_seen(one) for one in judged.symptoms),
        signature=judged.signature,
        masked=mask(unwrap(judged.decisive)) if judged.decisive else None,
        decisive=judged.decisive,
        remedy=judged.remedy.value,
        fix=judged.fix,
        fault=error_class.fault.value if error_class else None,
        advice=" ".join(judged.advice.split()),
        notes=brought.notes if brought else (),
    )


def _seen(finding: Finding) -> Seen:
    clue = finding.clue
    structure = (clue.code, clue.signal, clue.why, clue.scheduler, clue.exit_code)
    words = clue.text or " ".join(str(one) for one in structure if one is not None)
    return Seen(
        error_class=finding.error_class,
        source=clue.source,
        text=words,
        at=clue.at,
        stage=clue.stage,
    )


def _print(verdicts: tuple[Verdict, ...], together: Verdict) -> None:
    out = render.console()
    shown = (*verdicts, together) if len(verdicts) > 1 else verdicts
    for number, one in enumerate(shown):
        if number:
            out.print()
        named = one.error_class or "imaged"
        title = f": {one.title}" if one.title else ""
        family = f" ({one.family})" if one.family else ""
        where = one.path or f"all {len(verdicts)} together"
        where = "standard input" if where == outside.STDIN else where
        out.print(render.heading(f"{where}: {named}{family}{title}"), soft_wrap=True)
        facts = {key: value for key, value in _facts(one).items() if value}
        if facts:
            render.pairs(out, facts)


def _facts(one: Verdict) -> dict[str, str]:
    """Return what is told of a judgement, what explains it first."""
    unclassified = one.error_class == UNCLASSIFIED
    symptoms = dict.fromkeys(seen.error_class for seen in one.symptoms)
    return {
        "result": one.result.value if one.result else "",
        "root": _line(one.root, one.path) if one.root else "",
        "decisive": _short(one.decisive) if one.decisive and one.root is None else "",
        "symptoms": ", ".join(symptoms),
        "signature": _signature(one),
        "masked": _short(one.masked) if one.masked and unclassified else "",
        "who acts": one.fault or "",
        "remedy": (one.fix or one.remedy) if one.fault else "",
        "advice": one.advice,
        "note": "; ".join(one.notes),
    }


def _signature(one: Verdict) -> str:
    """Return the signature; one of logs alone lacks the stage, and no run has it."""
    said = one.signature or ""
    return (
        f"{said} (of logs alone: a run's has its stage, too)"
        if said and one.kind not in OF_RUNS
        else said
    )


def _line(seen: Seen, path: str | None) -> str:
    """Return when and where something was seen, and what; the place without what was brought."""
    when = f"{render.moment(seen.at)} " if seen.at else ""
    place = seen.source if path is None else seen.source.removeprefix(path).strip("/")
    where = f"{place}: " if place else ""
    return f"{when}{where}{_short(seen.text)}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MOST_LINE else line[: MOST_LINE - 1] + "…"
