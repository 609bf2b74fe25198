"""What the imaging job makes of MSs that are ill, and of what the PI asked for: one small MS, changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from astropy.io import fits

from reimage import document
from reimage.casa import process
from reimage.errors import ReimageError
from reimage.imaging import bad_input, engines
from reimage.imaging.request import ImagingMs, ImagingRequest
from reimage.model import ProductState
from reimage.recipes.load import load_recipe, override
from reimage.recipes.plan import PlanEmpty
from reimage.run import Limits
from tests.casa import kinds

pytestmark = [pytest.mark.casa, pytest.mark.slow, pytest.mark.xdist_group("imaging-heuristics")]

JOB = str(Path(__file__).with_name("alter_ms"))
LIMITS = Limits(memory_mb=4000, wall_s=300, silence_s=200)
LISTS = [{"specmode": mode} for mode in ("mfs", "cont", "repBW", "cube")]
NO_LIMITS = {"maxcubesize": -1, "maxcubelimit": -1, "maxproductsize": -1}
ILLS = {
    "no-intents": ([["rename_intents", "CALIBRATE_PHASE#ON_SOURCE"]], "imaging-no-targets"),
    "unnamed-intents": ([["rename_intents", ""]], "imaging-no-targets"),
    "foreign": ([["telescope", "EVLA"]], "imaging-foreign-telescope"),
    "no-source": ([["drop_subtable", "SOURCE"]], "imaging-subtable-missing"),
    "lost-source": ([["lose_subtable", "SOURCE"]], "imaging-subtable-missing"),
    "lost-state": ([["lose_subtable", "STATE"]], "imaging-subtable-missing"),
    "lost-spws": ([["lose_subtable", "SPECTRAL_WINDOW"]], "imaging-subtable-missing"),
    "cut-data": ([["cut_column", "CORRECTED_DATA"]], "imaging-ms-damaged"),
    "no-column": ([["drop_column", "CORRECTED_DATA"]], "imaging-column-missing"),
    "cut-flags": ([["cut_column", "FLAG"]], "imaging-ms-damaged"),
    "cut-table": ([["cut_file", "table.dat"]], "imaging-ms-damaged"),
    "cut-field": ([["cut_file", "FIELD/table.dat"]], "imaging-ms-damaged"),
    "no-table": ([["lose_file", "table.dat"]], "imaging-not-an-ms"),
    "empty": ([["empty"]], "imaging-no-rows"),
}
GOALS = [
    "representativeSource = Sim_One",
    "representativeFrequency = 99.0 GHz",
    "representativeBandwidth = 150.0 MHz",
]
RESOLUTION = ["minAcceptableAngResolution = {} arcsec", "maxAcceptableAngResolution = {} arcsec"]


def resolution(low, high):
    return [RESOLUTION[0].format(low), RESOLUTION[1].format(high)]


WELL = {
    "asked": [["goals", GOALS + resolution(3.0, 60.0)]],
    "coarse": [["goals", GOALS + resolution(30.0, 60.0)]],
    "fine": [["goals", GOALS + resolution(0.1, 0.2)]],
    "continuum": [["goals", [*GOALS[:2], "representativeBandwidth = 3.75 GHz"]]],
    "smoothed": [["goals", GOALS], ["smooth", 2.667]],
    "mixed": [["dishes", 7.0, 3]],
    "narrow": [["flag", "mode='manual' spw='1:0~20'"]],
    "odd": [["dishes", 7.0, 3], ["flag", "mode='manual' spw='1:0~20'"]],
    "flagged": [["flag", "mode='manual' field='Sim_One'"]],
}


def silent(*_, **__):
    pass


@pytest.fixture(scope="module")
def altered(casa, cache, tmp_path_factory):
    """Make every copy in one CASA process; give the directory."""
    (source,) = kinds.make(kinds.single(), casa, cache).ms
    copies = {**{name: changes for name, (changes, _) in ILLS.items()}, **WELL}
    directory = tmp_path_factory.mktemp("altered")
    inputs = {"source": str(source), "copies": copies}
    process.run_job(casa, JOB, inputs, directory=directory, limits=LIMITS, emit=silent)
    return directory / "out"


@pytest.fixture
def prepare(casa, tmp_path):
    """Give a function that runs the first job of imaging on an MS."""

    def call(ms, column="corrected", **other):
        inputs = {
            "ms": [{"eb": "uid___A002_X901_X1", "path": str(ms), "column": column}],
            "ms_directory": str(tmp_path),
            "scratch": str(tmp_path / "trial"),
            "mstransform": {},
            "flagtargets": False,
            "robust": 0.5,
            "lists": LISTS,
            **other,
        }
        return process.run_job(
            casa,
            "image_prepare",
            inputs,
            directory=tmp_path / "job",
            limits=LIMITS,
            emit=silent,
            writable=tmp_path,
        )

    return call


@pytest.mark.parametrize("ill", sorted(ILLS))
def test_ills_have_a_code(altered, prepare, ill):
    with pytest.raises(process.CasaJobFailed) as raised:
        prepare(altered / f"{ill}.ms")
    error = bad_input.coded(raised.value)
    assert error.code == ILLS[ill][1]
    assert error.hint
    assert ": " not in error.message.split()[0]


def test_what_is_not_there_is_no_ms(altered, prepare):
    with pytest.raises(process.CasaJobFailed) as raised:
        prepare(altered / "nothing.ms")
    assert isinstance(bad_input.coded(raised.value), bad_input.ImagingNotAnMs)


@pytest.mark.imaging
def test_robust_follows_the_resolution(altered, prepare):
    found = prepare(altered / "asked.ms", imageprecheck=True)
    beams = found["precheck"]["beams"]
    areas = [beams[robust][0] * beams[robust][1] for robust in ("0", "0.5", "1", "2")]
    assert areas == sorted(areas)
    assert found["robust"] == 0.5
    assert found["repbw"] == {
        "target": "Sim_One",
        "spw": 0,
        "nbin": 5,
        "bandwidth_hz": 150e6,
        "channel_hz": pytest.approx(31.25e6),
    }
    (target,) = found["targets"]
    assert target["own"]["repBW"]["axes"]["0"]["nbin"] == 5
    assert target["own"]["repBW"]["axes"]["0"]["nchan"] == pytest.approx(60 / 5 - 2, abs=1)


@pytest.mark.parametrize(("name", "robust"), [("coarse", 2.0), ("fine", 0.0)])
@pytest.mark.imaging
def test_robust_out_of_reach(altered, prepare, name, robust):
    found = prepare(altered / f"{name}.ms", imageprecheck=True)
    assert found["robust"] == robust
    assert f"robust-{robust:g}" in found["caveats"]
    key = f"{robust:g}"
    beam = found["targets"][0]["geometry"]["beam"]
    if found["precheck"]["spw"] == found["targets"][0]["geometry"]["beam_spw"]:
        assert found["precheck"]["beams"][key] == [beam["major"], beam["minor"]]


@pytest.mark.imaging
def test_without_the_step_robust_is_the_recipes(altered, prepare):
    found = prepare(altered / "coarse.ms", robust=1.0)
    assert found["robust"] == 1.0
    assert found["precheck"] is None


@pytest.mark.imaging
def test_robust_of_one_list_changes_no_other(altered, prepare):
    lists = [{"specmode": "mfs"}, {"specmode": "repBW"}, {"specmode": "cube", "robust": 2.0}]
    found = prepare(altered / "fine.ms", imageprecheck=True, lists=lists)
    assert found["robust"] == found["precheck"]["robust"] == 0.0
    (target,) = found["targets"]
    assert "mfs" not in target["own"]
    shared, cube = target["geometry"], target["own"]["cube"]
    assert cube["geometry"]["beam"]["minor"] > 1.1 * shared["beam"]["minor"]
    assert cube["geometry"]["cell_arcsec"] > shared["cell_arcsec"]
    for spw, known in cube["sensitivity"].items():
        (whole,), (own,) = target["sensitivity"][spw]["ebs"].values(), known["ebs"].values()
        assert own["jy_beam"] < whole["jy_beam"]  # natural weights are the deepest
        assert "remembered" not in own


@pytest.mark.imaging
def test_continuum_goals_need_no_cube_of_their_own(altered, prepare):
    found = prepare(altered / "continuum.ms", imageprecheck=True)
    assert found["precheck"]["mode"] == "all_spw"
    assert found["repbw"] is None
    assert found["robust"] == 0.5


@pytest.mark.imaging
def test_smoothed_channels_are_noisier_than_they_look(altered, prepare):
    found = prepare(altered / "smoothed.ms")
    (target,) = found["targets"]
    for spw in ("0", "1"):
        (whole,) = target["sensitivity"][spw]["ebs"].values()
        assert whole["smoothing"] == pytest.approx(2.667)


@pytest.mark.imaging
def test_two_dish_sizes(altered, prepare):
    found = prepare(altered / "mixed.ms", imageprecheck=True)
    (eb,), (target,) = found["ebs"], found["targets"]
    assert eb["antenna"] == "0,1,2,3,4,5,6,7,8&"
    assert eb["mixed"]
    assert found["array"] == "12m"
    assert target["geometry"]["gridder"] == "mosaic"
    assert target["geometry"]["mosweight"]


@pytest.mark.imaging
def test_spw_with_three_channels_left(altered, prepare):
    found = prepare(altered / "narrow.ms")
    (target,) = found["targets"]
    assert target["too_few"] == [1]
    assert target["axes"]["1"] is None
    assert target["axes"]["0"]["nchan"] > 50


@pytest.mark.imaging
def test_the_7m_array(casa, cache, prepare):
    (source,) = kinds.make(kinds.seven_metre(), casa, cache).ms
    found = prepare(source, "data", imageprecheck=True)
    assert found["array"] == "7m"
    assert found["robust"] == 0.5
    (eb,) = found["ebs"]
    assert eb["diameter_m"] == 7.0
    assert eb["antenna"].count(",") == 9
    assert not eb["mixed"]


def narrow_line():
    """One spw of 480 channels, which the correlator may have smoothed."""
    plan = kinds.observation((kinds.MAIN,), (kinds.spw(1, 99.0, 480, 937.5),), cycles=2)
    return (kinds.Eb(eb="uid___A002_X920_X1", plan=plan),)


@pytest.mark.imaging
def test_smoothed_channels_are_binned_when_the_cube_is_too_large(casa, cache, tmp_path):
    (source,) = kinds.make(narrow_line(), casa, cache).ms
    process.run_job(
        casa,
        JOB,
        {"source": str(source), "copies": {"smoothed": [["smooth", 2.667]]}},
        directory=tmp_path,
        limits=LIMITS,
        emit=silent,
    )
    words = ["checkproductsize.maxcubesize=0.02", "checkproductsize.maxcubelimit=0.03"]
    words += [f"makeimages-{mode}.hm_masking=none" for mode in ("mfs", "cont", "cube")]
    made = image(tmp_path / "out" / "smoothed.ms", casa, tmp_path, words, column="data")
    assert "mitigated-nbin" in made.caveats
    (cube,) = [p for p in made.products if p.specmode == "cube" and p.kind == "pbcor"]
    assert cube.state is ProductState.MITIGATED
    header = fits.getheader(tmp_path / cube.path)
    width = 937.5e6 / 480
    assert header["CDELT3"] == pytest.approx(2 * width, rel=1e-3)
    assert header["NAXIS3"] == pytest.approx(480 / 2 - 2, abs=2)
    assert header["MODIFIER"] == "binned2"
    assert header["EFFBW"] == pytest.approx((2 + 1.12 * 478 / 480) * width)
    (record,) = (tmp_path / "image" / "records").glob("*.cube.*.json")
    numbers = document.read_json(record)["numbers"]
    assert numbers["parameters"]["interpolation"] == "nearest"
    facts = document.read_json(tmp_path / "image" / "prepared.json")["facts"]
    (whole,) = facts["targets"][0]["sensitivity"]["0"]["ebs"].values()
    factor = (2 * 2.667 / (2 + 1.12 * 478 / 480)) ** 0.5
    expected = whole["jy_beam"] * (480 / 2) ** 0.5 * factor
    assert numbers["sensitivity"] == pytest.approx(expected)


@pytest.mark.imaging
def test_what_a_list_states_itself(altered, prepare):
    stated = [
        {"specmode": "mfs", "hm_cell": "1.5arcsec", "hm_imsize": "90"},
        {"specmode": "cont", "hm_cell": "4ppb", "hm_imsize": "0.5pb"},
        {"specmode": "cube", "nbins": "0:3,*:2", "uvtaper": "8arcsec"},
    ]
    (target,) = prepare(altered / "asked.ms", lists=stated)["targets"]
    mfs, cont, cube = (target["own"][one["specmode"]] for one in stated)
    usual = target["geometry"]
    assert mfs["geometry"]["cell_arcsec"] == 1.5
    assert mfs["geometry"]["imsize"] == [90, 90]
    assert cont["geometry"]["cell_arcsec"] == pytest.approx(usual["beam"]["minor"] / 4, rel=0.06)
    assert cont["geometry"]["imsize"] < usual["imsize"]
    assert cube["geometry"]["beam"]["minor"] > 1.5 * usual["beam"]["minor"]
    assert {spw: axis["nbin"] for spw, axis in cube["axes"].items()} == {"0": 3, "1": 2}
    assert cube["axes"]["0"]["width_hz"] == pytest.approx(3 * target["axes"]["0"]["width_hz"])
    (tapered,) = cube["sensitivity"]["0"]["ebs"].values()
    (full,) = target["sensitivity"]["0"]["ebs"].values()
    assert tapered["jy_beam"] > full["jy_beam"]


@pytest.mark.imaging
def test_odd_data_are_imaged_as_far_as_they_go(altered, casa, tmp_path):
    """Two dish sizes, and an spw with three channels left: its cube is absent, and says why."""
    made = image(altered / "odd.ms", casa, tmp_path, QUICK)
    absent = [p for p in made.products if p.image and p.state is ProductState.ABSENT]
    assert {(p.specmode, p.spws) for p in absent} == {("cube", "1")}
    assert all("too-few-channels" in p.reason for p in absent)
    (record,) = (tmp_path / "image" / "records").glob("*.spw0.mfs.*.json")
    parameters = document.read_json(record)["numbers"]["parameters"]
    assert parameters["gridder"] == "mosaic"
    assert parameters["antenna"] == ["0,1,2,3,4,5,6,7,8&"]


@pytest.mark.imaging
def test_everything_flagged(altered, prepare):
    found = prepare(altered / "flagged.ms", imageprecheck=True)
    (target,) = found["targets"]
    assert target["flagged"] == [0, 1]
    assert "geometry" not in target


@pytest.mark.parametrize(
    ("limits", "steps", "error"),
    [
        ({"maxcubesize": 1.0}, [], None),
        ({"maxcubesize": 0.0035, "maxcubelimit": 0.02}, ["field"], None),
        ({"maxcubesize": 0.0007, "maxcubelimit": 0.02}, ["field", "cell"], None),
        ({"maxcubesize": 0.0001, "maxcubelimit": 0.0002}, ["field", "cell"], "the largest cube"),
        ({"maxproductsize": 0.0001}, ["cubes"], "all products"),
    ],
)
@pytest.mark.imaging
def test_mitigation(altered, prepare, limits, steps, error):
    found = prepare(altered / "asked.ms", checkproductsize={**NO_LIMITS, **limits})
    mitigation, (target,) = found["mitigation"], found["targets"]
    assert mitigation["steps"] == steps
    assert (mitigation["error"] or "").startswith(error or "")
    assert bool(mitigation["error"]) == bool(error)
    geometry = target["geometry"]
    assert geometry["pb_level"] == mitigation["pb_level"]
    assert geometry["pixels_per_beam"] == (3.0 if "cell" in steps else 5.0)
    nx, ny = geometry["imsize"]
    assert mitigation["sizes_gb"]["cube"] == pytest.approx(4 * nx * ny * 60 / 1e9)
    for step in steps:
        assert f"mitigated-{step}" in found["caveats"]


def image(ms, casa, directory, words, column="corrected"):
    (directory / "image").mkdir()
    return engines.make(
        ImagingRequest(
            ms=(ImagingMs(eb="uid___A002_X901_X1", path=ms, column=column),),
            recipe=override(load_recipe("hifa-image"), words),
            dataset="uid://A001/X1/X2",
            root=directory,
            directory=directory / "image",
            build=casa,
            limits=LIMITS,
            emit=silent,
        )
    )


QUICK = [f"makeimages-{mode}.hm_masking=none" for mode in ("mfs", "cont", "repBW", "cube")]


def test_mitigated_images_are_made_and_say_so(altered, casa, tmp_path):
    """A smaller field, coarser cells, and a cube at the bandwidth that was asked for."""
    words = ["checkproductsize.maxcubesize=0.0007", "checkproductsize.maxcubelimit=0.02"]
    made = image(altered / "asked.ms", casa, tmp_path, [*words, *QUICK])
    assert {"mitigated-field", "mitigated-cell"} <= set(made.caveats)
    images = [product for product in made.products if product.image]
    assert {product.specmode for product in images} == {"mfs", "cont", "cube", "repBW"}
    assert {product.state for product in images} <= {ProductState.MADE, ProductState.MITIGATED}
    (repbw,) = [p for p in images if p.specmode == "repBW" and p.kind == "pbcor"]
    (cube,) = [p for p in images if p.specmode == "cube" and p.spws == "0" and p.kind == "pbcor"]
    wide, usual = (fits.getheader(tmp_path / one.path) for one in (repbw, cube))
    assert wide["CDELT3"] == pytest.approx(5 * usual["CDELT3"])
    assert wide["MODIFIER"] == "binned5"
    assert usual["NAXIS1"] * usual["NAXIS2"] * 60 * 4 <= 0.0007e9


@pytest.mark.imaging
def test_images_that_stay_too_large_are_an_error(altered, casa, tmp_path):
    words = ["checkproductsize.maxcubesize=0.0001", "checkproductsize.maxcubelimit=0.0002"]
    with pytest.raises(bad_input.ProductSizeUnmitigable) as raised:
        image(altered / "asked.ms", casa, tmp_path, words)
    reasons = raised.value.evidence["reasons"]
    assert len(reasons) == 6  # two spws in mfs and cube, their continuum, the representative cube
    assert all("product-size-unmitigable" in reason for reason in reasons.values())


@pytest.mark.imaging
def test_a_selection_of_nothing_is_an_empty_plan(altered, casa, tmp_path):
    recipe = load_recipe("hifa-image")
    lists = [step.id for step in recipe.steps if step.task == "hif_makeimlist"]
    with pytest.raises(PlanEmpty):
        image(altered / "asked.ms", casa, tmp_path, [f'{name}.field="NOPE"' for name in lists])


def test_ills_come_out_of_the_engine_with_their_code(altered, casa, tmp_path):
    with pytest.raises(ReimageError) as raised:
        image(altered / "cut-data.ms", casa, tmp_path, QUICK)
    assert raised.value.code == "imaging-ms-damaged"
