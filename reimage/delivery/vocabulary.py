"""The names that a script can use in a restore: its own, Python's, and those of CASA's shell."""

from __future__ import annotations

import ast
import builtins
import functools
import tomllib
from collections.abc import Collection, Iterator
from pathlib import Path

RENAMED = {"xrange": "range", "basestring": "str", "long": "int", "file": "open"}
RENAMED |= {"T": "True", "F": "False", "true": "True", "false": "False"}  # of the CASA shell
"""What Python 2 and the CASA shell call it, and what Python 3 does."""
SHELL_MODULES = frozenset({"os", "sys", "time", "string"})
"""Modules that a CASA shell had imported already: ALMA's scripts use ``sys`` and do not say so."""
TOOLS = frozenset(
    {"tb", "ms", "msmd", "me", "qa", "ia", "cb", "im", "cl", "cs", "rg", "vp", "at", "cu"}
)
"""One instance of each, by the names of the CASA shell (job ``restore_script``)."""
_SOLVES = {"applyonly != True", "not applyonly", "applyonly == False", "applyonly is False"}
_GIVEN = frozenset({"casalog", "casatasks", "casatools", "__name__", "__file__", "SPACESAVING"})


@functools.cache
def tasks() -> dict[str, frozenset[str]]:
    """Return the parameters of each task of modular CASA 6 (``casatasks.toml``)."""
    text = Path(__file__).with_name("casatasks.toml").read_text(encoding="utf-8")
    return {name: frozenset(said.split()) for name, said in tomllib.loads(text).items()}


def defined(tree: ast.AST) -> frozenset[str]:
    """Return the names that a script itself gives a meaning to, anywhere."""
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                names.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.alias(name=name, asname=other):
                names.add(other or name.partition(".")[0])
            case ast.ExceptHandler(name=str(name)):
                names.add(name)
            case _:
                pass
    return frozenset(names)


def executed(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a script that a restore may execute: it sets ``applyonly``."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and _is_never_true(child.test):
            for other in child.orelse:
                yield other
                yield from executed(other)
        else:
            yield child
            yield from executed(child)


def _is_never_true(test: ast.expr) -> bool:
    parts = test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) else [test]
    return any(ast.unparse(part) in _SOLVES for part in parts)


def modules(tree: ast.AST) -> dict[str, str]:
    """Return the modules that a script imports, by the names that it gives them; and the shell's."""
    shell = {name: name for name in SHELL_MODULES - stored(tree)}
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    return shell | {one.asname or one.name: one.name for node in imports for one in node.names}


def stored(tree: ast.AST) -> frozenset[str]:
    """Return the names of variables."""
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    return frozenset(node.id for node in names if isinstance(node.ctx, ast.Store))


def used_before(tree: ast.AST, names: Collection[str]) -> dict[str, int]:
    """Return those of the names that a script uses before it gives them a meaning of its own, with the line."""
    found: dict[str, int] = {}
    for name in defined(tree) & set(names):
        uses, own = [], []
        for node in ast.walk(tree):
            match node:
                case ast.Name(id=one, ctx=ast.Load()) if one == name:
                    uses.append(node.lineno)
                case ast.Name(id=one) | ast.FunctionDef(name=one) | ast.ClassDef(name=one) if (
                    one == name
                ):
                    own.append(node.lineno)
                case _:
                    pass
        if uses and own and min(uses) < min(own):
            found[name] = min(uses)
    return found


def known(tree: ast.AST) -> frozenset[str]:
    """Return all the names that mean something to a script in a restore by modular CASA 6."""
    shell = SHELL_MODULES | TOOLS | _GIVEN
    return defined(tree) | frozenset(dir(builtins)) | tasks().keys() | shell
