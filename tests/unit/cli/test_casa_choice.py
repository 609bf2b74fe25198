from __future__ import annotations

import json

import pytest
from making import MOUS, make_build, make_tree

from reimage import cli, document

GATE = "if re.search('^4.2.2', casadef.casa_version) == None:\n    sys.exit('NO')\n"
README = {"README.txt": "CASA version used for reduction: 4.2.2\n"}


def test_the_whole_reasoning_is_told(tmp_path, capsys):
    make_tree(tmp_path / "d", README)
    assert cli.main(["casa", "choose", str(tmp_path / "d"), "--explain"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("wanted: 4.2.2; used: no registered build\n")
    assert "README.txt:1" in said
    assert "casapy-42.2.30986-pipe-1-64b" in said


def test_a_file_does(tmp_path, capsys):
    make_tree(tmp_path / "d", README)
    assert cli.main(["casa", "choose", str(tmp_path / "d" / "README.txt"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["wanted"], found["version"], found["installed"]) == ("4.2.2", None, False)
    assert found["schema"] == 1


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("no/such/place", "delivery-not-here"),
        ("~nobody-at-all/place", "delivery-not-here"),
        ("x" * 300, "delivery-not-here"),
        (MOUS, "run-unknown"),
    ],
)
def test_what_is_not_here_is_told(target, code, capsys):
    cli.main(["db", "upgrade"])
    capsys.readouterr()
    assert cli.main(["casa", "choose", target]) == 2
    assert f"error[{code}]" in capsys.readouterr().err


def test_an_empty_directory_is_no_delivery(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert cli.main(["casa", "choose", str(tmp_path / "empty")]) == 1
    assert "error[delivery-empty]" in capsys.readouterr().err


def test_a_fetched_dataset_is_chosen_for_by_its_name(worked):
    dataset = "uid://A001/X1/X1"
    shown = worked.call("casa", "choose", dataset)
    assert (shown.code, "delivery-not-here" in shown.err) == (2, True)
    (run,) = worked.settings.runs_dir.glob("uid___A001_X1_X1/*")
    make_tree(run / "fetch" / "delivery", README)
    shown = worked.call("casa", "choose", dataset, "--json")
    assert (shown.code, shown.json["wanted"]) == (0, "4.2.2")


def test_a_site_has_its_own_policy(worked, tmp_path):
    (tmp_path / "own.toml").write_text("pipeline = 3")
    with (tmp_path / "reimage.toml").open("a") as file:
        file.write('policy = "own.toml"\n')
    make_tree(tmp_path / "d", README)
    shown = worked.call("casa", "choose", tmp_path / "d")
    assert (shown.code, "policy-unreadable" in shown.err) == (2, True)


def test_a_shell_of_an_old_casa_is_used_and_it_is_told_what_looks_into_it(tmp_path, capsys):
    script = {"s/uid___A002_X1_X2.ms.scriptForCalibration.py": GATE}
    make_tree(tmp_path / "d", script)
    folder = tmp_path / "data" / "builds"
    folder.mkdir(parents=True)
    old = make_build("4.2.2", id="old", kind="monolithic", casa="/opt/casa/bin/casa", python=None)
    document.write(folder / "old.json", old)
    for newer, told in ((None, "reimage casa install"), (make_build(), f"{make_build().id} looks")):
        if newer is not None:
            document.write(folder / "new.json", newer)
        assert cli.main(["casa", "choose", str(tmp_path / "d"), "--explain"]) == 0
        said = capsys.readouterr().out
        assert said.startswith("wanted: 4.2.2; used: old (CASA 4.2.2)\n")
        assert told in said
