"""What the failure desk costs at a million runs, in ratios against limits: `make bench-desk`.

A made-up history (`desk_history.py`: a million runs, eight million events, 260 000 failures, more than 20 million
products) stands in SQLite, made once and kept until the schema changes.  Measured on it:
1. the inbox in every grouping, and every saved question: the 95th percentile of 20 times each, the first time
   (nothing in memory) among them;
2. the search for a text in messages and decisive lines;
3. journals that become rows (`desk_ingestion.py`), into this same database;
4. stored failures judged again, on one core, with the logs of the corpus for evidence.
Then all sums are compared with a full count of the rows (``--no-count`` leaves it out: it takes minutes).
Ends with 1 when a limit is exceeded or a sum is wrong.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import get_args

import desk_history
import desk_ingestion
from desk_history import END, History

from reimage import document
from reimage.desk import inbox
from reimage.store import migrate, questions, tallies
from reimage.store.asking import Question
from reimage.store.inbox_asked import Asked, By
from reimage.store.session import Database
from reimage.triage import evidence, rejudging
from reimage.triage.catalogue import load_classes
from reimage.triage.rejudging import Stored

TIMES = 20
ANSWER_S, SEARCH_S = 0.1, 0.5
EVENTS_A_SECOND, JUDGED_A_MINUTE = 2000, 10_000
JUDGED = 2000
CORPUS = Path(__file__).parents[2] / "tests" / "corpus"
SOUGHT = {"rare": "dataset 4711 ", "in all": "tclean", "in none": "no such text"}


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One number beside its limit."""

    what: str
    value: float
    limit: float
    unit: str
    more_is_better: bool = False

    @property
    def ratio(self) -> float:
        """Below 1 is kept."""
        return self.limit / self.value if self.more_is_better else self.value / self.limit


def main() -> int:
    """Measure all and print it; the exit code says whether every limit was kept."""
    asked = _arguments()
    with desk_history.timed() as seconds:
        history = prepare(asked.folder, asked.scale)
    print(
        f"history: {history.path}, {history.path.stat().st_size / 1e9:.1f} GB, {seconds[0]:.0f} s"
    )
    with closing(migrate.open_database(history.url)) as database:
        found = []
        for one in measure(database):
            found.append(one)
            print(told(one), flush=True)
        wrong = [] if asked.no_count else count(database)
    exceeded = [one.what for one in found if one.ratio > 1]
    print(f"exceeded: {', '.join(exceeded) or 'none'}")
    return 1 if exceeded or wrong else 0


def prepare(folder: Path, scale: float) -> History:
    """Return a history with its sums, which are counted when it is new."""
    history = desk_history.history(folder, scale)
    mark = history.path.with_suffix(".summed")
    if not mark.is_file():
        with closing(migrate.open_database(history.url)) as database, database.write() as session:
            tallies.recount(session)
        desk_history.analyse(history.path)
        mark.touch()
    return history


def measure(database: Database, *, times: int = TIMES) -> Iterator[Measured]:
    """Yield every number."""
    for by in get_args(By):
        yield _answered(f"inbox by {by}", partial(_inbox, database, Asked(by=by)), times)
    unclassified = Asked(by="signature", unclassified=True)
    yield _answered("inbox of the unclassified", partial(_inbox, database, unclassified), times)
    for question in questions.QUESTIONS.values():
        yield _answered(f"query {question.name}", partial(_ask, database, question), times)
    for name, text in SOUGHT.items():
        taken = _seconds(partial(_inbox, database, Asked(grep=text)), times)
        yield Measured(what=f"search, {name}", value=taken, limit=SEARCH_S, unit="s")
    with tempfile.TemporaryDirectory(prefix="reimage-bench-") as folder:
        yield Measured(
            what="judged again",
            value=_judged(Path(folder)) * 60,
            limit=JUDGED_A_MINUTE,
            unit="a minute",
            more_is_better=True,
        )
        yield Measured(
            what="events ingested",
            value=desk_ingestion.measure(database, Path(folder)),
            limit=EVENTS_A_SECOND,
            unit="a second",
            more_is_better=True,
        )


def count(database: Database) -> list[str]:
    """Compare the sums with a full count of the rows, and print what differs."""
    with desk_history.timed() as seconds, database.read() as session:
        wrong = tallies.differences(session)
    for line in wrong[:20]:
        print(line)
    print(f"sums compared with a full count: {len(wrong)} differences, {seconds[0]:.0f} s")
    return wrong


def told(one: Measured) -> str:
    """Return a measurement in a line."""
    value = f"{one.value * 1000:.0f} ms" if one.unit == "s" else f"{one.value:,.0f} {one.unit}"
    limit = f"{one.limit * 1000:.0f} ms" if one.unit == "s" else f"{one.limit:,.0f}"
    return f"{one.what:32} {value:>20}   limit {limit:>8}   ratio {one.ratio:.2f}"


def _answered(what: str, act: Callable[[], object], times: int) -> Measured:
    return Measured(what=what, value=_seconds(act, times), limit=ANSWER_S, unit="s")


def _seconds(act: Callable[[], object], times: int) -> float:
    """Return the 95th percentile of the seconds that something takes."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        act()
        taken.append(time.perf_counter() - begun)
    return statistics.quantiles(taken, n=20, method="inclusive")[-1] if times > 1 else taken[0]


def _inbox(database: Database, asked: Asked) -> object:
    return inbox.read(database, asked, END, limit=30)


def _ask(database: Database, question: Question) -> object:
    with database.read() as session:
        return questions.ask(session, question, questions.given(question, {}, END), 100)


def _judged(folder: Path) -> float:
    """Return how many stored failures are judged again in a second."""
    classes = load_classes()
    kept = []
    for log in sorted(CORPUS.glob("*.log")):
        path = folder / f"{log.stem}.json"
        document.write(path, evidence.of_text(log.read_text()))
        kept.append(Stored(path=path))
    rejudging.of_files(kept[:1], classes)
    rounds = JUDGED // len(kept) + 1
    begun = time.perf_counter()
    rejudging.of_files(kept * rounds, classes)
    return rounds * len(kept) / (time.perf_counter() - begun)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    folder = Path(tempfile.gettempdir()) / "reimage-bench-desk"
    parser.add_argument("--scale", type=float, default=1.0, help="million runs (1)")
    parser.add_argument("--folder", type=Path, default=folder, help=f"of the history ({folder})")
    parser.add_argument(
        "--no-count", action="store_true", help="do not compare sums with a full count"
    )
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
