"""The schema as a contract: portable types, one head, migrations that make the metadata.

Names, and what Oracle silently understands otherwise, are for `test_traps.py`.
"""

from __future__ import annotations

import re

import pytest
from alembic import command
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from oracles import oracle_dialect
from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Enum,
    Float,
    Interval,
    Text,
    Time,
    Uuid,
    create_engine,
    inspect,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from reimage.store import columns, migrate
from reimage.store.session import Database
from reimage.store.tables import metadata

TABLES = list(metadata().sorted_tables)
COLUMNS = [column for table in TABLES for column in table.columns]
REVISIONS = ("r0001", "r0002", "r0003")
AS_OF_R0001 = """
    INSERT INTO holding (name) VALUES ('alma');
    INSERT INTO dataset (id, holding, dataset_key, synced_at, facts)
    VALUES (1, 'alma', 'uid://A001/X1/X1', '2026-01-01', '{}');
    INSERT INTO dataset_alma
    (dataset_id, mous, bands, array_kind, is_mosaic, frequency_min_hz, frequency_max_hz)
    VALUES (1, 'uid://A001/X1/X1', '3 10', '12m+7m', true, 84.5e9, NULL)
"""


@pytest.mark.parametrize("column", COLUMNS, ids=str)
def test_types_mean_the_same_everywhere(column):
    kind = column.type
    assert not isinstance(kind, (JSON, Time, Interval, Uuid))
    if isinstance(kind, DateTime):  # alone it is a DATE on Oracle and loses its zone on SQLite
        pytest.fail("use columns.Moment")
    if type(kind) is Float:
        pytest.fail("use Double: Float(53) does not compile for Oracle")
    if isinstance(kind, Text) and not isinstance(kind, (columns.Json, Enum)):
        pytest.fail("a CLOB can not be compared, grouped or sorted")
    if isinstance(kind, BigInteger) and column.primary_key:
        assert kind is columns.BigId  # else SQLite does not number its rows
    if isinstance(kind, Enum):
        assert not kind.native_enum
        assert kind.create_constraint
        assert all(value == value.lower() for value in kind.enums)
    if str(column.name).endswith("_at"):
        assert isinstance(kind, columns.Moment)


@pytest.mark.parametrize("version", [(19, 3), (23, 4)], ids=["19c", "23ai"])
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_compiles_for_oracle(table, version):
    dialect = oracle_dialect(version)
    script = str(CreateTable(table).compile(dialect=dialect))
    script += "".join(str(CreateIndex(index).compile(dialect=dialect)) for index in table.indexes)
    assert '"' not in script  # a quoted name is case-sensitive for ever
    assert not re.search(r"\bDATE\b|\bBLOB\b|\bTIME\b(?! ZONE)", script)


def test_compiles_for_postgresql():
    for table in TABLES:
        assert str(CreateTable(table).compile(dialect=postgresql.dialect()))


def test_checks_hold_the_axes_together():
    names = {
        str(c.name) for c in metadata().tables["run"].constraints if isinstance(c, CheckConstraint)
    }
    assert {"ck_run_result_iff_done", "ck_run_class_iff_not_imaged", "ck_run_state"} <= names


# --- migrations -------------------------------------------------------------------------------------


def test_there_is_one_head():
    assert len(ScriptDirectory.from_config(migrate._config()).get_heads()) == 1


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
def test_migrations_make_the_metadata(tmp_path):
    """From empty, the migrations make what the mappings say: every column, check and index."""
    migrate.upgrade(f"sqlite:///{tmp_path / 'migrated.db'}")
    declared = Database(f"sqlite:///{tmp_path / 'declared.db'}")
    metadata().create_all(declared.engine)
    declared.close()
    migrated = schema(tmp_path / "migrated.db")
    del migrated["alembic_version"]
    assert migrated == schema(tmp_path / "declared.db")


