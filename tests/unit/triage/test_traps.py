"""The traps of the field: lines that say something else than they mean."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reimage.triage.catalogue import load_classes
from reimage.triage.clues import Clue
from reimage.triage.evidence import of_text
from reimage.triage.judge import judge_text

CLASSES = load_classes()
HEAD = "2026-11-20 06:11:44"


def judged(text, **end):
    evidence = of_text(text)
    if end:
        evidence = replace(evidence, clues=(*evidence.clues, Clue(source="exit.json", **end)))
    return judge_text(evidence, CLASSES)


def test_a_write_error_with_success_is_a_quota():
    found = judged(
        "terminate called after throwing an instance of 'casacore::AipsError'\n"
        "  what():  FilebufIO: write error for file /data/x.ms/table.f3_TSM0: Success\n",
        signal="SIGABRT",
    )
    assert found.error_class == "disk-full"
    assert [one.error_class for one in found.symptoms] == ["core-dump"]


def test_an_abort_after_bad_alloc_is_memory():
    found = judged(
        "terminate called after throwing an instance of 'std::bad_alloc'\n"
        "  what():  std::bad_alloc\nAborted (core dumped)\n",
        signal="SIGABRT",
    )
    assert found.error_class == "memory"


@pytest.mark.parametrize(
    "line",
    ["corrupted size vs. prev_size", "double free or corruption (out)", "free(): invalid pointer"],
)
def test_a_broken_heap_is_a_crash_and_no_broken_data(line):
    assert judged(f"{line}\n", signal="SIGABRT").error_class == "core-dump"


def test_a_parallel_transport_layer_is_an_empty_selection():
    found = judged(
        f"{HEAD}\tSEVERE\ttclean::::casa\tTask tclean raised an exception of class RuntimeError with the"
        " following message: Parallel transport layer not initialized\n"
    )
    assert found.error_class == "no-visibilities"


def test_leap_seconds_are_no_clue():
    evidence = of_text(
        f"{HEAD}\tSEVERE\tMeasTable::dUTC(Double)\tLeap second table TAI_UTC seems out-of-date.\n"
        f"{HEAD}\tSEVERE\tMeasTable::dUTC(Double)+\tUntil the table is updated\n"
        f"{HEAD}\tSEVERE\tMeasTable::dUTC(Double)+\ttimes could be wrong by 1s or more.\n"
    )
    assert evidence.clues == ()
    assert judge_text(evidence, CLASSES).error_class == "unclassified"


def test_a_traceback_at_info_is_seen():
    head = f"{HEAD}\tINFO\tscript::::casa\t"
    found = judged(
        f"{head}Traceback (most recent call last):\n"
        f'{head}  File "scriptForPI.py", line 9, in restore\n'
        f"{head}RuntimeError: Flag version Pipeline_Final does not exist\n"
        f"{HEAD}\tINFO\tscript::::casa\tDone.\n"
    )
    assert found.error_class == "flag-version-missing"


def test_the_root_is_told_before_its_symptoms():
    found = judged(
        f"{HEAD}\tSEVERE\tsplit::\tDisk: No space left on device\n"
        "2026-11-20 06:11:50\tSEVERE\ttclean::\tTable /data/x.ms/SPECTRAL_WINDOW does not exist\n"
        "AssertionError: the vis parameter must be a path that exists ('x.ms' does not exist)\n"
        "ERROR: x.ms.split.cal was not created.\n",
        signal="SIGSEGV",
    )
    assert found.error_class == "disk-full"
    assert [one.error_class for one in found.symptoms] == [
        "corrupt-table",
        "input-missing",
        "script-stopped",
        "core-dump",
    ]


def test_a_wrapper_is_never_the_cause():
    found = judged(
        f"{HEAD}\tSEVERE\timportasdm::::sdm\tConversionException : cannot convert table Main.\n"
        "Traceback (most recent call last):\n"
        '  File "c.py", line 9, in <module>\n'
        "Exception: ASDM conversion error. Check the logs for additional details.\n"
    )
    assert found.error_class == "corrupt-asdm"
    assert "ConversionException" in (found.decisive or "")


def test_what_nobody_knows_is_unclassified_and_keeps_its_words():
    found = judged("ERROR: the frobnicator of DV07 is offended\n")
    assert (found.error_class, found.decisive) == (
        "unclassified",
        "ERROR: the frobnicator of DV07 is offended",
    )


def test_an_environment_without_mpi_is_no_error_of_the_algorithm():
    assert judged("NameError: name 'mpi_clustermanager' is not defined\n").error_class == (
        "mpi-not-started"
    )


def test_a_node_that_fails_for_memory_is_memory():
    found = judged(
        "slurmstepd: error: Detected 1 oom_kill event in StepId=7.batch.\n"
        "slurmstepd: error: *** JOB 7 ON node12 CANCELLED AT 2026-11-20T06:11:46 DUE TO NODE FAILURE ***\n"
    )
    assert found.error_class == "memory"


@pytest.mark.parametrize(
    ("line", "error_class"),
    [
        ("FiledesIO: file /data/x.ms/table.f20_TSM1 could not be opened: Permission denied", "permission-denied"),
        ("FiledesIO: file /data/x.ms/table.f20_TSM1 could not be opened: Too many open files", "open-files"),
        ("FiledesIO: file /data/x.ms/table.f20_TSM1 could not be opened: Input/output error", "file-system-failed"),
        ("FiledesIO: file /data/x.ms/table.f20_TSM1 could not be opened: No such file or directory", "corrupt-table"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_opened_is_broken_only_where_its_file_is_gone(line, error_class):
    found = judged(f"RuntimeError: {line}\n")
    assert found.error_class == error_class
    assert found.symptoms == ()


@pytest.mark.parametrize(
    "name",
    [
        "im.psf",
        "/data/run/im.cube.image",
        "im.image.tt0",
        "user.mask",
        "uid___A002_X1_X2.ms",
        "uid___A002_X1_X2.ms/",
        "uid___A002_X1_X2_targets.ms",
        "uid___A002_X1_X2.ms.split.cal",
        "uid___A002_X1_X2.ms.contsub",
        "uid___A002_X1_X2.ms.split.cal.contsub",
    ],
)
@pytest.mark.parametrize("end", ["", "."])
def test_an_image_or_a_measurement_set_that_is_missing_is_no_calibration_table(name, end):
    found = judged(f"RuntimeError: Table {name} does not exist{end}\n")
    assert found.error_class == "input-missing"


@pytest.mark.parametrize(
    "name", ["TempLattice17", "/opt/casadata/geodetic/Observatories", "x.ms.flagversions"]
)
def test_what_is_no_calibration_table_either_stays_unclassified(name):
    assert judged(f"RuntimeError: Table {name} does not exist.\n").error_class == "unclassified"


@pytest.mark.parametrize(
    "name",
    [
        "nocal.tbl",
        "uid___A002_X1_X2.ms.tsys",
        "uid___A002_X1_X2.ms.wvr.smooth",
        "uid___A002_X1_X2.ms.split.bandpass_smooth20ch",
        "uid___A002_X1_X2.ms.split.flux_inf",
        "cal/phase.gcal",
    ],
)
def test_tables_of_a_measurement_set_are_calibration_tables(name):
    assert judged(f"RuntimeError: Table {name} does not exist.\n").error_class == "missing-caltable"


def test_a_file_system_without_hard_links_is_no_directory_that_was_removed():
    """The pipeline falls back to a symbolic link, says so, and goes on."""
    found = judged(
        f"{HEAD} ERROR: Error creating hard link to CASA log\n"
        f"{HEAD} WARNING: Reverting to symbolic link to CASA log. This is unsupported!\n"
        "Traceback (most recent call last):\n"
        '  File "hif.py", line 9, in execute\n'
        "ValueError: something that nobody has seen yet\n"
    )
    assert found.error_class == "unclassified"
    assert found.decisive == "ValueError: something that nobody has seen yet"


@pytest.mark.parametrize(
    "line",
    [
        f"{HEAD} WARNING: Online flux catalog unavailable; fell back to local Source.xml fluxes.",
        f"{HEAD} WARNING: Falling back to raw data for imaging.",
        f"{HEAD} WARNING: This pipeline run contains EBs with mixed spw naming conventions",
    ],
)
def test_a_warning_with_which_the_pipeline_goes_on_is_not_why_it_failed_later(line):
    unknown = (
        "Traceback (most recent call last):\n"
        '  File "hif.py", line 9, in execute\n'
        "ValueError: something that nobody has seen yet\n"
    )
    assert judged(f"{line}\n").error_class not in {None, "unclassified"}
    found = judged(f"{line}\n{unknown}")
    assert found.error_class == "unclassified"
    assert len(found.symptoms) == 1


@pytest.mark.parametrize(
    ("line", "error_class"),
    [
        ("munmap_chunk(): invalid pointer", "core-dump"),
        ("corrupted double-linked list", "core-dump"),
        ("free(): double free detected in tcache 2", "core-dump"),
        ("/opt/casa/bin/casa: line 9: 71 Bus error               python3 x.py", "core-dump"),
        ("srun: error: node12: task 0: Out Of Memory", "memory"),
        ("bash: fork: retry: Resource temporarily unavailable", "processes"),
        ("There are not enough slots available in the system to satisfy the 8", "mpi-not-started"),
        ("mpirun was unable to launch the specified application as it", "mpi-not-started"),
        ("bash: /data/run/job.sh: Stale file handle", "file-system-failed"),
        ("/bin/sh: 1: /opt/casa/bin/casa: Input/output error", "file-system-failed"),
        ("casa: symbol lookup error: libcasa.so: undefined symbol: dgemm_", "casa-start"),
        ("sacct: error: slurm_persist_conn_open_without_init: failed", "scheduler-unreachable"),
        ("slurm_load_jobs error: Unable to contact slurm controller", "scheduler-unreachable"),
        ("gzip: stdin: not in gzip format", "archive-file-damaged"),
        ("tar: Unexpected EOF in archive", "archive-file-damaged"),
    ],
)
def test_what_programs_other_than_casa_print_is_seen(line, error_class):
    """A pattern is worth nothing where the line that it is for is passed over."""
    assert judged(f"all is well\n{line}\n").error_class == error_class


def test_a_warning_that_memory_may_be_short_is_no_want_of_memory():
    text = f"{HEAD}\tWARN\ttask_tclean::::casa\tThis is a large image and may run out of memory\n"
    assert judged(text).error_class == "unclassified"


@pytest.mark.parametrize("module", ["pipelineutils", "pipeline2"])
def test_a_module_of_another_name_is_not_the_pipeline(module):
    found = judged(f"ModuleNotFoundError: No module named '{module}'\n")
    assert found.error_class == "unclassified"


def test_a_place_that_is_read_only_does_not_heal_by_itself():
    """What a caged script writes outside its run's directory; a repetition meets the same."""
    found = judged("IOError: [Errno 30] Read-only file system: '/home/somebody/x'\n")
    assert (found.error_class, found.remedy) == ("permission-denied", "none")


