"""What jobs choose without asking CASA: spws that are the same, what is subtracted, what a header says."""

from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path

import pytest

import reimage.casa

JOBS = Path(reimage.casa.__file__).parent / "jobs"
NAMES = {path.stem for path in JOBS.glob("*.py")}


class Importable(types.ModuleType):
    """A package of CASA that can be imported from and does nothing: nothing of it is called here."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return types.SimpleNamespace(__name__=name)


@pytest.fixture
def job(monkeypatch):
    """Import modules of jobs where there is no CASA; none of them stays."""
    before = dict(sys.modules)
    for name in NAMES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    for name in ("casatasks", "casatools"):
        monkeypatch.setitem(sys.modules, name, Importable(name))
    monkeypatch.setattr(sys, "argv", ["job"])
    yield importlib.import_module
    for name in NAMES:
        sys.modules.pop(name, None)
        if name in before:
            sys.modules[name] = before[name]


def spw(number, name, low, high, nchan=128):
    return {
        "id": number,
        "name": name,
        "nchan": nchan,
        "low_hz": low * 1e9,
        "high_hz": high * 1e9,
        "mean_hz": (low + high) / 2 * 1e9,
        "channel_hz": (high - low) * 1e9 / nchan,
        "smoothing": 1.0,
        "ascending": True,
    }


# --- the spws of several execution blocks -----------------------------------------------------------------


def numbered(job, *per_eb):
    ebs = [{"eb": f"eb{n}"} for n in range(len(per_eb))]
    described = {eb["eb"]: list(own) for eb, own in zip(ebs, per_eb, strict=True)}
    spws = job("_split").number_spws(ebs, described)
    return spws, [eb["spws"] for eb in ebs]


def test_spws_are_the_same_by_name_whatever_their_numbers(job):
    first = [spw(17, "BB_1", 100, 102), spw(19, "BB_2", 102, 104)]
    second = [spw(21, "BB_2", 102, 104), spw(23, "BB_1", 100, 102)]
    assert numbered(job, first, second)[1] == [{17: 17, 19: 19}, {17: 23, 19: 21}]


def test_a_spw_that_another_block_lacks_does_not_take_its_neighbour(job):
    first = [spw(17, "BB_1", 100, 102), spw(19, "BB_2", 100.8, 102.8)]
    second = [spw(17, "BB_1", 100, 102)]
    assert numbered(job, first, second)[1] == [{17: 17, 19: 19}, {17: 17}]


def test_two_spws_never_share_one_of_another_block(job):
    first = [spw(1, "", 100, 102), spw(2, "", 100.6, 102.6)]
    second = [spw(5, "", 100.1, 102.1)]
    spws, (_, later) = numbered(job, first, second)
    assert later == {1: 5}
    assert [one["id"] for one in spws] == [1, 2]


def test_a_wide_spw_is_not_a_narrow_one_of_as_many_channels_about_the_same_line(job):
    narrow, wide = spw(17, "a", 100.9, 101.02, 1920), spw(3, "b", 100, 101.9, 1920)
    spws, (_, later) = numbered(job, [narrow], [wide])
    assert later == {18: 3}
    assert [one["name"] for one in spws] == ["a", "b"]


def test_names_that_were_given_anew_do_not_hide_what_is_the_same(job):
    first = [spw(17, "X1#BB_1", 100, 102), spw(19, "X1#BB_2", 102, 104)]
    second = [spw(17, "X2#BB_1", 100.01, 102.01), spw(19, "X2#BB_2", 102.01, 104.01)]
    assert numbered(job, first, second)[1] == [{17: 17, 19: 19}] * 2


# --- continuum ----------------------------------------------------------------------------------------------


def facts():
    """Give one EB with a target that is imaged, one that moves, and one whose data are flagged."""
    here = {"pointings": 1, "ephemeris": False, "flagged": [], "spws": [0], "own": {}}
    axis = {"start_hz": 100e9, "width_hz": 1e6, "nchan": 100, "nbin": 1}
    targets = [
        dict(
            here,
            name="M51",
            directions=[(1.0, 0.0)],
            axes={"0": axis},
            geometry={"central": 0, "imsize": [100, 100]},
        ),
        dict(here, name="Mars", axes={}, ephemeris=True),
        dict(here, name="lost", axes={}, flagged=[0]),
    ]
    own = spw(0, "BB_1", 100, 102)
    eb = {
        "eb": "eb0",
        "ms": "/x/eb0_targets.ms",
        "line_ms": "/x/eb0_targets.ms",
        "fields": {"M51": [0], "Mars": [1], "lost": [2]},
        "directions": {"M51": [(1.0, 0.0)], "lost": [(2.0, 0.0)]},
        "spws": {0: 0},
        "described": {"0": own},
        "mixed": False,
    }
    return {"ebs": [eb], "spws": [own], "targets": targets, "array": "12m"}


def test_a_given_cont_dat_may_name_targets_that_are_not_imaged(job, monkeypatch):
    monkeypatch.setattr(job("_axes"), "topo_selection", lambda *_: ("100.1~100.2GHz", 10))
    continuum = {(name, 0): [[100.1e9, 100.2e9]] for name in ("M51", "Mars", "lost")}
    maker = job("_clean").Imager(facts(), continuum, set(), {})
    (eb,) = maker.facts["ebs"]
    spec = job("_continuum").fits_of({"uvcontsub": {"fitorder": 1}}, eb, maker, [])
    assert spec == {"0": {"0": {"chan": "100.1~100.2GHz", "fitorder": 1}}, "1": "NONE", "2": "NONE"}


@pytest.mark.parametrize("ill", [MemoryError, OSError])
def test_without_room_nothing_is_said_of_the_continuum(job, monkeypatch, tmp_path, ill):
    continuum = job("_continuum")

    def dirty_cube(*_):
        raise ill

    monkeypatch.setattr(continuum, "dirty_cube", dirty_cube)
    monkeypatch.setattr(continuum._proof, "LogWatch", object)
    known = facts()
    inputs = {"records": str(tmp_path), "scratch": str(tmp_path)}
    with pytest.raises(ill):
        continuum.one_continuum(inputs, known, known["targets"][0], known["spws"][0], print)
    assert not list(tmp_path.iterdir())


def test_the_reference_frequency_needs_no_cube_of_the_spw(job):
    known = facts()
    known["targets"][0]["axes"]["0"] = None
    maker = job("_clean").Imager(known, {}, set(), {})
    assert maker.lsrk_ranges("M51", 0) == [[100e9, 102e9]]


# --- pointings that an EB did not observe in every spw ----------------------------------------------------------

NOTHING = {"freqstart": {"value": 0.0}, "freqend": {"value": sys.float_info.max}}
"""What `advisechansel` answered for a field and spw without rows (6.7.0), with return code and log silent."""


@pytest.mark.parametrize(
    ("answer", "edges"),
    [
        (NOTHING, None),
        ({"freqstart": {"value": 2e11}, "freqend": {"value": 1e11}}, (1e11, 2e11)),
    ],
)
def test_a_field_without_rows_has_no_range(job, monkeypatch, answer, edges):
    tool = types.SimpleNamespace(advisechansel=lambda **_: answer, done=lambda: None)
    monkeypatch.setattr(job("_axes"), "synthesisutils", lambda: tool)
    assert job("_axes").lsrk_range("x.ms", 0, 0, 0, 9) == edges


def test_the_ranges_of_a_mosaic_are_asked_of_a_pointing_that_has_the_spw(job, monkeypatch):
    def selection(_path, field, *_):
        return ("", 0) if field == 0 else (f"field {field}", 10)

    monkeypatch.setattr(job("_axes"), "topo_selection", selection)
    known = facts()
    known["ebs"][0]["fields"] = {"M51": [0, 3, 5]}
    known["ebs"][0]["directions"] = {"M51": [(1.0, 0.0), (1.0, 2e-4), (1.0, 1e-4)]}
    maker = job("_clean").Imager(known, {("M51", 0): [[100.1e9, 100.2e9]]}, set(), {})
    assert maker.topo_ranges("M51", 0) == {"eb0": ("field 5", 10)}


def test_an_execution_block_that_ended_early_does_not_cut_the_mosaic(job):
    early, whole = [(1.0, 0.0), (1.0, 1e-4)], [(1.0, 2e-4), (1.0, 1e-4 + 1e-9), (1.0, 0.0)]
    assert job("_metadata").together([early, whole]) == [*early, (1.0, 2e-4)]
    assert job("_metadata").together([whole, early]) == whole


def test_the_central_pointing_is_found_by_its_place_not_its_number(job):
    eb = {"fields": {"M51": [4, 7, 9]}, "directions": {"M51": [(1, 2e-4), (1, 0), (1, 1e-4)]}}
    target = {"name": "M51", "directions": [(1, 0), (1, 1e-4), (1, 2e-4)]}
    outward = job("_geometry").fields_outward
    assert outward(eb, target, {"central": 1})[0] == 9
    assert outward(eb, target, {"central": 0}) == [7, 9, 4]


# --- headers and files --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "word"),
    [
        (("cube", True, True), "REGCAL_LINE_SCIENCE"),
        (("cube", False, True), "REGCAL_CONTLINE_SCIENCE"),
        (("repBW", True, False), "REGCAL_CONTLINE_SCIENCE"),
        (("mfs", True, True), "REGCAL_CONTLINE_SCIENCE"),
    ],
)
def test_a_header_says_whether_the_continuum_was_subtracted(job, monkeypatch, case, word):
    (specmode, subtracted, known), everything = case, facts()
    if subtracted:
        everything["ebs"][0]["line_ms"] = "/x/eb0_targets_line.ms"
    continuum = {("M51", 0): [[100.1e9, 100.2e9]]} if known else {}
    maker = job("_clean").Imager(everything, continuum, set(), {})
    one = {"target": "M51", "spws": [0], "specmode": specmode}
    monkeypatch.setattr(job("casatasks"), "version_string", lambda: "6.7.0", raising=False)
    done = {
        "parameters": {"robust": 0.5, "weighting": "briggs"},
        "sensitivity": 1e-3,
        "iterations": 0,
        "threshold": None,
    }
    assert job("_keywords").describe(maker, one, done)["DATATYPE"] == word


@pytest.mark.parametrize(
    ("path", "beam"),
    [
        ("/runs/a/x.image.pbcor", True),
        ("/runs/a/x.image.tt1.pbcor", True),
        ("/runs/a/x.image", True),
        ("/runs/a/x.pb", False),
        ("/runs/my.images/x.pb", False),
        ("/runs/my.image.d/x.mask", False),
        ("/runs/a/x.alpha.error", False),
    ],
)
def test_a_beam_is_asked_of_restored_images_wherever_they_lie(job, path, beam):
    assert job("_proof").is_restored(path) is beam
