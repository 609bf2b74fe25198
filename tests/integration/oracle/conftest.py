"""A run database on H2 in Oracle mode, made by the script that a DBA is given."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

import pytest
from conftest import needs

from reimage.store import migrate

JAR = Path("/usr/share/java/h2.jar")
_NUMBERS = count()


@pytest.fixture(scope="session")
def h2():
    """Give the module that speaks to H2; skip by name where it is missing, or fail with REIMAGE_CI=1."""
    needs("java")
    if not JAR.exists():
        told = f"H2 is missing ({JAR}): `make system` installs it"
        if os.environ.get("REIMAGE_CI") == "1":  # noqa: TID251 -- tests look at their surroundings
            pytest.fail(told)
        pytest.skip(told)
    import h2_oracle  # noqa: PLC0415 -- starts no JVM, but needs one's driver

    return h2_oracle


@pytest.fixture
def empty_oracle(h2):
    """Give a connection to an empty database, and its name."""
    name = f"t{next(_NUMBERS)}"
    connection = h2.Connection(name)
    yield connection, name
    h2.drop(connection)


@pytest.fixture(scope="session")
def script():
    """Give the whole schema as a DBA gets it."""
    return migrate.offline_sql("oracle")


@pytest.fixture
def database_url(h2, empty_oracle, script):
    """Give the URL of a database that holds the newest schema."""
    connection, name = empty_oracle
    h2.carry_out(connection, script)
    return f"oracle+h2:///{name}"


@pytest.fixture
def database(database_url):
    """Give an open run database on H2."""
    opened = migrate.open_database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def oracle(database):
    """Give the same by its name."""
    return database
