from __future__ import annotations

import numpy as np
import pytest
from making_images import write_image

from reimage.products.caption import caption, kind_of
from reimage.products.fits_image import open_image


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.NGC_1_sci.spw1.mfs.I.pbcor.fits", "pbcor"),
        ("a.NGC_1_sci.spw1.mfs.I.pb.fits", "pb"),
        ("a.NGC_1_sci.spw1_2.cont.I.tt0.pbcor.fits", "tt0.pbcor"),
        ("a.NGC_1_sci.spw1_2.cont.I.pb.tt0.fits", "pb.tt0"),
        ("a.NGC_1_sci.spw1_2.cont.I.alpha.error.fits", "alpha.error"),
        ("a.NGC_1_sci.spw1_2.cont.I.alpha.fits", "alpha"),
        ("alphabet.fits", "image"),
    ],
)
def test_the_kind_is_at_the_end_of_the_name(name, kind):
    assert kind_of(name) == kind


@pytest.mark.parametrize(
    "name",
    [
        "uid___A001_X1_X2.NGC_1_sci.spw17_19.cont.I.pbcor.fits",
        "uid___A001_X1_X2.NGC_1_sci.spw17_19.cont.regcal.I.pbcor.fits",
        "NGC_1_sci.spw17_19.cont.selfcal.I.tt0.pbcor.fits",
    ],
)
def test_the_pipelines_names_are_understood(tmp_path, name):
    words = caption(open_image(write_image(tmp_path / name, np.zeros((4, 4)), OBJECT="")))
    assert (words.target, words.spws, words.mode) == ("NGC_1", "17, 19", "cont")
    assert words.title == "NGC_1  ·  spw 17, 19 cont  ·  230.000 GHz"


def test_any_other_name_will_do(tmp_path):
    path = write_image(tmp_path / "x.fits", np.zeros((4, 4)), drop=["OBJECT"])
    assert caption(open_image(path)).title == "unnamed source  ·  230.000 GHz"
