"""The archive's TAP over a socket, asked by clients as they are: pyvo, astroquery.alma, STILTS."""

from __future__ import annotations

import contextlib
import csv
import io
import re
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import pyvo
import requests
from astropy import units
from astropy.coordinates import SkyCoord, name_resolve
from astropy.io.votable import parse_single_table
from astropy.table import Table
from astroquery.alma import Alma
from conftest import needs
from fastapi import FastAPI, Response
from making import make_archive, make_row
from serving import served

from reimage.archive.server.listening import running
from reimage.archive.server.tap import Limits

pytestmark = [  # pyvo and astroquery leave their connections open
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings(
        "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
    ),
]
N = 60
SLOW = (
    "select count(*) from ivoa.obscore as a, ivoa.obscore as b, ivoa.obscore as c,"
    " ivoa.obscore as d, ivoa.obscore as e, ivoa.obscore as f"
    " where a.s_ra + b.s_ra + c.s_ra + d.s_ra + e.s_ra + f.s_ra < 0"
)
"""60**6 combinations: longer than any test waits, on any machine."""


def rows(n=N):
    made = []
    for i in range(n):
        mous, ra = f"uid://A001/X1/X{i:x}", (201 + i * 0.1) % 360
        made.append(
            make_row(
                member_ous_uid=mous,
                obs_id=f"{mous}.source.S.spw.{i % 4}",
                obs_publisher_did=f"ADS/JAO.ALMA#2018.1.{i:05d}.S",
                proposal_id=f"2018.1.{i:05d}.S",
                target_name=f"Src_{i}" if i % 2 else f"src{i} Ü<&>",
                s_ra=ra,
                s_dec=-43.0,
                s_region=f"Circle ICRS {ra} -43.0 0.01",
                dataproduct_type="cube",
                calib_level=2,
                obs_collection="ALMA",
                access_url="https://almascience.org/datalink/sync?ID=elsewhere",
                access_format="application/x-votable+xml;content=datalink",
                t_min=58000.0 + i,
                t_max=58000.1 + i,
                em_min=1.2e-3,
                em_max=1.3e-3,
                frequency=100.0 + i,
                facility_name="JAO",
                instrument_name="ALMA",
                o_ucd="phot.flux.density",
                science_observation="T",
                scan_intent="TARGET",
            )
        )
    return made


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    files = {"a.README.txt": ("#documentation", b"hello")}
    return make_archive(tmp_path_factory.mktemp("tap") / "archive", files, rows())


@pytest.fixture(scope="module")
def base(root):
    with served(root) as address:
        yield str(address)


@pytest.fixture(scope="module")
def service(base):
    return pyvo.dal.TAPService(f"{base}/tap")


@pytest.fixture
def alma(base):
    client = Alma()
    client.archive_url = base
    return client


def get(base, **said):
    return requests.get(f"{base}/tap/sync", params={"LANG": "ADQL", **said}, timeout=30)


# --- pyvo ---------------------------------------------------------------------------------------


def test_pyvo_searches(service):
    found = service.search(
        "SELECT TOP 5 obs_id, s_ra, lastModified FROM ivoa.obscore"
        " WHERE target_name LIKE 'Src%' ORDER BY s_ra DESC"
    )
    assert found.fieldnames == ("obs_id", "s_ra", "lastModified")
    assert list(found["s_ra"]) == sorted(found["s_ra"], reverse=True)
    assert len(found) == 5
    assert str(found.getdesc("s_ra").unit) == "deg"


def test_like_tells_capitals_apart(service):
    counted = "SELECT COUNT(*) AS n FROM ivoa.obscore WHERE target_name LIKE '{}'"
    assert service.search(counted.format("Src%"))["n"][0] == N // 2
    assert service.search(counted.format("src%"))["n"][0] == N // 2
    assert service.search(counted.format("SRC%"))["n"][0] == 0
    assert service.search(counted.format(r"Src\_1"))["n"][0] == 1
    assert service.search(counted.format(r"src\_%"))["n"][0] == 0


