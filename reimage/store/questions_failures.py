"""Questions about failures: which class where, what blocks, what was tried."""

from __future__ import annotations

from sqlalchemy import case, func, literal_column, select, true
from sqlalchemy.orm import aliased

from reimage.model import Result
from reimage.store.asking import Given, Question, Rows, by_entry, failed, hours, runs, share
from reimage.store.desk_tables import Decision, Failure
from reimage.store.holdings_tables import Dataset
from reimage.store.inbox_rows import blocking
from reimage.store.run_tables import Run
from reimage.store.tally_tables import ALL_TIME, Tally

WRONG_CASA = "script-of-other-casa casa-too-old casa-build-missing casa-version-not-stated"


def _classes(given: Given) -> list[str]:
    """Return the classes that are asked for: words with blanks or commas between."""
    return str(given.values["classes"]).replace(",", " ").split()


def _by_category(given: Given) -> Rows:
    """Count the failures of some classes by category, beside all runs of the category."""
    done = func.sum(Tally.n_runs).label("runs")
    whole = (
        select(Tally.entry, done)
        .where(Tally.axis == "category", Tally.day_no == ALL_TIME)
        .group_by(Tally.entry)
        .subquery()
    )
    category = func.coalesce(Failure.category, literal_column("'none'"))
    found = (
        select(
            category.label("category"),
            func.count().label("n"),
            func.sum(Failure.n_blocked).label("blocked"),
        )
        .where(Failure.error_class.in_(_classes(given)), Failure.is_final == true())
        .group_by(category)
        .subquery()
    )
    return (
        select(
            found.c.category,
            found.c.n.label("failed_runs"),
            whole.c.runs,
            share(found.c.n, whole.c.runs).label("percent"),
            found.c.blocked.label("blocked_datasets"),
        )
        .join(whole, whole.c.entry == found.c.category)
        .order_by(found.c.n.desc(), found.c.category)
    )


def _by_casa(given: Given) -> Rows:
    return (
        select(
            Failure.build.label("casa"),
            Failure.error_class,
            Failure.stage,
            func.count().label("failed_runs"),
            func.sum(Failure.n_blocked).label("blocked_datasets"),
            func.count(Failure.host.distinct()).label("hosts"),
            func.max(Failure.failed_at).label("last_at"),
        )
        .where(Failure.error_class.in_(_classes(given)), Failure.is_final == true())
        .group_by(Failure.build, Failure.error_class, Failure.stage)
        .order_by(func.count().desc(), Failure.build)
    )


def _casa_and_category(given: Given) -> Rows:
    statement = by_entry(
        "casa-category",
        "casa_and_category",
        runs().label("runs"),
        runs(Result.IMAGED).label("imaged"),
        share(runs(Result.IMAGED), runs()).label("imaged_percent"),
        share(failed(), runs()).label("failed_percent"),
    )
    for word in ("casa", "category"):
        if given.values[word]:
            statement = statement.where(Tally.entry.contains(given.values[word], autoescape=True))
    return statement.order_by(Tally.entry)


def _twice(given: Given) -> Rows:
    again = aliased(Failure)
    same = (again.dataset_id == Failure.dataset_id, again.signature == Failure.signature)
    # Counted for each that blocks, of which there are few: a join would be led by its grouping.
    times = (
        select(func.count())
        .where(*same, again.is_final == true())
        .correlate(Failure)
        .scalar_subquery()
    )
    key = select(Dataset.dataset_key).where(Dataset.id == Failure.dataset_id).correlate(Failure)
    return (
        select(
            key.scalar_subquery().label("dataset"),
            *(Failure.error_class, Failure.signature, times.label("times")),
        )
        .where(*blocking(), times >= given.values["times"])
        .order_by(times.desc(), Failure.dataset_id)
    )


