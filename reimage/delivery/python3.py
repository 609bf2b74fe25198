"""Python 3 in delivered scripts, recognised before the Python 2 of an old CASA is given them.

A script of CASA 6 stops at its gate line in an older CASA, if it has one and gets so far; what Python 2
cannot read fails in its first second with a message about syntax that helps nobody.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator

from reimage.delivery import python2
from reimage.delivery.python2 import Idiom

_SYNTAX: tuple[tuple[type[ast.AST], str], ...] = (
    (ast.JoinedStr, "f-string"),
    (ast.AnnAssign, "annotation"),
    (ast.NamedExpr, ":="),
    (ast.Nonlocal, "nonlocal"),
    (ast.YieldFrom, "yield from"),
    (ast.AsyncFunctionDef, "async"),
    (ast.Match, "match"),
)
_MODULES = {"casatasks", "casatools", "casaconfig", "casashell", "casalith", "pathlib", "builtins"}
_ASKS = re.compile(r"version|python|PY[23]|casa|six", re.IGNORECASE)


def find(text: str) -> tuple[Idiom, ...]:
    """Return the places that Python 2 cannot run, first ones first; none for what is not Python 3.

    What stands in a ``try``, or under an ``if`` that asks for a version, is taken to be meant for
    both, but its syntax is not: the whole file is read before a line of it runs.
    """
    if python2.unreadable(text) is not None:
        return ()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "\\d" in a string that is no raw one: not our business
        tree = ast.parse(text)
    lines = text.splitlines()
    found = {*_by_syntax(tree), *_by_modules(tree.body)}
    return tuple(
        Idiom(line=line, what=what, text=lines[line - 1].strip()[:200])
        for line, what in sorted(found)
    )[: python2.MOST]


def _by_syntax(tree: ast.Module) -> Iterator[tuple[int, str]]:
    prints_by_function = any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(name.name == "print_function" for name in node.names)
        for node in tree.body
    )
    for node in ast.walk(tree):
        for kind, what in _SYNTAX:
            if isinstance(node, kind):
                yield getattr(node, "lineno", 1), what
        if isinstance(node, ast.FunctionDef) and (
            node.args.kwonlyargs or node.returns or any(one.annotation for one in node.args.args)
        ):
            yield node.lineno, "signature"
        if isinstance(node, ast.Raise) and node.cause is not None:
            yield node.lineno, "raise X from Y"
        if isinstance(node, ast.Call) and not prints_by_function and _is_print_of_3(node):
            yield node.lineno, "print(..., end=)"


def _is_print_of_3(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id == "print" and bool(node.keywords)


def _by_modules(nodes: Iterable[ast.AST]) -> Iterator[tuple[int, str]]:
    for node in nodes:
        if isinstance(node, ast.Try) or (
            isinstance(node, ast.If) and _ASKS.search(ast.unparse(node.test))
        ):
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name in _imported(node):
                if name.partition(".")[0] in _MODULES:
                    yield node.lineno, f"import {name}"
        yield from _by_modules(ast.iter_child_nodes(node))


def _imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [name.name for name in node.names]
