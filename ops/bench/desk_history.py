"""A made-up history of the service, as large as one of many years: what `ops/bench/desk.py` asks its questions of.

Rows are distributed as they are in the world: a few classes, hosts and signatures have most of the failures, and
most have few; some datasets are run again and again.  Everything is drawn with one seed.  What there is most of
(events, products, stages) SQLite makes itself from the runs, so that memory stays small.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reimage.store import migrate, tables
from reimage.triage.catalogue import load_classes

RUNS, DATASETS = 1_000_000, 60_000
END = datetime(2026, 11, 20, tzinfo=UTC)
"""The history's last moment."""
DAYS = 1000
FAILED, RETRIED = 0.215, 0.05
"""Of the runs; which had an attempt before that failed, whatever came of them: 265 000 failures of a million runs."""
LIVE = 3000
PRODUCTS = 27
"""Of a run that came to imaging: 20 million of a million runs."""
EVENTS = 8
BLOCK = 50_000
STAGES = ("fetch", "choose", "restore", "image", "derive", "assess")
RESULTS = ("failed", "partial", "refused", "lost", "cancelled")
SHARES = (0.62, 0.2, 0.08, 0.06, 0.04)
RECIPES = ("hifa-image", "hifa-image-2018", "hifatargets-2017")
CATEGORIES = tuple(
    f"cycle{cycle}-{kind}-{array}"
    for cycle in range(12)
    for kind in ("pipeline", "manual")
    for array in ("12m", "7m")
)
BUILDS = tuple(f"casa-{major}.{minor}" for major in (4, 5, 6) for minor in (1, 2, 3, 5, 6, 7))
BANDS = ("6", "3", "7", "4", "8", "5", "9", "3 6", "6 7", "10", "1")
Numbers = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class History:
    """A made history."""

    path: Path
    seconds: float
    """That making took; 0 when it was there."""

    @property
    def url(self) -> str:
        """For `reimage.store.migrate.open_database`."""
        return f"sqlite:///{self.path}"


def history(folder: Path, scale: float) -> History:
    """Return a history of ``scale`` million runs below a folder, made unless it is there.

    It is made anew when this program or the schema's tables changed; an index that is new is added.
    """
    path = folder / f"desk-{_digest(scale)}.db"
    begun = time.monotonic()
    is_new = not path.is_file()
    if is_new:
        part = path.with_suffix(".part")
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob(f"{part.name}*"):
            old.unlink()
        _make(part, scale)
        part.rename(path)
    index(path)
    return History(path=path, seconds=time.monotonic() - begun if is_new else 0.0)


def index(path: Path) -> None:
    """Add the indexes that the schema has and the file lacks."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")
        there = {name for (name,) in found}
        wanted = dict(_indexes())
        for name in wanted.keys() - there:
            connection.execute(wanted[name])
        connection.commit()


def analyse(path: Path) -> None:
    """Let SQLite count what its indexes tell apart, as an operator would in a database of this size."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ANALYZE")
        connection.commit()


def _indexes() -> Iterator[tuple[str, str]]:
    from sqlalchemy.dialects import sqlite  # noqa: PLC0415 -- the dialect alone
    from sqlalchemy.schema import CreateIndex  # noqa: PLC0415

    for table in tables.metadata().tables.values():
        for one in table.indexes:
            yield str(one.name), str(CreateIndex(one).compile(dialect=sqlite.dialect()))


def _digest(scale: float) -> str:
    shape = [
        f"{table.name}.{column.name} {column.type!r}"
        for table in tables.metadata().sorted_tables
        for column in table.columns
    ]
    text = "\n".join([Path(__file__).read_text(encoding="utf-8"), *shape, str(scale)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _make(path: Path, scale: float) -> None:
    migrate.upgrade(f"sqlite:///{path}")
    n_runs, n_datasets = round(RUNS * scale), max(200, round(DATASETS * scale))
    random = np.random.default_rng(20261120)
    with closing(sqlite3.connect(path)) as connection:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "foreign_keys = OFF"):
            connection.execute(f"PRAGMA {pragma}")
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        ).fetchall():
            connection.execute(f'DROP INDEX "{name}"')  # made again at the end: faster
        _holdings(connection, random, n_datasets)
        _runs(connection, random, n_runs, n_datasets)
        _from_runs(connection)
        connection.commit()


