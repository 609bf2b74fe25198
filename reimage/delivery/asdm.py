"""What an ASDM promises, read from its tables without CASA.

importasdm leaves out rows of binary files that are not there and says nothing, so the promise is
counted beforehand: Main.xml has one row per (spectral window set, scan, subscan), each naming its
binary file and its number of integrations.

Source: ALMA Science Data Model tables, `Main`, `ConfigDescription` and `DataDescription`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from reimage.delivery import xml
from reimage.errors import DeliveryError


class AsdmUnreadable(DeliveryError):
    """A table of an ASDM is absent or not XML."""

    code = "asdm-unreadable"
    hint = "The raw data are damaged: fetch them again, then tell the archive."


class AsdmIncomplete(DeliveryError):
    """An ASDM lacks binary files that its Main table names."""

    code = "asdm-incomplete"
    hint = "The raw data are damaged: fetch them again, then tell the archive."


@dataclass(frozen=True, slots=True, kw_only=True)
class AsdmPromise:
    """What an import of the ASDM must give."""

    name: str
    rows: int
    """Rows of the MS: integrations x (baselines + autocorrelations), over Main rows and their spws."""
    scans: tuple[int, ...]
    n_antennas: int
    cross_rows: int
    """Of these rows, those of baselines: all that an import without autocorrelations has."""


def read_promise(asdm: Path) -> AsdmPromise:
    """Count what an ASDM promises.

    Raises
    ------
    AsdmUnreadable
        A table is missing or cut off.
    AsdmIncomplete
        A binary file is missing or empty.
    """
    main = _rows(asdm, "Main")
    configurations = {
        _text(row, "configDescriptionId"): row for row in _rows(asdm, "ConfigDescription")
    }
    missing = sorted(name for name in map(_binary, main) if not _has_binary(asdm, name))
    if missing:
        raise AsdmIncomplete(
            f"{asdm.name}: {len(missing)} of {len(main)} binary files are missing, first {missing[0]}",
            evidence={"asdm": asdm.name, "missing": missing[:20], "n_missing": len(missing)},
        )
    counted = [_ms_rows(row, configurations[_text(row, "configDescriptionId")]) for row in main]
    return AsdmPromise(
        name=asdm.name,
        rows=sum(cross + auto for cross, auto in counted),
        cross_rows=sum(cross for cross, _ in counted),
        scans=tuple(sorted({int(_text(row, "scanNumber")) for row in main})),
        n_antennas=max(int(_text(row, "numAntenna")) for row in main),
    )


def _ms_rows(main: Element, configuration: Element) -> tuple[int, int]:
    """Return the rows of baselines and those of autocorrelations."""
    antennas, mode = int(_text(main, "numAntenna")), _text(configuration, "correlationMode")
    data_descriptions = int(_text(configuration, "numDataDescription"))
    times = int(_text(main, "numIntegration")) * data_descriptions
    cross, auto = {"CROSS_ONLY": (1, 0), "AUTO_ONLY": (0, 1), "CROSS_AND_AUTO": (1, 1)}[mode]
    return cross * times * (antennas * (antennas - 1) // 2), auto * times * antennas


def _binary(main: Element) -> str:
    """Return the file name of a Main row's data, ``uid___A002_Xc0_X2``."""
    reference = main.find("dataUID/EntityRef")
    uid = reference.get("entityId", "") if reference is not None else ""
    return uid.replace("://", "___").replace("/", "_")


def _has_binary(asdm: Path, name: str) -> bool:
    path = asdm / "ASDMBinary" / name
    return path.is_file() and path.stat().st_size > 0


def _rows(asdm: Path, table: str) -> list[Element]:
    path = asdm / f"{table}.xml"
    root = xml.read_root(path)
    if root is None:
        raise AsdmUnreadable(
            f"{asdm.name}: table {table} is missing or not XML",
            evidence={"asdm": asdm.name, "table": table},
        )
    return root.findall("row")


def _text(row: Element, tag: str) -> str:
    return (row.findtext(tag) or "").strip()
