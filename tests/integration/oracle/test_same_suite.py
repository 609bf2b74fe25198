"""The store's own tests, unchanged, on H2 in Oracle mode: the third database of the suite."""

from __future__ import annotations

import pytest
from suites import load

pytestmark = pytest.mark.xdist_group("h2")
SUITES = ("test_store", "test_rebuild")
ELSEWHERE = {
    # what needs no run database, or one of a kind of its own
    *("test_urls_that_are_none", "test_databases_that_do_not_answer", "test_a_full_disk_is_told"),
    *("test_no_order_of_moves_breaks_a_run", "test_claims_are_exclusive"),  # threads of their own
}


def _tests():
    for suite in SUITES:
        for name, found in vars(load(suite, "_on_h2")).items():
            if name.startswith("test_") and callable(found) and name not in ELSEWHERE:
                yield f"{name}_{suite.removeprefix('test_')}", found


globals().update(_tests())
