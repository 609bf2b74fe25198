"""``reimage failures audit``: whether the triage is right."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from reimage import document
from reimage.cli import judge_shapes, render
from reimage.cli.invocation import Invocation
from reimage.cli.judge_shapes import AuditSample
from reimage.cli.options import Json
from reimage.cli.render import Column
from reimage.desk import auditing, triage_quality
from reimage.desk.auditing import Question
from reimage.desk.triage_quality import Quality
from reimage.errors import DocumentUnreadable, UsageError
from reimage.triage.catalogue import load_classes

AUDIT = (
    "Examples:\n\n"
    "reimage failures audit\n\n"
    "reimage failures audit --n 40 --seed 7 --json > sample.json\n\n"
    "reimage failures audit --answers sample.json\n\n"
    "reimage failures audit --report"
)
RULES = (
    Column(title="rule"),
    Column(title="confirmed", right=True, keep=8),
    Column(title="refuted", right=True, keep=8),
    Column(title="overruled", right=True, keep=5),
    Column(title="precision", right=True),
    Column(title="95 % interval", keep=9),
    Column(title="", keep=7),
)
SAMPLED = (
    Column(title="run"),
    Column(title="error class"),
    Column(title="decisive", keep=5),
)
ANSWERS = {"y": True, "yes": True, "n": False, "no": False, "s": None, "skip": None, "": None}
LEAVE = {"q", "quit"}
MOST_SEED = 10_000
MOST_DEAD = 12


class AnswersUnreadable(UsageError):
    """A file of answers is none: not there, or no sample of `reimage failures audit --json`."""

    code = "answers-unreadable"
    hint = "Give the file that `reimage failures audit --json > sample.json` made, with `confirmed` filled in."


def audit(
    context: typer.Context,
    *,
    n: Annotated[int, typer.Option(min=1, max=500, help="How many judgements.")] = 20,
    seed: Annotated[
        int | None, typer.Option(help="Draws the same sample again.", show_default=False)
    ] = None,
    answers: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Answers: what --json printed, each `confirmed` true, false or null.",
            show_default=False,
        ),
    ] = None,
    report: Annotated[
        bool,
        typer.Option("--report", help="Tell how good the triage is, by all answers so far."),
    ] = False,
    dead_days: Annotated[
        int,
        typer.Option(min=1, help="With --report: a class that nothing had for so long is dead."),
    ] = 90,
    as_json: Json = False,
) -> None:
    """Confirm or refute a random sample of judgements; tell how precise the rules are.

    One judgement of each class first, then by how often it is met; what was audited is not asked again.
    """
    invocation = Invocation.of(context)
    if report:
        _report(invocation, dead_days, as_json=as_json)
        return
    if answers is not None:
        given = _given(answers)
        _record(invocation, given, given.questions, as_json=as_json)
        return
    drawn = secrets.randbelow(MOST_SEED) if seed is None else seed
    classes = load_classes(invocation.settings.classes)
    with invocation.database() as database:
        found = auditing.sample(invocation.settings, database, classes, n=n, seed=drawn)
    sample = AuditSample(seed=found.seed, questions=found.questions)
    if as_json:
        render.show(sample)
    elif not found.questions:
        render.console().print(
            "nothing to audit: no rule's judgement is left that nobody looked at"
        )
    elif sys.stdin.isatty():
        _record(invocation, sample, tuple(asked(found.questions)), as_json=False)
    else:
        rows = [[one.run, one.error_class, _short(one.decisive)] for one in found.questions]
        render.table(render.console(), SAMPLED, rows)
        render.say(f"seed {drawn}; at a terminal you are asked, elsewhere: --json and --answers")


def _given(path: Path) -> AuditSample:
    try:
        return document.read(AuditSample, path)
    except DocumentUnreadable as error:
        raise AnswersUnreadable(error.message, evidence=error.evidence) from error


def _record(
    invocation: Invocation,
    sample: AuditSample,
    answered: tuple[Question, ...],
    *,
    as_json: bool,
) -> None:
    with invocation.database() as database:
        recorded = auditing.record(
            invocation.settings,
            database,
            answered,
            author=invocation.author,
            at=datetime.now(UTC),
        )
    if as_json:
        render.show(replace(sample, questions=answered, recorded=recorded))
        return
    given = sum(one.confirmed is not None for one in answered)
    unknown = f"; {given - recorded} are of no failure here" if given > recorded else ""
    told = render.counted(recorded, "answer")
    render.console().print(f"{told} recorded{unknown}")
    for one in answered:
        if one.confirmed is False:
            render.say(f"say what it is: reimage failures classify {one.run} --as CLASS --why TEXT")


def asked(questions: tuple[Question, ...], ask: Callable[[str], str] = input) -> Iterator[Question]:
    """Yield the questions with their answers, until somebody leaves."""
    out = render.console()
    for number, one in enumerate(questions, 1):
        _pose(out, one, f"{number} of {len(questions)}")
        answer = "?"
        while answer not in ANSWERS and answer not in LEAVE:
            try:
                answer = ask("  right? [y]es [n]o [s]kip [q]uit: ").strip().lower()
            except (EOFError, KeyboardInterrupt):  # what was answered so far counts
                answer = "q"
        if answer in LEAVE:
            return
        yield replace(one, confirmed=ANSWERS[answer])


def _pose(out: Console, one: Question, number: str) -> None:
    out.print()
    out.print(render.heading(f"{number}: {one.error_class}: {one.title}"), soft_wrap=True)
    facts = {
        "run": f"{one.run} attempt {one.attempt}",
        "decisive": _short(one.decisive),
        "lines": "\n".join(one.lines),
        "rule": one.rule,
    }
    render.pairs(out, {key: value for key, value in facts.items() if value})


def _short(text: str | None) -> str:
    return " ".join((text or "").split())


def _report(invocation: Invocation, dead_days: int, *, as_json: bool) -> None:
    classes = load_classes(invocation.settings.classes)
    with invocation.database() as database:
        quality = triage_quality.report(
            database, classes, now=datetime.now(UTC), dead_days=dead_days
        )
    if as_json:
        render.show(judge_shapes.AuditReport(quality=quality))
    else:
        _print(render.console(), quality)


def _print(out: Console, quality: Quality) -> None:
    if quality.rules:
        render.table(
            out,
            RULES,
            [
                [
                    one.rule,
                    str(one.confirmed),
                    str(one.refuted),
                    str(one.overruled),
                    f"{one.precision:.0%}",
                    f"{one.low:.0%} to {one.high:.0%}",
                    "greedy" if one.greedy else "",
                ]
                for one in quality.rules
            ],
        )
    else:
        out.print("nobody has audited a judgement yet: reimage failures audit")
    hours = quality.hours_to_class
    facts = {
        "unclassified": f"{quality.unclassified} of {quality.failed_runs} failed runs"
        f" ({quality.unclassified_share:.1%})",
        "time to class": f"{render.seconds(hours * 3600)} (median of {quality.classed_later})"
        if hours is not None
        else "nothing unclassified has got a class yet",
        "purity": f"{quality.purity:.1%} of runs have the commonest class of their signature;"
        f" {quality.pure} of {quality.signatures} signatures have one class only"
        if quality.signatures
        else "",
        "dead": _dead(quality),
        "never met": _never(quality),
    }
    render.pairs(out, {key: value for key, value in facts.items() if value})


def _dead(quality: Quality) -> str:
    """Return the rules that were met once, and not for long."""
    dead = [one.error_class for one in quality.dead if one.last_at is not None]
    if not dead:
        return ""
    more = f", and {len(dead) - MOST_DEAD} more" if len(dead) > MOST_DEAD else ""
    counted = render.counted(len(dead), "rule")
    return (
        f"{counted} without a hit in {quality.dead_days} days: {', '.join(dead[:MOST_DEAD])}{more}"
    )


def _never(quality: Quality) -> str:
    n = sum(one.last_at is None for one in quality.dead)
    told = f"{render.counted(n, 'rule')} in this database (`reimage failures query never-seen`)"
    return told if n else ""
