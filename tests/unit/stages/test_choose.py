"""The stage *choose*: what is told in the journal, and what of another CASA becomes a caveat."""

from __future__ import annotations

import pytest
from making import EB, MEMBER, make_build, make_run, make_tree

from reimage import document
from reimage.casa.imaging import CasaForJobsMissing
from reimage.model import Calibration
from reimage.stages import choose
from reimage.stages.context import PROVEN, StageContext
from reimage.stages.values import FetchValue

SCRIPT = f"{MEMBER}/script/{EB}.ms.scriptForCalibration.py"
GATE = "if re.search('^4.7.2', casadef.casa_version) == None:\n  sys.exit('NO')\n"
MANUAL = {
    SCRIPT: GATE,
    f"{MEMBER}/script/scriptForPI.py": "",
    f"{MEMBER}/raw/{EB}.asdm.sdm/Main.xml": "",
}
OLD, NEW = make_build("4.7.2"), make_build()


@pytest.fixture
def stage(tmp_path):
    """Run the stage on a delivery; its events are kept."""

    def run_stage(files, **of_run):
        make_tree(tmp_path / "fetch/delivery", files)
        value = document.dump(FetchValue(delivery="fetch/delivery", manifest=()))
        document.write(tmp_path / "fetch" / PROVEN, {"value": value})
        context = StageContext(
            run=make_run(tmp_path / "archive", **{"builds": (OLD, NEW), **of_run}),
            directory=tmp_path,
            attempt=1,
            emit=lambda event, **data: run_stage.events.update({event: data}),
            still_current=lambda: None,
        )
        return choose.run(context)

    run_stage.events = {}
    return run_stage


def test_what_is_odd_about_a_delivery_is_in_the_journal(stage):
    stage({**MANUAL, "raw/uid___A002_Xc0ffee_X9.asdm.sdm/Main.xml": "", f"{MEMBER}/x.tar": ""})
    told = stage.events["delivery.read"]
    assert told["notes"] == [f"tar-not-unpacked: {MEMBER}/x.tar", "other-tree: ."]
    assert (told["layout"], told["calibration"], told["ebs"]) == ("uid", "manual", [EB])


def test_the_stated_casa_is_no_caveat(stage):
    value = stage(MANUAL)
    assert (value.choice.build, value.choice.wanted, value.caveats) == (OLD.id, "4.7.2", ())


@pytest.mark.parametrize("asked", [NEW.id, "6.7.0"])
def test_another_casa_that_a_person_asked_for_is_a_caveat(stage, asked):
    value = stage(MANUAL, casa=asked)
    assert (value.choice.build, value.choice.wanted) == (NEW.id, "4.7.2")
    assert value.caveats == ("restored-with-other-casa:6.7.0.31 for 4.7.2",)
    assert stage.events["casa.chosen"]["wanted"] == "4.7.2"


def test_the_stated_casa_that_a_person_asked_for_is_no_caveat(stage):
    assert stage(MANUAL, casa="4.7.2").caveats == ()


def test_a_shell_alone_is_refused_here_already(stage):
    shell = make_build("4.7.2", python=None, kind="monolithic", casa="/opt/casa/bin/casa")
    with pytest.raises(CasaForJobsMissing):
        stage(MANUAL, builds=(shell,))


def test_tables_that_another_build_applies_are_a_caveat_whoever_chose(stage):
    shell = make_build("4.7.2", id="shell", python=None, kind="monolithic", casa="/casa")
    pipeline = {
        f"{MEMBER}/script/casa_piperestorescript.py": "hif_restoredata()\n",
        f"{MEMBER}/calibration/{EB}.ms.flagversions.tgz": "",
        f"{MEMBER}/calibration/{EB}.ms.calapply.txt": "",
        f"{MEMBER}/script/scriptForPI.py": "",
        f"{MEMBER}/calibration/uid___A001_X1_X2.session_1.caltables.tgz": "",
        f"{MEMBER}/README": "CASA version used for reduction: 4.7.2\n",
        f"{MEMBER}/raw/{EB}.asdm.sdm/Main.xml": "",
    }
    value = stage(pipeline, builds=(shell, NEW), casa="shell")
    assert value.delivery.calibration is Calibration.PIPELINE
    assert value.choice.build == "shell"
    assert value.caveats == ("restored-with-other-casa:6.7.0.31 for 4.7.2",)