def test_another_package_of_a_like_name_is_not_casas():
    found = judged("ModuleNotFoundError: No module named 'sixpack'\n")
    assert found.error_class == "unclassified"
    found = judged("ModuleNotFoundError: No module named 'numpy.core'\n")
    assert found.error_class == "casa-start"


UNKNOWN = (
    "Traceback (most recent call last):\n"
    '  File "hif.py", line 9, in execute\n'
    "ValueError: something that nobody has seen yet\n"
)


@pytest.mark.parametrize(
    ("message", "error_class"),
    [
        ("PSF is blank for[C0:P0] [C1:P0]", "no-visibilities"),  # flagged edges of a good cube
        ("Cleaning diverged, RMS is NaN. Field: N Intent: TARGET SPW: 25", "clean-diverged"),
        ("Specified refant not found", "antenna-unknown"),
    ],
)
def test_a_warning_is_no_cause_of_something_graver_that_nobody_knows(message, error_class):
    line = f"{HEAD}\tWARN\ttclean::::casa\t{message}\n"
    assert judged(line).error_class == error_class
    assert judged(line + "RuntimeError: std::bad_alloc\n").error_class in {error_class, "memory"}
    found = judged(line + UNKNOWN)
    assert (found.error_class, found.decisive) == ("unclassified", UNKNOWN.splitlines()[-1])
    assert [one.error_class for one in found.symptoms] == [error_class]
    assert judged(UNKNOWN + "\n" + line).error_class == "unclassified"
