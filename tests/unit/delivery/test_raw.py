"""Raw data under other names and in other places: seen, taken once, and told of."""

from __future__ import annotations

import delivered as d
import pytest
from making import make_tree

from reimage.delivery import layout, raw
from reimage.model import Calibration, Delivery

SCRIPTED = {name: text for name, text in d.cycle_4().items() if "/raw/" not in name}
"""Two calibrated execution blocks, without raw data."""
BOTH = (d.EB1, d.EB2)


def asdm(path):
    return {f"{path}/ASDM.xml": "", f"{path}/Main.xml": "", f"{path}/ASDMBinary/x": ""}


def read(root, *trees) -> Delivery:
    return layout.read_layout(make_tree(root, {k: v for tree in trees for k, v in tree.items()}))


@pytest.mark.parametrize(
    "name",
    [
        f"{d.EB1}.asdm.sdm",
        f"{d.EB1}.ASDM.SDM",
        f"{d.EB1}.asdm",
        d.EB1,
        f"{d.EB1.upper()}.ASDM.SDM",
    ],
)
def test_raw_data_by_any_name(tmp_path, name):
    found = read(tmp_path, SCRIPTED, asdm(f"{d.UID}/raw/{name}"))
    assert found.raw == (f"{d.UID}/raw/{name}",)
    assert raw.eb_of(found.raw[0]).casefold() == d.EB1.casefold()
    assert raw.is_raw(tmp_path / found.raw[0])
    assert found.ebs == BOTH


@pytest.mark.parametrize("name", [d.EB1, f"{d.EB1}.ms", f"{d.EB1}.asdm.sdm.tar", "notes"])
def test_what_only_looks_like_raw_data(tmp_path, name):
    """An execution block's name without an ASDM's tables, or its tables under no block's name."""
    place = f"{d.UID}/raw/{name}"
    tables = asdm(place) if name != d.EB1 else {f"{place}/table.dat": ""}
    assert read(tmp_path, SCRIPTED, tables).raw == ()
    assert not raw.is_raw(tmp_path / place)


@pytest.mark.parametrize("place", ["raw", "more/disk/raw", f"{d.UID}/raw/{d.UID}/raw", "elsewhere"])
def test_raw_data_in_another_tree_are_taken(tmp_path, place):
    found = read(tmp_path, SCRIPTED, *(asdm(f"{place}/{eb}.asdm.sdm") for eb in BOTH))
    assert found.raw == tuple(f"{place}/{eb}.asdm.sdm" for eb in BOTH)
    assert found.member == d.UID
    assert not [note for note in found.notes if note.startswith("raw-missing")]


def test_raw_data_of_nobody_are_left_elsewhere(tmp_path):
    """What the calibration does not name is another dataset's."""
    other = "uid___A002_Xdead_X1"
    found = read(tmp_path, SCRIPTED, asdm(f"raw/{other}.asdm.sdm"), asdm(f"raw/{d.EB2}.asdm.sdm"))
    assert found.raw == (f"raw/{d.EB2}.asdm.sdm",)
    assert f"raw-elsewhere: raw/{d.EB2}.asdm.sdm" in found.notes


def test_of_several_the_member_s_own_is_taken(tmp_path):
    home = f"{d.UID}/raw/{d.EB1}"
    trees = [asdm(path) for path in (f"raw/{d.EB1}.asdm.sdm", home, f"{home}.ASDM.SDM")]
    assert read(tmp_path / "a", SCRIPTED, *trees).raw == (f"{home}.ASDM.SDM",)
    found = read(tmp_path / "b", SCRIPTED, *trees, asdm(f"{home}.asdm.sdm"))
    assert found.raw == (f"{home}.asdm.sdm",)
    assert f"raw-twice: {home}, {home}.ASDM.SDM" in found.notes
    assert found.calibration is Calibration.PIPELINE
