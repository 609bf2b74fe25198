"""The proof of a restore: what an MS must hold to be calibrated data, spectral window by window.

Files are proof, words are not: CASA leaves out rows of missing binaries, and leaves as raw data the
spws that its tables do not know, and returns 0 (casa.md 9 C).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from reimage.delivery.asdm import AsdmPromise
from reimage.errors import CasaError
from reimage.stages.identify import Candidate, View

SAME_HZ = 50e6
"""Spws whose centres differ by less are the same one, where names do not tell."""
Column = Literal["data", "corrected"]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What is proven of an MS."""

    column: Column
    """Where the calibrated data are."""
    uncalibrated: tuple[int, ...] = ()
    """Spws with target data that nothing was applied to: raw data, which must not be imaged."""
    flagged: tuple[int, ...] = ()
    """Spws whose target data are flagged as a whole."""


def prove(
    candidate: Candidate,
    facts: Mapping[str, Any],
    promised_rows: int | None = None,
    origin: Mapping[str, Any] | None = None,
) -> Proof:
    """Return where the calibrated data of an MS are, and what of it is not calibrated.

    Parameters
    ----------
    facts
        What job ``inspect_ms`` found in it.
    promised_rows
        What the ASDM promises of the imported MS; a split may have fewer.
    origin
        The facts of the MS that it was split from, where that is still there: a split of a spw that
        was not calibrated cannot be told by itself.

    Raises
    ------
    RestoreRowsMissing, RestoreNotCalibrated, RestoreAllFlagged
    """
    name, spws = candidate.name, facts["target_spws"]
    evidence = _evidence(candidate, facts, promised_rows)
    _require_rows(candidate, facts, promised_rows, evidence)
    flagged = tuple(one["spw"] for one in spws if one["flagged"] >= 1.0)
    live = [one for one in spws if one["spw"] not in flagged]
    if not live:
        raise RestoreAllFlagged(f"{name}: all target data are flagged", evidence=evidence)
    compared = candidate.view is View.WHOLE and promised_rows is not None
    column: Column = "corrected" if compared else _column(candidate.view, facts["columns"])
    raw = {one["spw"] for one in live if not _is_calibrated(one, column, compared=compared)}
    if origin is not None:
        raw |= set(_raw_in_origin(live, facts["spws"], origin))
    uncalibrated = tuple(sorted(raw))
    if len(uncalibrated) == len({one["spw"] for one in live}):
        raise RestoreNotCalibrated(
            f"{name}: nothing calibrated in column {column}, spws {_text(uncalibrated)}",
            evidence=evidence,
        )
    return Proof(column=column, uncalibrated=uncalibrated, flagged=flagged)


def require_imported(
    candidate: Candidate, imported: Mapping[str, Any], promise: AsdmPromise
) -> None:
    """Demand that the import of what was split has every row that its ASDM promises.

    importasdm leaves out what it cannot read of a binary file, and returns 0.  A script may import
    without autocorrelations.

    Raises
    ------
    RestoreRowsMissing
    """
    rows = imported["rows"]
    if rows < promise.rows and rows != promise.cross_rows:
        raise RestoreRowsMissing(
            f"{candidate.imported} has {rows} rows, promised are {promise.rows}",
            evidence={
                "eb": candidate.eb,
                "ms": candidate.imported,
                "rows": rows,
                "promised_rows": promise.rows,
            },
        )


def caveats(eb: str, proof: Proof) -> tuple[str, ...]:
    """Return what a user of the images has to know: which spws are not in them, and why."""
    told = []
    if proof.uncalibrated:
        told.append(f"spw-uncalibrated:{_text(proof.uncalibrated)} of {eb}")
    if proof.flagged:
        told.append(f"spw-flagged:{_text(proof.flagged)} of {eb}")
    return tuple(told)


def _evidence(
    candidate: Candidate, facts: Mapping[str, Any], promised_rows: int | None
) -> dict[str, Any]:
    keys = ("rows", "columns", "target_rows", "target_flagged", "data_amplitude", "target_spws")
    seen = {key: facts[key] for key in keys}
    return {"eb": candidate.eb, "ms": candidate.name, "promised_rows": promised_rows, **seen}


def _require_rows(
    candidate: Candidate,
    facts: Mapping[str, Any],
    promised_rows: int | None,
    evidence: Mapping[str, Any],
) -> None:
    # a split leaves out calibrators and, with averaging, more: only its being empty is wrong
    whole = candidate.view is View.WHOLE and promised_rows is not None
    expected = promised_rows if whole and promised_rows is not None else 1
    if facts["rows"] < expected or facts["target_rows"] == 0:
        raise RestoreRowsMissing(
            f"{candidate.name} has {facts['rows']} rows ({facts['target_rows']} of targets), "
            f"promised are {promised_rows}",
            evidence=evidence,
        )


def _column(view: View, columns: Iterable[str]) -> Column:
    """Return where an MS that somebody made of calibrated data has them."""
    if view is View.TARGETS:  # its CORRECTED_DATA is something else
        return "data"
    return "corrected" if "CORRECTED_DATA" in columns else "data"


def _is_calibrated(spw: Mapping[str, Any], column: Column, *, compared: bool) -> bool:
    return bool(spw["corrected_differs"] if compared else spw[f"{column}_amplitude"])


def _raw_in_origin(
    live: list[Mapping[str, Any]], spws: list[Mapping[str, Any]], origin: Mapping[str, Any]
) -> list[int]:
    """Return the spws of a split that were raw data in what it was split from.

    Splits up to scriptForPI 1.15 number spws anew: they are matched by name and frequency.
    """
    if "CORRECTED_DATA" not in origin["columns"]:
        return []
    described = {one["id"]: one for one in origin["spws"]}
    own = {one["id"]: one for one in spws}
    raw = [
        described[one["spw"]]
        for one in origin["target_spws"]
        if one["flagged"] < 1.0 and not one["corrected_differs"]
    ]
    return [one["spw"] for one in live if any(_is_same(own[one["spw"]], other) for other in raw)]


def _is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    if one["name"] and other["name"] and one["name"] != other["name"]:
        return False
    return bool(abs(one["center_hz"] - other["center_hz"]) < SAME_HZ)


def _text(spws: Iterable[int]) -> str:
    return ",".join(map(str, spws))
