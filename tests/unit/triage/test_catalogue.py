from __future__ import annotations

import pytest

from reimage.triage.catalogue import (
    ErrorClassUnusable,
    Family,
    Remedy,
    load_classes,
    read_class,
)

GOOD = """
title = "A good class"
family = "data"
fault = "delivery"
meaning = "Something that happens in tests only."
advice = "Nothing to do about it, it is a test."
remedy = "retry"

[[match]]
message = 'good'

[evidence]
examples = ["ERROR: good"]
"""


@pytest.fixture
def site(tmp_path):
    def write(text, name="good-class", family="data"):
        path = tmp_path / family / f"{name}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    write.folder = tmp_path
    return write


def test_a_site_adds_a_class_by_adding_a_file(site):
    site(GOOD)
    (found,) = [one for one in load_classes([site.folder]) if one.id == "good-class"]
    assert found.family is Family.DATA
    assert found.remedy is Remedy.RETRY
    assert found.mode == "active"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("remedy =", "remdy =", "remdy"),
        ('remedy = "retry"', 'remedy = "pray"', "remedy"),
        ('remedy = "retry"', 'remedy = "fix"', "fix"),
        ("message = 'good'", "message = '('", "regular expression"),
        ("message = 'good'", "unless = 'good'", "needs"),
        ('examples = ["ERROR: good"]', "examples = []", "examples"),
        ("[[match]]", "[[match]]\nlog = 'x'", "log"),
        ("[evidence]", "", "match"),
        ('family = "data"', 'family = "fetch"', "folder"),
        ('title = "A good class"', "title = ", "cannot read"),
        ('remedy = "retry"', 'scope = { builds = "6.5 to 6.7" }', "builds"),
        ('remedy = "retry"', 'scope = { observed_since = "lately" }', "observed_since"),
        ('remedy = "retry"', 'scope = { planet = ["Mars"] }', "planet"),
        ("message = 'good'", "message = '(g+)+ood'", "slow"),
        ("message = 'good'", "message = 'good'\nunless = '(.|g)*x'", "slow"),
    ],
)
def test_a_class_that_is_not_right_is_refused_by_name(site, old, new, told):
    path = site(GOOD.replace(old, new))
    with pytest.raises(ErrorClassUnusable, match=told) as caught:
        read_class(path)
    assert caught.value.evidence["file"] == str(path)


def test_an_id_that_is_not_kebab_case_is_refused(site):
    with pytest.raises(ErrorClassUnusable, match="id"):
        read_class(site(GOOD, name="Good_Class"))


@pytest.mark.parametrize("name", ["memory", "unclassified"])
def test_an_id_is_declared_once(site, name):
    site(GOOD, name=name)
    with pytest.raises(ErrorClassUnusable, match=name):
        load_classes([site.folder])


def test_a_class_explains_only_what_exists(site):
    site(GOOD.replace('remedy = "retry"', 'explains = ["nothing-there"]'))
    with pytest.raises(ErrorClassUnusable, match="nothing-there"):
        load_classes([site.folder])


def test_a_file_that_is_not_text_is_refused(site):
    path = site(GOOD)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ErrorClassUnusable, match="cannot read"):
        read_class(path)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('title = "A good class"', "title = ", 2),
        ("message = 'good'", "message = '(g+)+ood'", 10),
        ('remedy = "retry"', 'remedy = "pray"', 7),
        ('remedy = "retry"', 'remdy = "retry"', 7),
    ],
)
def test_what_is_not_right_is_refused_with_its_line(site, old, new, line):
    with pytest.raises(ErrorClassUnusable) as caught:
        read_class(site(GOOD.replace(old, new)))
    assert caught.value.evidence["line"] == line
    assert f"line {line}" in caught.value.message


def test_a_second_match_is_found_by_its_line(site):
    text = GOOD.replace("[evidence]", "[[match]]\nmessage = '('\n\n[evidence]")
    with pytest.raises(ErrorClassUnusable) as caught:
        read_class(site(text))
    assert caught.value.evidence["line"] == 13
