from __future__ import annotations

import numpy as np
import pytest
from making_images import write_image

from reimage.model import Product, ProductState
from reimage.products.siblings import Siblings, made


def product(kind, image="a", state=ProductState.MADE, path="x.fits"):
    return Product(
        name=f"{image}.{kind}",
        kind=kind,
        image=image,
        target="NGC_1",
        spws="1",
        specmode="mfs",
        state=state,
        path=path,
    )


def test_a_companion_belongs_to_the_same_image(tmp_path):
    write_image(tmp_path / "x.fits", np.ones((4, 4)))
    sky, pb = product("pbcor"), product("pb.tt0")
    siblings = Siblings(directory=tmp_path, products=(sky, pb, product("mask", image="b")))
    assert siblings.find(sky, "pb", "pb.tt0") is not None
    assert siblings.find(sky, "mask") is None


@pytest.mark.parametrize("data", [None, b"no FITS"])
def test_a_companion_that_cannot_be_opened_is_none(tmp_path, data):
    if data is not None:
        (tmp_path / "x.fits").write_bytes(data)
    sky = product("pbcor")
    siblings = Siblings(directory=tmp_path, products=(sky, product("pb")))
    assert siblings.find(sky, "pb") is None


def test_made_is_made_or_mitigated_and_has_a_file():
    products = [product("pbcor", state=state) for state in ProductState]
    products.append(product("pb", path=None))
    assert {item.state for item in made(products)} == {ProductState.MADE, ProductState.MITIGATED}
