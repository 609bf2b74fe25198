"""The pictures of an ADMIT directory and the page that shows them."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter

from reimage.products import drawing
from reimage.products.caption import caption
from reimage.products.cube import CubeAnalysis, LineMap
from reimage.products.cube_picture import draw_cube, draw_spectrum
from reimage.products.fits_image import FitsImage
from reimage.products.noise import robust_sigma

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 16px/1.5 system-ui, sans-serif; color: #202428; max-width: 64rem; margin: 2rem auto;
 padding: 0 1rem }}
h1 {{ font-size: 1.4rem }} h2 {{ font-size: 1.1rem; margin-top: 2rem }}
table {{ border-collapse: collapse }} td, th {{ padding: .25rem .8rem; text-align: right;
 border-bottom: 1px solid #d5d5d8 }}
img {{ max-width: 100%; height: auto }} .maps {{ display: flex; flex-wrap: wrap; gap: 1rem }}
.maps figure {{ margin: 0; flex: 1 1 24rem; max-width: 30rem }}
</style></head><body>
"""


def write_pages(analysis: CubeAnalysis, summary: Mapping[str, Any], part: Path) -> None:
    """Write the PNGs and ``index.html`` into an ADMIT directory that is being made."""
    words = caption(analysis.flat.image)
    with drawing.style():
        drawing.save(draw_cube(analysis, words), part / "overview.png")
        _channel_picture(analysis, part / "channels.png")
        for number, line in enumerate(analysis.lines, start=1):
            _line_picture(analysis, line, part / f"line{number}.moment0.png")
    page = _page(words.title, analysis.flat.image, summary)
    (part / "index.html").write_text(page, encoding="utf-8")


def _channel_picture(analysis: CubeAnalysis, path: Path) -> None:
    """Draw the spectrum at the peak, and the extremes of each channel in sigma."""
    figure = drawing.new_figure(9.0, 6.4)
    upper, lower = (
        figure.add_axes((0.11, 0.58, 0.86, 0.38)),
        figure.add_axes((0.11, 0.1, 0.86, 0.36)),
    )
    draw_spectrum(upper, analysis, analysis.spectra.at_peak, analysis.flat.image.unit)
    table = analysis.scan.table
    channel = np.arange(table.sigma.size)
    for values, name, colour in (
        (table.maximum, "highest pixel", "#d55e00"),
        (-table.minimum, "lowest pixel, negated", "#0072b2"),
    ):
        lower.step(
            channel, values / table.noise, where="mid", color=colour, label=name, linewidth=1.2
        )
    lower.set_yscale("log")
    lower.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    lower.yaxis.set_major_formatter("{x:g}")
    lower.yaxis.set_minor_formatter(NullFormatter())
    lower.set_xlim(-0.5, channel[-1] + 0.5)
    lower.set_xlabel("channel")
    lower.set_ylabel("in sigma of the channel")
    lower.legend(frameon=False, fontsize=11)
    drawing.save(figure, path)


def _line_picture(analysis: CubeAnalysis, line: LineMap, path: Path) -> None:
    image = analysis.flat.image
    figure = drawing.new_figure(6.8, 5.9)
    finite = np.isfinite(line.moment0)
    part = drawing.window(finite)
    axes = drawing.sky_axes(figure, (0.165, 0.125, 0.64, 0.735), image, part)
    response = analysis.flat.response(line.segment.peak_channel)
    level = line.moment0 if response is None else line.moment0 * response
    rms = robust_sigma(level)
    at = np.unravel_index(int(np.nanargmax(np.abs(level))), level.shape)
    factor, unit = drawing.prefixed(float(line.moment0[at]), f"{image.unit} km/s")
    ends = sorted((-3 * rms * factor, float(line.moment0[at]) * factor))
    norm = drawing.stretch(min(ends[0], -3 * rms * factor), max(ends[1], 3 * rms * factor), 0.0)
    shown = drawing.show(axes, part.cut(line.moment0) * np.float32(factor), norm, "inferno")
    drawing.colour_bar(figure, (0.825, 0.125, 0.03, 0.735), shown, f"moment 0  [{unit}]")
    if rms > 0:
        sign = 1 if line.segment.sign == "emission" else -1
        drawing.contours(axes, sign * part.cut(level) / rms, (3, 6, 12, 24, 48, 96, 192))
    drawing.mark_beam(axes, image, part)
    drawing.mark_scale(axes, image, part)
    drawing.titles(figure, caption(image).title, _said(line))
    drawing.save(figure, path)


def _said(line: LineMap) -> str:
    segment = line.segment
    said = f"{segment.sign}, channels {segment.first_channel} to {segment.last_channel}"
    if line.flux_jy_km_s is not None:
        said += f"  ·  {drawing.number(line.flux_jy_km_s, 4)} Jy km/s"
    return said


def _page(title: str, image: FitsImage, summary: Mapping[str, Any]) -> str:
    segments = summary["segments"]
    found = f"{len(segments)} line segment{'' if len(segments) == 1 else 's'}"
    parts = [
        _HEAD.format(title=escape(title)),
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(image.path.name)}: {image.n_channels} channels, {found}.",
        "Channels count from 0 and are inclusive.",
        "No line is named here: names need the source's velocity.</p>",
    ]
    if summary["caveats"]:
        parts.append(f"<p>Caveats: {escape(', '.join(summary['caveats']))}</p>")
    parts.append('<img src="overview.png" alt="map of the lines beside the spectrum">')
    if segments:
        parts += ["<h2>Line segments</h2>", _table(segments), '<div class="maps">']
        parts += [
            f'<figure><img src="line{number}.moment0.png" alt="moment 0 of segment {number}"></figure>'
            for number in range(1, len(segments) + 1)
        ]
        parts.append("</div>")
    parts += [
        "<h2>Channels</h2>",
        '<img src="channels.png" alt="spectrum at the peak; extremes of each channel">',
        "<h2>Files</h2><p>",
        " · ".join(f'<a href="{name}">{name}</a>' for name in _files(len(segments))),
        "</p></body></html>\n",
    ]
    return "\n".join(parts)


def _table(segments: list[Mapping[str, Any]]) -> str:
    rows = ["<table><tr><th>#</th><th>channels</th><th>GHz</th><th></th><th>peak, sigma</th>"]
    rows[0] += "<th>Jy km/s</th></tr>"
    for number, item in enumerate(segments, start=1):
        ends = [item["first_hz"], item["last_hz"]]
        ghz = "" if None in ends else " to ".join(f"{hz / 1e9:.4f}" for hz in sorted(ends))
        flux = item["flux_jy_km_s"]
        rows.append(
            f"<tr><td>{number}</td><td>{item['first_channel']} to {item['last_channel']}</td>"
            f"<td>{ghz}</td><td>{item['sign']}</td><td>{item['peak_snr']:.1f}</td>"
            f"<td>{'' if flux is None else f'{flux:.4g}'}</td></tr>"
        )
    return "\n".join([*rows, "</table>"])


def _files(n_lines: int) -> list[str]:
    names = [
        "admit.json",
        "channels.ecsv",
        "spectrum.ecsv",
        "segments.ecsv",
        "peak.fits",
        "cubesum.fits",
    ]
    for number in range(1, n_lines + 1):
        names += [f"line{number}.moment0.fits", f"line{number}.moment0.clipped.fits"]
    return names
