from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from reimage.cli.progress import Board, describe
from reimage.journal import Event
from reimage.settings import Settings

AT = datetime(2026, 11, 20, 8, 3, 5, tzinfo=UTC)
JUDGED = {
    "number": 1,
    "judgement": {"result": "failed", "error_class": "memory", "decisive": "std::bad_alloc"},
    "decision": {"kind": "retry", "reason": "more memory"},
}


def event(name, **data):
    return Event(attempt=1, seq=1, at=AT, event=name, data=data)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (event("stage.started", stage="fetch"), "fetch …"),
        (event("stage.proven", stage="image", caveats=["a:b"]), "image proven  a:b"),
        (event("casa.chosen", build=None, wanted="4.2.2"), "none that will do (asked for: 4.2.2)"),
        (event("image.absent", image="x", reason="no beam"), "image absent  x: no beam"),
        (
            event("attempt.judged", **JUDGED),
            "failed  memory  std::bad_alloc  (next attempt: more memory)",
        ),
        (event("fix.applied", fix="f", because="why"), "fix f: why"),
        (event("fix.reported", fix="f", because="why"), "caveat of fix f: why"),
        (
            event("fix.refused", fix="f", because="why", obstacles=["line 1: a", "line 2: b"]),
            "fix f is not safe: line 1: a; line 2: b",
        ),
    ],
)
def test_events_in_words(told, said):
    assert said in describe(told).plain


def test_what_nobody_knows_is_not_shown():
    assert describe(event("something.new")) is None


def test_the_board_writes_a_line_an_event(tmp_path):
    out = Console(file=io.StringIO(), width=200, markup=False)
    with Board(Settings(data=tmp_path), console=out) as board:
        for told in (
            event("image.planned", n=3),
            event("image.started", image="a"),
            event("image.made", image="a", k=1, n=3),
            event("image.absent", image="b", k=2, n=3, reason="[r]"),
        ):
            board.take("r1", "uid://A001/X1/X2", told)
    lines = out.file.getvalue().splitlines()
    assert [line.split("  ", 2)[:2] for line in lines] == [["08:03:05", "uid___A001_X1_X2"]] * 3
    assert "image 1 of 3 made  a" in lines[1]
    assert "image 2 of 3 absent  b: [r]" in lines[2]


def test_on_a_terminal_the_present_is_shown_with_its_memory(tmp_path):
    out = Console(file=io.StringIO(), width=80, force_terminal=True)
    series = tmp_path / "runs" / "uid___A001_X1_X2" / "r1" / "attempts" / "1" / "memory.jsonl"
    series.parent.mkdir(parents=True)
    series.write_text('{"s": 1, "mb": 100}\n{"s": 6, "mb": 432}\n')
    board = Board(Settings(data=tmp_path), console=out)
    board.take("r1", "uid://A001/X1/X2", event("stage.started", stage="image"))
    with out.capture() as shown:
        out.print(board.present())
    assert "image …  432 MB" in shown.get()
    board.take("r1", "uid://A001/X1/X2", event("attempt.judged", **JUDGED))
    with out.capture() as shown:
        out.print(board.present())
    assert "432" not in shown.get()
