"""Which CASA restores a delivery: pure, with reasons.  Same input, same choice.

Rules (ALMA's knowledge base and processing pages, see ops/guide):

* manually calibrated: the very version that the scripts were written for; their gate line refuses
  any other.  ``4.1`` means any 4.1.x.
* pipeline-calibrated: that version if a build has it, else what the policy lets stand in for it
  (`reimage.casa.policy`); the difference is a caveat, and the choice doubtful.
* pipeline-calibrated before there were manifests (2017-10-01): never by a later pipeline.
* calibrated MSs delivered: nothing to restore, so the newest build images them.
* what a delivery says of its imaging says nothing about its calibration.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from reimage.casa import policy as policies
from reimage.casa.distributions import how_to_install
from reimage.casa.imaging import CasaForJobsMissing, job_build
from reimage.casa.numbers import Numbers, agree, common, narrowest, numbers, options, triple
from reimage.casa.policy import Policy
from reimage.errors import CasaError, DeliveryError
from reimage.model import Calibration, CasaBuild, CasaChoice, Role, VersionStatement


class CasaBuildMissing(CasaError):
    """The delivery asks for a CASA that is not registered."""

    code = "casa-build-missing"
    hint = "Register it with `reimage casa register PATH` (or `casa install VERSION`), then `reimage rerun RUN`."


class CasaVersionNotStated(DeliveryError):
    """The delivery must be restored with one particular CASA and does not say which."""

    code = "casa-version-not-stated"
    hint = "Name a build yourself: `reimage rerun RUN --casa BUILD`."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What the statements ask for, taken together."""

    wanted: str | None
    """One version, or several that each would do (``4.2, 4.3``); None when nothing is said."""
    because: tuple[str, ...] = ()
    doubtful: bool = False


def choose(
    calibration: Calibration,
    statements: tuple[VersionStatement, ...],
    builds: Iterable[CasaBuild],
    asked: str | None = None,
    policy: Policy | None = None,
) -> CasaChoice:
    """Choose a build; ``CasaChoice.build`` is None when no registered one will do.

    Parameters
    ----------
    statements
        The most trusted first.
    asked
        Id or version of the build that a person wants; it wins over every statement, and `wanted`
        still says what the delivery states.
    policy
        What may stand in for a version that is not registered; otherwise the shipped one.
    """
    known = sorted(builds, key=_rank, reverse=True)
    found = _choose(calibration, statements, known, asked, policy)
    return replace(found, because=(*found.because, *_about_shell(found.build, known)))


def _choose(
    calibration: Calibration,
    statements: tuple[VersionStatement, ...],
    known: list[CasaBuild],
    asked: str | None,
    policy: Policy | None,
) -> CasaChoice:
    said = _weigh(statements)
    if asked is not None:
        fitting = [build for build in known if build.id == asked or fits(build, asked)]
        return _choice(fitting, said, statements, f"{asked} was asked for")
    if calibration is Calibration.DELIVERED:
        reason = "calibrated data were delivered: the newest build images them"
        return _choice(known, said, statements, reason)
    if calibration is Calibration.PIPELINE:
        known = [build for build in known if _restores_from_tables_or_by_pipeline(build)]
    exact = [build for build in known if said.wanted and fits(build, said.wanted)]
    near = _near(said.wanted, known) if said.wanted else []
    if calibration is Calibration.PIPELINE:
        if exact:  # the delivery's own restore script, before its tables without the pipeline
            return _choice(sorted(exact, key=lambda b: b.pipeline is None), said, statements)
        return _stand_in(said, statements, known, policy or policies.shipped())
    if calibration is Calibration.MANUAL:
        reason = (
            "manual calibration: the scripts run in the version they were written for, and no other"
        )
        # Up to CASA 5 scripts are Python 2: no wheel comes near them.
        near = [build for build in near if numbers(build.version) >= (6,) and not exact]
    else:
        reason = "how the data were calibrated is not known: only the stated version will do"
    return _choice(exact, said, statements, reason, near=near if not exact else [])


def _about_shell(chosen: str | None, known: list[CasaBuild]) -> Iterator[str]:
    """Tell which build does what the chosen one cannot: of CASA 5 and older the shell alone is used."""
    build = next((build for build in known if build.id == chosen), None)
    if build is None or build.python is not None:
        return
    try:
        yield f"its shell runs scripts only; {job_build(build, known).id} looks into what they leave"
    except CasaForJobsMissing as missing:
        yield f"{missing.message}: {missing.hint}"


def require(choice: CasaChoice, builds: Iterable[CasaBuild], asked: str | None = None) -> str:
    """Return the chosen build's id.

    Parameters
    ----------
    asked
        As for `choose`: what a person asked for is what is missing then.

    Raises
    ------
    CasaBuildMissing, CasaVersionNotStated
    CasaForJobsMissing
        It runs delivered scripts only, and no other looks into what they leave.
    """
    if choice.build is not None:
        known = tuple(builds)
        job_build(next(build for build in known if build.id == choice.build), known)
        return choice.build
    registered = sorted(build.version for build in builds)
    evidence: dict[str, object] = {
        "wanted": choice.wanted,
        "registered": registered,
        "because": list(choice.because),
    }
    version = asked or choice.wanted
    if version is None and registered:
        raise CasaVersionNotStated(
            "the delivery does not say which CASA calibrated it", evidence=evidence
        )
    wanted = version or "any version"
    near = f" What comes near it: --casa {choice.alternatives[0]}." if choice.alternatives else ""
    how = how_to_install(version) if version else "`reimage casa install` makes one."
    evidence["how"] = how
    # a shell of that version may be here, and not be offered because the calibration needs its pipeline
    same = version is not None and any(fits(build, version) for build in builds)
    raise CasaBuildMissing(
        f"CASA {wanted}{' with the pipeline' if same else ''} is not registered"
        f" (there is: {', '.join(registered) or 'none'})",
        hint=f"{how} Then `reimage rerun` this run.{near}",
        evidence=evidence,
    )


