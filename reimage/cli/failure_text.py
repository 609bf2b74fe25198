"""How one failure is shown: its head, its timeline, the decisive lines, its judgements, others like it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.console import Console
from rich.text import Text

from reimage.cli import group_text, render
from reimage.cli.group_text import clean
from reimage.desk.alike import Alike
from reimage.desk.context import Context
from reimage.desk.judging import is_rule
from reimage.desk.showing import Shown
from reimage.desk.timeline import ClueRole, Entry, Kind
from reimage.model import Result
from reimage.triage.catalogue import UNCLASSIFIED
from reimage.uid import path_name

GRAVE = ("SEVERE", "EXCEPTION")
MOST_GRAVE, MOST_LIGHT = 12, 3
"""Clues that are told besides root and symptoms, unless all are asked for."""
MOST_SAID = 240
AT_ONCE = " began, proven after 0 s"
ROLES = {ClueRole.ROOT: ("ROOT", "bold red"), ClueRole.SYMPTOM: ("symptom", "yellow")}
STYLES = {"SEVERE": "red", "EXCEPTION": "red", "WARN": "yellow", "OUTPUT": "dim"}
WIDEST = 120
INDENT = 16


def show(shown: Shown, *, everything: bool) -> None:
    """Print a failure."""
    out = render.console()
    _head(out, shown)
    group_text.advice(out, shown.explanation)
    group_text.states(out, shown.states)
    _timeline(out, shown.timeline, everything=everything)
    _context(out, shown.context)
    _judgements(out, shown)
    group_text.similar(out, _different(shown.alike))
    group_text.told(out, shown.acts, shown.annotations)
    _places(out, shown)
    _next(shown)
    if shown.missing is not None:
        render.say(f"without its evidence: {shown.missing}")


def _next(shown: Shown) -> None:
    """Tell what today's classes say, or how a class is made where none fits."""
    failure, takes = shown.failure, f"today's classes take it for {shown.today}"
    if shown.today is not None and not is_rule(failure.author):
        render.say(
            f"{takes}; what {failure.author} says stands (`reimage failures reclassify --also-people` takes it back)"
        )
    elif shown.today is not None:
        render.say(f"{takes}: `reimage failures reclassify --dry-run`")
    elif failure.error_class == UNCLASSIFIED:
        render.say(f"no class knows it: `reimage failures new-class '#{failure.id}'` drafts one")


def _different(found: Sequence[Alike]) -> list[Alike]:
    """Leave out a class whose failures all have the signature that is told already."""
    return [
        one
        for i, one in enumerate(found)
        if i == 0 or one.counts.attempts != found[i - 1].counts.attempts
    ]


def _head(out: Console, shown: Shown) -> None:
    failure, run = shown.failure, shown.run
    line = render.heading(f"#{failure.id}  {failure.run}  attempt {failure.attempt}  ")
    line.append_text(render.word(run.state, failure.result))
    if failure.stage is not None:
        line.append(f" in {failure.stage}")
    out.print(line, soft_wrap=True)
    facts = {
        "dataset": path_name(run.dataset),
        "class": failure.error_class,
        "signature": failure.signature,
        "decisive": clean(failure.decisive or "") or None,
        "masked": clean(shown.masked or "") if shown.masked != failure.decisive else None,
        "message": _message(shown),
        "category": run.category,
        "sweep": run.sweep,
        "build": run.build,
        "now": _now(shown),
    }
    render.pairs(out, {key: value for key, value in facts.items() if value})


def _message(shown: Shown) -> str | None:
    said = shown.failure.message
    return clean(said) if said and said != shown.failure.decisive else None


def _now(shown: Shown) -> str:
    failure = shown.failure
    if failure.result is Result.REFUSED:
        return "not applicable by rule: no failure"
    if failure.blocking:
        return "its dataset is blocked by it"
    if not failure.final:
        return "another attempt followed"
    return "no longer in the way: its dataset was run again"


# --- timeline --------------------------------------------------------------------------------------


def _timeline(out: Console, entries: Sequence[Entry], *, everything: bool) -> None:
    out.print(render.heading("timeline (UTC)"))
    day = ""
    told = entries if everything else _joined(entries)
    for entry, left_out in _chosen(told, everything=everything):
        if entry is None:
            out.print(Text(f"{'':12}... {left_out} more from logs (--all)", style="dim"))
            continue
        today = f"{entry.at:%Y-%m-%d}" if entry.at is not None else day
        if today != day:
            out.print(Text(f"  {today}", style="dim"))
            day = today
        _entry(out, entry)