def _holdings(connection: sqlite3.Connection, random: np.random.Generator, n: int) -> None:
    at = _moment(END - timedelta(days=DAYS))
    connection.execute("INSERT INTO holding (name, title) VALUES ('alma', 'ALMA')")
    connection.executemany(
        "INSERT INTO category (name, kind, digest, definition, declared_at)"
        " VALUES (?, 'partition', 'd', '{}', ?)",
        [(name, at) for name in CATEGORIES],
    )
    connection.executemany(
        "INSERT INTO error_class (name, family, title, fault, remedy, seen_at) VALUES (?, ?, ?, ?, ?, ?)",
        [(c.id, c.family, c.title, c.fault, c.remedy, at) for c in load_classes()],
    )
    bands = random.choice(len(BANDS), n, p=_tail(len(BANDS)))
    rows = [(i + 1, f"uid://A001/X{i:x}/X1", i % 12, BANDS[band]) for i, band in enumerate(bands)]
    connection.executemany(
        "INSERT INTO dataset (id, holding, dataset_key, synced_at, facts) VALUES (?, 'alma', ?, ?, '{}')",
        [(i, key, at) for i, key, _, _ in rows],
    )
    connection.executemany(
        "INSERT INTO dataset_alma (dataset_id, mous, project, cycle, bands, array_kind)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [
            (
                i,
                key,
                f"{2012 + cycle}.1.{i % 1500:05}.S",
                cycle,
                band,
                "7m" if i % 4 == 0 else "12m",
            )
            for i, key, cycle, band in rows
        ],
    )
    connection.executemany(
        "INSERT INTO sweep (name, category, holding, recipe, is_pilot, n_datasets, created_at)"
        " VALUES (?, ?, 'alma', ?, 0, 100, ?)",
        [(f"sweep-{i}", CATEGORIES[i % len(CATEGORIES)], RECIPES[0], at) for i in range(400)],
    )


@dataclass(frozen=True, kw_only=True)
class _Drawn:
    """What was drawn of a block of runs."""

    ids: Numbers
    dataset: Numbers
    recipe: Numbers
    build: Numbers
    host: Numbers
    ended: Numbers
    fails: Numbers
    result: Numbers
    error_class: Numbers
    signature: Numbers
    stage: Numbers
    retried: Numbers
    cpu: Numbers


