"""Rows for other programs: CSV, and VOTable for TOPCAT and the like."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings that a spreadsheet takes for a formula."""


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write rows to stdout: a line of names, then one line each; absent values are empty.

    Text that a spreadsheet would take for a formula begins with an apostrophe: logs are other people's.
    """
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_safe(plain(value)) for value in row])


def write_votable(columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str) -> None:
    """Write rows to stdout as a VOTable."""
    from astropy.io.votable import from_table, writeto  # noqa: PLC0415 -- slow to load, seldom asked for
    from astropy.table import MaskedColumn, Table  # noqa: PLC0415

    made = Table(
        {
            _unique(columns, i): MaskedColumn(
                data=[_filled(row[i], kind) for row in rows],
                mask=[row[i] is None for row in rows],
                dtype=kind,
            )
            for i in range(len(columns))
            for kind in (_kind([row[i] for row in rows]),)
        }
    )
    document = from_table(made)
    document.resources[0].description = title
    writeto(document, sys.stdout.buffer)
    sys.stdout.flush()


def plain(value: Any) -> Any:  # noqa: ANN401 -- whatever a database gives
    """Return a value as text or number; moments in UTC, as ISO 8601 has them."""
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)


def _safe(value: Any) -> Any:  # noqa: ANN401 -- the same
    return f"'{value}" if isinstance(value, str) and value.startswith(_DANGEROUS) else value


def _kind(values: Sequence[Any]) -> type:
    """Return the type of a column: the narrowest that holds all of it."""
    said = [plain(value) for value in values if value is not None]
    for kind in (bool, int, float):
        wanted = (int, float) if kind is float else (kind,)
        if said and all(type(value) in wanted for value in said):
            big = kind is int and any(abs(value) >= 2**63 for value in said)
            return float if big else kind
    return str


def _filled(value: Any, kind: type) -> Any:  # noqa: ANN401 -- the same
    if value is None:
        return kind()
    return kind(plain(value))


def _unique(columns: Sequence[str], i: int) -> str:
    """Return a column's name, numbered where others have the same."""
    name = columns[i] or f"column_{i + 1}"
    return name if name not in columns[:i] else f"{name}_{i + 1}"
