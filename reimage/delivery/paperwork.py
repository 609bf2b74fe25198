"""What a delivery's own papers say of it: pipeline manifest, processing request (PPR), scripts, README.

A paper may be absent, cut off or hostile: then it says nothing, and that is noted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException, ElementTree

from reimage.delivery import reading
from reimage.delivery.contents import Contents
from reimage.delivery.scan import DeliveryUnreadable
from reimage.uid import Uid

MAX_BYTES = 16 << 20
"""A manifest of thousands of images with 58 attributes each stays below; what is longer is cut off."""
PIPE, RESTORE = "casa_pipescript.py", "casa_piperestorescript.py"
_TASK = re.compile(r"\b(h(?:if|ifa|sd|sdn)?_[a-z]\w*)\s*\(")
_EB = re.compile(r"uid___A\d{3}_X[0-9a-f]+_X[0-9a-f]+", re.IGNORECASE)
_STATE = re.compile(r"set_state\([^)\n]{0,200}['\"](\w+)['\"]\s*,\s*['\"]([^'\"]*)['\"]\s*\)")
_PROJECT_CODE = re.compile(r"^[ \t]*Project code:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session of the calibration: the tables that it should have, and its execution blocks."""

    name: str
    tables: tuple[str, ...]
    ebs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestOus:
    """One observing unit set of a manifest."""

    name: str
    procedure: str | None
    sessions: tuple[Session, ...]

    @property
    def uid(self) -> Uid | None:
        """Its uid, None where the name holds none."""
        return Uid.find(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A processing request.  Its own uid is not that of the member OUS."""

    ebs: tuple[str, ...]
    empty_sessions: tuple[str, ...]
    commands: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """What the papers of a delivery say, and which say nothing."""

    manifests: tuple[ManifestOus, ...]
    requests: tuple[Request, ...]
    states: Mapping[str, str]
    """What the pipeline's scripts set as state: ``ousstatus_entity_id``, ``proposal_code``, ..."""
    tasks: tuple[str, ...]
    """Pipeline tasks that requests and scripts name."""
    bad_manifests: tuple[str, ...]
    bad_requests: tuple[str, ...]

    def of(self, member: Uid | None) -> tuple[ManifestOus, ...]:
        """Return what the manifests say of the member OUS: all, where it is not among theirs."""
        own = tuple(one for one in self.manifests if member is not None and one.uid == member)
        return own or self.manifests

    def sessions(self, member: Uid | None) -> tuple[Session, ...]:
        """Return the member OUS's sessions, as the manifests name them."""
        return tuple(session for one in self.of(member) for session in one.sessions)

    @property
    def requested(self) -> tuple[str, ...]:
        """The execution blocks of the processing requests."""
        return tuple(eb for one in self.requests for eb in one.ebs)


def read_papers(root: Path, found: Contents) -> Papers:
    """Read every paper of a delivery.

    Raises
    ------
    DeliveryUnreadable
    """
    manifests = {name: read_manifest(root / name) for name in found.manifests}
    requests = {name: read_request(root / name) for name in found.pprs}
    pipe = sorted(found.scripts_named(PIPE), key=lambda name: "cal" in name.casefold())
    texts = [read_text(root / name) for name in (*found.scripts_named(RESTORE), *pipe)]
    states: dict[str, str] = {}
    for text in texts:  # that of the calibration comes last, and wins
        states |= read_states(text)
    readable = [one for one in requests.values() if one is not None]
    return Papers(
        manifests=tuple(ous for several in manifests.values() for ous in several or ()),
        requests=tuple(readable),
        states=states,
        tasks=(
            *(task for text in texts for task in _TASK.findall(text)),
            *(task for one in readable for task in one.commands),
        ),
        bad_manifests=tuple(name for name, said in manifests.items() if said is None),
        bad_requests=tuple(name for name, said in requests.items() if said is None),
    )


def eb_of(name: str) -> str | None:
    """Return the execution block that a file's name names: the last uid, for the member's may precede."""
    found = _EB.findall(name.rpartition("/")[2])
    return str(found[-1]) if found else None


def read_text(path: Path) -> str:
    """Return a delivered text: UTF-8, or latin-1 where an early README was written by hand.

    Raises
    ------
    DeliveryUnreadable
    """
    return reading.decode(_read(path))


def read_manifest(path: Path) -> tuple[ManifestOus, ...] | None:
    """Return the outer OUSs of a manifest, None where it is not XML (archive pages 2.4)."""
    root = _parse(path)
    if root is None:
        return None
    outer = [root] if _tag(root) == "ous" else [one for one in root if _tag(one) == "ous"]
    return tuple(
        ManifestOus(
            name=one.get("name", ""),
            procedure=next((e.get("name") for e in one if _tag(e) == "procedure_name"), None),
            sessions=tuple(_session(e) for e in one if _tag(e) == "session"),
        )
        for one in outer
    )


def read_request(path: Path) -> Request | None:
    """Return a processing request, None where it is not XML."""
    root = _parse(path)
    if root is None:
        return None
    found = (eb_of(text) for text in _texts(root, "AsdmDiskName"))
    return Request(
        ebs=tuple(sorted({eb for eb in found if eb})),
        empty_sessions=tuple(_empty_sessions(root)),
        commands=tuple(_texts(root, "Command")),
    )


def read_states(text: str) -> dict[str, str]:
    """Return what a pipeline script sets as its context's state: ``ousstatus_entity_id``, ..."""
    return {match[1]: match[2] for match in _STATE.finditer(text)}


def project_code(readme: str) -> str | None:
    """Return the project that a README of Cycles 1 to 4 names."""
    match = _PROJECT_CODE.search(readme)
    return match[1] if match else None


def _session(element: Element) -> Session:
    tables = (one.get("name", "") for one in element if _tag(one) == "caltables")
    ebs = (eb_of(one.get("name", "")) for one in element if _tag(one) == "asdm")
    return Session(
        name=element.get("name", ""),
        tables=tuple(name for name in tables if name),
        ebs=tuple(eb for eb in ebs if eb),
    )


def _empty_sessions(root: Element) -> Iterator[str]:
    for intents in root.iter():
        if _tag(intents) == "Intents":
            said = {_tag(one): (one.text or "").strip() for one in intents}
            keyword = said.get("Keyword", "")
            if keyword.upper().startswith("SESSION") and not said.get("Value"):
                yield keyword


def _texts(root: Element, tag: str) -> Iterator[str]:
    for one in root.iter():
        if _tag(one) == tag and one.text and one.text.strip():
            yield one.text.strip()


def _tag(element: Element) -> str:
    """Return an element's name without its namespace; requests of some years have one."""
    return str(element.tag).rpartition("}")[2]


def _parse(path: Path) -> Element | None:
    try:
        root: Element = ElementTree.fromstring(_read(path))
    except (ParseError, DefusedXmlException, ValueError):
        return None
    return root


def _read(path: Path) -> bytes:
    """Return a paper's bytes, as many as a paper has."""
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES)
    except OSError as error:
        raise DeliveryUnreadable(
            f"cannot read {path}: {error.strerror}", evidence={"path": str(path)}
        ) from error
