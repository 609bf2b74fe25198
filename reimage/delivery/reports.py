"""What people and the pipeline wrote about a delivery: manifest, QA2 report, weblog, README."""

from __future__ import annotations

import logging
import re
import struct
import zlib
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

from reimage.delivery import reading, releases, xml
from reimage.delivery.releases import Reading
from reimage.model import Calibration, Role, VersionStatement

MANIFEST, QA2, WEBLOG, README = 1, 2, 3, 4
MAX_PDF_BYTES = 50 << 20
MAX_PDF_PAGES = 5
MAX_SHOWN = 160
MAX_NESTED, MAX_CELL = 6, 1000
"""Tables within tables, and characters of a cell, that are followed."""

_LABEL = re.compile(r"casa\s+version", re.IGNORECASE)
_LABELLED = re.compile(r"CASA\s+version\s*:?\s*(" + releases.VERSION + r"[^\s<]*)", re.IGNORECASE)
_README = re.compile(
    r"^\W*CASA\s+versions?(?:\s+used)?(?:\s+(?:for|in|to|during)\b(?P<what>[^:=]*))?\s*[:=](?P<rest>.*)$",
    re.IGNORECASE,
)
_IMAGING_PROCEDURE = re.compile(r"\bh(?:if|ifa|sd)_image", re.IGNORECASE)
_MODE = re.compile(r"Reduction\s+mode\s*:?\s*(PL|pipeline|manual|script)", re.IGNORECASE)
_CASAVERSION = re.compile(r"<casaversion\s+name\s*=\s*['\"]([^'\"]+)['\"]")
_PDF_BROKEN = (
    ValueError, KeyError, IndexError, TypeError, AttributeError, OSError, EOFError,
    ArithmeticError, AssertionError, RecursionError, NotImplementedError, struct.error, zlib.error,
)  # fmt: skip
"""What a PDF reader raises on files that are no good PDF."""


def _statement(
    read: Reading, role: Role, *, file: str, line: int, text: str, strength: int
) -> VersionStatement:
    return VersionStatement(
        version=read.version,
        role=role,
        file=file,
        line=line,
        text=text[:MAX_SHOWN],
        strength=strength,
        doubt=read.doubt,
    )


def find_in_manifest(name: str, path: Path) -> Iterator[VersionStatement]:
    """Yield the version of a pipeline manifest; one of an imaging procedure speaks of imaging."""
    text = reading.text(path)
    root = xml.read_root(path)
    if root is not None:
        said = [found.get("name") or "" for found in root.findall("ous/casaversion")]
        said = said or [found.get("name") or "" for found in root.iter("casaversion")]
        procedures = [found.get("name") or "" for found in root.iter("procedure_name")]
    else:  # cut off: the version stands near the beginning
        said, procedures = _CASAVERSION.findall(text)[:1], []
    is_imaging = any(_IMAGING_PROCEDURE.search(one) for one in [Path(name).name, *procedures])
    for version in dict.fromkeys(said):
        read = releases.read(version)
        if read is not None:
            yield _statement(
                read,
                Role.IMAGING if is_imaging else Role.CALIBRATION,
                file=name,
                line=reading.line_of(text, "casaversion"),
                text=f"casaversion {version}",
                strength=MANIFEST,
            )


class Page(HTMLParser):
    """The words of a page, and its tables as rows of cells; a cell holds the words of inner tables."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tables: list[list[list[str]]] = []
        self._open: list[list[list[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a table, a row, a cell."""
        if tag == "table" or (tag == "tr" and not self._open):
            self._open.append([])
            self.tables.append(self._open[-1])
        if tag == "tr":
            self._open[-1].append([])
        elif tag in {"td", "th"} and self._open:
            row = self._open[-1][-1] if self._open[-1] else []
            if not self._open[-1]:
                self._open[-1].append(row)
            span = dict(attrs).get("colspan") or "1"
            row.append("")
            # "\0" stands for the columns that a wide cell takes up
            row.extend(["\0"] * (min(int(span), 50) - 1 if span.isdigit() else 0))

    def handle_endtag(self, tag: str) -> None:
        """Close a table."""
        if tag == "table" and self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        """Add words to every cell that is open."""
        word = " ".join(data.split())
        if not word:
            return
        self.words.append(word)
        for table in self._open[-MAX_NESTED:]:
            row = table[-1] if table else []
            last = next((i for i in range(len(row) - 1, -1, -1) if row[i] != "\0"), None)
            if last is not None and len(row[last]) < MAX_CELL:
                row[last] = f"{row[last]} {word}".strip()

    def version(self) -> str | None:
        """Return the version that the page states, whichever of its forms it takes.

        A header cell with the value in the next cell, or in the same column of the next row; or
        ``CASA version: 5.6.1-8`` in running text.
        """
        for table in self.tables:
            for row, below in pairwise([*table, []]):
                for column, cell in enumerate(row):
                    if not _LABEL.fullmatch(cell.strip(" :")):
                        continue
                    beside = [*row[column + 1 : column + 2], *below[column : column + 1]]
                    found = [text for text in beside if re.match(releases.VERSION, text)]
                    if found:
                        return found[0]
        match = _LABELLED.search(" ".join(self.words))
        return match[1] if match else None


