"""Read a delivery's tree, of any era, into one `Delivery`.  What is absent is absent, never guessed.

The member directory is the one that holds ``script``, ``calibration``, ``raw`` or ``calibrated``.
Its path tells the era's layout:

====== ======================================================================================
dated  ``sg_ouss_id/group_ouss_id/member_ouss_2012-10-18_id`` (Cycle 0)
named  ``sg_ouss_id/group_ouss_id/member_ouss_id`` (Cycle 0 to about 2)
uid    ``science_goal.uid___/group.uid___/member.uid___`` (since)
flat   none of these: a tree that somebody flattened
====== ======================================================================================
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from reimage.delivery import xml
from reimage.errors import DeliveryError
from reimage.model import Calibration, Delivery
from reimage.uid import Uid

MEMBER_PARTS = ("calibrated", "calibration", "script", "raw", "product", "qa", "log")
_EB = re.compile(r"uid___A\d{3}_X[0-9a-f]+_X[0-9a-f]+", re.IGNORECASE)
_DATED = re.compile(r"member_ouss_\d{4}-\d{2}-\d{2}_id")
_PROJECT = re.compile(r"\d{4}\.[0-9A-Z]\.\d{5}\.[A-Z]+")
_RESTORE = re.compile(r"casa_piperestorescript\.py$")
_CALIBRATE = re.compile(r"scriptForCalibration\.py$")


class DeliveryEmpty(DeliveryError):
    """Nothing in a directory looks like a delivery."""

    code = "delivery-empty"
    hint = "Check that the archive's files were unpacked here, or that the path is right."


def read_layout(root: Path) -> Delivery:
    """Return what a delivery's tree holds.

    Raises
    ------
    DeliveryEmpty
    """
    member = _member_directory(root)
    inside = _Tree(root, member)
    caltables = [
        path
        for path in inside.named("calibration", r"caltables\.(tgz|tar\.gz)$")
        if "auxcaltables" not in path
    ]
    calapply = [
        path for path in inside.named("calibration", r"calapply\.txt$") if "auxcal" not in path
    ]
    flagversions = inside.named("calibration", r"\.flagversions\.(tgz|tar\.gz)$")
    scripts = inside.named("script", r"\.py$")
    calibrated = inside.tables("calibrated")
    raw = inside.folders("raw", ".asdm.sdm")
    kind = _calibration(scripts, caltables, calapply, calibrated)
    manifests = inside.named("script", r"pipeline_manifest\.xml$")
    return Delivery(
        root=str(root),
        member=str(member.relative_to(root)),
        layout=_layout(member),
        calibration=kind,
        dataset=_dataset(member, manifests, root),
        project=_project(member),
        readme=_readme(root, member),
        ebs=_ebs(kind, scripts, calapply, flagversions, calibrated, raw),
        raw=tuple(raw),
        scripts=tuple(scripts),
        caltables=tuple(caltables),
        flagversions=tuple(flagversions),
        calapply=tuple(calapply),
        manifests=tuple(manifests),
        calibrated=tuple(calibrated),
        products=tuple(inside.named("product", r"\.fits(\.gz)?$")),
        qa=tuple(inside.named("qa", "")),
        logs=tuple(inside.named("log", "")),
        other=tuple(
            inside.named("calibration", r"(auxproducts\.tgz|\.csv|cont\.dat|template\.txt|\.xml)$")
        ),
    )


class _Tree:
    """Names below the member directory, relative to the delivery's root, sorted."""

    def __init__(self, root: Path, member: Path) -> None:
        self._root, self._member = root, member

    def named(self, part: str, pattern: str) -> list[str]:
        folder = self._member / part
        found = (
            path for path in folder.glob("*") if path.is_file() and re.search(pattern, path.name)
        )
        return self._relative(found)

    def folders(self, part: str, suffix: str) -> list[str]:
        folder = self._member / part
        return self._relative(path for path in folder.glob(f"*{suffix}") if path.is_dir())

    def tables(self, part: str) -> list[str]:
        """CASA tables (a directory with ``table.dat``) that are called ``*.ms*``."""
        found = (path.parent for path in (self._member / part).glob("*.ms*/table.dat"))
        return self._relative(path for path in found if not path.name.endswith(".flagversions"))

    def _relative(self, paths: Iterable[Path]) -> list[str]:
        return sorted(str(path.relative_to(self._root)) for path in paths)


def _member_directory(root: Path) -> Path:
    """Return the shallowest directory with the most parts of a member."""
    best: tuple[int, int, str] | None = None
    for path in [root, *(p for p in root.rglob("*") if p.is_dir())]:
        parts = sum((path / name).is_dir() for name in MEMBER_PARTS)
        depth = len(path.relative_to(root).parts)
        if parts and depth <= 8:  # noqa: PLR2004 -- project / goal / group / member, nested once
            rank = (-parts, depth, str(path))
            best = rank if best is None or rank < best else best
    if best is None:
        raise DeliveryEmpty(f"no delivery in {root}", evidence={"path": str(root)})
    return Path(best[2])


def _layout(member: Path) -> str:
    if _DATED.fullmatch(member.name):
        return "dated"
    if member.name.startswith("member_ouss"):
        return "named"
    return "uid" if member.name.startswith("member.uid") else "flat"


def _calibration(
    scripts: list[str], caltables: list[str], calapply: list[str], calibrated: list[str]
) -> Calibration:
    if calibrated:
        return Calibration.DELIVERED
    if any(_CALIBRATE.search(name) for name in scripts):
        return Calibration.MANUAL
    if caltables and calapply and any(_RESTORE.search(name) for name in scripts):
        return Calibration.PIPELINE
    return Calibration.NONE


def _ebs(kind: Calibration, scripts: list[str], *others: list[str]) -> tuple[str, ...]:
    """Return the execution blocks: as the calibration names them, else as the raw data do."""
    calapply, flagversions, calibrated, raw = others
    sources = {
        Calibration.MANUAL: [[name for name in scripts if _CALIBRATE.search(name)], raw],
        Calibration.PIPELINE: [calapply, flagversions, raw],
        Calibration.DELIVERED: [calibrated],
        Calibration.NONE: [raw],
    }[kind]
    for names in sources:
        found = [_EB.search(name.rpartition("/")[2]) for name in names]
        uids = {match.group(0) for match in found if match}
        if uids:
            return tuple(sorted(uids))
    return ()


def _readme(root: Path, member: Path) -> str | None:
    for folder in (member, *member.parents):
        names = sorted(p for p in folder.glob("*README*") if p.is_file())
        if names:
            return str(names[0].relative_to(root))
        if folder == root:
            break
    return None


def _project(member: Path) -> str | None:
    match = _PROJECT.search(str(member))
    return match.group(0) if match else None


def _dataset(member: Path, manifests: list[str], root: Path) -> str | None:
    """Return the MOUS that the delivery itself names: its directory, else its manifest."""
    uid = Uid.find(member.name)
    if uid is None:
        names = (xml.attribute(root / name, "ous", "name") for name in manifests)
        uid = next((Uid.find(name) for name in names if name), None)
    return str(uid) if uid else None