def test_an_answer_cut_off_says_so_and_one_of_just_that_length_does_not(base, service):
    cut = service.run_sync("SELECT * FROM ivoa.obscore", maxrec=3)
    assert (len(cut), cut.query_status) == (3, "OVERFLOW")
    whole = service.run_sync("SELECT * FROM ivoa.obscore", maxrec=N)
    assert (len(whole), whole.query_status) == (N, "OK")
    none = get(base, QUERY="SELECT * FROM ivoa.obscore", MAXREC="0").text
    assert "<TR>" not in none
    assert 'value="OVERFLOW"' in none


def test_the_services_own_limit_is_told_and_kept(root):
    with served(root, limits=Limits(rows=10, uploaded_rows=5)) as address:
        limited = pyvo.dal.TAPService(f"{address}/tap")
        assert (limited.maxrec, limited.hardlimit) == (10, 10)
        with pytest.warns(pyvo.dal.exceptions.DALOverflowWarning):
            assert len(limited.search("SELECT obs_id FROM ivoa.obscore", maxrec=30)) == 10
        many = {"t": Table({"a": list(range(6))})}
        with pytest.raises(pyvo.dal.DALQueryError, match="6 rows, 5 at most"):
            limited.run_sync("SELECT a FROM TAP_UPLOAD.t", uploads=many)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT nope FROM ivoa.obscore", "nope"),
        ("SELECT a FROM ivoa.nothing", "no table ivoa.nothing"),
        ("SELECT obs_id FROM ivoa.obscore LIMIT 1", "not ADQL"),
        ("SELECT CIRCLE('MOON', 1, 2, 3) FROM ivoa.obscore", "MOON"),
        ("SELECT COORD1(s_region) FROM ivoa.obscore", "circle has no coordinates"),
        ("SELECT REGION('Blob 1 2') FROM ivoa.obscore", "Blob"),
        ("SELECT obs_id FROM ivoa.obscore WHERE COUNT(*) > 1", "aggregate"),
    ],
)
@pytest.mark.parametrize("way", ["run_sync", "run_async"])
def test_a_wrong_query_is_refused_by_its_words(service, query, words, way):
    with pytest.raises(pyvo.dal.DALQueryError, match=re.escape(words)):
        getattr(service, way)(query)


def test_a_job_from_its_making_to_its_end(service):
    job = service.submit_job("SELECT * FROM ivoa.obscore", maxrec=7)
    assert job.phase == "PENDING"
    job.execution_duration = 17
    assert job.execution_duration.to_value("s") == 17
    job.run().wait(phases=["COMPLETED", "ERROR", "ABORTED"], timeout=30)
    assert job.phase == "COMPLETED"
    result = job.fetch_result()
    assert (len(result), result.query_status) == (7, "OVERFLOW")
    assert [one.jobid for one in service.get_job_list()] == [job.job_id]
    place = job.url
    job.delete()
    assert requests.get(place, timeout=10).status_code == 404
    assert service.get_job_list() == []


def test_a_job_that_takes_too_long_is_ended(base, service):
    job = service.submit_job(SLOW)
    job.execution_duration = 1
    job.run().wait(phases=["COMPLETED", "ERROR", "ABORTED"], timeout=30)
    assert job.phase == "ERROR"
    with pytest.raises(pyvo.dal.DALQueryError, match="longer than it may"):
        job.raise_if_error()
    job.delete()


def test_a_job_can_be_aborted_and_a_wait_ends_with_it(service):
    job = service.submit_job(SLOW).run()
    while job.phase == "QUEUED":
        time.sleep(0.02)
    seen = []
    waiting = threading.Thread(
        target=lambda: seen.append(
            requests.get(job.url, params={"WAIT": "30", "PHASE": "EXECUTING"}, timeout=60).text
        )
    )
    waiting.start()
    time.sleep(0.3)
    assert seen == []  # it is held back
    job.abort()
    waiting.join(timeout=10)
    assert "ABORTED" in seen[0]
    job.delete()


