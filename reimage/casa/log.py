"""Read a CASA log: ``timestamp<TAB>SEVERITY<TAB>origin<TAB>message``.

A message of several lines repeats the head on each and marks the continuation with ``+`` at the
end of the origin.  CASA echoes WARN and SEVERE lines to stderr in the same form, so the reader
serves both; lines of any other form belong to somebody else and are left out.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

_LINE = re.compile(
    r"(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\t"
    r"(?P<severity>[A-Z]+\d?)\t(?P<origin>[^\t]*)\t(?P<message>.*)"
)
_GRAVE = ("SEVERE", "ERROR", "FATAL")
MOST_CHARACTERS = 2000
"""Of one line, and of one message: an array printed into a log has no end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One message of a CASA log, its continuation lines joined by newlines.

    ``at`` has a resolution of 1 s and is UTC.  ``origin`` is ``task::Class::method (file, line)``.
    """

    at: datetime
    severity: str
    origin: str
    message: str

    @property
    def is_grave(self) -> bool:
        """It says SEVERE (or worse), harmless or not."""
        return self.severity in _GRAVE

    def __str__(self) -> str:
        """Return the log's own form, on one line."""
        message = " ".join(self.message.split())
        return f"{self.at:%Y-%m-%d %H:%M:%S}\t{self.severity}\t{self.origin}\t{message}"


def parse_line(line: str) -> LogLine | None:
    """Read one line by itself; None when it is not one of a CASA log.

    A continuation line keeps the ``+`` at the end of its origin.
    """
    match = _LINE.match(line[:MOST_CHARACTERS].rstrip("\n"))
    if match is None:
        return None
    at = datetime.fromisoformat(match["at"]).replace(tzinfo=UTC)
    return LogLine(
        at=at, severity=match["severity"], origin=match["origin"], message=match["message"]
    )


def continues(line: LogLine, earlier: LogLine | None) -> bool:
    """Whether a line carries on the message of the one before it."""
    return (
        earlier is not None
        and line.origin.endswith("+")
        and line.severity == earlier.severity
        and line.origin[:-1].strip() == earlier.origin.strip()
    )


def join(earlier: LogLine, line: LogLine) -> LogLine:
    """Append a continuation line to its message."""
    message = f"{earlier.message}\n{line.message}"[:MOST_CHARACTERS]
    return replace(earlier, message=message)


def parse(lines: Iterable[str]) -> Iterator[LogLine]:
    """Yield every message, in the order of the log; lines of another form are passed over."""
    pending: LogLine | None = None
    for text in lines:
        line = parse_line(text)
        if line is None:
            continue
        if pending is not None and continues(line, pending):
            pending = join(pending, line)
            continue
        if pending is not None:
            yield pending
        pending = line
    if pending is not None:
        yield pending


@cache
def _harmless() -> tuple[re.Pattern[str], ...]:
    data = tomllib.loads(Path(__file__).with_name("harmless.toml").read_text(encoding="utf-8"))
    return tuple(re.compile(entry["message"]) for entry in data["line"])


def is_harmless(message: str) -> bool:
    """Whether a message is known to mean nothing (``harmless.toml``)."""
    return any(pattern.search(message) for pattern in _harmless())


def severe_lines(path: Path, *, most: int) -> list[str]:
    """Return the grave messages of a log file that are not known to be harmless, first ones first.

    At most ``most`` of them, each once; an absent file has none.
    """
    if not path.exists():
        return []
    found: dict[str, str] = {}
    with path.open(encoding="utf-8", errors="replace") as stream:
        for line in parse(stream):
            if line.is_grave and not is_harmless(line.message):
                found.setdefault(line.message, str(line))
                if len(found) == most:
                    break
    return list(found.values())
