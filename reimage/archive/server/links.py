"""What DataLink says of an ID: the rows, and the services that they name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from reimage.archive.server.mischief import OF_CUTOUTS, OF_FILES, OF_IDS, Mischief
from reimage.archive.server.portal import content_type
from reimage.archive.server.shelf import Listed, Member, Shelf
from reimage.errors import UidMalformed
from reimage.uid import Uid

DATALINK_TYPE = "application/x-votable+xml;content=datalink"
LINKS_ID = "ivo://ivoa.net/std/DataLink#links-1.0"
SODA_ID = "ivo://ivoa.net/std/SODA#sync-1.0"
SODA_RESOURCE = "ivo://alma.eu/soda"
SODA_SERVICE = "SODA.sync"
"""How the cut-out services are called: the first so, the others numbered.

All of one answer of the real archive are called so, which XML forbids; misbehaviour ``sameid`` does it.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One row, columns in the archive's words."""

    id: str
    semantics: str
    access_url: str = ""
    service_def: str = ""
    error_message: str = ""
    description: str = ""
    content_type: str = ""
    content_length: int | None = None
    readable: bool | None = None
    link_auth: str = ""
    link_authorized: bool | None = None
    content_qualifier: str = ""
    local_semantics: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service descriptor: how to ask for more."""

    id: str
    standard: str
    access_url: str
    resource: str = ""


@dataclass
class Links:
    """An answer."""

    rows: list[Link] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Linker:
    """Answers what DataLink is asked.

    Attributes
    ----------
    base
        The address that the links begin with.
    is_known
        Whether who asks may have what is not public.
    """

    shelf: Shelf
    base: str
    is_known: bool
    mischief: Mischief

    def answer(self, ids: list[str]) -> Links:
        """Return the rows for all IDs, in their order."""
        links = Links()
        for id_ in ids:
            if "empty" not in self.mischief.listed(f"datalink/sync?ID={id_}", OF_IDS):
                self._one(id_, links)
        return links

    def _one(self, id_: str, links: Links) -> None:
        """Add what is known of an ID: a dataset's files, or a tar's members."""
        listed = self.shelf.listed(id_)
        dataset = listed.dataset if listed else self._dataset(id_)
        if dataset is None:
            message = f"NotFoundFault: {id_} not found"
            links.rows.append(Link(id=id_, semantics="#error", error_message=message))
        elif not (self.shelf.is_public(dataset) or self.is_known):
            return  # valid and not public: the archive answers with an empty table
        elif listed is None:
            self._dataset_links(id_, dataset, links)
        elif listed.is_expandable:
            self._member_links(id_, listed, links)
        else:
            links.rows.extend(self._file(id_, listed))

    def _dataset(self, id_: str) -> str | None:
        try:
            key = str(Uid.parse(id_))
        except UidMalformed:
            return None
        return key if self.shelf.knows(key) else None

    def _dataset_links(self, id_: str, dataset: str, links: Links) -> None:
        for listed in sorted(self.shelf.files(dataset), key=_order):
            rows = list(self._file(id_, listed))
            links.rows.extend(rows)
            if not (rows and listed.is_expandable):
                continue
            service = f"DataLink.{listed.name}"
            links.rows.append(
                Link(
                    id=id_,
                    semantics=listed.semantics,
                    service_def=service,
                    content_type=DATALINK_TYPE,
                )
            )
            links.services.append(
                Service(
                    id=service,
                    standard=LINKS_ID,
                    access_url=f"{self.base}/datalink/sync?ID={quote(listed.name)}",
                )
            )

    def _file(self, id_: str, listed: Listed) -> Iterator[Link]:
        """Yield a file's row: one, unless told otherwise."""
        yield from self._told(
            Link(
                id=id_,
                semantics=listed.semantics,
                access_url=self._url(listed.name),
                description=_description(listed),
                content_type=listed.content_type,
                content_length=listed.n_bytes,
            ),
            listed,
            listed.name,
        )

    def _member_links(self, id_: str, tar: Listed, links: Links) -> None:
        for member in self.shelf.members(tar):
            kind, class_, semantics = classified(member, tar.semantics)
            told = f"Download dataset of type: {kind}, and class: {class_}."
            if semantics == "#documentation":
                told = f"Download documentation for {kind}/{tar.name}|{class_}."
            links.rows.extend(
                self._told(
                    Link(
                        id=id_,
                        semantics=semantics,
                        access_url=self._url(member.name),
                        description=told,
                        content_type=content_type(member.name),
                        content_length=member.n_bytes,
                        local_semantics=class_,
                    ),
                    tar,
                    member.name,
                )
            )
            if member.name.endswith(".fits"):
                self._cutout(id_, member.name, links)

    def _cutout(self, id_: str, name: str, links: Links) -> None:
        same = "sameid" in self.mischief.listed(f"dataPortal/{name}", OF_CUTOUTS)
        number = len(links.services) + 1
        service = SODA_SERVICE if same or number == 1 else f"{SODA_SERVICE}.{number}"
        links.rows.append(
            Link(
                id=id_,
                semantics="#cutout",
                service_def=service,
                description=f"Synchronous SODA sub-image of {id_}.",
                content_type="image/fits",
            )
        )
        links.services.append(
            Service(
                id=service,
                standard=SODA_ID,
                resource=SODA_RESOURCE,
                access_url=f"{self.base}/soda/sync?ID={quote(name)}",
            )
        )

    def _url(self, name: str) -> str:
        return f"{self.base}/dataPortal/{quote(name)}"

    def _told(self, link: Link, file: Listed, name: str) -> Iterator[Link]:
        """Yield a row with the rights of the file that holds it, and as misbehaviour wants it."""
        is_public = self.shelf.is_public(file.dataset)
        auth = "false" if is_public else "true"
        link = replace(link, readable=True, link_auth=auth, link_authorized=True)
        done = self.mischief.listed(f"dataPortal/{name}", OF_FILES)
        if "unlisted" in done:
            return
        if "size" in done:
            size = done["size"]
            link = replace(link, content_length=None if size == "none" else int(size))
        if "blank" in done:
            link = replace(link, access_url="")
        if "unreadable" in done:
            link = replace(link, readable=False, link_authorized=False)
        yield from [link, link] if "twice" in done else [link]


