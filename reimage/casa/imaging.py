"""Which build does what the chosen one cannot: make the images, run our jobs.  Pure.

The one that restored makes the images, where it is new enough.
Calibration and imaging may be of different CASA: old scripts need their own, and images are to be
alike over a whole archive.  The recipe's steps call ``uvcontsub`` in the form that CASA 6.5.6 and
later wheels have (tried with 6.2.0.124 and 6.4.4.31, which have not, and with 6.5.6.22, 6.6.0.20,
6.6.5.31 and 6.7.0.31).
"""

from __future__ import annotations

from collections.abc import Iterable

from reimage.casa.numbers import numbers
from reimage.errors import CasaError
from reimage.model import CasaBuild

OLDEST = (6, 5, 6)


class ImagingCasaTooOld(CasaError):
    """The build that restored cannot image, and no newer one is registered."""

    code = "imaging-casa-too-old"
    hint = "`reimage casa install 6.7.0.31` makes a build that can image; then `reimage rerun RUN`."


class CasaForJobsMissing(CasaError):
    """The chosen build runs delivered scripts and nothing else, and no registered one runs our jobs."""

    code = "casa-for-jobs-missing"
    hint = (
        "`reimage casa install 6.7.0.31` makes a build that looks into what the old one restores; "
        "then `reimage rerun RUN`."
    )


class PipelineNotInBuild(CasaError):
    """The recipe wants the ALMA pipeline, and no build that could be used has one that works."""

    code = "pipeline-not-in-build"
    hint = (
        "Register a CASA that has the pipeline (`reimage casa register PATH`; `casa list` shows which do), "
        'or take a recipe with engine = "tasks".'
    )


def job_build(chosen: CasaBuild, builds: Iterable[CasaBuild]) -> CasaBuild:
    """Return the chosen build if it runs our jobs, else the newest registered one that does.

    The Python of CASA 5 and older is Python 2: its shell runs the delivered scripts; what they leave is
    looked into, repaired and imaged by a newer CASA.

    Raises
    ------
    CasaForJobsMissing
    """
    if chosen.python is not None:
        return chosen
    known = tuple(builds)
    fitting = [build for build in known if build.python is not None]
    if not fitting:
        raise CasaForJobsMissing(
            f"CASA {chosen.version} runs delivered scripts only, and no other build is registered "
            "that looks into what they leave",
            evidence={"build": chosen.id, "registered": sorted(build.id for build in known)},
        )
    return _newest(fitting)


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
    return _newest(fitting)


def pipeline_build(chosen: CasaBuild | None, builds: Iterable[CasaBuild]) -> CasaBuild:
    """Return the chosen build if it has the ALMA pipeline, else the newest registered one that has.

    Raises
    ------
    PipelineNotInBuild
    """
    known = tuple(builds)
    if chosen is not None and _has_pipeline(chosen):
        return chosen
    fitting = [build for build in known if _has_pipeline(build)]
    if not fitting:
        raise PipelineNotInBuild(
            "no registered build has the ALMA pipeline",
            evidence={"registered": sorted(build.id for build in known)},
        )
    return _newest(fitting)


def _has_pipeline(build: CasaBuild) -> bool:
    """Whether it has one that can be driven: in a Python, or in the shell of CASA 5 and older."""
    return build.pipeline is not None and (build.python is not None or build.casa is not None)


def _newest(builds: Iterable[CasaBuild]) -> CasaBuild:
    return max(builds, key=lambda build: (numbers(build.version), build.id))


def _can_image(build: CasaBuild) -> bool:
    return build.python is not None and numbers(build.version) >= OLDEST
