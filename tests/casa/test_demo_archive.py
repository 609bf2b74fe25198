"""The demonstration archive, made by real CASA: what it delivers restores to what was simulated."""

from __future__ import annotations

import json
import math
import shutil
import tarfile
from pathlib import Path

import pytest

from reimage import document, fix
from reimage.casa import process
from reimage.delivery import unpack
from reimage.delivery.asdm import read_promise
from reimage.delivery.layout import read_layout
from reimage.demo.build import build_archive
from reimage.demo.datasets import datasets
from reimage.run import Limits
from reimage.settings import shipped

pytestmark = [pytest.mark.casa, pytest.mark.slow, pytest.mark.xdist_group("demo")]
LIMITS = Limits(memory_mb=4000, wall_s=300, silence_s=120)
CHECKS = str(Path(__file__).with_name("demo_checks"))
BY_LETTER = {dataset.letter: dataset for dataset in datasets()}
ARCSEC = math.pi / 180 / 3600


def _silent(event, **data):
    pass


@pytest.fixture(scope="module")
def archive(casa, cache, tmp_path_factory):
    target = tmp_path_factory.mktemp("demo") / "archive"
    build_archive(target, build=casa, cache=cache, emit=_silent)
    return target


@pytest.fixture(scope="module")
def truth(archive):
    return json.loads((archive / "truth.json").read_text())


@pytest.fixture(scope="module")
def deliveries(archive, tmp_path_factory):
    """Unpack every dataset's sound tars; give its `Delivery` by letter."""
    root, found = tmp_path_factory.mktemp("deliveries"), {}
    for letter, dataset in BY_LETTER.items():
        for tar in archive.glob(f"dataPortal/{dataset.project}_*.tar"):
            if not (dataset.cut_raw and ".asdm." in tar.name):
                unpack.unpack(tar, root / letter)
        found[letter] = read_layout(root / letter)
    return found


@pytest.fixture
def job(casa, tmp_path):
    def run(name, inputs):
        return process.run_job(
            casa, name, inputs, directory=tmp_path / Path(name).name, limits=LIMITS, emit=_silent
        )

    return run


@pytest.fixture
def check(casa, tmp_path_factory):
    def run(name, **inputs):
        directory = tmp_path_factory.mktemp(name)
        inputs = {"check": name, **inputs}
        return process.run_job(
            casa, CHECKS, inputs, directory=directory, limits=LIMITS, emit=_silent
        )

    return run


def _path(delivery, name):
    return Path(delivery.root) / name


@pytest.mark.parametrize("letter", ["a", "b", "c"])
def test_the_asdm_is_what_was_observed(letter, deliveries, check):
    block = BY_LETTER[letter].blocks[0]
    asdm = _path(deliveries[letter], deliveries[letter].raw[0])
    plan = document.dump(block.observation)
    told = check("round_trip", plan=plan, asdm=str(asdm))
    assert told["difference"] == 0 < told["largest"]
    assert told["rows"] == [read_promise(asdm).rows] * 2
    assert told["spws"] == [spw.name for spw in block.observation.spws]
    fields = [block.observation.fields[field] for field, _ in block.observation.sequence]
    assert told["fields"] == [field.name for field in fields]
    assert told["intents"] == [sorted(field.intents.split(",")) for field in fields]


def _require_truth(found, tolerance=0.01):
    for one in found:
        assert one["scale"][0] == pytest.approx(1.0, abs=tolerance), one
        assert abs(one["scale"][1]) < 2 * tolerance, one
        assert 0 < one["flagged"] < 0.15, one


def test_a_is_restored_from_its_tables(deliveries, truth, job, check, tmp_path):
    delivery, eb = deliveries["a"], truth["a"]["ebs"][0]["eb"]
    work = tmp_path / "calibrated"
    work.mkdir()
    paths = {"asdm": delivery.raw, "flagversions": delivery.flagversions}
    paths["calapply"] = delivery.calapply
    block = {key: str(_path(delivery, names[0])) for key, names in paths.items()}
    tables = [str(_path(delivery, name)) for name in delivery.caltables]
    inputs = {"work": str(work), "caltables": tables, "ebs": [{"eb": eb, **block}]}
    job("restore_tables", inputs)
    fields = truth["a"]["ebs"][0]["fields"]
    ms = str(work / f"{eb}.ms")
    _require_truth(check("calibrated", ms=ms, column="CORRECTED_DATA", fields=fields))


def _fix(name):
    found = {one.id: one for one in fix.discover((shipped("fixes"),))}
    return fix.frozen(found[name])


def _patched_copy(delivery, target):
    """Copy a delivery and apply the fix that its scripts need in modular CASA."""
    shutil.copytree(delivery.root, target)
    copy = read_layout(target)
    cure = _fix("recipes-almahelpers")
    for patch in cure.apply(copy, {}):
        (target / patch.path).write_text(patch.text)
    return target / copy.member