_ORDER = ("#documentation", "#this", "#auxiliary", "#progenitor", "#package")


def _order(listed: Listed) -> tuple[int, str]:
    """Sort as the archive does: README, products, auxiliary, raw."""
    known = listed.semantics in _ORDER
    return (_ORDER.index(listed.semantics) if known else len(_ORDER), listed.name)


def _description(listed: Listed) -> str:
    """Return the archive's words for a file at the top."""
    if listed.semantics == "#documentation":
        return f"Download documentation for ./{listed.dataset}|README."
    kind = "null" if listed.is_expandable else ""
    return f"Download dataset of type: {kind}, and class: N/A."


def classified(member: Member, tar_semantics: str) -> tuple[str, str, str]:
    """Return type, class and semantics of a tar's member, as the archive tells them.

    Source: the expanded answers of a manual dataset of Cycle 5 (products, auxiliary); other eras keep
    the same folders.
    """
    name, folder = member.name.lower(), member.path.parent.name.lower()
    if folder == "product" or (tar_semantics == "#this" and "fits" in name):
        return "product", "MASK" if ".mask." in name else "SCIENCE", "#this"
    if folder == "log" or name.endswith((".log", ".log.tgz")):
        return "log", "LOG", "#documentation"
    if folder == "script":
        return "script", "SCRIPT" if name.endswith(".py") else "AUX", "#auxiliary"
    if folder == "qa":
        return "qa", _qa_class(name), "#auxiliary"
    if folder == "calibration":
        return "calibration", "CALIBRATION", "#auxiliary"
    return "null", "N/A", tar_semantics


def _qa_class(name: str) -> str:
    if "qa2_report" in name:
        return "QA2"
    if "qa0_report" in name:
        return "QA0"
    return "QA_PLOT" if name.endswith(".png") else "QA"
