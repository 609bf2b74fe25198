from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reimage.archive import datalink, listing
from reimage.archive.faults import (
    ArchiveAnswerMalformed,
    ArchiveNameHostile,
    ArchiveUnavailable,
    ArchiveUnknownDataset,
)

CORPUS = Path(__file__).parents[2] / "corpus" / "archive"
MOUS = "uid://A001/X12a3/Xe9"
STEM = "2017.1.01185.S_uid___A001_X12a3_Xe9"
HOST = "https://almascience.org"
NAMES = (
    *("ID", "access_url", "service_def", "error_message", "semantics", "description"),
    *("content_type", "content_length", "readable"),
)
TYPES = {"content_length": "long", "readable": "boolean"}
TEXT = 'char" arraysize="*'


def corpus(name):
    return datalink.read((CORPUS / name).read_bytes(), MOUS)


def answer(rows, services="", names=NAMES, **types):
    """Write an answer by hand, as the archive writes it."""
    kinds = {**TYPES, **types}
    fields = "".join(
        f'<FIELD name="{name}" datatype="{kinds.get(name, "char")}"'
        + ("/>" if name in kinds else ' arraysize="*"/>')
        for name in names
    )
    body = "".join(
        "<TR>" + "".join(f"<TD>{escape(str(row.get(name, '')))}</TD>" for name in names) + "</TR>"
        for row in rows
    )
    return (
        '<VOTABLE xmlns="http://www.ivoa.net/xml/VOTable/v1.3" version="1.4">'
        f'<RESOURCE type="results"><TABLE>{fields}<DATA><TABLEDATA>{body}</TABLEDATA></DATA></TABLE>'
        f"</RESOURCE>{services}</VOTABLE>"
    ).encode()


def row(name, semantics="#this", **other):
    given = {"ID": MOUS, "access_url": f"{HOST}/dataPortal/{name}", "semantics": semantics}
    return {**given, "content_type": "application/x-tar", "content_length": 5, **other}


def service(name, address, standard="ivo://ivoa.net/std/DataLink#links-1.0", inside=""):
    return (
        f'<RESOURCE type="meta" ID="{name}" utype="adhoc:service">'
        f'<PARAM name="standardID" datatype="char" arraysize="*" value="{standard}"/>'
        f'<PARAM name="accessURL" datatype="char" arraysize="*" value="{address}"/>'
        f'<GROUP name="inputParams">{inside}</GROUP></RESOURCE>'
    )


# --- real answers ------------------------------------------------------------------------------------


def test_the_real_answer_for_a_dataset():
    said = corpus("datalink.xml")
    assert [(one.name, one.kind, one.n_bytes) for one in said.files] == [
        ("member.uid___A001_X12a3_Xe9.README.txt", "readme", 3523),
        (f"{STEM}_001_of_001.tar", "product", 556278784),
        (f"{STEM}_auxiliary.tar", "auxiliary", 135479296),
        ("2017.1.01185.S_uid___A002_Xd28a9e_X71b8.asdm.sdm.tar", "raw", 2343569408),
        ("2017.1.01185.S_uid___A002_Xd28a9e_X7b4d.asdm.sdm.tar", "raw", 2343861248),
        ("2017.1.01185.S_uid___A002_Xd29c1f_X1f74.asdm.sdm.tar", "raw", 2616798208),
        ("2017.1.01185.S_uid___A002_Xd29c1f_X5cf.asdm.sdm.tar", "raw", 2680167424),
    ]
    assert all(one.is_readable for one in said.files)
    assert said.files[1].url == f"{HOST}/dataPortal/{STEM}_001_of_001.tar"
    assert said.inside == {
        f"{STEM}_{part}.tar": f"{HOST}/datalink/sync?ID={STEM}_{part}.tar"
        for part in ("001_of_001", "auxiliary")
    }
    assert (said.blank, said.cutouts) == (0, {})


