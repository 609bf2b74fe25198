"""The hash beside the transfer is that of the bytes, whatever their pieces."""

from __future__ import annotations

import hashlib
import threading

from hypothesis import given, settings
from hypothesis import strategies as st

from reimage.archive.digest import ALONE, Digest


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(0, ALONE), max_size=8), again=st.integers(0, 100))
def test_the_pieces_do_not_matter(sizes, again):
    digest, plain = Digest(), hashlib.sha256()
    for number, size in enumerate(sizes):
        chunk = bytes([number]) * size
        digest.update(chunk)
        plain.update(chunk)
    assert digest.hexdigest() == plain.hexdigest()
    digest.update(b"x" * again)  # asked once, it may still go on
    plain.update(b"x" * again)
    assert digest.hexdigest() == plain.hexdigest()


def test_no_thread_is_left():
    before = threading.active_count()
    digest = Digest()
    digest.update(b"x" * (ALONE + 1))
    assert threading.active_count() == before + 1
    digest.close()
    assert threading.active_count() == before
