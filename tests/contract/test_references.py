"""The guide's generated references are those of this code: ``reimage docs ops/guide/reference``."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from reimage.cli import references, root, shapes
from reimage.errors import CODES

PAGES = references.pages()
GUIDE = Path(__file__).parents[2] / "ops" / "guide" / "reference"


@pytest.mark.parametrize("name", PAGES)
def test_the_committed_page_is_up_to_date(name):
    assert (GUIDE / name).read_text() == PAGES[name]()


def test_there_is_no_other_page():
    assert {path.name for path in GUIDE.glob("*.md")} == set(PAGES)


def test_cli_page_has_every_verb():
    page = PAGES["cli.md"]()
    for verb in root.VERBS.keys() - root.HIDDEN:
        assert f"## reimage {verb}\n" in page


def test_json_page_has_every_shape():
    page = PAGES["json.md"]()
    for name, kind in vars(shapes).items():
        if dataclasses.is_dataclass(kind):
            assert f"## {name}\n" in page


def test_errors_page_has_every_code():
    page = PAGES["errors.md"]()
    ours = [code for code, kind in CODES.items() if kind.__module__.startswith("reimage.")]
    assert len(ours) > 50
    for code in ours:
        assert f"| `{code}` |" in page
