"""DataLink's answers as data: any ID is answered with a document that can be read."""

from __future__ import annotations

import io
from pathlib import PurePosixPath

import pytest
from astropy.io import votable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from making import MOUS, make_archive

from reimage.archive.server.datalink import document
from reimage.archive.server.links import Linker, classified
from reimage.archive.server.mischief import Mischief
from reimage.archive.server.shelf import Member, Shelf


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    files = {"a.README.txt": ("#documentation", b"hello"), "ö.tar": ("#auxiliary", b"no tar")}
    return Shelf(make_archive(tmp_path_factory.mktemp("links") / "archive", files))


def rows_of(shelf, *ids):
    linker = Linker(shelf=shelf, base="http://h", is_known=False, mischief=Mischief())
    text = document(linker.answer(list(ids)), "http://h")
    found = votable.parse(io.BytesIO(text.encode())).get_first_table().array
    return [dict(zip(found.dtype.names, row, strict=True)) for row in found]


@given(id_=st.text(st.characters(codec="utf-8"), max_size=20))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_id_is_answered(shelf, id_):
    (row,) = rows_of(shelf, f"x{id_}")
    assert str(row["error_message"]).startswith("NotFoundFault: x")


def test_what_cannot_be_expanded_has_no_members(shelf):
    assert len(rows_of(shelf, MOUS)) == 3
    assert rows_of(shelf, "ö.tar") == []


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("product/x.pbcor.fits", ("product", "SCIENCE", "#this")),
        ("product/x.pb.fits.gz", ("product", "SCIENCE", "#this")),
        ("product/x.mask.fits.gz", ("product", "MASK", "#this")),
        ("calibration/x.caltables.tgz", ("calibration", "CALIBRATION", "#auxiliary")),
        ("script/scriptForPI.py", ("script", "SCRIPT", "#auxiliary")),
        ("script/PPR_uid___A001_X1_X2.xml", ("script", "AUX", "#auxiliary")),
        ("script/x.casa_commands.log", ("log", "LOG", "#documentation")),  # Cycle 7
        ("qa/x.qa2_report.html", ("qa", "QA2", "#auxiliary")),
        ("qa/x.qa0_report.pdf", ("qa", "QA0", "#auxiliary")),
        ("qa/x__qa2_part1.png", ("qa", "QA_PLOT", "#auxiliary")),
        ("qa/x.weblog.tgz", ("qa", "QA", "#auxiliary")),
        ("member/README", ("null", "N/A", "#auxiliary")),
    ],
)
def test_members_are_classified_by_their_folder(path, told):
    member = Member(path=PurePosixPath("2018.1.00001.S") / path, offset=0, n_bytes=1)
    assert classified(member, "#auxiliary") == told
