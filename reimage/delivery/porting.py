"""What keeps a Python 2 script from being ported: what only a person can judge, with its line.

Looked at is a script that is rewritten already, so whatever remains is what no rule is safe for.  Of
two kinds: what Python 3 would do silently in another way, and what fails for certain, hours later.
Steps that a restore never takes (``applyonly != True``) may do what they like.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from reimage.delivery import leaks
from reimage.delivery.vocabulary import (
    RENAMED,
    defined,
    executed,
    known,
    modules,
    tasks,
    used_before,
)

_OPTIONS = frozenset({"applyonly", "mysteps", "DOSPLIT", "DOCONTSUB", "USEMS"})
_MODULES = frozenset({"numpy", "casatasks", "casatools"})
_RECIPES = ("recipes.almahelpers", "casarecipes.almahelpers")
"""Has a fix of its own."""
_ASKED = {"os", "sys", "time", "string", "itertools", "types", "math", "re", "glob", "shutil"}
_ASKED |= {"operator", "subprocess", "urllib"}
"""Modules that are asked whether they still have what a script uses."""
_BYTES = {("subprocess", name) for name in ("Popen", "check_output", "PIPE")}
_ROUNDED = {("math", "floor"), ("math", "ceil")}
_ORDERS = frozenset({"sort", "sorted"})
_GONE_HOOKS = frozenset(
    {"__nonzero__", "__cmp__", "__coerce__", "__div__", "__idiv__", "__rdiv__", "__getslice__"}
    | {"__unicode__", "__metaclass__", "next"}
)
_TEXT_METHODS = frozenset({"next", "encode", "decode"})
_COMMANDS = {"rm", "cp", "mv", "mkdir", "rmdir", "ln", "ls", "tar", "gzip", "gunzip", "touch"}
_COMMANDS |= {"cd", "cat", "echo", "chmod"}
_OPEN_MODE = 1


@dataclass(frozen=True, slots=True, order=True)
class Obstacle:
    """Why a script is not ported: in its own words, ``line 12: ...``."""

    line: int
    """0: the script as a whole."""
    why: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.why}" if self.line else self.why


def is_gate(node: ast.If) -> bool:
    """Whether a statement only ends the script, in any CASA but the one that it was written for."""
    match node:
        case ast.If(body=[ast.Expr(value=ast.Call(func=end))], orelse=[]):
            asked = ast.unparse(node.test)
            ends = ast.unparse(end) in {"sys.exit", "exit", "quit"}
            return ends and bool(re.search(r"\bcasa_version\b|\bcu\.version\(", asked))
        case _:
            return False


def find(text: str) -> list[Obstacle]:
    """Return what is left in a script that no rule is safe for.

    Raises
    ------
    SyntaxError
    """
    tree = ast.parse(text)
    return sorted(set(_Audit(tree).found()))


class _Audit:
    """One script."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        self._known = known(tree) | _OPTIONS
        self._own = defined(tree)
        self._executed = set(executed(tree))
        self._modules = modules(tree)
        self._true_division = any(
            isinstance(node, ast.ImportFrom)
            and node.module == "__future__"
            and any(one.name == "division" for one in node.names)
            for node in tree.body
        )

    def found(self) -> Iterator[Obstacle]:
        for line, name, left in leaks.find(self._tree):
            yield Obstacle(line, f"{name} of line {left} is not left behind in Python 3")
        for name, line in used_before(self._tree, {*RENAMED, *dir(builtins)}).items():
            yield Obstacle(line, f"{name} is used before the script gives it a meaning of its own")
        yield from self._among(self._tree, tried=False)

    def _among(self, node: ast.AST, *, tried: bool) -> Iterator[Obstacle]:
        """Walk what a restore executes."""
        for child in ast.iter_child_nodes(node):
            if child not in self._executed:
                continue
            path = _executed(child)
            if path is not None:
                yield from self._among(ast.Expression(path), tried=tried)
                continue
            for why in self._why(child, tried=tried):
                yield Obstacle(_line(child), why)
            yield from self._among(
                child,
                tried=tried or _expects_a_name(child),
            )

    def _why(self, node: ast.AST, *, tried: bool) -> Iterator[str]:
        match node:
            case ast.BinOp() | ast.AugAssign():
                yield from self._division(node)
            case ast.Name(id=name, ctx=ast.Load()):
                if name not in self._known and not tried:
                    yield f"{name}: no task of CASA 6, and not known to Python 3"
            case ast.Attribute(value=ast.Name(id=module), attr=name):
                yield from _attribute(self._modules.get(module, ""), name)
            case ast.Import() | ast.ImportFrom():
                yield from () if tried else _import(node)
            case ast.ClassDef():
                hooks = defined(node) & _GONE_HOOKS
                yield from (f"{name} has no meaning in Python 3" for name in sorted(hooks))
            case ast.Constant(value=str(text)):
                yield from _text(text)
            case ast.Call():
                yield from self._call(node)
            case _:
                pass

    def _division(self, node: ast.BinOp | ast.AugAssign) -> Iterator[str]:
        if not isinstance(node.op, ast.Div) or self._true_division:
            return
        parts = [node.left, node.right] if isinstance(node, ast.BinOp) else [node.value]
        if not any(map(_is_float, parts)):
            yield f"/ of what may be two integers: {ast.unparse(node)}"

    def _call(self, node: ast.Call) -> Iterator[str]:
        name = ast.unparse(node.func).rpartition(".")[2]
        keywords = {one.arg for one in node.keywords if one.arg}
        if name in _ORDERS and (
            "cmp" in keywords or len(node.args) > (isinstance(node.func, ast.Name))
        ):
            yield f"{name} by a comparison"
        if isinstance(node.func, ast.Attribute):
            if name in _TEXT_METHODS:
                yield f".{name}(): text and bytes are two things in Python 3"
            elif ast.unparse(node.func) == "os.system":
                yield from _command(node)
            elif ast.unparse(node.func).endswith("getstatusoutput"):
                yield "getstatusoutput counts in another way"
        elif name in tasks() and name not in self._own:
            lost = sorted(keywords - tasks()[name])
            yield from (f"{name} has no parameter {one} in CASA 6" for one in lost)
        elif name not in self._own:
            yield from _builtin(name, node)


