"""``reimage classes show``: for people."""

from __future__ import annotations

import pytest

from reimage import cli
from reimage.cli import render
from reimage.triage.advice import unfilled
from reimage.triage.catalogue import load_classes

KNOWN = {one.id: one for one in load_classes()}


@pytest.mark.parametrize("name", {one.family: one.id for one in KNOWN.values()}.values())
def test_an_error_class_is_shown_in_words(name, capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS")
    monkeypatch.setattr(render, "WIDE", render.ENDLESS)
    assert cli.main(["classes", "show", name]) == 0
    text = capsys.readouterr().out
    (advice,) = [line for line in text.splitlines() if line.startswith("  advice ")]
    assert advice.split()[1:] == unfilled(KNOWN[name].advice).split(), (
        "one paragraph, whatever the file's lines"
    )
    assert "Stage." not in text


def test_a_clue_is_no_piece_of_program(capsys):
    cli.main(["classes", "show", "casa-build-missing"])
    lines = capsys.readouterr().out.splitlines()
    first = lines[lines.index("examples") + 1]
    assert first.startswith("  code casa-build-missing, stage choose, CASA 4.2.2 is not registered")


def test_a_class_says_where_it_holds_and_how_far_it_was_met(capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS")
    monkeypatch.setattr(render, "WIDE", render.ENDLESS)
    cli.main(["classes", "show", "manifest-missing"])
    text = capsys.readouterr().out
    assert "stage restore; CASA >=5.1.1" in text
    assert "Seen in logs" in text
    assert "and what it is not\n  stage restore, casa 4.7.2" in text
    cli.main(["classes", "show", "node-failed"])
    assert "Never met here: It takes a cluster" in capsys.readouterr().out
