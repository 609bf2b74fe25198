"""Porting a Python 2 script to Python 3 by rules alone, or saying why the rules do not suffice.

A port must not change what is calculated.  What Python 3 refuses loudly may be left to it; what it
would do silently in another way (``/`` of two integers, a comparison by ``cmp``, bytes) must be known,
or the script is not ported.  Which rules, and what they cannot know: ops/decisions, "A port to Python 3".

Statements are rewritten upon the grammar of Python 2 (`reimage.delivery.statements`), names and calls
then upon Python's own tree (`reimage.delivery.rewriting`), and what remains is looked at
(`reimage.delivery.porting`).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from reimage.delivery import porting, python2, rewriting
from reimage.delivery.porting import Obstacle

_FLOOR = (3, 8)
"""The oldest Python among the builds."""
_CODING = re.compile(r"\A((?:[^\n]*\n)?[ \t\f]*#[^\n]*?coding[:=][ \t]*)([-\w.]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ported:
    """A script for Python 3, or why there is none: then ``text`` is the script as it was."""

    text: str
    obstacles: tuple[Obstacle, ...] = ()

    @property
    def is_safe(self) -> bool:
        """Whether the text may be run in place of the script."""
        return not self.obstacles


def port(text: str) -> Ported:
    """Return a script for Python 3; what is none of Python 2 is returned as it is."""
    if not python2.find(text):
        return Ported(text=text)
    try:  # here: the import makes a cache of grammar tables, and few scripts need one
        from reimage.delivery import statements  # noqa: PLC0415
    except OSError as error:
        return Ported(text=text, obstacles=(Obstacle(0, f"no grammar of Python 2: {error}"),))
    newline = "\r\n" if "\r\n" in text else "\n"
    unix = text.replace("\r\n", "\n")
    ported, obstacles = statements.rewrite(unix)
    if not obstacles:
        ported, obstacles = _names(ported)
    if obstacles:
        return Ported(text=text, obstacles=tuple(obstacles))
    return Ported(text=ported.replace("\n", newline))


def advice(texts: Mapping[str, str]) -> str:
    """Return what a reader of scripts by name can do about their Python 2: take the port, or not."""
    found = [
        f"{PurePath(name).name} {why}"
        for name, text in texts.items()
        for why in port(text).obstacles
    ]
    if not found:
        return "Or take the mechanical port that is offered: re-run with `--fix python2-port`."
    more = f" (and {len(found) - 1} more)" if found[1:] else ""
    return f"No mechanical port is safe: {found[0]}{more}; `reimage fix applicable` lists them."


def _names(text: str) -> tuple[str, list[Obstacle]]:
    """Rewrite what is Python 3 in its statements, and look at what remains."""
    try:
        ast.parse(text, feature_version=_FLOOR)
        ported = rewriting.rewrite(text)
        obstacles = porting.find(ported)
        ported = rewriting.supply_modules(ported)
        ast.parse(ported, feature_version=_FLOOR)
    except (SyntaxError, ValueError) as error:
        return text, [
            Obstacle(line=getattr(error, "lineno", 0) or 0, why=f"cannot be read: {error}")
        ]
    left = [Obstacle(one.line, f"{one.what} is left") for one in python2.find(ported)]
    return _CODING.sub(r"\1utf-8", ported), obstacles or left
