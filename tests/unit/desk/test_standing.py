"""How a group of failures stands, from its counts and what people said of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import nbinom

from reimage.desk import standing
from reimage.desk.standing import Phase, Said, Trend, bars, day_number, forecast, judge

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TODAY = day_number(NOW)
LONG_AGO = NOW - timedelta(days=400)

days_counts = st.dictionaries(st.integers(TODAY - 60, TODAY), st.integers(0, 50), max_size=60)
moments = st.integers(0, 600 * 24).map(lambda hours: NOW - timedelta(hours=hours))
saids = st.builds(
    Said,
    resolved_in=st.just("1.2"),
    resolved_at=st.none() | moments,
    snoozed_until=st.none() | st.integers(-100, 100).map(lambda n: NOW + timedelta(days=n)),
    snoozed_runs=st.none() | st.integers(0, 20),
    runs_since_snoozed=st.integers(0, 20),
)


@pytest.mark.parametrize("earlier", [0, 1, 4, 28, 400, 20_000])
def test_the_forecast_is_the_distribution_s_99_per_cent_point(earlier):
    expected = nbinom(earlier + 0.5, 28 / 35)
    assert forecast(earlier) == expected.ppf(0.99)
    assert standing.fewest(earlier) == expected.ppf(0.01)


@given(st.integers(0, 3000))
def test_a_forecast_is_above_the_mean_and_grows_with_what_was(earlier):
    assert forecast(earlier) >= earlier / 4
    assert forecast(earlier) <= forecast(earlier + 1)
    assert standing.fewest(earlier) <= earlier / 4 + 1


@given(moments, moments, days_counts, st.none() | saids)
def test_one_phase_and_what_it_promises(one, other, days, said):
    first, last = min(one, other), max(one, other)
    told = judge(first, last, days, NOW, said)
    said = said or Said()
    if told.phase is Phase.RESOLVED:
        assert said.resolved_at >= last
    if told.phase is Phase.REGRESSED:
        assert said.resolved_at < last
    if told.phase is Phase.SNOOZED:
        assert said.snoozed_until is None or said.snoozed_until > NOW
        assert said.snoozed_runs is None or said.runs_since_snoozed < said.snoozed_runs
    if told.phase in {Phase.NEW, Phase.ESCALATING, Phase.ONGOING}:
        assert said.resolved_at is None
    assert told.is_quiet == (told.phase in {Phase.RESOLVED, Phase.SNOOZED})
    assert sum(told.weeks) == sum(n for day, n in days.items() if day > TODAY - 56)


@given(moments, days_counts, st.integers(0, 6), st.integers(1, 100))
def test_more_failures_never_calm(first, days, ago, more):
    def is_loud(counts):
        return judge(first, NOW, counts, NOW).phase is not Phase.ONGOING

    worse = {**days, TODAY - ago: days.get(TODAY - ago, 0) + more}
    assert is_loud(worse) or not is_loud(days)


@given(days_counts)
def test_what_is_resolved_wakes_with_the_next_failure(days):
    said = Said(resolved_in="6.7", resolved_at=NOW - timedelta(days=3))
    assert judge(LONG_AGO, said.resolved_at, days, NOW, said).phase is Phase.RESOLVED
    again = judge(LONG_AGO, said.resolved_at + timedelta(seconds=1), days, NOW, said)
    assert (again.phase, again.detail) == (Phase.REGRESSED, "6.7")


@pytest.mark.parametrize(
    ("said", "phase", "detail"),
    [
        (Said(snoozed_until=NOW + timedelta(days=2)), Phase.SNOOZED, "until 2026-11-22"),
        (Said(snoozed_until=NOW), Phase.ONGOING, ""),
        (Said(snoozed_runs=5, runs_since_snoozed=4), Phase.SNOOZED, "4 of 5 runs"),
        (Said(snoozed_runs=5, runs_since_snoozed=5), Phase.ONGOING, ""),
        (
            Said(snoozed_until=NOW + timedelta(days=2), snoozed_runs=5, runs_since_snoozed=7),
            Phase.ONGOING,
            "",
        ),
    ],
)
def test_a_snoozed_group_wakes_by_date_or_by_count(said, phase, detail):
    told = judge(LONG_AGO, NOW, {TODAY: 1, TODAY - 20: 4}, NOW, said)
    assert (told.phase, told.detail) == (phase, detail)


def test_new_escalating_and_ongoing():
    assert judge(NOW - timedelta(days=6), NOW, {TODAY: 90}, NOW).phase is Phase.NEW
    steady = dict.fromkeys(range(TODAY - 60, TODAY + 1), 3)
    assert judge(LONG_AGO, NOW, steady, NOW).phase is Phase.ONGOING
    told = judge(LONG_AGO, NOW, steady | {TODAY: 40}, NOW)
    assert (told.phase, told.trend) == (Phase.ESCALATING, Trend.RISING)
    gone = {day: n for day, n in steady.items() if day <= TODAY - 7}
    assert judge(LONG_AGO, NOW, gone, NOW).trend is Trend.FALLING
    assert judge(LONG_AGO, LONG_AGO, {}, NOW).trend is Trend.QUIET


@given(st.lists(st.integers(0, 10**6), max_size=20).map(tuple))
def test_a_line_of_bars_has_one_for_each_count(counts):
    drawn = bars(counts)
    assert len(drawn) == len(counts)
    assert all((bar == " ") == (n == 0) for bar, n in zip(drawn, counts, strict=True))
    if any(counts):
        assert drawn[counts.index(max(counts))] == "█"
