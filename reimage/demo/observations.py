"""The observations behind the demonstration datasets: skies, arrays and set-ups.

There are no WVR and no channel-average spectral windows, so the science windows have the ids 0, 1, ...
"""

from __future__ import annotations

import math

from reimage.demo.plan import Component, Field, Line, Observation, Spw, offset
from reimage.uid import Uid

GHZ, MHZ = 1e9, 1e6
CONFIGURATION = "alma.cycle5.1.cfg"
PADS = (
    "A040 A028 A003 A043 A036 A050 A038 A027 A034 A001 A026 A013".split()  # noqa: SIM905 -- as read aloud
)
"""Twelve pads of a compact configuration (to 142 m), chosen for a round beam and low sidelobes (0.18)."""
ANTENNAS = "DA41 DA42 DA44 DA50 DA55 DA61 DV01 DV05 DV09 DV14 DV18 DV22".split()  # noqa: SIM905
BANDPASS = "CALIBRATE_BANDPASS#ON_SOURCE,CALIBRATE_FLUX#ON_SOURCE,CALIBRATE_WVR#ON_SOURCE"
PHASE = "CALIBRATE_PHASE#ON_SOURCE,CALIBRATE_WVR#ON_SOURCE"
TARGET = "OBSERVE_TARGET#ON_SOURCE"


def _icrs(ra_deg: float, dec_deg: float) -> tuple[float, float]:
    return math.radians(ra_deg), math.radians(dec_deg)


def _calibrators(centre: tuple[float, float], reference_hz: float) -> tuple[Field, Field]:
    """Return a bright bandpass source 9 degrees from the target, and a phase source 2 degrees from it."""
    strong = offset(centre, 6 * 3600, 7 * 3600)
    near = offset(centre, -1.5 * 3600, 1.2 * 3600)
    return (
        Field(
            name=_position_name(strong),
            role="bandpass",
            direction=strong,
            intents=BANDPASS,
            components=(
                Component(
                    direction=strong, flux_jy=3.0, reference_hz=reference_hz, spectral_index=-0.6
                ),
            ),
        ),
        Field(
            name=_position_name(near),
            role="phase",
            direction=near,
            intents=PHASE,
            components=(
                Component(
                    direction=near, flux_jy=0.9, reference_hz=reference_hz, spectral_index=-0.7
                ),
            ),
        ),
    )


def _position_name(direction: tuple[float, float]) -> str:
    """Return a calibrator's name: ``J2258-2758``."""
    minutes = int(math.degrees(direction[0]) % 360 * 4)
    arcmin = int(abs(math.degrees(direction[1])) * 60)
    sign = "-" if direction[1] < 0 else "+"
    return f"J{minutes // 60:02d}{minutes % 60:02d}{sign}{arcmin // 60:02d}{arcmin % 60:02d}"


def _spws(band: int, centres_ghz: tuple[float, ...], channels: int) -> tuple[Spw, ...]:
    """Return one window of 1875 MHz per baseband."""
    return tuple(
        Spw(
            name=f"ALMA_RB_{band:02d}#BB_{number}#SW-01#FULL_RES",
            centre_hz=centre * GHZ,
            channels=channels,
            width_hz=1875 * MHZ / channels,
        )
        for number, centre in enumerate(centres_ghz, start=1)
    )


def _pointings(
    name: str, centres: tuple[tuple[float, float], ...], sky: tuple[Component, ...]
) -> tuple[Field, ...]:
    return tuple(
        Field(name=name, role="target", direction=centre, intents=TARGET, components=sky)
        for centre in centres
    )


def _sequence(targets: int, integrations: int, cycles: int) -> tuple[tuple[int, int], ...]:
    """Return bandpass, then phase source and every pointing in turn, and the phase source again."""
    turn = [(1, 1), *((2 + k, integrations) for k in range(targets))]
    return ((0, 4), *(turn * cycles), (1, 1))


def small(name: str, seed: int, date: str, mous: Uid) -> Observation:
    """Return the smallest observation that can be calibrated: 6 antennas, 2 windows of 8 channels."""
    centre = _icrs(52.0 + seed, -27.5)
    sky = (Component(direction=centre, flux_jy=0.2, reference_hz=100 * GHZ),)
    return Observation(
        project=str(mous),
        configuration=CONFIGURATION,
        pads=tuple(PADS[:6]),
        antennas=tuple(ANTENNAS[:6]),
        date=date,
        start_hour_angle=-0.3,
        integration_s=60,
        gap_s=20,
        sefd_jy=2500,
        seed=seed,
        spws=_spws(3, (98.0, 100.0), 8),
        fields=(*_calibrators(centre, 100 * GHZ), *_pointings(name, (centre,), sky)),
        sequence=((0, 3), (1, 1), (2, 3), (1, 1)),
    )


