"""The guide's generated references are those of this code: ``reimage docs ops/guide/reference``."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from pathlib import Path

import pytest

from reimage import cli
from reimage.cli import references, root
from reimage.errors import CODES

PAGES = references.pages()
GUIDE = Path(__file__).parents[2] / "ops" / "guide" / "reference"
SHAPES = [
    name
    for module in pkgutil.iter_modules(cli.__path__, "reimage.cli.")
    if module.name.endswith("_shapes")
    for name, kind in vars(importlib.import_module(module.name)).items()
    if dataclasses.is_dataclass(kind)
]
"""What the modules of shapes define and what they name, from their files: a new one counts at once."""


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
    assert len(SHAPES) > 40
    for name in SHAPES:
        assert f"## {name}\n" in page


def test_errors_page_has_every_code():
    page = PAGES["errors.md"]()
    ours = [code for code, kind in CODES.items() if kind.__module__.startswith("reimage.")]
    assert len(ours) > 50
    for code in ours:
        assert f"| `{code}` |" in page
