"""The page of the guide that documents the shapes of ``--json``, from the shapes themselves."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import sys
from collections.abc import Iterator
from enum import StrEnum

from reimage.cli import (
    db_shapes,
    desk_shapes,
    holdings_shapes,
    inbox_shapes,
    judge_shapes,
    remedy_shapes,
    run_shapes,
    site_shapes,
)

HEAD = """# JSON

Every reader takes `--json` and prints one object: `schema`, the version of these shapes (1), and what its
verb is about.  Within a version fields are added, never renamed or removed: ignore what you do not know.
Times are ISO 8601 in UTC, absent values `null`, paths of products relative to the run directory.
"""
MODULES = (
    run_shapes,
    inbox_shapes,
    judge_shapes,
    desk_shapes,
    remedy_shapes,
    holdings_shapes,
    site_shapes,
    db_shapes,
)
_JSON_WORDS = (
    (r"tuple\[(.+), \.\.\.\]", r"list of \1"),
    (r"Mapping\[str, Any\]", "object"),
    (r"\b(Path|str)\b", "string"),
    (r"\bdatetime\b", "time"),
    (r"\bint\b", "integer"),
    (r"\bfloat\b", "number"),
    (r"\bbool\b", "true or false"),
    (r"\bNone\b", "null"),
    (r"\bAny\b", "anything"),
)


def page() -> str:
    """Return the page: the object of each reader, then the rows that they hold."""
    tops = [kind for kind in _declared() if "schema" in _fields(kind)]
    lines = [HEAD]
    below: dict[str, type] = {}
    for kind in tops:
        lines += _section(kind)
        below |= _mentioned(kind)
    lines += ["# Rows", ""]
    done: set[str] = set()
    while waiting := sorted(below.keys() - done):
        for name in waiting:
            done.add(name)
            lines += _section(below[name])
            below |= _mentioned(below[name])
    return "\n".join(lines).rstrip() + "\n"


def _declared() -> list[type]:
    """Return the dataclasses that the modules of shapes define, in the order of their source."""
    return [
        kind
        for module in MODULES
        for kind in vars(module).values()
        if isinstance(kind, type) and kind.__module__ == module.__name__
    ]


def _fields(kind: type) -> dict[str, str]:
    """Return a dataclass's fields and their annotations."""
    return {field.name: str(field.type) for field in dataclasses.fields(kind)}


def _section(kind: type) -> list[str]:
    if issubclass(kind, StrEnum):
        return [f"## {kind.__name__}", "", f"One of {', '.join(f'`{one}`' for one in kind)}.", ""]
    meanings = attribute_docs(kind)
    rows = [
        f"| `{name}` | {_written(annotation)} | {meanings.get(name, '')} |"
        for name, annotation in _fields(kind).items()
    ]
    about = inspect.cleandoc(kind.__doc__ or "").splitlines()[0]
    return [
        f"## {kind.__name__}",
        "",
        about,
        "",
        "| key | type | means |",
        "|---|---|---|",
        *rows,
        "",
    ]


def _written(annotation: str) -> str:
    """Return an annotation in the words of JSON."""
    for pattern, word in _JSON_WORDS:
        annotation = re.sub(pattern, word, annotation)
    return annotation.replace("|", "or")


def _mentioned(kind: type) -> dict[str, type]:
    """Return the dataclasses and enumerations that the annotations of a dataclass name."""
    if not dataclasses.is_dataclass(kind):
        return {}
    words = {word for text in _fields(kind).values() for word in re.findall(r"\w+", text)}
    space = vars(sys.modules[kind.__module__])
    return {
        word: space[word]
        for word in words
        if isinstance(space.get(word), type)
        and (dataclasses.is_dataclass(space[word]) or issubclass(space[word], StrEnum))
    }


def attribute_docs(kind: type) -> dict[str, str]:
    """Return what the strings below a dataclass's fields say."""
    body = ast.parse(inspect.cleandoc(inspect.getsource(kind))).body[0]
    return dict(_docs(body)) if isinstance(body, ast.ClassDef) else {}


def _docs(body: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, after in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
        ):
            yield field.target.id, " ".join(str(after.value.value).split()).replace("|", "\\|")
