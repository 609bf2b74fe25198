"""Reading DataLink answers: files, what can be expanded, what can be cut out of, and what is skipped.

An answer is a table of links.  Real ones have rows of these kinds (archive pages, 1.3):

=========================================== =====================================================
a file                                      has an ``access_url``
a tar that can be expanded                  no ``access_url``, a ``service_def`` of DataLink's own kind
a cutout                                    no ``access_url``, a ``service_def`` of SODA's kind
an error                                    ``error_message`` or semantics ``#error``
anything else                               neither; appeared in 2022 and broke clients: counted
=========================================== =====================================================

Three states of an answer are kept apart: the archive does not know the dataset (an error row), knows it
and lists nothing (an empty table: proprietary, to who asked), lists it.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from astropy.io import votable
from pyvo.dal import DALQueryError
from pyvo.dal.adhoc import DatalinkResults

from reimage.address import is_web_address
from reimage.archive.faults import ArchiveAnswerMalformed, ArchiveUnavailable, ArchiveUnknownDataset
from reimage.archive.listing import ASDM, RAW, ArchiveFile, once, plain_name
from reimage.archive.votable_in import require_sound
from reimage.uid import Uid

COLUMNS = ("ID", "access_url", "service_def", "error_message", "semantics")
"""Without these an answer is none of DataLink's; sizes and types may be absent."""
VOCABULARY = "http://www.ivoa.net/rdf/datalink/core"
"""A word of DataLink's may be written whole, as an address, or from its ``#`` on."""
LINKS, SODA = "ivo://ivoa.net/std/datalink#links", "ivo://ivoa.net/std/soda#sync"
_UNKNOWN = ("notfoundfault", "usagefault")
_EXCERPT = 200
_MOST_DIGITS = 18
"""Of a size in bytes that is believed: the largest disks have fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one DataLink answer says."""

    files: tuple[ArchiveFile, ...] = ()
    """Every file once; also tars that only the service names which expands them (not `is_offered`)."""
    inside: Mapping[str, str] = field(default_factory=dict)
    """For a tar by its name, the address that lists what is in it."""
    cutouts: Mapping[str, str] = field(default_factory=dict)
    """For an image by its name, the address of its SODA service."""
    blank: int = 0
    """Rows without an address that nothing can be done with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Service:
    """A service descriptor of an answer."""

    id: str
    standard: str
    address: str
    """With what it is to be asked about, where the descriptor says so."""

    @property
    def about(self) -> str:
        """What it is asked about: the ID in its address."""
        return parse_qs(urlsplit(self.address).query).get("ID", [""])[0]


def read(content: bytes, asked: str) -> Answer:
    """Read an answer.

    Parameters
    ----------
    asked
        What the archive was asked about: for messages.

    Raises
    ------
    ArchiveUnknownDataset, ArchiveUnavailable, ArchiveAnswerMalformed, ArchiveNameHostile
    """
    table, document = _parsed(content, asked)
    rows = _rows(table)
    _require_no_error(rows, asked)
    services = list(_services(document))
    files = once([_file(row, asked) for row in rows if row["access_url"]])
    without = {
        row["service_def"]: _semantics(row)
        for row in rows
        if row["service_def"] and not row["access_url"]
    }
    known = {service.id for service in services}
    images = {one.about: one.address for one in services if one.standard.startswith(SODA)}
    inside = [one for one in services if one.standard.startswith(LINKS) and one.id in without]
    there = {file.name for file in files}
    lost = [
        _lost(one.about, without[one.id])
        for one in inside
        if one.about.endswith(".tar") and one.about not in there
    ]
    return Answer(
        files=once((*files, *lost)),
        inside={one.about: one.address for one in inside},
        cutouts={file.name: images[file.name] for file in files if file.name in images},
        blank=sum(not row["access_url"] and row["service_def"] not in known for row in rows),
    )


def _parsed(content: bytes, asked: str) -> tuple[DatalinkResults, Any]:
    """Return an answer's table, and the whole document."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the archive's own XML is not without faults
            require_sound(content)
            document = votable.parse(io.BytesIO(content), verify="ignore")
            table = DatalinkResults(document)
    except DALQueryError as error:
        raise _said(str(error), asked) from error
    except Exception as error:
        raise _malformed(f"is no DataLink answer: {error}", content, asked) from error
    absent = [name for name in COLUMNS if name not in table.fieldnames]
    if absent:
        raise _malformed(f"lacks the columns {', '.join(absent)}", content, asked)
    return table, document


def _malformed(what: str, content: bytes, asked: str) -> ArchiveAnswerMalformed:
    return ArchiveAnswerMalformed(
        f"what the archive says of {asked} {what.splitlines()[0][:_EXCERPT]}",
        evidence={"asked": asked, "head": content[:_EXCERPT].decode("latin-1")},
    )


