"""What an archive offers for a dataset, and what of it a restore needs.

Products are not fetched, and that is a decision (archive pages, 3.2): a delivered ``scriptForPI.py``
that finds products of the imaging pipeline *links* the restored MS instead of splitting it, and we
want the split, whoever made the delivery.  They are also the largest part of many datasets.  The
exception is a dataset without an auxiliary tar, Cycle 0 above all: everything is in its product tars.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from reimage.archive.faults import ArchiveNameHostile
from reimage.uid import Uid

README, AUXILIARY, PRODUCT = "#documentation", "#auxiliary", "#this"
RAW, PACKAGE = "#progenitor", "#package"
"""``#package`` is raw, too: an execution block more, or one that was not used (archive pages, 1.3)."""
ASDM = ".asdm.sdm.tar"
LONGEST_NAME = 200
"""Bytes of a file's name; file systems take 255, and we append to it."""
NOTES = "fetched.sha256"
"""Beside fetched files: their sums (`reimage.archive.noted`)."""
OURS = (".part", ".part.json", NOTES)
"""Ends of names that no file of the archive may have here."""

_CALIBRATION = re.compile(
    r"caltables|flagversions|calapply|auxproducts|\.calibration\.tgz$|scriptfor\w*calibration\.py$"
    r"|piperestorescript|jyperk|hsd_|\.ms(\.split)?(\.cal)?(\.tgz|\.tar|\.tar\.gz)?(/|$)"
    r"|/calibrat(ion|ed)/|class: CALIBRATION",
    re.IGNORECASE,
)
"""Names, and the archive's own class, of what calibrates or is calibrated (archive pages, 2.3)."""
_FITS = re.compile(r"\.fits(\.gz|\.fz)?$", re.IGNORECASE)
_TYPE = re.compile(r"type: (?P<type>[\w ]*), and class: (?P<class>[\w/ ]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveFile:
    """One file that an archive offers for a dataset.

    ``semantics`` is DataLink's: ``#documentation`` (README), ``#auxiliary`` (scripts, calibration),
    ``#this`` (products), ``#progenitor`` and ``#package`` (raw).
    """

    name: str
    """A plain file name, never a path."""
    semantics: str
    content_type: str
    n_bytes: int | None
    """None: the archive does not say."""
    url: str = ""
    """Where it is; empty in an archive that is a folder."""
    description: str = ""
    is_readable: bool | None = None
    """Whether the archive would hand it to who asked; None: it does not say."""
    is_offered: bool = True
    """False: the listing names it, and says no address of it."""

    @property
    def is_raw(self) -> bool:
        """Whether it is the raw data of an execution block."""
        return self.semantics in {RAW, PACKAGE}

    @property
    def is_tar(self) -> bool:
        """Whether it is one of the archive's packages, to be unpacked."""
        return self.name.endswith(".tar")

    @property
    def is_calibration(self) -> bool:
        """Whether it calibrates, or is calibrated."""
        return bool(_CALIBRATION.search(self.name) or _CALIBRATION.search(self.description))

    @property
    def block(self) -> str | None:
        """The uid of the execution block that it is the raw data of, from its name."""
        found = Uid.find(self.name) if self.is_raw else None
        return None if found is None else str(found)

    @property
    def kind(self) -> str:
        """What it is, in one word.

        By its semantics where those are enough, else by its name and the archive's description
        (``type: product, and class: SCIENCE``), which only files inside tars have.  A primary beam is
        of class SCIENCE, too, and may be ``.fits.gz``: there the name decides.
        """
        if self.is_raw:
            return "raw"
        if self.semantics == README:
            return "log" if self.description.rstrip(".").endswith("|LOG") else "readme"
        if self.is_tar:
            return "auxiliary" if self.semantics == AUXILIARY else "product"
        if self.semantics == PRODUCT:
            return _product_kind(self.name, self.described[1])
        return self.described[0] or ("calibration" if self.is_calibration else "auxiliary")

    @property
    def described(self) -> tuple[str, str]:
        """The archive's own type and class (``product``, ``SCIENCE``); empty where it does not say."""
        found = _TYPE.search(self.description)
        if found is None or found["type"] in {"", "null"}:
            return "", ""
        return found["type"].strip(), found["class"].strip()


def _product_kind(name: str, described: str) -> str:
    lower = name.casefold()
    if described == "MASK" or ".mask." in lower:
        return "mask"
    if re.search(r"\.pb(\.tt\d)?\.fits", lower):
        return "beam"
    return "image" if _FITS.search(lower) else "product"


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A file that is listed and not fetched."""

    name: str
    semantics: str
    n_bytes: int | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """What of a listing is fetched, in this order, and what is not: together they are the listing."""

    light: tuple[ArchiveFile, ...]
    """README, scripts, calibration: what tells whether the rest is worth it."""
    heavy: tuple[ArchiveFile, ...]
    """Raw data."""
    left: tuple[Left, ...]

    @property
    def n_bytes(self) -> int:
        """Bytes to fetch, as far as the archive says."""
        return total((*self.light, *self.heavy))

    @property
    def raw_bytes(self) -> int:
        """Bytes of the raw data."""
        return total(self.heavy)


def needed(files: Sequence[ArchiveFile], facts: Mapping[str, Any] | None = None) -> Needed:
    """Sort what a listing of whole tars offers into what a restore needs, and the rest with its reason.

    Parameters
    ----------
    facts
        The holdings' row of the dataset; its ``cycle`` is looked at: later than Cycle 0 an auxiliary
        tar that is missing beside raw data does not make the products a delivery.
    """
    cycle = (facts or {}).get("cycle")
    has_auxiliary = any(file.semantics == AUXILIARY for file in files)
    is_packed = not has_auxiliary and (cycle is None or not any(file.is_raw for file in files))
    wanted = {README, AUXILIARY}
    if is_packed or cycle == 0:
        wanted |= {PRODUCT}
    light, heavy, left = [], [], []
    for file in files:
        if file.is_raw:
            heavy.append(file)
        elif file.semantics in wanted:
            light.append(file)
        else:
            why = "products are made anew" if file.semantics == PRODUCT else "not used"
            left.append(leave(file, why))
    return Needed(light=tuple(light), heavy=tuple(heavy), left=tuple(left))


def leave(file: ArchiveFile, why: str) -> Left:
    """Say why a file is not fetched."""
    return Left(name=file.name, semantics=file.semantics, n_bytes=file.n_bytes, why=why)


def total(files: Iterable[ArchiveFile]) -> int:
    """Return the bytes of files that are all tars, or all members of tars, never both."""
    return sum(file.n_bytes or 0 for file in files)


def once(files: Iterable[ArchiveFile]) -> tuple[ArchiveFile, ...]:
    """Return every name once, the first that was listed.

    Where two rows of one name disagree about the size, neither is believed.
    """
    found: dict[str, ArchiveFile] = {}
    sizes: dict[str, set[int]] = {}
    for file in files:
        found.setdefault(file.name, file)
        said = sizes.setdefault(file.name, set())
        if file.n_bytes is not None:
            said.add(file.n_bytes)
    return tuple(
        replace(file, n_bytes=min(sizes[name]) if len(sizes[name]) == 1 else None)
        for name, file in found.items()
    )


def plain_name(name: str) -> str:
    """Refuse a file name that is a path, too long, or one that we give to what is under way.

    Raises
    ------
    ArchiveNameHostile
    """
    plain = PurePosixPath(name).name == name and name not in {"", ".", ".."}
    if plain and name.isprintable() and "\\" not in name:
        is_ours = name.casefold().endswith(OURS)
        if not is_ours and len(name.encode()) <= LONGEST_NAME:
            return name
    shown = name[:LONGEST_NAME]
    raise ArchiveNameHostile(
        f"the archive offers a file with the name {shown!r}", evidence={"file": shown}
    )
