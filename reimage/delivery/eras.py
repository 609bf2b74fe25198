"""By whose habits a delivery was named and packed: told by its names, never by the project's cycle.

Data of one cycle were processed, and old ones packed anew, over years.  Where the names that would
tell two eras apart are not there (a partial download), the wider word is given.

===================== ==============================================================================
cycle-0               calibrated MSs inside, in a dated or named tree
cycle-1-4-manual      ``<eb>.ms.scriptForCalibration.py``
cycle-5-12-manual     the same with prefix ``member.<mous>.`` or a QA2 report
cycle-2-3-pipeline    ``.tar.gz`` tables (CASA 4.2.2 to 4.5)
cycle-4-pipeline      ``.tgz`` tables without prefix, or a loose ``cont.dat`` (4.7)
cycle-2-4-pipeline    no prefix, and no tables that would tell
cycle-5-9-pipeline    prefix ``member.<mous>.``, sessions ``session_1``
cycle-10-12-pipeline  the same, sessions ``s1``, or ``antennapos.json``
cycle-5-12-pipeline   the same, and no session is named
pipeline              flag versions or calapply alone
total-power           single dish, by hand or with an ``hsd_`` procedure
calibrated-only       calibrated MSs in a tree of today
semipass-shell        reports or scripts of a delivery that has nothing to calibrate with
raw-only              nothing but raw data
products-only         nothing but images
readme-only           nothing but a README
partial               some other part of a delivery
===================== ==============================================================================

Source: archive pages 2.2 and 2.3.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from reimage.delivery.contents import Contents, names

_DATED = re.compile(r"member_ouss_\d{4}-\d{2}-\d{2}_id")
_PREFIX = "member."
_SESSION = re.compile(r"(session_\d+|(?<=[._])s\d+)\.caltables\.")
_PROCEDURE = re.compile(r"\.((?:hifa|hif|hsd|hsdn)_[a-z0-9_]+)\.", re.IGNORECASE)
_JYPERK = re.compile(r"jyperk.*\.csv$")
_SD_PRODUCT = re.compile(r"\.sd\.(im\.)?fits")
_REPORT = re.compile(r"qa[02]_report\.(html|pdf)$")


def layout_of(name: str) -> str:
    """Return how a member's directory is named: dated, named, uid or flat."""
    lower = name.casefold()
    if _DATED.fullmatch(lower):
        return "dated"
    if lower.startswith("member_ouss"):
        return "named"
    return "uid" if lower.startswith("member.uid") else "flat"


def procedure_of(found: Contents) -> str | None:
    """Return the pipeline procedure that file names name, that of the calibration first.

    The name does not tell which stages ran.
    """
    named = (*found.scripts, *found.manifests, *found.pprs, *found.weblogs, *found.other)
    matches = (_PROCEDURE.search(path.rpartition("/")[2]) for path in named)
    return preferred([match[1] for match in matches if match])


def preferred(procedures: list[str]) -> str | None:
    """Return the procedure that calibrates, of several."""
    return min(procedures, key=lambda one: ("cal" not in one, one), default=None)


def is_single_dish(found: Contents, procedure: str | None, commands: Sequence[str]) -> bool:
    """Whether the data are total power: by the procedure, its commands, or what only they have."""
    if procedure is not None and procedure.casefold().startswith("hsd"):
        return True
    if any(one.startswith("hsd") for one in commands):
        return not any(one.startswith("hifa") for one in commands)
    if found.scripts_named("scriptForSDCalibration.py"):
        return True
    if any(_JYPERK.search(name) for name in names(found.other)):
        return True
    interferometric = found.caltables or found.scripts_named("scriptForCalibration.py")
    images = names(found.products)
    return bool(images) and not interferometric and all(map(_SD_PRODUCT.search, images))


def era_of(
    found: Contents, *, layout: str, project: str | None, sessions: list[str], single_dish: bool
) -> str:
    """Return the era's id; ``sessions`` are those that a manifest names."""
    manual = found.scripts_named("scriptForCalibration.py")
    if single_dish:
        return "total-power"
    if _is_cycle_0(found, layout, project):
        return "cycle-0"
    if manual:
        modern = _prefixed(manual) or any(map(_REPORT.search, names(found.qa)))
        return "cycle-5-12-manual" if modern else "cycle-1-4-manual"
    if _is_pipeline(found):
        return _pipeline(found, sessions)
    if found.calibrated:
        return "calibrated-only"
    return _part(found)


def _is_cycle_0(found: Contents, layout: str, project: str | None) -> bool:
    if layout == "dated" or (project or "").startswith("2011.0."):
        return True
    return layout == "named" and bool(found.calibrated) and not _is_pipeline(found)


def _is_pipeline(found: Contents) -> bool:
    return bool(
        found.caltables
        or found.flagversions
        or found.calapply
        or found.manifests
        or found.scripts_named("casa_piperestorescript.py")
        or found.scripts_named("casa_pipescript.py")
    )


def _pipeline(found: Contents, sessions: list[str]) -> str:
    packed = names((*found.caltables, *found.flagversions, *found.weblogs))
    if any(name.endswith(".tar.gz") for name in packed):
        return "cycle-2-3-pipeline"
    scripts = [
        *found.scripts_named("casa_piperestorescript.py"),
        *found.scripts_named("casa_pipescript.py"),
    ]
    prefixable = [*found.caltables, *scripts, *found.manifests, *found.weblogs]
    if _prefixed(prefixable):
        return _prefixed_pipeline(found, sessions)
    other = names(found.other)
    loose = any(name.endswith("cont.dat") for name in other)
    if found.caltables or found.weblogs or loose:
        return "cycle-4-pipeline"
    return "cycle-2-4-pipeline" if prefixable else "pipeline"


def _prefixed_pipeline(found: Contents, sessions: list[str]) -> str:
    matches = (_SESSION.search(name) for name in names(found.caltables))
    named = [match[1] for match in matches if match] or [one.casefold() for one in sessions]
    if any(re.fullmatch(r"s\d+", one) for one in named):
        return "cycle-10-12-pipeline"
    if any(name.endswith("antennapos.json") for name in names(found.other)):
        return "cycle-10-12-pipeline"
    return "cycle-5-9-pipeline" if named else "cycle-5-12-pipeline"


def _prefixed(paths: list[str] | tuple[str, ...]) -> bool:
    return any(name.startswith(_PREFIX) for name in names(paths))


def _part(found: Contents) -> str:
    """Return what a delivery is that has nothing to calibrate with."""
    reports = [name for name in names(found.qa) if _REPORT.search(name)]
    if found.scripts_named("scriptForPI.py") or found.pprs or (reports and not found.weblogs):
        return "semipass-shell"
    kinds = {
        "raw-only": found.raw,
        "products-only": found.products,
        "partial": (*found.scripts, *found.qa, *found.logs, *found.other),
    }
    there = [kind for kind, files in kinds.items() if files]
    if not there:
        return "readme-only"
    return there[0] if len(there) == 1 else "partial"