def test_the_sizes_of_tars_are_summed_without_those_of_their_members():
    """Archive pages 1.4, row 10: tar rows and their expanded rows were both counted."""
    wanted = listing.needed(corpus("datalink.xml").files)
    assert wanted.n_bytes == 3523 + 135479296 + 2343569408 + 2343861248 + 2616798208 + 2680167424
    inside = corpus("datalink-recurse-aux.xml").files
    assert listing.total(inside) < 135479296  # tars have headers


def test_a_real_product_tar_expanded():
    """FITS and FITS.GZ are told by name and description (row 11), cutouts by their services' addresses."""
    said = corpus("datalink-recurse-this.xml")
    kinds = [one.kind for one in said.files]
    assert kinds == ["image", "mask", "beam"] * 2
    images = [one.name for one in said.files if one.kind == "image"]
    assert list(said.cutouts) == images
    assert all(url.endswith(f"/soda/sync?ID={name}") for name, url in said.cutouts.items())
    assert (said.blank, said.inside) == (0, {})


def test_a_real_auxiliary_tar_expanded():
    said = corpus("datalink-recurse-aux.xml")
    counts = {kind: 0 for one in said.files if (kind := one.kind)}
    for one in said.files:
        counts[one.kind] += 1
    assert counts == {"calibration": 8, "script": 8, "log": 6, "qa": 26}
    assert sum(one.is_calibration for one in said.files) == 12  # 8 tars, 4 scriptForCalibration
    assert {one.content_type for one in said.files} >= {"text/html", "application/pdf"}


# --- rows of every kind --------------------------------------------------------------------------------


def test_rows_without_an_address_are_skipped_and_counted():
    """Archive pages 1.4, row 6."""
    rows = [row("a.tar"), row("b.tar", access_url=""), row("c", access_url="", service_def="gone")]
    said = datalink.read(answer(rows), MOUS)
    assert [one.name for one in said.files] == ["a.tar"]
    assert said.blank == 2


def test_a_file_that_is_listed_twice_is_there_once():
    said = datalink.read(answer([row("a.tar", "#progenitor"), row("a.tar", "#package")]), MOUS)
    assert [(one.name, one.semantics) for one in said.files] == [("a.tar", "#progenitor")]


def test_semantics_may_be_written_whole():
    whole = "http://www.ivoa.net/rdf/datalink/core#progenitor"
    (file,) = datalink.read(answer([row("a.tar", whole)]), MOUS).files
    assert (file.semantics, file.is_raw) == ("#progenitor", True)


@pytest.mark.parametrize("size", ["", "0"])
def test_a_size_that_is_absent_is_unknown_and_not_zero(size):
    (file,) = datalink.read(answer([row("a.tar", content_length=size)]), MOUS).files
    assert file.n_bytes is None


@pytest.mark.parametrize(
    ("url", "semantics", "name"),
    [
        # 2021: the name stood in the header alone
        ("uid___A002_X8a951a_X69b", "#progenitor", "uid___A002_X8a951a_X69b.asdm.sdm.tar"),
        ("uid___A002_X8a951a_X69b", "#package", "uid___A002_X8a951a_X69b.asdm.sdm.tar"),
        ("uid___A002_X8a951a_X69b", "#this", "uid___A002_X8a951a_X69b"),
        ("a%20b.tar", "#this", "a b.tar"),
        ("sso/a.tar?token=1", "#this", "a.tar"),
    ],
)
def test_names_come_from_addresses(url, semantics, name):
    (file,) = datalink.read(answer([row(url, semantics)]), MOUS).files
    assert file.name == name


@pytest.mark.parametrize("url", ["..%2Fevil.tar", "%2Fetc%2Fpasswd", "..", "", "a%00b"])
def test_a_name_that_is_a_path_is_refused(url):
    with pytest.raises(ArchiveNameHostile):
        datalink.read(answer([row(url)]), MOUS)


