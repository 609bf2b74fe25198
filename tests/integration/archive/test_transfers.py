"""Transfers from a server that misbehaves (`serving.served`), over loopback, in real seconds."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest
from making import MOUS, make_archive, make_tar
from serving import served

from reimage.archive import attempt, patience
from reimage.archive.download import Transfers
from reimage.archive.faults import (
    ArchiveFileGrown,
    ArchiveFileMissing,
    ArchiveFileSize,
    ArchiveHtmlPage,
    ArchiveNameHostile,
    ArchiveNotPublic,
    ArchiveRedirects,
    ArchiveStalled,
    ArchiveUnavailable,
)
from reimage.archive.listing import ArchiveFile
from reimage.archive.server.portal import Access
from reimage.credentials import Secrets
from reimage.errors import ArchiveError, DiskFull
from reimage.run import Transfer

N_BYTES = 6_000_000
TAR = "p_auxiliary.tar"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Give an archive of a README, a tar of six megabytes and some small files."""
    place = tmp_path_factory.mktemp("served")
    inside = {f"member/{n}.bin": os.urandom(N_BYTES // 6) for n in range(6)}
    tar = make_tar(place / TAR, inside).read_bytes()
    files = {"a.README.txt": ("#documentation", b"hello"), TAR: ("#auxiliary", tar)}
    files |= {f"s{n}.csv": ("#this", f"{n},".encode() * 100) for n in range(8)}
    return make_archive(place / "archive", files)


@pytest.fixture
def quick(monkeypatch):
    """Have back-off begin at a twentieth of a second: what is tested here is not how long it is."""
    monkeypatch.setattr(patience, "FIRST_WAIT_S", 0.05)


def content(root, name=TAR):
    return (root / "dataPortal" / name).read_bytes()


def listed(base, root, *names, **other):
    return [
        ArchiveFile(
            name=name,
            semantics="#auxiliary",
            content_type="application/x-tar",
            url=f"{base}/dataPortal/{name}",
            **{"n_bytes": len(content(root, name)), **other},
        )
        for name in names or (TAR,)
    ]


def transfer(**other):
    return Transfer(**{"patience_s": 5.0, "stall_s": 1.0, **other})


def fetch(base, files, folder, *, secrets=None, told=None, version="", **other):
    transfers = Transfers(transfer(**other), secrets or Secrets(), home=base)
    tell = (lambda *_: None) if told is None else (lambda file, n: told.append((file.name, n)))
    return list(transfers.fetch_all(files, folder, tell, dataset=MOUS, version=version))


def is_there(root, folder, name=TAR):
    left = [path.name for path in folder.iterdir() if ".part" in path.name]
    return not left and (folder / name).read_bytes() == content(root, name)


def test_files_arrive_whole_with_their_checksums(whole, tmp_path):
    names = sorted(path.name for path in (whole / "dataPortal").iterdir())
    told = []
    with served(whole) as base:
        found = fetch(base, listed(base, whole, *names), tmp_path / "new/x", told=told)
        agents = {one.agent for one in base.mischief.asked}
    assert sorted(one.file.name for one in found) == names
    for one in found:
        assert one.sha256 == hashlib.sha256(content(whole, one.file.name)).hexdigest()
        assert one.n_bytes == len(content(whole, one.file.name))
        assert is_there(whole, tmp_path / "new/x", one.file.name)
        assert (one.file.name, one.n_bytes) in told
        assert not one.is_cached
    assert all(agent.startswith("reimage/") for agent in agents)


@pytest.mark.parametrize(
    ("rule", "n_asked"),
    [
        ("status=500@dataPortal/* x1", 2),
        ("status=503/1@dataPortal/* x1", 2),
        ("status=429@dataPortal/* x2", 3),
        ("status=202@dataPortal/* x1", 2),
        ("drop@dataPortal/* x2", 3),
        ("html@dataPortal/* x1", 2),
        ("html=500@dataPortal/* x1", 2),
        ("truncate=3000000@dataPortal/* x1", 2),
        ("truncate=100@dataPortal/* x2", 3),
        ("growth=100@dataPortal/* x1", 2),
        ("latency=1.5@dataPortal/* x1", 2),
        ("stall=2000000@dataPortal/* x1", 2),
        ("type=text/html@dataPortal/* x1", 2),
        ("nolength@dataPortal/*", 1),
        ("nodisposition@dataPortal/*", 1),
        ("name=other.tar@dataPortal/*", 1),
    ],
)
def test_what_passes_is_got_over(whole, tmp_path, quick, rule, n_asked):
    with served(whole, rule) as base:
        (found,) = fetch(base, listed(base, whole), tmp_path)
        assert len(base.mischief.asked) == n_asked
    assert found.sha256 == hashlib.sha256(content(whole)).hexdigest()
    assert is_there(whole, tmp_path)


@pytest.mark.parametrize(
    ("rule", "fault", "n_asked"),
    [
        ("status=403@dataPortal/*", ArchiveNotPublic, 1),
        ("status=401@dataPortal/*", ArchiveNotPublic, 1),
        ("status=404@dataPortal/*", ArchiveFileMissing, 1),
        ("status=400@dataPortal/*", ArchiveUnavailable, patience.TRIES),
        ("status=503/3600@dataPortal/*", ArchiveUnavailable, 1),
        ("html@dataPortal/*", ArchiveHtmlPage, patience.TRIES),
        ("growth=100@dataPortal/*", ArchiveFileGrown, patience.TRIES),
        ("redirect@dataPortal/*", ArchiveRedirects, patience.TRIES),
        ("redirect=http://127.0.0.2:9/x@dataPortal/*", ArchiveRedirects, patience.TRIES),
        ("redirect=file:///etc/passwd@dataPortal/*", ArchiveRedirects, patience.TRIES),
        ("name=../../x.tar@dataPortal/*", ArchiveNameHostile, patience.TRIES),
        ("truncate=100000@dataPortal/*", ArchiveFileSize, None),
    ],
)
@pytest.mark.usefixtures("quick")
def test_what_does_not_pass_ends_in_its_error(whole, tmp_path, rule, fault, n_asked):
    with served(whole, rule) as base:
        with pytest.raises(fault) as caught:
            fetch(base, listed(base, whole), tmp_path, patience_s=60)
        asked = len(base.mischief.asked)
    assert n_asked in {None, asked}
    assert caught.value.evidence["file"] == TAR
    assert not (tmp_path / TAR).exists()


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ("status=500@dataPortal/*", ArchiveUnavailable),
        ("drop@dataPortal/*", ArchiveUnavailable),
        ("stall=1000@dataPortal/*", ArchiveStalled),
        ("drip=2000@dataPortal/*", ArchiveStalled),
    ],
)
def test_patience_comes_to_an_end(whole, tmp_path, quick, rule, fault):
    with served(whole, rule) as base:
        with pytest.raises(fault) as caught:
            fetch(base, listed(base, whole), tmp_path, patience_s=1, stall_s=0.5)
        asked = len(base.mischief.asked)
    assert caught.value.evidence["waited_s"] >= 1
    # waits of 25, 50, 100 ... ms at least: the sixth failure was the last that patience could wait after
    assert 2 <= asked == caught.value.evidence["attempts"] <= 7


