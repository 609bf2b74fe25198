"""Truth table: what a restore can leave, by era, and the one MS of each execution block to image."""

from __future__ import annotations

import pytest
from making import make_tree

from reimage.model import Calibration
from reimage.stages import identify
from reimage.stages.identify import View

A, B = "uid___A002_Xc0ffee_X1", "uid___A002_Xc0ffee_X12"
PIPELINE, MANUAL, DELIVERED = Calibration.PIPELINE, Calibration.MANUAL, Calibration.DELIVERED

TABLE = {
    "pipeline, split by scriptForPI": (
        PIPELINE,
        [f"{A}.ms.split.cal", f"working/{A}.ms"],
        (A,),
        {A: f"{A}.ms.split.cal"},
    ),
    "pipeline, linked by scriptForPI": (
        PIPELINE,
        [f"{A}.ms", f"working/{A}.ms"],
        (A,),
        {A: f"{A}.ms"},
    ),
    "pipeline, by its tables": (PIPELINE, [f"working/{A}.ms"], (A,), {A: f"working/{A}.ms"}),
    "pipeline, Cycle 4-8 with target.ms": (
        PIPELINE,
        [f"working/{A}.ms", f"working/{A}target.ms"],
        (A,),
        {A: f"working/{A}.ms"},
    ),
    "only target.ms is left (SPACESAVING)": (
        PIPELINE,
        [f"working/{A}_target.ms"],
        (A,),
        {A: f"working/{A}_target.ms"},
    ),
    "pipeline, Cycle 9+ with targets and lines": (
        PIPELINE,
        [f"{A}_targets.ms", f"{A}_targets_line.ms"],
        (A,),
        {A: f"{A}_targets.ms"},
    ),
    "lines alone are nothing": (PIPELINE, [f"{A}_targets_line.ms"], (A,), {}),
    "lines of the older name": (PIPELINE, [f"{A}s_line.ms", f"{A}.ms"], (A,), {A: f"{A}.ms"}),
    "a uvcontsub's output": (PIPELINE, [f"{A}.ms.contsub"], (A,), {}),
    "two EBs, two splits": (
        PIPELINE,
        [f"{A}.ms.split.cal", f"{B}.ms.split.cal"],
        (A, B),
        {A: f"{A}.ms.split.cal", B: f"{B}.ms.split.cal"},
    ),
    "two EBs, one of them absent": (PIPELINE, [f"{B}.ms"], (A, B), {B: f"{B}.ms"}),
    "one EB split, the other whole": (
        PIPELINE,
        [f"{A}.ms.split.cal", f"working/{A}.ms", f"working/{B}.ms"],
        (A, B),
        {A: f"{A}.ms.split.cal", B: f"working/{B}.ms"},
    ),
    "X1 does not own X12": (PIPELINE, [f"{B}.ms.split.cal"], (A,), {}),
    "an EB of another dataset": (
        PIPELINE,
        ["uid___A002_Xbad_X1.ms", f"{A}.ms"],
        (A,),
        {A: f"{A}.ms"},
    ),
    "manual, Cycle 1-4": (
        MANUAL,
        [f"{A}.ms.split.cal", f"{A}.calibration/{A}.ms", f"{A}.calibration/{A}.ms.split"],
        (A,),
        {A: f"{A}.ms.split.cal"},
    ),
    "manual, not moved up": (
        MANUAL,
        [f"{A}.calibration/{A}.ms.split.cal", f"{A}.calibration/{A}.ms"],
        (A,),
        {A: f"{A}.calibration/{A}.ms.split.cal"},
    ),
    "manual, stopped before the gains": (
        MANUAL,
        [f"{A}.calibration/{A}.ms", f"{A}.calibration/{A}.ms.split"],
        (A,),
        {},
    ),
    "manual, all in one beside the EBs": (
        MANUAL,
        [f"{A}.ms.split.cal", f"{B}.ms.split.cal", "calibrated.ms"],
        (A, B),
        {A: f"{A}.ms.split.cal", B: f"{B}.ms.split.cal"},
    ),
    "manual, only all in one (SPACESAVING 3)": (
        MANUAL,
        ["calibrated.ms"],
        (A, B),
        {"calibrated": "calibrated.ms"},
    ),
    "the final one of two in one": (
        MANUAL,
        ["calibrated.ms", "calibrated_final.ms"],
        (A, B),
        {"calibrated_final": "calibrated_final.ms"},
    ),
    "Cycle 0, one MS an EB": (
        DELIVERED,
        [f"{A}.ms.split.cal", f"{B}.ms.split.cal"],
        (A, B),
        {A: f"{A}.ms.split.cal", B: f"{B}.ms.split.cal"},
    ),
    "Cycle 0, without suffixes": (DELIVERED, [f"{A}.ms"], (A,), {A: f"{A}.ms"}),
    "Cycle 0, two views": (
        DELIVERED,
        [f"{A}.ms", f"{A}.ms.split.cal"],
        (A,),
        {A: f"{A}.ms.split.cal"},
    ),
    "Cycle 0, only all in one": (
        DELIVERED,
        ["calibrated.ms"],
        (),
        {"calibrated": "calibrated.ms"},
    ),
    "Cycle 0, by source": (
        DELIVERED,
        ["NGC_1.ms", "NGC_1.ms.contsub"],
        (),
        {"NGC_1": "NGC_1.ms"},
    ),
    "Cycle 0, EBs that only the names tell": (
        DELIVERED,
        [f"{A}.ms.split.cal", f"{A}.ms.split"],
        (),
        {A: f"{A}.ms.split.cal"},
    ),
    "a source's name is no EB of a pipeline": (PIPELINE, ["NGC_1.ms"], (A,), {}),
    "total power": (PIPELINE, [f"{A}.ms_bl"], (A,), {}),
    "upper and lower case": (PIPELINE, [f"{A.lower()}.ms"], (A,), {A: f"{A.lower()}.ms"}),
    "nothing at all": (PIPELINE, [], (A,), {}),
}