@pytest.mark.parametrize(
    ("columns", "readable"),
    [
        ({"readable": "true"}, True),
        ({"readable": "false"}, False),
        ({}, None),
        ({"readable": "true", "link_authorized": "false"}, False),
        ({"link_authorized": "true"}, True),
    ],
)
def test_whether_we_may_have_it_in_the_words_of_2022_and_later(columns, readable):
    names = (*NAMES, "link_auth", "link_authorized", "content_qualifier", "local_semantics")
    said = datalink.read(
        answer([row("a.tar", **columns)], names=names, link_authorized="boolean"), MOUS
    )
    assert said.files[0].is_readable is readable


# --- services ------------------------------------------------------------------------------------------


EXPANDABLE = [
    row("a.tar"),
    {"ID": MOUS, "service_def": "DataLink.a.tar", "semantics": "#this"},
]
INPUT = '<PARAM name="ID" datatype="char" arraysize="*" value="{}"/>'


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        (f"{HOST}/datalink/sync?ID=a.tar", ""),
        (f"{HOST}/datalink/sync", INPUT.format("a.tar")),
        (f"{HOST}/datalink/sync", ""),  # by the descriptor's own name
    ],
)
def test_what_a_tar_is_expanded_by(address, inside):
    said = datalink.read(
        answer(EXPANDABLE, service("DataLink.a.tar", address, inside=inside)), MOUS
    )
    assert said.inside == {"a.tar": f"{HOST}/datalink/sync?ID=a.tar"}
    assert said.blank == 0


def test_cutouts_are_paired_by_address_where_services_share_an_id():
    soda = "ivo://ivoa.net/std/SODA#sync-1.0"
    rows = [row("a.fits"), {"service_def": "SODA.sync", "semantics": "#cutout"}, row("b.fits")]
    services = "".join(
        service("SODA.sync", f"{HOST}/soda/sync?ID={name}", soda) for name in ("b.fits", "a.fits")
    )
    said = datalink.read(answer(rows, services), MOUS)
    assert said.cutouts == {name: f"{HOST}/soda/sync?ID={name}" for name in ("a.fits", "b.fits")}
    assert said.inside == {}


# --- the three states, and what is no answer ---------------------------------------------------------


def test_an_empty_table_is_an_answer():
    """A valid uid that is proprietary, to anybody (archive pages 1.3)."""
    assert datalink.read(answer([]), MOUS) == datalink.Answer()


@pytest.mark.parametrize(
    "fault",
    [
        {"error_message": "NotFoundFault: uid___A001_X0_X0", "semantics": "#this"},
        {"error_message": "NotFoundFault: uid___A001_X0_X0", "semantics": "#error"},
        {"error_message": "UsageFault: not an ALMA uid", "semantics": "#error"},
    ],
)
def test_a_dataset_that_the_archive_does_not_know(fault):
    with pytest.raises(ArchiveUnknownDataset, match="Fault") as caught:
        datalink.read(answer([{"ID": "uid://A001/X0/X0", **fault}]), "uid://A001/X0/X0")
    assert "Fault" in caught.value.evidence["said"]


@pytest.mark.parametrize("message", ["TransientFault: try again", "FatalFault: oracle is away", ""])
def test_an_error_of_the_archive_is_not_the_datasets(message):
    with pytest.raises(ArchiveUnavailable):
        datalink.read(answer([{"error_message": message, "semantics": "#error"}]), MOUS)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html><body>HTTP Status 500</body></html>",
        b"<VOTABLE",
        b"{}",
        answer([row("a.tar")])[:600],
        answer([{}], names=("obs_id", "access_url")),
        answer([{}], names=tuple(name for name in NAMES if name != "semantics")),
        b'<VOTABLE xmlns="http://www.ivoa.net/xml/VOTable/v1.3" version="1.4"/>',
    ],
)
def test_what_is_no_answer(content):
    with pytest.raises(ArchiveAnswerMalformed) as caught:
        datalink.read(content, MOUS)
    assert MOUS in caught.value.message
    assert "\n" not in caught.value.message


def test_an_answer_that_says_error_in_its_head():
    head = '<RESOURCE type="results"><INFO name="QUERY_STATUS" value="ERROR">too busy</INFO></RESOURCE>'
    content = (
        f'<VOTABLE xmlns="http://www.ivoa.net/xml/VOTable/v1.3" version="1.4">{head}</VOTABLE>'
    )
    with pytest.raises((ArchiveUnavailable, ArchiveAnswerMalformed)):
        datalink.read(content.encode(), MOUS)