def test_the_server_ends_though_a_query_runs(root):
    with served(root) as address:
        asked = threading.Thread(target=lambda: _unanswered(address))
        asked.start()
        time.sleep(0.5)
        begun = time.monotonic()
    asked.join(timeout=30)
    assert not asked.is_alive()
    assert time.monotonic() - begun < 20


def _unanswered(address):
    with contextlib.suppress(requests.RequestException):
        get(address, QUERY=SLOW)


def test_what_a_job_is_not_asked_for(base):
    at = f"{base}/tap/async"
    job = requests.post(at, data={"LANG": "ADQL", "QUERY": "select 1"}, timeout=10).url
    for path, status in (
        ("", 200), ("/phase", 200), ("/quote", 200), ("/owner", 200), ("/error", 200),
        ("/results", 200), ("/parameters", 200), ("/results/result", 404), ("/blob", 404),
    ):  # fmt: skip
        assert requests.get(f"{job}{path}", timeout=10).status_code == status, path
    for path, said in (
        ("phase", "DANCE"), ("destruction", "tomorrow"), ("executionduration", "-1"),
    ):  # fmt: skip
        answer = requests.post(f"{job}/{path}", data={path: said}, timeout=10)
        assert answer.status_code == 400, path
    assert requests.get(f"{at}/nobody", timeout=10).status_code == 404
    assert requests.post(f"{at}/nobody/phase", data={"PHASE": "RUN"}, timeout=10).status_code == 404
    requests.post(f"{job}/destruction", data={"DESTRUCTION": "2020-01-01T00:00:00Z"}, timeout=10)
    assert requests.get(job, timeout=10).status_code == 404  # its time is over


@pytest.mark.parametrize("way", ["run_sync", "run_async"])
def test_a_list_of_datasets_is_joined(service, way):
    mine = Table({"mous": ["uid://A001/X1/X5", "uid://A001/X1/X1", "none"], "n": [1, 2, 3]})
    found = getattr(service, way)(
        "SELECT o.obs_id, u.n FROM ivoa.obscore AS o JOIN TAP_UPLOAD.mine AS u"
        " ON u.mous = o.member_ous_uid ORDER BY u.n",
        uploads={"mine": mine},
    )
    assert list(found["obs_id"]) == [f"uid://A001/X1/X{i}.source.S.spw.1" for i in (5, 1)]


def test_an_upload_from_the_result_of_a_job_and_from_nowhere_else(base, service):
    job = service.submit_job("SELECT TOP 2 member_ous_uid FROM ivoa.obscore")
    job.run().wait(phases=["COMPLETED"], timeout=30)
    query = "SELECT COUNT(*) AS n FROM TAP_UPLOAD.mine"
    answer = get(base, QUERY=query, UPLOAD=f"mine,{job.result_uri}", FORMAT="csv")
    assert answer.text.split() == ["n", "2"]
    for place in ("http://127.0.0.1:9/x", "file:///etc/passwd", "param:absent"):
        refused = get(base, QUERY=query, UPLOAD=f"mine,{place}")
        assert refused.status_code == 400
        assert "UPLOAD" in refused.text
    job.delete()


def test_the_tables_say_what_they_hold(service):
    assert set(service.tables.keys()) == {
        "ivoa.obscore",
        *(f"TAP_SCHEMA.{name}" for name in ("schemas", "tables", "columns", "keys", "key_columns")),
    }
    told = {column.name: column for column in service.tables["ivoa.obscore"].columns}
    assert (told["bandwidth"].unit, told["s_resolution"].unit) == ("Hz", "arcsec")
    schema = service.search(
        "SELECT column_name, unit FROM TAP_SCHEMA.columns WHERE table_name = 'ivoa.obscore'"
    )
    assert {row["column_name"]: row["unit"] or None for row in schema} == {
        name: column.unit for name, column in told.items()
    }
    assert {name.partition("#")[2] for name in map(str, _methods(service))} == {
        "upload-inline", "upload-http",
    }  # fmt: skip


