"""Identify: of all that a restore left, the one MS of each execution block that is to be imaged.

Names by era (archive pages on scriptForPI, 3.3).  One execution block is seen in several views of the
same data; two of them in one image would count its noise twice:

========================== ========================================================= ============
view                       what its DATA is                                          imaged
========================== ========================================================= ============
``<eb>.ms.split.cal``      calibrated                                                DATA
``<eb>.ms`` (pipeline)     raw                                                       CORRECTED
``<eb>.ms`` (manual)       raw; its CORRECTED lacks bandpass and gains               never
``<eb>_targets.ms``        calibrated; CORRECTED is self-calibrated, or (older,      DATA
                           ``target.ms``) without continuum
``_line.ms``, ``.contsub`` lines only                                                never
``.ms.split``              not calibrated                                            never
``calibrated*.ms``         calibrated, all execution blocks in one                   if alone
========================== ========================================================= ============
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from reimage.model import Calibration

DEEPEST = 3
"""Directories that are looked through: ``calibrated/<eb>.calibration/<eb>.ms`` and a level for links."""
WORKING = "working"
CALIBRATION = ".calibration"
_EB = re.compile(r"uid___A\d{3}_X[0-9a-f]+_X[0-9a-f]+", re.IGNORECASE)
_MS = re.compile(r"\.ms(\.split|\.cal|\.contsub|_bl)*$")
_Ranked: TypeAlias = tuple[int, int, str, str]
"""Rank of the view, depth, name, why: the smallest is the best."""
_ALL_IN_ONE = re.compile(r"^(calibrated|concat(enated)?)[\w.]*\.ms$", re.IGNORECASE)


class View(StrEnum):
    """What an MS shows of an execution block, best first."""

    SPLIT = "split"
    """``.ms.split.cal``: the calibrated data in DATA."""
    WHOLE = "whole"
    """``.ms``: raw in DATA, calibrated in CORRECTED_DATA."""
    TARGETS = "targets"
    """Made by the imaging pipeline: calibrated in DATA, something else in CORRECTED_DATA."""
    TOGETHER = "together"
    """Several execution blocks in one MS."""


_VIEWS: tuple[tuple[re.Pattern[str], View | None, str], ...] = (
    (
        re.compile(r"_line\.ms|\.contsub|\.ms_bl"),
        None,
        "lines without their continuum, or total power: never imaged here",
    ),
    (re.compile(r"\.ms(\.split)?\.cal$"), View.SPLIT, "a split of the calibrated column"),
    (re.compile(r"\.ms\.split$"), None, "an intermediate step: not calibrated in DATA"),
    (_ALL_IN_ONE, View.TOGETHER, "several execution blocks in one"),
    (
        re.compile(r"targets?\.ms$"),
        View.TARGETS,
        "split for imaging: DATA is calibrated, CORRECTED_DATA is something else",
    ),
    (re.compile(r"\.ms$"), View.WHOLE, "the pipeline calibrates into its CORRECTED_DATA"),
    (re.compile(""), None, "no name that any era gives to calibrated data"),
)
"""By the form of the last part of the name, the first that fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An MS that could be imaged, before anything inside was looked at."""

    eb: str
    """Execution block; of an MS with several, its own name without suffix."""
    name: str
    """Path relative to the directory that was looked through."""
    view: View
    because: str
    origin: str | None = None
    """The MS that a split was made of, where it is still there: what the proof compares."""
    imported: str | None = None
    """The MS that was imported, where it is another and still there: its rows are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identified:
    """What was chosen, what was not and why, and which execution blocks have nothing."""

    chosen: tuple[Candidate, ...]
    missing: tuple[str, ...]
    passed_over: tuple[tuple[str, str], ...]
    """(name, why not) of every other MS."""


def identify(names: Iterable[str], ebs: tuple[str, ...], calibration: Calibration) -> Identified:
    """Choose per execution block the one MS to image, by names alone; same names, same choice.

    Parameters
    ----------
    names
        MSs found, relative to ``calibrated``: ``working/uid___A002_X1_X2.ms``.
    ebs
        Execution blocks that are to have one; empty takes those that the names tell.
    calibration
        How the data were calibrated: in a manual calibration ``<eb>.ms`` is not the end.
    """
    every = sorted(set(names))
    wanted = ebs or tuple(dict.fromkeys(eb for name in every if (eb := _eb(name))))
    passed: dict[str, str] = {}
    by_eb: dict[str, list[_Ranked]] = {eb: [] for eb in wanted}
    together = []
    for name in every:
        view, why = _view(name, calibration)
        eb = _owner(name, wanted)
        if view is None:
            passed[name] = why
        elif eb is not None and view is not View.TOGETHER:
            by_eb[eb].append((list(View).index(view), name.count("/"), name, why))
        elif view is View.TOGETHER or (not _eb(name) and calibration is Calibration.DELIVERED):
            together.append(name)
        else:
            passed[name] = "of no execution block of the delivery"
    chosen = list(_best(by_eb, every, passed))
    if chosen:
        passed.update(dict.fromkeys(together, "its execution blocks have MSs of their own"))
    elif together:
        chosen = _together(together, passed)
        wanted = ()
    missing = tuple(eb for eb in wanted if eb not in {one.eb for one in chosen})
    return Identified(
        chosen=tuple(chosen), missing=missing, passed_over=tuple(sorted(passed.items()))
    )


