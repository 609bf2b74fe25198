from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from reimage.store.columns import MOST_BYTES, Words

DIALECT = sqlite.dialect()


@given(st.text(st.characters(codec="utf-8")), st.integers(1, 3), st.sampled_from([1, 64, 2000]))
def test_words_keep_what_every_database_holds(text, times, length):
    """A beginning of the text without NUL, as long as characters and bytes allow; never ''."""
    text *= times * 700
    bound = Words(length).process_bind_param(text, DIALECT)
    whole = text.replace("\0", "")[:length]
    if not whole:
        assert bound is None
        return
    assert whole.startswith(bound)
    n_bytes = len(bound.encode())
    assert n_bytes <= MOST_BYTES
    assert bound == whole or MOST_BYTES - n_bytes < 4


def test_what_is_left_of_a_binary_log_fits_into_oracle():
    """2000 replacement characters are 6000 bytes: ORA-12899 in a VARCHAR2(2000 CHAR)."""
    bound = Words(2000).process_bind_param("\ufffd" * 3000, DIALECT)
    assert bound == "\ufffd" * 1333
