"""Pieces of the weblog's pages: HTML as text, a spectrum as SVG.  Nothing is loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

Cell = str
"""HTML; text must be escaped before."""

STYLE = Path(__file__).with_name("weblog.css")
PAGES: Mapping[str, str] = {
    "index.html": "overview",
    "steps.html": "steps",
    "images.html": "images",
    "calls.html": "calls",
}


def page(file: str, title: str, body: Iterable[str]) -> str:
    """Return a whole page with the way to the others."""
    links = "\n".join(
        f'<a class="here">{name}</a>' if other == file else f'<a href="{other}">{name}</a>'
        for other, name in PAGES.items()
    )
    inner = "\n".join(part for part in body if part)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}: {PAGES[file]}</title>
<link rel="stylesheet" href="style.css">
</head>
<body>
<nav>{links}</nav>
{inner}
</body>
</html>
"""


def facts(pairs: Mapping[str, Any]) -> str:
    """Return a table of two columns; what is None or empty is left out."""
    rows = "\n".join(
        f"<tr><th>{escape(key)}</th><td>{escape(value_text(value))}</td></tr>"
        for key, value in pairs.items()
        if value not in (None, "", [], {})
    )
    return f'<div class="scroll"><table class="facts">\n{rows}\n</table></div>' if rows else ""


def table(head: Sequence[str], rows: Iterable[Sequence[Cell]], *, right: Sequence[int] = ()) -> str:
    """Return a table; cells are HTML.  ``right``: columns of numbers."""

    def sided(tag: str, number: int, text: str) -> str:
        side = ' class="right"' if number in right else ""
        return f"<{tag}{side}>{text}</{tag}>"

    body = "\n".join(
        f"<tr>{''.join(sided('td', n, cell) for n, cell in enumerate(row))}</tr>" for row in rows
    )
    if not body:
        return ""
    top = "".join(sided("th", n, escape(word)) for n, word in enumerate(head))
    return (
        f'<div class="scroll"><table>\n<thead><tr>{top}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def folded(title: str, inner: str) -> str:
    """Return something that opens at a click; nothing for nothing."""
    return f"<details><summary>{escape(title)}</summary>{inner}</details>" if inner else ""


def bullets(lines: Iterable[str]) -> str:
    """Return a list of texts."""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else ""


def value_text(value: Any) -> str:  # noqa: ANN401 -- a parameter of CASA's
    """Return a parameter as people read it: numbers short, lists without brackets."""
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(value_text(one) for one in value)
    if isinstance(value, dict):
        return "; ".join(f"{key}: {value_text(one)}" for key, one in value.items())
    return str(value)


def milli(value: object, digits: int = 3) -> str:
    """Return Jy as mJy, or nothing."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return ""
    return f"{value * 1e3:.{digits}g}"


def beam(major: float | None, minor: float | None) -> str:
    """Return a beam's axes in arcsec, or nothing."""
    return f"{major:.3g}″ x {minor:.3g}″" if major and minor else ""


# --- a spectrum -------------------------------------------------------------------------------------

_WIDE, _HIGH, _LEFT, _BELOW, _TOP = 900.0, 170.0, 70.0, 26.0, 8.0
MOST_POINTS = 1200
"""More channels than this are drawn by the extremes of each bin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spectrum:
    """A mean spectrum and the ranges that were taken for continuum."""

    first_hz: float
    """Centre of the first channel."""
    channel_hz: float
    values: Sequence[float]
    """Jy/beam; may be empty."""
    n_channels: int
    ranges_hz: Sequence[Sequence[float]]

    @property
    def edges(self) -> tuple[float, float]:
        """Outer edges, ascending."""
        ends = (
            self.first_hz - self.channel_hz / 2,
            self.first_hz + (self.n_channels - 0.5) * self.channel_hz,
        )
        return min(ends), max(ends)


def draw(spectrum: Spectrum) -> str:
    """Return a spectrum as SVG: the line, the continuum ranges behind it, the ends of both axes."""
    low, high = spectrum.edges
    across = (_WIDE - _LEFT) / ((high - low) or 1.0)
    bottom = _HIGH - _BELOW

    def x(hz: float) -> float:
        return _LEFT + (min(max(hz, low), high) - low) * across

    parts = [
        f'<rect class="range" x="{x(a):.1f}" y="{_TOP:g}" width="{max(x(b) - x(a), 1):.1f}" '
        f'height="{bottom - _TOP:g}"><title>{a / 1e9:.6f} to {b / 1e9:.6f} GHz</title></rect>'
        for a, b in spectrum.ranges_hz
    ]
    if len(spectrum.values):
        parts += _curve(spectrum, x, bottom)
    parts.append(
        f'<path class="axis" fill="none" d="M{_LEFT:g} {_TOP:g}V{bottom:g}H{_WIDE:g}"/>'
        f'<text x="{_LEFT:g}" y="{_HIGH - 8:g}">{low / 1e9:.4f}</text>'
        f'<text x="{(_LEFT + _WIDE) / 2:g}" y="{_HIGH - 8:g}" text-anchor="middle">GHz (LSRK)</text>'
        f'<text x="{_WIDE:g}" y="{_HIGH - 8:g}" text-anchor="end">{high / 1e9:.4f}</text>'
    )
    return f'<svg viewBox="0 0 {_WIDE:g} {_HIGH:g}" role="img">{"".join(parts)}</svg>'


def _curve(spectrum: Spectrum, x: Any, bottom: float) -> list[str]:  # noqa: ANN401 -- a local scale
    points = _thinned(spectrum.values)
    least, most = min(v for _, v in points), max(v for _, v in points)
    up = (bottom - _TOP - 8) / ((most - least) or 1.0)
    path = " ".join(
        f"{x(spectrum.first_hz + n * spectrum.channel_hz):.1f},{bottom - 4 - (v - least) * up:.1f}"
        for n, v in points
    )
    marks = "".join(
        f'<text x="{_LEFT - 6:g}" y="{y:g}" text-anchor="end">{value * 1e3:.3g}</text>'
        for value, y in ((most, _TOP + 10), (least, bottom))
    )
    label = f'<text x="2" y="{(bottom + _TOP) / 2:g}">mJy/bm</text>'
    return [f'<polyline class="line" points="{path}"/>', marks, label]


def _thinned(values: Sequence[float]) -> list[tuple[int, float]]:
    """Return channels to draw: all, or of each bin the least and the most."""
    step = -(-2 * len(values) // MOST_POINTS)
    if step <= 2:  # noqa: PLR2004 -- two a bin are all
        return list(enumerate(values))
    kept: list[tuple[int, float]] = []
    for start in range(0, len(values), step):
        part = list(enumerate(values[start : start + step], start))
        ends = {min(part, key=lambda one: one[1]), max(part, key=lambda one: one[1])}
        kept += sorted(ends)
    return kept
