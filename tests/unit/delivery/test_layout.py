from __future__ import annotations

from contextlib import nullcontext

import pytest
from making import EB, MEMBER, MOUS, make_tree

from reimage.delivery import layout, refusal
from reimage.model import Calibration

PIPELINE = {
    f"{MEMBER}/calibration/member.uid___A001_X1_X2.session_1.caltables.tgz": "",
    f"{MEMBER}/calibration/member.uid___A001_X1_X2.session_1.auxcaltables.tgz": "",
    f"{MEMBER}/calibration/{EB}.ms.flagversions.tgz": "",
    f"{MEMBER}/calibration/{EB}.ms.calapply.txt": "",
    f"{MEMBER}/calibration/{EB}_target.ms.auxcalapply.txt": "",
    f"{MEMBER}/script/member.uid___A001_X1_X2.hifa_calimage.casa_piperestorescript.py": "",
    f"{MEMBER}/script/member.uid___A001_X1_X2.scriptForPI.py": "",
    f"{MEMBER}/raw/{EB}.asdm.sdm/Main.xml": "",
    f"{MEMBER}/member.uid___A001_X1_X2.README.txt": "",
}
MANUAL = {
    f"{MEMBER}/script/{EB}.ms.scriptForCalibration.py": "",
    f"{MEMBER}/script/uid___A002_Xc0ffee_X2.ms.scriptForCalibration.py": "",
    f"{MEMBER}/script/scriptForPI.py": "",
    "README": "",
}
DATED = "2011.0.00001.S/sg_ouss_id/group_ouss_id/member_ouss_2012-10-18_id"
CYCLE0 = {
    f"{DATED}/calibrated/{EB}.ms.split.cal/table.dat": "",
    f"{DATED}/script/x.py": "",
    f"{DATED}/README": "",
}
SHELL = {
    f"{MEMBER}/script/member.uid___A001_X1_X2.scriptForPI.py": "",
    f"{MEMBER}/raw/{EB}.asdm.sdm/Main.xml": "",
}


def test_pipeline(tmp_path):
    found = layout.read_layout(make_tree(tmp_path, PIPELINE))
    assert found.calibration is Calibration.PIPELINE
    assert (found.layout, found.dataset, found.project) == ("uid", MOUS, "2018.1.00001.S")
    assert found.ebs == (EB,)
    assert [name.rpartition("/")[2] for name in found.caltables] == [
        "member.uid___A001_X1_X2.session_1.caltables.tgz"
    ]
    assert [name.rpartition("/")[2] for name in found.calapply] == [f"{EB}.ms.calapply.txt"]
    assert found.raw == (f"{MEMBER}/raw/{EB}.asdm.sdm",)
    assert found.readme is not None
    assert found.readme.endswith("README.txt")


def test_manual_takes_its_execution_blocks_from_the_scripts(tmp_path):
    found = layout.read_layout(make_tree(tmp_path, MANUAL))
    assert found.calibration is Calibration.MANUAL
    assert found.ebs == (EB, "uid___A002_Xc0ffee_X2")
    assert found.readme == "README"
    assert found.raw == ()


def test_cycle_0_has_its_calibrated_data_inside(tmp_path):
    found = layout.read_layout(make_tree(tmp_path, CYCLE0))
    assert (found.calibration, found.layout) == (Calibration.DELIVERED, "dated")
    assert found.calibrated == (f"{DATED}/calibrated/{EB}.ms.split.cal",)
    assert found.ebs == (EB,)
    assert found.dataset is None


def test_a_semipass_shell_is_refused(tmp_path):
    found = layout.read_layout(make_tree(tmp_path, SHELL))
    assert found.calibration is Calibration.NONE
    with pytest.raises(refusal.NothingToRestore) as caught:
        refusal.refuse_by_delivery(found)
    assert caught.value.exit_code == 4


def test_tables_without_a_restore_script_do_not_suffice(tmp_path):
    partial = {name: text for name, text in PIPELINE.items() if "piperestore" not in name}
    assert layout.read_layout(make_tree(tmp_path, partial)).calibration is Calibration.NONE


def test_a_tree_nested_by_unpacking_in_place_is_found(tmp_path):
    nested = {f"deep/er/{name}": text for name, text in PIPELINE.items()}
    assert layout.read_layout(make_tree(tmp_path, nested)).ebs == (EB,)


def test_nothing_is_a_coded_error(tmp_path):
    with pytest.raises(layout.DeliveryEmpty):
        layout.read_layout(tmp_path)


@pytest.mark.parametrize(
    ("facts", "error", "told"),
    [
        (
            {"data_rights": "Proprietary", "release_at": "2030-01-01"},
            refusal.DataProprietary,
            "until 2030-01-01",
        ),
        ({"data_rights": "Proprietary"}, refusal.DataProprietary, "until further notice"),
        ({"data_rights": "Public", "array": "TP"}, refusal.NoRecipe, "total-power"),
    ],
)
def test_what_the_holdings_rule_out(facts, error, told):
    with pytest.raises(error, match=told):
        refusal.refuse_by_facts(facts)
    refusal.refuse_by_facts({"data_rights": "Public", "array": "12m"})


@pytest.mark.parametrize("array", ["12m", "TP"])
def test_an_archive_that_knows_us_decides_on_rights_and_on_nothing_else(array):
    facts = {"data_rights": "Proprietary", "array": array}
    with pytest.raises(refusal.NoRecipe) if array == "TP" else nullcontext():
        refusal.refuse_by_facts(facts, archive_decides=True)
