"""The list of products."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from reimage.cli.products import _row, _stem
from reimage.model import ProductState
from reimage.store.rows import ProductRow


@pytest.mark.parametrize(
    ("names", "stem"),
    [
        ([], ""),
        (["a.x.pb.fits", "a.x.pbcor.fits"], "a.x."),
        (["a.x.fits", "b.x.fits"], ""),
    ],
)
def test_the_common_beginning_of_names(names, stem):
    assert _stem(names) == stem


def test_what_is_shortened_is_marked():
    """A whole name (a log, a manifest) stands beside shortened ones, and is told from them."""
    nothing = dict.fromkeys(field.name for field in fields(ProductRow))
    made = {"name": "a.log", "state": ProductState.MADE, "numbers": {}}
    whole = ProductRow(**{**nothing, **made})
    image = replace(whole, name="a.x.pb.fits", image="x")
    assert _row(image, "a.x.")[0] == "…pb.fits"
    assert _row(whole, "a.x.")[0] == "a.log"
    assert _row(image, "")[0] == "a.x.pb.fits"
