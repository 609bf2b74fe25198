"""From one decisive message to a pattern that knows its like: what is a dataset's own becomes a gap."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reimage.triage.clues import Clue, scan
from reimage.triage.signature import mask, unwrap

MOST_GAPS = 3
"""Of a pattern: more are slow to search for, and say little."""
MOST_CHARACTERS = 200
"""Of the masked message that become a pattern."""
FEWEST_LETTERS = 6
"""That a pattern names of itself; fewer would be greedy."""

_GAP = re.compile(r"<[a-z]+>")
_GAPS = re.compile(rf"(?:{_GAP.pattern})+")
_BREAK = re.compile(r"\s*[\n\t]\s*|\s{2,}")
_KIND = re.compile(r"^(?:RuntimeError|Exception): (?=.{12})")
"""Says nothing; the same message may stand in a line of its own."""
_EXCEPTION = re.compile(r"^[\w.\\]*(?:Error|Exception):")
_SPECIAL = re.compile(r"([.^$*+?{}\[\]\\|()])")


def pattern(message: str) -> str | None:
    """Return a pattern that is found in a message and in its like; None where it has no words of its own.

    The tightest of a few that is still found in the message itself.
    """
    for piece in _pieces(_KIND.sub("", unwrap(message))):
        for made in _tries(mask(piece)):
            if _letters(made) >= FEWEST_LETTERS and re.search(made, message):
                return made
    return None


def _pieces(text: str) -> list[str]:
    """Return what stands between broken lines and wide blanks, what says most first."""
    return sorted(_BREAK.split(text), key=_letters, reverse=True)


def _tries(masked: str) -> Iterator[str]:
    """Yield patterns, the tightest first."""
    yield _joined(masked, r"\S+")
    yield _joined(masked, r".+?")
    longest = max(_GAP.split(masked), key=_letters).strip()
    yield _escaped(longest[:MOST_CHARACTERS])


def _joined(masked: str, gap: str) -> str:
    """Return the parts of a masked message, joined by gaps, as far as they are few."""
    parts = _GAPS.split(_whole_words(masked))[: MOST_GAPS + 1]
    while len(parts) > 1 and not parts[-1].strip():
        parts.pop()
    return gap.join(_escaped(part) for part in parts).strip()


def _whole_words(masked: str) -> str:
    """Cut a long text after a word."""
    if len(masked) <= MOST_CHARACTERS:
        return masked
    return masked[:MOST_CHARACTERS].rpartition(" ")[0] or masked[:MOST_CHARACTERS]


def _escaped(text: str) -> str:
    """Return text as a pattern of itself."""
    return _SPECIAL.sub(r"\\\1", text)


def _letters(made: str) -> int:
    """Count the letters that say something: the kind of an exception alone does not."""
    told = _EXCEPTION.sub("", _GAP.sub("", made.replace(r"\S+", "")))
    return sum(letter.isalpha() for letter in told)


def as_line(clue: Clue) -> str | None:
    """Return a clue as the line of a log from which it would be read again; None where it is no line."""
    if not clue.text or clue.severity not in {"SEVERE", "WARN", "EXCEPTION", "OUTPUT"}:
        return None
    written = clue.text
    if clue.severity in {"SEVERE", "WARN"} and clue.at is not None and clue.origin:
        written = f"{clue.at:%Y-%m-%d %H:%M:%S}\t{clue.severity}\t{clue.origin}\t{clue.text}"
    read = scan(written.splitlines(keepends=True), clue.source)
    return written if any(one.text == clue.text for one in read) else None
