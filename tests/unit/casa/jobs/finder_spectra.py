"""Simulated dirty cubes of known content for the continuum finder: one source, lines, noise of a beam.

Positions and widths are in channels, strengths in the noise of one channel and beam.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

SIDE, SIGMA = 48, 1.8
"""Pixels of a side, and of the beam's sigma."""
BEAM = 2 * np.pi * SIGMA**2

Array = np.ndarray[Any, np.dtype[np.float64]]


def gauss(at: Array, centre: float, sigma: float, peak: float) -> Array:
    """Return a Gaussian line."""
    return np.asarray(peak * np.exp(-((at - centre) ** 2) / (2 * sigma**2)))


def lorentz(at: Array, centre: float, half: float, peak: float) -> Array:
    """Return a line with the wings of pressure, as ozone in the atmosphere."""
    return np.asarray(peak / (1 + ((at - centre) / half) ** 2))


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What is in a cube.  ``lines``: spectrum and place (x, y, width in beams) of each."""

    channels: int = 120
    continuum: float = 40.0
    slope: float = 0.0
    noise: Array | None = None
    """Of each channel, when it is not 1."""
    ripple: float = 0.0
    """Of the bandpass, as a share of the continuum."""
    hanning: bool = False
    """Neighbouring channels share noise, as online smoothing makes them."""
    lines: tuple[tuple[Array, tuple[float, float, float]], ...] = ()

    def cube(self, seed: int) -> Any:
        """Return the cube: channel, y, x."""
        random = np.random.default_rng(seed)
        at = np.arange(self.channels)
        sky = self.continuum * (1 + self.slope * (at / self.channels - 0.5))
        sky = sky * (1 + self.ripple * np.sin(2 * np.pi * at / (self.channels / 3.3)))
        cube = sky[:, None, None] * _blob(0, 0, 1) + self.line_cube()
        count = self.channels + 2 * self.hanning
        width = SIGMA / 2**0.5
        grain = random.normal(size=(count, SIDE, SIDE))
        grain = gaussian_filter(grain, (0, width, width), mode="wrap")
        if self.hanning:
            grain = 0.25 * grain[:-2] + 0.5 * grain[1:-1] + 0.25 * grain[2:]
        level = np.ones(self.channels) if self.noise is None else self.noise
        return (cube + level[:, None, None] * grain / grain.std()).astype(np.float32)

    def line_cube(self) -> Any:
        """Return the lines alone."""
        total = np.zeros((self.channels, SIDE, SIDE))
        for spectrum, (x, y, width) in self.lines:
            total += np.asarray(spectrum)[:, None, None] * _blob(x, y, width)
        return total

    def line_channels(self, sigma: float = 3.0) -> Any:
        """Return where a line stands higher than that many times the noise in some pixel."""
        level = np.ones(self.channels) if self.noise is None else self.noise
        peak: Any = np.abs(self.line_cube()).max(axis=(1, 2))
        return peak > sigma * level


CENTRE = (0.0, 0.0, 1.0)
_AT = np.arange(120.0)
_LONG = np.arange(480.0)


def _on_source(*spectra: Array) -> tuple[tuple[Array, tuple[float, float, float]], ...]:
    return tuple((spectrum, CENTRE) for spectrum in spectra)


def _rotating(at: Array, centre: float, span: float, sigma: float, peak: float) -> Any:
    """Return a disc that turns: the line moves over the sky."""
    return tuple(
        (gauss(at, centre + span * step, sigma, peak), (8 * step, 0.0, 1.3))
        for step in np.linspace(-1, 1, 9)
    )


SCENES = {
    "narrow": Scene(lines=_on_source(gauss(_AT, 60, 1.5, 30))),
    "weak": Scene(lines=_on_source(gauss(_AT, 60, 4, 6))),
    "broad": Scene(lines=_on_source(gauss(_AT, 60, 14, 15))),
    "very broad": Scene(lines=_on_source(gauss(_AT, 64, 22, 40))),
    "broad and weak": Scene(channels=480, lines=_on_source(gauss(_LONG, 240, 40, 5))),
    "at the band's edge": Scene(lines=_on_source(gauss(_AT, 5, 10, 20))),
    "half outside the band": Scene(lines=_on_source(gauss(_AT, 121, 9, 25))),
    "absorption": Scene(lines=_on_source(gauss(_AT, 60, 4, -20))),
    "absorption in emission": Scene(
        lines=_on_source(gauss(_AT, 60, 12, 40) - gauss(_AT, 62, 2, 60))
    ),
    "p cygni": Scene(lines=_on_source(gauss(_AT, 66, 4, 20) - gauss(_AT, 54, 4, 20))),
    "many": Scene(
        lines=_on_source(*(gauss(_AT, n, 1.5, 25) for n in (12, 26, 38, 51, 64, 77, 90, 104)))
    ),
    "forest": Scene(
        channels=480,
        lines=_on_source(*(gauss(_LONG, n, 3, 30 + n % 40) for n in range(9, 480, 31))),
    ),
    "bright and faint": Scene(lines=_on_source(gauss(_AT, 40, 3, 500), gauss(_AT, 90, 3, 8))),
    "wings of ozone": Scene(lines=_on_source(lorentz(_AT, 60, 3, 60))),
    "disc that turns": Scene(lines=_rotating(_AT, 60, 16, 2.5, 12)),
    "two horns": Scene(
        lines=_on_source(gauss(_AT, 44, 3, 25) + gauss(_AT, 76, 3, 25) + gauss(_AT, 60, 12, 8))
    ),
    "extended": Scene(lines=((gauss(_AT, 50, 5, 8), (0.0, 0.0, 5.0)),)),
    "away from the continuum": Scene(lines=((gauss(_AT, 70, 3, 12), (14.0, -11.0, 1.0)),)),
    "no continuum": Scene(continuum=0, lines=_on_source(gauss(_AT, 60, 3, 12))),
    "bright continuum": Scene(continuum=2000, slope=0.04, lines=_on_source(gauss(_AT, 60, 5, 80))),
    "smoothed online": Scene(
        hanning=True, lines=_on_source(gauss(_AT, 45, 4, 10), gauss(_AT, 90, 9, 12))
    ),
    "few channels": Scene(channels=60, lines=_on_source(gauss(np.arange(60.0), 30, 4, 25))),
    "a thousand channels": Scene(
        channels=960,
        lines=_on_source(gauss(np.arange(960.0), 300, 20, 10), gauss(np.arange(960.0), 700, 4, 15)),
    ),
}
"""Line scenes by name."""

PURE = {
    "none": Scene(),
    "no source": Scene(continuum=0),
    "slope": Scene(slope=0.08),
    "ripples": Scene(continuum=300, ripple=0.003),
    "noise of ozone": Scene(noise=1 + lorentz(_AT, 30, 8, 1.5)),
    "noise at the edge": Scene(noise=1 + lorentz(_AT, 0, 15, 0.8)),
    "smoothed online": Scene(hanning=True),
    "few channels": Scene(channels=25),
    "a thousand channels": Scene(channels=960),
}
"""Scenes without a line."""


def _blob(x: float, y: float, width: float) -> Any:
    rows, columns = np.mgrid[:SIDE, :SIDE] - SIDE / 2.0
    return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * (SIGMA * width) ** 2))


@dataclass(frozen=True, kw_only=True)
class Forest:
    """What a random forest of bright lines is drawn from.  ``cover``: share of the band above 3 sigma."""

    channels: int
    peak: float
    cover: float
    absorbed: float = 0.0
    """Share of the lines that are absorption."""
    extended: bool = False
    continuum: float = 40.0

    def scene(self, seed: int) -> Scene:
        """Draw lines, a tenth of the peak to all of it, until they cover their share of the band."""
        random = np.random.default_rng(seed)
        at = np.arange(float(self.channels))
        lines: list[tuple[Array, tuple[float, float, float]]] = []
        highest = np.zeros(self.channels)
        while (highest > 3).mean() < self.cover:
            peak = self.peak * 10 ** random.uniform(-1, 0)
            peak *= -1 if random.random() < self.absorbed else 1
            width = self.channels**0.5 / 5 * random.uniform(0.6, 1.6)
            spectrum = gauss(at, random.uniform(0, self.channels - 1), width, peak)
            x, y = random.uniform(-8, 8, size=2)
            wide = (0.0, 0.0, 3.0) if random.random() < 0.5 else (x, y, 1.0)
            lines.append((spectrum, wide if self.extended else CENTRE))
            highest = np.maximum(highest, np.abs(spectrum))
        return Scene(channels=self.channels, continuum=self.continuum, lines=tuple(lines))


FORESTS = {
    "bright": Forest(channels=120, peak=300, cover=0.55),
    "very bright": Forest(channels=120, peak=2000, cover=0.55),
    "crowded": Forest(channels=480, peak=300, cover=0.65),
    "absorbed": Forest(channels=480, peak=300, cover=0.55, absorbed=0.2),
    "extended": Forest(channels=480, peak=2000, cover=0.55, extended=True),
    "bright continuum": Forest(channels=480, peak=2000, cover=0.5, continuum=400.0),
    "a thousand channels": Forest(channels=960, peak=2000, cover=0.65),
}
"""Forests of bright lines by name."""
