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


def test_images_that_nobody_began_take_an_unknown_time():
    """As the pipeline's: what became of them is looked at when all is done."""
    estimate = Estimate(clock=lambda: 250000.0)
    estimate.plan(PLAN)
    estimate.end("A.spw0.mfs")
    assert estimate.seconds is None


def test_a_clock_may_begin_at_nought():
    now = [0.0]
    estimate = Estimate(clock=lambda: now[0])
    estimate.plan(PLAN)
    for image in PLAN[:2]:
        estimate.start()
        now[0] += 10.0
        estimate.end(image)
    assert estimate.seconds == pytest.approx(20 / 2.5 * 8)


@pytest.fixture
def board(tmp_path):
    out = io.StringIO()
    journal = Journal(tmp_path / "journal.jsonl", 1)

    def make(kept=(), **console):
        console = Console(file=out, width=200, **console)
        return ImageBoard(journal, lambda: kept, console=console), out

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
    assert "image 1 of 3 made  A.spw0.mfs  (less than a minute left)" in text
    assert "image 2 of 3 absent  A.spw0.cube: no beam" in text
    events = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    assert [event["seq"] for event in events] == [1, 2, 3, 4, 5, 6]


def test_what_an_earlier_start_made_takes_no_time(board):
    shown, out = board(kept={"A.spw0.cube"})
    with shown:
        shown.emit("image.planned", images=[{"id": image} for image in PLAN], n=3)
        for image in PLAN[:2]:
            shown.emit("image.started", image=image, k=1, n=3)
            shown.emit("image.made", image=image, k=1, n=3)
    lines = out.getvalue().splitlines()
    assert "3 images planned, 1 of them done by an earlier start" in lines[0]
    assert "image 2 of 3 made  A.spw0.mfs" in lines[1]
    assert "image 3 of 3 made  A.spw0.cont" in lines[2]
    assert "left" not in lines[2]


def test_what_is_kept_is_asked_once_there_is_a_plan(tmp_path):
    """The engine may have begun anew since: of other inputs nothing is kept."""
    records, out = {"A.spw0.cube"}, io.StringIO()
    journal = Journal(tmp_path / "journal.jsonl", 1)
    with ImageBoard(journal, lambda: records, console=Console(file=out, width=200)) as shown:
        records.clear()
        shown.emit("image.planned", images=PLAN, n=3)
    journal.close()
    assert "earlier start" not in out.getvalue()


def test_processes_side_by_side_are_counted_together(board):
    """Each of them knows only what was made when it began."""
    shown, out = board(force_terminal=True)
    with shown:
        shown.emit("image.planned", images=PLAN, n=3)
        for image in PLAN[:2]:
            shown.emit("image.started", image=image, k=1, n=3)
        now = [line.plain for line in shown.present().renderables]
        assert [line.partition(" ")[0] for line in now] == PLAN[:2]
        for image in PLAN[:2]:
            shown.emit("image.made", image=image, k=1, n=3)
    assert "image 1 of 3" in out.getvalue()
    assert "image 2 of 3" in out.getvalue()


def test_the_present_is_never_empty_nor_over(board):
    shown, out = board(force_terminal=True)

    def now():
        return [line.plain for line in shown.present().renderables]

    with shown:
        assert now()[0].startswith("looking at the data, since ")
        shown.emit("ms.column", ms="a.ms", column="data", because="x")
        assert now()[0].startswith("preparing the targets, since ")
        assert "preparing the targets" in out.getvalue()
        shown.emit("image.planned", images=PLAN[:1], n=1)
        assert now()[0].startswith("looking for continuum")
        shown.emit("image.started", image=PLAN[0], k=1, n=1)
        assert now()[0].startswith("A.spw0.mfs …, since ")
        shown.emit("image.made", image=PLAN[0], k=1, n=1)
        assert now()[0].startswith("measuring, and writing the weblog")
        assert "A.spw0.mfs …" in out.getvalue()


def test_steps_of_the_pipeline_are_the_present(board):
    shown, out = board(force_terminal=True)
    with shown:
        shown.emit("ms.column", ms="a.ms", column="data", because="x")
        shown.emit("step.started", step="exportdata", k=12, n=12)
        shown.emit("image.planned", images=PLAN, n=3)
        (now,) = [line.plain for line in shown.present().renderables]
    assert now.startswith("exportdata, since ")
    assert "looking for continuum" not in out.getvalue()


def test_a_long_estimate_says_until_when(board, monkeypatch):
    shown, out = board()
    monkeypatch.setattr(Estimate, "seconds", 725.0)
    with shown:
        shown.emit("image.planned", images=PLAN, n=3)
        shown.emit("image.made", image=PLAN[0], k=1, n=3)
    assert "(about 12 min 05 s left, until " in out.getvalue()
