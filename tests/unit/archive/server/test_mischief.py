"""Rules of misbehaviour: how they are written, whom they meet, how often."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage.archive.server.mischief import KINDS, OPTIONAL_VALUE, WITHOUT_VALUE, Mischief, Rule
from reimage.archive.server.mischief import MischiefMalformed as Malformed
from reimage.archive.server.portal import UNSATISFIABLE, Access, parse_range

TAR = "dataPortal/a.tar"
WHO = {"user": "u", "password": "p", "token": "t"}


@pytest.mark.parametrize(
    ("text", "kind_value_pattern", "skip_times"),
    [
        ("drop", ("drop", "", "*"), (0, None)),
        ("status=500@dataPortal/*.tar x1", ("status", "500", "dataPortal/*.tar"), (0, 1)),
        ("status=503/20 +2 x3", ("status", "503/20", "*"), (2, 3)),
        ("html@a", ("html", "", "a"), (0, None)),
        ("redirect=http://h/x@a", ("redirect", "http://h/x", "a"), (0, None)),
        ("latency=0.5", ("latency", "0.5", "*"), (0, None)),
        ("empty@datalink/sync?ID=uid://A1/*", ("empty", "", "datalink/sync?ID=uid://A1/*"), (0, None)),
        ("name=../../etc/passwd@*", ("name", "../../etc/passwd", "*"), (0, None)),
    ],
)  # fmt: skip
def test_a_rule_is_read(text, kind_value_pattern, skip_times):
    rule = Rule.parse(text)
    assert (rule.kind, rule.value, rule.pattern) == kind_value_pattern
    assert (rule.skip, rule.times) == skip_times


@pytest.mark.parametrize(
    "text",
    [
        *("", "explode", "status", "status=99", "status=abc", "drop=1", "truncate", "truncate=-1"),
        *("latency=0", "latency=soon", "down", "size=big", "name", "status=500 x", "stall=1 @a"),
    ],
)
def test_what_is_no_rule_is_refused(text):
    with pytest.raises(Malformed):
        Rule.parse(text)


def test_every_kind_says_what_its_value_is():
    for kind in KINDS:
        if kind in WITHOUT_VALUE | OPTIONAL_VALUE:
            assert Rule.parse(kind).value == ""
        else:
            with pytest.raises(Malformed):
                Rule.parse(kind)


@given(skip=st.integers(0, 4), times=st.integers(0, 4), asked=st.integers(0, 10))
def test_a_rule_lets_pass_and_then_is_done_so_often(skip, times, asked):
    mischief = Mischief.of([f"drop@{TAR} +{skip} x{times}"])
    done = [bool(mischief.taken(TAR)) for _ in range(asked)]
    assert done == ([False] * skip + [True] * times + [False] * 10)[:asked]


def test_a_rule_meets_only_what_it_is_about():
    mischief = Mischief.of(["drop@dataPortal/*.tar x1", "status=500@datalink/sync?ID=*X2 x1"])
    assert not mischief.taken("dataPortal/a.txt")
    assert not mischief.taken("datalink/sync", "ID=uid://A001/X1/X3")
    assert mischief.taken("datalink/sync", "ID=uid://A001/X1/X2") == {"status": "500"}
    assert mischief.taken(TAR) == {"drop": ""}


def test_of_one_kind_the_first_still_in_force_is_done():
    mischief = Mischief.of(["status=500 x1", "status=404 x1"])
    assert [mischief.taken(TAR).get("status") for _ in range(3)] == ["500", "404", None]


def test_rules_about_listings_are_not_used_up_by_requests():
    mischief = Mischief.of(["blank@dataPortal/* x1"])
    assert not mischief.taken(TAR)
    assert mischief.listed(TAR, {"size"}) == {}
    assert mischief.listed(TAR, {"blank"}) == {"blank": ""}


def test_away_for_so_long():
    now = [100.0]
    mischief = Mischief.of(["down=5@*.tar x1"])
    mischief.clock = lambda: now[0]
    assert not mischief.is_away
    mischief.taken(TAR)
    assert mischief.is_away
    now[0] += 5
    assert not mischief.is_away
    mischief.add("down=3")
    assert mischief.is_away


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("bytes=0-", (0, 99)),
        ("bytes=10-19", (10, 19)),
        ("bytes=10-1000", (10, 99)),
        ("bytes=-10", (90, 99)),
        ("bytes=-1000", (0, 99)),
        ("bytes=99-", (99, 99)),
        ("bytes=100-", UNSATISFIABLE),
        ("bytes=-0", UNSATISFIABLE),
        ("bytes=20-10", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
        ("bytes=\u0661-", None),
    ],
)
def test_ranges(header, found):
    assert parse_range(header, 100) == found


@given(first=st.integers(0, 300), last=st.one_of(st.none(), st.integers(0, 300)))
def test_a_range_lies_in_the_file_and_is_what_was_asked(first, last):
    data = bytes(range(200))
    found = parse_range(f"bytes={first}-{'' if last is None else last}", len(data))
    wanted = data[first:] if last is None else data[first : last + 1]
    if found is None:
        assert last is not None
        assert last < first
    elif found == UNSATISFIABLE:
        assert not wanted
    else:
        assert data[found[0] : found[1] + 1] == wanted


@pytest.mark.parametrize(
    ("header", "good"),
    [
        ("Basic dTpw", True),  # u:p
        ("basic dTpw", True),
        ("Basic dTpx", False),
        ("Basic ***", False),
        ("Basic gIE=", False),  # no UTF-8
        ("Bearer t", True),
        ("Bearer T", False),
        ("Bearer", False),
        ("", False),
        ("Digest u", False),
    ],
)
def test_credentials(header, good):
    assert Access(**WHO).admits(header) is good
    assert not Access().admits(header)


def test_credentials_are_not_shown():
    assert "very secret" not in repr(Access(**{**WHO, "password": "very secret"}))
