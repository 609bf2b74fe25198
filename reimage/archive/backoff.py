"""How long a host that did not answer is left alone."""

from __future__ import annotations

import random
from collections.abc import Callable

LONGEST_S = 60.0
_MOST_DOUBLINGS = 10


def wait_s(
    failures: int,
    *,
    first_s: float,
    asked_s: float = 0.0,
    jitter: Callable[[], float] = random.random,
) -> float:
    """Return seconds: doubling with each failure, spread so that clients do not come back together.

    Parameters
    ----------
    failures
        In a row; 1 after the first.
    asked_s
        What the server asked for (Retry-After): never less than that.
    """
    longest = min(first_s * 2.0 ** min(max(failures - 1, 0), _MOST_DOUBLINGS), LONGEST_S)
    return max(longest * (1 + jitter()) / 2, asked_s)
