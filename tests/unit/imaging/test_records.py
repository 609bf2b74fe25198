"""Rows of what an image became."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reimage.imaging import records
from reimage.model import PlannedImage, ProductState

IMAGE = PlannedImage(
    id="A.spw0.cube",
    target="A",
    spws=(0,),
    specmode="cube",
    nterms=1,
    basename="x",
    files={"pbcor": "x.pbcor.fits"},
)
MADE = records.ImageRecord(
    image=IMAGE.id,
    state=ProductState.MADE,
    files={"pbcor": {"name": "x.pbcor.fits", "bytes": 3}, "mask": {"name": "m", "bytes": 1}},
)
SMALL = replace(IMAGE, mitigation="3 pixels per beam")


@pytest.mark.parametrize(
    ("image", "record", "state", "reason"),
    [
        (IMAGE, MADE, ProductState.MADE, None),
        (SMALL, MADE, ProductState.MITIGATED, "3 pixels per beam"),
        (
            SMALL,
            replace(MADE, state=ProductState.ABSENT, reason="no memory", files={}),
            ProductState.ABSENT,
            "no memory",
        ),
    ],
)
def test_image_made_smaller_is_mitigated_and_says_how(image, record, state, reason):
    rows = list(records.products(image, record, Path("image")))
    assert {(row.state, row.reason) for row in rows} == {(state, reason)}
    assert [row.planned for row in rows] == [True, False][: len(rows)]
