"""How the inbox of failures is shown: lines of a table, CSV, JSON, a histogram."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from rich.text import Text

from reimage.cli import render
from reimage.cli.inbox_shapes import DayCount, Failures, FailureShare, FailureTotal
from reimage.cli.render import Column
from reimage.desk import standing
from reimage.desk.inbox import Inbox, Line
from reimage.desk.standing import Phase
from reimage.store.inbox_asked import NOTHING, UNCLASSIFIED, Asked

RECOVERS = Column(title="recovers", right=True, keep=6)
COLUMNS = (
    Column(title="datasets", right=True),
    RECOVERS,
    Column(title="runs", right=True, keep=8),
    Column(title="share", right=True, keep=1),
    Column(title="of done", right=True, keep=5),
    Column(title="CPU h burnt", right=True, keep=2),
    Column(title="since (UTC)", keep=1),
    Column(title="last (UTC)", keep=7),
    Column(title="8 weeks", keep=2),
    Column(title="trend", keep=3),
    Column(title="state", keep=8),
    Column(title="remedy", keep=6),
    Column(title="ticket", keep=4),
    Column(title="example", keep=5),
)
MEANING = 30
"""Characters of a meaning at least, where it is told."""
MOST_SAID = 200
"""Characters of a decisive line in a table, however wide that is."""
BAR = 60
STYLES = {
    Phase.NEW: "yellow",
    Phase.ESCALATING: "red",
    Phase.REGRESSED: "red",
    Phase.RESOLVED: "green",
    Phase.SNOOZED: "dim",
    Phase.ONGOING: "",
}


def show(asked: Asked, found: Inbox) -> None:
    """Print the inbox for a person."""
    out = render.console()
    if not found.lines:
        out.print("no failures")
    columns = _columns(asked)
    shown = ((f"failures by {asked.by}", found.lines), (f"refused by {asked.by}", found.refused))
    for title, lines in shown:
        if lines:
            render.table(
                out, (Column(title=title), *columns), [_cells(line, asked.by) for line in lines]
            )
    if found.histogram:
        _draw(found)
    if found.more:
        render.say("there are more groups: --limit")
    if found.hidden:
        render.say(f"{found.hidden} snoozed or resolved: --all")
    if asked.by == "class" and any(line.group.key == UNCLASSIFIED for line in found.lines):
        render.say("what no class matches, by signature: `reimage failures --unclassified`")
    _say_next(asked, found)


def _columns(asked: Asked) -> tuple[Column, ...]:
    """Return the columns beside the first; a signature says nothing without what it means."""
    of_signatures = asked.by == "signature"
    recovers = replace(RECOVERS, keep=4) if of_signatures else RECOVERS
    meaning = Column(title="meaning", keep=8 if of_signatures else 4, squeeze=MEANING)
    return (*(recovers if one is RECOVERS else one for one in COLUMNS), meaning)


def _say_next(asked: Asked, found: Inbox) -> None:
    """Tell how to look into the first group."""
    line = next(iter((*found.lines, *found.refused)), None)
    ways = []
    if line is not None and asked.by in {"class", "signature"} and line.group.key != NOTHING:
        ways.append(f"`reimage failures show {line.group.key}`")
    if line is not None and line.example is not None:
        ways.append(f"`reimage failures show '#{line.example.id}'`")
    if ways:
        render.say(f"look into the first: {' or '.join(ways)}")


def shape(by: str, found: Inbox) -> Failures:
    """Return what ``--json`` prints."""
    return Failures(
        failures=tuple(_share(by, line) for line in found.lines),
        refused=tuple(_share(by, line) for line in found.refused),
        total=FailureTotal(
            runs=found.total.runs,
            datasets=found.total.datasets,
            cpu_h=_hours(found.total.cpu_s),
            done=found.total.done,
        ),
        hidden=found.hidden,
        more=found.more,
        histogram=tuple(
            DayCount(day=f"{standing.day_of(day):%Y-%m-%d}", runs=found.histogram[day])
            for day in sorted(found.histogram)
        ),
    )


def csv(by: str, found: Inbox) -> tuple[tuple[str, ...], list[list[Any]]]:
    """Return names and rows of ``--csv``: the fields of ``--json``, what was refused below."""
    names = tuple(name for name in FailureShare.__dataclass_fields__ if name != "results")
    shares = [_share(by, line) for line in (*found.lines, *found.refused)]
    return names, [[_word(getattr(one, name)) for name in names] for one in shares]


def _word(value: Any) -> Any:  # noqa: ANN401 -- a field's
    return " ".join(map(str, value)) if isinstance(value, tuple) else value


def _share(by: str, line: Line) -> FailureShare:
    group, stands = line.group, line.standing
    hours = line.recovers.cpu_h
    return FailureShare(
        by=by,
        key=group.key,
        result=group.result,
        results={result.value: n for result, n in sorted(group.results.items())},
        datasets=group.datasets,
        runs=group.runs,
        share=line.share,
        rate=line.rate,
        cpu_h=_hours(group.cpu_s),
        recovery_cpu_h=None if hours is None else round(hours, 3),
        first_at=group.first_at,
        last_at=group.last_at,
        weeks=stands.weeks,
        trend=stands.trend.value,
        state=stands.phase.value,
        state_detail=stands.detail,
        url=line.url,
        example=line.example.run if line.example else None,
        example_failure=line.example.id if line.example else None,
        decisive=line.example.decisive if line.example else None,
        title=line.title,
        family=line.family,
        fault=line.fault,
        remedy=line.remedy,
    )


def _cells(line: Line, by: str) -> list[render.Cell | None]:
    group = line.group
    said = line.title or (line.example.decisive if line.example else None) or ""
    hours = line.recovers.cpu_h
    # A refusal waits for nobody, and a day comes but once.
    how = ("", "", None) if group.refused or by == "day" else _stands(line)
    return [
        group.key,
        str(group.datasets),
        "" if hours is None or group.refused else f"{_number(hours)} CPU h",
        str(group.runs),
        f"{line.share:.0%}" if line.share else "",
        f"{line.rate:.0%}" if line.rate is not None else "",
        _number(group.cpu_s / 3600),
        _minute(group.first_at),
        _minute(group.last_at),
        *how,
        line.remedy,
        _ticket(line.url),
        f"#{line.example.id}" if line.example else None,
        " ".join(said.split())[:MOST_SAID],
    ]


def _stands(line: Line) -> tuple[render.Cell | None, ...]:
    """Return weeks, trend and state of what fails."""
    stands = line.standing
    state = stands.phase.value + (f" {stands.detail}" if stands.detail else "")
    if stands.phase is Phase.RESOLVED and stands.detail:
        state = f"resolved in {stands.detail}"
    return standing.bars(stands.weeks), stands.trend.value, Text(state, style=STYLES[stands.phase])


def _ticket(url: str | None) -> str | None:
    """Return the last word of a ticket's address: its number, most often."""
    return None if url is None else url.rstrip("/").rpartition("/")[2]


def _draw(found: Inbox) -> None:
    """Print a bar for each day, also for days without failures."""
    out = render.console()
    out.print(render.heading("failures by day (UTC)"))
    days = range(min(found.histogram), max(found.histogram) + 1)
    most = max(found.histogram.values())
    width = len(str(most))
    for day in days:
        n = found.histogram.get(day, 0)
        out.print(f"{standing.day_of(day):%Y-%m-%d} {n:>{width}} {_bar(n, most)}".rstrip())


def _bar(n: int, most: int) -> str:
    """Return a bar in eighths of a character; what is there is seen."""
    eighths = max(round(n * BAR * 8 / most), 1) if n else 0
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def _hours(seconds: float) -> float:
    return round(seconds / 3600, 3)


def _number(hours: float) -> str:
    return f"{hours:.1f}" if hours < 10 else f"{hours:,.0f}".replace(",", " ")  # noqa: PLR2004 -- a digit


def _minute(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"
