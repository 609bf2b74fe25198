"""Categories as they were when used, and their members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from reimage.store.holdings_tables import Category, CategoryMember, Dataset


def declare(
    session: Session, name: str, definition: Mapping[str, Any], digest: str, at: datetime
) -> None:
    """Record a category's declaration, when it is new or has changed."""
    row = session.get(Category, name)
    if row is not None and row.digest == digest:
        return
    session.merge(
        Category(
            name=name,
            title=definition.get("title"),
            kind=definition["kind"],
            digest=digest,
            definition=dict(definition),
            declared_at=at,
        )
    )
    session.flush()


def add_members(session: Session, name: str, dataset_ids: Iterable[int], at: datetime) -> int:
    """Add datasets to a category; return how many were new."""
    there = set(
        session.scalars(select(CategoryMember.dataset_id).where(CategoryMember.category == name))
    )
    rows = [
        {"category": name, "dataset_id": dataset_id, "added_at": at}
        for dataset_id in sorted(set(dataset_ids) - there)
    ]
    if rows:
        session.execute(insert(CategoryMember), rows)
    return len(rows)


def members(session: Session, name: str) -> tuple[str, ...]:
    """Return the keys of a category's datasets."""
    statement = (
        select(Dataset.dataset_key)
        .join(CategoryMember, CategoryMember.dataset_id == Dataset.id)
        .where(CategoryMember.category == name)
        .order_by(Dataset.dataset_key)
    )
    return tuple(session.scalars(statement))
