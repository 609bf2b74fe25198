"""``reimage classes show``: for people."""

from __future__ import annotations

import pytest

from reimage import cli
from reimage.cli import render
from reimage.triage.catalogue import load_classes

KNOWN = {one.id: one for one in load_classes()}


@pytest.mark.parametrize("name", {one.family: one.id for one in KNOWN.values()}.values())
def test_an_error_class_is_shown_in_words(name, capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS")
    monkeypatch.setattr(render, "WIDE", render.ENDLESS)
    assert cli.main(["classes", "show", name]) == 0
    text = capsys.readouterr().out
    (advice,) = [line for line in text.splitlines() if line.startswith("  advice ")]
    assert advice.split()[1:] == KNOWN[name].advice.split(), (
        "one paragraph, whatever the file's lines"
    )
    assert "Stage." not in text


def test_a_clue_is_no_piece_of_program(capsys):
    cli.main(["classes", "show", "casa-build-missing"])
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("  code casa-build-missing, stage choose, CASA 4.2.2 is not registered")
