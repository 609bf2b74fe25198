"""What is odd, cut off, hostile or not a delivery at all: a note or a coded error, in bounded time."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import delivered as d
import pytest
from making import make_tree

from reimage import document
from reimage.delivery import layout, scan
from reimage.model import Calibration, Delivery

SCRIPTS = f"{d.UID}/script"
MANIFEST = f"{SCRIPTS}/member.{d.MOUS}.hifa_calimage.pipeline_manifest.xml"
REQUEST = f"{SCRIPTS}/member.{d.MOUS}.hifa_calimage.pprequest.xml"
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    '<piperesults><ous name="&b;"/></piperesults>'
)


def read(root, tree) -> Delivery:
    return layout.read_layout(make_tree(root, tree))


@pytest.mark.parametrize(
    ("changed", "notes"),
    [
        pytest.param({MANIFEST: "<piperesults><ous"}, [f"manifest-not-xml: {MANIFEST}"], id="cut"),
        pytest.param({MANIFEST: ""}, [f"manifest-not-xml: {MANIFEST}"], id="empty"),
        pytest.param({MANIFEST: BOMB}, [f"manifest-not-xml: {MANIFEST}"], id="entities"),
        pytest.param(
            {MANIFEST: b"<ous name='\xe9'/>"}, [f"manifest-not-xml: {MANIFEST}"], id="latin-1"
        ),
        pytest.param({REQUEST: "<html>"}, [f"request-not-xml: {REQUEST}"], id="request"),
        pytest.param(
            {MANIFEST: d.results(d.manifest(), d.manifest(d.EB2, ous=d.OTHER))},
            [f"several-ous: {d.MOUS}, {d.OTHER}"],
            id="two OUSs",
        ),
        pytest.param(
            {
                MANIFEST: d.results(
                    d.manifest(ous=d.OTHER, tables=f"member.{d.MOUS}.session_1.caltables.tgz")
                )
            },
            [f"other-ous: {d.OTHER}"],
            id="another OUS",
        ),
        pytest.param(
            {MANIFEST: d.results(d.manifest(tables="session_2.caltables.tgz"))},
            ["table-missing: session_2.caltables.tgz"],
            id="tables",
        ),
        pytest.param(
            {MANIFEST: d.results(d.manifest(d.EB1, d.EB2))},
            [f"manifest-not-calibrated: {d.EB2}"],
            id="manifest's EBs",
        ),
        pytest.param(
            {REQUEST: d.request(d.EB1, d.EB2, empty=["SESSION_1"])},
            [
                "session-empty: SESSION_1",
                f"request-not-calibrated: {d.EB2}",
                f"raw-missing: {d.EB2}",
            ],
            id="request's EBs",
        ),
        pytest.param(
            {REQUEST: d.request(d.EB1, namespace=' xmlns="Alma/pipelinescience/SciPipeRequest"')},
            [],
            id="namespace",
        ),
        pytest.param(d.raw(d.UID, d.EB2), [f"raw-not-calibrated: {d.EB2}"], id="more raw"),
        pytest.param(
            {f"{d.UID}/calibration/{d.EB2}.ms.calapply.txt": ""},
            [f"raw-missing: {d.EB2}"],
            id="less raw",
        ),
        pytest.param(
            {f"{d.UID}/script/scriptForPI.py": ""},
            [
                f"not-unique: {SCRIPTS}/member.{d.MOUS}.scriptForPI.py, {SCRIPTS}/scriptForPI.py",
            ],
            id="two scripts",
        ),
        pytest.param(
            {f"{d.UID}/script/{d.EB1}.ms.scriptForCalibration.py": ""},
            [f"manual-and-pipeline: {d.UID}/script/{d.EB1}.ms.scriptForCalibration.py"],
            id="both",
        ),
        pytest.param(
            {f"{d.UID}/calibrated/{d.EB1}.ms/table.dat": ""},
            [f"calibrated-inside: {d.UID}/calibrated/{d.EB1}.ms"],
            id="calibrated",
        ),
        pytest.param(
            {f"{d.UID}/x_auxiliary.tar": ""},
            [f"tar-not-unpacked: {d.UID}/x_auxiliary.tar"],
            id="tar",
        ),
        pytest.param({"mine/log/notes.txt": ""}, ["other-tree: mine"], id="beside"),
    ],
)
def test_what_is_odd_is_noted(tmp_path, changed, notes):
    assert list(read(tmp_path, d.cycle_5() | changed).notes) == notes


def test_of_two_ous_the_directory_says_which(tmp_path):
    two = d.results(d.manifest(), d.manifest(d.EB2, ous=d.OTHER, session="session_9"))
    tree = {MANIFEST: two, f"{d.UID}/README": ""}
    found = read(tmp_path / "named", tree)
    assert (found.dataset, found.ebs) == ("uid://A001/X1465/X2f66", (d.EB1,))
    flat = {"script/pipeline_manifest.xml": two}
    found = read(tmp_path / "flat", flat)
    assert found.dataset is None
    assert found.ebs == (d.EB1, d.EB2)


def test_many_are_not_all_listed(tmp_path):
    blocks = [f"uid___A002_Xaa_X{n}" for n in range(30)]
    found = read(tmp_path, d.cycle_5() | {REQUEST: d.request(d.EB1, *blocks)})
    assert found.notes[0].endswith("and 22 more")


def test_two_members_are_not_chosen_from(tmp_path):
    other = {name.replace(d.MOUS, d.OTHER): text for name, text in d.cycle_5().items()}
    with pytest.raises(layout.DeliveryAmbiguous) as caught:
        read(tmp_path, d.cycle_5() | other)
    assert caught.value.evidence["members"] == ["uid://A001/X1465/X2f66", "uid://A001/X1465/X2f99"]
    found = layout.read_layout(tmp_path / f"2019.1.00003.S/{d.GOAL}/member.{d.OTHER}")
    assert found.dataset == "uid://A001/X1465/X2f99"
    assert found.project == "2019.1.00003.S"
    assert found.member == "."


def test_a_request_alone_names_the_blocks_of_a_shell(tmp_path):
    tree = {name: text for name, text in d.shell().items() if "/raw/" not in name}
    found = read(tmp_path, tree | {REQUEST: d.request(d.EB1, f"{d.EB2}.ms")})
    assert (found.era, found.ebs) == ("semipass-shell", (d.EB1, d.EB2))
    found = read(tmp_path, d.raw(d.UID, d.EB2))
    assert found.notes == (f"raw-missing: {d.EB1}",)


@pytest.mark.parametrize("name", ["file.tar", "absent"])
def test_a_file_or_nothing(tmp_path, name):
    (tmp_path / "file.tar").write_text("")
    with pytest.raises(scan.DeliveryNoDirectory):
        layout.read_layout(tmp_path / name)


def test_tars_alone_are_no_delivery(tmp_path):
    with pytest.raises(layout.DeliveryEmpty) as caught:
        read(tmp_path, {"x_auxiliary.tar": "", "empty/x.sdm.tar": ""})
    assert caught.value.evidence["tars"] == ["x.sdm.tar", "x_auxiliary.tar"]


@pytest.mark.parametrize("name", ["docs/README", "README.md", "README.gz", "docs/README.txt"])
def test_a_readme_of_something_else_is_no_delivery(tmp_path, name):
    with pytest.raises(layout.DeliveryEmpty):
        read(tmp_path, {name: ""})


def denied(monkeypatch, ending):
    """Tests run as root, who may read everything."""
    listed, opened = os.scandir, Path.open

    def scandir(path):
        if str(path).endswith(ending):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    def open_(self, *args, **kwargs):
        if str(self).endswith(ending):
            raise PermissionError(13, "Permission denied", str(self))
        return opened(self, *args, **kwargs)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(Path, "open", open_)


@pytest.mark.parametrize("ending", ["", "/calibration", "pipeline_manifest.xml", "pipescript.py"])
def test_what_cannot_be_read_is_not_taken_to_be_absent(tmp_path, monkeypatch, ending):
    make_tree(tmp_path, d.cycle_5())
    denied(monkeypatch, ending or str(tmp_path))
    with pytest.raises(scan.DeliveryUnreadable, match="Permission denied"):
        layout.read_layout(tmp_path)


def test_a_name_that_no_disk_takes(tmp_path):
    with pytest.raises(scan.DeliveryUnreadable, match="File name too long"):
        layout.read_layout(tmp_path / ("x" * 300))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (MANIFEST, "<a>" * 100_000),
        (MANIFEST, "<piperesults>" + "<ous/>" * 50_000 + "</piperesults>"),
        (f"{SCRIPTS}/casa_pipescript.py", "set_state(" * 100_000),
        (f"{SCRIPTS}/casa_piperestorescript.py", "hif_" * 500_000 + " " * 500_000),
        ("README", "\n" * 2_000_000),
        (REQUEST, "<x>" + "<AsdmDiskName>uid___A002_X1_</AsdmDiskName>" * 20_000 + "</x>"),
    ],
    ids=["deep", "wide", "states", "tasks", "blank", "names"],
)
def test_papers_made_to_be_slow_are_read_in_seconds(tmp_path, name, text):
    make_tree(tmp_path, {f"{SCRIPTS}/scriptForPI.py": "", name: text})
    started = time.process_time()
    layout.read_layout(tmp_path)
    assert time.process_time() - started < 5


def test_a_path_to_something_else_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(scan, "MAX_ENTRIES", 10)
    with pytest.raises(scan.DeliveryTooLarge):
        read(tmp_path, d.cycle_5())


@pytest.mark.parametrize(
    "many", [3_000, pytest.param(100_000, marks=pytest.mark.slow)], ids=["some", "100000"]
)
def test_very_many_files_take_seconds(tmp_path, many):
    make_tree(tmp_path, d.cycle_5())
    for place, ending in {"calibration": "txt", "product": "fits", "qa/html": "png"}.items():
        folder = tmp_path / d.UID / place
        folder.mkdir(exist_ok=True)
        for one in range(many // 3):
            os.mknod(f"{folder}/{one}.{ending}")
    started = time.process_time()
    found = layout.read_layout(tmp_path)
    assert time.process_time() - started < 5
    assert found.calibration is Calibration.PIPELINE
    assert len(found.products) == many // 3


def test_nothing_is_looked_at_but_names(tmp_path, monkeypatch):
    """No file of an ASDM, a table or a product is asked for its size or opened."""
    make_tree(tmp_path, d.cycle_0())
    listed, real = [], os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(str(path)) or real(path))
    make_tree(tmp_path, {f"{d.DATED}/raw/{d.EB1}.asdm.sdm/ASDMBinary/x": ""})
    make_tree(tmp_path, {f"{d.DATED}/calibrated/{d.EB1}.ms.split.cal/ANTENNA/table.dat": ""})
    assert layout.read_layout(tmp_path).raw == (f"{d.DATED}/raw/{d.EB1}.asdm.sdm",)
    assert not [path for path in listed if "ASDMBinary" in path or "ANTENNA" in path]


def test_links_lead_out_once_and_never_round(tmp_path):
    make_tree(tmp_path / "disk", {f"{d.EB1}.asdm.sdm/Main.xml": ""})
    root = make_tree(
        tmp_path / "delivery", {n: t for n, t in d.cycle_4().items() if "/raw/" not in n}
    )
    member = root / d.UID
    (member / "raw").symlink_to(tmp_path / "disk")
    (member / "script" / "round").symlink_to(root)
    (member / "calibrated").mkdir()
    (member / "calibrated" / "products").symlink_to("../calibration")
    (member / "calibrated" / "gone").symlink_to("nowhere")
    (member / "qa" / "itself").symlink_to("itself")
    found = layout.read_layout(root)
    assert found.raw == (f"{d.UID}/raw/{d.EB1}.asdm.sdm",)
    assert found.calibration is Calibration.PIPELINE
    assert found.notes == (f"raw-missing: {d.EB2}",)


@pytest.mark.parametrize(
    "name", ["NGC 1 (new); x.fits", "naïve.fits", os.fsdecode(b"caf\xe9.fits")]
)
def test_odd_names_are_kept_and_can_be_written(tmp_path, name):
    found = read(tmp_path, d.cycle_5() | {f"{d.UID}/product/{name}": ""})
    assert found.products == (f"{d.UID}/product/{name}",)
    assert document.load(Delivery, json.loads(json.dumps(document.dump(found)))) == found


def test_a_readme_in_latin_1(tmp_path):
    text = "PI name: Müller\nProject code: 2012.1.00350.S\n".encode("latin-1")
    found = read(tmp_path, {"README (1).txt": text, "README.md": "", "script/scriptForPI.py": ""})
    assert (found.readme, found.project) == ("README (1).txt", "2012.1.00350.S")
