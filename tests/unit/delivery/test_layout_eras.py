"""What is read of a delivery of every era: the truth table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import delivered as d
import pytest
from making import make_tree

from reimage.delivery import eras, layout, refusal
from reimage.model import Calibration

P, M, D, N = (
    Calibration.PIPELINE,
    Calibration.MANUAL,
    Calibration.DELIVERED,
    Calibration.NONE,
)
MOUS = "uid://A001/X1465/X2f66"
ONE, BOTH = (d.EB1,), (d.EB1, d.EB2)


@dataclass(frozen=True, kw_only=True)
class Row:
    """What is read of a tree; most are of one EB, below directories named by uid."""

    tree: dict[str, str]
    layout: str = "uid"
    era: str
    calibration: Calibration
    ebs: tuple[str, ...] = ONE
    dataset: str | None = MOUS
    project: str | None = "2019.1.00003.S"
    procedure: str | None = None
    notes: tuple[str, ...] = ()


def only(tree, *parts):
    return {name: text for name, text in tree.items() if any(part in name for part in parts)}


CAL = "hifa_calimage"
OLD = "2012.1.00350.S"


def prefixed(tree, *notes):
    """A delivery of Cycle 5 to 9 that is whole."""
    return Row(tree=tree, era="cycle-5-9-pipeline", calibration=P, procedure=CAL, notes=notes)


TRUTH = {
    "cycle 0, dated": Row(
        tree=d.cycle_0(),
        layout="dated",
        era="cycle-0",
        calibration=D,
        dataset=None,
        project="2011.0.00511.S",
    ),
    "cycle 0, not dated": Row(
        tree=d.cycle_0_named(),
        layout="named",
        era="cycle-0",
        calibration=D,
        dataset=None,
        project=OLD,
    ),
    "manual, old tree": Row(
        tree=d.manual(),
        layout="named",
        era="cycle-1-4-manual",
        calibration=M,
        ebs=BOTH,
        dataset=None,
        project=OLD,
    ),
    "manual, packed anew by the archive": Row(
        tree=d.manual(d.UID), era="cycle-1-4-manual", calibration=M, ebs=BOTH
    ),
    "manual, below group_obs_unit_set": Row(
        tree=d.manual(d.BULK),
        era="cycle-1-4-manual",
        calibration=M,
        ebs=BOTH,
        project="2013.1.00001.S",
    ),
    "manual, prefixed": Row(tree=d.manual_prefixed(), era="cycle-5-12-manual", calibration=M),
    "pipeline, tar.gz": Row(
        tree=d.tar_gz(),
        layout="named",
        era="cycle-2-3-pipeline",
        calibration=P,
        project=OLD,
    ),
    "pipeline, tar.gz, no dot before the session": Row(
        tree=d.tar_gz(dot=""),
        layout="named",
        era="cycle-2-3-pipeline",
        calibration=P,
        project=OLD,
    ),
    "pipeline, tgz without prefix": Row(
        tree=d.cycle_4(), era="cycle-4-pipeline", calibration=P, ebs=BOTH
    ),
    "pipeline, flattened by its user": Row(
        tree=d.cycle_4("tar"),
        layout="flat",
        era="cycle-4-pipeline",
        calibration=P,
        ebs=BOTH,
        project="2016.1.01435.S",
    ),
    "pipeline, prefixed": prefixed(d.cycle_5()),
    "pipeline, odd manifest name": prefixed(d.cycle_5(odd=".calimage")),
    "pipeline, prefixed, given by an ARC in an old tree": Row(
        tree=d.cycle_5(prefix="2017.1.00017.S/sg_ouss_id/group_ouss_id/member_ouss_id"),
        layout="named",
        era="cycle-5-9-pipeline",
        calibration=P,
        procedure=CAL,
        project="2017.1.00017.S",
    ),
    "pipeline, cycle 12": Row(
        tree=d.cycle_12(),
        era="cycle-10-12-pipeline",
        calibration=P,
        procedure=CAL,
    ),
    "pipeline, cycle 12, renormalised": Row(
        tree=d.cycle_5(session="s1", procedure="hifa_calimage_NOrenorm"),
        era="cycle-10-12-pipeline",
        calibration=P,
        procedure="hifa_calimage_NOrenorm",
    ),
    "total power, pipeline": Row(
        tree=d.total_power(),
        era="total-power",
        calibration=N,
        procedure="hsd_calimage",
    ),
    "total power, by hand": Row(
        tree=d.total_power_by_hand(), era="total-power", calibration=N, ebs=()
    ),
    "total power, told by the script alone": Row(
        tree=d.total_power_unprefixed(),
        layout="named",
        era="total-power",
        calibration=N,
        project=OLD,
    ),
    "semipass shell": Row(tree=d.shell(), era="semipass-shell", calibration=N, ebs=BOTH),
    "only the auxiliary tar": prefixed(
        {name: text for name, text in d.cycle_5().items() if "/raw/" not in name}
    ),
    "only raw": Row(tree=d.raw(d.UID, d.EB1, d.EB2), era="raw-only", calibration=N, ebs=BOTH),
    "only raw, loose": Row(
        tree={f"{d.EB1}.asdm.sdm/Main.xml": ""},
        layout="flat",
        era="raw-only",
        calibration=N,
        dataset=None,
        project=None,
    ),
    "only a README": Row(
        tree={f"member.{d.MOUS}.README.txt": "Project code: 2015.1.00077.S\n"},
        layout="flat",
        era="readme-only",
        calibration=N,
        ebs=(),
        project="2015.1.00077.S",
    ),
    "only products": Row(
        tree={f"{d.UID}/product/{d.MOUS}.x.pbcor.fits": ""},
        era="products-only",
        calibration=N,
        ebs=(),
    ),
    "only the script directory": Row(
        tree=only(d.cycle_5(), "/script/"),
        era="cycle-5-9-pipeline",
        calibration=N,
        procedure=CAL,
    ),
    "only what is in the script directory": Row(
        tree={
            name.rpartition("/")[2]: text
            for name, text in only(d.manual(), "scriptForCalibration").items()
        },
        layout="flat",
        era="cycle-1-4-manual",
        calibration=M,
        ebs=BOTH,
        dataset=None,
        project=None,
    ),
    "only the calibration directory": Row(
        tree=only(d.cycle_4(), "/calibration/"),
        era="cycle-4-pipeline",
        calibration=N,
        ebs=BOTH,
    ),
    "only the restore script": Row(
        tree=only(d.cycle_4(), "casa_piperestorescript"),
        era="cycle-2-4-pipeline",
        calibration=N,
        ebs=(),
    ),
    "only the restore script, prefixed": Row(
        tree=only(d.cycle_5(), "casa_piperestorescript"),
        era="cycle-5-12-pipeline",
        calibration=N,
        ebs=(),
        procedure=CAL,
    ),
    "only flag versions": Row(
        tree=only(d.cycle_4(), "flagversions"),
        era="pipeline",
        calibration=N,
        ebs=BOTH,
    ),
    "only logs and reports": Row(
        tree=only(d.cycle_4(), "/log/", "/qa/") | {f"{d.UID}/README": ""},
        era="partial",
        calibration=N,
        ebs=(),
    ),
    "only calibrated data, given by an ARC": Row(
        tree={f"{d.UID}/calibrated/{d.EB1}.ms/table.dat": ""},
        era="calibrated-only",
        calibration=D,
    ),
    "unpacked inside another directory": prefixed(
        {f"deep/er/{name}": text for name, text in d.cycle_5().items()}
    ),
    "auxiliary unpacked inside the product tree": prefixed(
        {f"{d.UID}/product/x.pbcor.fits": ""}
        | {f"{d.UID}/product/{name}": text for name, text in d.cycle_5().items()},
        f"nested-tree: {d.UID}",
    ),
    "either case of letters": Row(
        tree=d.shouting(),
        era="cycle-4-pipeline",
        calibration=P,
        project="2016.1.01435.S",
    ),
    "empty directories of a prefix": prefixed(d.cycle_5()),
}


@pytest.mark.parametrize("case", TRUTH)
def test_truth(case, tmp_path):
    row = TRUTH[case]
    make_tree(tmp_path, row.tree)
    if case == "empty directories of a prefix":
        (tmp_path / f"2019.1.00003.S/{d.GOAL}/member.{d.OTHER}/calibration").mkdir(parents=True)
    found = layout.read_layout(tmp_path)
    assert (found.layout, found.era, found.calibration) == (row.layout, row.era, row.calibration)
    assert found.ebs == row.ebs
    assert (found.dataset, found.project) == (row.dataset, row.project)
    assert found.procedure == row.procedure
    assert found.notes == row.notes
    assert found.is_total_power == (row.era == "total-power")


def test_every_era_is_documented_and_in_the_table():
    documented = re.findall(r"^((?:[a-z0-9-]+, )*[a-z0-9-]+) {2,}\S", eras.__doc__, re.MULTILINE)
    named = {one for line in documented for one in line.split(", ")}
    assert named == {row.era for row in TRUTH.values()}


def test_what_is_named_is_there(tmp_path):
    """Every path of every delivery is a file or directory below its root, and in no field twice."""
    for case, row in TRUTH.items():
        root = make_tree(tmp_path / case, row.tree)
        found = layout.read_layout(root)
        for field in ("raw", "scripts", "caltables", "pprs", "qa", "weblogs", "logs", "other"):
            paths = getattr(found, field)
            assert len(set(paths)) == len(paths)
            assert all((root / path).exists() for path in paths)


LISTINGS = Path(__file__).parents[2] / "corpus" / "deliveries"


def listed(name, prefix=""):
    """Return the tree of a real delivery, from the list of its files."""
    lines = (LISTINGS / f"{name}.txt").read_text().splitlines()
    names = [line for line in lines if line and not line.startswith("#")]
    made = (f"{one}/Main.xml" if one.endswith(".asdm.sdm") else one for one in names)
    return {prefix + one: "" for one in made}


@pytest.mark.parametrize(
    ("name", "era", "dataset", "n_ebs"),
    [
        ("2016.1.01435.S", "cycle-4-pipeline", "uid://A001/X87c/X69", 1),
        ("2017.1.01185.S", "cycle-5-12-manual", "uid://A001/X12a3/Xe9", 4),
    ],
)
def test_real_deliveries(tmp_path, name, era, dataset, n_ebs):
    found = layout.read_layout(make_tree(tmp_path, listed(name)))
    assert (found.layout, found.era) == ("flat", era)
    assert found.calibration is (P if era.endswith("pipeline") else M)
    assert (found.dataset, len(found.ebs), found.is_total_power) == (dataset, n_ebs, False)
    assert found.script_for_pi
    assert [note.partition(":")[0] for note in found.notes] == ["request-not-xml"] * len(found.pprs)


@pytest.mark.parametrize("case", [name for name, row in TRUTH.items() if row.calibration is N])
def test_what_cannot_be_restored_is_refused(case, tmp_path):
    found = layout.read_layout(make_tree(tmp_path, TRUTH[case].tree))
    expected = refusal.NoRecipe if found.is_total_power else refusal.NothingToRestore
    if found.era == "readme-only":
        expected = layout.DeliveryEmpty
    with pytest.raises(expected):
        refusal.refuse_by_delivery(found)


def test_the_scripts_are_told_apart(tmp_path):
    found = layout.read_layout(make_tree(tmp_path, d.cycle_5()))
    stem = f"{d.UID}/script/member.{d.MOUS}"
    assert found.script_for_pi == f"{stem}.scriptForPI.py"
    assert found.piperestore == f"{stem}.hifa_calimage.casa_piperestorescript.py"
    assert found.pipescripts == (f"{stem}.hifa_calimage.casa_pipescript.py",)
    assert found.pprs == (f"{stem}.hifa_calimage.pprequest.xml",)
    assert found.manifests == (f"{stem}.hifa_calimage.pipeline_manifest.xml",)
    assert found.weblogs == (f"{d.UID}/qa/member.{d.MOUS}.hifa_calimage.weblog.tgz",)
    assert found.logs == (f"{stem}.hifa_calimage.casa_commands.log",)
    assert found.calibration_scripts == ()
    assert found.caltables == (f"{d.UID}/calibration/member.{d.MOUS}.session_1.caltables.tgz",)


def test_the_procedure_that_calibrates_is_the_one(tmp_path):
    """Two manifests and scripts: the imaging was run by itself."""
    stem = f"{d.UID}/script/member.{d.MOUS}.hifa_image"
    tree = d.cycle_5(procedure="hifa_cal") | {
        f"{stem}.casa_piperestorescript.py": "",
        f"{stem}.pipeline_manifest.xml": d.results(d.manifest(procedure="hifa_image")),
    }
    found = layout.read_layout(make_tree(tmp_path, tree))
    assert found.procedure == "hifa_cal"
    assert found.piperestore.endswith("hifa_cal.casa_piperestorescript.py")
    assert [note.partition(":")[0] for note in found.notes] == ["not-unique"]