def parse(text: str) -> Page:
    """Return a page's words and tables."""
    page = Page()
    page.feed(text)
    page.close()
    return page


def find_in_qa2(name: str, path: Path) -> Iterator[VersionStatement]:
    """Yield the version of a QA2 report, HTML or PDF."""
    if path.suffix.casefold() == ".pdf":
        for number, text in enumerate(_pdf_pages(path), start=1):
            match = _LABELLED.search(text)
            read = releases.read(match[1]) if match else None
            if read is not None:
                shown = f"CASA version {read.version} (page {number})"
                yield _statement(
                    read, Role.CALIBRATION, file=name, line=number, text=shown, strength=QA2
                )
                return
        return
    text = reading.text(path)
    yield from _of_page(name, text, Role.CALIBRATION, QA2)


def _of_page(name: str, text: str, role: Role, strength: int) -> Iterator[VersionStatement]:
    version = parse(text).version()
    read = releases.read(version) if version else None
    if version and read:
        line = reading.line_of(text, version.split()[0])
        shown = f"CASA version {version}"
        yield _statement(read, role, file=name, line=line, text=shown, strength=strength)


def _pdf_pages(path: Path) -> list[str]:
    import pypdf  # noqa: PLC0415 -- a quarter of a second, for the few deliveries that have a PDF
    from pypdf.errors import PyPdfError  # noqa: PLC0415 -- the same

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it tells stderr what it repairs
    try:
        if path.stat().st_size > MAX_PDF_BYTES:
            return []
        pages = pypdf.PdfReader(path).pages
        return [" ".join(page.extract_text().split()) for page in pages[:MAX_PDF_PAGES]]
    except (PyPdfError, *_PDF_BROKEN):
        return []


def mode(path: Path) -> Calibration | None:
    """Return the reduction mode that a QA2 report names, None where it names none."""
    is_pdf = path.suffix.casefold() == ".pdf"
    words = _pdf_pages(path) if is_pdf else parse(reading.text(path)).words
    match = _MODE.search(" ".join(words))
    if match is None:
        return None
    is_pipeline = match[1].casefold() in {"pl", "pipeline"}
    return Calibration.PIPELINE if is_pipeline else Calibration.MANUAL


def find_in_weblog(name: str, path: Path) -> Iterator[VersionStatement]:
    """Yield the version of a weblog, packed or its index page, read without unpacking it."""
    role = Role.IMAGING if _IMAGING_PROCEDURE.search(name) else Role.CALIBRATION
    if path.suffix.casefold() in {".html", ".htm"}:
        yield from _of_page(name, reading.text(path), role, WEBLOG)
        return
    for member in reading.members(path, ("index.html", "t1-1.html")):
        found = list(_of_page(f"{name}:{member.name}", member.text, role, WEBLOG))
        if found:
            yield from found
            return


def find_in_readme(name: str, path: Path) -> Iterator[VersionStatement]:
    """Yield the line about CASA of a README of Cycles 0 to 4; other words about CASA are remarks."""
    lines = reading.text(path).splitlines()
    for number, line in enumerate(lines, start=1):
        match = _README.match(line)
        if match is None:
            continue
        rest = match["rest"].strip()
        if not rest and number < len(lines) and ":" not in lines[number]:
            rest = lines[number].strip()
        for part in _parts(rest):
            read = releases.read(part)
            if read is not None:
                yield _statement(
                    read,
                    _role_of(part) or _role_of(match["what"] or "") or Role.CALIBRATION,
                    file=name,
                    line=number,
                    text=line.strip(),
                    strength=README,
                )


def _parts(said: str) -> list[str]:
    """Split where several versions are told, each with the words that belong to it."""
    found = list(re.finditer(releases.VERSION, said))
    if len(found) < 2:  # noqa: PLR2004 -- one version: all words are its own
        return [said]
    if _role_of(said[: found[0].start()]):  # "calibration 4.2.2, imaging 4.3.1"
        cuts = [0, *(match.end() for match in found)]
    else:  # "4.2.2 (calibration), 4.3.1 (imaging)"
        cuts = [*(match.start() for match in found), len(said)]
    return [said[first:last] for first, last in pairwise(cuts)]


def _role_of(words: str) -> Role | None:
    if re.search(r"calib|reduc", words, re.IGNORECASE):
        return Role.CALIBRATION
    return Role.IMAGING if re.search(r"imag", words, re.IGNORECASE) else None
