"""What a port rewrites upon the tree of Python: names, calls, imports, the gate.

Every rule keeps the number of lines, and what it rewrites it does not find again.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from reimage.delivery import porting, vocabulary

_RENAMED_MODULES = {"commands": "subprocess", "xml.etree.cElementTree": "xml.etree.ElementTree"}
_DRAWINGS = {"plotms", "plotcal", "plotxy", "viewer"}
"""Tasks that are gone and only draw: nothing that is calibrated comes of them."""
_RENAMED_ATTRIBUTES = {("os", "getcwdu"): "getcwd", ("sys", "maxint"): "maxsize"}
_LISTS = {"range", "zip", "map"}
_VIEWS = {"keys", "values", "items"}
_ITERATORS = {"iterkeys": "keys", "itervalues": "values", "iteritems": "items"}
_CONSUMERS = {"list", "tuple", "set", "sorted", "dict", "iter"}


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    text: str


def rewrite(text: str) -> str:
    """Return a script, Python 3 in its statements, with the names and calls of Python 3.

    Raises
    ------
    SyntaxError
    """
    while True:
        script = _Script(text)
        edits = sorted(script.edits(), key=lambda edit: (edit.start, -edit.end))
        if not edits:
            return text
        data, end = bytearray(), 0
        for edit in edits:
            if edit.start < end:  # within one that is made: found again in the next round
                continue
            data += script.data[end : edit.start] + edit.text.encode()
            end = edit.end
        text = (data + script.data[end:]).decode()


def supply_modules(text: str) -> str:
    """Import what a CASA shell had as names and a job has not: ``os``, ``sys``, ``time``, ``string``."""
    tree = ast.parse(text)
    defined = vocabulary.defined(tree)
    wanted = sorted(
        {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        & vocabulary.SHELL_MODULES - defined
    )
    if not wanted:
        return text
    body = [node for node in tree.body if not _must_come_first(node)]
    at = body[0].lineno - 1
    lines = text.split("\n")
    return "\n".join([*lines[:at], f"import {', '.join(wanted)}", *lines[at:]])


def _must_come_first(node: ast.stmt) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == "__future__"
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


class _Script:
    """A script, its tree, and where each node is in its bytes."""

    def __init__(self, text: str) -> None:
        self.data = text.encode()
        self.tree = ast.parse(text)
        self._defined = vocabulary.defined(self.tree)
        variables = vocabulary.stored(self.tree)
        found = vocabulary.modules(self.tree)
        self._modules = {name: one for name, one in found.items() if name not in variables}
        self._used = {
            node.id for node in vocabulary.executed(self.tree) if isinstance(node, ast.Name)
        }
        self._starts = [0]
        for line in self.data.split(b"\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)
        self._parents = {
            child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)
        }

    def edits(self) -> Iterator[_Edit]:
        for node in ast.walk(self.tree):
            new = self._new(node)
            if new is not None:
                start, end = self._place(node)
                lost = self.data[start:end].count(b"\n") - new.count("\n")
                yield _Edit(start, end, new + "\n" * lost)

    def _place(self, node: ast.AST) -> tuple[int, int]:
        assert isinstance(node, ast.expr | ast.stmt)  # noqa: S101 -- only these are rewritten
        assert node.end_lineno is not None  # noqa: S101
        assert node.end_col_offset is not None  # noqa: S101
        return (
            self._starts[node.lineno - 1] + node.col_offset,
            self._starts[node.end_lineno - 1] + node.end_col_offset,
        )

    def source(self, node: ast.AST) -> str:
        start, end = self._place(node)
        return self.data[start:end].decode()

    def _new(self, node: ast.AST) -> str | None:
        """Return what stands for a node in Python 3; None for what stays."""
        new: str | None = None
        match node:
            case ast.If() if porting.is_gate(node):
                said = f"reimage: python2-port opened the gate: {ast.unparse(node.test)}"
                new = f"print({said!r})"
            case ast.Expr(value=ast.Call(func=ast.Name(id=name))) if name in _DRAWINGS:
                if name not in self._defined:
                    new = f"print('reimage: python2-port left out a drawing by {name}')"
            case ast.Import():
                new = self._imports(node)
            case ast.ImportFrom(level=0):
                new = _import_from(node)
            case ast.Call():
                new = self._call(node)
            case ast.Attribute(value=ast.Name(id=module), attr=name):
                renamed = _RENAMED_ATTRIBUTES.get((self._modules.get(module, ""), name))
                new = f"{module}.{renamed}" if renamed else None
            case ast.Name(id=name, ctx=ast.Load()) if name not in self._defined:
                new = vocabulary.RENAMED.get(name)
            case _:
                pass
        return new

    def _imports(self, node: ast.Import) -> str | None:
        kept = [one for one in node.names if not self._is_idle(one)]
        said = [
            f"{_RENAMED_MODULES[one.name]} as {one.asname or one.name}"
            if one.name in _RENAMED_MODULES and (one.asname or "." not in one.name)
            else ast.unparse(one)
            for one in kept
        ]
        if said == [ast.unparse(one) for one in node.names]:
            return None
        return f"import {', '.join(said)}" if said else "pass"

    def _is_idle(self, one: ast.alias) -> bool:
        """Whether a module of old is imported that nothing uses which a restore executes."""
        return one.name == "casadef" or (
            one.name == "analysisUtils" and (one.asname or one.name) not in self._used
        )

    def _call(self, node: ast.Call) -> str | None:
        new: str | None = None
        match node:
            case ast.Call(func=ast.Name(id="execfile"), args=[path, *spaces], keywords=[]):
                new = self._execfile(node, path, spaces)
            case ast.Call(func=ast.Name(id=name)) if name in _LISTS - self._defined:
                new = None if self._is_consumed(node, name) else f"list({self.source(node)})"
            case ast.Call(func=ast.Attribute(attr=name), args=[], keywords=[]) if name in _VIEWS:
                new = None if self._is_consumed(node, name) else f"list({self.source(node)})"
            case ast.Call(func=ast.Attribute(value=of, attr=name), args=[]) if name in _ITERATORS:
                new = f"iter({self.source(of)}.{_ITERATORS[name]}())"
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=module), attr="join"),
                args=[_] | [_, _] as arguments,
                keywords=[],
            ) if self._modules.get(module) == "string":
                words, *by = map(self.source, arguments)
                new = f"({by[0] if by else repr(' ')}).join({words})"
            case _:
                pass
        return new

    def _execfile(self, node: ast.Call, path: ast.expr, spaces: list[ast.expr]) -> str | None:
        """Return the same in the same name space; a function's own names cannot be given."""
        is_lost = not spaces and self._is_in_function(node)
        if "execfile" in self._defined or is_lost or not _is_repeatable(path):
            return None
        name = self.source(path)
        where = "".join(f", {self.source(space)}" for space in spaces)
        return f"exec(compile(open({name}, 'rb').read(), {name}, 'exec'){where})"

    def _is_in_function(self, node: ast.AST) -> bool:
        inner = ast.FunctionDef | ast.Lambda | ast.ClassDef
        return any(isinstance(above, inner) for above in self._above(node))

    def _above(self, node: ast.AST) -> Iterator[ast.AST]:
        while node in self._parents:
            node = self._parents[node]
            yield node

    def _is_consumed(self, node: ast.Call, name: str) -> bool:
        """Whether it does not matter that this is no list: what takes it makes one, at once."""
        above = self._parents.get(node)
        if isinstance(above, ast.For) and above.iter is node:
            return name == "range"
        if not isinstance(above, ast.Call) or not isinstance(above.func, ast.Name):
            return False
        return above.func.id in _CONSUMERS - self._defined and above.args[:1] == [node]


def _is_repeatable(node: ast.expr) -> bool:
    """Whether a path may be evaluated twice: no call but those of ``os.path``."""
    calls = [one for one in ast.walk(node) if isinstance(one, ast.Call)]
    return all(ast.unparse(one.func).startswith("os.path.") for one in calls)


def _import_from(node: ast.ImportFrom) -> str | None:
    module, names = node.module or "", [one.name for one in node.names]
    plain = all(one.asname in {None, one.name} for one in node.names)
    if module == "taskinit" and plain and set(names) <= vocabulary.TOOLS | {"casalog", "*"}:
        return "pass"  # a restore gives these names to every script
    if (module, names) == ("xml.etree", ["cElementTree"]):
        return f"from xml.etree import ElementTree as {node.names[0].asname or names[0]}"
    if module == "tasks":
        return f"from casatasks import {', '.join(map(ast.unparse, node.names))}"
    if module.endswith("_cli") and names == [module]:
        task = module.removesuffix("_cli")
        return f"from casatasks import {task} as {node.names[0].asname or module}"
    return None
