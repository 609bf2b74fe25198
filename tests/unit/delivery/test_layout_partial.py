"""Whatever part of a delivery is there: it is read, and nothing is said that is not there."""

from __future__ import annotations

import tempfile
from pathlib import Path

import delivered as d
from hypothesis import given, settings
from hypothesis import strategies as st
from making import make_tree

from reimage.delivery import layout, paperwork, scan

WHOLE = {
    "cycle 0": d.cycle_0(),
    "manual": d.manual(),
    "tar.gz": d.tar_gz(),
    "tgz": d.cycle_4(),
    "prefixed": d.cycle_5(),
    "total power": d.total_power(),
    "shell": d.shell(),
    "shouting": d.shouting(),
}
FILES = (
    *("raw", "scripts", "caltables", "flagversions", "calapply", "manifests", "pprs"),
    *("calibrated", "products", "qa", "weblogs", "logs", "other"),
)


@st.composite
def parts(draw):
    whole = WHOLE[draw(st.sampled_from(sorted(WHOLE)))]
    names = draw(st.sets(st.sampled_from(sorted(whole)), min_size=1))
    return {name: whole[name] for name in names}


@settings(max_examples=60, deadline=None)
@given(parts())
def test_any_part_of_a_delivery(tree):
    with tempfile.TemporaryDirectory() as folder:
        root = make_tree(Path(folder), tree)
        try:
            found = layout.read_layout(root)
        except layout.DeliveryEmpty:
            return
        named = {path for field in FILES for path in getattr(found, field)}
        assert all((root / path).exists() for path in named)
        assert all(any(eb in name + text for name, text in tree.items()) for eb in found.ebs)
        assert found.dataset in {None, "uid://A001/X1465/X2f66"}
        assert found.era != "unknown"
        again = layout.read_layout(root)
        assert again == found


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["manifest", "request", "states"]))
def test_papers_may_hold_anything(data, paper):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "paper"
        path.write_bytes(data)
        if paper == "states":
            paperwork.read_states(paperwork.read_text(path))
        else:
            getattr(paperwork, f"read_{paper}")(path)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["a", "raw", "script", "log", "member.uid___A001_X1_X2", "x.ms"])))
def test_any_nesting_of_directories_is_bounded(names):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, *names).mkdir(parents=True, exist_ok=True)
        found = scan.scan(Path(folder))
        assert len(found) == min(len(names), scan.MAX_DEPTH) + 1
