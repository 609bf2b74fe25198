"""Products: planned, made, mitigated, absent."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Select, delete, insert, select
from sqlalchemy.orm import Session

from reimage import model
from reimage.store.holdings_tables import Dataset
from reimage.store.rows import ProductRow
from reimage.store.run_tables import Product, Run

_SAME = (
    *("name", "kind", "image", "target", "spws", "specmode", "state", "reason", "path", "n_bytes"),
    *("sha256", "preview", "footprint", "admit"),
)


def replace(session: Session, run_id: int, products: Sequence[model.Product]) -> None:
    """Make a run's product rows those of its outcome."""
    session.execute(delete(Product).where(Product.run_id == run_id))
    rows = [
        {
            "run_id": run_id,
            "is_planned": product.planned,
            "numbers": dict(product.numbers),
            **{name: getattr(product, name) for name in _SAME},
        }
        for product in products
    ]
    if rows:
        session.connection().execute(_INSERT, rows)


def of_run(session: Session, run: str) -> tuple[ProductRow, ...]:
    """Return a run's products by name."""
    return _rows(session, _selection().where(Run.run == run))


def of_dataset(session: Session, holding: str, dataset: str) -> tuple[ProductRow, ...]:
    """Return the products of the newest run of a dataset that has any."""
    statement = (
        select(Run.run)
        .join(Dataset, Dataset.id == Run.dataset_id)
        .join(Product, Product.run_id == Run.id)
        .where(Dataset.holding == holding, Dataset.dataset_key == dataset)
        .order_by(Run.id.desc())
        .limit(1)
    )
    run = session.scalar(statement)
    return of_run(session, run) if run is not None else ()


def _selection() -> Select[Product, str]:
    return select(Product, Run.run).join(Run, Run.id == Product.run_id).order_by(Product.name)


def _rows(session: Session, statement: Select[Product, str]) -> tuple[ProductRow, ...]:
    return tuple(
        ProductRow(
            run=run,
            planned=row.is_planned,
            numbers=row.numbers,
            **{name: getattr(row, name) for name in _SAME},
        )
        for row, run in session.execute(statement)
    )


_INSERT = insert(Product)
