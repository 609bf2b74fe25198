from __future__ import annotations

import threading
import time

import pytest

from reimage.archive.deadline import DeadlineError, within


def test_what_comes_in_time_comes():
    assert within(5, lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        within(5, lambda: 1 // 0)


def test_what_takes_too_long_is_left():
    ended = threading.Event()
    begun = time.monotonic()
    with pytest.raises(DeadlineError, match=r"0\.1 s"):
        within(0.1, lambda: ended.wait(30))
    assert time.monotonic() - begun < 5
    ended.set()
