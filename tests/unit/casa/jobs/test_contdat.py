"""cont.dat: written as the pipeline writes it, read in the forms of several years."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage.casa.jobs import _contdat as contdat

PIPELINE = """\
Field: NGC_1614

SpectralWindow: 0 X1398968310#ALMA_RB_06#BB_1#SW-01#FULL_RES
226.4602591310~226.4915120110GHz LSRK
226.7337218310~226.8274804710GHz LSRK

SpectralWindow: 1 X1398968310#ALMA_RB_06#BB_2#SW-01#FULL_RES
Flags: ALLCONT
228.0719283406~229.8531804325GHz LSRK

"""


def test_the_pipelines_own_file_is_read_and_written_again():
    entries = contdat.load(PIPELINE)
    assert [(e["spw"], e["flags"], len(e["ranges_hz"])) for e in entries] == [
        (0, [], 2),
        (1, ["ALLCONT"], 1),
    ]
    assert entries[0]["ranges_hz"][0] == pytest.approx([226460259131.0, 226491512011.0])
    assert contdat.dump(entries).strip() == PIPELINE.strip()


def test_older_flag_and_nothing_found():
    text = "Field: A\nSpectralWindow: 3\nALLCONT\nNONE\n"
    assert contdat.load(text) == [
        {"field": "A", "spw": 3, "spw_name": "", "ranges_hz": [], "flags": ["ALLCONT"]}
    ]


@pytest.mark.parametrize(
    "line", ["226.4~226.5", "226.4 226.5GHz LSRK", "rubbish", "226.4~226.5GHz TOPO"]
)
def test_malformed_line_is_named(line):
    with pytest.raises(ValueError, match="line 3"):
        contdat.load(f"Field: A\nSpectralWindow: 0 x\n{line}\n")


ranges = st.lists(
    st.tuples(st.integers(1, 10**6), st.integers(1, 10**6)).map(
        lambda pair: [pair[0] * 1e5, (pair[0] + pair[1]) * 1e5]
    ),
    max_size=3,
)


@given(st.lists(ranges, min_size=1, max_size=4))
def test_round_trip(spws):
    entries = [
        {"field": "A", "spw": n, "spw_name": f"n{n}", "ranges_hz": found, "flags": []}
        for n, found in enumerate(spws)
    ]
    again = contdat.load(contdat.dump(entries))
    assert [e["spw"] for e in again] == [e["spw"] for e in entries]
    for one, other in zip(again, entries, strict=True):
        assert len(one["ranges_hz"]) == len(other["ranges_hz"])
        for (low, high), (other_low, other_high) in zip(
            one["ranges_hz"], other["ranges_hz"], strict=True
        ):
            assert (low, high) == pytest.approx((other_low, other_high), abs=0.1)
