"""When an image's numbers call for a caveat: one table of rules and thresholds.

After the rules that NRAO's operations found to be automatable.  A caveat is a fact for whoever uses the
image, not a failure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from reimage.products.siblings import BRIGHTNESS


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A number and the side of a threshold on which it calls for a caveat."""

    id: str
    number: str
    side: Literal["above", "below"]
    threshold: float
    meaning: str
    cubes: bool | None = None
    """Only for cubes, only for single planes, or (None) for both."""


RULES = (
    Rule(
        id="beam-axial-ratio",
        number="beam_axial_ratio",
        side="above",
        threshold=3.0,
        meaning="The beam is longer than three times its width: few antennas, or a low source.",
    ),
    Rule(
        id="few-pixels-per-beam",
        number="pixels_across_minor",
        side="below",
        threshold=3.0,
        meaning="Fewer than three pixels across the beam's minor axis: cleaning and positions suffer.",
    ),
    Rule(
        id="low-dynamic-range",
        number="dynamic_range",
        side="below",
        threshold=5.0,
        meaning="Nothing stands out of the noise in the continuum (a cube without a line is no news).",
        cubes=False,
    ),
    Rule(
        id="mostly-nan",
        number="nan_share",
        side="above",
        threshold=0.9,
        meaning="Less than a tenth of the pixels hold data.",
    ),
    Rule(
        id="blank-channels",
        number="blank_channel_share",
        side="above",
        threshold=0.1,
        meaning="More than a tenth of the channels hold no data.",
        cubes=True,
    ),
)


def caveats(kind: str, numbers: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the ids of the rules that an image's numbers break, each once."""
    if kind not in BRIGHTNESS:
        return ()
    is_cube = (numbers.get("n_channels") or 1) > 1
    broken = (rule.id for rule in RULES if rule.cubes in (None, is_cube) and _breaks(rule, numbers))
    return tuple(dict.fromkeys(broken))


def _breaks(rule: Rule, numbers: Mapping[str, Any]) -> bool:
    value = numbers.get(rule.number)
    if value is None:
        return False
    return bool(value > rule.threshold if rule.side == "above" else value < rule.threshold)
