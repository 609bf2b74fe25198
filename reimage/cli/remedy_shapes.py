"""The shapes of ``--json`` for remedies.

As for all shapes: fields are added, never renamed or removed, within a schema version.
"""

from __future__ import annotations

from dataclasses import dataclass

from reimage import SCHEMA_VERSION
from reimage.desk.remedying import Done, Planned
from reimage.store.following import MemoryShare
from reimage.store.rows import RunRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedies:
    """``reimage failures remedy``: what is done, or would be, for each blocked dataset."""

    schema: int = SCHEMA_VERSION
    name: str
    """The class, signature or run that was asked for."""
    dry_run: bool
    planned: tuple[Planned, ...]
    left: tuple[Planned, ...]
    """For these there is no new run, and why."""
    short_of_memory: tuple[MemoryShare, ...]
    """Categories all of whose runs should have more memory."""
    canaries: tuple[RunRow, ...]
    """What came of those that were tried first."""
    stopped: bool
    """They did not all succeed: the others were not queued."""
    queued: tuple[Done, ...]
