"""Images against what was simulated.

Within 2 % of the continuum's flux, 3 % of a line's integrated flux, a fifth of a beam of the position; and
no channel with more than 3 sigma of a line is taken for continuum.  What is compared has ``told`` (the JSON
of `reimage image`), ``components``, ``continuum`` and ``open(image, kind)``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
import pytest

from reimage.demo.plan import Component
from reimage.products.fits_image import FitsImage
from reimage.products.measure import flux_in_aperture

CONTINUUM, LINE, BEAMS = 0.02, 0.03, 0.2
"""Tolerances: of fluxes, and of positions in beams."""
LEAST = 0.3
"""Of the primary beam: sources further out are not compared."""
APERTURE = 1.5
"""Radius in FWHM of what a source looks like: all but 0.2 % of it."""
NOISE = 2.5
"""Noise of the flux in that aperture, in rms: a root of its beams."""


def read_continuum(path):
    """Read ranges (Hz, LSRK) and whether all is continuum, by spw, of a cont.dat of one target."""
    found = {}
    for block in path.read_text().split("SpectralWindow: ")[1:]:
        ranges = re.findall(r"([\d.]+)~([\d.]+)GHz", block)
        found[int(block.split()[0])] = (
            [(float(low) * 1e9, float(high) * 1e9) for low, high in ranges],
            "ALLCONT" in block,
        )
    return found


def assert_true(made, continuum=CONTINUUM, line=LINE, *, peaks=False):
    """Compare every image with the sky, and the continuum with the lines.

    Fluxes agree within tolerance, or three sigma where that is more.  With ``peaks`` they are those of the
    peaks: what clean leaves, by its rules, has a dirty beam, which holds no flux in an aperture.  So
    extended sources, whose faint parts clean leaves, are not compared.
    """
    assert made.told["images"]
    for row in made.told["images"]:
        if row["state"] == "absent":
            continue
        name = row["image"].partition(".")[2]
        picture, response = made.open(name), made.open(name, "pb")
        for one in (one for one in made.components if one.shape == "point"):
            level = response_at(response, one)
            if level < LEAST:
                continue
            seen = Seen(picture, one, row["rms_jy_beam"] / float(level), row["image"], peaks)
            if row["specmode"] == "cube":
                seen.assert_line(made.components, line)
            elif one.flux_jy:
                seen.assert_continuum(continuum)
    assert_no_line_in_continuum(made)


def response_at(response, one):
    x, y = pixel(response, one)
    plane = response.plane(response.n_channels // 2)
    inside = 0 <= y < plane.shape[0] and 0 <= x < plane.shape[1]
    return np.nan_to_num(plane[round(y), round(x)]) if inside else 0.0


def pixel(picture, one):
    ra, dec = map(math.degrees, one.direction)
    x, y = picture.wcs.all_world2pix(ra, dec, 0)
    return float(x), float(y)


@dataclass(frozen=True)
class Seen:
    """One source in one image."""

    picture: FitsImage
    one: Component
    rms: float
    name: str
    peaks: bool

    def assert_continuum(self, tolerance):
        picture, one = self.picture, self.one
        frequency = float(np.mean(picture.frequency_hz))
        expected = one.flux_jy * (frequency / one.reference_hz) ** one.spectral_index
        flux = self.flux(0)
        assert flux == pytest.approx(expected, rel=tolerance, abs=3 * self.noise), self.name
        off = np.hypot(*np.subtract(peak(picture, one), pixel(picture, one)))
        assert off * picture.pixel_arcsec < BEAMS * picture.beam.minor_arcsec, self.name

    def assert_line(self, components, tolerance):
        """Compare the flux where a line is with all lines of that place: they may be blended."""
        line, frequency = self.one.line, self.picture.frequency_hz
        if line is None or not frequency.min() < line.centre_hz < frequency.max():
            return
        near = np.flatnonzero(np.abs(frequency - line.centre_hz) < 2 * line.fwhm_hz)
        flux = sum(self.flux(int(channel)) for channel in near)
        here = [c.line for c in components if c.line and c.direction == self.one.direction]
        expected = sum(line_flux(other, frequency)[near].sum() for other in here)
        noise = self.noise * math.sqrt(near.size)
        assert flux == pytest.approx(expected, rel=tolerance, abs=3 * noise), (self.name, line)

    def flux(self, channel):
        return (peak_flux if self.peaks else aperture_flux)(self.picture, self.one, channel)

    @property
    def noise(self):
        return self.rms if self.peaks else NOISE * self.rms


def aperture_flux(picture, one, channel):
    ra, dec = map(math.degrees, one.direction)
    radius = APERTURE * math.hypot(picture.beam.major_arcsec, one.fwhm_arcsec)
    return flux_in_aperture(picture, ra, dec, radius, channel)


def peak_flux(picture, one, channel):
    """Return the brightness of a point source's pixel, for what a beam loses off its middle."""
    x, y = pixel(picture, one)
    beam = math.sqrt(picture.beam.major_arcsec * picture.beam.minor_arcsec) / picture.pixel_arcsec
    off = math.hypot(x - round(x), y - round(y)) / beam
    value = float(picture.plane(channel)[round(y), round(x)])
    return value * math.exp(4 * math.log(2) * off**2)


def peak(picture, one):
    """Return where a source is brightest, to a part of a pixel."""
    x, y = map(round, pixel(picture, one))
    plane = picture.plane(0)
    near = plane[y - 4 : y + 5, x - 4 : x + 5]
    dy, dx = np.unravel_index(np.nanargmax(near), near.shape)
    y, x = y - 4 + int(dy), x - 4 + int(dx)
    return (
        x + vertex(plane[y, x - 1], plane[y, x], plane[y, x + 1]),
        y + vertex(plane[y - 1, x], plane[y, x], plane[y + 1, x]),
    )


def vertex(left, middle, right):
    return 0.5 * (left - right) / (left - 2 * middle + right)


def line_flux(line, frequency):
    """Return a line's mean flux over each channel."""
    width = abs(float(frequency[1] - frequency[0]))
    within = (np.arange(21) - 10) / 21 * width
    away = (frequency[:, None] + within - line.centre_hz) / line.fwhm_hz
    return line.peak_jy * np.exp(-4 * math.log(2) * away**2).mean(axis=1)


def assert_no_line_in_continuum(made):
    for row in made.told["images"]:
        if row["specmode"] != "cube" or row["state"] == "absent":
            continue
        spw, rms = row["spws"][0], row["rms_jy_beam"]
        ranges, _ = made.continuum[spw]
        frequency = made.open(row["image"].partition(".")[2]).frequency_hz
        for one in made.components:
            if one.line is None:
                continue
            bright = line_flux(one.line, frequency) > 3 * rms
            taken = np.zeros(frequency.size, bool)
            for low, high in ranges:
                taken |= (frequency > low) & (frequency < high)
            assert not (bright & taken).any(), (row["image"], one.line)