def schema(path):
    """Return what a database says of its tables, whatever the order in which columns came."""
    engine = create_engine(f"sqlite:///{path}")
    seen = inspect(engine)
    parts = ("foreign_keys", "unique_constraints", "check_constraints")
    found = {
        table: (
            sorted(map(str, seen.get_columns(table))),
            str(seen.get_pk_constraint(table)),
            *(sorted(map(str, getattr(seen, f"get_{part}")(table))) for part in parts),
        )
        for table in seen.get_table_names()
    }
    with engine.connect() as connection:
        indexes = connection.exec_driver_sql(
            "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        )
        found["indexes"] = sorted(str(sql) for (sql,) in indexes)
    engine.dispose()
    return found


def test_upgrade_is_idempotent_and_whole_on_both(database_url):
    assert migrate.current(database_url) is None
    assert migrate.upgrade(database_url) == REVISIONS
    assert migrate.upgrade(database_url) == ()
    assert migrate.current(database_url) == migrate.head()
    engine = create_engine(database_url)
    tables = set(inspect(engine).get_table_names()) - {"alembic_version"}
    engine.dispose()
    assert tables == set(metadata().tables)


def test_down_and_up(database_url):
    migrate.upgrade(database_url)
    database = Database(database_url)
    with database.migrating() as connection:
        config = migrate._config()
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        assert MigrationContext.configure(connection).get_current_revision() is None
    database.close()
    assert migrate.upgrade(database_url) == REVISIONS


def test_what_the_first_schema_held_stays(database_url):
    """From r0001 with a dataset: frequencies become GHz, the rest stays; and back."""
    migrate.upgrade(database_url)
    database = Database(database_url)
    step(database, command.downgrade, "r0001")
    with database.migrating() as connection:
        for statement in AS_OF_R0001.split(";"):
            connection.exec_driver_sql(statement)
    for direction, target, unit, value in (
        (command.upgrade, "head", "ghz", 84.5),
        (command.downgrade, "r0001", "hz", 84.5e9),
    ):
        step(database, direction, target)
        with database.read() as session:
            result = session.connection().exec_driver_sql("SELECT * FROM dataset_alma")
            row = result.mappings().one()
        assert (row["bands"], row["array_kind"], bool(row["is_mosaic"])) == ("3 10", "12m+7m", True)
        assert (row[f"frequency_min_{unit}"], row[f"frequency_max_{unit}"]) == (value, None)
    database.close()


def step(database, direction, target):
    with database.migrating() as connection:
        config = migrate._config()
        config.attributes["connection"] = connection
        direction(config, target)


def test_outdated_newer_and_foreign_databases_are_told(database_url):
    with pytest.raises(migrate.DatabaseOutdated) as outdated:
        migrate.open_database(database_url)
    assert "db upgrade" in outdated.value.hint
    migrate.upgrade(database_url)
    database = Database(database_url)
    with database.migrating() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'r9999'")
    database.close()
    for attempt in (migrate.open_database, migrate.upgrade):
        with pytest.raises(migrate.DatabaseNewer):
            attempt(database_url)


def test_a_foreign_database_is_left_alone(database_url):
    database = Database(database_url)
    with database.migrating() as connection:
        connection.exec_driver_sql("CREATE TABLE theirs (id INTEGER)")
    database.close()
    with pytest.raises(migrate.DatabaseForeign):
        migrate.upgrade(database_url)


def test_the_script_for_oracle_is_one_that_a_dba_can_run():
    script = migrate.offline_sql("oracle")
    assert script.startswith("WHENEVER SQLERROR EXIT FAILURE ROLLBACK\nSET DEFINE OFF\n")
    assert script.rstrip().endswith("COMMIT;")
    assert ":ret_0" not in script
    assert "RETURNING" not in script
    assert not re.search(r"\bBOOLEAN\b|\bDATE\b", script)
    for table in TABLES:
        assert f"CREATE TABLE {table.name} (" in script


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_scripts_of_the_others(dialect):
    made = set(re.findall(r"CREATE TABLE (\w+) \(", migrate.offline_sql(dialect)))
    assert made == {table.name for table in TABLES} | {"alembic_version"}


def test_no_script_for_what_nobody_knows():
    with pytest.raises(migrate.DialectUnknown):
        migrate.offline_sql("mysql")
