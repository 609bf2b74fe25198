from __future__ import annotations

import pytest
from making import make_tree

from reimage.delivery import asdm

MAIN = """<MainTable><row><scanNumber> 1 </scanNumber><numAntenna> 4 </numAntenna><numIntegration> 3 </numIntegration>
<configDescriptionId>ConfigDescription_0</configDescriptionId><dataUID><EntityRef entityId="uid://A002/Xc0/X5"/></dataUID></row>
<row><scanNumber> 2 </scanNumber><numAntenna> 4 </numAntenna><numIntegration> 2 </numIntegration>
<configDescriptionId>ConfigDescription_0</configDescriptionId><dataUID><EntityRef entityId="uid://A002/Xc0/X6"/></dataUID></row></MainTable>"""
CONFIGURATION = """<T><row><configDescriptionId>ConfigDescription_0</configDescriptionId>
<correlationMode>%s</correlationMode><numDataDescription>2</numDataDescription></row></T>"""


def make_asdm(root, mode="CROSS_ONLY", binaries=("uid___A002_Xc0_X5", "uid___A002_Xc0_X6")):
    files = {"Main.xml": MAIN, "ConfigDescription.xml": CONFIGURATION % mode}
    return make_tree(root, files | {f"ASDMBinary/{name}": "x" for name in binaries})


@pytest.mark.parametrize(
    ("mode", "baselines"), [("CROSS_ONLY", 6), ("CROSS_AND_AUTO", 10), ("AUTO_ONLY", 4)]
)
def test_rows_are_counted(tmp_path, mode, baselines):
    promise = asdm.read_promise(make_asdm(tmp_path, mode))
    assert promise.rows == (3 + 2) * baselines * 2
    assert promise.cross_rows == (0 if mode == "AUTO_ONLY" else (3 + 2) * 6 * 2)
    assert (promise.scans, promise.n_antennas) == ((1, 2), 4)


def test_a_missing_binary_is_found_before_the_import(tmp_path):
    with pytest.raises(asdm.AsdmIncomplete, match="1 of 2") as caught:
        asdm.read_promise(make_asdm(tmp_path, binaries=("uid___A002_Xc0_X5",)))
    assert caught.value.evidence["missing"] == ["uid___A002_Xc0_X6"]


@pytest.mark.parametrize("text", [MAIN[:200], ""])
def test_a_damaged_table_is_coded(tmp_path, text):
    make_asdm(tmp_path)
    (tmp_path / "Main.xml").write_text(text)
    with pytest.raises(asdm.AsdmUnreadable):
        asdm.read_promise(tmp_path)
