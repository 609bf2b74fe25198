"""`reimage failures show`, of real logs: root, timeline, lines, others like it, what helped."""

from __future__ import annotations

import json
import shutil

import failing
import operating
import pytest

from reimage import document
from reimage.cli import desk_shapes

ONE, AGAIN, OTHER = failing.LOGGED


@pytest.fixture(scope="session")
def failed_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("failed")
    failing.make_site(folder)
    return folder


@pytest.fixture
def site(tmp_path, capsys, failed_folder):
    shutil.copytree(failed_folder, tmp_path, dirs_exist_ok=True)
    return operating.Site(operating.settings_of(tmp_path), capsys)


def shown(site, name):
    said = site.call("failures", "show", name, "--json")
    assert said.code == 0, said.err
    found = document.load(desk_shapes.FailureShown, said.json)
    assert document.dump(found) == said.json
    return found.failure or found.group


def test_root_and_symptoms_on_one_timeline(site):
    found = shown(site, ONE)
    assert found.failure.error_class == found.explanation.error_class == "permission-denied"
    kinds = [entry.kind for entry in found.timeline]
    for kind in ("queued", "attempt", "stage", "clue", "end", "judged", "decided"):
        assert kind in kinds
    (root,) = [entry for entry in found.timeline if entry.role == "root"]
    assert "Permission denied" in root.text
    assert root.source == "restore/job/casa.log"
    assert "Permission denied" in found.context.lines[found.context.decisive]
    assert found.masked.endswith("file <path>: Permission denied")
    assert (found.today, found.missing) == (None, None)


def test_others_like_it_and_what_helped_them(site):
    found = shown(site, ONE)
    signature, error_class = found.alike
    assert (signature.of, error_class.of) == ("signature", "class")
    assert [one.dataset for one in signature.newest] == [AGAIN]
    assert (signature.counts.runs, signature.counts.datasets) == (2, 1)
    (helped,) = error_class.helped
    assert (helped.change, helped.tried, helped.imaged) == ("the same again", 1, 1)
    assert site.call("show", helped.example, "--json").json["run"]["result"] == "imaged"


@pytest.mark.parametrize("which", ["run", "beginning", "number", "plain", "dataset", "path name"])
def test_a_failure_has_many_names(site, which):
    failure = shown(site, ONE).failure
    names = {
        "run": failure.run,
        "beginning": failure.run[:-1],
        "number": f"#{failure.id}",
        "plain": str(failure.id),
        "dataset": ONE,
        "path name": ONE.replace("uid://", "uid___").replace("/", "_"),
    }
    assert shown(site, names[which]).failure.id == failure.id


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("#99", "failure-unknown"),
        ("77", "run-unknown"),
        ("sv1:ffff", "group-unknown"),
        ("memroy", "error-class-unknown"),
        ("uid://A001/X9/X9", "run-unknown"),
        (AGAIN, "failure-unknown"),
    ],
)
def test_what_is_not_there_is_said_with_a_code(site, name, code):
    said = site.call("failures", "show", name)
    assert said.code == 2
    assert f"error[{code}]: " in said.err


def test_a_class_and_a_signature_tell_what_they_block(site):
    group = shown(site, "permission-denied")
    assert group.group.of == "class"
    assert {by: shares[0].value for by, shares in group.blocked.items()} == {
        "category": "none",
        "build": "casa-test",
        "stage": "restore",
    }
    signature = group.alike.newest[0].signature
    found = shown(site, signature[:8])
    assert (found.group.of, found.group.name) == ("signature", signature)
    assert found.explanation.error_class == "permission-denied"
    assert shown(site, "memory").alike.counts.attempts == 0
    assert "none in this database" in site.call("failures", "show", "memory").out


def test_near_groups_are_suggested(site):
    """Two messages that differ in words, not in numbers, are near and stay two groups."""
    path = operating.settings_of(site.settings.data.parent).database_url.removeprefix("sqlite:///")
    import sqlite3  # noqa: PLC0415

    with sqlite3.connect(path) as database:
        said = "RuntimeError: Error in making PSF : BucketCache::getBucket: bucket exceeds number"
        database.execute(
            "UPDATE failure SET decisive = ?, signature = 'sv1:aaaaaaaaaaaa' WHERE id = 2", (said,)
        )
    (near,) = shown(site, OTHER).alike[0].near
    assert near.signature == "sv1:aaaaaaaaaaaa"
    assert 0.5 <= near.score < 1


def test_without_evidence_and_log_the_rest_is_told(site):
    found = shown(site, ONE)
    shutil.rmtree(found.directory / "restore")
    assert shown(site, ONE).context is None
    shutil.rmtree(found.directory / "evidence")
    bare = shown(site, ONE)
    assert "evidence" in bare.missing
    assert [entry.kind for entry in bare.timeline].count("clue") == 0
    said = site.call("failures", "show", ONE)
    assert said.code == 0
    assert "without its evidence" in said.err
    assert "(gone)" in said.out


def test_what_todays_classes_say_otherwise_is_told(site):
    failure = shown(site, ONE).failure
    say = ("failures", "classify", failure.run, "--as", "memory", "--why", "I know better")
    assert site.call(*say).code == 0
    found = shown(site, ONE)
    assert found.today == "permission-denied"
    assert [one.error_class for one in found.judgements] == ["permission-denied", "memory"]
    assert found.judgements[-1].reason == "I know better"
    assert any(entry.role == "root" for entry in found.timeline)
    assert "failures reclassify" in site.call("failures", "show", ONE).err


def test_text_keeps_to_80_columns_but_for_paths_and_is_no_terminals_master(site):
    found = shown(site, ONE)
    evidence = found.directory / found.evidence[0].path
    kept = json.loads(evidence.read_bytes())
    kept["clues"][1]["text"] = "\x1b[2J\x07 gone"
    evidence.write_text(json.dumps(kept))
    for name in (ONE, "permission-denied", found.failure.signature):
        lines = site.call("failures", "show", name, "--all").out.splitlines()
        assert not [line for line in lines if not line.isprintable()]
        long = [line for line in lines if len(line) > 80 and "/" not in line]
        assert long == []
    assert "ROOT" in site.call("failures", "show", ONE).out
