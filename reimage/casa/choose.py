"""Which build restores a delivery: pure, with reasons.  Same input, same choice.

Rules (ALMA's knowledge base and processing pages, see ops/guide):

* manually calibrated: the very version that the scripts were written for; their gate line refuses
  any other.  ``4.1`` means any 4.1.x.
* pipeline-calibrated: that version if a build has it, else the newest one, which is what ALMA's
  README tells users to install; the difference is a caveat.
* calibrated MSs delivered: nothing to restore, so the newest build images them.
"""

from __future__ import annotations

from collections.abc import Iterable

from reimage.errors import CasaError, DeliveryError
from reimage.model import Calibration, CasaBuild, CasaChoice, Role, VersionStatement

EXACT = 3
"""Components of a version that must agree: 5.6.1-8 and 5.6.1-5 restore alike."""


class CasaBuildMissing(CasaError):
    """The delivery asks for a CASA that is not registered."""

    code = "casa-build-missing"
    hint = "Register it with `reimage casa register PATH` (or `casa install VERSION`), then `reimage rerun RUN`."


class CasaVersionNotStated(DeliveryError):
    """The delivery must be restored with one particular CASA and does not say which."""

    code = "casa-version-not-stated"
    hint = "Name a build yourself: `reimage rerun RUN --casa BUILD`."


def choose(
    calibration: Calibration,
    statements: tuple[VersionStatement, ...],
    builds: Iterable[CasaBuild],
    asked: str | None = None,
) -> CasaChoice:
    """Choose a build; ``CasaChoice.build`` is None when no registered one will do.

    Parameters
    ----------
    asked
        Id or version of the build that a person wants; it wins over every statement.
    """
    known = sorted(builds, key=_rank, reverse=True)
    if asked is not None:
        fitting = [build for build in known if build.id == asked or fits(build, asked)]
        because = [f"{asked} was asked for"]
        return _choice(fitting, asked, because, statements)
    if calibration is Calibration.DELIVERED:
        return _choice(
            known,
            None,
            ["calibrated data were delivered: the newest build images them"],
            statements,
        )
    telling = [s for s in statements if s.role is not Role.IMAGING]
    because = [f"{s.version}: {s.file}, line {s.line}: {s.text}" for s in telling]
    wanted = telling[0].version if telling else None
    if wanted and len({_triple(s.version) for s in telling}) > 1:
        because.append(f"the statements disagree: {telling[0].file} is trusted most")
    if calibration is Calibration.MANUAL:
        fitting = [build for build in known if wanted and fits(build, wanted)]
        because.append(
            "manual calibration: the scripts run in the version they were written for, and no other"
        )
        return _choice(fitting, wanted, because, statements)
    exact = [build for build in known if wanted and fits(build, wanted)]
    if not exact and known:
        because.append(
            "pipeline calibration, and that version is not registered: the newest build restores it"
        )
    return _choice(exact or known, wanted, because, statements)


def require(choice: CasaChoice, builds: Iterable[CasaBuild]) -> str:
    """Return the chosen build's id.

    Raises
    ------
    CasaBuildMissing, CasaVersionNotStated
    """
    if choice.build is not None:
        return choice.build
    registered = sorted(build.version for build in builds)
    evidence = {"wanted": choice.wanted, "registered": registered, "because": list(choice.because)}
    if choice.wanted is None and registered:
        raise CasaVersionNotStated(
            "the delivery does not say which CASA calibrated it", evidence=evidence
        )
    wanted = choice.wanted or "any version"
    raise CasaBuildMissing(
        f"CASA {wanted} is not registered (there is: {', '.join(registered) or 'none'})",
        hint=f"Register it with `reimage casa register PATH` where CASA {wanted} is installed, "
        "then `reimage rerun` this run.",
        evidence=evidence,
    )


def _choice(
    fitting: list[CasaBuild],
    wanted: str | None,
    because: list[str],
    statements: tuple[VersionStatement, ...],
) -> CasaChoice:
    return CasaChoice(
        build=fitting[0].id if fitting else None,
        wanted=wanted,
        because=tuple(because),
        statements=statements,
    )


def fits(build: CasaBuild, version: str) -> bool:
    """Whether a build is of a stated version, as far as the statement goes (three components)."""
    stated = _triple(version)
    return _numbers(build.version)[: len(stated)] == stated


def _triple(version: str) -> tuple[int, ...]:
    return _numbers(version)[:EXACT]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.replace("-", ".").split(".") if part.isdigit())


def _rank(build: CasaBuild) -> tuple[bool, tuple[int, ...], str]:
    """Newest first; one whose jobs can be started before one whose jobs cannot."""
    return (build.python is not None, _numbers(build.version), build.id)
