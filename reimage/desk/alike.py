"""Failures like one: of the same signature, of the same class, near in words; and what helped with them.

What helped is told from what happened: after each failure of the kind, what differed in the next run of the
dataset (build, recipe, memory, time, fixes) or in the next attempt of the run, and how that ended.  Counts, no
advice: a change that came after ten failures and helped twice says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy.orm import Session

from reimage.model import Result
from reimage.store import groups, sequels
from reimage.store.groups import GroupCounts, Like, Of
from reimage.store.sequels import Again, Sequel, Try
from reimage.triage.nearest import nearest
from reimage.triage.signature import mask, unwrap

MOST_FOLLOWED = 500
"""Failures whose sequels are looked at: the newest."""
MOST_COMPARED = 5000
"""Failures whose words are compared, the newest; those of one signature count once."""
MOST_LIKE = 5
ANOTHER_ATTEMPT = "another attempt"
NOTHING = "the same again"


@dataclass(frozen=True, slots=True, kw_only=True)
class NearGroup:
    """A group whose message is like this one's: suggested, never merged."""

    signature: str
    error_class: str
    score: float
    """From 0.5 to 1, the same words."""
    message: str
    """Masked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Helped:
    """A change that was tried after failures of this kind, and how often it helped."""

    change: str
    tried: int
    imaged: int
    partial: int
    same: int
    """Failed in the same way again."""
    example: str
    """The newest run that it helped, else the newest that tried it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """What is known of failures like one."""

    of: Of
    name: str
    counts: GroupCounts
    newest: tuple[Like, ...]
    near: tuple[NearGroup, ...]
    helped: tuple[Helped, ...]
    """What helped most often first."""


def read(session: Session, of: Of, name: str, *, message: str | None, but: int = 0) -> Alike:
    """Return what is known of the failures of a class or a signature.

    Parameters
    ----------
    message
        Whose words others are compared with.
    but
        Id of a failure that is not to be told among the newest.
    """
    own = name if of == "signature" else None
    return Alike(
        of=of,
        name=name,
        counts=groups.counts(session, of, name),
        newest=groups.newest(session, of, name, MOST_LIKE, but=but),
        near=near(session, message, own) if message else (),
        helped=helped(
            of,
            name,
            sequels.sequels(session, of, name, MOST_FOLLOWED),
            sequels.again(session, of, name, MOST_FOLLOWED),
        ),
    )


def near(session: Session, message: str, own: str | None) -> tuple[NearGroup, ...]:
    """Return the signatures whose messages are most like one."""
    said = groups.said(session, MOST_COMPARED)
    others = {key: masked(text) for key, (_, text) in said.items() if key != own}
    return tuple(
        NearGroup(
            signature=one.key,
            error_class=said[one.key][0],
            score=round(one.score, 3),
            message=one.message,
        )
        for one in nearest(masked(message), others, most=MOST_LIKE)
    )


def masked(message: str) -> str:
    """Return a message as it is compared."""
    return mask(unwrap(message))


def helped(
    of: Of, name: str, next_runs: Iterable[Sequel], next_attempts: Iterable[Again]
) -> tuple[Helped, ...]:
    """Count changes and how they ended; pure."""
    tried: dict[str, list[tuple[Result, bool, str]]] = {}
    for one in next_runs:
        change = " + ".join(changes(one.failed, one.then)) or NOTHING
        is_same = name == (one.then.error_class if of == "class" else one.then.signature)
        tried.setdefault(change, []).append((one.then.result, is_same, one.then.run))
    for other in next_attempts:
        is_same = name == (other.error_class if of == "class" else other.signature)
        result = Result.IMAGED if other.error_class is None else Result.FAILED
        tried.setdefault(ANOTHER_ATTEMPT, []).append((result, is_same, other.run))
    found = [_helped(change, ends) for change, ends in tried.items()]
    return tuple(sorted(found, key=lambda one: (-one.imaged, -one.partial, one.tried, one.change)))


def changes(before: Try, after: Try) -> Iterator[str]:
    """Yield in what a run differs from an earlier one, each in a few words."""
    if after.build not in {None, before.build}:  # None: it ended before one was chosen
        yield f"build {after.build}"
    if after.recipe != before.recipe:
        yield f"recipe {after.recipe}"
    elif after.recipe_digest != before.recipe_digest:
        yield "other parameters"
    if after.memory_mb != before.memory_mb:
        yield "more memory" if after.memory_mb > before.memory_mb else "less memory"
    if after.limit_s != before.limit_s:
        yield "more time" if after.limit_s > before.limit_s else "less time"
    yield from (f"fix {fix}" for fix in sorted(after.fixes - before.fixes))
    yield from (f"without fix {fix}" for fix in sorted(before.fixes - after.fixes))


def _helped(change: str, ends: list[tuple[Result, bool, str]]) -> Helped:
    results = [result for result, _, _ in ends]
    best = [run for result, _, run in ends if result is Result.IMAGED]
    return Helped(
        change=change,
        tried=len(ends),
        imaged=results.count(Result.IMAGED),
        partial=results.count(Result.PARTIAL),
        same=sum(is_same for _, is_same, _ in ends),
        example=max(best or [run for _, _, run in ends]),
    )
