"""A VOTable that came from somewhere, looked at before it is parsed.

Parsers of VOTables believe them: astropy opens what a ``STREAM`` names (files of ours, too), and takes
the memory that ``nrows`` and array sizes claim before it has seen one row.  We read the elements alone,
with the XML parser that astropy uses, so that no encoding hides anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import prod
from xml.parsers import expat

MOST_BYTES = 64 << 20
"""Of a table, where who asks says nothing else."""
MOST_MEMORY = 2 << 30
"""Bytes that a table may take once it is parsed, by what it says of itself."""
ITEM_BYTES = 16
"""Of the largest number (doubleComplex); a character takes 4."""
_SIZE = re.compile(r"\d{1,12}(x\d{1,12})*(x?\*)?|\*", re.ASCII)
_NUMBER = re.compile(r"\d{1,12}", re.ASCII)


class UnsoundTableError(ValueError):
    """A table must not be parsed; the text says why."""


def require_sound(content: bytes, most_bytes: int = MOST_BYTES) -> None:
    """Demand that a VOTable can be parsed without harm.

    Raises
    ------
    UnsoundTableError
        It is too long, no XML (compressed bytes are none), has a DOCTYPE (entities), names data elsewhere
        (``STREAM href``), or claims more rows or longer values than its bytes could hold.
    """
    if len(content) > most_bytes:
        raise UnsoundTableError(f"it has {len(content)} bytes, more than {most_bytes}")
    look = _Look(len(content))
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = look.doctype
    parser.StartElementHandler = look.start
    try:
        parser.Parse(content, True)  # noqa: FBT003 -- expat takes no keywords
    except (expat.ExpatError, LookupError, ValueError) as error:
        if isinstance(error, UnsoundTableError):
            raise
        raise UnsoundTableError(f"it is no XML: {error}") from error
    look.require_memory()


class _Look:
    """Goes over the elements of a table."""

    def __init__(self, n_bytes: int) -> None:
        self._n_bytes = n_bytes
        self._rows = self._width = 0

    def doctype(self, *_: object) -> None:
        raise UnsoundTableError("it has a DOCTYPE")

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        name = tag.rpartition(":")[2].upper()
        if name in {"TD", "TR"}:
            self._rows += name == "TR"
            return
        said = {key.rpartition(":")[2].lower(): value for key, value in attributes.items()}
        if name == "STREAM" and "href" in said:
            raise UnsoundTableError(f"its data are elsewhere: {said['href'][:100]!r}")
        if name == "TABLE":
            self.require_memory()
            self._width, self._rows = 0, self._claimed(said.get("nrows", "0"))
        elif name in {"FIELD", "PARAM"}:
            width = _width(said.get("arraysize", "1"))
            self._width += width if name == "FIELD" else 0
            _require_memory(width)

    def require_memory(self) -> None:
        """Demand that the table so far fits into memory.

        Rows that are claimed and rows that are there are added: never less than either.
        """
        _require_memory(self._rows * self._width)

    def _claimed(self, text: str) -> int:
        if not _NUMBER.fullmatch(text.strip()) or int(text) > self._n_bytes:
            raise UnsoundTableError(f"it claims {text[:20]!r} rows in {self._n_bytes} bytes")
        return int(text)


def _width(arraysize: str) -> int:
    """Return the bytes of one value, as a parser lays it out: what varies without a bound lies elsewhere."""
    text = arraysize.strip()
    if not text:
        return ITEM_BYTES
    if not _SIZE.fullmatch(text):
        raise UnsoundTableError(f"it has an array size of {arraysize[:20]!r}")
    return ITEM_BYTES * prod(int(number) for number in _NUMBER.findall(text))


def _require_memory(n_bytes: int) -> None:
    if n_bytes > MOST_MEMORY:
        raise UnsoundTableError(f"it would take {n_bytes} bytes of memory")
