"""How groups of failures are shown: what they are, what helped, what people said."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeGuard

from rich.console import Console
from rich.text import Text

from reimage.cli import render
from reimage.cli.render import Column
from reimage.desk.alike import Alike, Helped, NearGroup
from reimage.desk.showing import Advice, ShownGroup
from reimage.store.acts import ActRow, GroupStateRow, NoteRow
from reimage.store.groups import GroupCounts, Like
from reimage.uid import path_name

HELPED = (
    Column(title="change"),
    Column(title="tried", right=True),
    Column(title="imaged", right=True),
    Column(title="partial", right=True, keep=4),
    Column(title="same again", right=True, keep=6),
    Column(title="example", keep=5),
)
LIKE = (
    Column(title="run"),
    Column(title="dataset", keep=7),
    Column(title="failed (UTC)", keep=6),
    Column(title="stage", keep=4),
    Column(title="build", keep=5),
    Column(title="said", keep=3),
)
JUDGED = "failures.judged"
"""Told among the judgements already."""
WORDS = {
    "group.linked": "ticket",
    "group.resolved": "resolved",
    "group.snoozed": "snoozed",
    "group.reopened": "opened again",
    "remedies.asked": "remedy asked for",
}
"""What acts are called."""
MOST_SAID = 100
SHOWN_SHARES = 4
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")


def show(group: ShownGroup) -> None:
    """Print a class or a signature."""
    out = render.console()
    out.print(render.heading(f"{group.group.of} {group.group.name}"), soft_wrap=True)
    counted = {"counts": counts(group.alike.counts)}
    blocked = {
        f"by {by}": ", ".join(f"{one.value} {one.datasets}" for one in shares[:SHOWN_SHARES])
        + (f" and {len(shares) - SHOWN_SHARES} others" if len(shares) > SHOWN_SHARES else "")
        for by, shares in group.blocked.items()
        if shares
    }
    masked = {"masked": clean(group.masked)} if group.masked else {}
    render.pairs(out, counted | blocked | masked)
    advice(out, group.explanation)
    states(out, [group.state] if group.state else [])
    helped(out, group.alike.helped)
    newest(out, group.alike.newest, "newest")
    near(out, group.alike.near)
    told(out, group.acts, ())


def advice(out: Console, said: Advice | None) -> None:
    """Print what the error class says."""
    if said is None:
        return
    out.print(render.heading(f"why: {said.error_class}"))
    remedy = f"{said.remedy} (passive: only told)" if said.passive else said.remedy
    facts = {
        "title": said.title,
        "meaning": clean(said.meaning),
        "advice": clean(said.advice),
        "who acts": said.fault,
        "remedy": remedy,
    }
    render.pairs(out, facts)


def counts(of: GroupCounts) -> str:
    """Return how many there are, in words."""
    if not of.attempts:
        return "none in this database"
    earlier = of.attempts - of.runs
    parts = [
        f"{render.counted(of.datasets, 'dataset')} blocked now",
        render.counted(of.runs, "run"),
        f"{render.counted(earlier, 'earlier attempt')}" if earlier else "",
        f"{render.moment(of.first_at)} to {render.moment(of.last_at)} UTC",
    ]
    return ", ".join(part for part in parts if part)


def helped(out: Console, found: Sequence[Helped]) -> None:
    """Print what was tried after failures of a kind, and how that ended."""
    if not found:
        return
    out.print(render.heading("what came after it: the next run of the dataset, or attempt"))
    rows: list[list[render.Cell | None]] = [
        [
            one.change,
            str(one.tried),
            Text(str(one.imaged), style="green" if one.imaged else ""),
            str(one.partial),
            str(one.same),
            one.example,
        ]
        for one in found
    ]
    render.table(out, HELPED, rows)


def newest(out: Console, found: Sequence[Like], title: str) -> None:
    """Print failures of a group, a line each."""
    if not found:
        return
    out.print(render.heading(title))
    rows = [
        [
            one.run,
            path_name(one.dataset),
            render.moment(one.failed_at),
            one.stage,
            one.build,
            clean(one.decisive or "")[:MOST_SAID],
        ]
        for one in found
    ]
    render.table(out, LIKE, rows)


def near(out: Console, found: Sequence[NearGroup]) -> None:
    """Print groups that are like this one in words."""
    if not found:
        return
    out.print(render.heading("near in words (a suggestion: nothing is merged)"))
    for one in found:
        said = f"  {one.score:.2f}  {one.signature}  {one.error_class}"
        out.print(said, soft_wrap=True)
        for line in render.wrapped(clean(one.message)[: 2 * MOST_SAID], min(out.width, 100) - 8):
            out.print(Text(f"        {line}", style="dim"), soft_wrap=True)


def states(out: Console, found: Iterable[GroupStateRow]) -> None:
    """Print what people said of groups."""
    for one in found:
        line = f"{one.name}: {sentence(one)}; said by {one.author}"
        out.print(Text(line, style="cyan"), soft_wrap=True)


def sentence(said: GroupStateRow | None) -> str:
    """Return what is said of a group in one line."""
    if said is None:
        return "nobody said anything of it"
    parts = []
    if said.resolved_in:
        parts.append(f"resolved in {said.resolved_in} ({render.moment(said.resolved_at)} UTC)")
    if said.snoozed_until is not None:
        parts.append(f"snoozed until {render.moment(said.snoozed_until)} UTC")
    if said.snoozed_runs is not None:
        parts.append(
            f"{'or' if said.snoozed_until else 'snoozed'} for {said.snoozed_runs} runs more"
        )
    if said.url:
        parts.append(f"ticket {said.url}")
    return ", ".join(parts) or "open, without a ticket"


def told(out: Console, acts: Sequence[ActRow], notes: Sequence[NoteRow]) -> None:
    """Print what people did and noted."""
    noted(out, notes)
    others = [act for act in acts if act.kind != JUDGED]
    if others:
        out.print(render.heading("done at the desk"))
    for act in others:
        why = f": {clean(act.reason)}" if act.reason else ""
        facts = [f"{key} {_fact(value)}" for key, value in act.data.items() if _is_short(value)]
        what = ", ".join([WORDS.get(act.kind, act.kind), *facts])
        line = f"  {render.moment(act.acted_at)}  {what}, by {act.author}{why}"
        out.print(line, soft_wrap=True)


def noted(out: Console, notes: Sequence[NoteRow]) -> None:
    """Print what people noted of a dataset, a line each."""
    if notes:
        out.print(render.heading("noted of the dataset"))
    for note in notes:
        line = f"  {render.moment(note.noted_at)}  {note.author}: {clean(note.note)}"
        out.print(line, soft_wrap=True)


def clean(text: str) -> str:
    """Return other people's text on one line, without what a terminal would obey."""
    plain = " ".join(text.split())
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in plain)


def similar(out: Console, found: Iterable[Alike]) -> None:
    """Print others like a failure, and what came after them."""
    for one in found:
        out.print(render.heading(f"same {one.of}: {one.name}"), soft_wrap=True)
        render.pairs(out, {"counts": counts(one.counts)})
        helped(out, one.helped)
        newest(out, one.newest, "the newest others")
        near(out, one.near)


def _is_short(value: object) -> TypeGuard[str | int]:
    return isinstance(value, str | int) and value != ""


def _fact(value: str | int) -> str:
    """Return a fact of an act; a moment to the minute."""
    said = clean(str(value))
    is_moment = _MOMENT.match(said) is not None
    return said[:16].replace("T", " ") if is_moment else said