def _methods(service):
    return [method.ivo_id for method in service.upload_methods]


# --- the answers themselves ---------------------------------------------------------------------


def test_every_format_says_the_same(base):
    query = "SELECT obs_id, target_name, s_ra, calib_level, t_exptime, s_region FROM ivoa.obscore"
    tables = [
        parse_single_table(
            io.BytesIO(get(base, QUERY=query, RESPONSEFORMAT=said).content)
        ).to_table()
        for said in ("votable", "votable/b2", "application/x-votable+xml; serialization=binary2")
    ]
    assert len(tables[0]) == N
    assert tables[0]["t_exptime"].mask.all()  # the holdings do not have it
    for other in tables[1:]:
        assert [tuple(row) for row in other.filled(-1)] == [
            tuple(row) for row in tables[0].filled(-1)
        ]
    for said, delimiter in (("csv", ","), ("tsv", "\t")):
        answer = get(base, QUERY=query, FORMAT=said)
        answer.encoding = "utf-8"
        lines = list(csv.reader(io.StringIO(answer.text), delimiter=delimiter))
        assert lines[0] == tables[0].colnames
        assert [line[1] for line in lines[1:]] == list(tables[0]["target_name"])
        assert {line[4] for line in lines[1:]} == {""}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"LANG": "SQL"}, "LANG=SQL"),
        ({"REQUEST": "dance"}, "REQUEST=dance"),
        ({"FORMAT": "pdf"}, "RESPONSEFORMAT=pdf"),
        ({"MAXREC": "many"}, "MAXREC=many"),
        ({"MAXREC": "-1"}, "MAXREC=-1"),
        ({"QUERY": ""}, "QUERY is missing"),
    ],
)
def test_a_parameter_that_cannot_be_is_a_votable_with_400(base, said, words):
    answer = get(base, **{"QUERY": "SELECT TOP 1 obs_id FROM ivoa.obscore", **said})
    assert answer.status_code == 400
    assert 'name="QUERY_STATUS" value="ERROR"' in answer.text
    assert words in answer.text


def test_a_fault_behind_the_first_rows_is_told_at_the_end(tmp_path):
    many = rows(5000)
    many[-1]["s_region"] = "Position ICRS 1 2"
    for row in many[:-1]:
        row["s_region"] = None
    # COORD1 of no region is NULL, of a point a number, and of a circle an error
    many[-1]["s_region"] = "Circle ICRS 1 2 3"
    root = make_archive(
        tmp_path / "archive", {}, [{**row, "s_region": row["s_region"] or ""} for row in many]
    )
    with served(root) as address:
        answer = get(address, QUERY="SELECT obs_id, COORD1(s_region) AS x FROM ivoa.obscore")
        assert answer.status_code == 200
        assert answer.text.count("<TR>") >= 2000
        assert answer.text.rstrip().endswith("</VOTABLE>")
        assert 'value="ERROR">COORD1: a circle has no coordinates' in answer.text


def test_holdings_that_change_are_read_again(tmp_path):
    root = make_archive(tmp_path / "archive", {}, rows(3))
    count = "SELECT COUNT(*) AS n FROM ivoa.obscore"
    with served(root) as address:
        assert get(address, QUERY=count, FORMAT="csv").text.split() == ["n", "3"]
        Table(rows=rows(4)).write(root / "holdings.ecsv", format="ascii.ecsv", overwrite=True)
        assert get(address, QUERY=count, FORMAT="csv").text.split() == ["n", "4"]
        (root / "holdings.ecsv").write_text("no table")
        broken = get(address, QUERY=count)
        assert broken.status_code == 503
        assert "holdings.ecsv" in broken.text


