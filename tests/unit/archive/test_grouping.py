"""What the archive's rows say of a dataset: real rows, and every trap that is known of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from astropy.io.votable import parse
from astropy.table import Table
from hypothesis import given
from hypothesis import strategies as st
from making import MOUS, make_row

from reimage.archive import grouping, project, sky

CORPUS = Path(__file__).parents[2] / "corpus" / "archive"
TWO_PADS = "A018:DA54 A004:DV18 A073:DA54 A075:DV18 N601:CM01"


def one(**other):
    return grouping.facts([make_row(**other)])


def onerow():
    """Return the real row of the older form: texts as b'...', a bare member OUS as obs_id."""
    table = Table.read(CORPUS / "onerow.txt", format="ascii")
    return dict(zip(table.colnames, (value.item() for value in table[0].values()), strict=True))


def test_the_real_row_says_what_its_text_says():
    facts = grouping.facts([onerow()])
    expected = {
        "mous": "uid://A001/X1295/X35",
        "group": "uid://A001/X1295/X34",
        "project": "2017.1.00079.S",
        "cycle": 5,
        "era": "manifests",  # observed 2018-12-28
        "targets": ["M83"],
        "ebs": ["uid://A002/Xd74c3f/Xcf20"],
        "array": "12m",
        "bands": [3],
        "pol_states": "XX YY",
        "is_full_polarisation": False,
        "is_mosaic": True,
        "qa2_passed": True,
        "data_rights": "Public",
        "release_at": "2020-03-03T03:20:58.000",
        "last_modified": "2019-12-11T20:57:17.290",
        "resolution_arcsec": pytest.approx(1.5779, abs=1e-4),  # arcsec, whatever old help says
        "scale_max_arcsec": pytest.approx(21.61876, abs=1e-4),
        "frequency_min_ghz": 112.35,
        "frequency_max_ghz": 115.79,
        # 112.35..114.23 and 113.81..115.79; the other two lie in them
        "bandwidth_hz": pytest.approx(3.44e9),
        "channel_width_hz": 122060.0,
        "n_windows": 4,
        "size_bytes": None,
        "is_solar": False,
        "is_ephemeris": False,
        "science_categories": ["Local Universe"],
        "science_keywords": ["Giant Molecular Clouds (GMC) properties", "Spiral galaxies"],
        "schedblocks": ["M83_e_03_TM1"],
        "observed_at": "2018-12-28T10:21:01+00:00",
        "exposure_s": 156.52,
    }
    assert {name: facts[name] for name in expected} == expected
    assert facts["frequency_support"] == [onerow()["frequency_support"]]
    (region,) = facts["s_regions"]
    assert region.startswith("Polygon ICRS 204.319476")
    assert region.endswith("-29.894104")


def test_antennas_of_the_real_row_are_counted_once():
    row = onerow()
    names = [item.partition(":")[2] for item in row["antenna_arrays"].split()]
    assert grouping.facts([row])["antennas"] == {"12m": len(set(names))}


def test_the_real_rows_of_the_newer_form_keep_their_footprints():
    table = parse(CORPUS / "shapes.xml").get_first_table().to_table()
    rows = [{name: row[name] for name in table.colnames} for row in table]
    kinds = [grouping.facts([make_row(**row)])["s_regions"][0].split()[0] for row in rows]
    assert kinds == ["Circle", "Union", "Polygon", "Polygon", "Union"]
    facts = grouping.facts([make_row(**row) for row in rows])
    assert facts["s_regions"] == [str(row["s_region"]) for row in rows]
    assert facts["s_ra_deg"] == pytest.approx(337.25073645)


def test_columns_of_both_forms_may_be_absent():
    header = (CORPUS / "empty.txt").read_text().split()
    assert "spectral_resolution" not in header  # the header of 62 columns
    full = onerow()
    for name in header:
        facts = grouping.facts([{**full, name: None}])
        assert (facts["mous"] is None) is (name == "member_ous_uid")
    bare = grouping.facts([{"member_ous_uid": MOUS}])
    said = {name for name, value in bare.items() if value not in (None, [], {}, False)}
    assert said == {"mous", "n_rows"}


def test_units():
    facts = one(bandwidth=1.875e9, frequency=230.0, spatial_resolution=0.3, access_estsize=2.5)
    assert facts["bandwidth_hz"] == 1.875e9
    assert facts["frequency_min_ghz"] == 229.0625
    assert facts["resolution_arcsec"] == 0.3
    assert facts["size_bytes"] == 2500


@pytest.mark.parametrize("size", [None, 0, float("nan"), ""])
def test_an_unknown_size_is_unknown(size):
    assert one(access_estsize=size)["size_bytes"] is None


def test_rows_of_single_windows_state_their_own_edges():
    support = "[229.00..230.00GHz,1kHz,XX YY] U [240.00..241.00GHz,1kHz,XX YY]"
    light = 299792458.0
    rows = [
        make_row(
            obs_id=f"{MOUS}.source.X.spw.{i}",
            em_min=light / (high * 1e9),
            em_max=light / (low * 1e9),
            frequency_support=support,
        )
        for i, (low, high) in enumerate([(229.001, 229.999), (240.002, 241.0)])
    ]
    facts = grouping.facts(rows)
    assert facts["frequency_min_ghz"] == pytest.approx(229.001, abs=1e-9)
    assert facts["frequency_max_ghz"] == pytest.approx(241.0, abs=1e-9)
    assert facts["bandwidth_hz"] == pytest.approx((0.998 + 0.998) * 1e9)
    assert facts["frequency_support"] == [support]


def test_every_distinct_frequency_support_is_kept():
    said = ["[1..2GHz,XX]", "[1..2.1GHz,XX]", "[1..2GHz,XX]"]
    facts = grouping.facts([make_row(frequency_support=text) for text in said])
    assert facts["frequency_support"] == said[:2]
    assert facts["frequency_max_ghz"] == 2.1


@pytest.mark.parametrize(
    ("bands", "expected"),
    [("6", [6]), (6, [6]), ("5 10", [5, 10]), ("4 9", [4, 9]), (None, []), ("1 10 1", [1, 10])],
)
def test_bands_are_words(bands, expected):
    assert one(band_list=bands)["bands"] == expected


@pytest.mark.parametrize(
    ("antennas", "schedblock", "array", "counted"),
    [
        (TWO_PADS, None, "12m+7m", {"12m": 2, "7m": 1}),
        ("T701:PM02 J504:PM01", None, "TP", {"TP": 2}),
        ("A:XX1", None, "other", {"other": 1}),
        (None, "M83_e_03_TM1", "12m", {}),
        ("", "M83_a_03_7M", "7m", {}),
        (None, "M83_a_03_TP", "TP", {}),
        (None, "MTPx", None, {}),
    ],
)
def test_arrays(antennas, schedblock, array, counted):
    facts = one(antenna_arrays=antennas, schedblock_name=schedblock)
    assert (facts["array"], facts["antennas"]) == (array, counted)


@pytest.mark.parametrize(
    ("states", "expected", "full"),
    [
        (["/XX/YY/"], "XX YY", False),
        (["/XX/", "/XX/YY/"], "XX YY", False),
        (["/YX/XY/YY/XX/"], "XX YY XY YX", True),
        ([None], None, None),
        (["/I/Q/new/"], "I Q new", False),
    ],
)
def test_polarisations(states, expected, full):
    facts = grouping.facts([make_row(pol_states=state) for state in states])
    assert (facts["pol_states"], facts["is_full_polarisation"]) == (expected, full)


@pytest.mark.parametrize(
    ("rights", "released", "expected"),
    [
        (["Public", "Public"], ["2020-01-01", "2021-01-01"], ("Public", "2021-01-01")),
        (["Public", "Proprietary"], ["2020-01-01", "2030-01-01"], ("Proprietary", "2030-01-01")),
        (["Proprietary"], [grouping.PROPRIETARY_SENTINEL], ("Proprietary", None)),
        (["Proprietary"], [f"b'{grouping.PROPRIETARY_SENTINEL}'"], ("Proprietary", None)),
        ([None], [None], (None, None)),
    ],
)
def test_rights(rights, released, expected):
    pairs = zip(rights, released, strict=True)
    rows = [make_row(data_rights=right, obs_release_date=date) for right, date in pairs]
    facts = grouping.facts(rows)
    assert (facts["data_rights"], facts["release_at"]) == expected


def test_the_last_change_of_any_row_counts():
    rows = [make_row(lastModified=f"2025-0{month}-01T00:00:00.000") for month in (3, 7, 5)]
    assert grouping.facts(rows)["last_modified"] == "2025-07-01T00:00:00.000"


def test_a_member_ous_may_be_an_a002():
    assert one(member_ous_uid="uid___A002_X5d7935_X11b")["mous"] == "uid://A002/X5d7935/X11b"


def test_rows_of_calibrators_tell_nothing_of_what_was_observed():
    rows = [
        make_row(science_observation="T", asdm_uid="uid://A002/X1/X1"),
        make_row(
            target_name="Titan",
            science_observation="F",
            is_mosaic="T",
            asdm_uid="uid://A002/X1/X2",
        ),
    ]
    facts = grouping.facts(rows)
    assert (facts["targets"], facts["is_ephemeris"], facts["is_mosaic"]) == (
        ["NGC_1"],
        False,
        False,
    )
    assert facts["n_ebs"] == 2
    assert grouping.facts(rows[1:])["targets"] == ["Titan"]  # there is nothing else


def test_datasets_come_by_key_and_rows_without_one_are_told():
    rows = [make_row(), {"member_ous_uid": None}, make_row(member_ous_uid="uid://A001/X1/X1")]
    nameless = []
    found = list(grouping.grouped(rows, nameless.append))
    assert [key for key, _ in found] == ["uid://A001/X1/X1", MOUS]
    assert nameless == [rows[1]]


@given(st.permutations([make_row(target_name=name, s_ra=None) for name in "ABCD"]))
def test_the_order_of_rows_does_not_matter(rows):
    assert grouping.facts(rows) == grouping.facts(sorted(rows, key=lambda row: row["target_name"]))


CELLS = st.none() | st.text(max_size=20) | st.floats() | st.integers() | st.binary(max_size=8)


@given(st.dictionaries(st.sampled_from(grouping.COLUMNS[1:]), CELLS))
def test_any_cell_is_borne(cells):
    assert grouping.facts([{"member_ous_uid": MOUS, **cells}])["mous"] == MOUS


# --- estimates --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "mjd", "era"),
    [
        ("2011.0.00001.S", 58480.0, "cycle-0"),
        ("2016.1.00001.S", 58026.9, "before-manifests"),
        ("2016.1.00001.S", 58027.0, "manifests"),  # 2017-10-01
        ("2016.1.00001.S", None, "before-manifests"),
        ("2017.1.00001.S", None, "manifests"),
        ("odd", None, None),
    ],
)
def test_eras(code, mjd, era):
    assert one(proposal_id=code, t_min=mjd)["era"] == era


@pytest.mark.parametrize(
    ("target", "category", "keyword", "solar", "ephemeris"),
    [
        ("NGC_1", "Cosmology", "", False, False),
        ("Sun", "", "", True, True),
        ("Sun_10", "", "", True, True),
        ("Sunflower", "", "", False, False),
        ("x", "Sun", "", True, True),
        ("x", "", "The Sun", True, True),
        ("x", "Solar system", "Solar system - Comets", False, True),
        ("Mars_2", "", "", False, True),
        ("Marsh", "", "", False, False),
        ("67P/Churyumov", "", "", False, True),
        ("C/2014 Q2", "", "", False, True),
        ("CDFS", "Galaxies evolution", "Sub-mm Galaxies (SMG)", False, False),
    ],
)
def test_what_moves_on_the_sky(target, category, keyword, solar, ephemeris):
    facts = one(target_name=target, scientific_category=category, science_keyword=keyword)
    assert (facts["is_solar"], facts["is_ephemeris"]) == (solar, ephemeris)


@given(st.text(max_size=30))
def test_any_name_is_borne(text):
    assert sky.is_ephemeris([text], [], []) in {True, False}
    assert project.cycle(text) is None or project.cycle(text) >= 0


@given(st.integers(0, 14))
def test_years_of_a_cycle(cycle):
    assert {project.cycle(f"{year}.1.00001.S") for year in project.years(cycle)} == {cycle}
