"""The archive's listing by TAP: in parts that its limits allow, each part's rows grouped to datasets.

First a census: how many rows each project has, year by year.  From it follow the parts that are
asked for.  An answer that is cut, or takes too long, is divided; what cannot be divided any more is
asked for asynchronously.  Memory is bounded by one part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reimage.archive import grouping, shards
from reimage.archive.faults import ArchiveAnswerMalformed, ArchiveUnavailable
from reimage.archive.shards import Shard
from reimage.archive.tap import Answer, QuerySlowError, Tap

TABLE = "ivoa.obscore"
ROWS_AT_ONCE = 10_000
"""Rows of one answer: some 60 MB while they are read."""
SLOW_IN_A_ROW = 6
"""So many queries that take too long, with none between them that does not: the archive is away."""
NEEDED, CHANGED = ("member_ous_uid", "proposal_id"), "lastmodified"
"""Columns without which nothing can be read, or not what has changed; in lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A part of the listing that will be asked for."""

    shard: Shard
    root: Shard
    """The part that it is of: a year, a project."""
    n_rows: int | None
    """By the census; None where there was none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What the archive lists in one part."""

    planned: Planned
    datasets: tuple[tuple[str, dict[str, Any]], ...]
    """(key, facts) each."""
    n_rows: int
    n_nameless: int
    """Rows that name no dataset."""
    is_whole: bool
    """Nothing says that rows are missing."""


class TapHoldings:
    """The listing of an archive behind a TAP service.

    Parameters
    ----------
    tap
        The service.
    since
        Only datasets of which the archive changed any row since then; all their rows are read.
    rows_at_once
        At most so many rows are asked for.
    """

    def __init__(
        self, tap: Tap, *, since: datetime | None = None, rows_at_once: int = ROWS_AT_ONCE
    ) -> None:
        self._tap, self._since, self._most = tap, since, rows_at_once
        self._columns: dict[str, str] = {}
        self._slow = 0

    def plan(
        self, roots: Sequence[Shard], told: Callable[[int, int], None] = lambda _n, _rows: None
    ) -> tuple[Planned, ...]:
        """Return the parts that have rows; ``told`` gets how many roots were counted, and rows.

        Raises
        ------
        ArchiveUnavailable, ArchiveQueryRefused, ArchiveAnswerMalformed
        """
        self._columns = self._offered()
        planned: list[Planned] = []
        for number, root in enumerate(roots, 1):
            planned += self._census(root)
            told(number, sum(one.n_rows or 0 for one in planned))
        return tuple(planned)

    def read(self, planned: Planned) -> Iterator[Part]:
        """Yield what the archive lists in a part, divided where its limits demand it.

        Raises
        ------
        ArchiveUnavailable, ArchiveQueryRefused, ArchiveAnswerMalformed
        """
        self._columns = self._columns or self._offered()
        answer = self._asked(planned)
        if answer is not None and not self._is_cut(answer):
            yield self._part(planned, answer, is_whole=len(answer) >= (planned.n_rows or 0))
            return
        parts = planned.shard.split()
        for shard in parts:
            yield from self.read(Planned(shard=shard, root=planned.root, n_rows=None))
        if not parts:
            answer = self._tap.ask(self._query(planned.shard), is_async=True)
            yield self._part(planned, answer, is_whole=not answer.is_cut)

    def _census(self, root: Shard) -> Iterator[Planned]:
        condition = self._condition(root)
        query = (
            f"SELECT proposal_id, COUNT(*) AS n FROM {TABLE} WHERE {condition} GROUP BY proposal_id"  # noqa: S608 -- conditions are ours
        )
        answer = self._ask_at_length(query)
        if answer.is_cut or not {"proposal_id", "n"} <= answer.columns.keys():
            yield Planned(shard=root, root=root, n_rows=None)
            return
        codes, numbers = answer.columns["proposal_id"], answer.columns["n"]
        rows = {str(code or ""): int(n) for code, n in zip(codes, numbers, strict=True)}
        for shard, n_rows in shards.plan(root, rows, self._most - 1):
            yield Planned(shard=shard, root=root, n_rows=n_rows)

    def _offered(self) -> dict[str, str]:
        """Return the columns that the service has and we read: lower case to the archive's spelling."""
        query = f"SELECT column_name FROM TAP_SCHEMA.columns WHERE table_name = '{TABLE}'"  # noqa: S608 -- a constant
        answer = self._ask_at_length(query)
        there = {str(name).lower() for name in answer.columns.get("column_name", [])}
        if answer.is_cut or not there.issuperset(NEEDED):
            there = set(self._ask_at_length(f"SELECT TOP 1 * FROM {TABLE}").columns)  # noqa: S608 -- a constant
        found = {name.lower(): name for name in grouping.COLUMNS if name.lower() in there}
        needed = NEEDED if self._since is None else (*NEEDED, CHANGED)
        missing = [name for name in needed if name not in found]
        if missing:
            raise ArchiveAnswerMalformed(
                f"{self._tap.url}: its table {TABLE} has no column {', '.join(missing)}",
                hint="Read everything: `reimage holdings sync --full`."
                if missing == [CHANGED]
                else "",
                evidence={"url": self._tap.url, "columns": sorted(there)[:100]},
            )
        return found

    def _asked(self, planned: Planned) -> Answer | None:
        """Return the answer for a part; None where it takes too long."""
        try:
            return self._ask(self._query(planned.shard), self._most)
        except QuerySlowError as error:
            self._slow += 1
            if self._slow >= SLOW_IN_A_ROW:
                raise ArchiveUnavailable(
                    f"{self._tap.url} takes too long for any query: {error}",
                    evidence={"url": self._tap.url, "part": planned.shard.name},
                ) from error
            return None

    def _ask(self, query: str, most: int | None = None) -> Answer:
        answer = self._tap.ask(query, most=most)
        self._slow = 0
        return answer

    def _ask_at_length(self, query: str) -> Answer:
        """Ask what cannot be divided: asynchronously, if it takes too long."""
        try:
            return self._ask(query)
        except QuerySlowError:
            return self._tap.ask(query, is_async=True)

    def _is_cut(self, answer: Answer) -> bool:
        # Not every service says OVERFLOW when it stops at what was asked for at most.
        return answer.is_cut or len(answer) >= self._most

    def _query(self, shard: Shard) -> str:
        return f"SELECT {', '.join(self._columns.values())} FROM {TABLE} WHERE {self._condition(shard)}"  # noqa: S608 -- conditions are ours

    def _condition(self, shard: Shard) -> str:
        condition = shard.condition()
        if self._since is None:
            return condition
        moment = f"{self._since.astimezone(UTC):%Y-%m-%dT%H:%M:%S.000}"
        return (
            f"{condition} AND member_ous_uid IN (SELECT member_ous_uid FROM {TABLE} "  # noqa: S608 -- conditions are ours
            f"WHERE {condition} AND lastModified >= '{moment}')"
        )

    def _part(self, planned: Planned, answer: Answer, *, is_whole: bool) -> Part:
        nameless: list[grouping.Row] = []
        datasets = tuple(grouping.grouped(answer.rows(self._columns), nameless.append))
        if answer.columns and NEEDED[0] not in answer.columns:
            raise ArchiveAnswerMalformed(
                f"{self._tap.url}: an answer without the column {NEEDED[0]}",
                evidence={"url": self._tap.url, "columns": sorted(answer.columns)[:100]},
            )
        return Part(
            planned=planned,
            datasets=datasets,
            n_rows=len(answer),
            n_nameless=len(nameless),
            is_whole=is_whole,
        )
