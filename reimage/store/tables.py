"""The whole schema: importing this module fills the metadata."""

from __future__ import annotations

from sqlalchemy import MetaData

from reimage.store import desk_tables, holdings_tables, run_tables, tally_tables
from reimage.store.columns import Base

MODULES = (holdings_tables, run_tables, desk_tables, tally_tables)


def metadata() -> MetaData:
    """Return the metadata of all tables."""
    return Base.metadata
