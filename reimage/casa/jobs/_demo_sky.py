"""A sky of a few components, and what an interferometer sees of it.  Pure arithmetic: numpy only.

Visibilities are computed exactly (no grid, no flat-sky approximation), so that the truth of the
demonstration data is known to the digits that are written down, in every CASA version.

A component is a dictionary:
  shape           "point" or "gaussian"
  direction       [right ascension, declination] in rad, ICRS
  fwhm_arcsec     of a gaussian (circular)
  flux_jy, reference_hz, spectral_index      the continuum: flux (nu / reference)**index
  line            None, or {"centre_hz", "fwhm_hz", "peak_jy"}: a Gaussian profile, TOPO frequencies
"""

import numpy as np

LIGHT = 299792458.0
ARCSEC = np.pi / 180 / 3600

# The 12-m dish as CASA images it (its common primary beam "ALMA"): an Airy pattern of an effective
# diameter of 10.7 m with a blockage of 0.75 m.
DISH_M, BLOCKAGE_M = 10.7, 0.75


def bessel_j1(x):
    """J1 by its integral (1/pi) int_0^pi cos(t - x sin t) dt; exact to rounding for |x| < 50."""
    t = (np.arange(128) + 0.5) * np.pi / 128
    return np.cos(t - np.asarray(x, float)[..., None] * np.sin(t)).mean(-1)


def _jinc(x):
    x = np.asarray(x, float)
    safe = np.where(np.abs(x) < 1e-9, 1.0, x)
    return np.where(np.abs(x) < 1e-9, 1.0, 2 * bessel_j1(safe) / safe)


def primary_beam(distance, frequency):
    """Power response at an angular distance (rad) from the pointing; shapes broadcast."""
    x = np.pi * DISH_M * np.sin(distance) * np.asarray(frequency, float) / LIGHT
    ratio = BLOCKAGE_M / DISH_M
    voltage = (_jinc(x) - ratio**2 * _jinc(ratio * x)) / (1 - ratio**2)
    return voltage**2


def direction_cosines(direction, centre):
    """Return (l, m, n - 1) of a direction as seen from a phase centre; both [ra, dec] in rad."""
    (ra, dec), (ra0, dec0) = direction, centre
    l = np.cos(dec) * np.sin(ra - ra0)
    m = np.sin(dec) * np.cos(dec0) - np.cos(dec) * np.sin(dec0) * np.cos(ra - ra0)
    n = np.sin(dec) * np.sin(dec0) + np.cos(dec) * np.cos(dec0) * np.cos(ra - ra0)
    return l, m, n - 1


def spectrum(component, frequency):
    """Flux density in Jy at each frequency (Hz)."""
    frequency = np.asarray(frequency, float)
    flux = np.zeros(len(frequency))
    if component.get("flux_jy"):
        flux += (
            component["flux_jy"]
            * (frequency / component["reference_hz"]) ** component["spectral_index"]
        )
    line = component.get("line")
    if line:
        sigma = line["fwhm_hz"] / np.sqrt(8 * np.log(2))
        flux += line["peak_jy"] * np.exp(-0.5 * ((frequency - line["centre_hz"]) / sigma) ** 2)
    return flux


def visibilities(components, frequency, uvw, centre):
    """What the array measures, Jy: shape (channels, rows).

    `frequency` in Hz (channels), `uvw` in m (3, rows), `centre`: pointing and phase centre in rad.
    """
    frequency = np.asarray(frequency, float)
    total = np.zeros((len(frequency), uvw.shape[1]), complex)
    for component in components:
        l, m, n1 = direction_cosines(component["direction"], centre)
        metres = uvw[0] * l + uvw[1] * m + uvw[2] * n1
        seen = spectrum(component, frequency) * primary_beam(np.arcsin(np.hypot(l, m)), frequency)
        value = np.exp(2j * np.pi * frequency[:, None] / LIGHT * metres[None, :])
        if component["shape"] == "gaussian":
            length = np.hypot(uvw[0], uvw[1])[None, :] * frequency[:, None] / LIGHT
            width = component["fwhm_arcsec"] * ARCSEC
            value = value * np.exp(-((np.pi * width * length) ** 2) / (4 * np.log(2)))
        total += seen[:, None] * value
    return total
