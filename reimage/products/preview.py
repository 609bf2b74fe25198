"""One picture for each FITS: what an astronomer wants to see first.

Brightness: the map, stretched so that noise and peak both show, contours at multiples of the rms,
beam, scale, unit.  Cubes: the lines' moment 0 (the peak where there is no line) beside the
spectrum with the line segments marked.  Primary beams, masks and spectral indices each in a form
of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.visualization.wcsaxes import WCSAxes
from matplotlib import colormaps
from matplotlib.colors import AsinhNorm, BoundaryNorm, ListedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from scipy import ndimage

from reimage.products import drawing
from reimage.products.caption import Caption, caption
from reimage.products.cube import CubeAnalysis, analyse
from reimage.products.cube_picture import draw_cube
from reimage.products.fits_image import FitsBlank, FitsImage, Pixels, Plane
from reimage.products.noise import FlatImage, measure_noise

CONTOURS = (3, 6, 12, 24, 48, 96, 192, 384, 768)
"""Multiples of the rms of the flat image."""
ALPHA_ERROR = 0.5
"""A spectral index less certain than this is not shown."""
PAGE = (6.8, 5.9)
MAP = (0.165, 0.125, 0.64, 0.735)
BAR = (0.825, 0.125, 0.03, 0.735)


@dataclass(frozen=True, slots=True, kw_only=True)
class Companions:
    """Other images of the same field that a picture may use."""

    pb: FitsImage | None = None
    mask: FitsImage | None = None
    alpha_error: FitsImage | None = None


def write_preview(
    image: FitsImage,
    path: Path,
    *,
    companions: Companions | None = None,
    analysis: CubeAnalysis | None = None,
) -> None:
    """Write the PNG of an image.

    Parameters
    ----------
    image, path, companions
        ``companions`` are opened images of the same field; the picture is poorer without.
    analysis
        Of a cube, when it was made already.

    Raises
    ------
    FitsBlank
        There is nothing to show.
    """
    companions = companions or Companions()
    words = caption(image)
    with drawing.style():
        if image.is_cube and words.kind not in ("pb", "pb.tt0", "mask"):
            flat = FlatImage(image=image, pb=companions.pb)
            figure = draw_cube(analysis or analyse(flat), words)
        else:
            figure = drawing.new_figure(*PAGE)
            _KINDS.get(words.kind, _brightness)(figure, image, words, companions)
        drawing.save(figure, path)


def _map(
    figure: Figure,
    image: FitsImage,
    plane: Plane,
    words: Caption,
    subtitle: str,
    *,
    shown: Pixels | None = None,
) -> tuple[WCSAxes, drawing.Window]:
    """Add axes with titles for a plane, which must have a finite pixel, round what is ``shown``."""
    finite = np.isfinite(plane)
    if not finite.any():
        raise FitsBlank(
            f"{image.path.name} holds nothing to show", evidence={"file": image.path.name}
        )
    part = drawing.window(finite if shown is None else shown)
    axes = drawing.sky_axes(figure, MAP, image, part)
    drawing.titles(figure, words.title, subtitle)
    return axes, part


def _brightness(figure: Figure, image: FitsImage, words: Caption, companions: Companions) -> None:
    plane = image.plane()
    flat = FlatImage(image=image, pb=companions.pb)
    level = flat.plane()
    rms = measure_noise(flat, companions.mask).rms
    peak = _peak(plane, level)
    factor, unit = drawing.prefixed(peak, image.unit)
    small, small_unit = drawing.prefixed(rms * 2, image.unit)
    beam = image.beam
    size = f"  ·  beam {beam.major_arcsec:.3g}″ x {beam.minor_arcsec:.3g}″" if beam else ""
    axes, part = _map(
        figure,
        image,
        plane,
        words,
        f"peak {drawing.number(peak * factor, 3)} {unit}  ·  "
        f"rms {drawing.number(rms * small, 2)} {small_unit}{size}",
    )
    highest = max(peak, 5 * rms) * factor
    norm = drawing.stretch(-3 * rms * factor, highest, rms * factor)
    shown = drawing.show(axes, part.cut(plane) * np.float32(factor), norm, "inferno")
    drawing.colour_bar(figure, BAR, shown, f"{words.kind}  [{unit}]" if unit else words.kind)
    if rms > 0:
        drawing.contours(axes, part.cut(level) / rms, CONTOURS)
    drawing.mark_beam(axes, image, part)
    drawing.mark_scale(axes, image, part)


def _peak(plane: Plane, level: Plane) -> float:
    """Return the pbcor value at the peak of the flat image: the field's edge is only noise."""
    usable = np.where(np.isfinite(plane), level, np.nan)
    if np.isnan(usable).all():
        return float(np.nanmax(plane, initial=0.0))
    return float(plane[np.unravel_index(int(np.nanargmax(usable)), usable.shape)])


def _signed(figure: Figure, image: FitsImage, words: Caption, companions: Companions) -> None:
    """Draw the second Taylor term: as much negative as positive."""
    plane = image.plane()
    level = FlatImage(image=image, pb=companions.pb).plane()
    rms = measure_noise(FlatImage(image=image, pb=companions.pb), companions.mask).rms
    strongest = max(abs(_peak(plane, np.abs(level))), 5 * rms) if rms > 0 else 1.0
    factor, unit = drawing.prefixed(strongest, image.unit)
    axes, part = _map(
        figure,
        image,
        plane,
        words,
        f"second Taylor term  ·  flat rms {drawing.number(rms * factor, 2)} {unit}",
    )
    limit = strongest * factor
    norm = AsinhNorm(linear_width=3 * rms * factor or 1.0, vmin=-limit, vmax=limit)
    shown = drawing.show(axes, part.cut(plane) * np.float32(factor), norm, "RdBu_r")
    drawing.colour_bar(figure, BAR, shown, f"{words.kind}  [{unit}]")
    drawing.mark_beam(axes, image, part)
    drawing.mark_scale(axes, image, part)


