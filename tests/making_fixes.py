"""Ill and clean samples for fixes: deliveries of a few files, facts of MSs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from making import EB, MEMBER

from reimage import fix
from reimage.model import Calibration, Delivery
from reimage.settings import shipped

SCRIPT = f"{MEMBER}/script"
CALIBRATION = f"{MEMBER}/calibration"
MANUAL_SCRIPT = f"{SCRIPT}/{EB}.ms.scriptForCalibration.py"
RESTORE_SCRIPT = f"{SCRIPT}/member.uid___A001_X1_X2.hifa_cal.casa_piperestorescript.py"
PIPE_SCRIPT = f"{SCRIPT}/member.uid___A001_X1_X2.hifa_cal.casa_pipescript.py"
MS = f"/runs/1/restore/{EB}.ms"


def load(name: str) -> fix.Fix:
    return fix.read(shipped("fixes") / f"{name}.py")


def deliver(root: Path, files: Mapping[str, str | bytes], **other: Any) -> Delivery:
    """Make a delivery of these files: each in the field that its place says."""
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())

    def named(*parts: str) -> tuple[str, ...]:
        return tuple(sorted(name for name in files if all(part in name for part in parts)))

    fields: dict[str, Any] = {
        "root": str(root),
        "member": MEMBER,
        "layout": "uid",
        "calibration": Calibration.PIPELINE,
        "ebs": (EB,),
        "scripts": named("/script/", ".py"),
        "caltables": named("/calibration/", "caltables"),
        "flagversions": named("/calibration/", "flagversions"),
        "manifests": named("manifest.xml"),
        "products": named("/product/"),
        "logs": named("/log/"),
        "readme": next(iter(named("README")), None),
    }
    return Delivery(**{**fields, **other})


def nothing(**other: Any) -> Delivery:
    """Make a delivery without files, for fixes that look at MSs alone."""
    return deliver(Path(), {}, **other)


def make_facts(ms: str = MS, **other: Any) -> dict[str, dict[str, Any]]:
    """Return the facts of one well MS, but for what is given."""
    fact = {
        "fields": [
            {"id": 0, "name": "J1", "ra_rad": 0.1, "dec_rad": 0.1, "pointing": [0.1, 0.1]},
            {"id": 1, "name": "NGC_1", "ra_rad": 0.2, "dec_rad": 0.2, "pointing": [0.2, 0.2]},
        ],
        "target_fields": [1],
        "spws": [{"id": 0, "name": "FULL_RES", "n_channels": 128, "center_hz": 2.3e11}],
        "observing_start_mjd": 58000.0,
        "imaging_casa": "6.7.0.31",
        "history": [["importasdm", "6.7.0"], ["applycal", "6.7.0"]],
        "antennas": ["DA41", "DV01"],
        "dish_m": 12.0,
        "correlators": ["ALMA_BASELINE"],
        "pointing_rows": 10,
        "flag_row_sound": True,
        "sources": {"rows": 2, "fields_without": [], "unknown_spws": [], "misnamed": []},
        "syscal": {"rows": 8, "rows_outside": 0, "scans_without": [], "torn": 0},
    }
    return {ms: {**fact, **other}}


def mosaic(name: str = "NGC_1") -> list[dict[str, Any]]:
    """Return three pointings of one target."""
    return [
        {"id": i, "name": name, "ra_rad": 0.2, "dec_rad": 0.2, "pointing": [0.2, 0.2]}
        for i in range(3)
    ]


def patched(one: fix.Fix, delivery: Delivery) -> dict[str, str]:
    """Carry out a fix of files on the delivery itself; return the new texts by name."""
    texts = {}
    for change in one.apply(delivery, {}):
        path = Path(delivery.root) / change.path
        if isinstance(change, fix.FileLink):
            path.symlink_to((Path(delivery.root) / change.target).resolve())
        else:
            assert isinstance(change, fix.FilePatch)
            path.write_text(change.text, encoding="utf-8")
            texts[change.path] = change.text
    assert one.applies(delivery, {}) is None, "twice is once"
    return texts


def caveats(one: fix.Fix, delivery: Delivery, facts: dict[str, dict[str, Any]]) -> list[str]:
    """Return the caveats of a fix that reports; none where it does not apply."""
    assert one.reports
    if one.applies(delivery, facts) is None:
        return []
    return [str(report) for report in one.apply(delivery, facts)]
