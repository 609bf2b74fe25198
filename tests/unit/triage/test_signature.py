from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage.triage.signature import is_useless, mask, signature, unwrap

HEX = st.text("0123456789abcdef", min_size=1, max_size=6)
UIDS = st.builds(
    lambda style, high, low: (
        f"uid___A002_X{high}_X{low}" if style else f"uid://A001/X{high}/X{low}"
    ),
    st.booleans(),
    HEX,
    HEX,
)
NAMES = st.text(string.ascii_letters + string.digits + "_", min_size=1, max_size=12)
NUMBERS = st.one_of(
    st.integers(0, 10**9).map(str),
    st.floats(1e-6, 1e12, allow_nan=False).map(repr),
    st.integers(0, 2**48).map(hex),
)
PATHS = st.lists(NAMES, min_size=1, max_size=5).map(lambda parts: "/" + "/".join(parts))
TABLES = st.one_of(
    UIDS.filter(lambda uid: "/" not in uid).map(lambda uid: f"{uid}.ms"),
    NAMES.map(lambda name: f"{name}.ms"),
    PATHS.map(lambda path: f"{path}.ms.split.cal"),
)
TIMES = st.datetimes().map(lambda at: at.strftime("%Y-%m-%d %H:%M:%S").rjust(19, "0"))
HOSTS = st.builds("{}{}.cv.nrao.edu".format, st.sampled_from(["node", "alma"]), st.integers(1, 999))

SOURCES = st.one_of(
    st.integers(1, 9999).map("NGC_{}".format),
    st.integers(1, 999).map("M {}".format),
    st.integers(100, 999).map("3c {}".format),
    st.integers(1, 999).map("Arp{}".format),
    st.just("J1924-2914"),
    st.just("Sgr_A_star"),
)
IDS = st.integers(0, 99999).map(str)
ANTENNAS = st.builds(
    "{}{:02d}".format, st.sampled_from(["DA", "DV", "PM", "CM"]), st.integers(1, 65)
)
NODES = st.builds(
    "{}{:03d}".format, st.sampled_from(["node", "cvpost", "nmpost"]), st.integers(0, 999)
)
PROJECTS = st.builds(
    "{}.{}.{:05d}.{}".format,
    st.integers(2011, 2030),
    st.sampled_from("01A"),
    st.integers(0, 99999),
    st.sampled_from("SLTV"),
)

TEMPLATES = (
    (
        "Output MS {} already exists - will not overwrite it.",
        (TABLES,),
    ),
    ("Error in selectData() : Spw Expression: No match found for {}, ", (NUMBERS,)),
    ("Table file {} does not exist", (PATHS,)),
    ("No frequency intersect among selected MSs for Field '{}' SPW {}", (NAMES, NUMBERS)),
    ("{} ERROR: pid {} on {} ended at {}", (TIMES, NUMBERS, HOSTS, NUMBERS)),
    ("member {} was not found for {} GHz", (UIDS, NUMBERS)),
    ('Field Expression: No match found for name "{}"', (NAMES,)),
    ("shape mismatch between existing images ([{}, {}, 1, 1])", (NUMBERS, NUMBERS)),
    ("Cleaning failure for field {}, intent TARGET, specmode cube, spw {}", (SOURCES, IDS)),
    ("No continuum frequency selection for Target Field {} SPW {}", (SOURCES, IDS)),
    ("Cleaning diverged, RMS is NaN. Field: {} Intent: TARGET SPW: {}", (SOURCES, IDS)),
    ("tclean reached niter limit of {} for {} / spw{}", (IDS, SOURCES, IDS)),
    ("Data for EB {}, field {}, spw {} is completely flagged.", (TABLES, SOURCES, IDS)),
    ("antenna {} of {} has no data in channel {}", (ANTENNAS, TABLES, IDS)),
    ("slurmstepd: error: *** JOB {} ON {} CANCELLED ***", (IDS, NODES)),
    ("[{}:{}] *** Process received signal ***", (NODES, IDS)),
    ("{} was not found for project {} at 0x{}", (TABLES, PROJECTS, HEX)),
    ("PID {} of spw{} at {}", (IDS, IDS, TIMES)),
)


@st.composite
def twice_the_same(draw):
    """One kind of message, met on two datasets."""
    template, parts = draw(st.sampled_from(TEMPLATES))
    one, other = (template.format(*(draw(part) for part in parts)) for _ in range(2))
    return one, other


@given(twice_the_same())
def test_signatures_are_blind_to_what_is_one_datasets_own(pair):
    one, other = pair
    assert mask(one) == mask(other)
    assert signature("image", one) == signature("image", other)


@given(st.text(max_size=600))
def test_masking_twice_is_masking_once(text):
    assert mask(mask(text)) == mask(text)


@given(twice_the_same())
def test_masking_a_message_twice_is_masking_it_once(pair):
    assert mask(mask(pair[0])) == mask(pair[0])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Table x.tbl does not exist.", "Flag version x.tbl does not exist"),
        ("Field Expression: No match found for 1", "Spw Expression: No match found for 1"),
        ("Desired column (DATA) not found", "Desired column (CORRECTED_DATA) not found"),
    ],
)
def test_words_are_never_masked(one, other):
    assert signature("image", one) != signature("image", other)


def test_stage_and_frames_count_and_only_the_innermost():
    frames = ("a.one", "b.two", "c.three", "d.four")
    assert signature("image", "x", frames) == signature("image", "x", frames[1:])
    assert signature("image", "x", frames) != signature("image", "x", frames[:3])
    assert signature("image", "x") != signature("restore", "x")


def test_a_signature_says_its_version():
    assert signature("", "x").startswith("sv1:")
    assert len(signature("", "x")) == len("sv1:") + 12


@pytest.mark.parametrize(
    ("message", "raised"),
    [
        (
            "Task split raised an exception of class OSError with the following message: gone",
            "OSError: gone",
        ),
        ("Exception Reported: Table x does not exist.", "Table x does not exist."),
        ("Exception (std): std::bad_alloc", "std::bad_alloc"),
        ("nothing to unwrap", "nothing to unwrap"),
    ],
)
def test_messages_are_read_as_they_were_raised(message, raised):
    assert unwrap(message) == raised


def test_messages_that_only_point_elsewhere_are_known():
    assert is_useless("Exception: ASDM conversion error. Check the logs for additional details.")
    assert not is_useless("ConversionException : cannot convert table Main.")


@pytest.mark.parametrize(
    "text", ["-" * 5000, "a." * 3000, "/a" * 3000, "[1, " * 2000, "node-" * 900]
)
def test_no_text_makes_masking_slow(text):
    assert len(mask(text)) <= 400


def test_a_source_is_masked_and_words_in_its_place_are_not():
    assert mask("field not found, spw 3") != mask("field is flagged, spw 3")
    assert mask("Field is flagged SPW 3") != mask("Field not found SPW 3")
