"""Delivered scripts import recipes from a package that not every CASA has.

Symptom: ``ModuleNotFoundError: No module named 'recipes'`` (or ``'casarecipes'``) at a script's start.
Cause: generated scripts say ``from recipes.almahelpers import fixsyscaltimes`` (monolithic CASA up to
5) and call it right after the import, for ASDMs whose SYSCAL times were wrong (CAS-4981, CSV-2841,
ICT-3642).  CASA 6 renamed the package; the wheels do not have it.
Remedy: guard the import: the old package, else the new one, else a stand-in.  That of
``fixsyscaltimes`` does what the recipe does (see syscal-times), before the script reads the times.
That of ``tsysspwmap`` answers as the recipe: a spw takes the first Tsys spw of its baseband (BBC_NO)
that covers its frequencies, with ``tsysChanTol`` Tsys channels (default 0) to spare at each edge (and
as there one channel of its own, where frequencies run down: CHAN_WIDTH is taken with its sign);
without one it maps to itself; ``trim`` drops the tail of spws that do.  Two differences: where a science
spw finds none it raises (the recipe logs it, and applycal is left to flag the spw), and trimming
keeps a last spw that maps to another (the recipe loses it).  ``relax`` does nothing, there too.
That of any other recipe raises when it is called: its answer matters, and is not made up.
Source: ALMA QA2 calibration script generator; docs of casarecipes; docs of the pipeline's h_tsyscal.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import PurePath

from reimage.fix import Facts, FilePatch, Fix, scripts
from reimage.model import Delivery, Stage

_GUARDED = "# guarded"
_IMPORT = re.compile(
    r"^(?P<indent>[ \t]*)from (?:casa)?recipes\.almahelpers import (?P<names>\w+(?:[ \t]*,[ \t]*\w+)*)"
    rf"[ \t]*(?!{_GUARDED})(?:#[^\n]*)?$",
    re.MULTILINE,
)
_TRY = """\
try:
    from recipes.almahelpers import {names}  {guarded}
except ImportError:
    try:
        from casarecipes.almahelpers import {names}  {guarded}
    except ImportError:
{stand_ins}"""
_FIXSYSCALTIMES = """\
def fixsyscaltimes(vis, newinterval=2.0):
    import numpy, os
    if not os.path.isdir(vis + '/SYSCAL'):
        print('reimage: fixsyscaltimes: %s has no SYSCAL' % vis)
        return
    from casatools import table
    tool = table()
    tool.open(vis + '/SYSCAL', nomodify=False)
    times, lengths = tool.getcol('TIME'), tool.getcol('INTERVAL')
    spws, begun = tool.getcol('SPECTRAL_WINDOW_ID'), times - lengths / 2
    torn = 0
    for spw in numpy.unique(spws):
        rows = numpy.flatnonzero(spws == spw)
        rows = rows[numpy.argsort(begun[rows])]
        for part in numpy.split(rows, numpy.flatnonzero(numpy.diff(begun[rows]) > 1) + 1):
            if numpy.ptp(times[part]) > 0.001:
                times[part], lengths[part] = begun[part].mean() + newinterval / 2, newinterval
                torn += 1
    tool.putcol('TIME', times)
    tool.putcol('INTERVAL', lengths)
    tool.close()
    print('reimage: fixsyscaltimes of %s: %d Tsys measurements had several times' % (vis, torn))"""
# A science spw observes the target and has neither 1 channel (a mean) nor 4 (water vapour radiometer).
_TSYSSPWMAP = """\
def tsysspwmap(vis, tsystable, trim=True, relax=False, tsysChanTol=0):
    import numpy
    from casatools import msmetadata, table
    tool, metadata = table(), msmetadata()
    def cells(path, column, spws=None):
        tool.open(path + '/SPECTRAL_WINDOW')
        rows = range(tool.nrows()) if spws is None else spws
        found = dict((int(row), tool.getcell(column, int(row))) for row in rows)
        tool.close()
        return found
    tool.open(tsystable)
    solved = [int(spw) for spw in numpy.unique(tool.getcol('SPECTRAL_WINDOW_ID'))]
    tool.close()
    basebands, frequencies = cells(vis, 'BBC_NO'), cells(vis, 'CHAN_FREQ')
    widths, covered = cells(vis, 'CHAN_WIDTH'), cells(tsystable, 'CHAN_FREQ', solved)
    def covers(tsys, spw):
        reach = (0.5 + tsysChanTol) * abs(widths[tsys][0]) - widths[spw][0] / 2.0
        inner, outer = frequencies[spw], covered[tsys]
        inside = outer.min() - reach <= inner.min() and inner.max() <= outer.max() + reach
        return inside and basebands[tsys] == basebands[spw]
    spwmap, missing = [], []
    for spw in sorted(basebands):
        found = [tsys for tsys in solved if covers(tsys, spw)]
        spwmap.append((found + [spw])[0])
        if not found:
            missing.append(spw)
        if len(found) > 1:
            print('reimage: tsysspwmap: spw %d takes the first of Tsys spws %s' % (spw, found))
    metadata.open(vis)
    targets = [int(spw) for spw in metadata.spwsforintent('OBSERVE_TARGET*')]
    metadata.done()
    science = [spw for spw in missing if spw in targets and len(frequencies[spw]) not in (1, 4)]
    if science:
        where = (science, vis, tsystable)
        raise RuntimeError('reimage: tsysspwmap: science spws %s of %s find no Tsys in %s' % where)
    while trim and spwmap and spwmap[-1] == len(spwmap) - 1:
        spwmap.pop()
    print('reimage: tsysspwmap of %s: %s; no Tsys for spws %s' % (vis, spwmap, missing))
    return spwmap"""
_STAND_INS = {"fixsyscaltimes": _FIXSYSCALTIMES, "tsysspwmap": _TSYSSPWMAP}
_LOUD = """\
def {name}(*args, **kwargs):
    raise RuntimeError('reimage: recipe {name} is not in this CASA')"""


def _stand_in(name: str) -> str:
    return _STAND_INS.get(name) or _LOUD.format(name=name)


def _guard(match: re.Match[str]) -> str:
    names = [name.strip() for name in match["names"].split(",")]
    stand_ins = textwrap.indent("\n".join(map(_stand_in, names)), " " * 8)
    guarded = _TRY.format(names=", ".join(names), guarded=_GUARDED, stand_ins=stand_ins)
    return textwrap.indent(guarded, match["indent"])


def _ill(delivery: Delivery) -> list[tuple[str, str]]:
    return [(name, text) for name, text in scripts(delivery) if _IMPORT.search(text)]


def _applies(delivery: Delivery, facts: Facts) -> str | None:
    del facts
    names = [PurePath(name).name for name, _ in _ill(delivery)]
    return f"recipes.almahelpers is imported by {', '.join(names)}" if names else None


def _apply(delivery: Delivery, facts: Facts) -> tuple[FilePatch, ...]:
    del facts
    return tuple(
        FilePatch(path=name, text=_IMPORT.sub(_guard, text)) for name, text in _ill(delivery)
    )


FIX = Fix(
    id="recipes-almahelpers",
    issue="https://casa.nrao.edu/casadocs: casarecipes; CAS-4981",
    title="guard the import of recipes.almahelpers",
    before=Stage.RESTORE,
    applies=_applies,
    apply=_apply,
)
