"""Mirrors of what files declare: CASA builds, error classes, known issues."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from reimage import document
from reimage.model import CasaBuild
from reimage.store.desk_tables import Build, ErrorClass, Issue


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRecord:
    """What the index keeps of a declared error class."""

    name: str
    family: str
    title: str
    fault: str | None
    remedy: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueRecord:
    """What the index keeps of a known issue: what its fix says of it."""

    name: str
    title: str
    url: str


def mirror(session: Session, builds: Sequence[CasaBuild], at: datetime) -> None:
    """Make the rows those of the registered builds; what vanished stays, marked as gone."""
    kept = {row.name: row for row in session.scalars(select(Build))}
    for name in kept.keys() - {build.id for build in builds}:
        kept[name].gone_at = kept[name].gone_at or at
    for build in builds:
        definition = document.dump(build)
        row = kept.get(build.id)
        if row is not None and row.definition == definition and row.gone_at is None:
            continue
        session.merge(
            Build(
                name=build.id,
                version=build.version,
                kind=build.kind,
                pipeline=build.pipeline,
                definition=definition,
                seen_at=at,
                gone_at=None,
            )
        )


def list_builds(session: Session) -> tuple[CasaBuild, ...]:
    """Return the builds that are there, by id."""
    statement = select(Build.definition).where(Build.gone_at.is_(None)).order_by(Build.name)
    return tuple(document.load(CasaBuild, data) for data in session.scalars(statement))


def mirror_classes(session: Session, classes: Iterable[ClassRecord], at: datetime) -> None:
    """Make the rows of error classes those that are declared; history keeps the others."""
    kept = {row.name: row for row in session.scalars(select(ErrorClass))}
    for declared in classes:
        row = kept.get(declared.name)
        same = row is not None and (row.family, row.title, row.fault, row.remedy) == (
            declared.family,
            declared.title,
            declared.fault,
            declared.remedy,
        )
        if not same:
            session.merge(
                ErrorClass(
                    name=declared.name,
                    family=declared.family,
                    title=declared.title,
                    fault=declared.fault,
                    remedy=declared.remedy,
                    seen_at=at,
                )
            )


def mirror_issues(session: Session, issues: Iterable[IssueRecord]) -> None:
    """Make the rows of known issues those that fixes name; history keeps the others."""
    for known in issues:
        session.merge(Issue(name=known.name, title=known.title, url=known.url))
