"""The picture of a cube: a map beside the spectrum, with the line segments marked."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reimage.products import drawing
from reimage.products.caption import Caption
from reimage.products.cube import CubeAnalysis
from reimage.products.fits_image import FitsBlank, Floats, Plane
from reimage.products.noise import robust_sigma

PAGE = (10.4, 5.2)
MAP = (0.1, 0.14, 0.35, 0.69)
BAR = (0.457, 0.14, 0.015, 0.69)
SPECTRUM = (0.635, 0.14, 0.35, 0.69)
EMISSION, ABSORPTION = "#e69f00", "#56b4e9"
"""Orange and sky blue of Okabe and Ito, safe for the colour-blind."""


def draw_cube(analysis: CubeAnalysis, words: Caption) -> Figure:
    """Return the figure of a cube.

    Raises
    ------
    FitsBlank
        No channel holds a finite pixel.
    """
    image = analysis.flat.image
    plane, level, (name, bare_unit) = _map_of(analysis)
    finite = np.isfinite(plane)
    if not finite.any():
        raise FitsBlank(
            f"{image.path.name} holds nothing to show", evidence={"file": image.path.name}
        )
    figure = drawing.new_figure(*PAGE)
    part = drawing.window(finite)
    axes = drawing.sky_axes(figure, MAP, image, part)
    rms = robust_sigma(level)
    peak = float(plane[np.unravel_index(int(np.nanargmax(np.abs(level))), level.shape)])
    factor, unit = drawing.prefixed(peak, bare_unit)
    ends = sorted((0.0, peak * factor))
    noise = 3 * rms * factor
    norm = drawing.stretch(min(ends[0], -noise), max(ends[1], noise), rms * factor)
    if not analysis.lines:
        values = plane[finite] * factor
        norm = drawing.stretch(float(np.percentile(values, 1)), float(values.max()), 0.0)
    shown = drawing.show(axes, part.cut(plane) * np.float32(factor), norm, "inferno")
    drawing.colour_bar(figure, BAR, shown, f"{name}  [{unit}]")
    if analysis.lines and rms > 0:
        drawing.contours(axes, part.cut(level) / rms, (3, 6, 12, 24, 48, 96, 192))
    drawing.mark_beam(axes, image, part)
    drawing.mark_scale(axes, image, part)
    draw_spectrum(figure.add_axes(SPECTRUM), analysis, analysis.spectra.integrated, "Jy")
    drawing.titles(figure, words.title, _said(analysis))
    return figure


def _map_of(analysis: CubeAnalysis) -> tuple[Plane, Plane, tuple[str, str]]:
    """Return what is drawn, the same with flat noise, and its name and unit."""
    unit = analysis.flat.image.unit
    if not analysis.lines:
        peak = analysis.scan.peak
        return peak, peak, ("peak of the spectrum", unit)
    moment0 = np.nansum([line.moment0 for line in analysis.lines], axis=0, dtype=np.float32)
    seen = np.any([np.isfinite(line.moment0) for line in analysis.lines], axis=0)
    moment0 = np.where(seen, moment0, np.float32(np.nan))
    middle = analysis.segments[0].peak_channel
    response = analysis.flat.response(middle)
    level = moment0 if response is None else moment0 * response
    return moment0, level, ("moment 0 of the lines", f"{unit} km/s")


def _said(analysis: CubeAnalysis) -> str:
    image, noise = analysis.flat.image, float(np.nanmedian(analysis.scan.table.sigma))
    factor, unit = drawing.prefixed(noise, image.unit)
    found = len(analysis.segments)
    lines = "no line found" if not found else f"{found} line segment{'s' if found > 1 else ''}"
    parts = [
        f"{image.n_channels} channels",
        f"rms {drawing.number(noise * factor, 2)} {unit}",
        lines,
    ]
    if image.channel_hz:
        parts.insert(1, f"{abs(image.channel_hz) / 1e6:.3g} MHz each")
    if image.beam:
        parts.append(f"beam {image.beam.major_arcsec:.3g}″ x {image.beam.minor_arcsec:.3g}″")
    return "  ·  ".join(parts)


def draw_spectrum(axes: Axes, analysis: CubeAnalysis, values: Floats, unit: str) -> None:
    """Draw a spectrum against frequency (channel, when that is unknown) with its segments."""
    frequency, width = analysis.flat.image.frequency_hz, analysis.flat.image.channel_hz
    n_channels = analysis.flat.image.n_channels
    known = frequency is not None and width is not None
    x = frequency / 1e9 if frequency is not None and known else np.arange(n_channels, dtype=float)
    step = abs(width) / 1e9 if width is not None and known else 1.0
    for segment in analysis.segments:
        ends = sorted((x[segment.first_channel], x[segment.last_channel]))
        colour = EMISSION if segment.sign == "emission" else ABSORPTION
        axes.axvspan(ends[0] - step / 2, ends[1] + step / 2, color=colour, alpha=0.35, linewidth=0)
    strongest = float(np.nanmax(np.abs(values))) if np.isfinite(values).any() else 1.0
    factor, shown_unit = drawing.prefixed(strongest, unit)
    axes.axhline(0.0, color="0.6", linewidth=0.8)
    axes.step(x, values * factor, where="mid", color=drawing.INK, linewidth=1.4)
    axes.set_xlim(x.min() - step / 2, x.max() + step / 2)
    axes.set_xlabel("frequency (GHz)" if known else "channel")
    where = "the lines' sources" if analysis.spectra.aperture == "lines" else "the peak's beam"
    label = f"flux of {where}" if unit == "Jy" else "at the peak"
    axes.set_ylabel(f"{label}  [{shown_unit}]")
    axes.ticklabel_format(axis="x", useOffset=False)
    axes.locator_params(axis="x", nbins=5)
    axes.tick_params(labelsize=11)
    axes.margins(y=0.08)
