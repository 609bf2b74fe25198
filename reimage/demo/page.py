"""The demonstration's page: what was simulated, what came of it, the previews to look at.

One static file with relative links; it needs no server and nothing from the network.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from reimage import document
from reimage.model import Product, ProductState

MAIN_KINDS = frozenset({"pbcor", "tt0.pbcor", "alpha"})
"""Kinds of products that are shown large; the others are folded away."""

STYLE = """
:root { color-scheme: light dark; --line: #8886; --dim: #777; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 78rem; margin: 2rem auto; padding: 0 1rem; }
h1 { line-height: 1.2; } h2 { margin: 2.5rem 0 .3rem; border-top: 1px solid var(--line); padding-top: 1rem; }
table { border-collapse: collapse; } td, th { padding: .15rem .8rem .15rem 0; text-align: left; vertical-align: top; }
td, li { overflow-wrap: anywhere; } th { white-space: nowrap; }
.dim, figcaption, th { color: var(--dim); font-weight: normal; }
.scroll { overflow-x: auto; }
.word { display: inline-block; padding: 0 .6rem; border-radius: .8rem; color: #fff; background: #666; }
.imaged { background: #1a7f37; } .partial { background: #9a6700; } .failed { background: #b42318; }
.refused { background: #2f5fb3; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(18rem, 1fr)); gap: 1rem; margin: 1rem 0; }
.cubes { grid-template-columns: repeat(auto-fill, minmax(30rem, 1fr)); }
figure { margin: 0; border: 1px solid var(--line); border-radius: .4rem; padding: .5rem; }
figure img { width: 100%; height: auto; background: #fff; }
figcaption { font-size: .85rem; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border-left: 3px solid var(--line); padding-left: .8rem; }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One dataset on the page."""

    letter: str
    about: str
    """What was simulated, in words."""
    facts: Mapping[str, str]
    """More of it: dataset, project, target, ..."""
    result: str
    directory: Path
    """The run directory."""
    products: tuple[Product, ...]
    because: tuple[str, ...] = ()
    """Why this CASA."""
    caveats: tuple[str, ...] = ()
    error_class: str | None = None
    title: str = ""
    meaning: str = ""
    advice: str = ""
    decisive: str = ""


def write_page(target: Path, entries: Sequence[Entry], *, made_at: datetime) -> None:
    """Write the page; links are relative to it.

    Parameters
    ----------
    target
        The HTML file.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    body = "\n".join(_section(entry, target.parent) for entry in entries)
    made = f"{made_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    text = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>reimage: the demonstration</title>
<style>{STYLE}</style>
</head>
<body>
<h1>reimage: the demonstration</h1>
<p>Simulated ALMA datasets, packaged as the archive hands them over, each taken from the archive to its
outcome: fetched, restored by the CASA that it asks for, imaged, previewed, measured.
<span class="dim">{made}</span></p>
{_summary(entries)}
{body}
</body>
</html>
"""
    document.write_bytes(target, text.encode())


def _summary(entries: Sequence[Entry]) -> str:
    rows = "\n".join(
        f'<tr><td><a href="#{escape(e.letter)}">{escape(e.letter)}</a></td><td>{_word(e.result)}</td>'
        f"<td>{escape(e.error_class or '')}</td><td>{_count(e.products)}</td><td>{escape(e.about)}</td></tr>"
        for e in entries
    )
    head = "<tr><th>dataset</th><th>result</th><th>error class</th><th>files</th><th>what it is</th></tr>"
    return f'<div class="scroll"><table>\n{head}\n{rows}\n</table></div>'


def _count(products: Iterable[Product]) -> str:
    planned = [product for product in products if product.planned]
    made = [p for p in planned if p.state in {ProductState.MADE, ProductState.MITIGATED}]
    return f"{len(made)} of {len(planned)}" if planned else ""


def _word(result: str) -> str:
    return f'<span class="word {escape(result)}">{escape(result)}</span>'


def _section(entry: Entry, base: Path) -> str:
    parts = [
        f'<h2 id="{escape(entry.letter)}">{escape(entry.letter)}. {escape(entry.about)} {_word(entry.result)}</h2>',
        _table({**entry.facts, "caveats": "; ".join(entry.caveats)}),
        _list("why this CASA", entry.because),
        _failure(entry),
    ]
    shown = [product for product in entry.products if product.path and product.preview]
    main = [product for product in shown if product.kind in MAIN_KINDS]
    maps = [product for product in main if product.specmode != "cube"]
    cubes = [product for product in main if product.specmode == "cube"]
    other = [product for product in shown if product.kind not in MAIN_KINDS]
    parts.append(_gallery(maps, entry.directory, base))
    parts.append(_gallery(cubes, entry.directory, base, kind="gallery cubes"))
    if other:
        folded = _gallery(other, entry.directory, base)
        what = f"<summary>{len(other)} primary beams, masks and others</summary>"
        parts.append(f"<details>{what}\n{folded}</details>")
    absent = [f"{p.name}: {p.reason}" for p in entry.products if p.state is ProductState.ABSENT]
    parts.append(_list("planned and absent", absent))
    return "\n".join(part for part in parts if part)


def _table(facts: Mapping[str, str]) -> str:
    rows = "\n".join(
        f"<tr><th>{escape(key)}</th><td>{escape(value)}</td></tr>"
        for key, value in facts.items()
        if value
    )
    return f'<div class="scroll"><table>\n{rows}\n</table></div>' if rows else ""


def _list(title: str, lines: Sequence[str]) -> str:
    if not lines:
        return ""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<details><summary>{escape(title)}</summary><ul>{items}</ul></details>"


def _failure(entry: Entry) -> str:
    if entry.error_class is None:
        return ""
    name = f'<span class="dim">({escape(entry.error_class)})</span>'
    told = [
        f"<p><strong>{escape(entry.title or entry.error_class)}</strong> {name}</p>",
        f"<p>{escape(entry.meaning)}</p>" if entry.meaning else "",
        f"<p>What to do: {escape(entry.advice)}</p>" if entry.advice else "",
        f"<pre>{escape(entry.decisive)}</pre>" if entry.decisive else "",
    ]
    return "\n".join(line for line in told if line)


def _gallery(
    products: Sequence[Product], directory: Path, base: Path, *, kind: str = "gallery"
) -> str:
    figures = "\n".join(_figure(product, directory, base) for product in products)
    return f'<div class="{kind}">\n{figures}\n</div>' if products else ""


def _figure(product: Product, directory: Path, base: Path) -> str:
    def link(path: str) -> str:
        return escape(Path(os.path.relpath(directory / path, base)).as_posix(), quote=True)

    places = {
        "FITS": product.path,
        "footprint": product.footprint,
        "ADMIT": f"{product.admit}/index.html" if product.admit else None,
    }
    links = " · ".join(
        f'<a href="{link(path)}">{name}</a>' for name, path in places.items() if path
    )
    preview = link(product.preview or "")
    name = escape(product.name)
    return (
        f'<figure><a href="{preview}"><img src="{preview}" alt="{name}" loading="lazy"></a>'
        f"<figcaption>{name}<br>{escape(_numbers(product.numbers))}<br>{links}</figcaption></figure>"
    )


def _numbers(numbers: Mapping[str, Any]) -> str:
    """Return the numbers of an image that a person looks at first."""
    said: list[str] = []
    if _is_number(numbers.get("peak_jy_beam")):
        said.append(f"peak {numbers['peak_jy_beam'] * 1e3:.3g} mJy/beam")
    if _is_number(numbers.get("rms_jy_beam")):
        said.append(f"rms {numbers['rms_jy_beam'] * 1e3:.3g} mJy/beam")
    if _is_number(numbers.get("dynamic_range")):
        said.append(f"dynamic range {numbers['dynamic_range']:.0f}")
    if _is_number(numbers.get("beam_major_arcsec")) and _is_number(
        numbers.get("beam_minor_arcsec")
    ):
        said.append(
            f'beam {numbers["beam_major_arcsec"]:.2f}" x {numbers["beam_minor_arcsec"]:.2f}"'
        )
    return ", ".join(said)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
