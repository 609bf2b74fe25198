"""Which build makes the images: the one that restored, where it is new enough.  Pure.

Calibration and imaging may be of different CASA: old scripts need their own, and images are to be
alike over a whole archive.  The recipe's steps call ``uvcontsub`` in the form that CASA 6.5.6 and
later wheels have (tried with 6.2.0.124 and 6.4.4.31, which have not, and with 6.5.6.22, 6.6.0.20,
6.6.5.31 and 6.7.0.31).
"""

from __future__ import annotations

from collections.abc import Iterable

from reimage.errors import CasaError
from reimage.model import CasaBuild

OLDEST = (6, 5, 6)


class ImagingCasaTooOld(CasaError):
    """The build that restored cannot image, and no newer one is registered."""

    code = "imaging-casa-too-old"
    hint = "`reimage casa install 6.7.0.31` makes a build that can image; then `reimage rerun RUN`."


def imaging_build(chosen: CasaBuild, builds: Iterable[CasaBuild]) -> CasaBuild:
    """Return the chosen build if it can image, else the newest registered one that can.

    Raises
    ------
    ImagingCasaTooOld
    """
    if _can_image(chosen):
        return chosen
    known = tuple(builds)
    fitting = [build for build in known if _can_image(build)]
    if not fitting:
        raise ImagingCasaTooOld(
            f"CASA {chosen.version} is too old to image: 6.5.6 or later is needed",
            evidence={"build": chosen.id, "registered": sorted(build.id for build in known)},
        )
    return max(fitting, key=lambda build: (_numbers(build.version), build.id))


def _can_image(build: CasaBuild) -> bool:
    return build.python is not None and _numbers(build.version) >= OLDEST


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.replace("-", ".").split(".") if part.isdigit())
