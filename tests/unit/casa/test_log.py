from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reimage.casa import log

LEAP = (
    "2026-11-20 06:11:34\tSEVERE\timportasdm::MeasTable::dUTC(Double) (file M.cc, line 4290)\t"
    "Leap second table TAI_UTC seems out-of-date.\n"
    "2026-11-20 06:11:34\tSEVERE\timportasdm::MeasTable::dUTC(Double) (file M.cc, line 4290)+\t"
    "Until the table is updated, times could be wrong by 1s or more.\n"
)
FIELD = (
    "2026-11-20 06:11:17\tSEVERE\tCalibrater::setapply(type, applypar)\t"
    'Field Expression: No match found for name "NOPE"\n'
    "2026-11-20 06:11:17\tSEVERE\tCalibrater::setapply(type, applypar)+\t"
    '(near char. 4 in string "NOPE")\n'
)


def test_continuation_lines_belong_to_their_message():
    (line,) = log.parse(FIELD.splitlines(keepends=True))
    assert line.at == datetime(2026, 11, 20, 6, 11, 17, tzinfo=UTC)
    assert line.severity == "SEVERE"
    assert line.origin == "Calibrater::setapply(type, applypar)"
    assert line.message == (
        'Field Expression: No match found for name "NOPE"\n(near char. 4 in string "NOPE")'
    )


def test_a_continuation_of_another_origin_is_a_message_of_its_own():
    text = "2026-11-20 06:11:17\tWARN\ta::b\tone\n2026-11-20 06:11:17\tWARN\tc::d+\ttwo\n"
    assert [line.message for line in log.parse(text.splitlines())] == ["one", "two"]


@pytest.mark.parametrize("text", ["", "Done.", "2026-11-20 06:11:17 SEVERE no tabs", "\tINFO\t\t"])
def test_lines_of_others_are_passed_over(text):
    assert log.parse_line(text) is None


def test_an_empty_origin_is_read():
    line = log.parse_line(
        "2026-11-20 06:09:58\tSEVERE\t\tException Reported: Table x.tbl does not exist."
    )
    assert line is not None
    assert line.origin == ""
    assert line.is_grave


def test_a_line_prints_as_it_is_read():
    (line,) = log.parse(FIELD.splitlines())
    again = log.parse_line(str(line))
    assert again is not None
    assert (again.at, again.origin) == (line.at, line.origin)
    assert again.message.split() == line.message.split()


def test_severe_lines_leave_out_the_leap_seconds_and_repetitions(tmp_path):
    path = tmp_path / "casa.log"
    path.write_text(LEAP + FIELD + LEAP + FIELD)
    (line,) = log.severe_lines(path, most=20)
    assert "No match found" in line


def test_severe_lines_are_bounded_and_the_first_are_kept(tmp_path):
    path = tmp_path / "casa.log"
    path.write_text("".join(f"2026-11-20 06:11:17\tSEVERE\ta::b\tmessage {n}\n" for n in range(50)))
    assert [line.rsplit("\t", 1)[1] for line in log.severe_lines(path, most=2)] == [
        "message 0",
        "message 1",
    ]


def test_a_log_that_was_never_written_has_no_lines(tmp_path):
    assert log.severe_lines(tmp_path / "casa.log", most=20) == []


def test_binary_rubbish_is_no_line(tmp_path):
    path = tmp_path / "casa.log"
    path.write_bytes(bytes(range(256)) * 100)
    assert log.severe_lines(path, most=20) == []
