"""What scriptForPI said of itself: no proof of anything, but the reason where a proof fails.

The messages are those of revisions 1.7 to 1.34 (archive pages, 3.4).  It prints them, goes on, and
ends with "Done." and exit code 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

MOST_LINES = 200_000
MOST_CHARACTERS = 1000
MOST_QUOTED = 20
_EB = re.compile(r"uid___A\d{3}_X[0-9a-f]+_X[0-9a-f]+", re.IGNORECASE)
_ABSENT = re.compile(r"ASDMs have calibration information but are absent")
_NOT_CREATED = re.compile(r"ERROR: (\S+\.ms(?:\.split(?:\.cal)?)?) was not created")
_QUOTED = re.compile(r"^\s*(?:ERROR|WARNING)\b|^\s*NOTE: This is a dataset|^Will try to proceed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The messages of one start of scriptForPI."""

    quoted: tuple[str, ...] = ()
    """Its errors and warnings, in order, each once."""
    absent: tuple[str, ...] = ()
    """Execution blocks that it knows of and found no raw data of."""
    not_created: tuple[str, ...] = ()
    """MSs that it could not make."""

    def of(self, eb: str) -> str | None:
        """Return what was said about an execution block, None if nothing was."""
        for name in self.not_created:
            if name.startswith(f"{eb}."):
                return f"scriptForPI: {name} was not created"
        return "scriptForPI: no raw data" if eb in self.absent else None


def read(path: Path) -> Said:
    """Read a job's stdout; an absent file said nothing."""
    if not path.is_file():
        return Said()
    with path.open(encoding="utf-8", errors="replace") as stream:
        return find(_bounded(stream))


def find(lines: Iterable[str]) -> Said:
    """Find scriptForPI's messages among lines of any kind."""
    quoted: dict[str, None] = {}
    absent: dict[str, None] = {}
    created: dict[str, None] = {}
    listing = False
    for line in lines:
        ebs = _EB.findall(line)
        if listing and ebs:
            absent |= dict.fromkeys(ebs)
            continue
        listing = bool(_ABSENT.search(line))
        if listing:
            absent |= dict.fromkeys(ebs)
        found = _NOT_CREATED.search(line)
        if found:
            created[found[1]] = None
        if _QUOTED.search(line):
            quoted[line.strip()] = None
    return Said(
        quoted=tuple(quoted)[:MOST_QUOTED],
        absent=tuple(sorted(absent)),
        not_created=tuple(created),
    )


def _bounded(stream: TextIO) -> Iterator[str]:
    """Yield the first lines of a text, each cut to a length: a script may print without an end."""
    for _ in range(MOST_LINES):
        line = stream.readline(MOST_CHARACTERS)
        if not line:
            return
        yield line
