"""The decisive lines where they stand in their log, with what was said around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from reimage.triage.clues import Clue
from reimage.triage.texts import lines

BEFORE, AFTER = 3, 5
MOST_CHARACTERS = 300
"""Of a line that is shown."""
MOST_NEEDLE = 160
_SHORTEST = 8
"""Characters of what is searched for: less is found anywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Lines of a log around the decisive one."""

    source: str
    """The file, relative to the run directory."""
    first_line: int | None
    """Number of the first of these lines, from 1; None in the kept end of a log that is gone."""
    lines: tuple[str, ...]
    decisive: int
    """Which of them it is, from 0."""


def around(directory: Path, clue: Clue, tails: Mapping[str, str]) -> Context | None:
    """Return a clue's lines in its log, or in the end of it that was kept; None where neither has them.

    Parameters
    ----------
    directory
        The run directory, to which the clue's source is relative.
    tails
        Ends of logs that the evidence keeps, by file.
    """
    if not needles(clue):
        return None
    for path in (directory / clue.source, directory / f"{clue.source}.gz"):
        inside = path.is_file() and path.resolve().is_relative_to(directory.resolve())
        number = _find(lines(path), clue) if inside else None
        if number is not None:
            return _cut(lines(path), clue.source, number, is_whole=True)
    kept = tails.get(clue.source, "").splitlines()
    number = _find(kept, clue)
    return None if number is None else _cut(kept, clue.source, number, is_whole=False)


def needles(clue: Clue) -> tuple[str, ...]:
    """Return what a clue's line holds: its first line, or that without the kind of the exception.

    CASA wraps an exception's message in other words than those that the clue keeps.
    """
    head = next((line.strip() for line in clue.text.splitlines() if line.strip()), "")
    found = (head, head.partition(": ")[2])
    return tuple(one[:MOST_NEEDLE] for one in found if len(one) >= _SHORTEST)


def _find(text: Iterable[str], clue: Clue) -> int | None:
    """Return the number of the clue's line, from 0: of its time if possible, else the first of its words."""
    wanted = needles(clue)
    stamp = f"{clue.at:%Y-%m-%d %H:%M:%S}" if clue.at is not None else None
    loose: dict[str, int] = {}
    for number, line in enumerate(text):
        for needle in wanted:
            if needle in line:
                if stamp is None or line.startswith(stamp):
                    return number
                loose.setdefault(needle, number)
    return next((loose[needle] for needle in wanted if needle in loose), None)


def _cut(text: Iterable[str], source: str, number: int, *, is_whole: bool) -> Context:
    first = max(0, number - BEFORE)
    shown = tuple(_shown(islice(text, first, number + AFTER + 1)))
    return Context(
        source=source,
        first_line=first + 1 if is_whole else None,
        lines=shown,
        decisive=number - first,
    )


def _shown(text: Iterable[str]) -> Iterator[str]:
    for line in text:
        plain = line.rstrip("\r\n").expandtabs(2)
        clean = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in plain)
        yield clean if len(clean) <= MOST_CHARACTERS else f"{clean[: MOST_CHARACTERS - 1]}…"
