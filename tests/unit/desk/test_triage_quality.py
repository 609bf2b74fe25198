"""How good the triage is, from what people and time have said."""

from __future__ import annotations

from datetime import timedelta

import pytest
from making import WHEN

from reimage.desk.triage_quality import report
from reimage.store import acts, samples
from reimage.store.acts import AnswerRow
from reimage.store.samples import Hits, SeveralJudged, SharedSignature
from reimage.triage.catalogue import load_classes


class NoDatabase:
    """Whose rows the test gives."""

    def read(self):
        return self

    def __enter__(self):
        return None

    def __exit__(self, *what):
        return None


def answer(run, rule, *, confirmed):
    return AnswerRow(
        run=run,
        attempt=1,
        error_class=rule.partition("@")[0],
        rule=rule,
        confirmed=confirmed,
        author="ann",
        audited_at=WHEN,
    )


def judged(run, error_class, author, hours):
    at = WHEN + timedelta(hours=hours)
    return SeveralJudged(run=run, attempt=1, error_class=error_class, author=author, judged_at=at)


@pytest.fixture
def quality(monkeypatch):
    """Give a report over rows."""

    def made(hits=(), answers=(), again=(), shared=()):
        monkeypatch.setattr(samples, "hits", lambda _: tuple(hits))
        monkeypatch.setattr(acts, "answers", lambda _: tuple(answers))
        monkeypatch.setattr(samples, "judged_again", lambda _: iter(again))
        monkeypatch.setattr(samples, "shared_signatures", lambda _: iter(shared))
        return report(NoDatabase(), load_classes(), now=WHEN + timedelta(days=100), dead_days=90)

    return made


def test_nothing_is_no_disaster(quality):
    found = quality()
    assert (found.failed_runs, found.unclassified_share, found.rules) == (0, 0.0, ())
    assert (found.purity, found.hours_to_class) == (1.0, None)
    assert len(found.dead) == len(load_classes())


def test_a_greedy_rule_is_named_and_comes_first(quality):
    answers = [answer(f"a{n}", "memory@2", confirmed=n > 1) for n in range(10)]
    answers += [answer(f"b{n}", "hang@1", confirmed=True) for n in range(10)]
    answers += [answer(f"c{n}", "lost@1", confirmed=n > 0) for n in range(3)]
    rules = quality(answers=answers).rules
    assert [(one.rule, one.greedy) for one in rules] == [
        ("lost@1", False),
        ("memory@2", True),
        ("hang@1", False),
    ]
    assert rules[1].precision == 0.8
    assert rules[1].low < 0.8 < rules[1].high


def test_the_last_word_about_a_judgement_counts(quality):
    answers = [answer("a", "memory@2", confirmed=False), answer("a", "memory@2", confirmed=True)]
    (rule,) = quality(answers=answers).rules
    assert (rule.confirmed, rule.refuted) == (1, 0)


def test_people_overrule_rules_not_people_nor_what_was_unclassified(quality):
    again = [
        judged("a", "memory", "memory@2", 0),
        judged("a", "hang", "ann", 1),
        judged("a", "lost", "bob", 2),
        judged("b", "unclassified", "unclassified@sv1", 0),
        judged("b", "hang", "ann", 6),
        judged("c", "memory", "memory@2", 0),
        judged("c", "memory", "ann", 1),
        judged("d", "memory", "memory@2", 0),
        judged("d", "hang", "hang@1", 1),
    ]
    found = quality(again=again)
    assert [(one.rule, one.overruled) for one in found.rules] == [("memory@2", 1)]
    assert (found.classed_later, found.hours_to_class) == (1, 6.0)


def test_purity_is_of_signatures_that_several_runs_have(quality):
    shared = [
        SharedSignature(signature="s1", error_class="memory", runs=1),
        SharedSignature(signature="s2", error_class="hang", runs=3),
        SharedSignature(signature="s2", error_class="memory", runs=1),
        SharedSignature(signature="s3", error_class="hang", runs=4),
    ]
    found = quality(shared=shared)
    assert (found.signatures, found.pure, found.purity) == (2, 1, 7 / 8)


def test_dead_is_what_nothing_had_for_long(quality):
    hits = [
        Hits(error_class="memory", runs=3, last_at=WHEN),
        Hits(error_class="hang", runs=1, last_at=WHEN + timedelta(days=50)),
        Hits(error_class="unclassified", runs=1, last_at=WHEN),
    ]
    found = quality(hits=hits)
    dead = {one.error_class: one.last_at for one in found.dead}
    assert dead["memory"] == WHEN
    assert "hang" not in dead
    assert (found.failed_runs, found.unclassified, found.unclassified_share) == (5, 1, 0.2)
