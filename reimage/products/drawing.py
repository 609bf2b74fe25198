"""Pieces of a picture of the sky: axes, stretch, beam, scale bar, colour bar; the file.

Figures are objects of their own (no pyplot).  Colours are safe for the colour-blind; sizes are
chosen so that a picture shrunk to 400 pixels can still be read.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.visualization.wcsaxes import WCSAxes
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import AsinhNorm, Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Ellipse

from reimage import document
from reimage.products.fits_image import FitsImage, Pixels, Plane

DPI = 100
BLANK = "#d5d5d8"
"""Where there are no data."""
INK = "#202428"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The part of an image that is shown: the box round its finite pixels, in pixels."""

    x: slice
    y: slice

    def cut(self, plane: Plane) -> Plane:
        """Return that part of a plane."""
        return plane[self.y, self.x]


def window(finite: Pixels) -> Window:
    """Return the box round the finite pixels with a small margin; all where there are none."""
    rows, columns = np.flatnonzero(finite.any(axis=1)), np.flatnonzero(finite.any(axis=0))
    if rows.size == 0:
        return Window(x=slice(0, finite.shape[1]), y=slice(0, finite.shape[0]))

    def padded(found: np.ndarray[Any, Any], size: int) -> slice:
        margin = 2 + (found[-1] - found[0]) // 40
        return slice(max(0, int(found[0] - margin)), min(size, int(found[-1] + margin + 1)))

    return Window(x=padded(columns, finite.shape[1]), y=padded(rows, finite.shape[0]))


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure, in inches at `DPI`."""
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a PNG whole or not at all; equal figures give equal bytes."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=DPI, metadata={"Software": None})
    document.write_bytes(path, stream.getvalue())


def style() -> Any:  # noqa: ANN401 -- matplotlib's context manager
    """Return a context in which our style holds."""
    return rc_context(
        {
            "font.family": "DejaVu Sans",
            "font.size": 13,
            "axes.titlesize": 14,
            "axes.labelsize": 13,
            "axes.edgecolor": INK,
            "text.color": INK,
            "contour.negative_linestyle": "dashed",
        }
    )


def sky_axes(
    figure: Figure, box: tuple[float, float, float, float], image: FitsImage, part: Window
) -> WCSAxes:
    """Add axes in right ascension and declination at a box (left, bottom, width, height)."""
    axes = WCSAxes(figure, box, wcs=image.wcs[part.y, part.x])
    figure.add_axes(axes)
    axes.set_facecolor(BLANK)
    longitude, latitude = axes.coords
    names = ("RA", "Dec") if image.wcs.wcs.lngtyp.startswith("RA") else ("longitude", "latitude")
    frame = str(image.header.get("RADESYS", "")).strip()
    longitude.set_axislabel(f"{names[0]} ({frame})" if frame else names[0], minpad=0.6)
    latitude.set_axislabel(names[1], minpad=-0.4)
    for axis in (longitude, latitude):
        axis.set_ticks(number=4)
        axis.set_ticklabel(exclude_overlapping=True, size=11)
        axis.display_minor_ticks(display_minor_ticks=True)
    return axes


def stretch(lowest: float, highest: float, rms: float) -> Normalize:
    """Return a stretch that is linear within the noise and logarithmic above, as needed."""
    if not highest > lowest:
        highest = lowest + 1.0
    if rms > 0 and highest > 20 * rms:
        return AsinhNorm(linear_width=4 * rms, vmin=lowest, vmax=highest)
    return Normalize(vmin=lowest, vmax=highest)


def show(axes: WCSAxes, plane: Plane, norm: Normalize, colours: Colormap | str) -> AxesImage:
    """Draw a plane; NaN keeps the colour of no data."""
    shown: AxesImage = axes.imshow(
        np.ma.masked_invalid(plane), origin="lower", norm=norm, cmap=colours, interpolation="none"
    )
    return shown


def colour_bar(
    figure: Figure,
    box: tuple[float, float, float, float],
    shown: AxesImage,
    label: str,
    *,
    ticks: tuple[float, ...] = (),
) -> None:
    """Add a colour bar with its unit; ``ticks`` only where the usual ones mislead."""
    axes = figure.add_axes(box)
    bar = figure.colorbar(shown, cax=axes)
    bar.set_label(label)
    bar.outline.set_edgecolor(INK)
    axes.tick_params(labelsize=11)
    chosen = _asinh_ticks(shown.norm) if isinstance(shown.norm, AsinhNorm) else list(ticks)
    if chosen:
        bar.set_ticks(chosen, labels=[f"{tick:g}" for tick in chosen])
        bar.minorticks_off()


def _asinh_ticks(norm: AsinhNorm) -> list[float]:
    """Return 0 and round numbers at both sides, far enough apart on the stretch to be read."""
    low, high = float(norm.vmin or 0.0), float(norm.vmax or 1.0)
    steps = [m * 10.0**e for e in range(-8, 9) for m in (1, 2, 5)]
    ticks = [0.0] if low <= 0 <= high else []
    for value in [step for step in steps if step <= high] + [
        -step for step in steps if -step >= low
    ]:
        place = float(norm(value))
        if all(abs(place - float(norm(tick))) > 0.07 for tick in ticks):  # noqa: PLR2004 -- of the bar
            ticks.append(value)
    return sorted(ticks)


def mark_beam(axes: WCSAxes, image: FitsImage, part: Window) -> None:
    """Draw the beam's ellipse at the lower left; nothing where there is no beam."""
    beam = image.beam
    if beam is None:
        return
    scale = image.pixel_arcsec
    width, height = beam.minor_arcsec / scale, beam.major_arcsec / scale
    margin = 0.04 * (part.x.stop - part.x.start) + height / 2
    ellipse = Ellipse(
        (margin, margin),
        width,
        height,
        angle=beam.pa_deg,  # from north (up) to east (left): counter-clockwise, as matplotlib's
        facecolor="white",
        edgecolor=INK,
        linewidth=1.2,
        zorder=5,
    )
    axes.add_patch(ellipse)


