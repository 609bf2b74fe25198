"""`reimage failures link | resolve | snooze | reopen | annotate`: acts, told by show and the inbox."""

from __future__ import annotations

import pytest

from reimage import document, ledger
from reimage.cli import desk_shapes

FAILED, PARTIAL = "uid://A001/X1/X2", "uid://A001/X1/X4"
GROUP = "archive-file-damaged"


def said(site, *words):
    found = site.call("failures", *words, "--json")
    assert found.code == 0, found.err
    return document.load(desk_shapes.GroupSaid, found.json)


def inbox(site, *words):
    return {one["key"]: one for one in site.call("failures", *words, "--json").json["failures"]}


def test_a_ticket_stands_in_ledger_inbox_and_show(worked):
    found = said(worked, "link", GROUP, "https://tickets.example.org/7", "--why", "asked them")
    assert (found.of, found.state.url) == ("class", "https://tickets.example.org/7")
    (line,) = ledger.read(worked.settings.data, "desk")
    assert (line.event, line.seq, line.data["subject"]) == ("group.linked", found.act, GROUP)
    assert inbox(worked)[GROUP]["url"] == "https://tickets.example.org/7"
    for name in (GROUP, FAILED):
        shown = worked.call("failures", "show", name).out
        assert "ticket https://tickets.example.org/7" in shown
        assert "asked them" in shown
    assert said(worked, "link", GROUP, "--remove").state.url is None


def test_resolved_is_out_of_the_inbox_until_reopened(worked):
    assert (
        said(worked, "resolve", GROUP, "--in", "0.6.0", "--why", "fixed").state.resolved_in
        == "0.6.0"
    )
    assert GROUP not in inbox(worked)
    assert inbox(worked, "--all")[GROUP]["state"] == "resolved"
    assert said(worked, "reopen", GROUP).state.resolved_in is None
    assert GROUP in inbox(worked)


def test_snoozed_until_a_day_or_a_number_of_runs(worked):
    found = said(worked, "snooze", GROUP, "--until", "7d", "--runs", "3", "--why", "being copied")
    assert found.state.snoozed_runs == 3
    assert GROUP not in inbox(worked)
    assert "snoozed until" in worked.call("failures", "show", GROUP).out


def test_a_signature_is_a_group_too(worked):
    signature = worked.call("failures", "show", FAILED, "--json").json["failure"]["failure"][
        "signature"
    ]
    found = said(worked, "link", signature[:7], "https://tickets.example.org/8")
    assert (found.of, found.group) == ("signature", signature)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("link", GROUP, "tickets.example.org"), "link-malformed"),
        (("link", GROUP, "https://[::1"), "link-malformed"),
        (("link", GROUP, "https://me:secret@example.org/1"), "link-malformed"),
        (("link", GROUP, "https://example.org/" + "x" * 500), "link-malformed"),
        (("link", GROUP), "nothing-chosen"),
        (("link", "archive-file-damagd", "https://example.org"), "error-class-unknown"),
        (("link", "sv1:0123", "https://example.org"), "group-unknown"),
        (("resolve", GROUP, "--in", " ", "--why", "x"), "note-unfit"),
        (("snooze", GROUP, "--why", "x"), "snooze-unending"),
        (("snooze", GROUP, "--until", "2020-01-01", "--why", "x"), "snooze-unending"),
        (("snooze", GROUP, "--until", "tomorrow", "--why", "x"), "since-malformed"),
        (("snooze", GROUP, "--until", "999999w", "--why", "x"), "since-malformed"),
        (("annotate", "--text", "x"), "nothing-chosen"),
        (("annotate", FAILED, "--where", "band = 6", "--text", "x"), "nothing-chosen"),
        (("annotate", "--where", "colour = 6", "--text", "x"), "filter-malformed"),
        (("annotate", FAILED, "--text", " "), "note-unfit"),
        (("annotate", "uid://A001/X1/Xff", "--text", "x"), "dataset-unknown"),
        (("annotate", "--where", "band = 6", "--text", "x"), "nobody-to-ask"),
    ],
)
def test_what_cannot_be_done_is_not_done(worked, words, code):
    found = worked.call("failures", *words)
    assert found.code == 2, found.err
    assert f"error[{code}]: " in found.err
    assert list(ledger.read(worked.settings.data, "desk")) == []


def test_datasets_are_annotated_after_their_number_was_told(worked):
    words = ("failures", "annotate", "--where", "band = 6", "--text", "frozen antennas")
    looked = worked.call(*words, "--dry-run", "--json")
    told = document.load(desk_shapes.Annotated, looked.json)
    assert (len(told.datasets), told.acts, told.dry_run) == (4, (), True)
    assert "uid___A001_X1_X2" in worked.call(*words, "--dry-run").out
    done = worked.call(*words, "--yes")
    assert "noted of 4 datasets" in done.out
    for verb in (("show",), ("holdings", "show"), ("failures", "show")):
        assert ": frozen antennas" in worked.call(*verb, PARTIAL).out
    shown = worked.call("holdings", "show", PARTIAL, "--json").json
    assert [note["note"] for note in shown["annotations"]] == ["frozen antennas"]


def test_one_dataset_by_name_needs_no_question(worked):
    assert worked.call("failures", "annotate", FAILED, FAILED, "--text", "the PI knows").code == 0
    (act,) = ledger.read(worked.settings.data, "desk")
    assert act.data["datasets"] == [FAILED]


def test_the_matrix_of_a_site(worked):
    found = worked.call("matrix", "--json")
    shape = document.load(desk_shapes.VersionMatrix, found.json)
    assert document.dump(shape) == found.json
    assert shape.matrix.columns == ("casa-test",)
    cells = {row.dataset: row.cells[0] for row in shape.matrix.rows}
    assert [cells[f"uid://A001/X1/X{n}"].passes for n in (1, 2, 3, 4)] == [True, None, None, False]
    assert cells["uid://A001/X1/X1"].numbers.rms_jy_beam == 0.001
    lines = worked.call("matrix", "--category", "demo").out.splitlines()
    assert len(lines) == 5
    assert max(map(len, lines)) <= 80
    csv = worked.call("matrix", FAILED, "--csv").out.splitlines()
    assert csv[0].startswith("dataset,category,column,run,result,error_class,passes,flip,made")
    assert len(csv) == 2


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--against", "casa-9"), "column-unknown"),
        (("--category", "none"), "category-unknown"),
        (("--where", "x"), "filter-malformed"),
        (("uid://A001/X1/Xff",), "dataset-unknown"),
    ],
)
def test_a_matrix_of_nothing(worked, words, code):
    found = worked.call("matrix", *words)
    assert found.code == 2
    assert f"error[{code}]: " in found.err
