"""A run as data: `run.json` its frozen inputs, `outcome.json` and `exit.json` its end, and its judgement.

What stands in these files is read again for as long as the archive of runs lives: a field is added,
never renamed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from reimage.model import CasaBuild, Product, Result, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one attempt may use."""

    memory_mb: int
    wall_s: float
    silence_s: float
    """A CASA process that writes nothing for so long is taken to hang."""
    cores: int = 1
    """CASA processes at once; each has one thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """How files are fetched; goes by value into a run.  No secrets."""

    mirrors: tuple[str, ...] = ()
    """Base URLs to fall back to, in this order."""
    connections: int = 4
    """At once to one host, of all processes of a machine that share the cache."""
    patience_s: float = 900.0
    """How long an archive that does not answer is waited for."""
    stall_s: float = 60.0
    """A transfer that brings no byte for so long is begun again."""
    rate_bytes_s: int = 0
    """At most, all connections of those processes together; 0: no limit."""
    cache: str = ""
    """Folder of the shared cache; empty: none."""
    cache_bytes: int = 0
    """Size at which the least recently used files leave it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FixReference:
    """A fix, frozen by value: the file as it was when the run was queued."""

    id: str
    path: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedied:
    """Why a run follows another one."""

    reason: str
    """What went wrong, and what is different now."""
    author: str
    automatic: bool
    """The controller queued it of itself; nobody asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The frozen inputs of a run: ``run.json``.  The runner needs nothing else."""

    run: str
    holding: str
    dataset: str
    facts: Mapping[str, Any]
    """The holdings' row of the dataset, as the archive stated it."""
    recipe: Mapping[str, Any]
    """The merged recipe (`reimage.recipes.Recipe`, dumped)."""
    recipe_digest: str
    archive: str
    """Where the data come from: a directory or an URL."""
    builds: tuple[CasaBuild, ...]
    fixes: tuple[FixReference, ...]
    limits: Limits
    created_at: datetime
    transfer: Transfer = field(default_factory=Transfer)
    """How the data come; an older run has the defaults."""
    casa: str | None = None
    """Build asked for by a person (`--casa`); None lets *choose* find it."""
    policy: Mapping[str, Any] = field(default_factory=dict)
    """Which builds may stand in for others (`reimage.casa.policy.Policy`, dumped); empty: the shipped one."""
    until: Stage | None = None
    category: str | None = None
    sweep: str | None = None
    retry_of: str | None = None
    adopt_from: str | None = None
    """Directory of an earlier run whose proven stages may be adopted where input digests agree."""
    only_missing: bool = False
    """The images that the earlier run made are adopted, too: only the others are to be made."""
    remedy: Remedied | None = None
    """What of the run before (`retry_of`) it is to remedy."""
    schema: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A failure as the runner saw it."""

    code: str
    message: str
    hint: str
    evidence: Mapping[str, Any]
    stage: Stage | None
    traceback: str | None = None
    """Kept only for what is our bug (code ``internal``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the runner knows at its end: ``outcome.json``.  The controller judges it."""

    run: str
    attempt: int
    stage: Stage | None
    """The last stage that was begun."""
    finished: bool
    """Every stage of the recipe (up to ``until``) is proven."""
    refused: bool = False
    fault: Fault | None = None
    caveats: tuple[str, ...] = ()
    products: tuple[Product, ...] = ()
    build: str | None = None
    ended_at: datetime
    schema: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How an attempt's runner ended, written by its supervisor: ``attempts/<n>/exit.json``."""

    attempt: int
    host: str
    boot_id: str
    pid: int
    started_at: datetime
    ended_at: datetime
    exit_code: int | None
    signal: str | None
    why: Literal["exit", "signal", "memory", "wall"]
    """``memory`` and ``wall``: the supervisor ended it for crossing that limit."""
    wall_s: float
    cpu_s: float
    peak_tree_mb: int
    peak_process_mb: int
    oom_kills: int = 0
    casa_wall_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a failure is, by structure, rules or signature; re-judged at will, never edited."""

    result: Result
    error_class: str | None
    """An id, ``unclassified``, or None if and only if the result is imaged."""
    signature: str | None
    rule: str | None
    """``<class>@<digest of its file>``, or ``structure@1``: who judged."""
    decisive: str | None
    """The line that decided."""
    symptoms: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
