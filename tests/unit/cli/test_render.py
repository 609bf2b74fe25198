from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from reimage.cli import render
from reimage.cli.render import Column

COLUMNS = (
    Column(title="key"),
    Column(title="much", keep=5),
    Column(title="little", keep=1),
    Column(title="empty", keep=5),
)


def drawn(columns, rows, width):
    out = Console(file=io.StringIO(), width=width, markup=False, emoji=False)
    render.table(out, columns, rows)
    return out.file.getvalue().splitlines()


def test_a_table_with_room_shows_every_column_that_says_something():
    head, row = drawn(COLUMNS, [["a", "b", "c", None]], 80)
    assert head.split() == ["key", "much", "little"]
    assert row.split() == ["a", "b", "c"]


def test_columns_are_left_out_by_what_they_are_worth():
    rows = [["k" * 10, "m" * 10, "l" * 10, ""]]
    assert drawn(COLUMNS, rows, 25)[0].split() == ["key", "much"]


CELL = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)


@given(
    rows=st.lists(st.lists(CELL, min_size=4, max_size=4), max_size=5), width=st.integers(40, 200)
)
def test_lines_never_wrap(rows, width):
    lines = drawn(COLUMNS, rows, width)
    assert len(lines) == 1 + len(rows)
    assert max(map(len, lines)) <= width


def test_data_are_no_markup():
    assert drawn((Column(title="x"),), [["[bold]x[/bold] :smile:"]], 40)[1].strip() == (
        "[bold]x[/bold] :smile:"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (0.04, "0.0 s"), (59.9, "59.9 s"), (185, "3 min 05 s"), (7620, "2 h 07 min")],
)
def test_seconds(value, text):
    assert render.seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (999, "999 B"), (1500, "1.5 kB"), (6e10, "60.0 GB"), (5e13, "50.0 TB")],
)
def test_size(value, text):
    assert render.size(value) == text


def test_caveats_of_one_id_share_a_line():
    caveats = ["low:a", "restored-without-pipeline", "low:b"]
    assert render.gathered(caveats) == ["low: a, b", "restored-without-pipeline"]


def test_long_words_are_left_whole():
    path = "/a/path-that-is/longer-than/the/line"
    assert render.wrapped(f"see {path} there", 20) == ["see", path, "there"]


@pytest.mark.parametrize(
    ("said", "width"), [("", render.ENDLESS), ("0", render.ENDLESS), ("90", 90)]
)
def test_a_pipe_is_wide_whatever_the_terminal_beside_it(monkeypatch, said, width):
    monkeypatch.setenv("COLUMNS", said)
    monkeypatch.setattr("shutil.get_terminal_size", lambda *_: pytest.fail("asked the terminal"))
    assert render.console().width == width


def test_a_table_in_a_pipe_shows_every_column(monkeypatch, capsys):
    monkeypatch.delenv("COLUMNS")
    render.table(render.console(), COLUMNS, [["k" * 200, "m" * 200, "l" * 200, "x"]])
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["key", "much", "little", "empty"]
    assert len(row.split()) == 4


def test_what_is_shown_does_not_steer_the_terminal(capsys):
    out = render.console()
    said = "a\x1b[2J\x1b]0;b\x07 c\x9bd\r\x00\te"
    out.print(said)
    out.print(Text(said, style="red"))
    render.table(out, (Column(title="x"),), [(said,)])
    render.pairs(out, {"x": said})
    render.say(said)
    told = capsys.readouterr()
    for stream in (told.out, told.err):
        assert "c\N{REPLACEMENT CHARACTER}d" in stream
        assert not set("\x1b\x07\x9b\r\x00") & set(stream)


def test_what_may_be_squeezed_is_cut_before_a_column_is_left_out():
    columns = (
        Column(title="key"),
        Column(title="words", squeeze=10, keep=8),
        Column(title="n", keep=5),
        Column(title="more words", squeeze=12, keep=6),
    )
    row = ["k" * 10, "w" * 40, "n" * 10, "m" * 40]
    for width in range(48, 110):
        head, line = drawn(columns, [row], width)
        assert len(line.rstrip()) <= width
        assert "k" * 10 in line
        assert "n" * 10 in line
        assert head.split() == ["key", "words", "n", "more", "words"]
    assert drawn(columns, [row], 30)[0].split() == ["key", "words"]
