"""Questions about time: what changed, how the days went."""

from __future__ import annotations

from sqlalchemy import ColumnElement, case, func, select

from reimage.model import Result
from reimage.store.asking import DAY, Given, Question, Rows, failed, hours, runs, share
from reimage.store.inbox_asked import UNCLASSIFIED
from reimage.store.inbox_sums import FAILING, ONE_EACH
from reimage.store.tally_tables import Tally


def _changed(given: Given) -> Rows:
    """Compare the last days with as many before them, by class."""
    span = max(1, min(given.values["days"], given.today // 2))
    newest = given.today - span

    def within(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.sum(case((condition, Tally.n_runs), else_=0))

    now, before = within(Tally.day_no > newest), within(Tally.day_no <= newest)
    return (
        select(
            Tally.entry.label("error_class"),
            now.label("runs"),
            before.label("runs_before"),
            (now - before).label("difference"),
        )
        .where(
            *(Tally.axis == "class", Tally.day_no > newest - span, Tally.result.in_(FAILING)),
        )
        .group_by(Tally.entry)
        .order_by(func.abs(now - before).desc(), Tally.entry)
    )


def _days(given: Given) -> Rows:
    return (
        select(
            Tally.day_no.label(DAY),
            runs().label("runs"),
            runs(Result.IMAGED).label("imaged"),
            failed().label("failed"),
            share(runs(Result.IMAGED), runs()).label("imaged_percent"),
            hours(func.sum(Tally.cpu_s)).label("cpu_h"),
        )
        .where(Tally.axis == ONE_EACH, Tally.day_no > _begin(given))
        .group_by(Tally.day_no)
        .order_by(Tally.day_no.desc())
    )


def _unclassified(given: Given) -> Rows:
    unknown = func.sum(case((Tally.entry == UNCLASSIFIED, Tally.n_runs), else_=0))
    return (
        select(
            Tally.day_no.label(DAY),
            runs().label("failed_runs"),
            unknown.label("unclassified_runs"),
            share(unknown, runs()).label("percent"),
        )
        .where(
            *(Tally.axis == "class", Tally.day_no > _begin(given), Tally.result.in_(FAILING)),
        )
        .group_by(Tally.day_no)
        .order_by(Tally.day_no.desc())
    )


def _begin(given: Given) -> int:
    days: int = given.values["days"]
    return given.today - min(days, given.today)


QUESTIONS = (
    Question(
        name="changed",
        title="What changed since last week?",
        meaning="Failed runs by class in the last `days`, beside as many days before.",
        ask=_changed,
        parameters={"days": 7},
    ),
    Question(
        name="days",
        title="How did the days go?",
        meaning="Runs that were done on each of the last `days` (UTC).",
        ask=_days,
        parameters={"days": 30},
    ),
    Question(
        name="unclassified-by-day",
        title="How much does no class match?",
        meaning="Share of the failed runs of each of the last `days` that no class matches.",
        ask=_unclassified,
        parameters={"days": 30},
    ),
)
