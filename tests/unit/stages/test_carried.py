"""What of a delivery goes with the new images."""

from __future__ import annotations

import pytest
from making import make_run, make_tar, make_tree

from reimage import document
from reimage.model import Calibration, CasaChoice, Delivery, Stage
from reimage.stages.carried import carried
from reimage.stages.context import PROVEN, StageContext
from reimage.stages.values import ChooseValue

EB = "uid___A002_Xc0ffee_X1"


@pytest.fixture
def context(tmp_path):
    def make(**delivered):
        delivery = Delivery(
            root=str(tmp_path / "delivery"),
            member=".",
            layout="uid",
            calibration=Calibration.PIPELINE,
            **delivered,
        )
        context = StageContext(
            run=make_run(tmp_path),
            directory=tmp_path,
            attempt=1,
            emit=lambda *_, **__: None,
            still_current=lambda: None,
        )
        choice = CasaChoice(build=None, wanted=None, because=())
        value = document.dump(ChooseValue(delivery=delivery, choice=choice))
        document.write(context.work(Stage.CHOOSE) / PROVEN, {"value": value})
        return context

    return make


def test_each_kind_is_found_where_the_delivery_has_it(context, tmp_path):
    found = carried(
        context(
            calapply=(f"calibration/{EB}.ms.calapply.txt",),
            flagversions=(f"calibration/{EB}.ms.flagversions.tgz",),
            piperestore="script/casa_piperestorescript.py",
            calibration_scripts=("script/x.scriptForCalibration.py",),
            manifests=("script/m.pipeline_manifest.xml",),
            other=("calibration/flux.csv", "calibration/antennapos.csv"),
        )
    )
    root = tmp_path / "delivery"
    assert found == {
        "calapply": (root / "calibration" / f"{EB}.ms.calapply.txt",),
        "flagversions": (root / "calibration" / f"{EB}.ms.flagversions.tgz",),
        "restorescript": (root / "script" / "casa_piperestorescript.py",),
        "sessions": (root / "script" / "m.pipeline_manifest.xml",),
        "flux.csv": (root / "calibration" / "flux.csv",),
    }


def test_a_delivery_without_them_has_none(context):
    assert set(carried(context()).values()) == {()}


def test_the_scripts_that_calibrated_stand_for_one_that_restores(context):
    found = carried(context(calibration_scripts=("script/x.scriptForCalibration.py",)))
    assert [path.name for path in found["restorescript"]] == ["x.scriptForCalibration.py"]


def test_the_flux_densities_come_out_of_the_bundle(context, tmp_path):
    bundle = "calibration/m.hifa_calimage.auxproducts.tgz"
    (tmp_path / "delivery").mkdir()
    make_tar(tmp_path / "delivery" / bundle, {"a/flux.csv": b"ms,field\n", "x": b""}, "w:gz")
    (path,) = carried(context(other=(bundle,)))["flux.csv"]
    assert path.read_text() == "ms,field\n"
    assert path.is_relative_to(tmp_path / "image")


def test_a_damaged_bundle_has_none(context, tmp_path):
    make_tree(tmp_path / "delivery", {"m.auxproducts.tgz": b"\x1f\x8bno gzip"})
    assert carried(context(other=("m.auxproducts.tgz",)))["flux.csv"] == ()
