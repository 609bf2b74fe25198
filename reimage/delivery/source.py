"""Delivered Python scripts as logical lines: comments gone, brackets and backslashes joined.

CASA up to 5 speaks Python 2 and scripts were edited by hand, so neither `ast` nor `tokenize` reads
them all; this reads any text, and never fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

MAX_SUITE = 50
"""Lines below a condition that are looked at."""
MAX_LINE = 4000
"""Characters of a logical line that is looked at: longer ones are data."""

_TOKEN = re.compile(
    r"""
      (?P<long>\"{3}(?:\\.|(?!\"{3}).)*(?:\"{3}|\Z) | '{3}(?:\\.|(?!'{3}).)*(?:'{3}|\Z))
    | (?P<string>"(?:\\.|[^"\\\n])*"? | '(?:\\.|[^'\\\n])*'?)
    | (?P<comment>\#[^\n]*)
    | (?P<joined>\\\n)
    | (?P<end>\n)
    | (?P<open>[(\[{])
    | (?P<close>[)\]}])
    | (?P<other>[^"'\#\\\n()\[\]{}]+ | .)
    """,
    re.DOTALL | re.VERBOSE,
)
_STATEMENT = re.compile(r"(?:if|def|class|import|from|for|while|try|else|elif|print|return)\b")
_NEVER = re.compile(r"(?:if|while)\s*\(?\s*(?:False|0|None)\s*\)?\s*:")
_STRING_ALONE = re.compile(r"[rRbBuU]{0,2}(?:\"|')")


class Line(NamedTuple):
    """One logical line."""

    number: int
    """Where it begins, from 1."""
    indent: int
    code: str
    """Without comments; a line break within brackets is a blank."""


def logical_lines(text: str) -> list[Line]:
    """Return the logical lines that do something: no comments, lone strings, or ``if False:``."""
    found: list[Line] = []
    dead: int | None = None
    for line in _joined(text.expandtabs()):
        if dead is not None and line.indent > dead:
            continue
        dead = line.indent if _NEVER.match(line.code) else None
        if dead is None and not _STRING_ALONE.match(line.code):
            found.append(line)
    return found


def _joined(text: str) -> Iterator[Line]:
    number, first, depth = 1, 1, 0
    parts: list[str] = []
    for token in _TOKEN.finditer(text):
        kind, piece = token.lastgroup, token[0]
        if kind == "open":
            depth += 1
        elif kind == "close":
            depth = max(0, depth - 1)
        if kind in {"end", "joined"} and depth and _STATEMENT.match(text, token.end()):
            depth = 0  # a bracket that is never closed must not swallow the rest of the script
        if kind == "end" and not depth:
            yield from _line(first, parts)
            parts, first = [], number + 1
        elif kind != "comment":
            parts.append(" " if kind in {"end", "joined"} else piece)
        number += piece.count("\n")
    yield from _line(first, parts)


def _line(number: int, parts: list[str]) -> Iterator[Line]:
    code = "".join(parts)
    stripped = code.strip()
    if 0 < len(stripped) <= MAX_LINE:
        yield Line(number, len(code) - len(code.lstrip()), stripped)


def suite(lines: list[Line], index: int) -> list[str]:
    """Return the code that hangs on a line: behind its colon, and deeper lines below."""
    found = [] if lines[index].code.endswith(":") else [_behind_colon(lines[index].code)]
    for line in lines[index + 1 : index + 1 + MAX_SUITE]:
        if line.indent <= lines[index].indent:
            break
        found.append(line.code)
    return [code for code in found if code]


def _behind_colon(code: str) -> str:
    depth, last = 0, ""
    for token in _TOKEN.finditer(code):
        depth += {"open": 1, "close": -1}.get(token.lastgroup or "", 0)
        if depth == 0 and token.lastgroup == "other" and ":" in token[0]:
            last = code[token.start() + token[0].index(":") + 1 :]
            break
    return last.strip()
