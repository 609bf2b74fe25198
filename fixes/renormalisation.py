"""Bright lines over a wide part of a spectral window make their channels too faint.

Symptom: fluxes in the channels of a bright, extended line are too low.
Cause: Tsys and autocorrelations of FDM spectral windows normalise the line away; all data of the 12m and
7m arrays before the pipeline of 2021.2 (CASA 6.2.1, 2021-10), which corrects it.  The pipelines of
2021 to 2023 edit the data, so that a restore has to repeat it; later ones write a table.
Remedy: where the delivery carries the correction (``ACreNorm`` in scriptForFluxCalibration.py), its
scripts make it.  Else it is reported: that nothing has looked, or that the pipeline has edited the data
and the MS does not tell whether the restore has.  A table of the later pipelines is in calapply.txt and
is applied like any other.  Not mended else: the factors are spectra measured on the autocorrelations
before calibration; the weblog shows them as pictures, and no file of a delivery holds them.  Needed: a
build with the pipeline, whose hifa_renorm measures them anew; there the delivered script calls it.
Spectral windows of more than 256 channels are FDM for certain.
Source: almarenorm.py 1.0; ALMA knowledge base; archive pages on known issues.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePath

from reimage.fix import Facts, Report, decode, reporting, scripts, version
from reimage.model import Delivery

_CHANNELS = 256
_CORRECTS_SINCE, _TABLE_SINCE = (6, 2, 1), (6, 6, 0)
_EDITED = re.compile(r"^[ \t]*hifa_renorm[ \t]*\([^\n#]*apply[ \t]*=[ \t]*True", re.MULTILINE)
_CARRIED = re.compile(r"^[^\n#]*ACreNorm", re.MULTILINE)


def _pipeline_casa(delivery: Delivery) -> tuple[int, ...]:
    """Return the CASA of the oldest manifest, ``()`` where there is none."""
    told = []
    for name in delivery.manifests:
        path = Path(delivery.root) / name
        text = decode(path.read_bytes()) if path.is_file() else ""
        found = re.search(r"<casaversion\b[^>]*\bname=[\"']([^\"']+)", text)
        told.append(version(found[1]) if found else ())
    return min((casa for casa in told if casa), default=())


def _has_fdm(facts: Facts) -> bool:
    return any(spw["n_channels"] > _CHANNELS for fact in facts.values() for spw in fact["spws"])


def _find(delivery: Delivery, facts: Facts) -> Iterator[Report]:
    if not _has_fdm(facts):
        return
    casa = _pipeline_casa(delivery)
    if casa >= _CORRECTS_SINCE:
        edited = [PurePath(name).name for name, text in scripts(delivery) if _EDITED.search(text)]
        if edited and casa < _TABLE_SINCE:
            yield Report(
                caveat="renormalisation-unproven",
                text=f"the pipeline has edited the data ({', '.join(sorted(edited))}: hifa_renorm, apply=True);"
                " whether the restore has, the MS does not tell",
            )
        return
    if not any(_CARRIED.search(text) for _, text in scripts(delivery)):
        yield Report(
            caveat="renormalisation-not-checked",
            text="FDM spectral windows, calibrated before the pipeline corrected bright lines",
        )


FIX = reporting(
    name="renormalisation",
    issue="https://help.almascience.org: amplitude normalisation of strong line emission",
    title="report line fluxes that nothing has renormalised",
    find=_find,
)
