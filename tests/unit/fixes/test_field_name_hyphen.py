from __future__ import annotations

import pytest
from making import MEMBER
from making_fixes import caveats, deliver, load, make_facts

FIX = load("field_name_hyphen")


def header(version):
    card = f"ORIGIN  = 'CASA {version}'"
    return b"SIMPLE  =                    T".ljust(80) + card.encode().ljust(80)


def facts(name):
    field = {"id": 0, "name": name, "ra_rad": 0.1, "dec_rad": 0.1, "pointing": None}
    return make_facts(fields=[field], target_fields=[0])


@pytest.mark.parametrize(
    ("name", "version", "told"),
    [
        ("PN-", "4.1.0 (r24668)", ["delivered-flux-scale-doubtful:PN-"]),
        ("PN-", "3.4.0-REL", ["delivered-flux-scale-doubtful:PN-"]),
        ("PN-", "4.2.2-REL", []),
        ("PN-1", "4.1.0", []),
    ],
)
def test_the_name_and_the_imaging_casa_decide(tmp_path, name, version, told):
    delivery = deliver(tmp_path, {f"{MEMBER}/product/a.fits": header(version)})
    assert caveats(FIX, delivery, facts(name)) == told


def test_without_images_nothing_is_said(tmp_path):
    files = {f"{MEMBER}/product/a.fits": b"", f"{MEMBER}/product/a.pb.fits.gz": b"x"}
    assert caveats(FIX, deliver(tmp_path, files), facts("PN-")) == []
