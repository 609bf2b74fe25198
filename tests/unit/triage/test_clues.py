from __future__ import annotations

import pytest

from reimage.model import Stage
from reimage.triage.clues import LAST_CLUES, MOST_CLUES, scan

CHAINED = """\
2026-11-20 06:11:44\tINFO\timportasdm::::casa\t##### Begin Task: importasdm #####
Traceback (most recent call last):
  File "/opt/casa/site-packages/casatasks/private/task_importasdm.py", line 261, in importasdm
    exitcode = sdmlocal.toms( vis )
               ^^^^^^^^^^^^^^^^^^^
  File "/opt/casa/site-packages/casatools/sdm.py", line 41, in toms
    return self._swigobj.toms(vis)
RuntimeError: ConversionException : cannot convert table Main.

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/data/c.py", line 9, in <module>
    importasdm(asdm='a')
Exception: ASDM conversion error. Check the logs for additional details.
"""


def read(text):
    return scan(text.splitlines(keepends=True), "stderr.log", Stage.RESTORE)


def test_a_chained_traceback_is_two_exceptions_the_inner_one_first():
    inner, outer = read(CHAINED)
    assert inner.text == "RuntimeError: ConversionException : cannot convert table Main."
    assert inner.frames == ("task_importasdm.importasdm", "sdm.toms")
    assert outer.text.startswith("Exception: ASDM conversion error")
    assert {clue.severity for clue in (inner, outer)} == {"EXCEPTION"}


def test_a_clue_without_time_has_that_of_the_last_line_before_it():
    inner, _ = read(CHAINED)
    assert inner.at is not None
    assert inner.at.second == 44


def test_a_message_of_several_lines_stays_whole():
    (clue,) = read(
        "Traceback (most recent call last):\n"
        '  File "x.py", line 1, in f\n'
        'RuntimeError: Field Expression: No match found for name "NOPE"\n'
        '(near char. 4 in string "NOPE")\n'
    )
    assert clue.text.endswith('\n(near char. 4 in string "NOPE")')


def test_a_traceback_printed_through_the_log_at_info_is_seen():
    head = "2026-11-20 06:11:44\tINFO\tscript::::casa\t"
    (clue,) = read(
        f"{head}Traceback (most recent call last):\n"
        f'{head}  File "x.py", line 1, in restore\n'
        f"{head}KeyError: 'session_2'\n"
        f"{head}going on\n".replace("going on", "")
    )
    assert clue.text == "KeyError: 'session_2'"
    assert clue.frames == ("x.restore",)


def test_a_traceback_that_is_cut_off_still_has_its_exception():
    (clue,) = read("  File 'x.py', line 3\nRuntimeError: Table nocal.tbl does not exist.\n")
    assert clue.severity == "EXCEPTION"


def test_harmless_lines_are_no_clue():
    assert (
        read(
            "2026-11-20 06:11:34\tSEVERE\tMeasTable::dUTC(Double)\t"
            "Leap second table TAI_UTC seems out-of-date.\n"
            "2026-11-20 06:11:34\tSEVERE\tMeasTable::dUTC(Double)+\tUntil the table is updated\n"
            "2026-11-20 06:11:34\tINFO\ttclean::::casa\tError is a word here\n"
            "tclean is done\n"
        )
        == ()
    )


def test_repetitions_are_one_clue_with_a_count():
    (clue,) = read(
        "".join(
            f"2026-11-20 06:16:{n:02d}\tSEVERE\texportfits::::\tBlockIO:  File x.fits record {n}\n"
            for n in range(40)
        )
    )
    assert clue.count == 40
    assert clue.text.endswith("record 0")
    assert clue.at is not None
    assert clue.at.second == 0


