"""What CASA itself left: its logs, and the headers of the images it wrote."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from reimage.delivery import reading, releases
from reimage.model import Role, VersionStatement

LOG, PRODUCT = 6, 7
MAX_HEADER_BYTES = 20 * 2880
MAX_LOGS_IN_TAR = 40
MAX_VERSIONS_IN_LOG = 10
MAX_SHOWN = 160

_STARTED = re.compile(
    r"CASA\s+Version:?\s+(?:(?:PIPELINE|CASALITH|RELEASE|MODULAR)\s+)?"
    r"(" + releases.VERSION + r"[^\n]*)",
    re.IGNORECASE,
)
_CALIBRATES = re.compile(
    r"\b(?:importasdm|gaincal|bandpass|applycal|wvrgcal|gencal|setjy|hifa_restoredata|hif_restoredata"
    r"|hifa_importdata|hsd_importdata|sdcal2?)\b(?:\(|::| )"
)
_OF_CALIBRATION = re.compile(
    r"calib|casa_commands|uid___A002_X[0-9a-f]+_X[0-9a-f]+\.(?:ms\.)?log", re.IGNORECASE
)
_IMAGES = re.compile(r"\b(?:t?clean|sdimaging|hif_makeimages|exportfits)\b(?:\(|::| )")
_ORIGIN = re.compile(rb"ORIGIN\s*=\s*'CASA\s+([^']+)'")


def find_in_log(name: str, path: Path) -> Iterator[VersionStatement]:
    """Yield the versions that a log (or a tar of logs) says were started, each once."""
    if name.casefold().endswith(("tgz", ".tar.gz", ".tar")):
        members = reading.members(path, (".log", "casa_commands.log", ".txt"))
        for count, member in enumerate(members):
            if count >= MAX_LOGS_IN_TAR:
                return
            yield from _of_log(f"{name}:{member.name}", member.text)
        return
    yield from _of_log(name, reading.text(path))


def _of_log(name: str, text: str) -> Iterator[VersionStatement]:
    said: set[str] = set()
    for match in _STARTED.finditer(text):
        read = releases.read(match[1])
        if len(said) >= MAX_VERSIONS_IN_LOG:
            return
        if read is None or read.version in said:
            continue
        said.add(read.version)
        yield VersionStatement(
            version=read.version,
            role=_role(name, text),
            file=name,
            line=text.count("\n", 0, match.start()) + 1,
            text=" ".join(match[0].split())[:MAX_SHOWN],
            strength=LOG,
            doubt=read.doubt,
        )


def _role(name: str, text: str) -> Role:
    """Return what was done while a log was written, as far as its name or its tasks tell."""
    if re.search(r"imaging", name, re.IGNORECASE):
        return Role.IMAGING
    if _OF_CALIBRATION.search(name) or _CALIBRATES.search(text):
        return Role.CALIBRATION
    return Role.IMAGING if _IMAGES.search(text) else Role.UNKNOWN


def find_in_product(name: str, path: Path) -> Iterator[VersionStatement]:
    """Yield the ORIGIN of a FITS image: the version that imaged, never the one that calibrated."""
    match = _ORIGIN.search(reading.head(path, MAX_HEADER_BYTES))
    read = releases.read(match[1].decode("latin-1")) if match else None
    if match and read:
        yield VersionStatement(
            version=read.version,
            role=Role.IMAGING,
            file=name,
            line=1,
            text=f"ORIGIN {match[1].decode('latin-1').strip()}",
            strength=PRODUCT,
            doubt=read.doubt,
        )
