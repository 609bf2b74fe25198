"""The archive's rows of one dataset, grouped to typed facts with their true units.

ObsCore rows are finer than a dataset: one per source, spectral window and execution.  Both kinds of
archive, the folder and the service, group them here, so that what is read from one is read from the
other.  Any column may be absent: the archive's table had 63 columns and has 73.

Units are those that the data show, whatever older help pages say: ``frequency`` is GHz and
``bandwidth`` Hz, ``spatial_resolution`` and ``spatial_scale_max`` are arcsec, ``access_estsize``
kbyte.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from reimage.archive import project, sky, support
from reimage.errors import UidMalformed
from reimage.uid import Uid

Row = Mapping[str, Any]
"""One row of ``ivoa.obscore``: Python values, None where there is none."""

COLUMNS = (
    *("member_ous_uid", "group_ous_uid", "asdm_uid", "proposal_id", "obs_id", "target_name"),
    *("s_ra", "s_dec", "s_region", "t_min", "t_max", "t_exptime", "em_min", "em_max"),
    *("frequency", "bandwidth", "frequency_support", "band_list", "antenna_arrays", "is_mosaic"),
    *("pol_states", "schedblock_name", "spatial_resolution", "spatial_scale_max", "data_rights"),
    *("obs_release_date", "qa2_passed", "science_keyword", "scientific_category"),
    *("science_observation", "access_estsize", "lastModified"),
)
"""What is read of a row; a query asks for these."""

PROPRIETARY_SENTINEL = "3000-01-01T00:00:00.000"
"""What the archive writes as release date of data without one."""

_BYTES = re.compile(r"b(['\"])(.*)\1", re.DOTALL)
_COMMA = re.compile(r",\s*(?![^()]*\))")
_SPEED_OF_LIGHT = 299_792_458.0
_MJD_EPOCH = datetime(1858, 11, 17, tzinfo=UTC)
_LARGEST_KBYTE = 1e15
"""An exabyte: a greater size is none."""
_FULL = {"XX", "YY", "XY", "YX"}
_POLARISATIONS = ("XX", "YY", "XY", "YX", "RR", "LL", "RL", "LR", "I", "Q", "U", "V")
_TRUTHS = {"T": True, "F": False}


def key_of(row: Row) -> str | None:
    """Return the dataset of a row as the mirror spells it; None where it names none."""
    try:
        return str(Uid.parse(_text(row.get("member_ous_uid")) or ""))
    except UidMalformed:
        return None


def facts(rows: Sequence[Row]) -> dict[str, Any]:
    """Return what the rows of one dataset say of it: JSON values, units in the names."""
    code = next(iter(_texts(rows, "proposal_id")), None)
    # A dataset may have rows of its calibrators, too; they tell nothing of what was observed.
    science = [row for row in rows if _text(row.get("science_observation")) != "F"] or rows
    targets = sorted(set(_texts(science, "target_name")))
    categories = _several(rows, "scientific_category")
    keywords = _several(rows, "science_keyword")
    cycle = project.cycle(code)
    observed = _numbers(rows, "t_min")
    return {
        "mous": key_of(rows[0]),
        "group": _uid(next(iter(_texts(rows, "group_ous_uid")), None)),
        "project": code,
        "cycle": cycle,
        "era": project.era(cycle, _day(min(observed)) if observed else None),
        "targets": targets,
        "is_solar": sky.is_solar(targets, categories, keywords),
        "is_ephemeris": sky.is_ephemeris(targets, categories, keywords),
        "science_categories": categories,
        "science_keywords": keywords,
        **_executions(rows),
        **_instrument(science),
        **_spectrum(science),
        **_sky(science),
        **_state(rows),
    }


def _executions(rows: Sequence[Row]) -> dict[str, Any]:
    """Return when, how often, and by which antennas."""
    ebs = sorted({uid for uid in map(_uid, _texts(rows, "asdm_uid")) if uid})
    antennas = project.antennas(_texts(rows, "antenna_arrays"))
    arrays = sorted(antennas) or project.arrays_by_name(_texts(rows, "schedblock_name"))
    return {
        "ebs": ebs,
        "n_ebs": len(ebs),
        "array": "+".join(arrays) or None,
        "antennas": antennas,
        "n_antennas": sum(antennas.values()) or None,
        "schedblocks": sorted(set(_texts(rows, "schedblock_name"))),
        "observed_at": _moment(_least(rows, "t_min")),
        "observed_until": _moment(_most(rows, "t_max")),
        "exposure_s": _most(rows, "t_exptime"),
    }


def _instrument(rows: Sequence[Row]) -> dict[str, Any]:
    """Return bands and polarisations."""
    words = {word for text in _texts(rows, "band_list") for word in text.split()}
    found = {part for text in _texts(rows, "pol_states") for part in text.split("/") if part}
    known = [part for part in _POLARISATIONS if part in found]
    return {
        "bands": sorted(int(word) for word in words if word.isdecimal()),
        "pol_states": " ".join([*known, *sorted(found - set(known))]) or None,
        "is_full_polarisation": found >= _FULL if found else None,
    }


def _spectrum(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the frequencies, all that was said of them kept."""
    said = list(dict.fromkeys(_texts(rows, "frequency_support")))
    windows = [window for text in said for window in support.parse(text).windows]
    edges = _edges(rows, windows)
    widths = [window.channel_hz for window in windows if window.channel_hz]
    return {
        "frequency_min_ghz": min((low for low, _ in edges), default=None),
        "frequency_max_ghz": max((high for _, high in edges), default=None),
        "bandwidth_hz": round(_covered(edges) * 1e9, 3) or _most(rows, "bandwidth"),
        "channel_width_hz": min(widths, default=None),
        "n_windows": len({(window.low_ghz, window.high_ghz) for window in windows}) or None,
        "frequency_support": said,
    }


