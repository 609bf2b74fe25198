"""``reimage show``."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import typer
from rich.console import Console

from reimage import document, queueing
from reimage.cli import group_text, render
from reimage.cli.invocation import Invocation
from reimage.cli.options import Json, RunOrDataset
from reimage.cli.render import Column
from reimage.cli.run_shapes import AppliedFix, Choice, Explanation, RunDetail
from reimage.errors import DocumentUnreadable
from reimage.model import Stage
from reimage.settings import Settings
from reimage.store import acts, decisions, events, following, runs
from reimage.store import failures as store
from reimage.store.rows import AttemptRow, DecisionRow, EventRow, EvidenceRow, FailureRow, RunRow
from reimage.store.session import Database
from reimage.triage.advice import filled
from reimage.triage.catalogue import ErrorClass, load_classes
from reimage.triage.evidence import Evidence

app = typer.Typer(add_completion=False)

TIMELINE = (
    Column(title="attempt", right=True),
    Column(title="stage"),
    Column(title="is"),
    Column(title="began (UTC)", keep=5),
    Column(title="took", right=True),
)


@app.command(
    epilog="Examples:\n\n"
    "reimage show 20261120T082301-a1b2c3\n\n"
    "reimage show uid://A001/X1a2b/X1\n\n"
    "reimage show uid___A001_X1a2b_X1 --json"
)
def show(context: typer.Context, which: RunOrDataset, *, as_json: Json = False) -> None:
    """Show all about one run: timeline, CASA, fixes, failure, advice, evidence."""
    invocation = Invocation.of(context)
    with invocation.database() as database:
        detail = find_detail(invocation.settings, database, which)
    if as_json:
        render.show(detail)
        return
    out = render.console()
    _show_head(out, detail)
    _show_timeline(out, detail)
    _show_facts(out, detail)
    group_text.noted(out, detail.annotations)
    _show_failure(out, detail)
    _show_places(out, detail)


def find_detail(settings: Settings, database: Database, which: str) -> RunDetail:
    """Return all about a run, or about a dataset's newest.

    Raises
    ------
    RunUnknown
    """
    with database.read() as session:
        run = queueing.find_target(session, settings.holding, which)
        said = events.of_run(session, run.run)
        kept = store.evidence(session, run.run)
        directory = queueing.run_directory(settings, run)
        return RunDetail(
            run=run,
            directory=directory,
            attempts=runs.attempts(session, run.run),
            stages=runs.stages(session, run.run),
            notes=_notes(said),
            choice=_choice(said),
            fixes=_fixes(said),
            failures=store.of_run(session, run.run),
            explanation=explain(run, directory, kept, load_classes(settings.classes)),
            classifications=store.classifications(session, run.run),
            evidence=kept,
            decisions=decisions.of_run(session, run.run),
            annotations=acts.notes(session, run.holding, run.dataset),
            followed_by=tuple(one.run for one in following.followers(session, run.run)),
        )


def explain(
    run: RunRow, directory: Path, kept: Sequence[EvidenceRow], classes: Sequence[ErrorClass]
) -> Explanation | None:
    """Return what the run's error class says, its advice filled with the facts of the evidence."""
    found = next((one for one in classes if one.id == run.error_class), None)
    if found is None:
        return None
    meaning, advice, traceback = found.meaning, found.advice, None
    for row in kept:
        with suppress(DocumentUnreadable):  # deleted, or of another version: the words stand
            evidence = document.read(Evidence, directory / row.path)
            meaning, advice = filled(found.meaning, evidence), filled(found.advice, evidence)
            traceback = _traceback(evidence)
    return Explanation(
        error_class=found.id,
        title=found.title,
        meaning=flat(meaning),
        advice=flat(advice),
        fault=found.fault.value,
        remedy=found.remedy.value,
        traceback=traceback,
    )


def _traceback(evidence: Evidence) -> str | None:
    """Return the traceback of a bug of ours: the runner's record of it, or the end of its log."""
    fault = evidence.fault
    if fault is not None:
        return fault.traceback
    told = [tail for name, tail in evidence.tails.items() if name.endswith("runner.log")]
    return told[-1] if told and "Traceback" in told[-1] else None


def flat(text: str) -> str:
    """Return a text of several lines in one."""
    return " ".join(text.split())


def _notes(said: Sequence[EventRow]) -> tuple[str, ...]:
    """Return what a runner last noted of the delivery."""
    told = [event.data.get("notes", ()) for event in said if event.event == "delivery.read"]
    return tuple(told[-1]) if told else ()


def _choice(said: Sequence[EventRow]) -> Choice | None:
    """Return the last choice of a build that a runner told of."""
    told = [event.data for event in said if event.event == "casa.chosen"]
    if not told:
        return None
    return Choice(
        build=told[-1].get("build"),
        wanted=told[-1].get("wanted"),
        doubtful=bool(told[-1].get("doubtful")),
        because=tuple(told[-1].get("because", ())),
    )


def _fixes(said: Sequence[EventRow]) -> tuple[AppliedFix, ...]:
    return tuple(
        AppliedFix(
            fix=str(event.data.get("fix")),
            before=Stage(event.data["before"]),
            because=str(event.data.get("because", "")),
        )
        for event in said
        if event.event == "fix.applied"
    )


