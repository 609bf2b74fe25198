from __future__ import annotations

import pytest
from making import make_archive, make_build, make_run

from reimage.casa import choose, distributions, numbers, policy
from reimage.model import Calibration, Role, VersionStatement


def stated(version, role=Role.CALIBRATION, strength=1):
    return VersionStatement(
        version=version, role=role, file="f", line=1, text="t", strength=strength
    )


def site(tmp_path, text):
    path = tmp_path / "policy.toml"
    path.write_text(text)
    return policy.load(path)


def test_a_site_decides_what_stands_in_and_whether_that_is_doubtful(tmp_path):
    own = site(
        tmp_path, '[[pipeline]]\nstated = "5.6.1"\nuse = ["6.5.4", "6.2"]\ndoubtful = false\n'
    )
    builds = [make_build("6.2.1.7"), make_build("6.7.0.31")]
    found = choose.choose(Calibration.PIPELINE, (stated("5.6.1-8"),), builds, policy=own)
    assert (found.build, found.doubtful) == ("casa-6.2.1.7-py311", False)
    assert found.alternatives == ("casa-6.7.0.31-py311",)
    other = choose.choose(Calibration.PIPELINE, (stated("5.4.0-70"),), builds, policy=own)
    assert other.build is None


def test_a_site_may_keep_deliveries_without_a_manifest_for_their_own_casa(tmp_path):
    own = site(
        tmp_path, 'tables_without_manifest = false\n[[pipeline]]\nstated = "*"\nuse = ["newest"]\n'
    )
    said = (stated("4.7.0"),)
    assert choose.choose(Calibration.PIPELINE, said, [make_build()], policy=own).build is None
    shipped = choose.choose(Calibration.PIPELINE, said, [make_build()])
    assert (shipped.build, shipped.doubtful) == (make_build().id, True)
    assert any("2017-10-01" in reason for reason in shipped.because)


@pytest.mark.parametrize("text", ["pipeline = 3", "[[pipeline]]\nuse = []\n", "= ?"])
def test_a_bad_table_is_told(tmp_path, text):
    with pytest.raises(policy.PolicyUnreadable) as caught:
        site(tmp_path, text)
    assert caught.value.evidence["path"].endswith("policy.toml")


def test_a_policy_that_is_not_there_is_told(tmp_path):
    with pytest.raises(policy.PolicyUnreadable):
        policy.load(tmp_path / "none.toml")


def test_a_run_carries_its_policy(tmp_path):
    archive = make_archive(tmp_path / "a", {})
    assert policy.of_run(make_run(archive)) == policy.shipped()
    frozen = {"pipeline": [{"stated": "*", "use": ["newest"]}]}
    assert policy.of_run(make_run(archive, policy=frozen)).pipeline[0].use == ("newest",)


@pytest.mark.parametrize(
    ("version", "how"),
    [
        ("6.5.6", "casa install 6.5.6"),
        ("4.2.2", "casapy-42.2.30986-pipe-1-64b"),
        ("6.2.1-7", "casa-6.2.1-7-pipeline"),
        ("3.4", "Install CASA 3.4"),
    ],
)
def test_how_a_version_is_installed(version, how):
    assert how in distributions.how_to_install(version)


def test_versions_are_compared_by_three_numbers():
    assert numbers.agree("5.6.1-8", "5.6.1.5")
    assert numbers.agree("4.1", "4.1.0")
    assert not numbers.agree("4.1.0", "4.1.2")
    assert not numbers.agree("4.1", "4.10.1")
    assert numbers.narrowest(["4.2, 4.3", "4.3.1", "4.7.2"]) == "4.3.1"
    assert numbers.options(">=4.2.2") == ()


def test_a_person_finds_what_comes_near_in_the_hint():
    builds = [make_build("6.2.0.124")]
    choice = choose.choose(Calibration.MANUAL, (stated("6.2.1"),), builds)
    with pytest.raises(choose.CasaBuildMissing) as caught:
        choose.require(choice, builds)
    assert "--casa casa-6.2.0.124-py311" in caught.value.hint