def test_nobody_there(whole, tmp_path, quick):
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))  # bound, and nobody listens
        base = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(ArchiveUnavailable, match="Connection refused"):
            fetch(base, listed(base, whole), tmp_path, patience_s=0.3)


def test_an_archive_that_is_away_for_seconds_is_waited_for(whole, tmp_path, quick):
    with served(whole, "down=2@dataPortal/*.tar x1") as base:
        fetch(base, listed(base, whole), tmp_path, patience_s=30)
    assert is_there(whole, tmp_path)


def begin(whole, tmp_path, n_bytes=3_000_000):
    """Leave a `.part` of so many bytes, as a failed transfer does."""
    with served(whole, f"truncate={n_bytes}@dataPortal/* x1", "status=404@dataPortal/* +1") as base:
        with pytest.raises(ArchiveFileMissing):
            fetch(base, listed(base, whole), tmp_path)
        port = int(base.rpartition(":")[2])
    assert (tmp_path / f"{TAR}.part").stat().st_size == n_bytes
    return port


def test_the_rest_is_asked_for_where_the_server_proves_it_is_the_same(whole, tmp_path):
    port = begin(whole, tmp_path)
    with served(whole, port=port) as base:
        (found,) = fetch(base, listed(base, whole), tmp_path)
        assert [one.status for one in base.mischief.asked] == [206]
        assert base.mischief.n_bytes("dataPortal/*") == len(content(whole)) - 3_000_000
    assert found.sha256 == hashlib.sha256(content(whole)).hexdigest()
    assert is_there(whole, tmp_path)


