from __future__ import annotations

import pytest

from reimage.cli import main
from reimage.store import migrate
from reimage.store.migrate import RevisionUnknown
from reimage.store.offline import AFTERWARDS


@pytest.mark.parametrize("since", [None, "r0001", "r0002"])
def test_a_script_for_oracle_stops_at_errors_and_ends_with_commit(since):
    script = migrate.offline_sql("oracle", since)
    assert script.startswith("WHENEVER SQLERROR EXIT FAILURE ROLLBACK\nSET DEFINE OFF\n")
    assert script.rstrip().endswith("COMMIT;")
    assert f"to {migrate.head()}." in script
    assert ("CREATE TABLE run (" in script) == (since is None)
    assert ("CREATE TABLE holding_sync (" in script) == (since != "r0002")
    assert "CREATE TABLE act (" in script


def test_an_upgrade_is_refused_by_a_schema_of_another_revision():
    guard = "SELECT 1 / COUNT(*) AS is_at_r0002 FROM alembic_version WHERE version_num = 'r0002'"
    assert f"{guard}\n/\n" in migrate.offline_sql("oracle", "r0002")
    assert f"{guard};\n" in migrate.offline_sql("postgresql", "r0002")
    assert "1 / COUNT" not in migrate.offline_sql("oracle")


def test_what_is_left_to_the_program_is_told():
    assert "-- Afterwards: reimage db recount\n" in migrate.offline_sql("oracle", "r0002")
    assert "Afterwards" not in migrate.offline_sql("oracle")
    known = {revision.revision for revision in migrate_revisions()}
    assert AFTERWARDS.keys() <= known


def migrate_revisions():
    from alembic.script import ScriptDirectory  # noqa: PLC0415 -- for this test only

    return ScriptDirectory.from_config(migrate._config()).walk_revisions()


def test_the_newest_schema_needs_nothing():
    script = migrate.offline_sql("oracle", migrate.head())
    assert script.startswith("-- ")
    assert "nothing to do" in script
    assert len(script.splitlines()) == 1


@pytest.mark.parametrize("since", ["r9999", "head", "", "r0001:r0002", "-1"])
def test_a_revision_that_is_none(since, capsys):
    with pytest.raises(RevisionUnknown):
        migrate.offline_sql("oracle", since)
    assert main(["db", "sql", f"--from={since}"]) == 2
    said = capsys.readouterr()
    assert "error[revision-unknown]" in said.err
    assert "r0001, r0002" in said.err
    assert said.out == ""


def test_the_verb_prints_it(capsys):
    assert main(["db", "sql", "--dialect", "oracle", "--from", "r0002"]) == 0
    assert capsys.readouterr().out.strip() == migrate.offline_sql("oracle", "r0002").strip()
