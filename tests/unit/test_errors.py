from __future__ import annotations

import pytest

from reimage import errors


def test_a_code_is_needed_and_unique():
    with pytest.raises(TypeError, match="kebab-case"):
        type("Nameless", (errors.ReimageError,), {})
    with pytest.raises(TypeError, match="belongs to"):
        type("Copycat", (errors.ReimageError,), {"code": "disk-full"})


def test_an_error_carries_message_hint_and_evidence():
    error = errors.DiskFull("no room", evidence={"free_gb": 0.1})
    assert (error.message, error.evidence) == ("no room", {"free_gb": 0.1})
    assert "reimage doctor" in error.hint
    assert errors.DiskFull("x", hint="other").hint == "other"
