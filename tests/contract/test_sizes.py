"""Small files with one reason to change, small functions: measured over everything that ships."""

from __future__ import annotations

import ast
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = sorted(chain((ROOT / "reimage").rglob("*.py"), (ROOT / "fixes").glob("*.py")))
MOST_LINES_OF_A_FILE = 300
MOST_LINES_OF_A_FUNCTION = 40
"""Of its body: signature and docstring do not count."""


def test_no_file_is_long():
    lines = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in FILES}
    assert len(lines) > 200
    assert {name: n for name, n in lines.items() if n > MOST_LINES_OF_A_FILE} == {}


def test_no_function_is_long():
    lines = {
        f"{file.relative_to(ROOT)}:{function.name}": body_lines(function)
        for file in FILES
        for function in ast.walk(ast.parse(file.read_text()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert len(lines) > 1000
    assert {name: n for name, n in lines.items() if n > MOST_LINES_OF_A_FUNCTION} == {}


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return how many lines a function's statements span."""
    statements = function.body[1:] if ast.get_docstring(function) else function.body
    if not statements:
        return 0
    return (function.end_lineno or 0) - statements[0].lineno + 1