def test_b_dies_without_its_fix(deliveries, job, tmp_path):
    target = tmp_path / "tree"
    shutil.copytree(deliveries["b"].root, target)
    script = target / deliveries["b"].member / "script" / "scriptForPI.py"
    with pytest.raises(process.CasaJobFailed, match="No module named 'recipes'"):
        job("restore_script", {"script": str(script), "options": {}})


def test_b_is_restored_by_its_scripts(deliveries, truth, job, check, tmp_path):
    member = _patched_copy(deliveries["b"], tmp_path / "tree")
    script = str(member / "script" / "scriptForPI.py")
    assert job("restore_script", {"script": script, "options": {"SPACESAVING": 0}}) == {
        "ended": "end"
    }
    for block in truth["b"]["ebs"]:
        ms = str(member / "calibrated" / f"{block['eb']}.ms.split.cal")
        _require_truth(check("calibrated", ms=ms, column="DATA", fields=block["fields"]))


def test_the_pipelines_data_are_not_restored_by_scriptforpi_without_a_pipeline(
    deliveries, job, tmp_path
):
    target = tmp_path / "tree"
    shutil.copytree(deliveries["a"].root, target)
    script = next(target.rglob("*scriptForPI.py"))
    job("restore_script", {"script": str(script), "options": {"SPACESAVING": -1}})
    said = (tmp_path / "restore_script/stdout.log").read_text()
    assert "ERROR: Pipeline not available. Make sure you start CASA with option --pipeline" in said


def _copy_of_c(deliveries, tmp_path):
    ms = tmp_path / "c.ms"
    shutil.copytree(_path(deliveries["c"], deliveries["c"].calibrated[0]), ms)
    return str(ms)


def _sources(truth):
    return [component["direction"] for component in truth["c"]["components"]]


def test_c_has_lost_its_coordinates(deliveries, truth, check, tmp_path):
    ms = _copy_of_c(deliveries, tmp_path)
    assert check("directions", ms=ms)[2:] == [[0, 0]] * 3
    plan = document.dump(BY_LETTER["c"].blocks[0].observation)
    assert check("uvw_error", plan=plan, ms=ms) > 10
    errors = check("peak_errors", ms=ms, fields=[2, 3, 4], sources=_sources(truth))
    assert min(off for off, _ in errors) > 3600


def test_c_is_healed_by_its_pointing_table_in_every_pointing(deliveries, truth, check, tmp_path):
    ms = _copy_of_c(deliveries, tmp_path)
    healed = check("heal", ms=ms)[2:]
    for (ra, dec), (true_ra, true_dec) in zip(healed, truth["c"]["pointings"], strict=True):
        assert abs(ra - true_ra % (2 * math.pi)) < 0.1 * ARCSEC
        assert abs(dec - true_dec) < 0.1 * ARCSEC
    plan = document.dump(BY_LETTER["c"].blocks[0].observation)
    assert check("uvw_error", plan=plan, ms=ms) < 0.01
    errors = check("peak_errors", ms=ms, fields=[2, 3, 4], sources=_sources(truth))
    assert max(off for off, _ in errors) < 0.6
    assert min(snr for _, snr in errors) > 8
    fields = truth["c"]["ebs"][0]["fields"]
    _require_truth(check("calibrated", ms=ms, column="DATA", fields=fields), tolerance=0.02)


def test_the_declared_fix_finds_the_same_directions(deliveries, truth, job, check, tmp_path):
    ms = _copy_of_c(deliveries, tmp_path)
    facts = job("inspect_ms", {"ms": [ms]})
    cure = _fix("field-coordinates-zero")
    job("fix_ms", {"operations": document.dump(list(cure.apply(deliveries["c"], facts)))})
    for found, true in zip(check("directions", ms=ms)[2:], truth["c"]["pointings"], strict=True):
        assert abs(found[0] - true[0] % (2 * math.pi)) < 0.1 * ARCSEC
        assert abs(found[1] - true[1]) < 0.1 * ARCSEC


def test_the_cut_tar_of_d_is_damaged(archive):
    (tar,) = archive.glob(f"dataPortal/{BY_LETTER['d'].project}_*asdm.sdm.tar")
    with pytest.raises(unpack.ArchiveFileDamaged):
        unpack.check(tar)


def test_the_raw_data_of_e_and_f_are_whole(deliveries):
    for letter in "ef":
        (raw,) = deliveries[letter].raw
        assert read_promise(_path(deliveries[letter], raw)).rows == 8 * 15 * 2


def test_no_delivered_table_knows_where_it_was_made(archive, cache):
    """Calibration tables keep the path of their MS: it must be a bare name."""
    for tar in archive.glob("dataPortal/*_auxiliary.tar"):
        with tarfile.open(tar) as outer:
            for member in outer:
                if member.name.endswith((".tgz", ".txt")):
                    stream = outer.extractfile(member)
                    assert str(cache).encode() not in stream.read()
