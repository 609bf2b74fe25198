"""Where on the sky an image has data: polygons round its finite pixels, holes kept.

The outline is the half-way contour of the finite pixels, simplified; where that would change the
area by more than 1 % (ragged masks), the contour as it is, and at last the very edges of the
pixels.  Strings are written as the ALMA archive writes its ``s_region``: ``Not (...)`` after the polygon
it cuts, and no frame inside a ``Union``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import shapely
from astropy.wcs import WCS
from contourpy import FillType, contour_generator
from scipy import ndimage

from reimage import SCHEMA_VERSION, document
from reimage.products.fits_image import FitsBlank, FitsImage, Pixels

Ring: TypeAlias = tuple[tuple[float, float], ...]
"""Right ascension and declination in degrees, ICRS, counter-clockwise seen from inside the
sphere (north up, east left), not closed."""

TOLERANCE = 0.7
"""Pixels by which the simplified outline may leave the contour."""
AREA_ERROR = 0.01
"""Share by which the polygons' area may differ from that of the pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One connected part, with its holes."""

    outer: Ring
    holes: tuple[Ring, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """The footprint of an image, as its JSON file has it."""

    file: str
    of: str
    """The file whose pixels were taken: for a pb or a mask, its pbcor image."""
    frame: str
    stcs: str
    regions: tuple[Region, ...]
    n_vertices: int
    area_arcsec2: float
    """Of the polygons."""
    n_pixels: int
    pixel_arcsec: float
    centre_ra_deg: float
    centre_dec_deg: float
    schema: int = SCHEMA_VERSION


def footprint(image: FitsImage, pixels_of: FitsImage | None = None) -> Footprint:
    """Return the footprint of an image's finite pixels, or of those of ``pixels_of``.

    Another image that is of another size, or blank, is not taken.

    Raises
    ------
    FitsBlank
        No pixel is finite.
    """
    source = pixels_of if pixels_of is not None and pixels_of.shape == image.shape else image
    finite = source.finite()
    if not finite.any():
        source, finite = image, image.finite()
    if not finite.any():
        raise FitsBlank(
            f"{source.path.name} has no finite pixel", evidence={"file": image.path.name}
        )
    shape = outline(finite)
    regions = tuple(_region(polygon, source.wcs) for polygon in shape.geoms)
    rows, columns = np.nonzero(finite)
    ((ra, dec),) = _sky(source.wcs, np.array([[columns.mean(), rows.mean()]]))
    return Footprint(
        file=image.path.name,
        of=source.path.name,
        frame="ICRS",
        stcs=stcs(regions),
        regions=regions,
        n_vertices=sum(len(r.outer) + sum(map(len, r.holes)) for r in regions),
        area_arcsec2=float(shape.area) * source.pixel_arcsec**2,
        n_pixels=int(finite.sum()),
        pixel_arcsec=source.pixel_arcsec,
        centre_ra_deg=ra,
        centre_dec_deg=dec,
    )


def write_footprint(image: FitsImage, path: Path, pixels_of: FitsImage | None = None) -> Footprint:
    """Write the footprint's JSON file and return what is in it."""
    made = footprint(image, pixels_of)
    document.write(path, made)
    return made


def outline(finite: Pixels) -> shapely.MultiPolygon:
    """Return polygons round the set pixels, in pixel coordinates, centres at whole numbers."""
    wanted = float(finite.sum())
    contour = _contour(finite)
    for candidate in (_multi(shapely.simplify(contour, TOLERANCE)), contour):
        sound = candidate.is_valid and not candidate.is_empty
        if sound and abs(candidate.area - wanted) <= AREA_ERROR * wanted:
            return candidate
    return _edges(finite)


def _contour(finite: Pixels) -> shapely.MultiPolygon:
    padded = np.pad(finite, 1).astype(float)
    generator = contour_generator(z=padded, fill_type=FillType.OuterOffset)
    polygons = []
    for points, offsets in zip(*generator.filled(0.5, 2.0), strict=True):
        if points is None or offsets is None:
            continue
        rings = [points[a:b] - 1.0 for a, b in pairwise(offsets)]
        polygons.append(shapely.Polygon(rings[0], rings[1:]))
    return shapely.MultiPolygon(polygons)


def _edges(finite: Pixels) -> shapely.MultiPolygon:
    """Return the union of the pixels themselves, run by run along the rows."""
    boxes = []
    for y in np.flatnonzero(finite.any(axis=1)):
        labels, _ = ndimage.label(finite[y])
        for (run,) in ndimage.find_objects(labels):
            boxes.append(shapely.box(run.start - 0.5, y - 0.5, run.stop - 0.5, y + 0.5))
    return _multi(shapely.union_all(boxes))


def _multi(shape: shapely.Geometry) -> shapely.MultiPolygon:
    """Return the polygons of a geometry, the largest first."""
    parts = np.atleast_1d(shapely.get_parts(shape))
    parts = parts[shapely.area(parts) > 0]
    return shapely.MultiPolygon(list(parts[np.argsort(-shapely.area(parts))]))


def _region(polygon: shapely.Polygon, wcs: WCS) -> Region:
    # Columns that run west show the sky as it is seen, east to the left.
    as_seen = float(np.linalg.det(wcs.pixel_scale_matrix)) < 0
    ordered = shapely.geometry.polygon.orient(polygon, 1.0 if as_seen else -1.0)
    return Region(
        outer=_sky(wcs, shapely.get_coordinates(ordered.exterior)[:-1]),
        holes=tuple(_sky(wcs, shapely.get_coordinates(hole)[:-1]) for hole in ordered.interiors),
    )


def _sky(wcs: WCS, points: npt.NDArray[np.float64]) -> Ring:
    sky = wcs.pixel_to_world(points[:, 0], points[:, 1]).icrs
    return tuple(
        (round(float(ra), 9), round(float(dec), 9))
        for ra, dec in zip(sky.ra.deg, sky.dec.deg, strict=True)
    )


def stcs(regions: tuple[Region, ...]) -> str:
    """Return regions as ALMA writes them.

    ``Polygon ICRS r d ...``, ``Polygon ICRS r d ... Not (Polygon r d ...)``, or
    ``Union ICRS ( Polygon r d ... Not (Polygon r d ...) Polygon ... )``.
    """
    if len(regions) == 1:
        return _cut(regions[0], "Polygon ICRS")
    return f"Union ICRS ( {' '.join(_cut(region, 'Polygon') for region in regions)} )"


def _cut(region: Region, word: str) -> str:
    holes = (f"Not (Polygon {_numbers(hole)})" for hole in region.holes)
    return " ".join([f"{word} {_numbers(region.outer)}", *holes])


def _numbers(ring: Ring) -> str:
    return " ".join(f"{ra:.7f} {dec:.7f}" for ra, dec in ring)