@pytest.mark.parametrize(
    ("rule", "statuses"),
    [
        ("norange@dataPortal/*", [200]),  # answers 200: begun at 0
        ("etag=changed@dataPortal/*", [200]),  # replaced since: If-Range does not hold
        ("shift=7@dataPortal/*", [206, 200]),  # another range than was asked for
        ("status=416@dataPortal/* x1", [416, 200]),
    ],
)
def test_else_it_is_begun_at_0(whole, tmp_path, rule, statuses):
    port = begin(whole, tmp_path)
    with served(whole, rule, port=port) as base:
        fetch(base, listed(base, whole), tmp_path)
        assert [one.status for one in base.mischief.asked] == statuses
    assert is_there(whole, tmp_path)


def test_a_206_of_a_changed_file_is_not_believed(whole, tmp_path):
    """A server may ignore If-Range: then its ETag tells."""
    port = begin(whole, tmp_path)
    note = tmp_path / f"{TAR}.part.json"
    note.write_text(note.read_text().replace('"etag": "\\"', '"etag": "\\"0'))
    with served(whole, port=port) as base:
        fetch(base, listed(base, whole), tmp_path)
        assert [one.status for one in base.mischief.asked] == [200]
    assert is_there(whole, tmp_path)


@pytest.mark.parametrize("change", ["longer", "no note", "note of nothing", "other length"])
def test_a_part_that_cannot_be_trusted_is_begun_at_0(whole, tmp_path, change):
    port = begin(whole, tmp_path)
    part, note = tmp_path / f"{TAR}.part", tmp_path / f"{TAR}.part.json"
    if change == "longer":
        part.write_bytes(bytes(len(content(whole)) + 1))
    elif change == "no note":
        note.unlink()
    elif change == "note of nothing":
        note.write_text("[1]")
    else:
        note.write_text(note.read_text().replace('"n_bytes": ', '"n_bytes": 1'))
    with served(whole, port=port) as base:
        fetch(base, listed(base, whole), tmp_path)
        assert [one.status for one in base.mischief.asked] == [200]
    assert is_there(whole, tmp_path)


def test_killed_between_the_last_byte_and_the_name(whole, tmp_path):
    begin(whole, tmp_path)
    shutil.copyfile(whole / "dataPortal" / TAR, tmp_path / f"{TAR}.part")
    with served(whole) as base:
        (found,) = fetch(base, listed(base, whole), tmp_path)
        assert not base.mischief.asked
    assert found.sha256 == hashlib.sha256(content(whole)).hexdigest()


KILLED = """
import sys
from pathlib import Path
from reimage.archive.download import Transfers
from reimage.archive.listing import ArchiveFile
from reimage.credentials import Secrets
from reimage.run import Transfer
base, name, n_bytes, folder = sys.argv[1:]
file = ArchiveFile(name=name, semantics="", content_type="", n_bytes=int(n_bytes), url=f"{base}/dataPortal/{name}")
transfers = Transfers(Transfer(), Secrets(), home=base)
for _ in transfers.fetch_all([file], Path(folder), lambda _, n: print(n, flush=True), dataset="x"):
    pass
"""


