"""The words of the service (ops/guide/words.md), as frozen values.

Everything here is data: no behaviour beyond what follows from the fields alone.  Enum values are
what databases, journals and JSON store.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

# --- the four axes of a run -----------------------------------------------------------------------


class State(StrEnum):
    """Where in the queue; moved by the controller alone."""

    QUEUED = "queued"
    SUBMITTED = "submitted"
    RUNNING = "running"
    DONE = "done"


class Stage(StrEnum):
    """How far along; moved forward only, by the runner."""

    FETCH = "fetch"
    CHOOSE = "choose"
    RESTORE = "restore"
    IMAGE = "image"
    DERIVE = "derive"
    ASSESS = "assess"


class Result(StrEnum):
    """What came of a run; set if and only if the run is done."""

    IMAGED = "imaged"
    """Every planned image is made or knowingly mitigated."""
    PARTIAL = "partial"
    """Some planned images exist and are sound; the others are recorded as absent, with reasons."""
    REFUSED = "refused"
    """Not applicable by rule; not a failure."""
    FAILED = "failed"
    LOST = "lost"
    """The run vanished and nothing says why."""
    CANCELLED = "cancelled"


class ProductState(StrEnum):
    """What became of a planned product."""

    PLANNED = "planned"
    MADE = "made"
    MITIGATED = "mitigated"
    """Made smaller or coarser than planned; the reason says how."""
    ABSENT = "absent"


# --- CASA -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CasaBuild:
    """An installed CASA, as `<data>/builds/<id>.json` holds it.

    ``python`` runs the jobs of a modular build.  ``casa`` is the executable of a monolithic one.
    """

    id: str
    version: str
    kind: Literal["modular", "monolithic"]
    python: str | None = None
    python_version: str = ""
    casa: str | None = None
    casadata: str = ""
    """Directory with ephemerides/, geodetic/, alma/ ... (``measurespath``)."""
    pipeline: str | None = None
    """Version of the ALMA pipeline inside, None when there is none."""
    packages: Mapping[str, str] = field(default_factory=dict)
    probed_at: datetime | None = None


class Role(StrEnum):
    """What a statement about CASA speaks of."""

    CALIBRATION = "calibration"
    IMAGING = "imaging"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionStatement:
    """One place in a delivery that says which CASA was used.

    ``version`` is one version (``4.2.2``, ``4.1`` for any 4.1.x), several of which each would do
    (``4.2, 4.3``), or a bound (``>=4.7.2``).  ``strength`` orders the places by trust, 1 the most
    trusted (archive pages and ALMA KB).
    """

    version: str
    role: Role
    file: str
    line: int
    text: str
    strength: int
    doubt: str = ""
    """Why the reading is not certain, empty where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CasaChoice:
    """Which build restores a delivery, and why."""

    build: str | None
    """Id of the chosen build; None when none that is registered will do."""
    wanted: str | None
    """The version that the delivery asks for; None when it says nothing."""
    because: tuple[str, ...]
    statements: tuple[VersionStatement, ...] = ()
    doubtful: bool = False
    """The statements disagree or are uncertain, or the build is not of the version they ask for."""
    alternatives: tuple[str, ...] = ()
    """Ids of builds that come near, the best first: for a person to take (``--casa``)."""


# --- deliveries -------------------------------------------------------------------------------------


class Calibration(StrEnum):
    """How a delivery's calibrated data come to be."""

    PIPELINE = "pipeline"
    """Restored from pipeline tables: caltables, flagversions, calapply."""
    MANUAL = "manual"
    """Made anew by a scriptForCalibration per EB."""
    DELIVERED = "delivered"
    """Calibrated MSs are inside (Cycle 0)."""
    NONE = "none"
    """Nothing to restore from: a semipass shell, a part of a delivery, or total power."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What the archive handed over, unpacked.  Paths are relative to ``root``; absent is empty.

    ``member`` is the directory that holds calibration, script, raw ... (relative to root).
    """

    root: str
    member: str
    layout: str
    """How its directory is named: dated, named, uid or flat (`reimage.delivery.layout`)."""
    calibration: Calibration
    era: str = "unknown"
    """By whose habits its files are named and packed (`reimage.delivery.eras`)."""
    is_total_power: bool = False
    """Single dish: nothing here restores it."""
    procedure: str | None = None
    """The ALMA pipeline's procedure that calibrated, ``hifa_calimage``; None where none is named."""
    dataset: str | None = None
    project: str | None = None
    readme: str | None = None
    ebs: tuple[str, ...] = ()
    """Execution blocks in the file spelling, ``uid___A002_X1_X2``, as scripts and manifest name them."""
    raw: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    """Every script; those that follow are among them."""
    script_for_pi: str | None = None
    piperestore: str | None = None
    """``casa_piperestorescript.py``, that of the calibration where there are several."""
    pipescripts: tuple[str, ...] = ()
    """``casa_pipescript.py``: what the pipeline did."""
    calibration_scripts: tuple[str, ...] = ()
    """``scriptForCalibration.py`` of each execution block."""
    caltables: tuple[str, ...] = ()
    flagversions: tuple[str, ...] = ()
    calapply: tuple[str, ...] = ()
    manifests: tuple[str, ...] = ()
    pprs: tuple[str, ...] = ()
    """Pipeline processing requests."""
    calibrated: tuple[str, ...] = ()
    """Calibrated MSs that were delivered."""
    products: tuple[str, ...] = ()
    qa: tuple[str, ...] = ()
    weblogs: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What is odd, ``<id>: <what>`` each (`reimage.delivery.notes`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedMs:
    """The one MS of an execution block that is to be imaged."""

    eb: str
    """Of several execution blocks in one MS: its name without suffix."""
    path: str
    column: Literal["data", "corrected"]
    rows: int
    promised_rows: int | None
    """What the ASDM's Main table promises; None where there is no ASDM (Cycle 0)."""
    because: str = ""
    """Why this one of all that the restore left (`reimage.stages.identify`)."""


# --- imaging ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedImage:
    """One image that the recipe is to make: a target, one or several spws, a spectral mode."""

    id: str
    """``<target>.spw0_1.cont``: unique in the plan."""
    target: str
    spws: tuple[int, ...]
    specmode: Literal["mfs", "cont", "cube", "repBW"]
    nterms: int
    basename: str
    """File name up to the kind, as the pipeline of the recipe's ``naming`` year writes it."""
    files: Mapping[str, str]
    """Planned FITS files by kind: ``{"pbcor": "<...>.pbcor.fits", "pb": "<...>.pb.fits"}``."""
    mitigation: str | None = None
    """What was done to keep it within the size limits; None: nothing."""
    dropped: str | None = None
    """Why it will not be made at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One planned or made file, with what derives from it as states of the same row."""

    name: str
    kind: str
    """pbcor, pb, mask, tt0.pbcor, alpha, ...; of what goes with the images weblog, cont.dat, ..."""
    image: str
    """`PlannedImage.id`; empty: it goes with the images, and is neither drawn nor measured."""
    target: str
    spws: str
    specmode: str
    state: ProductState
    planned: bool = True
    reason: str | None = None
    path: str | None = None
    """Relative to the run directory."""
    n_bytes: int | None = None
    sha256: str | None = None
    preview: str | None = None
    footprint: str | None = None
    admit: str | None = None
    numbers: Mapping[str, Any] = field(default_factory=dict)
    """rms_jy_beam, dynamic_range, beam_major_arcsec, beam_minor_arcsec, beam_pa_deg, nan_share, peak_jy_beam, ..."""
