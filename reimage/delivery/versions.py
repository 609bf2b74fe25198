"""What a delivery says about CASA: every statement, with the place where it stands.

Places in order of trust (``strength`` 1 to 5; archive pages and ALMA's knowledge base):
pipeline manifest, QA2 report, weblog, README, gate lines of the scripts.  The project's cycle is
never a statement: data of one cycle were processed with several versions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from reimage.delivery import xml
from reimage.model import Delivery, Role, VersionStatement

MANIFEST, QA2, WEBLOG, README, GATE = 1, 2, 3, 4, 5

_VERSION = r"\d+\.\d+(?:\.\d+)?(?:[-.]\d+)?"
_README = re.compile(r"CASA version used for reduction:\s*(" + _VERSION + r")", re.IGNORECASE)
_QA2 = re.compile(r"CASA version\s*:?\s*(" + _VERSION + r")", re.IGNORECASE)
_GATE = re.compile(r"re\.search\(\s*r?['\"]\^?(" + _VERSION.replace(r"\.", r"\\?\.") + r")")
_GATE_MARKS = ("casadef", "casalith", "version")


def find_statements(delivery: Delivery) -> tuple[VersionStatement, ...]:
    """Return all statements, the most trusted first."""
    root = Path(delivery.root)
    found = [
        *_manifests(root, delivery.manifests),
        *_reports(root, delivery.qa),
        *_readme(root, delivery.readme),
        *_gates(root, delivery.scripts),
    ]
    return tuple(sorted(found, key=lambda s: (s.strength, s.file, s.line)))


def _manifests(root: Path, names: tuple[str, ...]) -> Iterator[VersionStatement]:
    for name in names:
        version = xml.attribute(root / name, "ous/casaversion", "name") or ""
        if re.fullmatch(_VERSION, version):
            role = Role.IMAGING if "hifa_image" in name else Role.CALIBRATION
            line = _line_of(root / name, "casaversion")
            yield VersionStatement(
                version=version,
                role=role,
                file=name,
                line=line,
                text=f"casaversion {version}",
                strength=MANIFEST,
            )


class _Page(HTMLParser):
    """The words of a page, and its tables as rows of cells."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.rows: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1:] = [[*(self.rows[-1] if self.rows else []), ""]]

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.words.append(data.strip())
            if self.rows and self.rows[-1]:
                self.rows[-1][-1] += data.strip()

    def version(self) -> str | None:
        """Return the version that the page states, whichever of its forms it takes.

        ``CASA version: 5.6.1-8`` in running text; a header cell with the value in the next cell, or
        in the same column of the next row.
        """
        match = _QA2.search(" ".join(self.words))
        if match:
            return match[1]
        for row, below in zip(self.rows, [*self.rows[1:], []], strict=True):
            for column, cell in enumerate(row):
                if cell.rstrip(":").casefold() == "casa version":
                    beside = [*row[column + 1 : column + 2], *below[column : column + 1]]
                    found = [text for text in beside if re.fullmatch(_VERSION, text)]
                    if found:
                        return found[0]
        return None


def _reports(root: Path, names: tuple[str, ...]) -> Iterator[VersionStatement]:
    for name in names:
        if not name.endswith("qa2_report.html"):
            continue
        page = _Page()
        page.feed(_read(root / name))
        version = page.version()
        if version:
            yield VersionStatement(
                version=version,
                role=Role.CALIBRATION,
                file=name,
                line=_line_of(root / name, version),
                text=f"CASA version {version}",
                strength=QA2,
            )


def _readme(root: Path, name: str | None) -> Iterator[VersionStatement]:
    if name is None:
        return
    for number, line in enumerate(_read(root / name).splitlines(), start=1):
        match = _README.search(line)
        if match:
            yield VersionStatement(
                version=match[1],
                role=Role.CALIBRATION,
                file=name,
                line=number,
                text=line.strip(),
                strength=README,
            )


def _gates(root: Path, names: tuple[str, ...]) -> Iterator[VersionStatement]:
    """Find gate lines: they compare the running CASA with the one the script was written for."""
    for name in names:
        for number, line in enumerate(_read(root / name).splitlines(), start=1):
            match = _GATE.search(line)
            is_code = not line.lstrip().startswith("#")
            if match and is_code and any(mark in line for mark in _GATE_MARKS):
                yield VersionStatement(
                    version=match[1].replace("\\", ""),
                    role=_role(name),
                    file=name,
                    line=number,
                    text=line.strip(),
                    strength=GATE,
                )


def _role(script: str) -> Role:
    if "Imaging" in script:
        return Role.IMAGING
    return Role.CALIBRATION if "Calibration" in script else Role.UNKNOWN


def _line_of(path: Path, text: str) -> int:
    lines = enumerate(_read(path).splitlines(), start=1)
    return next((number for number, line in lines if text in line), 1)


def _read(path: Path) -> str:
    """Delivered texts are UTF-8, or latin-1 where an early README was written by hand."""
    data = path.read_bytes()
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
