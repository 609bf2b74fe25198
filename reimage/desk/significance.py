"""What two columns of outcomes allow to say: exact tests, pure.

A version is worse where it fails what another passed.  On the *same* datasets only those that flip speak
(McNemar); on different datasets the counts are compared (Fisher), which takes far more of them.  Asked of
several pairs at once, chance alone finds something: `holm` pays for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb


def mcnemar(failing: int, passing: int) -> float:
    """Return how likely chance alone makes at least so many newly fail, one-sided.

    Parameters
    ----------
    failing, passing
        Datasets that newly fail, and that newly pass; where nothing changed, each is as likely.
    """
    flips = failing + passing
    ways = sum(comb(flips, k) for k in range(failing, flips + 1))
    return float(ways / (1 << flips))


def mcnemar_two_sided(failing: int, passing: int) -> float:
    """Return how likely chance alone makes the flips so uneven, in either direction."""
    return min(1.0, 2 * min(mcnemar(failing, passing), mcnemar(passing, failing)))


def fisher(before: tuple[int, int], after: tuple[int, int]) -> float:
    """Return how likely chance alone makes at least so many fail of other datasets, one-sided.

    Parameters
    ----------
    before, after
        How many failed, of how many; of datasets that have nothing to do with each other.
    """
    failed, total = before[0] + after[0], before[1] + after[1]
    most = min(failed, after[1])
    ways = sum(comb(after[1], k) * comb(before[1], failed - k) for k in range(after[0], most + 1))
    return ways / comb(total, failed)


def holm(chances: Sequence[float]) -> tuple[float, ...]:
    """Return chances as they are when all of them are asked at once (Holm's correction), in their order."""
    adjusted = [1.0] * len(chances)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(chances)), key=lambda i: chances[i])):
        largest = max(largest, min(1.0, (len(chances) - rank) * chances[index]))
        adjusted[index] = largest
    return tuple(adjusted)