def _rows(table: DatalinkResults) -> list[dict[str, Any]]:
    """Return the rows as Python values, None where the archive says nothing.

    Not as pyvo's records: those lose the mask, and an absent ``readable`` would be a False.
    """
    array = table.resultstable.array
    masks = {name: array.mask[name] for name in table.fieldnames}
    return [
        {
            name: None if masks[name][number].all() else _python(value)
            for name, value in zip(table.fieldnames, row, strict=True)
        }
        for number, row in enumerate(array.data)
    ]


def _python(value: Any) -> Any:  # noqa: ANN401 -- a table's cell
    if value is None or str(value) in {"", "--"}:
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value.item() if hasattr(value, "item") else value


def _require_no_error(rows: list[dict[str, Any]], asked: str) -> None:
    for row in rows:
        if row["error_message"] or str(row["semantics"]).endswith("#error"):
            raise _said(str(row["error_message"] or "an error without a message"), asked)


def _said(message: str, asked: str) -> ArchiveUnknownDataset | ArchiveUnavailable:
    """Return the error that an archive's own words mean."""
    evidence = {"asked": asked, "said": message[:_EXCERPT]}
    if message.strip().casefold().startswith(_UNKNOWN) or "not found" in message.casefold():
        return ArchiveUnknownDataset(
            f"the archive does not know {asked}: {message}", evidence=evidence
        )
    return ArchiveUnavailable(f"the archive cannot tell of {asked}: {message}", evidence=evidence)


def _file(row: Mapping[str, Any], asked: str) -> ArchiveFile:
    url, semantics = str(row["access_url"]), _semantics(row)
    if not is_web_address(url):
        raise ArchiveAnswerMalformed(
            f"the archive says of {asked} an address that is none: {url[:_EXCERPT]!r}",
            evidence={"asked": asked, "url": url[:_EXCERPT]},
        )
    return ArchiveFile(
        name=_name(url, semantics, str(row.get("content_type") or "")),
        semantics=semantics,
        content_type=str(row.get("content_type") or ""),
        n_bytes=_size(row.get("content_length")),
        url=url,
        description=str(row.get("description") or ""),
        is_readable=_readable(row),
    )


def _lost(name: str, semantics: str) -> ArchiveFile:
    """Return a tar that can be expanded and not be had."""
    return ArchiveFile(
        name=plain_name(name), semantics=semantics, content_type="", n_bytes=None, is_offered=False
    )


def _semantics(row: Mapping[str, Any]) -> str:
    return str(row["semantics"] or "").removeprefix(VOCABULARY)


def _size(said: Any) -> int | None:  # noqa: ANN401 -- a table's cell, of any type
    """Return a size in bytes, None where it is none.

    Absent is 0 to pyvo, and no file of ours is empty.
    """
    text = str(said).removesuffix(".0")
    is_number = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    return int(text) or None if is_number else None


def _readable(row: Mapping[str, Any]) -> bool | None:
    """Whether the archive hands it to who asked, in the words of 2022 or of DataLink 1.1."""
    for name in ("link_authorized", "readable"):
        value = row.get(name)
        if isinstance(value, bool):
            return value
        if value is not None:
            return str(value).strip().casefold() in {"true", "t", "1"}
    return None


def _name(url: str, semantics: str, content_type: str) -> str:
    """Return a file's name from its address.

    The archive has also handed out raw tars under the bare uid of the execution block and told the
    name in the header alone (archive pages, 1.3): we give them that name.
    """
    name = plain_name(unquote(urlsplit(url).path.rpartition("/")[2]))
    uid = Uid.find(name)
    is_bare = uid is not None and uid.name.casefold() == name.casefold()
    if is_bare and "tar" in content_type and semantics.startswith((RAW, "#package")):
        return name + ASDM
    return name


def _services(document: Any) -> Iterator[_Service]:  # noqa: ANN401 -- astropy's tree, untyped
    """Yield the service descriptors.

    Several may share one ID (SODA's do), so that only their address tells what they are about.
    """
    for resource in document.resources:
        if resource.type != "meta" or resource.utype != "adhoc:service":
            continue
        said = {param.name.casefold(): str(_python(param.value) or "") for param in resource.params}
        address, name = said.get("accessurl", ""), str(resource.ID or "")
        if not is_web_address(address):
            continue
        about = parse_qs(urlsplit(address).query).get("ID")
        if not about:  # the standard's own way: the ID is a parameter of the service
            given = _input_id(resource) or name.partition("DataLink.")[2]
            mark = "&" if urlsplit(address).query else "?"
            address = f"{address}{mark}{urlencode({'ID': given})}" if given else address
        yield _Service(id=name, standard=said.get("standardid", "").casefold(), address=address)


def _input_id(resource: Any) -> str:  # noqa: ANN401 -- as above
    for group in resource.groups:
        for param in getattr(group, "entries", ()):
            if getattr(param, "name", "") == "ID" and not getattr(param, "ref", None):
                return str(_python(param.value) or "")
    return ""