def _edges(rows: Sequence[Row], windows: Iterable[support.Window]) -> list[tuple[float, float]]:
    """Return low and high edges in GHz, from what is most exact.

    Rows of single windows (``.spw.`` in ``obs_id``) state their own.  A row of the older form stands
    for all windows, and its wavelengths for the first alone: then ``frequency_support`` tells, to
    0.01 GHz.
    """
    of_windows = [(window.low_ghz, window.high_ghz) for window in windows]
    is_single = all(".spw." in (_text(row.get("obs_id")) or "") for row in rows)
    own = [edges for row in rows if (edges := _by_wavelength(row) or _by_bandwidth(row))]
    return own if own and (is_single or not of_windows) else of_windows


def _by_wavelength(row: Row) -> tuple[float, float] | None:
    shortest, longest = _number(row.get("em_min")), _number(row.get("em_max"))
    if not shortest or not longest or shortest < 0 or longest < 0:
        return None
    ends = (_SPEED_OF_LIGHT / longest / 1e9, _SPEED_OF_LIGHT / shortest / 1e9)
    return min(ends), max(ends)


def _by_bandwidth(row: Row) -> tuple[float, float] | None:
    centre_ghz, width_hz = _number(row.get("frequency")), _number(row.get("bandwidth"))
    if centre_ghz is None:
        return None
    half = (width_hz or 0) / 2e9
    return centre_ghz - half, centre_ghz + half


def _covered(edges: Iterable[tuple[float, float]]) -> float:
    """Return how much is covered; where windows overlap, once."""
    covered, reached = 0.0, -math.inf
    for low, high in sorted(edges):
        covered += max(high - max(low, reached), 0.0)
        reached = max(reached, high)
    return covered


def _sky(rows: Sequence[Row]) -> dict[str, Any]:
    """Return where, and how finely."""
    return {
        "is_mosaic": _any(rows, "is_mosaic"),
        "resolution_arcsec": _least(rows, "spatial_resolution"),
        "scale_max_arcsec": _most(rows, "spatial_scale_max"),
        "s_ra_deg": next(iter(_numbers(rows, "s_ra")), None),
        "s_dec_deg": next(iter(_numbers(rows, "s_dec")), None),
        "s_regions": list(dict.fromkeys(_texts(rows, "s_region"))),
    }


def _state(rows: Sequence[Row]) -> dict[str, Any]:
    """Return rights, dates, size.  The size is the archive's estimate, often absent: never a budget."""
    passed = [_TRUTHS[text] for text in _texts(rows, "qa2_passed") if text in _TRUTHS]
    rights = set(_texts(rows, "data_rights"))
    released = max(_texts(rows, "obs_release_date"), default=None)
    kbyte = _most(rows, "access_estsize")
    return {
        "qa2_passed": all(passed) if passed else None,
        "data_rights": "Proprietary" if "Proprietary" in rights else min(rights, default=None),
        "release_at": None if released and released >= PROPRIETARY_SENTINEL[:4] else released,
        "last_modified": max(_texts(rows, "lastModified"), default=None),
        "size_bytes": round(1000 * kbyte) if kbyte and 0 < kbyte < _LARGEST_KBYTE else None,
        "n_rows": len(rows),
    }


# --- cells ------------------------------------------------------------------------------------------


def _text(value: object) -> str | None:
    """Return a cell as text; ``b'...'`` is how older clients hand out texts."""
    if value is None:
        return None
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    found = _BYTES.fullmatch(text.strip())
    return (found[2] if found else text).strip() or None


def _number(value: Any) -> float | None:  # noqa: ANN401 -- a cell
    """Return a cell as a finite number."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _texts(rows: Iterable[Row], name: str) -> list[str]:
    return [text for row in rows if (text := _text(row.get(name))) is not None]


def _numbers(rows: Iterable[Row], name: str) -> list[float]:
    return [number for row in rows if (number := _number(row.get(name))) is not None]


def _least(rows: Iterable[Row], name: str) -> float | None:
    return min(_numbers(rows, name), default=None)


def _most(rows: Iterable[Row], name: str) -> float | None:
    return max(_numbers(rows, name), default=None)


def _any(rows: Iterable[Row], name: str) -> bool | None:
    said = [_TRUTHS[text] for text in _texts(rows, name) if text in _TRUTHS]
    return any(said) if said else None


def _several(rows: Iterable[Row], name: str) -> list[str]:
    """Return the distinct words of a column that holds several; commas within brackets divide none."""
    words = {word.strip() for text in _texts(rows, name) for word in _COMMA.split(text)}
    return sorted(words - {""})


def _uid(text: str | None) -> str | None:
    found = Uid.find(text) if text else None
    return str(found) if found else text


def _day(mjd: float) -> datetime | None:
    try:
        return _MJD_EPOCH + timedelta(days=mjd)
    except OverflowError:
        return None


def _moment(mjd: float | None) -> str | None:
    day = None if mjd is None else _day(mjd)
    return None if day is None else day.isoformat(timespec="seconds")


def grouped(
    rows: Iterable[Row], told: Callable[[Row], None] = lambda _: None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (key, facts) of every dataset among rows, by key; ``told`` gets rows without a dataset."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        key = key_of(row)
        if key is None:
            told(row)
        else:
            found.setdefault(key, []).append(row)
    for key in sorted(found):
        yield key, facts(found.pop(key))
