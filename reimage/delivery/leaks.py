"""Names that Python 2 leaves behind and Python 3 does not, where a script reads them afterwards.

``[k for k in steps]`` gives ``k`` a value for the rest of the scope in Python 2, ``except X, e`` leaves
``e``: whoever reads that name later gets something else in Python 3, silently if it had a value before.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeAlias

from reimage.delivery.vocabulary import defined

Scope: TypeAlias = ast.Module | ast.FunctionDef | ast.Lambda
_Comprehension: TypeAlias = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def find(tree: ast.Module) -> Iterator[tuple[int, str, int]]:
    """Yield line and name of each such reading, and the line that gave the name a meaning."""
    for scope in ast.walk(tree):
        if not isinstance(scope, Scope):
            continue
        left = {name: node for node in _inside(scope) for name in _leaves(node)}
        for name, node in left.items():
            for line in _readings(scope, name):
                yield line, name, int(getattr(node, "lineno", 0))


def _inside(scope: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a scope, without those of the functions in it."""
    for child in ast.iter_child_nodes(scope):
        yield child
        if not isinstance(child, Scope):
            yield from _inside(child)


def _leaves(node: ast.AST) -> frozenset[str]:
    """Return the names that a node leaves behind in Python 2 alone."""
    if isinstance(node, ast.ListComp):
        return _targets(node)
    return frozenset({node.name} if isinstance(node, ast.ExceptHandler) and node.name else ())


def _targets(node: _Comprehension) -> frozenset[str]:
    return frozenset[str]().union(*(defined(one.target) for one in node.generators))


def _readings(node: ast.AST, name: str) -> Iterator[int]:
    """Yield the lines that read a name, where nothing around or before them gives it its meaning."""
    if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
        yield node.lineno
    for _, value in ast.iter_fields(node):
        parts = value if isinstance(value, list) else [value]
        is_given = False  # by an assignment in the same suite, after which nothing is left behind
        for part in parts:
            if not isinstance(part, ast.AST):
                continue
            is_given = is_given and not any(name in _leaves(inner) for inner in ast.walk(part))
            is_safe = is_given and not isinstance(part, Scope)  # a function is called later
            if not (is_safe or _gives_meaning(part, name)):
                yield from _readings(part, name)
            is_given = is_given or _assigns(part, name)


def _assigns(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Assign) and any(name in defined(one) for one in node.targets)


def _gives_meaning(node: ast.AST, name: str) -> bool:
    match node:
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            return name in _targets(node)
        case ast.ExceptHandler():
            return node.name == name
        case ast.FunctionDef() | ast.Lambda():
            said = {one for n in ast.walk(node) if isinstance(n, ast.Global) for one in n.names}
            return name in defined(node) - said
        case ast.For():
            lost = any(name in _leaves(inner) for inner in ast.walk(node))
            return name in defined(node.target) and not lost
        case _:
            return False
