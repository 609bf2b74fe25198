from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import make_build

from reimage.casa import choose
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