# --- as text ---------------------------------------------------------------------------------------


def _show_head(out: Console, detail: RunDetail) -> None:
    run = detail.run
    line = render.heading(f"{run.run}  {run.dataset}  ")
    line.append_text(render.word(run.state, run.result))
    out.print(line, soft_wrap=True)
    facts = {
        "recipe": run.recipe,
        "category": run.category,
        "sweep": run.sweep,
        "retry of": run.retry_of,
        "followed by": ", ".join(detail.followed_by),
        "limits": f"{run.memory_mb} MB, {render.seconds(run.limit_s)}" if run.memory_mb else None,
        "queued": f"{render.moment(run.created_at)} UTC",
        "took": render.seconds(run.wall_s),
        "images": f"{run.products_made} of {run.products_planned} planned files made"
        if run.products_planned
        else None,
    }
    render.pairs(out, {key: value for key, value in facts.items() if value})


def _show_timeline(out: Console, detail: RunDetail) -> None:
    if not detail.stages:
        return
    out.print(render.heading("timeline"))
    rows = [
        [
            str(stage.attempt),
            stage.stage.value,
            stage.state.value,
            render.moment(stage.started_at),
            render.seconds(stage.wall_s),
        ]
        for stage in detail.stages
    ]
    render.table(out, TIMELINE, rows)
    for attempt in detail.attempts:
        out.print(f"  attempt {attempt.attempt}: {_ending(attempt)}", soft_wrap=True)


def _ending(attempt: AttemptRow) -> str:
    parts = [f"on {attempt.host}" if attempt.host else f"by {attempt.executor}"]
    if attempt.ended_at is None:
        parts.append("under way")
    else:
        parts.append(_manner(attempt))
    if attempt.wall_s is not None:
        parts.append(f"{render.seconds(attempt.wall_s)}")
    if attempt.casa_wall_s:
        parts.append(f"of that CASA {render.seconds(attempt.casa_wall_s)}")
    if attempt.peak_tree_mb:
        parts.append(f"peak {attempt.peak_tree_mb} MB")
    return ", ".join(parts)


def _manner(attempt: AttemptRow) -> str:
    """Return how a runner ended, in words."""
    words = {
        "exit": f"exit {attempt.exit_code}",
        "signal": f"ended by {attempt.signal}",
        "memory": "ended over its memory limit",
        "wall": "ended over its wall-clock limit",
    }
    return words.get(attempt.why or "", "ended, and nothing says how")


def _show_facts(out: Console, detail: RunDetail) -> None:
    choice = detail.choice
    if detail.notes:
        out.print(render.heading("the delivery is odd"))
        _lines(out, detail.notes)
    if choice is not None:
        asked = f" (asked for: {choice.wanted})" if choice.wanted else ""
        doubt = ", doubtful" if choice.doubtful else ""
        out.print(render.heading(f"CASA: {choice.build or 'none that will do'}{asked}{doubt}"))
        _lines(out, choice.because)
    if detail.fixes:
        out.print(render.heading("fixes applied"))
        _lines(out, [f"{f.fix}, before {f.before}: {f.because}" for f in detail.fixes])
    if detail.run.caveats:
        out.print(render.heading("caveats"))
        _lines(out, render.gathered(detail.run.caveats))
    ended = [_decided(one) for one in detail.decisions if one.reason]
    if ended:
        out.print(render.heading("decisions"))
        _lines(out, ended)


def _decided(one: DecisionRow) -> str:
    when = f"attempt {one.attempt}" if one.attempt else "before it began"
    by = "" if one.author == decisions.CONTROLLER else f" (by {one.author})"
    return f"{when}: {one.kind}, {one.reason}{by}"


def _show_failure(out: Console, detail: RunDetail) -> None:
    run, explanation = detail.run, detail.explanation
    if run.error_class is None:
        return
    out.print(render.heading(f"why: {run.error_class}"))
    told = _final(detail.failures)
    facts = {
        "title": explanation.title if explanation else None,
        "meaning": explanation.meaning if explanation else None,
        "advice": explanation.advice if explanation else None,
        "who acts": explanation.fault if explanation else None,
        "message": told.message if told and told.message != run.decisive else None,
        "decisive line": run.decisive,
        "signature": run.signature,
        "symptoms": ", ".join(detail.classifications[-1].symptoms)
        if detail.classifications
        else None,
    }
    render.pairs(out, {key: value for key, value in facts.items() if value})
    if explanation is not None and explanation.traceback:
        out.print(explanation.traceback.rstrip(), soft_wrap=True)


def _final(failures: Sequence[FailureRow]) -> FailureRow | None:
    return failures[-1] if failures else None


def _show_places(out: Console, detail: RunDetail) -> None:
    out.print(render.heading("where"))
    places = {"run directory": str(detail.directory)}
    places |= {
        f"evidence ({row.kind})": str(detail.directory / row.path) for row in detail.evidence
    }
    for key, value in places.items():
        out.print(f"  {key}: {value}", soft_wrap=True)


def _lines(out: Console, lines: Sequence[str]) -> None:
    for line in lines:
        out.print(f"  {line}", soft_wrap=True)
