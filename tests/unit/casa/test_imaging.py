"""Which build makes the images."""

from __future__ import annotations

import pytest
from making import make_build

from reimage.casa.imaging import (
    CasaForJobsMissing,
    ImagingCasaTooOld,
    imaging_build,
    job_build,
)

OLD, FIRST, NEW = (make_build(version) for version in ("6.4.4.31", "6.5.6.22", "6.7.0.31"))
MONOLITHIC = make_build("6.8.0.1", python=None, kind="monolithic")


@pytest.mark.parametrize("chosen", [FIRST, NEW])
def test_a_build_that_can_image_does(chosen):
    assert imaging_build(chosen, (OLD, FIRST, NEW)) == chosen


def test_the_newest_images_for_one_that_cannot():
    assert imaging_build(OLD, (MONOLITHIC, NEW, OLD, FIRST)) == NEW


def test_without_any_it_says_so():
    with pytest.raises(ImagingCasaTooOld, match=r"6\.4\.4\.31 is too old") as raised:
        imaging_build(OLD, iter((OLD, MONOLITHIC)))
    assert raised.value.evidence["registered"] == ["casa-6.4.4.31-py311", "casa-6.8.0.1-py311"]


@pytest.mark.parametrize("chosen", [OLD, NEW])
def test_a_build_that_runs_jobs_does(chosen):
    assert job_build(chosen, (OLD, NEW)) == chosen


def test_the_newest_that_runs_jobs_does_for_a_shell():
    assert job_build(MONOLITHIC, (MONOLITHIC, OLD, NEW, FIRST)) == NEW


def test_a_shell_alone_is_not_enough():
    with pytest.raises(
        CasaForJobsMissing, match=r"6\.8\.0\.1 runs delivered scripts only"
    ) as raised:
        job_build(MONOLITHIC, iter((MONOLITHIC,)))
    assert "reimage casa install" in raised.value.hint
