"""Python 2 in delivered scripts, recognised before a Python 3 is given them.

CASA up to 5 is Python 2.  What Python 3 cannot read fails at once, but what it can read and does not
know (``has_key``) fails hours later, in the middle of a restore.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MOST = 20
_PATTERNS = (
    (r"(?:^|[:;])\s*print(?:\s+[^\s=(]|\s*>>|\s+\([^)]*\)\s*,|\s*$)", "print"),
    (r"`[^`]+`", "backticks"),
    (r"^\s*except\s+[\w.()\s,]+,\s*\w+\s*:", "except X, e"),
    (r"^\s*raise\s+[\w.]+\s*,", "raise X, text"),
    (r"^\s*exec\s+[^\s(=]", "exec"),
    (r"<>", "<>"),
    (r"(?<![\w.])0[0-7]+(?![\w.])", "octal number"),
    (r"(?<![\w.])\d+L\b", "long number"),
    (r"\bur''", "ur''"),
)
"""Upon lines whose strings are emptied; only where Python 3 cannot read the whole."""
_STRINGS = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")
_GONE_METHODS = {"has_key", "iteritems", "itervalues", "iterkeys"}
_GONE_NAMES = {"execfile", "xrange", "unicode", "raw_input", "unichr", "basestring"}
_ASKS = re.compile(r"version|python|PY[23]|casa|six", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Idiom:
    """A place where a script is Python 2."""

    line: int
    what: str
    text: str


def find(text: str) -> tuple[Idiom, ...]:
    """Return the places that Python 3 cannot run, first ones first; none for a Python 3 script.

    What stands in a ``try``, or under an ``if`` that asks for a version, is taken to be meant for
    both; a text that is no Python of any kind has none.
    """
    lines = text.splitlines()
    try:
        tree = _parse(text)
    except TabError as error:  # Python 2 takes a tab for eight blanks
        at = error.lineno or 1
        return (Idiom(line=at, what="tabs and blanks", text=lines[at - 1].strip()[:200]),)
    except (SyntaxError, ValueError):
        return tuple(_by_lines(lines))[:MOST]
    defined = set(_defined(tree))
    found = sorted(set(_by_names(tree.body, defined)))
    return tuple(
        Idiom(line=line, what=what, text=lines[line - 1].strip()[:200]) for line, what in found
    )[:MOST]


def unreadable(text: str) -> str | None:
    """Return why a text is no Python 3, None if it is; Python 2 is no Python 3."""
    try:
        _parse(text)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    except ValueError as error:  # a null byte
        return str(error)
    return None


def _parse(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "\d" in a string that is no raw one: not our business
        return ast.parse(text)


def _by_lines(lines: list[str]) -> Iterator[Idiom]:
    for number, line in enumerate(lines, 1):
        bare = _STRINGS.sub("''", line).partition("#")[0]
        for pattern, what in _PATTERNS:
            if re.search(pattern, bare):
                yield Idiom(line=number, what=what, text=line.strip()[:200])
                break


def _defined(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.alias):
            yield node.asname or node.name


def _by_names(nodes: Iterable[ast.AST], defined: set[str]) -> Iterator[tuple[int, str]]:
    for node in nodes:
        if isinstance(node, ast.Try):
            continue
        if isinstance(node, ast.If) and _ASKS.search(ast.unparse(node.test)):
            yield from _by_names([node.test], defined)
            continue
        if isinstance(node, ast.Call) and _is_of_casa_6(node):
            yield from _by_names([*node.args, *node.keywords], defined)
            continue
        if isinstance(node, ast.Attribute) and node.attr in _GONE_METHODS:
            yield node.lineno, node.attr
        if isinstance(node, ast.Name) and node.id in _GONE_NAMES - defined:
            yield node.lineno, node.id
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.RShift) and _is_print(node.left):
            yield node.lineno, "print >>"
        yield from _by_names(ast.iter_child_nodes(node), defined)


def _is_of_casa_6(node: ast.Call) -> bool:
    """Whether ``execfile`` is called as in the shell of CASA 6, which has one that is told its globals."""
    return isinstance(node.func, ast.Name) and node.func.id == "execfile" and len(node.args) > 1


def _is_print(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "print"