def mark_scale(axes: WCSAxes, image: FitsImage, part: Window) -> None:
    """Draw a bar of a round number of arcseconds at the lower right."""
    n_x, n_y = part.x.stop - part.x.start, part.y.stop - part.y.start
    arcsec = _round_length(0.22 * n_x * image.pixel_arcsec)
    length = arcsec / image.pixel_arcsec
    right, y = 0.95 * n_x, 0.05 * n_y
    axes.plot([right - length, right], [y, y], color=INK, linewidth=5, solid_capstyle="butt")
    axes.plot([right - length, right], [y, y], color="white", linewidth=2.5, solid_capstyle="butt")
    label = f"{arcsec / 60:g}′" if arcsec >= 60 else f"{arcsec:g}″"  # noqa: PLR2004, RUF001
    axes.text(
        right - length / 2,
        y + 0.025 * n_y,
        label,
        ha="center",
        va="bottom",
        fontsize=12,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 1.5},
    )
    axes.set_xlim(-0.5, n_x - 0.5)
    axes.set_ylim(-0.5, n_y - 0.5)


def _round_length(arcsec: float) -> float:
    steps = [m * 10.0**e for e in range(-4, 6) for m in (1, 2, 5)]
    return max((step for step in steps if step <= arcsec), default=steps[0])


def prefixed(value: float, unit: str) -> tuple[float, str]:
    """Return the factor and the unit in which a value reads best: (1e3, "mJy/beam")."""
    if not unit.startswith("Jy") or not np.isfinite(value) or value == 0:
        return 1.0, unit
    for factor, prefix in ((1.0, ""), (1e3, "m"), (1e6, "µ")):
        if abs(value) * factor >= 0.5:  # noqa: PLR2004 -- 0.5 mJy rather than 500 µJy
            return factor, prefix + unit
    return 1e9, "n" + unit


def titles(figure: Figure, title: str, subtitle: str) -> None:
    """Write the title and, below, a smaller line; long ones are set smaller, never cut."""
    width = figure.get_figwidth() * 9.2  # characters of size 15 that fit
    figure.text(
        0.5, 0.965, title, ha="center", va="top", weight="bold",
        fontsize=15 * min(1.0, width / max(1, len(title))),
    )  # fmt: skip
    figure.text(
        0.5, 0.912, subtitle, ha="center", va="top",
        fontsize=12.5 * min(1.0, 1.25 * width / max(1, len(subtitle))),
    )  # fmt: skip


def contours(axes: WCSAxes, snr: Plane, multiples: tuple[int, ...]) -> None:
    """Draw contours of significance, negative ones dashed, none where noise is all there is."""
    highest, lowest = float(np.nanmax(snr)), float(np.nanmin(snr))
    first = 5 if highest >= 5 else multiples[0]  # noqa: PLR2004 -- 5 sigma: 3 would be all speckle
    levels = [level for level in multiples if first <= level < highest]
    if lowest < -2 * first:
        levels = [-2 * first, *levels]
    if levels and highest >= first:
        axes.contour(snr, levels=levels, colors="white", linewidths=0.7, alpha=0.75)


def number(value: float, digits: int) -> str:
    """Return a value with so many significant digits, without an exponent where it can be."""
    return f"{float(f'{value:.{digits}g}'):g}"