def listing(where: Path) -> tuple[str, ...]:
    """Return the MSs below a directory, relative to it; ``<eb>.ms.tsyscal.tbl`` and the like are none."""
    return tuple(sorted(_tables(where, "", DEEPEST)))


def _tables(folder: Path, prefix: str, levels: int) -> Iterator[str]:
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        name = prefix + path.name
        if (path / "table.dat").is_file():
            if _MS.search(path.name):
                yield name
        elif path.is_dir() and levels > 1 and not _is_elsewhere(path):
            yield from _tables(path, f"{name}/", levels - 1)


def _is_elsewhere(path: Path) -> bool:
    """Links to the delivery, its raw data, tables: there is no MS of ours in them."""
    return path.is_symlink() or path.name in {"rawdata", "products"}


def _best(
    by_eb: dict[str, list[_Ranked]], every: list[str], passed: dict[str, str]
) -> Iterator[Candidate]:
    for eb, views in by_eb.items():
        for first, _, name, why in sorted(views)[:1]:
            view = list(View)[first]
            passed.update({other[2]: f"{eb} is seen in {name}" for other in sorted(views)[1:]})
            origin = _origin(eb, every) if view is View.SPLIT else None
            imported = None if view is View.WHOLE else _imported(eb, every)
            yield Candidate(
                eb=eb, name=name, view=view, because=why, origin=origin, imported=imported
            )


def _together(names: list[str], passed: dict[str, str]) -> list[Candidate]:
    """Take concatenations where no execution block has its own: the final one, else each by itself."""
    known = [name for name in names if _ALL_IN_ONE.search(_last(name))]
    if known:
        # "calibrated_final.ms" is made of "calibrated.ms" (flux scale, preparation for imaging)
        final = max(known, key=lambda name: ("final" in name, len(name), name))
        passed.update({name: f"the same data are in {final}" for name in names if name != final})
        names = [final]
    why = "no execution block has an MS of its own; this one has all that there is"
    return [Candidate(eb=_stem(name), name=name, view=View.TOGETHER, because=why) for name in names]


def _view(name: str, calibration: Calibration) -> tuple[View | None, str]:
    """Return what a name says its MS shows, None if it is never imaged; and why."""
    view, why = next((view, why) for form, view, why in _VIEWS if form.search(_last(name)))
    if view is View.WHOLE and calibration is Calibration.MANUAL and _eb(name):
        return None, "in a manual calibration its CORRECTED_DATA lacks bandpass and gains"
    if view is View.WHOLE and calibration is Calibration.DELIVERED:
        return view, "delivered as calibrated data"
    return view, why


def _origin(eb: str, every: list[str]) -> str | None:
    """Return what ``<eb>.ms.split.cal`` was split from: its CORRECTED_DATA tells what was calibrated."""
    places = (
        f"{eb}{CALIBRATION}/{eb}.ms.split",
        f"{eb}.ms.split",
        f"{WORKING}/{eb}.ms",
        f"{eb}.ms",
    )
    return next((place for place in places if place in every), None)


def _imported(eb: str, every: list[str]) -> str | None:
    """Return what importasdm made; a split leaves out calibrators and cannot tell what is missing."""
    places = (f"{eb}{CALIBRATION}/{eb}.ms", f"{WORKING}/{eb}.ms", f"{eb}.ms")
    return next((place for place in places if place in every), None)


def _owner(name: str, ebs: tuple[str, ...]) -> str | None:
    """Return the execution block that an MS belongs to; ``X12`` does not own ``X123``'s."""
    own = _eb(name)
    return next((eb for eb in ebs if own and eb.lower() == own.lower()), None)


def _eb(name: str) -> str | None:
    found = _EB.search(_last(name))
    return found.group(0) if found else None


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _stem(name: str) -> str:
    return _last(name).split(".ms")[0]
