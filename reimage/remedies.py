"""What happens after an attempt: pure, from the judgement and the history of the run.

The policy belongs to the error class (its ``remedy``), never to the exception.  So far ``retry`` is
carried out, as the next attempt of the same run; remedies that need a new run are named in the
decision's reason and left to the operator.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reimage.model import Result

AGAIN = (Result.LOST, Result.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do, and why."""

    kind: Literal["end", "retry"]
    reason: str


def decide(
    result: Result,
    error_class: str | None,
    remedy: str,
    *,
    attempt: int,
    max_attempts: int,
    cancelled: bool,
) -> Decision:
    """Decide whether a run goes on with another attempt.

    Parameters
    ----------
    remedy
        That of the error class: ``none``, ``retry``, ``more memory`` ...
    cancelled
        Somebody asked for the run's end: nothing is tried again.
    """
    if error_class is None:
        return Decision(kind="end", reason="imaged")
    if cancelled:
        return Decision(kind="end", reason=f"{error_class}: its end was asked for")
    if result not in AGAIN or remedy == "none":
        return Decision(kind="end", reason=f"{error_class}: nothing to try of itself")
    if remedy != "retry":
        return Decision(
            kind="end", reason=f"{error_class}: {remedy} would help, in a new run by an operator"
        )
    if attempt >= max_attempts:
        return Decision(
            kind="end", reason=f"{error_class}: attempt {attempt} of at most {max_attempts}"
        )
    return Decision(kind="retry", reason=f"{error_class}: to be tried again")
