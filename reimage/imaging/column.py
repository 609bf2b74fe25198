"""Which column of an MS holds the calibrated data, where no restore has proven it.  Pure, with reasons."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from reimage.errors import UsageError

Column: TypeAlias = Literal["data", "corrected"]
NAMES: Mapping[Column, str] = {"data": "DATA", "corrected": "CORRECTED_DATA"}
_TARGETS = re.compile(r"targets?(_cont|_line)?\.ms$")
"""Split for imaging by the pipeline: later steps put something else into CORRECTED_DATA."""


class MsColumnMissing(UsageError):
    """An MS has not the column that is to be imaged, or no visibilities of an interferometer at all."""

    code = "ms-column-missing"
    hint = "Leave `--column` out: the column is then found, and the reason said."


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenColumn:
    """A column, and why it is the one to image."""

    column: Column
    because: str


def choose(path: Path, seen: Mapping[str, Any], asked: Column | None = None) -> ChosenColumn:
    """Choose the column of an MS that is imaged.

    Parameters
    ----------
    seen
        What job ``ms_columns`` saw in it: ``columns``, ``differs``, ``corrected_amplitude``.
    asked
        What a person says.

    Raises
    ------
    MsColumnMissing
    """
    there = [column for column, name in NAMES.items() if name in seen["columns"]]
    if not there or (asked is not None and asked not in there):
        wanted = NAMES[asked] if asked is not None else " or ".join(NAMES.values())
        raise MsColumnMissing(
            f"{path.name} has no column {wanted}",
            evidence={"ms": str(path), "columns": [NAMES[column] for column in there]},
        )
    if asked is not None:
        return ChosenColumn(column=asked, because="asked for")
    if len(there) == 1:
        return ChosenColumn(column=there[0], because="the only one: taken to be calibrated")
    if _TARGETS.search(path.name):
        because = "by its name a split for imaging: its CORRECTED_DATA is something else"
        return ChosenColumn(column="data", because=because)
    if not seen["differs"]:
        return ChosenColumn(column="data", because="CORRECTED_DATA is the same")
    if not seen["corrected_amplitude"]:
        return ChosenColumn(column="data", because="CORRECTED_DATA is zero, or flagged")
    return ChosenColumn(column="corrected", because="calibration was applied: DATA is different")