def _line(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 0))


def _expects_a_name(node: ast.AST) -> bool:
    """Whether a name may be missing here: the script says so, and what then; who catches all says nothing."""
    if not isinstance(node, ast.Try):
        return False
    caught = [ast.unparse(one.type) for one in node.handlers if one.type]
    return any(re.search("NameError|ImportError", one) for one in caught)


def _executed(node: ast.AST) -> ast.expr | None:
    """Return the path where a call is what stands for ``execfile(path)`` (`rewriting`)."""
    match node:
        case ast.Call(
            func=ast.Name(id="exec"),
            args=[ast.Call(func=ast.Name(id="compile"), args=[_, path, _]), *_],
        ):
            return path
        case _:
            return None


def _is_float(node: ast.expr) -> bool:
    """Whether a value is a float for certain, or makes one of whatever it is combined with."""
    match node:
        case ast.Constant(value=value):
            return isinstance(value, float)
        case ast.UnaryOp(operand=operand):
            return _is_float(operand)
        case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div() | ast.Pow()):
            return _is_float(node.left) or _is_float(node.right)
        case ast.Call(func=ast.Name(id="float")):
            return True
        case ast.Attribute(value=ast.Name(id="math" | "np" | "numpy"), attr="pi"):
            return True
        case _:
            return False


def _attribute(module: str, name: str) -> Iterator[str]:
    if (module, name) in _BYTES:
        yield f"{module}.{name} gives bytes in Python 3"
    elif (module, name) in _ROUNDED:
        yield f"{module}.{name} gives an integer in Python 3"
    elif module in _ASKED and not hasattr(importlib.import_module(module), name):
        yield f"{module}.{name} is not in Python 3"


def _text(text: str) -> Iterator[str]:
    if not text.isascii():
        yield "a text that is not ASCII: bytes in Python 2"
    if "bdflags2MS" in text:
        yield "bdflags2MS is not in CASA 6"


def _import(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    if isinstance(node, ast.Import):
        names = [one.name for one in node.names]
    else:
        names = [node.module or "."]
        if any(one.name == "*" for one in node.names) and names != ["casatasks"]:
            yield f"from {names[0]} import *: nobody knows which names"
            return
        for one in node.names:
            yield from _attribute(names[0], one.name)
    for name in names:
        top = name.partition(".")[0]
        there = top in _MODULES or top in sys.stdlib_module_names
        if not there and name not in _RECIPES:
            yield f"module {name} is not there in CASA 6"


def _command(node: ast.Call) -> Iterator[str]:
    """Yield a program that may be missing: nobody looks at what ``os.system`` returns."""
    first: ast.AST = node.args[0] if node.args else node
    while isinstance(first, ast.BinOp):
        first = first.left
    words = str(first.value).split() if isinstance(first, ast.Constant) else []
    if not words or words[0] not in _COMMANDS:
        yield f"runs a program that may not be there: {ast.unparse(node)[:60]}"


def _builtin(name: str, node: ast.Call) -> Iterator[str]:
    """Yield functions of both Pythons that differ, and are not rewritten."""
    modes = [one.value for one in node.keywords if one.arg == "mode"] + node.args[_OPEN_MODE:2]
    if name == "round":
        yield "round() rounds halves in another way"
    elif name == "filter":
        yield "filter() returns what it was given the type of"
    elif name == "input":
        yield "asks a person"
    elif name == "map" and (len(node.args) != 2 or ast.unparse(node.args[0]) == "None"):  # noqa: PLR2004
        yield "map() fills up with None"
    elif name in {"exec", "eval", "compile"}:
        yield f"{name}() of a text that is Python 2 itself"
    elif name == "open" and any("b" in ast.unparse(one) for one in modes):
        yield "a file of bytes"
