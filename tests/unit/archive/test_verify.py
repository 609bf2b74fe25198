from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reimage.archive import verify
from reimage.archive.faults import (
    ArchiveAnswerMalformed,
    ArchiveFileGrown,
    ArchiveFileSize,
    ArchiveHtmlPage,
    ArchiveNameHostile,
)

TOMCAT = (
    b'<!doctype html><html lang="en"><head><title>HTTP Status 500</title><style>h1 {x}</style>'
    b"</head><body><h1>HTTP Status 500 &#8211; Internal Server Error</h1></body></html>"
)


def a_tar(kind):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=kind) as tar:
        tar.addfile(tarfile.TarInfo("x"))
    return made.getvalue()


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_tars_of_every_format_pass(kind):
    verify.require_opening("a.tar", "application/x-tar", a_tar(kind))


@pytest.mark.parametrize(
    ("name", "content_type", "head"),
    [
        ("a.README.txt", "text/plain", b"Cycle: 5"),
        ("a.tgz", "", b"\x1f\x8b\x08"),
        ("a.fits.gz", "application/octet-stream", b"\x1f\x8b\x08"),
        ("a.fits", "application/fits", b"SIMPLE  =                    T"),
        ("qa2_report.html", "text/html", TOMCAT),
        ("a.README.txt", "text/plain", b"see <html>"),
        ("a.csv", "", b""),
    ],
)
def test_what_is_what_its_name_says_passes(name, content_type, head):
    verify.require_opening(name, content_type, head)


@pytest.mark.parametrize(
    ("name", "content_type", "head"),
    [
        ("a.tar", "application/x-tar", TOMCAT),
        ("a.tar", "text/html;charset=utf-8", a_tar(tarfile.USTAR_FORMAT)),
        ("a.README.txt", "text/plain", b"\xef\xbb\xbf\n <HTML><body>Service down"),
        ("a.README.txt", "Text/HTML", b"Service down"),
        ("a.tar", "application/x-tar", b'{"error": "no such file"}'),
        ("a.tar", "application/x-tar", b""),
        ("a.fits", "", b"SIMPLE=T"),
        ("a.tgz", "", b"PK\x03\x04"),
    ],
)
def test_what_is_something_else_is_refused(name, content_type, head):
    with pytest.raises(ArchiveHtmlPage) as caught:
        verify.require_opening(name, content_type, head)
    assert caught.value.evidence["file"] == name


def test_a_page_says_its_text():
    with pytest.raises(ArchiveHtmlPage, match="HTTP Status 500") as caught:
        verify.require_opening("a.tar", "text/html", TOMCAT)
    assert "<" not in caught.value.evidence["text"]
    assert "{x}" not in caught.value.evidence["text"]


@given(st.binary(max_size=600))
def test_a_text_of_a_page_is_short_and_plain(page):
    text = verify.page_text(page)
    assert len(text) <= verify.SHOWN
    assert not set(text) & {"\n", "\r"}


@pytest.mark.parametrize(
    "disposition",
    [
        None,
        "",
        "inline",
        "attachment",
        "attachment; filename=uid___A002_X1_X2.asdm.sdm.tar",
        'attachment; filename="with blank.tar"',
        "attachment; filename*=UTF-8''na%C3%AFve.tar",
        "attachment; filename*=a'b; filename*0=1",
    ],
)
def test_plain_names_pass(disposition):
    verify.require_name(disposition)


@pytest.mark.parametrize(
    "name",
    [
        "../x.tar",
        "/etc/passwd",
        "a/b.tar",
        "..",
        "a\\\\b.tar",
        "..%2Fx.tar",
        "%2e%2e",
    ],
)
def test_paths_are_refused(name):
    for disposition in (f'attachment; filename="{name}"', f"attachment; filename={name}"):
        with pytest.raises(ArchiveNameHostile):
            verify.require_name(disposition)


def test_a_path_in_the_extended_form_is_refused():
    with pytest.raises(ArchiveNameHostile):
        verify.require_name("attachment; filename*=UTF-8''..%2Fx.tar")


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "br", "identity, gzip"])
def test_what_is_packed_for_the_way_is_refused(encoding):
    with pytest.raises(ArchiveAnswerMalformed):
        verify.require_plain("a.tar", encoding)


@pytest.mark.parametrize(
    ("name", "encoding"), [("a.tar", ""), ("a.tar", "Identity"), ("a.tgz", "x-gzip")]
)
def test_what_is_not_passes(name, encoding):
    verify.require_plain(name, encoding)


@given(st.text(max_size=60))
def test_no_header_is_a_bug(disposition):
    try:
        verify.require_name(disposition)
    except ArchiveNameHostile:
        return


@pytest.mark.parametrize(
    ("promised", "offered", "holds"), [(5, 5, 5), (None, 5, 5), (5, None, 5), (None, None, None)]
)
def test_lengths_that_agree(promised, offered, holds):
    assert verify.require_length("a", promised, offered) == holds


@pytest.mark.parametrize(("offered", "fault"), [(6, ArchiveFileGrown), (4, ArchiveFileSize)])
def test_lengths_that_do_not(offered, fault):
    with pytest.raises(fault) as caught:
        verify.require_length("a", 5, offered)
    assert caught.value.evidence == {"file": "a", "n_bytes": offered, "promised_bytes": 5}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("bytes 5-9/10", (5, 10)),
        ("bytes 5-9/*", (5, None)),
        ("bytes */10", None),
        ("5-9/10", None),
        (f"bytes 0-1/{'9' * 5000}", None),
        ("bytes \xb2-9/10", None),
        ("", None),
    ],
)
def test_content_ranges(text, found):
    assert verify.content_range({"Content-Range": text}) == found
