"""The shapes of ``--json`` for what there is: files, builds, deliveries, declarations, the site.

The rule is that of `reimage.cli.run_shapes`: within a schema version fields are only added.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reimage import SCHEMA_VERSION
from reimage.archive.preflight import Preflight
from reimage.model import Calibration, CasaBuild, Delivery, Stage, VersionStatement
from reimage.recipes.compare import Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class CasaReasons:
    """``reimage casa choose``: which CASA a delivery needs, which would be used, and why."""

    schema: int = SCHEMA_VERSION
    wanted: str | None
    """The version that the calibration needs; None when nothing is said about it."""
    version: str | None
    """Of the build that would be used; None when no registered one will do."""
    installed: bool
    """Whether there is a build that would be used."""
    doubtful: bool
    """The statements disagree or are uncertain, or the build is not of the wanted version."""
    because: tuple[VersionStatement, ...]
    """Every statement about CASA, the most trusted first."""
    calibration: Calibration
    """How the data were calibrated, as far as what is there tells."""
    build: str | None
    reasons: tuple[str, ...]
    """The whole reasoning, in words."""
    alternatives: tuple[str, ...]
    """Ids of builds that come near, the best first."""
    install: str | None
    """What makes the wanted version available; None when it is, or when none is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Builds:
    """``reimage casa list``: registered builds."""

    schema: int = SCHEMA_VERSION
    builds: tuple[CasaBuild, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallableBuild:
    """A line of the table of builds."""

    version: str
    python: str
    """The Python that its wheels need."""
    build: str
    """Id of the build that an installation makes."""
    broken: str | None
    """Why it cannot be installed; None where it can."""
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallableBuilds:
    """``reimage casa list --installable``: what `casa install` knows, the default first."""

    schema: int = SCHEMA_VERSION
    installable: tuple[InstallableBuild, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Why a delivery would be refused."""

    code: str
    """``no-recipe``, ``nothing-to-restore`` or ``delivery-empty`` (ops/guide/reference/errors.md)."""
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """``reimage delivery inspect``: what a delivery holds."""

    schema: int = SCHEMA_VERSION
    delivery: Delivery
    refused: Refused | None
    """None where its files suffice to restore from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """``recipe list``, ``category list``, ``classes list``, ``fix list``: what is declared."""

    schema: int = SCHEMA_VERSION
    declared: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """``recipe show``, ``category show``, ``classes show``: one declaration, with all its keys."""

    schema: int = SCHEMA_VERSION
    declaration: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeScript:
    """``recipe show --as-script``: a recipe in the words of one release of the ALMA pipeline."""

    schema: int = SCHEMA_VERSION
    recipe: str
    pipeline: str
    """Year and number of the release."""
    script: str
    caveats: tuple[str, ...]
    """What had to be translated or left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeDiff:
    """``recipe diff``: where two recipes differ."""

    schema: int = SCHEMA_VERSION
    one: str
    other: str
    same: bool
    """Whether both do the same; titles do not count."""
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicableFix:
    """A known fix that a dataset needs."""

    fix: str
    title: str
    before: Stage
    reports: bool
    """It changes nothing: the run gets a caveat."""
    offered: bool
    """It is applied only in a run that was queued with ``--fix``."""
    obstacles: tuple[str, ...]
    """Why it would not be applied all the same: lines for which it is not safe."""
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicable:
    """``reimage fix applicable``: the fixes that a delivery or its restored MSs need."""

    schema: int = SCHEMA_VERSION
    applicable: tuple[ApplicableFix, ...]
    ms: tuple[str, ...]
    """The restored MSs that were looked at, by their facts."""
    unasked: tuple[str, ...]
    """Fixes that look at restored MSs, where there are none yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    name: str
    verdict: str
    """ok, note (worth knowing, and nothing is broken) or bad."""
    found: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A setting and where its value comes from."""

    name: str
    value: Any
    origin: str
    """``default``, a file, a variable ``REIMAGE_...``, or ``option``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """``reimage doctor``: what is there, what is missing."""

    schema: int = SCHEMA_VERSION
    checks: tuple[Check, ...]
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFile:
    """One file that an archive offers."""

    name: str
    kind: str
    """``readme``, ``auxiliary``, ``product``, ``raw``; inside tars also ``calibration``, ``script``, ``image``, ..."""
    semantics: str
    """DataLink's."""
    n_bytes: int | None
    """None: the archive does not say."""
    fetched: bool
    """Whether a run fetches it."""
    why_not: str | None
    url: str
    inside: tuple[InnerFile, ...] = ()
    """With ``--expand``: what is in a tar, as far as the archive tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InnerFile:
    """One file inside a tar of an archive."""

    name: str
    kind: str
    n_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileList:
    """``reimage archive files``: what the archive offers for a dataset, and what of it a run fetches."""

    schema: int = SCHEMA_VERSION
    dataset: str
    archive: str
    fetch_bytes: int
    left_bytes: int
    files: tuple[ListedFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflights:
    """``reimage archive preflight``: for each dataset what its listing tells, nothing of it downloaded."""

    schema: int = SCHEMA_VERSION
    archive: str
    preflights: tuple[Preflight, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileHere:
    """One file that is there, whole."""

    name: str
    kind: str
    n_bytes: int
    sha256: str
    is_cached: bool
    """The archive was not asked for it: it was there, or in the cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesHere:
    """``reimage archive fetch``: files of a dataset, in the order in which they came."""

    schema: int = SCHEMA_VERSION
    dataset: str
    archive: str
    directory: str
    is_complete: bool
    """Every file that was asked for is there; otherwise stderr says what is not."""
    files: tuple[FileHere, ...]