def fits(build: CasaBuild, version: str) -> bool:
    """Whether a build is of a stated version, as far as the statement goes (three numbers)."""
    has = numbers(build.version)
    return any(has[: len(triple(one))] == triple(one) for one in options(version))


def _weigh(statements: tuple[VersionStatement, ...]) -> _Asked:
    """Take together what is said of the calibration: the most trusted, narrowed by the others."""
    exact = [s for s in statements if s.role is not Role.IMAGING and options(s.version)]
    because = [_shown(s) for s in statements if s.role is not Role.IMAGING]
    because += [f"{_shown(s)} (of the imaging)" for s in statements if s.role is Role.IMAGING]
    # A file that speaks of the calibration counts before one of which nobody knows.
    exact.sort(key=lambda s: s.role is not Role.CALIBRATION)
    if not exact:
        # A bound is no version, but neither is it nothing.
        bounds = [s for s in statements if s.role is not Role.IMAGING and not s.doubt]
        return _Asked(wanted=None, because=tuple(because), doubtful=bool(bounds))
    first = exact[0]
    wanted = narrowest([s.version for s in exact])
    doubts = [f"{s.file}: {s.doubt}" for s in exact[:1] if s.doubt and wanted == s.version]
    against = [s for s in exact if not common(wanted, s.version)]
    if against:
        others = ", ".join(f"{s.version} ({s.file})" for s in against)
        doubts.append(f"the statements disagree: {first.file} is trusted most, against {others}")
    if first.role is Role.UNKNOWN:
        doubts.append(f"whether {first.file} speaks of the calibration is not known")
    if len(options(wanted)) > 1:
        doubts.append(f"{wanted} would each do")
    return _Asked(wanted=wanted, because=(*because, *doubts), doubtful=bool(doubts))


def _shown(statement: VersionStatement) -> str:
    where = f"{statement.file}, line {statement.line}"
    return f"{statement.version}: {where}: {statement.text}"


def _stand_in(
    said: _Asked, statements: tuple[VersionStatement, ...], known: list[CasaBuild], policy: Policy
) -> CasaChoice:
    """Choose among builds that are not of the wanted version, as the policy lets them stand in."""
    allowed, reasons = known, ["pipeline calibration, and that version is not registered"]
    if said.wanted is None:
        reasons = ["pipeline calibration, of a version that is not stated"]
    elif numbers(_one(said.wanted)) < numbers(policy.manifest_since):
        allowed = [build for build in known if _may_restore_without_manifest(build, policy)]
        reasons.append(
            f"processed before 2017-10-01, without a manifest: no pipeline of {policy.manifest_since} "
            "or later restores it"
        )
    for row in policy.pipeline:
        if row.stated != "*" and not (said.wanted and agree(_one(said.wanted), row.stated)):
            continue
        for use in row.use:
            fitting = list(_used(use, said.wanted, allowed))
            if fitting:
                reasons.append(f"the policy lets CASA {fitting[0].version} stand in ({use})")
                doubtful = said.doubtful or row.doubtful
                chosen = _Asked(wanted=said.wanted, because=said.because, doubtful=doubtful)
                others = [build for build in allowed if build is not fitting[0]]
                return _choice(fitting, chosen, statements, *reasons, near=others)
    return _choice([], said, statements, *reasons)


def _may_restore_without_manifest(build: CasaBuild, policy: Policy) -> bool:
    if numbers(build.version) < numbers(policy.manifest_since):
        return True
    return policy.tables_without_manifest and build.pipeline is None


def _used(use: str, wanted: str | None, builds: list[CasaBuild]) -> Iterator[CasaBuild]:
    for build in builds:
        if use == "newest" or (
            _is_same_minor(wanted, build) if use == "same-minor" else fits(build, use)
        ):
            yield build


def _restores_from_tables_or_by_pipeline(build: CasaBuild) -> bool:
    """Of a CASA 5 or older the shell alone is used: without the pipeline it restores scripts only."""
    return build.python is not None or build.pipeline is not None


def _near(wanted: str, builds: list[CasaBuild]) -> list[CasaBuild]:
    """Return builds of the same major.minor, the newest first."""
    return [build for build in builds if _is_same_minor(wanted, build)]


def _is_same_minor(wanted: str | None, build: CasaBuild) -> bool:
    return any(numbers(build.version)[:2] == numbers(one)[:2] for one in options(wanted or ""))


def _one(wanted: str) -> str:
    """Return the newest of several versions that each would do."""
    return max(options(wanted), key=numbers, default=wanted)


def _choice(
    fitting: list[CasaBuild],
    said: _Asked,
    statements: tuple[VersionStatement, ...],
    *reasons: str,
    near: Iterable[CasaBuild] = (),
) -> CasaChoice:
    wanted, several = said.wanted, options(said.wanted or "")
    if len(several) > 1:
        taken = [one for one in several if fitting and fits(fitting[0], one)]
        wanted = taken[0] if taken else max(several, key=numbers)
    return CasaChoice(
        build=fitting[0].id if fitting else None,
        wanted=wanted,
        because=(*said.because, *reasons),
        statements=statements,
        doubtful=said.doubtful,
        alternatives=tuple(build.id for build in [*fitting[1:], *near] if build not in fitting[:1]),
    )


def _rank(build: CasaBuild) -> tuple[bool, Numbers, str]:
    """Newest first; one whose jobs can be started before one whose jobs cannot."""
    return (build.python is not None, numbers(build.version), build.id)
