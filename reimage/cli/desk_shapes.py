"""The shapes of ``--json`` for what is looked at and done at the desk; the rule is that of `run_shapes`."""

from __future__ import annotations

from dataclasses import dataclass

from reimage import SCHEMA_VERSION
from reimage.desk.capsule import Capsule
from reimage.desk.matrix import Matrix
from reimage.desk.showing import Shown, ShownGroup
from reimage.store.acts import GroupStateRow
from reimage.store.groups import Of


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionMatrix:
    """``reimage matrix``: datasets by builds or recipes, and what flips between them."""

    schema: int = SCHEMA_VERSION
    matrix: Matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSaid:
    """``reimage failures link``, ``resolve``, ``snooze``, ``reopen``: what is said of a group now."""

    schema: int = SCHEMA_VERSION
    group: str
    """An error class, or a signature."""
    of: Of
    act: int
    """The act's number in ``ledger/desk.jsonl``."""
    state: GroupStateRow | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotated:
    """``reimage failures annotate``: of which datasets something was noted."""

    schema: int = SCHEMA_VERSION
    holding: str
    datasets: tuple[str, ...]
    note: str
    dry_run: bool
    acts: tuple[int, ...]
    """Numbers of the acts in ``ledger/desk.jsonl``; none with ``--dry-run``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureShown:
    """``reimage failures show``: one failure, or one class or signature; the other is null."""

    schema: int = SCHEMA_VERSION
    failure: Shown | None
    group: ShownGroup | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReproCapsule:
    """``reimage repro``: the folder that was made."""

    schema: int = SCHEMA_VERSION
    capsule: Capsule
