"""Stand-ins for what CASA makes: files of the right names, so that packaging can be tested alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reimage.demo.datasets import datasets
from reimage.demo.delivery import product_stem
from reimage.demo.plan import DemoDataset, Shell


def _fill(dataset: DemoDataset, work: Path) -> Path:
    """Write what the job `demo_dataset` would leave in its directory."""
    out = work / "out"
    for name in ("raw", "calibration", "product", "calibrated"):
        (out / name).mkdir(parents=True)
    for block in dataset.blocks:
        eb = block.eb.name
        asdm = out / "raw" / f"{eb}.asdm.sdm"
        (asdm / "ASDMBinary").mkdir(parents=True)
        (asdm / "Main.xml").write_text("<MainTable/>")
        (asdm / "ASDMBinary" / "uid___A002_X1_X2").write_bytes(b"\1" * 3000)
        for name in (f"{eb}.ms.flagversions.tgz", f"{eb}.ms.calapply.txt", f"{eb}.calibration.tgz"):
            (out / "calibration" / name).write_bytes(b"x")
        if dataset.shell is Shell.CYCLE0:
            ms = out / "calibrated" / f"{eb}.ms.split.cal"
            ms.mkdir()
            (ms / "table.dat").write_bytes(b"table")
    tables = f"{dataset.mous.name}.{dataset.session}.caltables.tgz"
    (out / "calibration" / tables).write_bytes(b"x")
    if dataset.product:
        for kind in ("pbcor", "pb"):
            (out / "product" / f"{product_stem(dataset)}.{kind}.fits").write_bytes(b"SIMPLE")
    value = {"ebs": [_observed(block.eb.name) for block in dataset.blocks]}
    (work / "result.json").write_text(json.dumps({"ok": True, "value": value}))
    return out


def _observed(eb: str) -> dict[str, object]:
    line = {"lsrk_hz": 1.05e11, "centre_hz": 1.0e11, "fwhm_hz": 2.2e8, "peak_jy": 1.0}
    return {
        "eb": eb,
        "mjd": [58000.0, 58000.1],
        "fields": [{"components": [{"line": None}, {"line": line}]}],
        "spws": [{"channels": 8, "first_topo_hz": 99.7e9, "width_topo_hz": 1e8}],
    }


@pytest.fixture(params=datasets(), ids=lambda dataset: dataset.letter)
def dataset(request) -> DemoDataset:
    return request.param


@pytest.fixture
def made(dataset, tmp_path) -> Path:
    return _fill(dataset, tmp_path / "work")


@pytest.fixture(scope="session")
def fill():
    """Return the stand-in for the CASA job: ``fill(dataset, directory)``."""
    return _fill