def test_the_number_of_clues_is_bounded_and_both_ends_are_kept():
    words = [f"{chr(97 + n // 676)}{chr(97 + n // 26 % 26)}{chr(97 + n % 26)}" for n in range(2000)]
    found = read("".join(f"ERROR: {word} failed\n" for word in words))
    assert len(found) == MOST_CLUES + LAST_CLUES
    assert found[0].text == "ERROR: aaa failed"
    assert found[-1].text == f"ERROR: {words[-1]} failed"


def test_every_clue_knows_its_source_and_stage():
    (clue,) = read("terminate called after throwing an instance of 'std::bad_alloc'\n")
    assert (clue.source, clue.stage) == ("stderr.log", Stage.RESTORE)


def test_a_traceback_in_one_message_is_an_exception_too():
    head = "2026-11-20 06:11:58\tSEVERE\tpipeline::basetask::casa"
    error, exception = read(
        f"{head}\tError executing pipeline task hifa_restoredata.\n"
        f"{head}\tTraceback (most recent call last):\n"
        f'{head}+\t  File "/opt/pipeline/restoredata.py", line 341, in _do_copytoraw\n'
        f"{head}+\t    ouss = pipemanifest.get_ous()\n"
        f"{head}+\t           ^^^^^^^^^^^^^^^^^^^^\n"
        f"{head}+\tAttributeError: 'NoneType' object has no attribute 'get_ous'\n"
        "2026-11-20 06:11:59\tINFO\tnext::\tgoing on\n"
    )
    assert error.severity == "SEVERE"
    assert exception.text == "AttributeError: 'NoneType' object has no attribute 'get_ous'"
    assert exception.frames == ("restoredata._do_copytoraw",)


def test_an_exception_that_wraps_a_traceback_is_the_inner_one():
    (clue,) = read(
        "Traceback (most recent call last):\n"
        '  File "a.py", line 1, in outer\n'
        "pipeline.exceptions.PipelineException: Traceback (most recent call last):\n"
        '  File "b.py", line 2, in inner\n'
        "RuntimeError: No science SPWs selected\n"
    )
    assert (clue.text, clue.frames) == ("RuntimeError: No science SPWs selected", ("b.inner",))


def test_what_the_pipeline_says_twice_is_said_once():
    clues = read(
        "2026-11-20 06:31:22 ERROR: No frequency intersect for SPW 1\n"
        "2026-11-20 06:31:22\tSEVERE\tpipeline::tclean::casa\tNo frequency intersect for SPW 1\n"
    )
    (clue,) = clues
    assert (clue.severity, clue.count) == ("SEVERE", 2)


def test_the_rest_of_a_message_without_its_head_is_read_as_output():
    (clue,) = read(
        "2026-11-20 06:11:58\tSEVERE\tx::casa+\t    result = f(x)\n"
        "2026-11-20 06:11:58\tSEVERE\tx::casa+\tRuntimeError: BucketCache::getBucket\n"
    )
    assert (clue.severity, clue.text) == ("EXCEPTION", "RuntimeError: BucketCache::getBucket")


def test_words_after_an_exception_are_not_part_of_it():
    exception, other = read(
        "Traceback (most recent call last):\n"
        '  File "x.py", line 1, in f\n'
        "RuntimeError: one thing\n"
        "ERROR: another thing\n"
    )
    assert exception.text == "RuntimeError: one thing"
    assert other.text == "ERROR: another thing"


@pytest.mark.parametrize(
    "word", ["MemoryError", "KeyboardInterrupt", "a.b.NotAnImage: psf is zero"]
)
def test_exceptions_of_any_name_end_a_traceback(word):
    (clue,) = read(f'Traceback (most recent call last):\n  File "x.py", line 1, in f\n{word}\n')
    assert clue.text == word


def test_a_traceback_without_end_swallows_nothing():
    (clue,) = read(
        "Traceback (most recent call last):\n"
        '  File "x.py", line 1, in f\n'
        "going on with other things\n"
        "ERROR: another thing\n"
    )
    assert clue.text == "ERROR: another thing"
