"""Python 2 in scripts: each idiom that CASA 4 and 5 knew, and what only looks like one."""

from __future__ import annotations

import pytest

from reimage.delivery import python2

OLD = {
    "print": 'x = 1\nprint "ERROR: no ASDM"\n',
    "print of nothing, once another fails": "print\nprint 'x'\n",
    "print to a file": "import sys\nprint >>sys.stderr, 'x'\n",
    "print after a colon": "if True: print 'x'\n",
    "except": "try:\n    pass\nexcept OSError, e:\n    pass\n",
    "raise": "raise RuntimeError, 'no'\n",
    "exec": "exec 'x = 1' in {}\n",
    "backticks": "x = 1\ny = `x`\n",
    "unequal": "if 1 <> 2:\n    pass\n",
    "octal": "import os\nos.chmod('x', 0755)\n",
    "long": "x = 10L\n",
    "execfile": "execfile('scriptForCalibration.py')\n",
    "has_key": "if globals().has_key('SPACESAVING'):\n    pass\n",
    "iteritems": "for k, v in {}.iteritems():\n    pass\n",
    "inside a step": "if mystep in thesteps:\n    execfile('x.py')\n",
    "tabs": "if True:\n        x = 1\n\ty = 2\n",
}
BOTH = {
    "print with brackets": "print('x %s' % 1)\n",
    "guarded by a version": "if sys.version_info[0] < 3:\n    execfile('x')\nelse:\n    exec(open('x'))\n",
    "guarded by CASA's version": "if casa_major < 6:\n    execfile('x')\n",
    "tried": "try:\n    execfile('x')\nexcept NameError:\n    pass\n",
    "its own": "def execfile(path):\n    exec(open(path).read())\nexecfile('x')\n",
    "execfile of CASA 6": "execfile('../script/' + name, globals())\n",
    "in a string": "x = 'print 1; a.has_key(b) `x`'\n",
    "in a comment": "# execfile('x') print 'y'\n",
    "a pattern that warns": "import re\nre.search('^\\d', '1')\n",
    "nothing": "",
}


@pytest.mark.parametrize("case", OLD)
def test_python_2_is_recognised_with_its_line(case):
    found = python2.find(OLD[case])
    assert found
    assert OLD[case].splitlines()[found[0].line - 1].strip() == found[0].text


@pytest.mark.parametrize("case", BOTH)
def test_what_runs_in_both_is_not(case):
    assert python2.find(BOTH[case]) == ()
    assert python2.unreadable(BOTH[case]) is None


def test_a_damaged_script_is_not_python_2():
    for text in ("def f(:\n", "<html><body>not found</body></html>\n", "x = \0\n"):
        assert python2.find(text) == ()
        assert python2.unreadable(text)


def test_at_most_a_screenful_is_told():
    assert len(python2.find("print 'x'\n" * 1000)) == python2.MOST
