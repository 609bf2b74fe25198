from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import make_build

from reimage.casa import choose
from reimage.casa.imaging import CasaForJobsMissing
from reimage.model import Calibration, Role, VersionStatement

BUILDS = [make_build(version) for version in ("4.7.2", "5.6.1.8", "6.7.0.31", "6.2.1.7")]


def stated(version, strength=5, role=Role.CALIBRATION):
    return VersionStatement(
        version=version, role=role, file="f", line=1, text="t", strength=strength
    )


@pytest.mark.parametrize(
    ("calibration", "version", "chosen"),
    [
        (Calibration.MANUAL, "4.7.2", "4.7.2"),
        (Calibration.MANUAL, "4.7", "4.7.2"),
        (Calibration.MANUAL, "4.2.2", None),
        (Calibration.PIPELINE, "5.6.1-8", "5.6.1.8"),
        (Calibration.PIPELINE, "5.4.0-70", "6.7.0.31"),
        (Calibration.PIPELINE, None, "6.7.0.31"),
        (Calibration.MANUAL, None, None),
        (Calibration.DELIVERED, "3.4", "6.7.0.31"),
    ],
)
def test_rules(calibration, version, chosen):
    found = choose.choose(calibration, (stated(version),) if version else (), BUILDS)
    assert found.build == (f"casa-{chosen}-py311" if chosen else None)
    assert calibration is Calibration.PIPELINE or found.because


def test_an_imaging_statement_does_not_choose_the_restore():
    found = choose.choose(Calibration.MANUAL, (stated("4.7.2", role=Role.IMAGING),), BUILDS)
    assert found.build is None


def test_a_person_wins():
    assert (
        choose.choose(Calibration.MANUAL, (stated("4.7.2"),), BUILDS, asked="6.2.1").build
        == "casa-6.2.1.7-py311"
    )
    assert choose.choose(Calibration.MANUAL, (stated("4.7.2"),), BUILDS, asked="3.4").build is None


def test_what_a_person_asks_for_does_not_change_what_is_stated():
    said = (stated("5.6.1", 1), stated("4.7.2", 4))
    by_itself = choose.choose(Calibration.PIPELINE, said, BUILDS)
    asked = choose.choose(Calibration.PIPELINE, said, BUILDS, asked="casa-6.7.0.31-py311")
    assert asked.build == "casa-6.7.0.31-py311"
    assert (asked.wanted, asked.doubtful) == (by_itself.wanted, True)
    assert asked.because[-1] == "casa-6.7.0.31-py311 was asked for"
    assert choose.choose(Calibration.MANUAL, (), BUILDS, asked="6.2.1").wanted is None


@pytest.mark.parametrize("asked", ["3.4", "casa-3.4-py26"])
def test_what_a_person_asked_for_is_what_is_missing(asked):
    choice = choose.choose(Calibration.MANUAL, (stated("4.7.2"),), BUILDS, asked=asked)
    with pytest.raises(choose.CasaBuildMissing) as caught:
        choose.require(choice, BUILDS, asked)
    assert f"CASA {asked} is not registered" in caught.value.message
    assert asked in caught.value.hint


def test_disagreement_is_told():
    found = choose.choose(Calibration.PIPELINE, (stated("5.6.1", 1), stated("4.7.2", 4)), BUILDS)
    assert found.build == "casa-5.6.1.8-py311"
    assert any("disagree" in reason for reason in found.because)


def test_what_is_missing_is_named():
    choice = choose.choose(Calibration.MANUAL, (stated("4.2.2"),), BUILDS)
    with pytest.raises(choose.CasaBuildMissing, match=r"4\.2\.2") as caught:
        choose.require(choice, BUILDS)
    assert caught.value.evidence["wanted"] == "4.2.2"
    assert "casa register" in caught.value.hint
    how = caught.value.evidence["how"]  # what the error class's advice says; no wheel is of 4.2.2
    assert "casa register" in how
    assert "casa install" not in how
    with pytest.raises(choose.CasaVersionNotStated):
        choose.require(choose.choose(Calibration.MANUAL, (), BUILDS), BUILDS)


versions = st.lists(st.integers(0, 9), min_size=2, max_size=4).map(
    lambda parts: ".".join(map(str, parts))
)


@given(st.sampled_from(Calibration), st.lists(versions, max_size=4), st.randoms())
def test_same_input_same_choice_whatever_the_order_of_builds(calibration, said, random):
    statements = tuple(stated(version, n) for n, version in enumerate(said))
    shuffled = list(BUILDS)
    random.shuffle(shuffled)
    assert choose.choose(calibration, statements, BUILDS) == choose.choose(
        calibration, statements, shuffled
    )


# --- shells of CASA 5 and older ----------------------------------------------------------------------

SHELL = make_build("4.2.2", id="shell", python=None, kind="monolithic")
WITH_PIPELINE = make_build("4.2.2", id="pipe", python=None, kind="monolithic", pipeline="30986")


def test_a_manual_calibration_goes_to_the_shell_of_its_version():
    found = choose.choose(Calibration.MANUAL, (stated("4.2.2"),), [*BUILDS, SHELL])
    assert (found.build, found.doubtful) == ("shell", False)
    assert choose.require(found, [*BUILDS, SHELL]) == "shell"
    assert found.because[-1].endswith("casa-6.7.0.31-py311 looks into what they leave")


def test_a_shell_is_of_no_use_where_no_build_looks_into_what_it_leaves():
    found = choose.choose(Calibration.MANUAL, (stated("4.2.2"),), [SHELL])
    assert "`reimage casa install" in found.because[-1]
    with pytest.raises(CasaForJobsMissing):
        choose.require(found, [SHELL])


@pytest.mark.parametrize(
    ("builds", "chosen"),
    [([SHELL], "casa-4.7.2-py311"), ([SHELL, WITH_PIPELINE], "pipe")],
)
def test_a_shell_restores_a_pipeline_calibration_only_with_the_pipeline(builds, chosen):
    near = [make_build("4.7.2"), *builds]
    found = choose.choose(Calibration.PIPELINE, (stated("4.2.2"),), near)
    assert (found.build, found.doubtful) == (chosen, chosen != "pipe")


def test_of_builds_of_one_version_that_with_the_pipeline_restores_what_it_calibrated():
    with_it = make_build("6.2.1.7", id="with", pipeline="2021.2.0.128")
    found = choose.choose(Calibration.PIPELINE, (stated("6.2.1-7"),), [*BUILDS, with_it])
    assert found.build == "with"


def test_delivered_data_need_no_shell():
    found = choose.choose(Calibration.DELIVERED, (stated("3.4"),), [SHELL, BUILDS[0]])
    assert found.build == BUILDS[0].id


def test_a_shell_without_the_pipeline_that_is_needed_is_named_as_that():
    found = choose.choose(Calibration.PIPELINE, (stated("4.2.2"),), [SHELL])
    with pytest.raises(choose.CasaBuildMissing, match=r"CASA 4\.2\.2 with the pipeline is not"):
        choose.require(found, [SHELL])