def test_many_at_once_get_their_own_answers(base):
    def one(i):
        query = f"SELECT obs_id FROM ivoa.obscore WHERE member_ous_uid = 'uid://A001/X1/X{i:x}'"  # noqa: S608 -- ours
        return get(base, QUERY=query, FORMAT="csv").text.split()[1]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(one, range(N)))
    assert found == [f"uid://A001/X1/X{i:x}.source.S.spw.{i % 4}" for i in range(N)]


# --- astroquery.alma ----------------------------------------------------------------------------


def test_astroquery_asks_in_adql(alma):
    assert len(alma.query_tap("SELECT TOP 3 obs_id, s_ra FROM ivoa.obscore")) == 3


def test_astroquery_asks_for_a_region(alma):
    near = SkyCoord(201.5, -43, unit="deg")
    found = alma.query_region(near, radius=0.2 * units.deg)
    apart = SkyCoord(found["s_ra"], found["s_dec"], unit="deg").separation(near).deg
    assert 0 < len(found) < N
    assert apart.max() < 0.21
    assert len(alma.query_region(SkyCoord(20, 43, unit="deg"), radius=1 * units.deg)) == 0


def test_astroquery_asks_for_an_object_by_its_name(alma):
    resolver = FastAPI()

    @resolver.get("/{_path:path}")
    def resolve(_path: str) -> Response:
        return Response(
            "# NGC 5128\n#=S=Simbad\n%J 201.5 -43.0 = 13:26 -43:00\n", media_type="text/plain"
        )

    with (
        running(lambda _base: resolver) as (address, _),
        name_resolve.sesame_url.set([f"{address}/"]),
    ):
        found = alma.query_object("NGC 5128")
    assert set(found["target_name"]) == {
        f"Src_{i}" if i % 2 else f"src{i} Ü<&>" for i in range(3, 8)
    }


@pytest.mark.parametrize(
    ("said", "n"),
    [
        ({"frequency": "110..119"}, 10),
        ({"frequency": "<105 | >155"}, 11),
        ({"bandwidth": ">1e9"}, N),
        ({"bandwidth": "<1e9"}, 0),
        ({"band_list": ["6"]}, N),
        ({"band_list": ["3", "7"]}, 0),
        ({"project_code": "2018.1.0000*"}, 10),
        ({"source_name_alma": "Src_1*"}, 6),
        ({"ra_dec": "201.5 -43., 0.05"}, 1),
        ({"ra_dec": "201.45..201.75 -44..-42"}, 3),
        ({"start_date": "01-10-2017 .. 05-10-2017"}, 5),
        ({"spatial_resolution": "<2"}, N),
        ({"polarisation_type": "Dual"}, N),
        ({"polarisation_type": "Full"}, 0),
        ({"public_data": False}, 0),
    ],
)
def test_astroquery_asks_by_constraints(alma, said, n):
    public = said.pop("public_data", True)
    found = alma.query(said, public=public, science=None)
    assert len(found) == n


# --- STILTS -------------------------------------------------------------------------------------


def test_taplint_finds_no_error(base):
    linted = subprocess.run(
        [needs("stilts"), "taplint", f"tapurl={base}/tap", "report=EWFS"],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    told = linted.stdout + linted.stderr
    assert re.findall(r"^[EW]-.*$", told, re.MULTILINE) == []
    assert re.findall(r"^F-(?!LOC-NOTP).*$", told, re.MULTILINE) == []  # we are no ObsLocTAP
    assert "Totals: Errors: 0; Warnings: 0" in told
    stages = "TMV TME TMS TMC CPV CAP AVV QGE QPO QAS UWS MDQ OBS LOC UPL EXA"
    for stage in stages.split(" "):
        assert f"Section {stage}:" in told
