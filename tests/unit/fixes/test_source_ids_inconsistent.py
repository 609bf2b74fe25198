from __future__ import annotations

from making import EB
from making_fixes import MS, load, make_facts, nothing

FIX = load("source_ids_inconsistent")


def test_a_field_gets_the_source_of_its_name():
    ids = {"rows": 2, "fields_without": [1], "unknown_spws": [], "misnamed": [[0, 1], [1, 0]]}
    ill = make_facts(sources=ids)
    assert f"{EB}.ms field 0, which is source 1" in FIX.applies(nothing(), ill)
    assert [(one.ms, one.kind, one.arguments) for one in FIX.apply(nothing(), ill)] == [
        (MS, "set_field_source", {"field": 0, "source": 1}),
        (MS, "set_field_source", {"field": 1, "source": 0}),
    ]


def test_a_well_ms_and_what_names_do_not_settle():
    assert FIX.applies(nothing(), make_facts()) is None
    assert FIX.applies(nothing(), {}) is None
    lost = {"rows": 1, "fields_without": [2], "unknown_spws": [25], "misnamed": []}
    assert FIX.applies(nothing(), make_facts(sources=lost)) is None