def _runs(
    connection: sqlite3.Connection, random: np.random.Generator, n_runs: int, n_datasets: int
) -> None:
    classes = ["unclassified", *(one.id for one in load_classes())]
    order = random.permutation(n_datasets)
    start = END - timedelta(days=DAYS)
    for first in range(0, n_runs, BLOCK):
        ids = np.arange(first, min(first + BLOCK, n_runs)) + 1
        n = len(ids)
        drawn = _Drawn(
            ids=ids,
            dataset=order[(n_datasets * random.random(n) ** 1.5).astype(int)] + 1,
            recipe=random.choice(len(RECIPES), n, p=(0.8, 0.15, 0.05)),
            build=random.choice(len(BUILDS), n, p=_tail(len(BUILDS))),
            host=random.choice(80, n, p=_tail(80)),
            ended=(start.timestamp() + DAYS * 86400 * (ids - 1) / n_runs).astype(int),
            fails=random.random(n) < FAILED,
            result=random.choice(len(RESULTS), n, p=SHARES),
            error_class=random.choice(len(classes), n, p=_tail(len(classes))),
            signature=random.zipf(1.4, n) % 4000,
            stage=random.choice(len(STAGES), n, p=(0.15, 0.05, 0.2, 0.45, 0.1, 0.05)),
            retried=random.random(n) < RETRIED,
            cpu=np.round(random.lognormal(8.5, 1.2, n), 1),
        )
        _insert(connection, drawn, classes, live_after=n_runs - min(LIVE, n_runs // 300))


def _insert(
    connection: sqlite3.Connection, drawn: _Drawn, classes: list[str], *, live_after: int
) -> None:
    runs, attempts, failures = [], [], []
    live: set[tuple[int, int]] = set()
    columns = zip(
        *(getattr(drawn, name).tolist() for name in drawn.__dataclass_fields__), strict=True
    )
    for (
        i,
        dataset,
        recipe,
        build,
        host,
        ended,
        fails,
        result,
        kind,
        sign,
        stage,
        retried,
        cpu,
    ) in columns:
        is_live = i > live_after and (dataset, recipe) not in live
        if is_live:
            live.add((dataset, recipe))
            runs.append(_live(i, dataset, recipe, ended))
            continue
        name = classes[kind]
        # A signature belongs to one class; those of the last digits come late in the history.
        signature = f"sv1:{kind:02x}{sign % (50 + i * 4000 // max(live_after, 1)):014x}"
        decisive = f"SEVERE tclean::: channel {i % 3840} of spw {i % 47} in field {dataset}: {name}"
        last = 2 if retried else 1
        shared = (
            *(dataset, RECIPES[recipe], CATEGORIES[dataset % len(CATEGORIES)]),
            *(BUILDS[build], f"node{host:03}"),
        )
        runs.append(
            (
                *(i, f"r{i:012}", *shared, "done", STAGES[stage] if fails else "assess"),
                *(
                    (RESULTS[result], name, signature, decisive)
                    if fails
                    else ("imaged", None, None, None)
                ),
                *(f"sweep-{i * 400 // (live_after * 2 + 1)}", last),
                *(ended - 90000, ended, cpu / 4, cpu * last),
                *(_n_products(stage if fails else 5, i)),
            )
        )
        attempts += [
            (
                i,
                number,
                f"node{host:03}",
                ended - 3600 * (last - number),
                11 if fails and kind % 9 == 4 else None,
                cpu,
            )
            for number in range(1, last + 1)
        ]
        message = f"{name}: run {i} of dataset {dataset} ended in {STAGES[stage]} on {host}; " * 2
        failures += [
            (
                *(i, number, STAGES[stage], RESULTS[result] if number == last else "failed", name),
                *(
                    signature,
                    message,
                    decisive,
                    ended - 3600 * (last - number),
                    number == last,
                    *shared,
                    cpu,
                ),
            )
            for number in range(1, last + fails)
        ]
    _write(connection, runs, attempts, failures)


def _live(i: int, dataset: int, recipe: int, at: int) -> tuple[Any, ...]:
    state = "running" if i % 10 == 0 else "queued"
    shared = (dataset, RECIPES[recipe], CATEGORIES[dataset % len(CATEGORIES)], None, None)
    asked = (None, None, None, None, "sweep-399", 0, at, None, None, None, 0, 0, 0)
    return (i, f"r{i:012}", *shared, state, None, *asked)


def _n_products(stage: int, i: int) -> tuple[int, int, int]:
    """Return how many are planned, made and of those mitigated, as `_from_runs` will make them."""
    if stage < STAGES.index("image"):
        return 0, 0, 0
    absent = sum((i + n) % 40 == 0 for n in range(PRODUCTS))
    mitigated = sum((i + n) % 40 in {1, 2} for n in range(PRODUCTS))
    return PRODUCTS, PRODUCTS - absent, mitigated


def _write(
    connection: sqlite3.Connection, runs: list[Any], attempts: list[Any], failures: list[Any]
) -> None:
    connection.executemany(RUN_MADE, runs)
    connection.executemany(ATTEMPT_MADE, attempts)
    connection.executemany(FAILURE_MADE, failures)


RUN_MADE = """
INSERT INTO run (id, run, dataset_id, recipe, category, build, host, state, stage, result, error_class, signature,
 decisive, sweep, attempt_no, created_at, ended_at, wall_s, cpu_s, products_planned, products_made,
 products_mitigated, recipe_digest, directory, priority, memory_mb, limit_s, caveats, log_offset)
VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,
 strftime('%Y-%m-%d %H:%M:%S.000000', ?, 'unixepoch'), strftime('%Y-%m-%d %H:%M:%S.000000', ?, 'unixepoch'),
 ?,?,?,?,?,'d','runs',0,16000,86400,'[]',0)
"""
ATTEMPT_MADE = """
INSERT INTO attempt (run_id, attempt_no, host, executor, ended_at, exit_signal, cpu_s, submitted_at, journal_offset)
VALUES (?,?,?,'local',strftime('%Y-%m-%d %H:%M:%S.000000', ?, 'unixepoch'),?,?,'2024-01-01 00:00:00.000000',0)
"""
FAILURE_MADE = """
INSERT INTO failure (run_id, attempt_no, stage, result, error_class, signature, message, decisive, failed_at,
 is_final, dataset_id, recipe, category, build, host, cpu_s)
VALUES (?,?,?,?,?,?,?,?,strftime('%Y-%m-%d %H:%M:%S.000000', ?, 'unixepoch'),?,?,?,?,?,?,?)
"""


def _from_runs(connection: sqlite3.Connection) -> None:
    """Make what follows from the runs: stages, events, products, judgements, decisions, what blocks."""
    connection.execute("CREATE TEMP TABLE way (n, name)")
    connection.executemany("INSERT INTO way VALUES (?, ?)", enumerate(STAGES))
    connection.execute("CREATE TEMP TABLE number (n)")
    connection.executemany("INSERT INTO number VALUES (?)", [(n,) for n in range(100)])
    given = {"events": EVENTS, "products": PRODUCTS}
    for statement in (STAGES_MADE, EVENTS_MADE, PRODUCTS_MADE, BLOCKED, JUDGED, DECIDED, KEPT):
        named = {name: value for name, value in given.items() if f":{name}" in statement}
        connection.execute(statement, named)
        connection.commit()


STAGES_MADE = """
INSERT INTO stage_record (run_id, attempt_no, stage, state, started_at, ended_at, wall_s)
SELECT a.run_id, a.attempt_no, w.name,
 CASE WHEN w.name = r.stage AND r.result <> 'imaged' THEN 'failed' ELSE 'proven' END,
 r.created_at, r.ended_at, a.cpu_s / 24 * (w.n + 1)
FROM attempt a JOIN run r ON r.id = a.run_id CROSS JOIN way w
WHERE w.n <= (SELECT v.n FROM way v WHERE v.name = r.stage)
"""
EVENTS_MADE = """
INSERT INTO event (run_id, attempt_no, seq, happened_at, event, data)
SELECT r.id, 1, k.n + 1, r.ended_at,
 CASE k.n WHEN 0 THEN 'run.begun' WHEN 7 THEN 'run.ended' ELSE 'stage.proven' END, '{"stage": "image"}'
FROM run r CROSS JOIN number k WHERE r.state = 'done' AND k.n < :events
"""
PRODUCTS_MADE = """
INSERT INTO product (run_id, name, kind, state, is_planned, path, n_bytes, numbers)
SELECT r.id, 'm.spw' || k.n || '.fits', CASE k.n % 3 WHEN 0 THEN 'cont' WHEN 1 THEN 'cube' ELSE 'mom' END,
 CASE (r.id + k.n) % 40 WHEN 0 THEN 'absent' WHEN 1 THEN 'mitigated' WHEN 2 THEN 'mitigated' ELSE 'made' END,
 1, 'products/' || k.n, CASE WHEN (r.id + k.n) % 40 = 0 THEN NULL ELSE 1000000 END, '{}'
FROM run r CROSS JOIN number k WHERE r.products_planned > 0 AND k.n < :products
"""
BLOCKED = """
UPDATE failure SET n_blocked = 1 WHERE is_final = 1 AND run_id IN
 (SELECT MAX(r.id) FROM run r WHERE r.state = 'done' GROUP BY r.dataset_id)
"""
JUDGED = """
INSERT INTO classification (failure_id, error_class, signature, author, symptoms, judged_at)
SELECT id, error_class, signature, error_class || '@1', '[]', failed_at FROM failure
"""
DECIDED = """
INSERT INTO decision (run_id, attempt_no, kind, reason, author, decided_at)
SELECT run_id, attempt_no, CASE WHEN is_final THEN 'end' ELSE 'retry' END, error_class, 'controller', failed_at
FROM failure
"""
KEPT = """
INSERT INTO evidence (run_id, attempt_no, kind, path, n_bytes, sha256, excerpt)
SELECT run_id, attempt_no, 'bundle', 'evidence/attempt-' || attempt_no || '.json', 2000, 's', decisive
FROM failure
"""


def _tail(n: int) -> Numbers:
    """Return the shares of n kinds, each a little rarer than the one before."""
    weights: Numbers = 1.0 / np.arange(1, n + 1) ** 1.1
    shares: Numbers = weights / weights.sum()
    return shares


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S.000000")


@contextmanager
def timed() -> Iterator[list[float]]:
    """Measure what is done within: the list gets its seconds."""
    begun, told = time.monotonic(), [0.0]
    yield told
    told[0] = time.monotonic() - begun
