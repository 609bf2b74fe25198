"""A dataset's facts as values of its columns: the general ones, and ALMA's own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_SAME = (
    *("mous", "project", "cycle", "era", "n_antennas", "is_mosaic", "pol_states", "n_ebs"),
    *("qa2_passed", "data_rights", "frequency_min_ghz", "frequency_max_ghz", "bandwidth_hz"),
    *("channel_width_hz", "resolution_arcsec", "scale_max_arcsec", "is_solar", "is_ephemeris"),
)
"""Columns that are called as their fact is."""


def general(facts: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """Return what any dataset has; ``at`` is when the archive was seen to list it."""
    return {
        "facts": dict(facts),
        "title": facts.get("title") or facts.get("project"),
        "n_bytes": facts.get("size_bytes"),
        "release_at": moment(facts.get("release_at")),
        "modified_at": moment(facts.get("last_modified")),
        "synced_at": at,
        "gone_at": None,
    }


def alma(facts: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what a member OUS has; None where the facts are of something else."""
    if "mous" not in facts:
        return None
    return {
        **{name: facts.get(name) for name in _SAME},
        "bands": _joined(facts.get("bands"), " "),
        "array_kind": facts.get("array"),
        "is_full_pol": facts.get("is_full_polarisation"),
        "ra_deg": facts.get("s_ra_deg"),
        "dec_deg": facts.get("s_dec_deg"),
        "observed_at": moment(facts.get("observed_at")),
        "science": _joined(facts.get("science_categories"), "; "),
        "keywords": _joined(facts.get("science_keywords"), "; "),
        "targets": _joined(facts.get("targets"), "; "),
    }


def moment(value: object) -> datetime | None:
    """Read what an archive calls a date; one without zone is UTC, what is none is unknown."""
    if isinstance(value, datetime):
        found = value
    else:
        try:
            found = datetime.fromisoformat(str(value))
        except ValueError:
            return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def _joined(value: object, separator: str) -> str | None:
    if isinstance(value, (list, tuple)):
        return separator.join(str(part) for part in value) or None
    return None if value is None else str(value)
