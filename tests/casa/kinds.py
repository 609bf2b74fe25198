"""Kinds of observation, simulated small: what each is, and its calibrated MSs, cached by digest.

Angles in rad (ICRS), frequencies in Hz, flux in Jy.  Lines are stated in LSRK.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from reimage import document
from reimage.casa import process
from reimage.demo.observations import (
    ANTENNAS,
    BANDPASS,
    CONFIGURATION,
    GHZ,
    MHZ,
    PADS,
    TARGET,
    _icrs,
)
from reimage.demo.plan import Component, Field, Line, Observation, Spw, offset
from reimage.run import Limits

JOB = str(Path(__file__).with_name("observe_kinds"))
LIMITS = Limits(memory_mb=4000, wall_s=300, silence_s=120)
CENTRE = _icrs(201.37, -43.02)
ACA_PADS = ("N601", "N602", "N604", "N606", "J501", "J502", "J506", "J503", "J504", "J505")
ACA_ANTENNAS = tuple(f"CM{n:02d}" for n in range(1, 11))


@dataclass(frozen=True, kw_only=True)
class Eb:
    """One execution block: what it observes, and in what state its MS is."""

    eb: str
    plan: Observation
    dish_m: float = 12.0
    corrected: bool = False
    flag: tuple[str, ...] = ()
    moving: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A made dataset: MSs in the order of the EBs, and what was observed."""

    ms: tuple[Path, ...]
    plan: Observation
    truth: dict = field(default_factory=dict)

    @property
    def components(self) -> tuple[Component, ...]:
        return next(one for one in self.plan.fields if one.role == "target").components


def make(ebs: tuple[Eb, ...], casa, cache: Path) -> Kind:
    """Give a kind's MSs, simulated unless they were before.  Nobody may write into them."""
    inputs = {"ebs": [document.dump(eb) for eb in ebs]}
    programs = [Path(f"{JOB}.py"), *sorted(process.JOBS.glob("_demo_*.py"))]
    key = document.digest([inputs, [document.file_sha256(p) for p in programs], casa.version])
    place = cache / "kinds" / key[:32]
    if not place.is_dir():
        place.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=place.parent))
        process.run_job(casa, JOB, inputs, directory=work, limits=LIMITS, emit=_silent)
        try:
            work.rename(place)
        except OSError:  # another test was faster
            shutil.rmtree(work)
    return Kind(
        ms=tuple(place / "out" / f"{eb.eb}.ms" for eb in ebs),
        plan=ebs[0].plan,
        truth=document.read_json(place / "result.json")["value"],
    )


def _silent(*_, **__):
    pass


# --- the sky ------------------------------------------------------------------------------------------


def point(flux_jy, *, east=0.0, north=0.0, index=0.0, line=None, at=100 * GHZ):
    return Component(
        direction=offset(CENTRE, east, north),
        flux_jy=flux_jy,
        reference_hz=at,
        spectral_index=index,
        line=line,
    )


def line(ghz, mhz, jy):
    return Line(centre_hz=ghz * GHZ, fwhm_hz=mhz * MHZ, peak_jy=jy)


def spw(number, ghz, channels, mhz, band=3):
    return Spw(
        name=f"X1#ALMA_RB_{band:02d}#BB_{number}#SW-01#FULL_RES",
        centre_hz=ghz * GHZ,
        channels=channels,
        width_hz=mhz * MHZ / channels,
    )


def observation(components, spws, *, name="Sim_One", pointings=(CENTRE,), cycles=3, **other):
    """Return pointings in turn, so that their uv coverage is alike."""
    fields = tuple(
        Field(name=name, role="target", direction=at, intents=TARGET, components=components)
        for at in pointings
    )
    turn = [(k, 2) for k in range(len(fields))]
    return replace(
        Observation(
            project="uid://A001/X900/X1",
            configuration=CONFIGURATION,
            pads=tuple(PADS),
            antennas=tuple(ANTENNAS),
            date="2018/04/12",
            start_hour_angle=-1.0,
            integration_s=60,
            gap_s=1200 / len(fields),
            sefd_jy=800,
            seed=5,
            spws=spws,
            fields=fields,
            sequence=tuple(turn * cycles),
        ),
        **other,
    )


def with_calibrator(plan):
    """Return an observation with a calibrator, which is not to be imaged."""
    away = offset(CENTRE, 4 * 3600, 3 * 3600)
    strong = Component(direction=away, flux_jy=2.0, reference_hz=100 * GHZ)
    bandpass = Field(
        name="J1234-5678",
        role="bandpass",
        direction=away,
        intents=BANDPASS,
        components=(strong,),
    )
    return replace(
        plan,
        fields=(*plan.fields, bandpass),
        sequence=((len(plan.fields), 2), *plan.sequence),
    )


# --- the kinds ----------------------------------------------------------------------------------------

MAIN = point(0.060, east=2.0, north=-1.0, index=1.0, line=line(99.0, 120, 0.200))
SIDE = point(0.040, east=-9.0, north=7.0)


def single() -> tuple[Eb, ...]:
    """One pointing, a line in the first of two spws, calibrated data in CORRECTED_DATA."""
    plan = observation((MAIN, SIDE), (spw(1, 99.0, 60, 1875), spw(2, 101.0, 24, 1875)))
    return (Eb(eb="uid___A002_X901_X1", plan=with_calibrator(plan), corrected=True),)


