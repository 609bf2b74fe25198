"""How things are shown: data on stdout, everything else on stderr, colour only on a terminal."""

from __future__ import annotations

import json
import os
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from reimage import document
from reimage.model import Result, State

WIDE = 160
"""Columns that prose has at most."""
ENDLESS = 10_000
"""Columns of what is no terminal: a file or a pipe has room for every column of a table."""
GAP = 2
ALWAYS = 9
"""`Column.keep` of what is never left out."""
STYLES = {
    Result.IMAGED: "green",
    Result.PARTIAL: "yellow",
    Result.REFUSED: "blue",
    Result.FAILED: "red",
    Result.LOST: "magenta",
    Result.CANCELLED: "dim",
    State.RUNNING: "cyan",
    State.SUBMITTED: "cyan",
    State.QUEUED: "",
    State.DONE: "",
}


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class _Console(Console):
    """Shows what delivered scripts and logs say, but does not let it steer the terminal."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        for segment in super().render(renderable, options):
            if segment.control is None and _CONTROL.search(segment.text):
                yield segment._replace(text=_CONTROL.sub("\N{REPLACEMENT CHARACTER}", segment.text))
            else:
                yield segment


def console(*, stderr: bool = False) -> Console:
    """Return where to write; no markup, so that data are shown as they are.

    A file or a pipe is as wide as what is written, whatever the terminal beside it; ``COLUMNS`` overrules.
    """
    stream = sys.stderr if stderr else sys.stdout
    said = os.environ.get("COLUMNS", "")  # noqa: TID251 -- the terminal's own, no setting
    width = None if stream.isatty() else int(said) if said.isdecimal() and int(said) else ENDLESS
    return _Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def say(message: str) -> None:
    """Tell the person, not the data."""
    console(stderr=True).print(message, style="dim", soft_wrap=True)


def show(shape: object) -> None:
    """Print a shape (`reimage.cli.run_shapes`, `reimage.cli.site_shapes`) as JSON."""
    text = json.dumps(document.dump(shape), indent=1)
    print(text)  # noqa: T201 -- data, byte for byte


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table."""

    title: str
    keep: int = ALWAYS
    """Where not all have room, columns of the lowest number are left out first."""
    right: bool = False
    squeeze: int = 0
    """Characters to which it is cut short before any column is left out for it; 0: it is not."""


Cell = str | Text


def table(
    target: Console, columns: Sequence[Column], rows: Iterable[Sequence[Cell | None]]
) -> None:
    """Print a table whose lines never wrap: columns are left out, then the widest is cut short."""
    cells = [[cell if cell is not None else "" for cell in row] for row in rows]
    widths = [
        max([len(column.title), *(_width(row[i]) for row in cells)])
        for i, column in enumerate(columns)
    ]
    told = [i for i in range(len(columns)) if _is_told(columns[i], [row[i] for row in cells])]
    least = [_least(column, width) for column, width in zip(columns, widths, strict=True)]
    shown = _fitting(columns, least, told, target.width)
    widest = _grown({i: least[i] for i in shown}, widths, target.width)
    drawn = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for i in shown:
        drawn.add_column(
            columns[i].title,
            justify="right" if columns[i].right else "left",
            no_wrap=True,
            overflow="ellipsis",
            min_width=min(widths[i], 12),
            max_width=widest[i] if columns[i].squeeze else None,
        )
    for row in cells:
        drawn.add_row(*(row[i] for i in shown))
    target.print(drawn)
    left_out = [column.title for i, column in enumerate(columns) if i in set(told) - set(shown)]
    if left_out and target.is_terminal:
        say(f"(no room for: {', '.join(left_out)})")


def _least(column: Column, width: int) -> int:
    """Return the room that a column wants at least."""
    return min(width, max(column.squeeze, len(column.title))) if column.squeeze else width


def _grown(least: Mapping[int, int], widths: Sequence[int], room: int) -> dict[int, int]:
    """Return how wide each column may be: the first have what is left over first."""
    spare = max(0, room - sum(width + GAP for width in least.values()) + GAP)
    found = {}
    for i, width in least.items():
        found[i] = min(widths[i], width + spare)
        spare -= found[i] - width
    return found


def _width(cell: Cell) -> int:
    return cell.cell_len if isinstance(cell, Text) else len(cell)


def _is_told(column: Column, cells: Iterable[Cell]) -> bool:
    """Whether a column says anything."""
    return column.keep >= ALWAYS or any(_width(cell) for cell in cells)


def _fitting(
    columns: Sequence[Column], widths: Sequence[int], told: Iterable[int], room: int
) -> list[int]:
    """Return which columns are shown: those of the highest `keep` that have room, at least two."""
    shown = list(told)
    while len(shown) > 2 and sum(widths[i] + GAP for i in shown) - GAP > room:  # noqa: PLR2004 -- a key and a value
        least = min(shown, key=lambda i: (columns[i].keep, -i))
        if columns[least].keep >= ALWAYS:
            break
        shown.remove(least)
    return shown


def word(state: State, result: Result | None) -> Text:
    """Return where a run is, in one coloured word."""
    key = result if result is not None else state
    return Text(key.value, style=STYLES[key])


def heading(text: str) -> Text:
    """Return the title of a part."""
    return Text(text, style="bold")


def seconds(value: float | None) -> str:
    """Return a duration as ``4.2 s``, ``3 min 05 s`` or ``2 h 07 min``."""
    if value is None:
        return ""
    if value < 60:  # noqa: PLR2004 -- a minute
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:  # noqa: PLR2004 -- an hour
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def size(n_bytes: float | None) -> str:
    """Return a number of bytes with decimal units."""
    if n_bytes is None:
        return ""
    value = float(n_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:  # noqa: PLR2004 -- decimal units
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def moment(at: datetime | None) -> str:
    """Return a time in UTC, to the second."""
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def share(part: int, whole: int) -> str:
    """Return a share in per cent."""
    return f"{100 * part / whole:.0f} %" if whole else ""


def counted(n: int, noun: str) -> str:
    """Return ``1 run``, ``3 runs``."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def pairs(out: Console, facts: Mapping[str, str]) -> None:
    """Print facts, long ones wrapped below themselves."""
    room = max(len(key) for key in facts) + 2
    for key, value in facts.items():
        line = Text(f"  {key:<{room}}", style="dim")
        lines = wrapped(value.strip(), min(out.width, WIDE) - room - 2)
        out.print(Text.assemble(line, f"\n{'':<{room + 2}}".join(lines)), soft_wrap=True)


def wrapped(text: str, width: int) -> list[str]:
    """Return a text in lines; words that are longer than a line (paths) are left whole."""
    lines: list[str] = []
    for paragraph in text.splitlines():
        lines += textwrap.wrap(
            paragraph, max(width, 20), break_long_words=False, break_on_hyphens=False
        ) or [""]
    return lines


def gathered(caveats: Iterable[str]) -> list[str]:
    """Return caveats with what they are about, those of one id in one line."""
    about: dict[str, list[str]] = {}
    for caveat in caveats:
        name, _, detail = caveat.partition(":")
        about.setdefault(name, []).append(detail)
    return [
        f"{name}: {', '.join(details)}" if any(details) else name for name, details in about.items()
    ]
