"""Python 3, recognised before a Python 2 is given it."""

from __future__ import annotations

import pytest

from reimage.delivery import python3


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("x = f'{1}'", "f-string"),
        ("x: int = 1", "annotation"),
        ("def f(a: int): pass", "signature"),
        ("def f(*, a): pass", "signature"),
        ("def f() -> int: pass", "signature"),
        ("if (n := 1): pass", ":="),
        ("def f():\n    n = 1\n    def g():\n        nonlocal n", "nonlocal"),
        ("def f():\n    yield from ()", "yield from"),
        ("async def f(): pass", "async"),
        ("try:\n    pass\nexcept ValueError as e:\n    raise KeyError from e", "raise X from Y"),
        ("print('a', end='')", "print(..., end=)"),
        ("import casatasks", "import casatasks"),
        ("from casatools import table", "import casatools"),
        ("from casatasks.private import tec_maps", "import casatasks.private"),
        ("if applyonly:\n    import pathlib", "import pathlib"),
    ],
)
def test_what_python_2_cannot_run_is_found_with_its_line(text, what):
    found = python3.find(f"# first\n{text}\n")
    assert [one.what for one in found] == [what]
    assert found[0].text == text.splitlines()[found[0].line - 2].strip()


@pytest.mark.parametrize(
    "text",
    [
        "print('a')\nprint('%d' % 3)",
        "from __future__ import print_function\nprint('a', end='')",
        "print 'a'",
        "<html>not found</html>",
        "try:\n    import casalith\nexcept ImportError:\n    import casadef",
        "if casa_version >= (6,):\n    import casatasks",
        "# f'{x}' and import casatasks\nx = 'import casatasks'",
        "x = b'a'\nwith open('f') as s:\n    y = {a for a in s}",
        "def f(a, *b, **c): raise ValueError('a')",
    ],
)
def test_what_both_can_run_is_not(text):
    assert python3.find(text) == ()


def test_the_list_has_an_end():
    assert len(python3.find("x = f'{1}'\n" * 100)) == 20