def _joined(entries: Sequence[Entry]) -> list[Entry]:
    """Tell in one entry the stages of an attempt that began one after the other and took no time."""
    found: list[Entry] = []
    for entry in entries:
        before = found[-1] if found else None
        is_more = before is not None and (
            before.kind is entry.kind is Kind.STAGE
            and before.attempt == entry.attempt
            and before.text.endswith(AT_ONCE)
            and entry.text.endswith(AT_ONCE)
        )
        if before is not None and is_more:
            names = before.text.removesuffix(AT_ONCE)
            found[-1] = replace(before, text=f"{names}, {entry.text}")
        else:
            found.append(entry)
    return found


def _chosen(entries: Sequence[Entry], *, everything: bool) -> Iterator[tuple[Entry | None, int]]:
    """Yield what is shown; for each stretch that is left out, how many entries it has."""
    room = {True: MOST_GRAVE, False: MOST_LIGHT}
    said = {entry.text for entry in entries if entry.role is not None}
    left_out = 0
    for entry in entries:
        if entry.kind is Kind.CLUE and entry.role is None and not everything:
            is_grave = entry.severity in GRAVE
            if room[is_grave] == 0 or any(one in entry.text for one in said):
                left_out += 1
                continue
            room[is_grave] -= 1
            said.add(entry.text)
        if left_out:
            yield None, left_out
            left_out = 0
        yield entry, 0
    if left_out:
        yield None, left_out


def _entry(out: Console, entry: Entry) -> None:
    time = f"{entry.at:%H:%M:%S}" if entry.at is not None and not entry.is_guessed else ""
    line = Text(f"  {time:>8}  ", style="dim")
    style = ""
    if entry.kind is Kind.CLUE:
        label, style = ROLES[entry.role] if entry.role else ("", STYLES.get(entry.severity, ""))
        words = [word for word in (label, entry.severity) if word]
        line.append(f"{' '.join(words)}  " if words else "", style=style)
    said = clean(entry.text)
    said = said if len(said) <= MOST_SAID else f"{said[: MOST_SAID - 1]}…"
    if entry.count > 1:
        said += f" ({entry.count} times)"
    if entry.role is ClueRole.ROOT and entry.source:
        said += f" [{entry.source}]"
    room = min(out.width, WIDEST) - line.cell_len
    first, *rest = render.wrapped(said, room) or [""]
    line.append(first, style="" if entry.role is None else style)
    out.print(line, soft_wrap=True)
    for more in render.wrapped(" ".join(rest), min(out.width, WIDEST) - INDENT) if rest else ():
        out.print(
            Text(f"{'':{INDENT}}{more}", style="" if entry.role is None else style), soft_wrap=True
        )


# --- the rest --------------------------------------------------------------------------------------


def _context(out: Console, found: Context | None) -> None:
    if found is None:
        return
    where = found.source if found.first_line else f"{found.source} (gone; of its end, as kept)"
    out.print(render.heading(f"where it says so: {where}"), soft_wrap=True)
    for i, said in enumerate(found.lines):
        number = f"{found.first_line + i:>7}" if found.first_line else f"{'':>7}"
        if i != found.decisive:
            line = Text.assemble((f" {number}  ", "dim"), said)
            out.print(line, no_wrap=True, overflow="ellipsis")
            continue
        for j, part in enumerate(render.wrapped(said, min(out.width, WIDEST) - 10)):
            mark = f">{number}  " if j == 0 else f"{'':10}"
            out.print(Text.assemble((mark, "bold red"), (part, "bold")), soft_wrap=True)


def _judgements(out: Console, shown: Shown) -> None:
    if not shown.judgements:
        return
    out.print(render.heading("judged"))
    for one in shown.judgements:
        symptoms = f", symptoms {', '.join(one.symptoms)}" if one.symptoms else ""
        why = f": {clean(one.reason)}" if one.reason else ""
        said = f"  {render.moment(one.judged_at)}  {one.error_class} by {one.author}{symptoms}{why}"
        out.print(said, soft_wrap=True)


def _places(out: Console, shown: Shown) -> None:
    out.print(render.heading("where"))
    out.print(f"  run directory: {shown.directory}", soft_wrap=True)
    for row in shown.evidence:
        path = shown.directory / row.path
        gone = "" if path.exists() else " (gone)"
        said = f"  evidence of attempt {row.attempt}: {path} ({render.size(row.n_bytes)}){gone}"
        out.print(said, soft_wrap=True)