PLAIN = st.text("abcXYZ019._-", min_size=1, max_size=20).filter(lambda text: text.strip("."))
ROWS = st.lists(
    st.tuples(
        PLAIN,
        st.sampled_from(["#this", "#auxiliary", "#progenitor", "#package", "#documentation"]),
        st.integers(1, 2**50),
        st.booleans(),
    ),
    max_size=8,
)


@settings(deadline=None, max_examples=40)
@given(ROWS)
def test_what_is_written_is_read(rows):
    content = answer(
        row(name, semantics, content_length=size, **({} if addressed else {"access_url": ""}))
        for name, semantics, size, addressed in rows
    )
    said = datalink.read(content, MOUS)
    addressed = [one for one in rows if one[3]]
    assert [one.name for one in said.files] == list(dict.fromkeys(one[0] for one in addressed))
    assert said.blank == len(rows) - len(addressed)


# --- what a hostile or careless answer says -----------------------------------------------------------


@pytest.mark.parametrize("size", ["12 kB", "-5", "²", "9" * 30, "1e99", "nan", "12.5"])
def test_a_size_that_is_no_number_of_bytes_is_unknown(size):
    (file,) = datalink.read(
        answer([row("a.tar", content_length=size)], content_length=TEXT), MOUS
    ).files
    assert file.n_bytes is None


@pytest.mark.parametrize("kind", ["double", TEXT])
def test_a_size_of_another_type_is_a_size(kind):
    content = answer([row("a.tar", content_length=7)], content_length=kind)
    assert datalink.read(content, MOUS).files[0].n_bytes == 7


@pytest.mark.parametrize(
    "url",
    [
        *("http://[h/a.tar", "http://h:99999/a.tar", "http://h:abc/a.tar", "http:///a.tar"),
        *("file:///etc/a.tar", "a.tar", "ftp://h/a.tar", "http://h:-1/a.tar"),
    ],
)
def test_an_address_that_is_none_is_malformed(url):
    with pytest.raises(ArchiveAnswerMalformed) as caught:
        datalink.read(answer([row("x", access_url=url)]), MOUS)
    assert "address" in caught.value.message


@pytest.mark.parametrize("url", ["http://[h/datalink?ID=a.tar", "http://h:99999/d?ID=a.tar", ""])
def test_a_service_without_a_sound_address_expands_nothing(url):
    said = datalink.read(answer(EXPANDABLE, service("DataLink.a.tar", url)), MOUS)
    assert (said.inside, [one.name for one in said.files]) == ({}, ["a.tar"])


def test_data_that_are_elsewhere_are_not_opened(tmp_path):
    (tmp_path / "secret").write_bytes(b"geheim")
    content = answer([row("a.tar")]).decode()
    stream = f'<BINARY><STREAM href="file://{tmp_path}/secret"/></BINARY>'
    begin, end = content.index("<TABLEDATA>"), content.index("</TABLEDATA>") + len("</TABLEDATA>")
    with pytest.raises(ArchiveAnswerMalformed, match="elsewhere"):
        datalink.read((content[:begin] + stream + content[end:]).encode(), MOUS)


def test_a_tar_that_can_be_expanded_and_has_no_address_is_named_and_not_offered():
    """Archive pages 1.4, row 6, of the auxiliary tar of a real answer."""
    content = (CORPUS / "datalink.xml").read_text()
    url = f"<TD>{HOST}/dataPortal/{STEM}_auxiliary.tar</TD>"
    assert url in content
    said = datalink.read(content.replace(url, "<TD/>").encode(), MOUS)
    lost = [one for one in said.files if not one.is_offered]
    assert [(one.name, one.semantics, one.url) for one in lost] == [
        (f"{STEM}_auxiliary.tar", "#auxiliary", "")
    ]
    assert said.blank == 1
    assert all(one.is_offered for one in corpus("datalink.xml").files)
