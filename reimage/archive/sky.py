"""What moves on the sky: the Sun, and what is tracked by an ephemeris.

The archive has no column for it.  It is told from the science category, the keywords (``Solar system
- Comets``) and the targets' names: an estimate, the data's own FIELD and SOURCE tables decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

BODIES = frozenset(
    (
        *(
            "sun",
            "moon",
            "mercury",
            "venus",
            "mars",
            "jupiter",
            "saturn",
            "uranus",
            "neptune",
            "pluto",
        ),
        *(
            "io",
            "europa",
            "ganymede",
            "callisto",
            "titan",
            "enceladus",
            "rhea",
            "dione",
            "tethys",
            "iapetus",
        ),
        *(
            "mimas",
            "triton",
            "charon",
            "titania",
            "oberon",
            "ceres",
            "pallas",
            "juno",
            "vesta",
            "hygiea",
        ),
        *("eris", "makemake", "haumea", "sedna", "quaoar", "orcus"),
    )
)
_COMET = re.compile(r"(?:\d+P|[CP]/?\s*\d{4}[\s_]+[A-Z]\d+)(?:\W|_|$)")


def is_solar(targets: Iterable[str], categories: Iterable[str], keywords: Iterable[str]) -> bool:
    """Whether the Sun was observed."""
    words = [*categories, *keywords]
    by_words = any(re.fullmatch(r"(the )?sun\b.*", word.lower()) for word in words)
    return by_words or any(_plain(target) == "sun" for target in targets)


def is_ephemeris(
    targets: Iterable[str], categories: Iterable[str], keywords: Iterable[str]
) -> bool:
    """Whether a body of the solar system was observed, the Sun among them."""
    named = list(targets)
    if is_solar(named, categories, keywords):
        return True
    words = [*categories, *keywords]
    if any(word.lower().startswith("solar system") for word in words):
        return True
    return any(_plain(target) in BODIES or _COMET.match(target) for target in named)


def _plain(target: str) -> str:
    """Return the first word of a target's name: ``Mars_2`` is Mars, ``NGC 1`` is ngc."""
    found = re.match(r"[a-z]+", target.lower())
    return found[0] if found else ""
