"""Parts of reading statements; whole deliveries are in ``tests/corpus/versions``."""

from __future__ import annotations

import gzip
import io
import tarfile
from datetime import date

import pytest
from making import make_tree

from reimage.delivery import gates, logs, reading, releases, reports, source, versions
from reimage.delivery.layout import DeliveryEmpty
from reimage.model import Calibration, Role


@pytest.mark.parametrize(
    ("text", "version", "is_sure"),
    [
        ("5.6.1-8", "5.6.1-8", True),
        ("4.7.38335-REL (r38335)", "4.7.0", True),
        ("4.7.2-REL (r39762)", "4.7.2", True),
        ("casapy-42.2.30986-pipe-1-64b", "4.2.2", True),
        ("4.2.29047", "4.2.1", True),
        ("5.1.40896", "5.1.1-5", True),
        ("4.7 (r38335)", "4.7.0", True),
        ("5.6.42866", "5.6.1-8", False),
        ("5.4.42866", "5.4.0-70", False),
        ("4.7.39999", "4.7", False),
        ("4.5.38335", "4.5", False),
    ],
)
def test_what_a_string_means(text, version, is_sure):
    read = releases.read(text)
    assert (read.version, not read.doubt) == (version, is_sure)


@pytest.mark.parametrize(
    "text", ["4.x", "2018.1.00001.S", "192.168.4.2", "r40000", "1.2.3", "12.5.1", ""]
)
def test_what_is_no_version(text):
    assert releases.read(text) is None


def test_every_fact_has_its_source():
    facts = releases.facts()
    assert all(row["source"] for key in ("revision", "operations") for row in facts[key])
    days = [row["from"] for row in facts["operations"]]
    assert days == sorted(set(days))
    assert releases.in_operations_since(date(2017, 9, 30)) == "4.7.2"
    assert releases.in_operations_since(date(2017, 10, 1)) == "5.1.1-5"
    assert releases.in_operations_since(date(2000, 1, 1)) is None


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("^4.2.2", ("4.2.2",)),
        (r"^4\.2\.2$", ("4.2.2",)),
        ("^(4.2|4.3)", ("4.2", "4.3")),
        (r"^4\.(2|3)\.1", ("4.2.1", "4.3.1")),
        ("^4[.]7[.]0", ("4.7.0",)),
        ("^4.[245]", ("4.2", "4.4", "4.5")),
        ("^4.2|^4.3.1", ("4.2", "4.3.1")),
        ("^.*$", ()),
        ("(" * 1000, ()),
    ],
)
def test_patterns_of_gates(pattern, expected):
    assert gates.expand(pattern) == expected


def test_logical_lines_are_what_is_done():
    text = 'a = (1,  # one\n     2)\n"""\nb = 3\n"""\n# c = 4\nif a: \\\n    d()\n  e = "#"\n'
    assert [(line.number, line.code) for line in source.logical_lines(text)] == [
        (1, "a = (1,        2)"),
        (7, "if a:      d()"),
        (9, 'e = "#"'),
    ]


def test_the_role_is_in_the_name():
    roles = {
        "uid___A002_X1_X2.ms.scriptForCalibration.py": Role.CALIBRATION,
        "x.scriptForSDCalibration.py": Role.CALIBRATION,
        "scriptForFluxCalibration.py": Role.CALIBRATION,
        "scriptForImagingPrep.py": Role.IMAGING,
        "member.hifa_calimage.casa_pipescript.py": Role.UNKNOWN,
        "scriptForPI.py": Role.UNKNOWN,
    }
    assert {name: gates.role_of(name) for name in roles} == roles


def bomb(path, name="html/index.html"):
    """A tar whose one page is 3 GB of zeros, packed to 3 MB: only its header and a part are made."""
    info = tarfile.TarInfo("junk")
    info.size = 3 << 30
    with gzip.open(path, "wb", compresslevel=1) as out:
        out.write(info.tobuf())
        for _ in range(20):
            out.write(bytes(1 << 20))
    return path


@pytest.fixture
def asked(monkeypatch):
    """Give the largest piece and the farthest place that were asked of a packed file."""
    most = {"read": 0, "seek": 0}

    class Recording(gzip.GzipFile):
        def read(self, size=-1):
            most["read"] = max(most["read"], size)
            return super().read(size)

        def seek(self, offset, whence=io.SEEK_SET):
            most["seek"] = max(most["seek"], offset)
            return super().seek(offset, whence)

    monkeypatch.setattr(reading.gzip, "open", Recording)
    return most


def test_a_weblog_that_is_a_bomb_costs_little(tmp_path, asked):
    path = bomb(tmp_path / "a.weblog.tgz")
    asked.update(read=0, seek=0)
    assert not list(reports.find_in_weblog("w", path))
    assert 0 < asked["read"] <= 1 << 20
    assert asked["seek"] <= 1 << 30


def test_a_header_that_asks_for_gigabytes_is_refused(tmp_path, asked):
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 33
    path = tmp_path / "a.weblog.tgz"
    path.write_bytes(gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(4096)))
    assert not list(reading.members(path, (".html",)))
    assert 0 < asked["read"] <= 1 << 24


def test_members_stop_where_an_archive_is_cut_off(tmp_path):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name in ("a.log", "b.log"):
            info = tarfile.TarInfo(name)
            info.size = 5
            tar.addfile(info, io.BytesIO(b"hello"))
    path = tmp_path / "x.log.tar"
    path.write_bytes(stream.getvalue()[:1100])
    assert [member.name for member in reading.members(path, (".log",))] == ["a.log"]


def test_a_log_says_each_version_once_and_not_a_thousand(tmp_path):
    path = tmp_path / "a.log"
    path.write_text("".join(f"CASA Version 4.2.{n % 500}\n" for n in range(2000)))
    assert len(list(logs.find_in_log("a.log", path))) == logs.MAX_VERSIONS_IN_LOG


@pytest.mark.parametrize(
    ("files", "calibration"),
    [
        ({"a.ms.scriptForCalibration.py": ""}, Calibration.MANUAL),
        ({"x.casa_piperestorescript.py": ""}, Calibration.PIPELINE),
        ({"m.pipeline_manifest.xml": ""}, Calibration.PIPELINE),
        ({"q.qa2_report.html": "Reduction mode: PL calibration"}, Calibration.PIPELINE),
        ({"q.qa2_report.html": "Reduction mode: Manual calibration"}, Calibration.MANUAL),
        ({"README": "hello"}, Calibration.NONE),
    ],
)
def test_how_a_piece_was_calibrated(tmp_path, files, calibration):
    assert versions.read_part(make_tree(tmp_path, files)).calibration is calibration


def test_one_file_is_a_piece(tmp_path):
    text = "CASA version used for reduction: 4.2.2\n"
    make_tree(tmp_path, {"README.txt": text, "notes.txt": text})
    for name in ("README.txt", "notes.txt"):
        (found,) = versions.read_part(tmp_path / name).statements
        assert found.version == "4.2.2"


def test_nothing_at_all_is_no_delivery(tmp_path):
    with pytest.raises(DeliveryEmpty):
        versions.read_part(tmp_path)


def test_what_cannot_be_read_says_nothing(tmp_path):
    make_tree(tmp_path, {"script/a.py": "x", "README": "y"})
    (tmp_path / "dangling.log").symlink_to(tmp_path / "absent")
    assert versions.read_part(tmp_path).statements == ()
