"""Questions about runs: how many come to their end, where, how long they take, what they make."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Float, cast, func, select

from reimage.model import ProductState, Result, State
from reimage.store.asking import Given, Question, Rows, by_entry, failed, hours, runs, share
from reimage.store.holdings_tables import Dataset
from reimage.store.run_tables import Run
from reimage.store.tally_tables import ALL_TIME, ProductTally, StageTally, Tally


def _reached_end(given: Given) -> Rows:
    del given
    return by_entry(
        "recipe",
        "recipe",
        runs().label("runs"),
        runs(Result.IMAGED).label("imaged"),
        runs(Result.PARTIAL).label("partial"),
        runs(Result.FAILED).label("failed"),
        runs(Result.LOST).label("lost"),
        runs(Result.REFUSED).label("refused"),
        runs(Result.CANCELLED).label("cancelled"),
        share(runs(Result.IMAGED), runs()).label("imaged_percent"),
        share(runs(Result.IMAGED, Result.PARTIAL), runs()).label("imaged_or_partial_percent"),
    ).order_by(runs().desc())


def _by_category(given: Given) -> Rows:
    del given
    return by_entry(
        "category",
        "category",
        runs().label("runs"),
        share(runs(Result.IMAGED), runs()).label("imaged_percent"),
        share(runs(Result.PARTIAL), runs()).label("partial_percent"),
        share(failed(), runs()).label("failed_percent"),
        share(runs(Result.REFUSED), runs()).label("refused_percent"),
        hours(func.sum(Tally.cpu_s)).label("cpu_h"),
    ).order_by(share(failed(), runs()).desc(), Tally.entry)


def _partial(given: Given) -> Rows:
    del given
    return by_entry(
        "category",
        "category",
        runs(Result.PARTIAL).label("partial_runs"),
        share(runs(Result.PARTIAL), runs()).label("of_runs_percent"),
    ).order_by(runs(Result.PARTIAL).desc(), Tally.entry)


def _hosts(given: Given) -> Rows:
    return (
        by_entry(
            "host",
            "host",
            failed().label("failed_runs"),
            runs().label("runs"),
            share(failed(), runs()).label("failed_percent"),
            runs(Result.LOST).label("lost_runs"),
            hours(func.sum(Tally.cpu_s)).label("cpu_h"),
        )
        .having(runs() >= given.values["runs"])
        .order_by(share(failed(), runs()).desc(), runs().desc())
    )


def _stages_slow(given: Given) -> Rows:
    del given
    mean = cast(func.sum(StageTally.wall_s), Float) / func.nullif(func.sum(StageTally.n_stages), 0)
    return (
        select(
            StageTally.stage,
            StageTally.build.label("casa"),
            func.sum(StageTally.n_stages).label("stages"),
            (mean / 60).label("mean_min"),
            hours(func.sum(StageTally.wall_s)).label("wall_h"),
        )
        .where(StageTally.day_no == ALL_TIME, StageTally.state == "proven")
        .group_by(StageTally.stage, StageTally.build)
        .order_by(mean.desc())
    )


def _products(state: ProductState, given: Given) -> Rows:
    del given
    there = func.sum(ProductTally.n_products).label("all_products")
    whole = (
        select(ProductTally.recipe, ProductTally.kind, there)
        .where(ProductTally.day_no == ALL_TIME)
        .group_by(ProductTally.recipe, ProductTally.kind)
        .subquery()
    )
    of_kind = (ProductTally.kind == whole.c.kind) & (ProductTally.recipe == whole.c.recipe)
    return (
        select(
            ProductTally.kind,
            ProductTally.recipe,
            ProductTally.n_products.label(f"{state.value}_products"),
            whole.c.all_products,
            share(ProductTally.n_products.expression, whole.c.all_products).label("percent"),
        )
        .join(whole, of_kind)
        .where(ProductTally.day_no == ALL_TIME, ProductTally.state == state)
        .order_by(ProductTally.n_products.desc(), ProductTally.kind, ProductTally.recipe)
    )


def _absent(given: Given) -> Rows:
    return _products(ProductState.ABSENT, given)


def _mitigated(given: Given) -> Rows:
    return _products(ProductState.MITIGATED, given)


def _disk(given: Given) -> Rows:
    del given
    n_bytes = func.sum(ProductTally.n_bytes)
    return (
        select(
            ProductTally.recipe,
            ProductTally.kind,
            func.sum(ProductTally.n_products).label("products"),
            (cast(n_bytes, Float) / 10**9).label("gb"),
        )
        .where(ProductTally.day_no == ALL_TIME)
        .group_by(ProductTally.recipe, ProductTally.kind)
        .order_by(n_bytes.desc(), ProductTally.recipe, ProductTally.kind)
    )


def _queued(given: Given) -> Rows:
    del given
    return (
        select(Run.created_at, Run.run, _dataset(), Run.recipe, Run.sweep)
        .where(Run.state == State.QUEUED)
        .order_by(Run.created_at, Run.id)
    )


def _dataset() -> ColumnElement[str]:
    """Return the dataset of a run; looked up for the rows that are told, never a join to start with."""
    key = select(Dataset.dataset_key).where(Dataset.id == Run.dataset_id)
    return key.correlate(Run).scalar_subquery().label("dataset")


def _running(given: Given) -> Rows:
    del given
    return (
        select(
            *(Run.submitted_at, Run.started_at, Run.run, Run.stage),
            *(_dataset(), Run.recipe, Run.build.label("casa")),
        )
        .where(Run.state.in_((State.RUNNING, State.SUBMITTED)))
        .order_by(Run.submitted_at, Run.id)
    )


def _stages_failed(given: Given) -> Rows:
    del given
    return by_entry(
        "stage",
        "stage",
        failed().label("failed_runs"),
        runs(Result.REFUSED).label("refused_runs"),
        hours(func.sum(Tally.cpu_s)).label("cpu_h"),
    ).order_by(failed().desc(), Tally.entry)


def _sweeps(given: Given) -> Rows:
    del given
    return by_entry(
        "sweep",
        "sweep",
        func.max(Tally.last_at).label("last_at"),
        runs().label("runs"),
        share(runs(Result.IMAGED), runs()).label("imaged_percent"),
        share(failed(), runs()).label("failed_percent"),
        hours(func.sum(Tally.cpu_s)).label("cpu_h"),
    ).order_by(func.max(Tally.last_at).desc(), Tally.entry)


QUESTIONS = (
    Question(
        name="reached-end",
        title="What share of the runs reached the end?",
        meaning="All runs that are done, by recipe: how many were imaged, in part, or how else they ended.",
        ask=_reached_end,
    ),
    Question(
        name="success-by-category",
        title="How do the categories fare?",
        meaning="Shares of the runs that are done; the category that fails most comes first.",
        ask=_by_category,
    ),
    Question(
        name="partial-by-category",
        title="Where are images missing?",
        meaning="Runs that made some of the planned images and not all, by category.",
        ask=_partial,
    ),
    Question(
        name="hosts",
        title="On which hosts do most runs fail?",
        meaning="Hosts with at least so many `runs` that are done; a host far above the others is ill.",
        ask=_hosts,
        parameters={"runs": 20},
    ),
    Question(
        name="slowest-stages",
        title="Which stages take longest, by CASA?",
        meaning="Mean time of the stages that were proven, in minutes, and their sum in hours.",
        ask=_stages_slow,
    ),
    Question(
        name="stages-failed",
        title="In which stage do runs end?",
        meaning="Runs that failed or were refused, by the stage they were in.",
        ask=_stages_failed,
    ),
    Question(
        name="products-absent",
        title="Which products are missing?",
        meaning="Products that were planned and could not be made, by kind and recipe.",
        ask=_absent,
    ),
    Question(
        name="products-mitigated",
        title="Which products were made smaller or coarser than planned?",
        meaning="Mitigated products by kind and recipe; their reason stands with each (`reimage products`).",
        ask=_mitigated,
    ),
    Question(
        name="disk",
        title="What do the products take up?",
        meaning="Bytes of the products of all runs that are done, in GB, by recipe and kind.",
        ask=_disk,
    ),
    Question(
        name="queued-longest",
        title="What waits longest?",
        meaning="Queued runs, the oldest first; what stays there is held up by a request or by slots.",
        ask=_queued,
    ),
    Question(
        name="running-longest",
        title="What runs longest?",
        meaning="Runs under way, the oldest first; one far beyond its kin may hang.",
        ask=_running,
    ),
    Question(
        name="sweeps",
        title="How did the sweeps fare?",
        meaning="Runs of each sweep that are done, the latest sweep first.",
        ask=_sweeps,
    ),
)
