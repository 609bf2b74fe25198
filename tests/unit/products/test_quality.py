from __future__ import annotations

import re

import pytest

from reimage.products.quality import RULES, caveats

SOUND = {
    "n_channels": 1,
    "beam_axial_ratio": 1.5,
    "pixels_across_minor": 5.0,
    "dynamic_range": 40.0,
    "nan_share": 0.4,
    "blank_channel_share": 0.0,
}


def test_a_sound_image_has_none():
    assert caveats("pbcor", SOUND) == ()
    assert caveats("pbcor", SOUND | {"n_channels": 64}) == ()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.id}-{rule.cubes}")
def test_each_rule_speaks_beyond_its_threshold_and_not_at_it(rule):
    n_channels = 64 if rule.cubes else 1
    numbers = SOUND | {"n_channels": n_channels}
    beyond = rule.threshold * (1.01 if rule.side == "above" else 0.99)
    assert caveats("pbcor", numbers | {rule.number: beyond}) == (rule.id,)
    assert caveats("pbcor", numbers | {rule.number: rule.threshold}) == ()


def test_what_is_no_image_of_the_sky_is_not_judged():
    assert caveats("pb", SOUND | {"nan_share": 1.0}) == ()


def test_what_is_not_known_breaks_no_rule():
    assert caveats("pbcor", {"dynamic_range": None}) == ()


def test_ids_are_kebab_case():
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.id) for rule in RULES)
