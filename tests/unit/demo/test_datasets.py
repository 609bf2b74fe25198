from __future__ import annotations

import math
from collections import Counter

import pytest

from reimage import document
from reimage.demo.datasets import datasets
from reimage.demo.plan import Observation, Shell, offset
from reimage.uid import Uid


def _all(attribute: str) -> list[Uid]:
    return [getattr(dataset, attribute) for dataset in datasets()]


def test_there_are_six_with_distinct_uids():
    blocks = [block.eb for dataset in datasets() for block in dataset.blocks]
    uids = [*_all("mous"), *_all("group"), *_all("science_goal"), *blocks]
    assert "".join(dataset.letter for dataset in datasets()) == "abcdef"
    assert Counter(uids).most_common(1)[0][1] == 1


def test_they_are_small(dataset):
    for block in dataset.blocks:
        observation = block.observation
        assert len(observation.antennas) == len(observation.pads) <= 12
        assert all(spw.channels <= 64 for spw in observation.spws)


def test_among_those_to_be_imaged_are_a_mosaic_two_blocks_and_two_terms():
    first = [dataset for dataset in datasets() if dataset.letter in "abc"]
    assert max(len(dataset.blocks) for dataset in first) == 2
    assert max(len(dataset.blocks[0].observation.targets) for dataset in first) == 3
    wide = {dataset.letter: _fraction(dataset.blocks[0].observation) > 0.1 for dataset in first}
    assert wide == {"a": False, "b": True, "c": False}


def _fraction(observation: Observation) -> float:
    low = min(spw.edges_hz[0] for spw in observation.spws)
    high = max(spw.edges_hz[1] for spw in observation.spws)
    return 2 * (high - low) / (high + low)


def test_every_line_lies_well_inside_one_window(dataset):
    observation = dataset.blocks[0].observation
    for component in observation.targets[0].components:
        if component.line is None:
            continue
        reach = 2 * component.line.fwhm_hz
        inside = [
            spw
            for spw in observation.spws
            if spw.edges_hz[0] + reach < component.line.centre_hz < spw.edges_hz[1] - reach
        ]
        assert len(inside) == 1


def test_every_scan_names_a_field_and_targets_lie_between_phase_scans(dataset):
    for block in dataset.blocks:
        roles = [block.observation.fields[field].role for field, _ in block.observation.sequence]
        assert roles[0] == "bandpass"
        assert roles[1] == roles[-1] == "phase"


def test_an_observation_survives_as_the_plan_of_the_job(dataset):
    observation = dataset.blocks[0].observation
    assert document.load(Observation, document.dump(observation)) == observation


def test_only_a_cycle_0_delivery_is_dated(dataset):
    assert bool(dataset.delivered_on) == (dataset.shell is Shell.CYCLE0)


def test_an_offset_is_on_the_sky_not_in_coordinates():
    ra, dec = offset((1.0, math.radians(60)), 10.0, -4.0)
    assert (ra - 1.0) * math.degrees(1) * 3600 == pytest.approx(20.0)
    assert (dec - math.radians(60)) * math.degrees(1) * 3600 == pytest.approx(-4.0)
