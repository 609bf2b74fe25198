from __future__ import annotations

from making import EB
from making_fixes import caveats, load, make_facts, nothing

FIX = load("source_rows_lost")


def test_contradictions_are_told():
    ill = make_facts(sources={"rows": 1, "fields_without": [2, 3], "unknown_spws": [25]})
    assert caveats(FIX, nothing(), ill) == [f"source-ids-inconsistent:{EB}.ms"]
    assert "fields without a source 2, 3 and sources with unknown spws 25" in FIX.applies(
        nothing(), ill
    )


def test_a_well_ms_is_not():
    assert caveats(FIX, nothing(), make_facts()) == []
    assert caveats(FIX, nothing(), {}) == []


def test_what_a_name_settles_is_mended_and_not_told():
    ids = {"rows": 1, "fields_without": [2, 3], "unknown_spws": [], "misnamed": [[2, 0], [1, 0]]}
    ill = make_facts(sources=ids)
    assert "fields without a source 3 (" in FIX.applies(nothing(), ill)
    del ids["fields_without"][1]
    assert FIX.applies(nothing(), ill) is None
