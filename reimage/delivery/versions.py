"""What a delivery says about CASA: every statement, with the place where it stands.

Places in order of trust (``strength`` 1 to 9; archive pages and ALMA's knowledge base):

= =====================================================================  ==================
1 pipeline manifest                                                      `delivery.reports`
2 QA2 report, HTML or PDF                                                `delivery.reports`
3 weblog, in its tar                                                     `delivery.reports`
4 README                                                                 `delivery.reports`
5 gate lines of the scripts                                              `delivery.gates`
6 logs of CASA                                                           `delivery.logs`
7 ORIGIN of FITS images: of the imaging only                             `delivery.logs`
9 dates of the programs that wrote the scripts: a bound, no version      `delivery.gates`
= =====================================================================  ==================

The project's cycle is never a statement: data of one cycle were processed with several versions.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from reimage.delivery import gates, layout, logs, reading, reports
from reimage.delivery.layout import DeliveryEmpty
from reimage.model import Calibration, Delivery, VersionStatement

MAX_FILES = 200_000
MAX_PRODUCTS = 20
_TABLES = re.compile(
    r"\.(ms|asdm\.sdm|image|mask|pb|psf|residual|model)($|\.)|^(raw|rawdata)$", re.IGNORECASE
)
"""Directories that hold data, not words."""

Find = Callable[[str, Path], Iterator[VersionStatement]]


def _script(name: str, path: Path) -> Iterator[VersionStatement]:
    return gates.find_in_script(name, reading.text(path))


PRODUCT = re.compile(r"\.fits(\.gz)?$")
PLACES: tuple[tuple[re.Pattern[str], Find], ...] = (
    (re.compile(r"pipeline_manifest.*\.xml$"), reports.find_in_manifest),
    (re.compile(r"qa2_?report.*\.(html?|pdf)$"), reports.find_in_qa2),
    (re.compile(r"weblog.*\.(tgz|tar\.gz|tar)$"), reports.find_in_weblog),
    (re.compile(r"^(index|t1-1)\.html?$"), reports.find_in_weblog),
    (re.compile(r"\.py$"), _script),
    (re.compile(r"readme(?!.*\.(tgz|tar|gz|pdf|html)$)"), reports.find_in_readme),
    (re.compile(r"\.log$|\.log\.(tgz|tar\.gz|tar)$|^(casa|casapy).*\.log"), logs.find_in_log),
    (PRODUCT, logs.find_in_product),
)
"""Each place by the file name (in lower case) that it has; the first that fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a folder tells of a delivery, though it may hold only a piece of it."""

    statements: tuple[VersionStatement, ...]
    calibration: Calibration


def find_statements(delivery: Delivery) -> tuple[VersionStatement, ...]:
    """Return all statements, the most trusted first."""
    root = Path(delivery.root)
    files = list(_files(root, root / delivery.member))
    if delivery.readme is not None and delivery.readme not in files:
        files.append(delivery.readme)
    return _ranked(root, files)


def read_part(path: Path) -> Part:
    """Return what a delivery, a piece of one, or one file of one says.

    Raises
    ------
    DeliveryEmpty
        There is no file at all.
    """
    if path.is_dir():
        try:
            delivery = layout.read_layout(path)
        except DeliveryEmpty:
            delivery = None
        if delivery is not None and delivery.calibration is not Calibration.NONE:
            return Part(statements=find_statements(delivery), calibration=delivery.calibration)
        root, files = path, list(_files(path, path))
    else:
        root, files = path.parent, [path.name]
    if not files or not path.exists():
        raise DeliveryEmpty(f"no file in {path}", evidence={"path": str(path)})
    return Part(statements=_ranked(root, files), calibration=_calibration(root, files))


def _calibration(root: Path, files: Iterable[str]) -> Calibration:
    """Return how the data of a piece were calibrated, as far as its files tell."""
    names = [Path(name).name.casefold() for name in files]
    if any(re.search(r"scriptfor(sd)?calibration\.py$", name) for name in names):
        return Calibration.MANUAL
    pipeline = r"pipeline_manifest|casa_pipe(restore)?script|caltables\.(tgz|tar\.gz)$|calapply\.txt$|weblog"
    if any(re.search(pipeline, name) for name in names):
        return Calibration.PIPELINE
    reported = [root / name for name in files if re.search(r"qa2_?report", name, re.IGNORECASE)]
    modes = [found for found in (reports.mode(path) for path in reported) if found]
    return modes[0] if modes else Calibration.NONE


def _ranked(root: Path, files: Iterable[str]) -> tuple[VersionStatement, ...]:
    found: list[VersionStatement] = []
    products: list[str] = []
    for name in sorted(files):
        short = Path(name).name.casefold()
        find = next((find for pattern, find in PLACES if pattern.search(short)), None)
        if find is logs.find_in_product:
            products.append(name)
        elif find is not None:
            found += find(name, root / name)
        elif short.endswith(".txt") and len(list(files)) == 1:
            found += reports.find_in_readme(name, root / name)
    for name in products[:MAX_PRODUCTS]:
        said = list(logs.find_in_product(name, root / name))
        known = {one.version for one in found if one.strength == logs.PRODUCT}
        found += [one for one in said if one.version not in known]
    return tuple(sorted(found, key=_trust))


def _trust(statement: VersionStatement) -> tuple[int, bool, str, int]:
    """Most trusted first; among gates, the one of the calibration before those of later steps."""
    is_main = bool(re.search(r"scriptfor(sd)?calibration", statement.file, re.IGNORECASE))
    return (statement.strength, not is_main, statement.file, statement.line)


def _files(root: Path, top: Path) -> Iterator[str]:
    """Yield files below a directory, relative to the root, leaving out what holds data."""
    count = 0
    for folder, folders, names in os.walk(top):
        folders[:] = sorted(name for name in folders if not _TABLES.search(name))
        for name in sorted(names):
            count += 1
            if count > MAX_FILES:
                return
            yield str((Path(folder) / name).relative_to(root))
