from __future__ import annotations

import pytest
from making_fixes import RESTORE_SCRIPT, deliver, load, patched

FIX = load("restoredata_renamed")
ILL = """\
# exported
__rethrow_casa_exceptions = True
h_init()
try:
    hif_restoredata (vis=['a'])
finally:
    h_save()
"""


@pytest.mark.parametrize("known", ["hif_restoredata", "hifa_restoredata"])
def test_the_script_runs_where_either_name_is_known(tmp_path, known):
    ill = deliver(tmp_path, {RESTORE_SCRIPT: ILL})
    assert "hif_restoredata" in FIX.applies(ill, {})
    called = []
    names = {
        known: lambda **given: called.append(given),
        "h_init": lambda: None,
        "h_save": lambda: None,
    }
    exec(patched(FIX, ill)[RESTORE_SCRIPT], names)  # noqa: S102 -- our own patch, of our own text
    assert called == [{"vis": ["a"]}]


def test_a_clean_script_is_left_alone(tmp_path):
    text = "hifa_restoredata(vis=['a'])\n# hif_restoredata(vis=['a'])\n"
    assert FIX.applies(deliver(tmp_path, {RESTORE_SCRIPT: text}), {}) is None
