from __future__ import annotations

import pytest
from making_fixes import PIPE_SCRIPT, RESTORE_SCRIPT, deliver, load, patched

FIX = load("jao_fixes_lost")
# the form of the delivered scripts of 2017.1.01355.L
PIPE = """\
from recipes.almahelpers import fixsyscaltimes # SACM/JAO - Fixes
context = h_init()
try:
    hifa_importdata(vis=['uid___A002_Xc0ffee_X1'], session=['session_1'])
    fixsyscaltimes(vis = 'uid___A002_Xc0ffee_X1.ms')# SACM/JAO - Fixes
    #fixsyscaltimes(vis = 'uid___A002_Xc0ffee_X2.ms')# SACM/JAO - Fixes
    h_save() # SACM/JAO - Finish weblog after fixes
    h_init() # SACM/JAO - Restart weblog after fixes
    hifa_flagdata(pipelinemode="automatic")
finally:
    h_save()
"""
LOST = """\
__rethrow_casa_exceptions = True
h_init()
try:
    hifa_restoredata (vis=['uid___A002_Xc0ffee_X1'], session=['session_1'], ocorr_mode='ca')
finally:
    h_save()
"""
WHOLE = LOST.replace(
    "    hifa_restoredata",
    "    hifa_importdata (vis=['../rawdata/uid___A002_Xc0ffee_X1'], session=['session_1'])\n"
    "    fixsyscaltimes(vis='uid___A002_Xc0ffee_X1.ms')# SACM/JAO - Fixes\n    hifa_restoredata",
)


def play(text):
    said = []

    def task(name):
        return lambda **given: said.append((name, given))

    names = ("h_init", "h_save", "hifa_importdata", "hifa_restoredata", "fixsyscaltimes")
    lines = [line for line in text.splitlines(keepends=True) if "almahelpers" not in line]
    exec("".join(lines), {name: task(name) for name in names})  # noqa: S102 -- our own text
    return said


def test_the_calls_come_between_import_and_restore(tmp_path):
    ill = deliver(tmp_path, {PIPE_SCRIPT: PIPE, RESTORE_SCRIPT: LOST})
    assert "fixsyscaltimes" in FIX.applies(ill, {})
    text = patched(FIX, ill)[RESTORE_SCRIPT]
    assert text.startswith("from recipes.almahelpers import fixsyscaltimes")
    said = play(text)
    assert [name for name, _ in said] == [
        *("h_init", "hifa_importdata", "fixsyscaltimes", "h_save", "h_init"),
        *("hifa_restoredata", "h_save"),
    ]
    assert said[1][1] == {
        "vis": ["../rawdata/uid___A002_Xc0ffee_X1"],
        "session": ["session_1"],
        "dbservice": False,
        "bdfflags": False,
        "ocorr_mode": "ca",
    }
    assert said[2][1] == {"vis": "uid___A002_Xc0ffee_X1.ms"}


def test_an_import_without_its_call_is_completed(tmp_path):
    half = WHOLE.replace(
        "    fixsyscaltimes(vis='uid___A002_Xc0ffee_X1.ms')# SACM/JAO - Fixes\n", ""
    )
    text = patched(FIX, deliver(tmp_path, {PIPE_SCRIPT: PIPE, RESTORE_SCRIPT: half}))
    assert [name for name, _ in play(text[RESTORE_SCRIPT])] == [
        *("h_init", "hifa_importdata", "fixsyscaltimes", "hifa_restoredata", "h_save")
    ]


@pytest.mark.parametrize(
    "files",
    [
        {PIPE_SCRIPT: PIPE, RESTORE_SCRIPT: WHOLE},
        {PIPE_SCRIPT: PIPE.replace(" - Fixes", ""), RESTORE_SCRIPT: LOST},
        {RESTORE_SCRIPT: LOST},
        {PIPE_SCRIPT: PIPE, RESTORE_SCRIPT: "print 'not a form that is known'\n"},
        {PIPE_SCRIPT: PIPE, RESTORE_SCRIPT: "hifa_restoredata(vis=found(), session=['s'])\n"},
    ],
    ids=["whole", "no fixes", "no pipescript", "python 2", "not literal"],
)
def test_anything_else_is_left_alone(tmp_path, files):
    assert FIX.applies(deliver(tmp_path, files), {}) is None
