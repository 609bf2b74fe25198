"""The list of products."""

from __future__ import annotations

import pytest

from reimage.cli.products import _stem


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
