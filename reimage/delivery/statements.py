"""Statements that only the grammar of Python 2 can read, rewritten for Python 3.

By fissix, the maintained lib2to3 (which left Python with 3.13): its grammar, and those of its rules that
never guess what a value is.  Importing it writes a cache of grammar tables into the user's cache.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fissix import pygram
from fissix.pgen2 import parse, token, tokenize
from fissix.refactor import RefactoringTool

from reimage.delivery.porting import Obstacle

if TYPE_CHECKING:
    from fissix.pytree import Base

_RULES = ("except", "exec", "has_key", "ne", "numliterals", "paren", "print", "raise", "repr")
_SYMBOLS = pygram.python_symbols
_VALUE, _TRACEBACK = 3, 5
"""Places in ``raise X, value, traceback``."""
_NAME = 3
"""Place in ``except X, name``."""
_UNREADABLE = (parse.ParseError, tokenize.TokenError, IndentationError, KeyError, AssertionError)
"""What fissix raises; the last two for characters that no grammar knows."""
_PRINT_FUNCTION = re.compile(r"^from __future__ import .*\bprint_function\b", re.MULTILINE)


def rewrite(text: str) -> tuple[str, list[Obstacle]]:
    """Return a script with the statements of Python 3, or as it was, and why; lines are kept."""
    tool = RefactoringTool([f"fissix.fixes.fix_{name}" for name in _RULES])
    whole = text if text.endswith("\n") else text + "\n"
    try:
        obstacles = sorted(set(_guesses(_read(tool, whole))))
        tree = tool.refactor_string(whole, "script")
    except _UNREADABLE as error:
        return text, [Obstacle(0, f"is no Python 2: {error!r}")]
    obstacles += [Obstacle(0, str(one)) for one in tool.fixer_log]
    if obstacles:
        return text, obstacles
    _strip_raw_unicode(tree)
    ported = _without_tabs(tree)
    return (ported if text.endswith("\n") else ported.removesuffix("\n")), []


def _read(tool: RefactoringTool, text: str) -> Base:
    """Return the tree before any rule: ``print`` is a statement unless the script says otherwise."""
    if _PRINT_FUNCTION.search(text):
        tool.driver.grammar = pygram.python_grammar_no_print_statement
    try:
        return tool.driver.parse_string(text)
    finally:
        tool.driver.grammar = tool.grammar


def _guesses(tree: Base) -> Iterator[Obstacle]:
    """Yield statements for which a rule would have to guess what a value is."""
    for node in tree.pre_order():
        line = node.get_lineno() or 0
        if node.type == _SYMBOLS.raise_stmt and len(node.children) > _VALUE:
            value = node.children[_VALUE]
            while value.children and value.type != _SYMBOLS.atom:
                value = value.children[0]
            if len(node.children) >= _TRACEBACK or value.type != token.STRING:
                yield Obstacle(line, "raises with a value that need not be a text")
        elif node.type == _SYMBOLS.except_clause and len(node.children) > _NAME:
            if node.children[_NAME].type != token.NAME:
                yield Obstacle(line, "takes an exception apart")
        elif node.type == token.STRING and _is_raw_unicode(node) and r"\u" in node.value.lower():
            yield Obstacle(line, "has escapes in a raw unicode text")


def _is_raw_unicode(leaf: Base) -> bool:
    return bool(leaf.value[:2].lower() == "ur")


def _strip_raw_unicode(tree: Base) -> None:
    for leaf in tree.leaves():
        if leaf.type == token.STRING and _is_raw_unicode(leaf):
            leaf.value = leaf.value[1:]


def _without_tabs(tree: Base) -> str:
    """Return the text with the tabs of its indentation expanded as Python 2 counts them: to eighths."""
    lines = str(tree).split("\n")
    inside: set[int] = set()  # of a text over several lines
    number = 0
    for leaf in tree.leaves():
        number += leaf.prefix.count("\n")
        ends = leaf.value.count("\n")
        if leaf.type == token.STRING:
            inside |= set(range(number + 1, number + 1 + ends))
        number += ends
    for at, line in enumerate(lines):
        code = line.lstrip(" \t")
        blank = line.removesuffix(code) if code else ""
        if "\t" in blank and at not in inside:
            lines[at] = blank.expandtabs(8) + code
    return "\n".join(lines)
