"""A query with its parameters, and its answer, written as it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from reimage.archive.server import votable
from reimage.archive.server.adql import QueryRefused, translate
from reimage.archive.server.database import Database, Session
from reimage.archive.server.uploads import read_uploads
from reimage.archive.server.votable import FORMATS, Row, Writer
from reimage.errors import ReimageError

LANGUAGES: Final = ("ADQL", "ADQL-2.0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the service lets a client have; ALMA's own numbers, but for the rows."""

    rows: int = 1_000_000
    """Of one answer; more end in OVERFLOW."""
    uploaded_rows: int = 100_000
    execution_s: float = 600.0
    retention_s: float = 604_800.0
    latency_s: float = 0.0
    """Before each answer, to be like a far archive."""
    uploads_from: str = ""
    """Address below which tables to join may be; empty: they have to come with the query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a client sent: parameters by their names in capitals, and files."""

    parameters: Mapping[str, str]
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A query that may be run."""

    query: str
    most_rows: int
    sent: Sent
    format: str


Hold = Callable[[Session], None]
"""Gets the session of a query before it begins, so that it can be stopped."""


class Answer:
    """The answer to one query: begun, so that what is wrong with the query is known."""

    def __init__(
        self,
        database: Database,
        ask: Ask,
        limits: Limits,
        seconds: float,
        hold: Hold | None = None,
    ) -> None:
        said = ask.sent.parameters.get("UPLOAD", "")
        uploads = read_uploads(said, ask.sent.files, limits.uploaded_rows, limits.uploads_from)
        self.session: Session = database.open(uploads, seconds)
        if hold is not None:
            hold(self.session)
        self._most = ask.most_rows
        self.broken = ""
        """Why it broke off."""
        try:
            statement = translate(ask.query, self.session.tables)
            self._batches = self.session.rows(statement.sql)
            self._first = next(self._batches, [])
        except QueryRefused:
            self.session.close()
            raise
        self._writer: Writer = FORMATS[ask.format](statement.columns, ask.query)
        self.media_type = self._writer.media_type

    def chunks(self) -> Iterator[bytes]:
        """Write the answer, batch by batch; what breaks off says so at its end."""
        status, message = "OK", ""
        try:
            yield self._writer.begin()
            left = self._most
            for batch in self._all():
                if left:
                    yield self._writer.rows(batch[:left])
                if len(batch) > left:
                    status = "OVERFLOW"
                    break
                left -= len(batch)
        except QueryRefused as error:
            status, message = "ERROR", error.message
            self.broken = message
        finally:
            self.session.close()
        yield self._writer.end(status, message)

    def _all(self) -> Iterator[list[Row]]:
        yield self._first
        yield from self._batches


def understood(sent: Sent, limits: Limits) -> Ask:
    """Check the parameters of a query.

    Raises
    ------
    QueryRefused
    """
    said = sent.parameters
    request = said.get("REQUEST", "doQuery")
    if request.lower() != "doquery":
        raise QueryRefused(f"REQUEST={request} is not known; it is doQuery")
    if "LANG" not in said:
        raise QueryRefused("LANG is missing; it is ADQL")
    if said["LANG"].upper() not in LANGUAGES:
        raise QueryRefused(f"LANG={said['LANG']} is not spoken here, but {', '.join(LANGUAGES)}")
    if not said.get("QUERY", "").strip():
        raise QueryRefused("QUERY is missing")
    return Ask(
        query=said["QUERY"],
        most_rows=_most_rows(said.get("MAXREC", ""), limits.rows),
        sent=sent,
        format=_format(said.get("RESPONSEFORMAT") or said.get("FORMAT") or "votable"),
    )


def _most_rows(text: str, most: int) -> int:
    if not text.strip():
        return most
    try:
        number = int(text)
    except ValueError as error:
        raise QueryRefused(f"MAXREC={text} is not a number") from error
    if number < 0:
        raise QueryRefused(f"MAXREC={text} is below zero")
    return min(number, most)


def _format(text: str) -> str:
    plain = text.lower().replace(" ", "")
    if plain not in FORMATS:
        raise QueryRefused(f"RESPONSEFORMAT={text} is not written here, but {', '.join(FORMATS)}")
    return plain


def refusal(error: ReimageError) -> bytes:
    """Return the document that says why there is no answer."""
    return votable.error_document(error.message)
