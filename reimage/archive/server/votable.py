"""Answers written as they come: VOTable (TABLEDATA, BINARY2), CSV and TSV.

An answer begins before its end is known, so its last INFO says whether it is whole (`OVERFLOW`) or
broke off (`ERROR`), as DALI has it.
"""

from __future__ import annotations

import base64
import csv
import io
import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol, TypeAlias
from xml.sax.saxutils import escape, quoteattr

from reimage.archive.server.columns import CHAR, UNICODE, Column

Row: TypeAlias = Sequence[Any]
MEDIA_TYPE: Final = "application/x-votable+xml"
BINARY2_TYPE: Final = f"{MEDIA_TYPE};serialization=binary2"
_HEAD: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n<RESOURCE type="results">\n'
)
_CODES: Final = {
    "double": "d", "float": "f", "int": "i", "long": "q", "short": "h", "unsignedByte": "B",
}  # fmt: skip
_NOT_XML: Final = {code: None for code in range(32) if code not in {9, 10, 13}}


class Writer(Protocol):
    """Writes one answer, part by part."""

    media_type: str

    def begin(self) -> bytes:
        """Return what stands before the rows."""

    def rows(self, rows: Sequence[Row]) -> bytes:
        """Return some rows."""

    def end(self, status: str, message: str = "") -> bytes:
        """Return what stands behind them; ``status`` is OK, OVERFLOW or ERROR."""


def error_document(message: str) -> bytes:
    """Return the VOTable that says why there is no answer."""
    return f"{_HEAD}{_info('QUERY_STATUS', 'ERROR', message)}</RESOURCE>\n</VOTABLE>\n".encode()


def _text(value: str) -> str:
    return escape(value.translate(_NOT_XML))


def _info(name: str, value: str, text: str = "") -> str:
    return f"<INFO name={quoteattr(name)} value={quoteattr(value.translate(_NOT_XML))}>{_text(text)}</INFO>\n"


def field(column: Column) -> str:
    """Return a column's FIELD element."""
    said = {
        "name": column.name,
        "datatype": column.datatype,
        "arraysize": column.arraysize,
        "unit": column.unit,
        "ucd": column.ucd,
        "utype": column.utype,
        "xtype": column.xtype,
    }
    attributes = "".join(f" {key}={quoteattr(value)}" for key, value in said.items() if value)
    about = f"<DESCRIPTION>{_text(column.description)}</DESCRIPTION>" if column.description else ""
    return f"<FIELD{attributes}>{about}</FIELD>\n"


def _beginning(columns: Sequence[Column], query: str) -> str:
    status = _info("QUERY_STATUS", "OK")
    fields = "".join(map(field, columns))
    return f"{_HEAD}{status}{_info('QUERY', query)}<TABLE>\n{fields}<DATA>"


def _ending(status: str, message: str) -> str:
    told = "" if status == "OK" else _info("QUERY_STATUS", status, message)
    return f"</DATA>\n</TABLE>\n{told}</RESOURCE>\n</VOTABLE>\n"


def _cell(value: object) -> str:
    """Return a value as TABLEDATA has it."""
    if value is None:
        return ""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")
    return _text(value) if isinstance(value, str) else repr(value)


class TableData:
    """VOTable with readable rows."""

    media_type = MEDIA_TYPE

    def __init__(self, columns: Sequence[Column], query: str) -> None:
        self.columns, self.query = columns, query

    def begin(self) -> bytes:
        """Return all up to the first row."""
        return (_beginning(self.columns, self.query) + "<TABLEDATA>\n").encode()

    def rows(self, rows: Sequence[Row]) -> bytes:
        """Return some rows."""
        lines = (
            "<TR>" + "".join([f"<TD>{_cell(value)}</TD>" for value in row]) + "</TR>\n"
            for row in rows
        )
        return "".join(lines).encode()

    def end(self, status: str, message: str = "") -> bytes:
        """Return the rest."""
        return ("</TABLEDATA>" + _ending(status, message)).encode()


class Binary2:
    """VOTable with packed rows; clients take ``char`` for ASCII there, so text is unicodeChar."""

    media_type = BINARY2_TYPE

    def __init__(self, columns: Sequence[Column], query: str) -> None:
        self.columns, self.query = [_wide(column) for column in columns], query
        self._left = b""
        self._packers = [_packer(column) for column in self.columns]

    def begin(self) -> bytes:
        """Return all up to the first row."""
        start = _beginning(self.columns, self.query) + '<BINARY2><STREAM encoding="base64">\n'
        return start.encode()

    def rows(self, rows: Sequence[Row]) -> bytes:
        """Return some rows, as far as they fill whole groups of base64."""
        packed = self._left + b"".join(map(self._packed, rows))
        whole = len(packed) - len(packed) % 3
        self._left = packed[whole:]
        return base64.encodebytes(packed[:whole])

    def end(self, status: str, message: str = "") -> bytes:
        """Return the rest."""
        rest = base64.encodebytes(self._left) if self._left else b""
        return rest + ("</STREAM></BINARY2>" + _ending(status, message)).encode()

    def _packed(self, row: Row) -> bytes:
        flags = bytearray((len(row) + 7) // 8)
        for position, value in enumerate(row):
            if value is None:
                flags[position // 8] |= 0x80 >> position % 8
        values = (pack(value) for pack, value in zip(self._packers, row, strict=True))
        return bytes(flags) + b"".join(values)


def _wide(column: Column) -> Column:
    return replace(column, datatype=UNICODE) if column.datatype == CHAR else column


def _packer(column: Column) -> Callable[[Any], bytes]:
    if column.datatype == UNICODE:
        return _packed_text
    packed = struct.Struct(f">{_CODES[column.datatype]}")
    kind: type = float if packed.format[-1] in "df" else int
    return lambda value: packed.pack(kind(0 if value is None else value))


def _packed_text(value: object) -> bytes:
    data = b"" if value is None else str(value).encode("utf-16-be")
    return struct.pack(">i", len(data) // 2) + data


class Separated:
    """Comma or tabulator separated values with a line of names; an answer cut off does not show."""

    def __init__(self, columns: Sequence[Column], delimiter: str, media_type: str) -> None:
        self.columns, self.delimiter, self.media_type = columns, delimiter, media_type

    def begin(self) -> bytes:
        """Return the names."""
        return self.rows([[column.name for column in self.columns]])

    def rows(self, rows: Sequence[Row]) -> bytes:
        """Return some rows."""
        written = io.StringIO(newline="")
        csv.writer(written, delimiter=self.delimiter).writerows(rows)
        return written.getvalue().encode()

    def end(self, status: str, message: str = "") -> bytes:
        """Return nothing, or why the rows end here."""
        return f"# {status}: {message}\r\n".encode() if status == "ERROR" else b""


FORMATS: Final[dict[str, Callable[[Sequence[Column], str], Writer]]] = {
    **dict.fromkeys(
        (
            "votable",
            "votable/td",
            MEDIA_TYPE,
            "text/xml",
            "application/xml",
            f"{MEDIA_TYPE};serialization=tabledata",
        ),
        TableData,
    ),
    **dict.fromkeys(("votable/b2", "votable/binary2", BINARY2_TYPE), Binary2),
    **dict.fromkeys(
        ("csv", "text/csv", "text/csv;header=present"),
        lambda columns, _query: Separated(columns, ",", "text/csv;header=present"),
    ),
    **dict.fromkeys(
        ("tsv", "text/tab-separated-values"),
        lambda columns, _query: Separated(columns, "\t", "text/tab-separated-values"),
    ),
}
"""By what FORMAT and RESPONSEFORMAT may say, in lower case and without blanks."""
