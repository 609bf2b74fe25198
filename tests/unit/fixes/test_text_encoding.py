from __future__ import annotations

import pytest
from making import MEMBER
from making_fixes import MANUAL_SCRIPT, deliver, load, patched

FIX = load("text_encoding")
README = f"{MEMBER}/README.txt"


def test_latin_1_becomes_utf_8_and_the_script_compiles(tmp_path):
    files = {
        README: "PI name: José Núñez\n".encode("latin-1"),
        MANUAL_SCRIPT: "x = 'José'\n".encode("latin-1"),
    }
    with pytest.raises(SyntaxError):
        compile(files[MANUAL_SCRIPT], "before", "exec")
    ill = deliver(tmp_path, files)
    assert "README.txt" in FIX.applies(ill, {})
    texts = patched(FIX, ill)
    assert texts[README] == "PI name: José Núñez\n"
    assert "x = 'José'\n" in texts[MANUAL_SCRIPT]
    compile((tmp_path / MANUAL_SCRIPT).read_bytes(), "after", "exec")


@pytest.mark.parametrize(
    "data",
    [b"x = 1\n", "# José\n".encode(), "# -*- coding: latin-1 -*-\n# José\n".encode("latin-1")],
    ids=["ascii", "utf-8", "declared"],
)
def test_a_text_that_can_be_read_is_left_alone(tmp_path, data):
    assert FIX.applies(deliver(tmp_path, {MANUAL_SCRIPT: data}), {}) is None
