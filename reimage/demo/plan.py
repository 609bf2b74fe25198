"""The shape of a demonstration dataset: sky, array, set-up, and how the observatory delivers it.

Names of the observing side are those that `reimage/casa/jobs/_demo_observe.py` reads, so that a
dumped `Observation` is that job's plan.  Angles in rad (ICRS), frequencies in Hz, flux in Jy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from reimage.model import Calibration
from reimage.uid import Uid

ARCSEC = math.pi / 180 / 3600


class Shell(StrEnum):
    """How a delivery is laid out and named."""

    MODERN = "modern"
    """Cycle 5 and later: names begin with ``member.<mous>.``."""
    MANUAL = "manual"
    """Cycles 1 to 4, as the archive repackages them today."""
    CYCLE0 = "cycle0"
    """Dated delivery in one tar, old tree, calibrated MSs inside."""
    SEMIPASS = "semipass"
    """A few documents and the raw data; nothing to restore from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A Gaussian emission line; ``centre_hz`` is LSRK."""

    centre_hz: float
    fwhm_hz: float
    peak_jy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One source: continuum ``flux_jy * (nu / reference_hz) ** spectral_index``, and a line."""

    direction: tuple[float, float]
    flux_jy: float
    reference_hz: float
    spectral_index: float = 0.0
    shape: Literal["point", "gaussian"] = "point"
    fwhm_arcsec: float = 0.0
    line: Line | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One pointing; the pointings of a mosaic share their name."""

    name: str
    role: Literal["bandpass", "phase", "target"]
    direction: tuple[float, float]
    intents: str
    components: tuple[Component, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spw:
    """A spectral window with evenly spaced channels, TOPO."""

    name: str
    centre_hz: float
    channels: int
    width_hz: float

    @property
    def edges_hz(self) -> tuple[float, float]:
        """Lower and upper edge."""
        half = self.channels * self.width_hz / 2
        return self.centre_hz - half, self.centre_hz + half


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one execution block does."""

    project: str
    configuration: str
    pads: tuple[str, ...]
    antennas: tuple[str, ...]
    date: str
    """``2018/09/12``, UTC"""
    start_hour_angle: float
    """Of the first target, in hours."""
    integration_s: float
    gap_s: float
    sefd_jy: float
    seed: int
    spws: tuple[Spw, ...]
    fields: tuple[Field, ...]
    sequence: tuple[tuple[int, int], ...]
    """(field, integrations) of each scan."""

    @property
    def targets(self) -> tuple[Field, ...]:
        """The pointings on the science target."""
        return tuple(pointing for pointing in self.fields if pointing.role == "target")

    def by_role(self, role: str) -> Field:
        """Return the first field with a role."""
        return next(pointing for pointing in self.fields if pointing.role == role)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One execution block of a dataset."""

    eb: Uid
    observation: Observation


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickImage:
    """The observatory's own small product."""

    pixels: int
    cell_arcsec: float
    gridder: str = "standard"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoDataset:
    """One member OUS of the demonstration archive."""

    letter: str
    about: str
    project: str
    cycle: int
    science_goal: Uid
    group: Uid
    mous: Uid
    shell: Shell
    calibration: Calibration
    casa: str
    """What the delivery says that it was calibrated with."""
    band: int
    blocks: tuple[Block, ...]
    product: QuickImage | None = None
    delivered_on: str = ""
    """Date in the name of a Cycle 0 delivery."""
    forget_directions: bool = False
    """Field directions 0,0 and uvw computed for them, as in early cycles."""
    ends: str = "imaged"
    """What its run must end as: *imaged*, or an error class."""
    cut_raw: bool = False
    """The archive's own ASDM tar ends in the middle."""
    pipeline: str = ""
    session: str = "session_1"

    @property
    def target(self) -> str:
        """Name of the science target."""
        return self.blocks[0].observation.targets[0].name


def offset(direction: tuple[float, float], east: float, north: float) -> tuple[float, float]:
    """Return a direction moved by small angles on the sky, in arcsec."""
    ra, dec = direction
    return ra + east * ARCSEC / math.cos(dec), dec + north * ARCSEC
