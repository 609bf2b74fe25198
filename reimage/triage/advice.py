"""What to do about a failure: the advice of its class, with the facts of this one filled in."""

from __future__ import annotations

import re

from reimage.triage.catalogue import ErrorClass
from reimage.triage.evidence import Evidence

MOST_FILLED = 200
_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def advice(error_class: ErrorClass, evidence: Evidence) -> str:
    """Return the advice of a class for this failure."""
    return filled(error_class.advice, evidence)


def unfilled(text: str) -> str:
    """Return a text of no failure: what would be filled in is named, as ``<key>``."""
    return _PLACEHOLDER.sub(r"<\1>", text)


def filled(text: str, evidence: Evidence) -> str:
    """Return a text with ``{key}`` replaced by facts of the evidence; unknown ones by ``<key>``."""
    facts: dict[str, object] = {
        "run": evidence.run,
        "attempt": evidence.attempt,
        "stage": evidence.stage,
        "peak_mb": evidence.peak_mb,
        "disk_free_mb": evidence.disk_free_mb,
        "files_free": evidence.files_free,
        "n_planned": evidence.n_planned,
        "n_made": evidence.n_made,
        "n_absent": len(evidence.absent),
    }
    if evidence.fault is not None:
        facts = {**evidence.fault.evidence, **facts}

    def fill(match: re.Match[str]) -> str:
        value = facts.get(match[1])
        return f"<{match[1]}>" if value is None or value == "" else str(value)[:MOST_FILLED]

    return _PLACEHOLDER.sub(fill, text)