@pytest.mark.parametrize("case", TABLE)
def test_the_one_ms_of_each_execution_block(case):
    calibration, names, ebs, expected = TABLE[case]
    found = identify.identify(names, ebs, calibration)
    assert {one.eb: one.name for one in found.chosen} == expected
    together = any(one.view is View.TOGETHER for one in found.chosen)
    assert set(found.missing) == (set() if together else set(ebs) - set(expected))
    # every MS is either taken or passed over with a reason; none is forgotten, none is both
    passed = [name for name, _ in found.passed_over]
    assert sorted([*expected.values(), *passed]) == sorted(names)
    assert all(why for _, why in found.passed_over)
    assert all(one.because for one in found.chosen)


@pytest.mark.parametrize("case", TABLE)
def test_the_order_of_names_does_not_matter(case):
    calibration, names, ebs, _ = TABLE[case]
    assert identify.identify(names[::-1], ebs, calibration) == identify.identify(
        names, ebs, calibration
    )


def test_a_split_knows_what_it_was_made_of():
    names = [f"{A}.ms.split.cal", f"{A}.calibration/{A}.ms.split"]
    (one,) = identify.identify(names, (A,), MANUAL).chosen
    assert one.origin == f"{A}.calibration/{A}.ms.split"
    (one,) = identify.identify([f"{A}.ms.split.cal"], (A,), PIPELINE).chosen
    assert one.origin is None


def test_the_listing_finds_tables_alone(tmp_path):
    make_tree(
        tmp_path,
        {
            f"working/{A}.ms/table.dat": "",
            f"working/{A}.ms/FIELD/table.dat": "",
            f"working/{A}.ms.flagversions/table.dat": "",
            f"working/{A}.ms.tsyscal.tbl/table.dat": "",
            f"{A}.ms.listobs": "text",
            f"rawdata/{A}.ms/table.dat": "",
        },
    )
    (tmp_path / f"{A}.ms").symlink_to(f"working/{A}.ms")
    (tmp_path / "products").symlink_to(tmp_path)
    assert identify.listing(tmp_path) == (f"{A}.ms", f"working/{A}.ms")
    assert identify.listing(tmp_path / "absent") == ()