def test_killed_in_mid_transfer_goes_on_where_it_was(whole, tmp_path):
    (file,) = listed("", whole)
    with served(whole, "drip=4000000@dataPortal/* x1") as base:
        command = [sys.executable, "-c", KILLED, base, TAR, str(file.n_bytes), str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            for line in child.stdout:
                if int(line) > 2_000_000:
                    break
            child.send_signal(signal.SIGKILL)
        part = (tmp_path / f"{TAR}.part").stat().st_size
        assert 1_900_000 < part < file.n_bytes
        fetch(base, listed(base, whole), tmp_path)
        again = base.mischief.asked[-1]
    assert again.range == f"bytes={part}-"
    assert (again.status, again.n_bytes) == (206, file.n_bytes - part)
    assert is_there(whole, tmp_path)


def test_two_processes_of_one_file_take_turns(whole, tmp_path):
    found = []
    with served(whole, "latency=0.5@dataPortal/* x1") as base:
        threads = [
            threading.Thread(
                target=lambda: found.extend(fetch(base, listed(base, whole), tmp_path))
            )
            for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert base.mischief.n_requests("dataPortal/*") == 1
    assert len(found) == 3
    assert is_there(whole, tmp_path)


def test_one_bad_file_does_not_stop_the_others(whole, tmp_path, quick):
    names = [f"s{n}.csv" for n in range(8)]
    rules = ["status=404@dataPortal/s2.csv", "status=403@dataPortal/s5.csv"]
    got = []
    with served(whole, *rules) as base, pytest.raises(ArchiveNotPublic) as caught:  # noqa: PT012
        transfers = Transfers(transfer(), Secrets(), home=base)
        files = listed(base, whole, *names)
        got.extend(
            one.file.name
            for one in transfers.fetch_all(files, tmp_path, lambda *_: None, dataset=MOUS)
        )
    assert sorted(got) == [name for name in names if name not in {"s2.csv", "s5.csv"}]
    (other,) = caught.value.evidence["also_failed"]
    assert other.startswith("s2.csv")


def test_what_is_there_is_not_fetched_again(whole, tmp_path):
    with served(whole) as base:
        fetch(base, listed(base, whole), tmp_path)
        (found,) = fetch(base, listed(base, whole), tmp_path)
        assert base.mischief.n_requests("dataPortal/*") == 1
    assert found.is_cached
    assert found.sha256 == hashlib.sha256(content(whole)).hexdigest()


def test_a_second_fetch_makes_no_request(whole, tmp_path):
    names = sorted(path.name for path in (whole / "dataPortal").iterdir())
    cache = {"cache": str(tmp_path / "cache"), "cache_bytes": 1 << 30}
    with served(whole) as base:
        files = listed(base, whole, *names)
        fetch(base, files, tmp_path / "run1", version="1", **cache)
        base.mischief.clear()
        found = fetch(base, files, tmp_path / "run2", version="1", **cache)
        assert not base.mischief.asked
        assert all(one.is_cached for one in found)
        assert all(is_there(whole, tmp_path / "run2", name) for name in names)
        fetch(base, files, tmp_path / "run3", version="2", **cache)
        assert len(base.mischief.asked) == len(files)


def test_only_the_bad_file_is_fetched_again(whole, tmp_path):
    names = ["a.README.txt", TAR, "s1.csv"]
    cache = {"cache": str(tmp_path / "cache"), "cache_bytes": 1 << 30}
    with served(whole) as base:
        files = listed(base, whole, *names)
        fetch(base, files, tmp_path / "run", **cache)
        base.mischief.clear()
        bad = tmp_path / "run" / TAR
        with bad.open("r+b") as stream:  # a disk that lies, below the cache's feet, too
            stream.seek(1000)
            stream.write(b"xxxx")
        os.utime(bad, ns=(0, 1))
        fetch(base, files, tmp_path / "run", **cache)
        assert [one.path for one in base.mischief.asked] == [f"dataPortal/{TAR}"]
        assert is_there(whole, tmp_path / "run")
        base.mischief.clear()
        transfers = Transfers(transfer(**cache), Secrets(), home=base)
        transfers.reject(files[0], dataset=MOUS)
        fetch(base, files, tmp_path / "run2", **cache)
        assert [one.path for one in base.mischief.asked] == ["dataPortal/a.README.txt"]


def test_disk_space_is_looked_at_before(whole, tmp_path):
    free = shutil.disk_usage(tmp_path).free
    with served(whole) as base:
        with pytest.raises(DiskFull) as caught:
            fetch(base, listed(base, whole, n_bytes=free * 2), tmp_path)
        assert not base.mischief.asked
    assert caught.value.evidence["n_bytes"] == free * 2


def test_mirrors(whole, tmp_path, quick):
    with served(whole, "status=500@dataPortal/*") as base, served(whole) as mirror:
        fetch(base, listed(base, whole), tmp_path, mirrors=(mirror,))
        assert (len(base.mischief.asked), len(mirror.mischief.asked)) == (patience.IN_A_ROW, 1)
    assert is_there(whole, tmp_path)


def test_a_mirror_may_have_what_the_archive_lost(whole, tmp_path):
    with served(whole, "status=404@dataPortal/*") as base, served(whole) as mirror:
        fetch(base, listed(base, whole), tmp_path, mirrors=(mirror,))
    assert is_there(whole, tmp_path)


def test_redirects_to_a_mirror_are_followed(whole, tmp_path):
    with served(whole) as mirror:
        rule = f"redirect={mirror}/dataPortal/{TAR}@dataPortal/*"
        with served(whole, rule) as base:
            fetch(base, listed(base, whole), tmp_path, mirrors=(mirror,))
    assert is_there(whole, tmp_path)


@pytest.fixture
def secret(tmp_path):
    """Give an archive whose only dataset is proprietary."""
    from making import make_row  # noqa: PLC0415 -- as the fixture needs it

    rows = [make_row(data_rights="Proprietary", obs_release_date="3000-01-01T00:00:00.000")]
    return make_archive(tmp_path / "secret", {"a.csv": ("#this", b"1,2")}, rows)


@pytest.mark.parametrize(
    ("secrets", "is_given"),
    [
        (Secrets(), False),
        (Secrets(token="wrong"), False),
        (Secrets(token="t"), True),
        (Secrets(user="u", password="p"), True),
    ],
)
def test_credentials_open_what_is_not_public(secret, tmp_path, secrets, is_given):
    with served(secret, access=Access(user="u", password="p", token="t")) as base:
        if is_given:
            fetch(base, listed(base, secret, "a.csv"), tmp_path / "x", secrets=secrets)
            assert is_there(secret, tmp_path / "x", "a.csv")
        else:
            with pytest.raises(ArchiveNotPublic):
                fetch(base, listed(base, secret, "a.csv"), tmp_path / "x", secrets=secrets)


def test_netrc_is_not_looked_at(secret, tmp_path, monkeypatch):
    """Credentials are only those that were given to us."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login u password p\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with served(secret, access=Access(user="u", password="p")) as base:
        files = listed(base, secret, "a.csv")
        with pytest.raises(ArchiveNotPublic):
            fetch(base, files, tmp_path / "x")


def test_credentials_do_not_go_to_strangers(secret, tmp_path):
    access = Access(token="t")
    of_another = Transfers(transfer(), Secrets(token="t"), home="http://127.0.0.1:9")
    with served(secret, access=access) as base:
        files = listed(base, secret, "a.csv")
        with pytest.raises(ArchiveNotPublic):
            list(of_another.fetch_all(files, tmp_path / "x", lambda *_: None, dataset=MOUS))


def test_no_more_transfers_at_once_than_may_be(whole, tmp_path):
    names = [f"s{n}.csv" for n in range(8)]
    with served(whole, "latency=0.3@dataPortal/*") as base:
        for connections in (4, 1):  # a loaded machine only takes longer
            begun = time.monotonic()
            folder = tmp_path / str(connections)
            fetch(base, listed(base, whole, *names), folder, connections=connections)
            assert time.monotonic() - begun >= 0.3 * len(names) / connections


def test_so_many_transfers_at_once_as_may_be(whole, tmp_path, monkeypatch):
    """Each waits in its attempt until all four are there; no clock says whether they are at once."""
    names, met = [f"s{n}.csv" for n in range(8)], threading.Barrier(4)
    make = attempt.Attempt.make

    def together(self, *asked):
        met.wait(60)
        make(self, *asked)

    monkeypatch.setattr(attempt.Attempt, "make", together)
    with served(whole) as base:
        fetch(base, listed(base, whole, *names), tmp_path, connections=4)


def test_the_rate_is_kept(whole, tmp_path):
    begun = time.monotonic()
    with served(whole) as base:
        fetch(base, listed(base, whole), tmp_path, rate_bytes_s=4_000_000)
    assert time.monotonic() - begun >= 1.2


def test_a_stall_is_seen_below_a_limit_of_the_rate(whole, tmp_path, quick):
    with served(whole, "drip=2000@dataPortal/*") as base, pytest.raises(ArchiveStalled):
        fetch(
            base,
            listed(base, whole),
            tmp_path,
            patience_s=0.5,
            stall_s=0.5,
            rate_bytes_s=100_000_000,
        )


def test_a_limit_of_the_rate_is_no_stall(whole, tmp_path):
    with served(whole) as base:
        fetch(base, listed(base, whole), tmp_path, stall_s=0.1, rate_bytes_s=4_000_000)
        assert len(base.mischief.asked) == 1


def test_a_file_of_unknown_origin_is_fetched(whole, tmp_path):
    """Somebody made it, of the listed length, and of zeros."""
    (tmp_path / TAR).write_bytes(bytes(len(content(whole))))
    with served(whole) as base:
        (found,) = fetch(base, listed(base, whole), tmp_path)
    assert not found.is_cached
    assert is_there(whole, tmp_path)


def test_a_note_of_what_is_gone_goes(whole, tmp_path):
    with served(whole) as base:
        fetch(base, listed(base, whole), tmp_path)
        (tmp_path / TAR).unlink()
        fetch(base, [], tmp_path)
    assert not list(tmp_path.iterdir())


def test_one_file_that_stalls_does_not_cost_the_others_our_patience(whole, tmp_path, quick):
    rules = [f"stall=1000@dataPortal/{TAR}", "status=500@dataPortal/s1.csv x3"]
    with served(whole, *rules) as base:
        files = listed(base, whole, TAR, "s1.csv")
        with pytest.raises(ArchiveStalled) as caught:
            fetch(base, files, tmp_path, connections=1, patience_s=1.5, stall_s=0.3)
    assert "also_failed" not in caught.value.evidence
    assert (tmp_path / "s1.csv").read_bytes() == content(whole, "s1.csv")


def test_a_drip_above_the_least_rate_goes_on(whole, tmp_path):
    assert attempt.LEAST_BYTES < 4_000_000
    with served(whole, "drip=4000000@dataPortal/*") as base:
        fetch(base, listed(base, whole), tmp_path, stall_s=0.5)
        assert len(base.mischief.asked) == 1
    assert is_there(whole, tmp_path)


def test_who_leaves_early_leaves_nothing_running(whole, tmp_path):
    names = [TAR, "a.README.txt"]
    with served(whole, f"drip=100000@dataPortal/{TAR}") as base:
        transfers = Transfers(transfer(), Secrets(), home=base)
        files = listed(base, whole, *names)
        fetching = transfers.fetch_all(files, tmp_path, lambda *_: None, dataset=MOUS)
        next(fetching)
        fetching.close()
        assert not [one for one in threading.enumerate() if one.name.startswith("fetch-")]
    assert (tmp_path / "a.README.txt").exists()


def test_told_in_the_callers_thread(whole, tmp_path):
    threads = set()
    with served(whole) as base:
        transfers = Transfers(transfer(), Secrets(), home=base)
        tell = lambda *_: threads.add(threading.current_thread())  # noqa: E731
        list(transfers.fetch_all(listed(base, whole), tmp_path, tell, dataset=MOUS))
    assert threads == {threading.current_thread()}


def test_a_length_that_is_not_listed(whole, tmp_path):
    with served(whole) as base:
        (found,) = fetch(base, listed(base, whole, n_bytes=None), tmp_path)
        assert found.n_bytes == len(content(whole))
    with served(whole, "nolength@dataPortal/*") as base:
        (found,) = fetch(base, listed(base, whole, n_bytes=None), tmp_path / "x")
        assert found.n_bytes == len(content(whole))


def test_a_hostile_name_in_a_listing_is_never_asked_for(whole, tmp_path):
    file = ArchiveFile(name="../x", semantics="", content_type="", n_bytes=1, url="http://[::1]/x")
    with pytest.raises(ArchiveError):
        fetch("http://127.0.0.1:9", [file], tmp_path)


def test_no_files_are_no_work(tmp_path):
    assert fetch("http://127.0.0.1:9", [], tmp_path) == []


def test_an_archive_that_was_waited_for_in_vain_is_not_waited_for_again(whole, tmp_path, quick):
    names = [f"s{n}.csv" for n in range(8)]
    with served(whole, "status=500@dataPortal/*") as base:
        with pytest.raises(ArchiveUnavailable):
            fetch(base, listed(base, whole, *names), tmp_path, connections=1, patience_s=1.5)
        asked = [base.mischief.n_requests(f"dataPortal/{name}") for name in names]
    assert asked[0] > 2
    assert max(asked[1:]) <= 2
