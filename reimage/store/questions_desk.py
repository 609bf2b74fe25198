"""Questions about what to do next: what blocks, who must act, what came back, what is not classified."""

from __future__ import annotations

from sqlalchemy import func, literal_column, select, true

from reimage.model import Result
from reimage.store.asking import Given, Question, Rows, hours, runs
from reimage.store.desk_tables import ErrorClass, Failure, GroupState
from reimage.store.holdings_tables import Dataset
from reimage.store.inbox_asked import UNCLASSIFIED
from reimage.store.inbox_rows import blocking
from reimage.store.run_tables import Run
from reimage.store.tally_tables import ALL_TIME, Tally


def _by_fault(given: Given) -> Rows:
    del given
    fault = func.coalesce(ErrorClass.fault, literal_column("'unknown'"))
    return (
        select(
            fault.label("fault"),
            func.count(Tally.entry.distinct()).label("classes"),
            runs().label("runs"),
            func.sum(Tally.n_blocked).label("blocked_datasets"),
            hours(func.sum(Tally.cpu_s)).label("cpu_h"),
        )
        .outerjoin(ErrorClass, ErrorClass.name == Tally.entry)
        .where(
            *(Tally.axis == "class", Tally.day_no == ALL_TIME),
            Tally.result != Result.REFUSED,
        )
        .group_by(fault)
        .order_by(func.sum(Tally.n_blocked).desc())
    )


def _blocked_longest(given: Given) -> Rows:
    del given
    return (
        select(
            *(Failure.failed_at, Dataset.dataset_key.label("dataset"), Failure.error_class),
            *(Failure.stage, Failure.recipe, Run.run),
        )
        .join(Dataset, Dataset.id == Failure.dataset_id)
        .join(Run, Run.id == Failure.run_id)
        .where(*blocking())
        .order_by(Failure.failed_at, Failure.id)
    )


def _came_back(given: Given) -> Rows:
    del given
    return (
        select(
            GroupState.name.label("group_name"),
            *(GroupState.resolved_in, GroupState.resolved_at),
            func.max(Tally.last_at).label("last_at"),
            func.sum(Tally.n_blocked).label("blocked_datasets"),
            GroupState.url,
        )
        .join(Tally, Tally.entry == GroupState.name)
        .where(
            *(Tally.axis.in_(("class", "signature")), Tally.day_no == ALL_TIME),
            *(GroupState.resolved_at.is_not(None), Tally.last_at > GroupState.resolved_at),
        )
        .group_by(
            *(GroupState.name, GroupState.resolved_in, GroupState.resolved_at, GroupState.url)
        )
        .order_by(func.max(Tally.last_at).desc())
    )


def _unclassified(given: Given) -> Rows:
    del given
    return (
        select(
            Failure.signature,
            func.sum(Failure.n_blocked).label("blocked_datasets"),
            func.count().label("runs"),
        )
        .where(Failure.error_class == UNCLASSIFIED, Failure.is_final == true())
        .group_by(Failure.signature)
        .order_by(func.sum(Failure.n_blocked).desc(), func.count().desc(), Failure.signature)
    )


def _untold(given: Given) -> Rows:
    """Find classes that are declared and that no run ended with."""
    del given
    seen = select(Tally.entry).where(Tally.axis == "class", Tally.day_no == ALL_TIME)
    return (
        select(ErrorClass.name, ErrorClass.family, ErrorClass.title)
        .where(ErrorClass.name.not_in(seen))
        .order_by(ErrorClass.family, ErrorClass.name)
    )


QUESTIONS = (
    Question(
        name="unclassified",
        title="What should be classified next?",
        meaning="Signatures of what no class matches, by how many datasets they block.",
        ask=_unclassified,
    ),
    Question(
        name="by-fault",
        title="Who must act?",
        meaning="Failures by who must act, as the classes declare it: archive, delivery, CASA, recipe, resource, us.",
        ask=_by_fault,
    ),
    Question(
        name="blocked-longest",
        title="Which datasets have been blocked longest?",
        meaning="Datasets whose newest run failed, the oldest failure first.",
        ask=_blocked_longest,
    ),
    Question(
        name="came-back",
        title="What was resolved and failed again?",
        meaning="Classes and signatures that somebody resolved, with failures after that.",
        ask=_came_back,
    ),
    Question(
        name="never-seen",
        title="Which classes never matched?",
        meaning="Declared error classes that no run ended with: rare, or dead.",
        ask=_untold,
    ),
)
