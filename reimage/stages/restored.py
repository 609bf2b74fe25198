"""What a restore must leave behind, and how it is recognised: files are proof, words are not.

Names by era (archive pages on scriptForPI): ``<eb>.ms.split.cal`` has the calibrated data in DATA;
``<eb>.ms`` has them in CORRECTED_DATA.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from reimage.errors import CasaError

SPLIT = ".ms.split.cal"


class RestoreNoMs(CasaError):
    """The restore ended, perhaps with "Done.", and an execution block has no MS."""

    code = "restore-no-ms"
    hint = "Read the script's own output (`reimage log RUN --job script`): it prints what it could not do."


class RestoreRowsMissing(CasaError):
    """An MS has fewer rows than its ASDM promises."""

    code = "restore-rows-missing"
    hint = "Binary data are missing or damaged: fetch the raw data again."


class RestoreNotCalibrated(CasaError):
    """An MS has no calibrated data: the column is absent, or equal to the raw one."""

    code = "restore-not-calibrated"
    hint = "The calibration tables did not reach the data: see applycal's messages in the log."


class RestoreAllFlagged(CasaError):
    """Every visibility of the target is flagged."""

    code = "restore-all-flagged"
    hint = "Calibration failed for all target data; tables without solutions flag what they cannot correct."


def find(where: Path, ebs: tuple[str, ...]) -> dict[str, Path]:
    """Return, for each execution block, the MS to image.

    Raises
    ------
    RestoreNoMs
    """
    found, missing = {}, []
    for eb in ebs:
        candidates = [where / f"{eb}{SPLIT}", where / f"{eb}.ms", where / "working" / f"{eb}.ms"]
        present = [path for path in candidates if (path / "table.dat").is_file()]
        if present:
            found[eb] = present[0]
        else:
            missing.append(eb)
    if missing:
        there = sorted(path.name for path in where.glob("*")) if where.is_dir() else []
        raise RestoreNoMs(
            f"no calibrated MS of {', '.join(missing)}",
            evidence={"missing": missing, "there": there[:30]},
        )
    return found


def prove(
    eb: str, name: str, facts: Mapping[str, Any], promised_rows: int | None
) -> Literal["data", "corrected"]:
    """Return the column that holds the calibrated data.

    Raises
    ------
    RestoreRowsMissing, RestoreNotCalibrated, RestoreAllFlagged
    """
    seen = {
        key: facts[key]
        for key in ("rows", "columns", "target_rows", "target_flagged", "data_amplitude")
    }
    evidence = {"eb": eb, "ms": name, "promised_rows": promised_rows, **seen}
    is_split = name.endswith(SPLIT)
    # a split leaves out calibrators and, with averaging, more: only its being empty is wrong
    expected = 1 if is_split or promised_rows is None else promised_rows
    if facts["rows"] < expected or facts["target_rows"] == 0:
        raise RestoreRowsMissing(
            f"{name} has {facts['rows']} rows ({facts['target_rows']} of targets), promised are {promised_rows}",
            evidence=evidence,
        )
    if facts["target_flagged"] >= 1.0:
        raise RestoreAllFlagged(f"{name}: all target data are flagged", evidence=evidence)
    if is_split or promised_rows is None:
        column: Literal["data", "corrected"] = (
            "corrected" if "CORRECTED_DATA" in facts["columns"] else "data"
        )
        calibrated = bool(facts[f"{column}_amplitude"])
    else:
        column, calibrated = "corrected", facts["corrected_differs"]
    if not calibrated:
        raise RestoreNotCalibrated(
            f"{name}: nothing calibrated in column {column}", evidence=evidence
        )
    return column
