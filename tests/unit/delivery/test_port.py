"""Porting Python 2: each case of ``tests/corpus/python2``, and laws that hold for any script.

A case has ``python2`` and what must come of it: ``python3``, with what that ``prints`` (as Python 2 printed
it), or ``obstacles``, line by line.
"""

from __future__ import annotations

import ast
import contextlib
import io
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reimage.casa import environments
from reimage.delivery import port, python2

CORPUS = Path(__file__).parents[2] / "corpus" / "python2"
CASES = {path.stem: tomllib.loads(path.read_text()) for path in sorted(CORPUS.glob("*.toml"))}
PORTED = [name for name, case in CASES.items() if "python3" in case]
REFUSED = [name for name, case in CASES.items() if "obstacles" in case]
PRINTING = [name for name, case in CASES.items() if "prints" in case]

ONLY_IN_A_SHELL = {"shell-modules"}
"""They use modules that a CASA shell had imported."""
NOT_FOR_PYTHON_2 = {"python3-already", "python3-guarded", "gate", "drawings", "import-idle"}
TOGETHER = sorted(
    name
    for name in set(PRINTING) - NOT_FOR_PYTHON_2 - ONLY_IN_A_SHELL
    if "__future__" not in CASES[name]["python2"]
)

STATEMENTS = st.sampled_from(
    [line for case in CASES.values() for line in case["python2"].split("\n")]
)
SCRIPTS = st.lists(STATEMENTS | st.text(max_size=12), max_size=12).map("\n".join)


def printed(text):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(text, "script", "exec"), {"__name__": "__main__"})  # noqa: S102 -- the corpus
    return said.getvalue()


def test_the_corpus_has_every_kind():
    assert len(CASES) >= 50
    assert set(PORTED) | set(REFUSED) == set(CASES)
    assert not set(PORTED) & set(REFUSED)


@pytest.mark.parametrize("name", PORTED)
def test_what_rules_suffice_for_is_ported(name):
    found = port.port(CASES[name]["python2"])
    assert found.obstacles == ()
    assert found.text == CASES[name]["python3"]


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_rule_is_safe_for_is_told_and_left(name):
    found = port.port(CASES[name]["python2"])
    for one, begins in zip(found.obstacles, CASES[name]["obstacles"], strict=True):
        assert str(one).startswith(begins)
    assert not found.is_safe
    assert found.text == CASES[name]["python2"]


@pytest.mark.parametrize("name", PRINTING)
def test_what_is_ported_does_the_same(name):
    assert printed(port.port(CASES[name]["python2"]).text) == CASES[name]["prints"]


@pytest.fixture(scope="module")
def python_2():
    """Give the referee of the corpus, where the machine has one."""
    for python in environments._pythons("2.7"):
        asked = [python, "-c", "import sys; print(sys.version_info[0])"]
        if subprocess.run(asked, check=False, capture_output=True).stdout == b"2\n":
            return python
    pytest.skip("no Python 2.7 on this machine")


@pytest.mark.parametrize("name", sorted(set(PRINTING) - NOT_FOR_PYTHON_2))
def test_real_python_2_prints_what_the_corpus_says(name, python_2):
    text = CASES[name]["python2"]
    if name in ONLY_IN_A_SHELL:
        text = text.replace("print 'x'", "import os, sys; print 'x'")
    said = subprocess.run([python_2, "-c", text], capture_output=True, text=True, check=True)
    assert said.stdout == CASES[name]["prints"]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(TOGETHER), min_size=2, max_size=4, unique=True))
def test_scripts_of_several_parts_print_in_both_what_they_print_in_python_2(python_2, names):
    text = "\n".join(CASES[name]["python2"] for name in names)
    found = port.port(text)
    if found.is_safe:
        said = [
            subprocess.run([python, "-c", one], capture_output=True, text=True, check=True).stdout
            for python, one in ((python_2, text), (sys.executable, found.text))
        ]
        assert said[0] == said[1]


@pytest.mark.parametrize("name", PORTED)
def test_lines_stay_where_they_are(name):
    before, after = CASES[name]["python2"], CASES[name]["python3"]
    supplied = after.count("\nimport os, sys\n") - before.count("\nimport os, sys\n")
    assert after.count("\n") - before.count("\n") == supplied


def test_windows_lines_stay_so():
    assert port.port("print 'x'\r\nprint 'y'\r\n").text == "print('x')\r\nprint('y')\r\n"


def test_a_coding_line_says_how_the_port_is_written():
    found = port.port("# -*- coding: latin-1 -*-\nprint 'x'  # José\n")
    assert found.text == "# -*- coding: utf-8 -*-\nprint('x')  # José\n"


def test_a_path_that_is_made_by_a_call_is_not_made_twice():
    assert not port.port("execfile(glob.glob('*.py').pop())\n").is_safe
    assert port.port("import os\nexecfile(os.path.join('a', 'b.py'))\n").is_safe


def test_what_is_no_python_at_all_is_left():
    text = "<html>print 'x'</html>\nprint 'y'\n"
    assert port.port(text).text == text


@settings(max_examples=100, deadline=None)
@given(SCRIPTS)
def test_a_port_is_python_3_or_nothing(text):
    found = port.port(text)
    if not python2.find(text) or not found.is_safe:
        assert found.text == text
    else:
        ast.parse(found.text, feature_version=(3, 8))
        assert python2.find(found.text) == ()
    assert port.port(found.text).text == found.text, "twice is once"


def test_the_advice_names_the_fix_or_the_line():
    assert "--fix python2-port" in port.advice({"a/b.py": "print 'x'\n"})
    said = port.advice({"a/b.py": "print 1 / n\n", "c.py": "print 'x'\n"})
    assert "b.py line 1: / of what" in said
    assert "--fix" not in said