def mosaic(n: int) -> tuple[Eb, ...]:
    """3 or 7 pointings, 26 arcsec apart; the sky fills more than one of them."""
    around = [(26.0, 0.0), (13.0, 22.5), (-13.0, 22.5), (-26.0, 0.0), (-13.0, -22.5), (13.0, -22.5)]
    points = tuple(offset(CENTRE, *at) for at in [(0.0, 0.0), *around][:n])
    sky = (
        point(0.080, east=13.0, north=8.0, line=line(99.0, 150, 0.250)),
        point(0.030, east=-6.0, north=-5.0, index=2.0),
    )
    plan = observation(sky, (spw(1, 99.0, 32, 1875),), name="Sim_Mosaic", pointings=points)
    return (Eb(eb=f"uid___A002_X902_X{n}", plan=plan),)


def two_blocks() -> tuple[Eb, ...]:
    """Two EBs three months apart: other Doppler shifts, half a channel of offset, other edges flagged."""
    sky = (point(0.060, east=2.0, north=-1.0, line=line(99.0, 40, 0.250)), SIDE)
    one = observation(sky, (spw(1, 99.0, 60, 468.75),), name="Sim_Two", cycles=2)
    other = replace(
        one,
        date="2018/07/15",
        start_hour_angle=0.5,
        seed=6,
        spws=(replace(one.spws[0], centre_hz=99.0 * GHZ + 3.9 * MHZ),),
    )
    return (
        Eb(eb="uid___A002_X903_X1", plan=one, flag=("spw='0:0~2' mode='manual'",)),
        Eb(eb="uid___A002_X903_X2", plan=other, flag=("spw='0:55~59' mode='manual'",)),
    )


def two_setups() -> tuple[Eb, ...]:
    """Two EBs with the same names of spws, the second of which is another frequency."""
    sky = (point(0.060, east=2.0, north=-1.0, index=1.0), SIDE)
    spws = (spw(1, 98.0, 16, 1875), spw(2, 100.0, 16, 1875))
    one = observation(sky, spws, name="Sim_Setups", cycles=2)
    other = replace(one, start_hour_angle=0.6, seed=7, spws=(spws[0], spw(2, 102.0, 16, 1875)))
    return (Eb(eb="uid___A002_X904_X1", plan=one), Eb(eb="uid___A002_X904_X2", plan=other))


def flagged() -> tuple[Eb, ...]:
    """Two spws, the second flagged completely."""
    plan = observation(
        (MAIN, SIDE), (spw(1, 99.0, 24, 1875), spw(2, 101.0, 24, 1875)), name="Sim_Flagged"
    )
    return (Eb(eb="uid___A002_X905_X1", plan=plan, flag=("spw='1' mode='manual'",)),)


FOREST = tuple(
    line(98.10 + step, width, peak)
    for step, width, peak in (
        (0.02, 35, 0.06),
        (0.13, 40, 0.09),
        (0.24, 35, 0.05),
        (0.36, 40, 0.15),
        (0.40, 35, 0.10),
        (0.60, 35, 0.09),
        (0.71, 45, 0.06),
        (0.88, 40, 0.18),
        (1.02, 35, 0.06),
        (1.10, 40, 0.08),
        (1.31, 40, 0.12),
        (1.44, 40, 0.07),
        (1.55, 35, 0.06),
    )
)


def forest() -> tuple[Eb, ...]:
    """A hot core: thirteen lines over half of the band, two of them blended, upon a continuum."""
    core = point(0.050)
    sky = (core, *(point(0.0, line=one) for one in FOREST))
    plan = observation(sky, (spw(1, 98.9, 120, 1875),), name="Sim_Forest", cycles=2, sefd_jy=500)
    return (Eb(eb="uid___A002_X906_X1", plan=plan),)


def continuum() -> tuple[Eb, ...]:
    """No line anywhere."""
    sky = (point(0.080, east=3.0, north=2.0, index=2.0), SIDE)
    plan = observation(
        sky, (spw(1, 98.0, 32, 1875), spw(2, 100.0, 32, 1875)), name="Sim_Cont", cycles=2
    )
    return (Eb(eb="uid___A002_X907_X1", plan=plan),)


def seven_metre() -> tuple[Eb, ...]:
    """The 7-m array: ten dishes, a line and continuum near the centre."""
    sky = (point(0.200, east=3.0, north=-2.0, line=line(99.0, 150, 0.600)),)
    plan = observation(
        sky,
        (spw(1, 99.0, 32, 1875),),
        name="Sim_Seven",
        configuration="aca.cycle5.cfg",
        pads=ACA_PADS,
        antennas=ACA_ANTENNAS,
        sefd_jy=2500,
    )
    return (Eb(eb="uid___A002_X908_X1", plan=plan, dish_m=7.0),)


def moving() -> tuple[Eb, ...]:
    """A solar-system body and a fixed source in one MS."""
    sky = (point(0.080),)
    plan = observation(sky, (spw(1, 99.0, 16, 1875),), name="Sim_Fixed", cycles=2)
    comet = replace(plan.fields[0], name="Sim_Comet", direction=offset(CENTRE, 600.0, 300.0))
    plan = replace(plan, fields=(*plan.fields, comet), sequence=(*plan.sequence, (1, 2)))
    return (Eb(eb="uid___A002_X909_X1", plan=plan, moving=("Sim_Comet",)),)


def only_moving() -> tuple[Eb, ...]:
    """Nothing but a solar-system body."""
    plan = observation((point(0.080),), (spw(1, 99.0, 16, 1875),), name="Sim_Comet", cycles=2)
    return (Eb(eb="uid___A002_X90a_X1", plan=plan, moving=("Sim_Comet",)),)
