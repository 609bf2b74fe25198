from __future__ import annotations

import json

import delivered as d
import pytest
from making import make_tree

from reimage import cli, document
from reimage.delivery import layout
from reimage.model import Delivery


def test_what_is_found_is_shown(tmp_path, capsys):
    many = {f"{d.UID}/product/{n}.fits": "" for n in range(9)}
    make_tree(tmp_path / "x", d.cycle_5() | many | d.raw(d.UID, d.EB2))
    assert cli.main(["delivery", "inspect", str(tmp_path / "x")]) == 0
    said = capsys.readouterr().out
    assert said.startswith("uid://A001/X1465/X2f66\n")
    for expected in (
        "cycle-5-9-pipeline",
        "hifa_calimage",
        "restore           possible\n",
        "products (9)",
        "... and 6 more",
        f"note  raw-not-calibrated: {d.EB2}",
    ):
        assert expected in said


def test_json_is_the_delivery(tmp_path, capsys, monkeypatch):
    make_tree(tmp_path / "x", d.cycle_4())
    monkeypatch.chdir(tmp_path)
    assert cli.main(["delivery", "inspect", "x", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said.keys() == {"schema", "delivery", "refused"}
    assert said["refused"] is None
    read = layout.read_layout(tmp_path / "x")
    assert document.load(Delivery, said["delivery"] | {"root": read.root}) == read


@pytest.mark.parametrize(
    ("tree", "code"),
    [(d.total_power(), "no-recipe"), (d.shell(), "nothing-to-restore")],
)
def test_a_refusal_is_told_and_is_no_error(tmp_path, capsys, tree, code):
    make_tree(tmp_path / "x", tree)
    assert cli.main(["delivery", "inspect", str(tmp_path / "x"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["refused"]["code"] == code
    assert cli.main(["delivery", "inspect", str(tmp_path / "x")]) == 0
    assert f"refused ({code})" in capsys.readouterr().out


def test_an_auxiliary_tar_alone_lacks_the_raw_data(tmp_path, capsys):
    tree = {name: text for name, text in d.cycle_5().items() if "/raw/" not in name}
    make_tree(tmp_path / "x", tree)
    assert cli.main(["delivery", "inspect", str(tmp_path / "x")]) == 0
    assert "possible with the raw data" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "code"), [("file", "delivery-no-directory"), ("empty", "delivery-empty")]
)
def test_what_is_no_delivery(tmp_path, capsys, name, code):
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    assert cli.main(["delivery", "inspect", str(tmp_path / name)]) == 1
    assert f"error[{code}]" in capsys.readouterr().err