def alpha(mous: Uid) -> Observation:
    """Return Band 6, one pointing: a point with dust-like spectrum, a weaker one, a line in spw 2."""
    centre, reference = _icrs(346.2358, -26.4500), 223 * GHZ
    main = offset(centre, 0.6, -0.3)
    sky = (
        Component(direction=main, flux_jy=0.050, reference_hz=reference, spectral_index=2.0),
        Component(direction=offset(centre, -6.0, 5.0), flux_jy=0.006, reference_hz=reference),
        Component(
            direction=main,
            flux_jy=0.0,
            reference_hz=reference,
            shape="gaussian",
            fwhm_arcsec=1.5,
            line=Line(centre_hz=229.70 * GHZ, fwhm_hz=150 * MHZ, peak_jy=0.150),
        ),
    )
    return Observation(
        project=str(mous),
        configuration=CONFIGURATION,
        pads=tuple(PADS),
        antennas=tuple(ANTENNAS),
        date="2018/09/12",
        start_hour_angle=-0.9,
        integration_s=60,
        gap_s=180,
        sefd_jy=3000,
        seed=11,
        spws=_spws(6, (215.0, 217.0, 229.6, 231.5), 40),
        fields=(*_calibrators(centre, reference), *_pointings("Sim_Alpha", (centre,), sky)),
        sequence=_sequence(1, 3, 6),
    )


def beta(mous: Uid, date: str, hour_angle: float, seed: int) -> Observation:
    """Return Band 3 over more than a tenth of its frequency: falling and rising spectra, faint line."""
    centre, reference = _icrs(68.2100, -31.2040), 98.5 * GHZ
    weaker = offset(centre, 11.0, -8.0)
    sky = (
        Component(
            direction=offset(centre, -1.0, 2.0),
            flux_jy=0.080,
            reference_hz=reference,
            spectral_index=-0.7,
        ),
        Component(
            direction=weaker,
            flux_jy=0.012,
            reference_hz=reference,
            spectral_index=2.0,
            line=Line(centre_hz=103.40 * GHZ, fwhm_hz=220 * MHZ, peak_jy=0.060),
        ),
    )
    return Observation(
        project=str(mous),
        configuration=CONFIGURATION,
        pads=tuple(PADS),
        antennas=tuple(ANTENNAS),
        date=date,
        start_hour_angle=hour_angle,
        integration_s=60,
        gap_s=180,
        sefd_jy=2500,
        seed=seed,
        spws=_spws(3, (92.0, 93.9, 103.2, 105.1), 32),
        fields=(*_calibrators(centre, reference), *_pointings("Sim_Beta", (centre,), sky)),
        sequence=_sequence(1, 3, 4),
    )


def gamma(mous: Uid) -> Observation:
    """Return Band 7, a mosaic of three pointings: an extended source with a line, and a point."""
    centre, reference = _icrs(201.3700, -43.0190), 345.8 * GHZ
    pointings = (offset(centre, -4.2, -2.4), offset(centre, 4.2, -2.4), offset(centre, 0.0, 4.8))
    extended = offset(centre, 1.5, 0.5)
    sky = (
        Component(
            direction=extended,
            flux_jy=0.250,
            reference_hz=reference,
            spectral_index=3.0,
            shape="gaussian",
            fwhm_arcsec=2.0,
            line=Line(centre_hz=346.70 * GHZ, fwhm_hz=260 * MHZ, peak_jy=0.500),
        ),
        Component(direction=offset(centre, -5.0, 3.0), flux_jy=0.060, reference_hz=reference),
    )
    return Observation(
        project=str(mous),
        configuration=CONFIGURATION,
        pads=tuple(PADS),
        antennas=tuple(ANTENNAS),
        date="2012/04/21",
        start_hour_angle=-1.0,
        integration_s=60,
        gap_s=60,
        sefd_jy=5000,
        seed=31,
        spws=_spws(7, (344.8, 346.8), 32),
        fields=(*_calibrators(centre, reference), *_pointings("Sim_Gamma", pointings, sky)),
        sequence=_sequence(3, 2, 6),
    )