def _response(figure: Figure, image: FitsImage, words: Caption, _: Companions) -> None:
    middle = image.n_channels // 2
    plane = image.plane(middle)
    where = f"channel {middle} of {image.n_channels}" if image.is_cube else "one plane"
    axes, part = _map(figure, image, plane, words, f"primary beam response  ·  {where}")
    shown = drawing.show(axes, part.cut(plane), Normalize(0.0, 1.0), "cividis")
    drawing.colour_bar(figure, BAR, shown, "response")
    levels = [
        level for level in (0.2, 0.3, 0.5, 0.8) if np.nanmin(plane) < level < np.nanmax(plane)
    ]
    if levels:
        lines = axes.contour(np.nan_to_num(part.cut(plane)), levels=levels, colors="white")
        axes.clabel(lines, fmt="%g", fontsize=11)
    drawing.mark_scale(axes, image, part)


def _mask(figure: Figure, image: FitsImage, words: Caption, _: Companions) -> None:
    """Draw where a mask is set; of a cube, in how many channels."""
    count = np.zeros(image.shape, dtype=np.float32)
    for plane in image.planes():
        count += np.nan_to_num(plane) > 0.5  # noqa: PLR2004 -- a mask is 0 or 1
    n_pixels = int((count > 0).sum())
    share = 100 * n_pixels / count.size
    said = f"clean mask: {n_pixels} pixels ({share:.2g} %)" if n_pixels else "clean mask: empty"
    axes, part = _map(figure, image, count, words, said)
    ticks: tuple[float, ...] = ()
    if image.is_cube and n_pixels:
        colours = colormaps["viridis"].with_extremes(under="#f2f2f2")
        norm = Normalize(0.5, max(1.5, float(count.max())))
        label = "channels masked"
    else:
        colours = ListedColormap(["#f2f2f2", "#1f6fb4"])
        norm = BoundaryNorm([-0.5, 0.5, 1.5], 2)
        label, ticks = "0: free   1: masked", (0.0, 1.0)
    shown = drawing.show(axes, part.cut(count), norm, colours)
    drawing.colour_bar(figure, BAR, shown, label, ticks=ticks)
    drawing.mark_scale(axes, image, part)


def _alpha(figure: Figure, image: FitsImage, words: Caption, companions: Companions) -> None:
    """Draw the spectral index where it is known well enough, which is a small part of the field."""
    plane = image.plane()
    certain = _certain(image, plane, companions.alpha_error)
    said = f"spectral index, where its error is below {ALPHA_ERROR:g}"
    if not certain.any():
        certain = np.isfinite(plane)
        said = f"spectral index: nowhere is its error below {ALPHA_ERROR:g}"
    beam = image.beam
    margin = round(3 * beam.major_arcsec / image.pixel_arcsec) if beam else 10
    axes, part = _map(
        figure, image, plane, words, said, shown=ndimage.binary_dilation(certain, iterations=margin)
    )
    values = plane[certain] if certain.any() else plane
    low, high = (float(value) for value in np.percentile(values, [2, 98]))
    norm = Normalize(min(low, high - 0.5), max(high, low + 0.5))
    shown = drawing.show(axes, part.cut(np.where(certain, plane, np.nan)), norm, "viridis")
    drawing.colour_bar(figure, BAR, shown, "spectral index")
    drawing.mark_beam(axes, image, part)
    drawing.mark_scale(axes, image, part)


def _certain(image: FitsImage, plane: Plane, error: FitsImage | None) -> Pixels:
    """Return the pixels with a small error, in patches of at least half a beam."""
    certain = np.isfinite(plane)
    if error is None or error.shape != image.shape:
        return certain
    certain &= error.plane() < ALPHA_ERROR
    labels, n_patches = ndimage.label(certain)
    if n_patches == 0:
        return certain
    sizes = ndimage.sum_labels(certain, labels, np.arange(n_patches + 1))
    enough = sizes >= (image.pixels_per_beam or 1.0) / 2
    enough[0] = False
    return np.asarray(enough[labels])


def _alpha_error(figure: Figure, image: FitsImage, words: Caption, _: Companions) -> None:
    plane = np.abs(image.plane())
    axes, part = _map(figure, image, plane, words, "error of the spectral index; pale above 1")
    positive = np.where(plane > 0, plane, np.nan)
    colours = colormaps["viridis_r"].with_extremes(over="#e6e2ee")
    shown = drawing.show(axes, part.cut(positive), LogNorm(0.01, 1.0), colours)
    drawing.colour_bar(figure, BAR, shown, "error of the spectral index")
    drawing.mark_beam(axes, image, part)
    drawing.mark_scale(axes, image, part)


_KINDS: dict[str, Callable[[Figure, FitsImage, Caption, Companions], None]] = {
    "tt1.pbcor": _signed,
    "pb": _response,
    "pb.tt0": _response,
    "mask": _mask,
    "alpha": _alpha,
    "alpha.error": _alpha_error,
}
