from __future__ import annotations

import pytest
from making import EB
from making_fixes import caveats, load, make_facts, nothing

FIX = load("flag_row_damaged")


@pytest.mark.parametrize(
    ("sound", "told"), [(False, [f"flag-row-damaged:{EB}.ms"]), (True, []), (None, [])]
)
def test_the_table_tools_test_decides(sound, told):
    assert caveats(FIX, nothing(), make_facts(flag_row_sound=sound)) == told
