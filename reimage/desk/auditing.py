"""Is the triage right?  A random sample of its judgements, for a person to confirm or refute.

The sample is drawn from every class that ended runs: one of each as far as it reaches, the largest
first, then by size.  What was audited once is not asked again.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reimage.desk import acts
from reimage.desk.judging import evidence_path, is_rule
from reimage.errors import DocumentUnreadable
from reimage.settings import Settings
from reimage.store import acts as act_rows
from reimage.store import judged, samples
from reimage.store.judged import JudgedFailure
from reimage.store.session import Database
from reimage.triage import rejudging
from reimage.triage.catalogue import UNCLASSIFIED, ErrorClass

EVENT = "judgements.audited"
MOST_LINES = 6
MOST_LINE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One judgement, to be confirmed or refuted."""

    run: str
    attempt: int
    error_class: str
    rule: str
    """Who judged: ``<class>@<version>``."""
    title: str
    decisive: str | None
    lines: tuple[str, ...]
    """What else the evidence says, first things first."""
    confirmed: bool | None = None
    """The answer; None: not given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Judgements to be looked at; filled in, it is a file of answers."""

    seed: int
    questions: tuple[Question, ...]


def allot(sizes: Mapping[str, int], n: int) -> dict[str, int]:
    """Return how many of ``n`` are drawn from each stratum, never more than it has.

    One from each first, the largest first; the rest in proportion, by largest remainder.
    """
    ordered = sorted((name for name, size in sizes.items() if size), key=lambda k: (-sizes[k], k))
    drawn = dict.fromkeys(ordered[:n], 1)
    left = min(n, sum(sizes[name] for name in ordered)) - len(drawn)
    if left > 0:
        room = {name: sizes[name] - drawn[name] for name in drawn if sizes[name] > drawn[name]}
        whole = sum(room.values())
        shares = {name: left * size / whole for name, size in room.items()}
        for name, share in shares.items():
            drawn[name] += int(share)
        rest = left - sum(int(share) for share in shares.values())
        by_remainder = sorted(shares, key=lambda k: (int(shares[k]) - shares[k], k))
        for name in by_remainder[:rest]:
            drawn[name] += 1
    return drawn


def sample(
    settings: Settings,
    database: Database,
    classes: Iterable[ErrorClass],
    *,
    n: int,
    seed: int,
) -> Sample:
    """Draw judgements that rules made; the same seed draws the same from the same history."""
    titles = {one.id: one.title for one in classes}
    chance = random.Random(seed)  # noqa: S311 -- a sample that can be drawn again, no secret
    with database.read() as session:
        names = [one.error_class for one in samples.hits(session)]
        strata = {
            name: list(samples.never_audited(session, name))
            for name in names
            if name != UNCLASSIFIED
        }
        found: list[JudgedFailure] = []
        for name, k in allot({name: len(ids) for name, ids in strata.items()}, n).items():
            found += judged.of_ids(session, chance.sample(strata[name], k))
    asked = [one for one in found if is_rule(one.author)]
    chance.shuffle(asked)
    questions = (_question(settings, one, titles) for one in asked)
    return Sample(seed=seed, questions=tuple(questions))


def record(
    settings: Settings,
    database: Database,
    answered: Sequence[Question],
    *,
    author: str,
    at: datetime,
) -> int:
    """Record the answers that were given; return how many there were of failures that are known."""
    given = [one for one in answered if one.confirmed is not None]
    with database.read() as session:
        known = act_rows.failures_of(session, ((one.run, one.attempt) for one in given))
    given = [one for one in given if (one.run, one.attempt) in known]
    if given:
        answers = [
            {
                "run": one.run,
                "attempt": one.attempt,
                "error_class": one.error_class,
                "rule": one.rule,
                "confirmed": one.confirmed,
            }
            for one in given
        ]
        acts.record(settings, database, EVENT, author=author, reason=None, at=at, answers=answers)
    return len(given)


def _question(settings: Settings, failure: JudgedFailure, titles: Mapping[str, str]) -> Question:
    return Question(
        run=failure.run,
        attempt=failure.attempt,
        error_class=failure.error_class,
        rule=failure.author,
        title=titles.get(failure.error_class, ""),
        decisive=failure.decisive or failure.message,
        lines=_lines(settings, failure),
    )


def _lines(settings: Settings, failure: JudgedFailure) -> tuple[str, ...]:
    """Return the first words of the evidence; none where it is missing."""
    try:
        evidence = rejudging.read(evidence_path(settings, failure))
    except DocumentUnreadable:
        return ()
    texts = (" ".join(clue.text.split())[:MOST_LINE] for clue in evidence.clues)
    return tuple(dict.fromkeys(text for text in texts if text))[:MOST_LINES]
