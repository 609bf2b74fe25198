from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from reimage.demo.page import Entry, write_page
from reimage.model import Product, ProductState

AT = datetime(2026, 11, 20, tzinfo=UTC)
VOID = {"meta", "img", "br"}


class Reader(HTMLParser):
    """Checks that elements nest, and keeps links and text."""

    def __init__(self, page):
        super().__init__()
        self.open, self.links, self.text, self.classes = [], [], [], []
        self.feed(page.read_text())
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.links += [found[key] for key in ("href", "src") if key in found]
        self.classes += found.get("class", "").split()
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def product(name, kind="pbcor", specmode="mfs", **other):
    fields = {
        "state": ProductState.MADE,
        "path": f"image/products/{name}",
        "preview": f"derive/{name}.png",
        "footprint": f"derive/{name}.json",
        "numbers": {"rms_jy_beam": 2e-4, "dynamic_range": 250.4},
    }
    return Product(
        name=name, kind=kind, image="x", target="x", spws="0", specmode=specmode, **fields | other
    )


def entry(directory, **other):
    fields = {
        "letter": "a",
        "about": "a <b>bold</b> & 'quoted' dataset",
        "facts": {"dataset": "uid://A001/X1/X2", "empty": ""},
        "result": "imaged",
        "directory": directory,
        "products": (),
    }
    return Entry(**fields | other)


def read(tmp_path, *entries):
    page = tmp_path / "demo" / "index.html"
    write_page(page, entries, made_at=AT)
    return Reader(page)


def test_the_page_nests_and_escapes(tmp_path):
    found = read(tmp_path, entry(tmp_path))
    assert any("a <b>bold</b> & 'quoted' dataset" in text for text in found.text)
    assert "empty" not in found.text


def test_links_are_relative_and_lead_to_the_files(tmp_path):
    run = tmp_path / "demo" / "data" / "runs" / "x" / "r 1"
    made = (product("a.fits"), product("c.fits", specmode="cube", admit="derive/c.admit"))
    for path in ("a.fits", "c.fits"):
        (run / "image/products").mkdir(parents=True, exist_ok=True)
        (run / "image/products" / path).touch()
    links = [link for link in read(tmp_path, entry(run, products=made)).links if link[0] != "#"]
    assert not [link for link in links if Path(link).is_absolute() or ":" in link]
    base = tmp_path / "demo"
    fits = {(base / link).resolve() for link in links if link.endswith(".fits")}
    assert fits == {run / "image/products/a.fits", run / "image/products/c.fits"}
    assert "data/runs/x/r 1/derive/c.admit/index.html" in links


def test_numbers_are_shown(tmp_path):
    found = read(tmp_path, entry(tmp_path, products=(product("a.fits"),)))
    assert "rms 0.2 mJy/beam, dynamic range 250" in found.text


def test_primary_beams_are_folded_away_and_absences_told(tmp_path):
    made = (
        product("pb.fits", kind="pb"),
        product(
            "gone.fits", state=ProductState.ABSENT, path=None, preview=None, reason="no <room>"
        ),
    )
    found = read(tmp_path, entry(tmp_path, products=made))
    assert "1 primary beams, masks and others" in found.text
    assert "gone.fits: no <room>" in found.text
    assert "0 of 2" not in found.text
    assert "1 of 2" in found.text


@pytest.mark.parametrize("result", ["failed", "refused"])
def test_a_failure_is_explained(tmp_path, result):
    found = read(
        tmp_path,
        entry(
            tmp_path,
            result=result,
            error_class="memory",
            title="Out of memory",
            meaning="It was too big.",
            advice="Buy more.",
            decisive="std::bad_alloc <x>",
        ),
    )
    for text in ("Out of memory", "It was too big.", "What to do: Buy more.", "std::bad_alloc <x>"):
        assert text in found.text
    assert result in found.classes