def _new_signatures(given: Given) -> Rows:
    said = (
        select(func.max(Failure.error_class))
        .where(Failure.signature == Tally.entry, Failure.failed_at >= given.ago("days"))
        .correlate(Tally)
        .scalar_subquery()
    )
    first = func.min(Tally.first_at)
    return (
        select(
            Tally.entry.label("signature"),
            said.label("error_class"),
            runs().label("runs"),
            func.sum(Tally.n_blocked).label("blocked_datasets"),
            first.label("first_at"),
        )
        .where(
            *(Tally.axis == "signature", Tally.day_no == ALL_TIME),
            Tally.first_at >= given.ago("days"),
        )
        .group_by(Tally.entry)
        .order_by(func.sum(Tally.n_blocked).desc(), runs().desc(), Tally.entry)
    )


def _remedies(given: Given) -> Rows:
    later = aliased(Run)
    came = func.coalesce(later.result, Run.result)
    worked = func.sum(case((came == Result.IMAGED, 1), else_=0))
    known = func.count(came)
    return (
        select(
            Decision.kind.label("remedy"),
            func.count().label("tried"),
            known.label("ended"),
            worked.label("imaged"),
            share(worked, known).label("imaged_percent"),
        )
        .join(Run, Run.id == Decision.run_id)
        .outerjoin(later, later.retry_of == Run.run)
        .where(Decision.decided_at >= given.ago("days"), Decision.kind != "end")
        .group_by(Decision.kind)
        .order_by(func.count().desc(), Decision.kind)
    )


def _burnt(given: Given) -> Rows:
    del given
    return by_entry(
        "class",
        "error_class",
        hours(func.sum(Tally.cpu_s)).label("cpu_h"),
        runs().label("runs"),
        hours(func.sum(Tally.cpu_s) / func.nullif(runs(), 0)).label("cpu_h_of_a_run"),
    ).order_by(func.sum(Tally.cpu_s).desc())


_WHERE = "The classes are words with blanks between: --with classes='memory wall-time'."
QUESTIONS = (
    Question(
        name="memory-by-category",
        title="Which categories run out of memory?",
        meaning=f"Failures of some classes by category, as a share of its runs.  {_WHERE}",
        ask=_by_category,
        parameters={"classes": "memory"},
    ),
    Question(
        name="wrong-casa",
        title="Where is the CASA wrong, or missing?",
        meaning=f"Runs whose delivery wants another CASA, by category.  {_WHERE}",
        ask=_by_category,
        parameters={"classes": WRONG_CASA},
    ),
    Question(
        name="no-visibilities",
        title="Where is nothing left to image?",
        meaning=f"Runs whose selection is empty or all flagged, by category.  {_WHERE}",
        ask=_by_category,
        parameters={"classes": "no-visibilities all-flagged"},
    ),
    Question(
        name="core-dumps",
        title="Which CASA crashes, and where?",
        meaning=f"Crashes by build and stage; on how many hosts tells CASA from a broken machine.  {_WHERE}",
        ask=_by_casa,
        parameters={"classes": "core-dump"},
    ),
    Question(
        name="success-by-casa",
        title="How does each CASA fare with each category?",
        meaning="Runs that are done by build and category; of those whose names hold a word: --with casa=6.5 --with "
        "category=12m.",
        ask=_casa_and_category,
        parameters={"casa": "", "category": ""},
    ),
    Question(
        name="failed-twice",
        title="Which datasets failed again in the same way?",
        meaning="Datasets blocked now by a signature with which they failed at least so many `times`: trying again is "
        "no use.",
        ask=_twice,
        parameters={"times": 2},
    ),
    Question(
        name="new-signatures",
        title="What is new?",
        meaning="Signatures first seen in the last `days`.",
        ask=_new_signatures,
        parameters={"days": 7},
    ),
    Question(
        name="remedies",
        title="Did it help to try again?",
        meaning="What was done of itself after failures of the last `days`, and how the runs ended then.",
        ask=_remedies,
        parameters={"days": 30},
    ),
    Question(
        name="cpu-burnt",
        title="What burns most CPU hours?",
        meaning="CPU hours of the runs that ended with each class, all their attempts together.",
        ask=_burnt,
    ),
)
