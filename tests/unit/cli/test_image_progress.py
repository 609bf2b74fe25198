"""What is seen while images are made: k of n, and when it may end."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from reimage.cli.image_progress import Estimate, ImageBoard
from reimage.journal import Journal

PLAN = ["A.spw0.mfs", "A.spw0.cont", "A.spw0.cube"]


def test_the_end_is_reckoned_from_what_was_made():
    now = [100.0]
    estimate = Estimate(clock=lambda: now[0])
    estimate.plan(PLAN)
    assert estimate.seconds is None
    estimate.start()
    now[0] = 102.0
    estimate.end("A.spw0.mfs")
    assert estimate.seconds == pytest.approx(2 * 9.5)
    estimate.start()
    now[0] = 103.0
    estimate.end("A.spw0.cont")
    assert estimate.seconds == pytest.approx(3 / 2.5 * 8)
    estimate.end("A.spw0.cube")
    assert estimate.seconds is None


@pytest.fixture
def board(tmp_path):
    out = io.StringIO()
    journal = Journal(tmp_path / "journal.jsonl", 1)

    def make(kept=(), **console):
        return ImageBoard(journal, kept, console=Console(file=out, width=200, **console)), out

    yield make
    journal.close()


def test_a_line_for_each_event_and_a_journal(board, tmp_path):
    shown, out = board()
    with shown:
        shown.emit("ms.column", ms="a.ms", column="data", because="the only one")
        shown.emit("image.planned", images=PLAN, n=3)
        shown.emit("image.started", image=PLAN[0], k=1, n=3)
        shown.emit("image.made", image=PLAN[0], k=1, n=3)
        shown.emit("image.absent", image=PLAN[2], k=3, n=3, reason="no beam")
        shown.emit("nobody.knows", this=1)
    text = out.getvalue()
    assert "a.ms: column data: the only one" in text
    assert "3 images planned" in text
    assert "image 1 of 3 made  A.spw0.mfs" in text
    assert "left: " in text
    assert "image 3 of 3 absent  A.spw0.cube: no beam" in text
    events = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    assert [event["seq"] for event in events] == [1, 2, 3, 4, 5, 6]


def test_what_an_earlier_start_made_takes_no_time(board):
    shown, out = board(kept={"A.spw0.cube"})
    with shown:
        shown.emit("image.planned", images=[{"id": image} for image in PLAN], n=3)
        for image in PLAN[:2]:
            shown.emit("image.started", image=image, k=1, n=3)
            shown.emit("image.made", image=image, k=1, n=3)
    assert "left" not in out.getvalue().splitlines()[-1]


def test_a_terminal_shows_the_present(board):
    shown, out = board(force_terminal=True)
    with shown:
        shown.emit("image.started", image="A.spw0.cube", k=2, n=3)
        assert "image 2 of 3: A.spw0.cube …" in out.getvalue()
