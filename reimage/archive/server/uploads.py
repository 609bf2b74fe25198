"""Tables that a query brings along: VOTables, put beside the holdings as ``TAP_UPLOAD.<name>``."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from xml.parsers.expat import ExpatError

import numpy as np
import requests
from astropy.io.votable import parse_single_table
from astropy.io.votable.tree import Field

from reimage.archive.server.adql import QueryRefused
from reimage.archive.server.columns import CHAR, LONG, Column, TableShape

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_UNREADABLE: Final = (ValueError, TypeError, LookupError, SyntaxError, OSError, ExpatError)
"""What astropy raises at a file that is no VOTable."""
_PATIENCE_S: Final = 60
_KEPT: Final = {"double", "float", "int", "long", "short", "unsignedByte"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One table with its rows."""

    shape: TableShape
    rows: list[tuple[Any, ...]]


def read_uploads(
    said: str, files: Mapping[str, bytes], most_rows: int, base: str
) -> tuple[Upload, ...]:
    """Read what UPLOAD names: ``name,param:file`` or ``name,URL`` pairs between semicolons.

    A URL is followed to ourselves only (``base``): to the result of a job.  A service that fetches
    whatever a stranger names is a hole.

    Raises
    ------
    QueryRefused
    """
    uploads = []
    for pair in filter(None, said.split(";")):
        name, _, place = pair.partition(",")
        if not _NAME.fullmatch(name.strip()):
            raise QueryRefused(f"UPLOAD: {name!r} cannot be a table's name")
        uploads.append(_read(name.strip(), _sent(place.strip(), files, base), most_rows))
    return tuple(uploads)


def _sent(place: str, files: Mapping[str, bytes], base: str) -> bytes:
    kind, _, file = place.partition(":")
    if kind == "param":
        if file not in files:
            raise QueryRefused(f"UPLOAD: nothing was sent as {file!r}")
        return files[file]
    if not base or not place.startswith(f"{base}/"):
        raise QueryRefused(f"UPLOAD: a table sent along (param:...), or of {base}/, not {place!r}")
    try:
        answer = requests.get(place, timeout=_PATIENCE_S, allow_redirects=False)
        answer.raise_for_status()
    except requests.RequestException as error:
        raise QueryRefused(f"UPLOAD: {place} cannot be had: {error}") from error
    return answer.content


def _read(name: str, data: bytes, most_rows: int) -> Upload:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what astropy thinks of a client's VOTable
            table = parse_single_table(io.BytesIO(data), verify="ignore")
    except _UNREADABLE as error:
        raise QueryRefused(f"UPLOAD: {name} is not a VOTable: {error}") from error
    if len(table.array) > most_rows:
        raise QueryRefused(f"UPLOAD: {name} has {len(table.array)} rows, {most_rows} at most")
    columns = tuple(map(_column, table.fields))
    rows = [
        tuple(
            _value(value, column, masked=bool(np.all(mask)) and np.size(mask) > 0)
            for value, mask, column in zip(row, masks, columns, strict=True)
        )
        for row, masks in zip(table.array.data, table.array.mask, strict=True)
    ]
    shape = TableShape(name=f"TAP_UPLOAD.{name}", description="", columns=columns)
    return Upload(shape=shape, rows=rows)


def _column(field: Field) -> Column:
    is_text = field.datatype in {"char", "unicodeChar"}
    if is_text or field.arraysize not in {None, "1"}:
        datatype = CHAR
    else:
        datatype = field.datatype if field.datatype in _KEPT else LONG
    return Column(
        name=str(field.name or field.ID),
        datatype=datatype,
        unit=str(field.unit or ""),
        ucd=str(field.ucd or ""),
        utype=str(field.utype or ""),
        xtype=str(field.xtype or ""),
    )


def _value(value: Any, column: Column, *, masked: bool) -> Any:  # noqa: ANN401 -- cells
    if masked:
        return None
    if isinstance(value, np.ndarray):
        return " ".join(map(str, value.ravel().tolist()))
    plain = value.item() if hasattr(value, "item") else value
    if column.datatype == CHAR:
        return plain.decode() if isinstance(plain, bytes) else str(plain)
    return int(plain) if isinstance(plain, bool) else plain
