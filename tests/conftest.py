"""What tests share: services that may be missing, databases, settings."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import hypothesis
import pytest
from sqlalchemy import create_engine, text

from reimage.executors.local import ONE_THREAD
from reimage.settings import Settings
from reimage.store import migrate

# Before numpy is loaded, as for runs: two tests at a time with a thread for each core wait for each other.
os.environ.update(ONE_THREAD)  # noqa: TID251 -- passed on, not read

# how long an example takes tells how busy the machine is
# In CI the same examples each time: what is landed is judged by its code; new examples are for developers.
hypothesis.settings.register_profile(
    "reimage",
    deadline=None,
    derandomize=os.environ.get("REIMAGE_CI") == "1",  # noqa: TID251 -- tests look at their surroundings
)
hypothesis.settings.load_profile("reimage")

SERVICES = {
    # service: (what it is found by, what installs it)
    "postgresql": ("initdb", "make system"),
    "bubblewrap": ("bwrap", "make system"),
    "stilts": ("stilts", "make system"),
    "java": ("java", "make system"),
    "sqlite": ("sqlite3", "make system"),
}
POSTGRESQL = sorted(Path("/usr/lib/postgresql").glob("*/bin")) or [Path("/usr/bin")]


def needs(service: str) -> Path:
    """Return the program of a service; skip by name where it is missing, or fail with REIMAGE_CI=1."""
    program, remedy = SERVICES[service]
    places = os.pathsep.join([*map(str, reversed(POSTGRESQL)), os.environ.get("PATH", "")])  # noqa: TID251 -- tests look at their surroundings
    found = shutil.which(program, path=places)
    if found is None:
        told = f"{service} is missing ({program}): `{remedy}` installs it"
        if os.environ.get("REIMAGE_CI") == "1":  # noqa: TID251 -- the same
            pytest.fail(told)
        pytest.skip(told)
    return Path(found)


@pytest.fixture(scope="session", autouse=True)
def _no_terminal():
    """Whoever runs the tests may have a terminal of any width: what is said is said to a pipe."""
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("COLUMNS", raising=False)
        yield


@pytest.fixture(scope="session")
def postgresql():
    """Run a PostgreSQL of our own; give a function that makes a new database and returns its URL."""
    binaries = needs("postgresql").parent
    place = Path(tempfile.mkdtemp(prefix="reimage-pg-", dir="/tmp"))  # a short path, for the socket
    # PostgreSQL refuses to run as root.
    as_user = ["runuser", "-u", "postgres", "--"] if getpass.getuser() == "root" else []
    if as_user:
        shutil.chown(place, "postgres")
    data, port = place / "data", _free_port()

    def run(*command):
        subprocess.run([*as_user, *map(str, command)], check=True, cwd=place, capture_output=True)

    run(binaries / "initdb", "-D", data, "-A", "trust", "-U", "reimage", "-E", "UTF8", "--no-sync")
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={place}"
    options += " -c fsync=off -c full_page_writes=off -c synchronous_commit=off"
    run(binaries / "pg_ctl", "-D", data, "-w", "-l", place / "log", "-o", options, "start")
    address = f"postgresql+psycopg://reimage@127.0.0.1:{port}"
    made = iter(range(1000))

    def new_database():
        name = f"t{next(made)}"
        engine = create_engine(f"{address}/postgres", isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return f"{address}/{name}"

    yield new_database
    # Without waiting: in a container nobody may reap the server, and pg_ctl would wait for it.
    run(binaries / "pg_ctl", "-D", data, "-m", "fast", "-W", "stop")
    for _ in range(50):
        if not (data / "postmaster.pid").exists():
            break
        time.sleep(0.1)
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    """Give the URL of an empty database, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'runs.db'}"
    return request.getfixturevalue("postgresql")()


@pytest.fixture
def database(database_url):
    """Give an upgraded database, once of each kind."""
    migrate.upgrade(database_url)
    opened = migrate.open_database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def settings(tmp_path):
    """Give settings of a site of its own."""
    return Settings(data=tmp_path / "data", cache=tmp_path / "cache", poll_s=0.05, slots=2)


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
