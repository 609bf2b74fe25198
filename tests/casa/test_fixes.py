"""Fixes of measurement sets by real CASA: the facts tell the illness, the cure works, twice is once."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest
from making import EB
from making_fixes import MANUAL_SCRIPT, PIPE_SCRIPT, deliver, load, nothing, patched

from reimage import document
from reimage.casa import process
from reimage.demo.datasets import datasets
from reimage.run import Limits

pytestmark = [pytest.mark.casa, pytest.mark.slow, pytest.mark.xdist_group("fixes")]
LIMITS = Limits(memory_mb=3000, wall_s=300, silence_s=120)
CHECKS = str(Path(__file__).with_name("fix_checks"))
MOSAIC = next(one for one in datasets() if one.letter == "c")


def small_plan():
    """Take of the demonstration's mosaic one spw, five antennas and short scans."""
    plan = document.dump(MOSAIC.blocks[0].observation)
    plan["pads"], plan["antennas"] = plan["pads"][:5], plan["antennas"][:5]
    plan["spws"] = [{**plan["spws"][0], "channels": 8}]
    plan["sequence"] = [[field, 2] for field in range(len(plan["fields"]))]
    plan["fields"][0]["intents"] += ",CALIBRATE_ATMOSPHERE#ON_SOURCE"
    return plan


def _silent(event, **data):
    pass


@pytest.fixture(scope="module")
def call(casa, tmp_path_factory):
    def run(job, **inputs):
        directory = tmp_path_factory.mktemp("job") / Path(job).name
        return process.run_job(casa, job, inputs, directory=directory, limits=LIMITS, emit=_silent)

    return run


@pytest.fixture(scope="module")
def observed(call, tmp_path_factory):
    """Give the well MS, and what is seen in it."""
    ms = tmp_path_factory.mktemp("observed") / f"{EB}.ms"
    return ms, call(CHECKS, do="make", plan=small_plan(), ms=str(ms))


@pytest.fixture
def ms(observed, tmp_path):
    copy = tmp_path / observed[0].name
    shutil.copytree(observed[0], copy)
    return str(copy)


def mend(call, one, delivery, ms):
    """Carry out a fix as a run does; demand that it is not needed any more."""
    facts = call("inspect_ms", ms=[ms])
    assert one.applies(delivery, facts) is not None
    changed = call("fix_ms", operations=document.dump(list(one.apply(delivery, facts))))
    assert one.applies(delivery, call("inspect_ms", ms=[ms])) is None
    return changed


def worst_uvw_m(found, true):
    return max(
        abs(a - b)
        for one, other in zip(found["uvw"], true["uvw"], strict=True)
        for a, b in zip(one, other, strict=True)
    )


def require_well(found, true):
    assert worst_uvw_m(found, true) < 0.05
    for (ra, dec), (true_ra, true_dec) in zip(found["directions"], true["directions"], strict=True):
        assert ra == pytest.approx(true_ra, abs=1e-6)
        assert dec == pytest.approx(true_dec, abs=1e-6)


TARGETS = [k for k, field in enumerate(small_plan()["fields"]) if field["role"] == "target"]


def test_a_well_ms_needs_nothing(call, observed):
    facts = call("inspect_ms", ms=[str(observed[0])])
    (fact,) = facts.values()
    assert fact["history"] == []
    assert (fact["dish_m"], len(fact["antennas"])) == (12.0, 5)
    for name in (
        *("field_coordinates_zero", "pointing_table_mosaic", "source_ids_inconsistent"),
        "field_directions_displaced",
        *(
            "syscal_times",
            "syscal_scans",
            "source_rows_lost",
            "flag_row_damaged",
            "weights_before_43",
            "mosaic_primary_beam",
        ),
    ):
        assert load(name).applies(nothing(), facts) is None, name


def test_fields_at_zero_get_what_was_observed(call, ms, observed):
    call(CHECKS, do="forget_directions", ms=ms, fields=TARGETS)
    assert worst_uvw_m(call(CHECKS, do="look", ms=ms), observed[1]) > 1
    changed = mend(call, load("field_coordinates_zero"), nothing(), ms)
    assert len(changed) == len(TARGETS)
    require_well(call(CHECKS, do="look", ms=ms), observed[1])


def test_the_pipelines_fixplanets_is_run_once(call, ms, observed, tmp_path):
    call(CHECKS, do="forget_directions", ms=ms, fields=TARGETS)
    name = MOSAIC.target
    text = f"    fixplanets(vis='{EB}.ms', field='{name}', fixuvw=True)# SACM/JAO - Fixes\n"
    delivery = deliver(tmp_path / "delivery", {PIPE_SCRIPT: text})
    (change,) = mend(call, load("planets_not_fixed"), delivery, ms)
    assert change["before"] == [[0.0, 0.0]] * len(TARGETS)
    require_well(call(CHECKS, do="look", ms=ms), observed[1])
    assert load("field_coordinates_zero").applies(nothing(), call("inspect_ms", ms=[ms])) is None


def in_cycle_3(facts):
    """Say that it was observed when directions were written wrongly."""
    return {ms: {**fact, "observing_start_mjd": 57300.0} for ms, fact in facts.items()}


def test_displaced_fields_get_what_was_pointed_at(call, ms, observed):
    """FIELD and uvw of an import with wrong directions: POINTING tells, where the calibrators agree."""
    fix = load("field_directions_displaced")
    assert fix.applies(nothing(), in_cycle_3(call("inspect_ms", ms=[ms]))) is None
    wrong = [
        {"field": k, "ra_rad": ra, "dec_rad": dec + math.radians(300 / 3600)}
        for k, (ra, dec) in enumerate(observed[1]["directions"])
        if k in TARGETS
    ]
    ills = [{"ms": ms, "kind": "set_field_direction", "arguments": one} for one in wrong]
    call("fix_ms", operations=ills)
    assert worst_uvw_m(call(CHECKS, do="look", ms=ms), observed[1]) > 0.1
    facts = in_cycle_3(call("inspect_ms", ms=[ms]))
    assert f"field {TARGETS[-1]} by 300.0 arcsec" in fix.applies(nothing(), facts)
    changed = call("fix_ms", operations=document.dump(list(fix.apply(nothing(), facts))))
    assert len(changed) == len(TARGETS)
    require_well(call(CHECKS, do="look", ms=ms), observed[1])
    assert fix.applies(nothing(), in_cycle_3(call("inspect_ms", ms=[ms]))) is None


def test_a_mosaics_pointing_table_is_emptied_for_an_old_casa(call, ms, observed):
    fix = load("pointing_table_mosaic")
    assert observed[1]["pointing_rows"] > 0
    facts = call("inspect_ms", ms=[ms])
    facts[ms]["imaging_casa"] = "4.2.2"
    call("fix_ms", operations=document.dump(list(fix.apply(nothing(), facts))))
    assert call(CHECKS, do="look", ms=ms)["pointing_rows"] == 0
    after = call("inspect_ms", ms=[ms])
    after[ms]["imaging_casa"] = "4.2.2"
    assert fix.applies(nothing(), after) is None


def test_contradictions_wrong_times_and_old_weights_are_seen(call, ms):
    call(CHECKS, do="contradict", ms=ms)
    call(CHECKS, do="measure_atmosphere", ms=ms, late_s=3600.0)
    call(CHECKS, do="remember", ms=ms, task="applycal", version="4.2.1")
    facts = call("inspect_ms", ms=[ms])
    assert facts[ms]["history"] == [["applycal", "4.2.1"]]
    assert facts[ms]["syscal"] == {"rows": 1, "rows_outside": 1, "scans_without": [1], "torn": 0}
    for name in ("source_rows_lost", "syscal_scans", "weights_before_43"):
        assert load(name).applies(nothing(), facts), name


def test_right_times_are_not_reported(call, ms):
    call(CHECKS, do="measure_atmosphere", ms=ms, late_s=0.0)
    facts = call("inspect_ms", ms=[ms])
    assert facts[ms]["syscal"]["rows_outside"] == 0
    assert load("syscal_scans").applies(nothing(), facts) is None
    assert load("syscal_times").applies(nothing(), facts) is None


LENGTHS = (2.0, 4.0, 30.0)


def test_antennas_of_a_tsys_measurement_get_one_time(call, ms):
    call(CHECKS, do="measure_atmosphere", ms=ms, late_s=0.0, lengths_s=LENGTHS)
    ill = call(CHECKS, do="syscal", ms=ms)
    assert len(set(ill["TIME"])) == 3
    (change,) = mend(call, load("syscal_times"), nothing(), ms)
    assert (change["before"], change["after"]) == (1, 0)
    well = call(CHECKS, do="syscal", ms=ms)
    began = ill["TIME"][0] - 1.0
    assert well == {"TIME": [pytest.approx(began + 1.0, abs=1e-3)] * 3, "INTERVAL": [2.0] * 3}


def test_a_script_s_own_fixsyscaltimes_works_without_the_recipes(call, ms, tmp_path):
    """Before the script reads the times: its import of the recipe is guarded by one that does the same."""
    call(CHECKS, do="measure_atmosphere", ms=ms, late_s=0.0, lengths_s=LENGTHS)
    text = "from recipes.almahelpers import fixsyscaltimes\nfixsyscaltimes(vis=ms)\n"
    patched_text = patched(
        load("recipes_almahelpers"), deliver(tmp_path / "d", {MANUAL_SCRIPT: text})
    )[MANUAL_SCRIPT]
    assert load("syscal_times").applies(nothing(), call("inspect_ms", ms=[ms]))
    call(CHECKS, do="run_script", text=patched_text, ms=ms)
    assert load("syscal_times").applies(nothing(), call("inspect_ms", ms=[ms])) is None
    assert len(set(call(CHECKS, do="syscal", ms=ms)["TIME"])) == 1


def test_fields_get_back_the_sources_of_their_names(call, ms):
    well = call(CHECKS, do="sources", ms=ms)
    one, other = (k for k in range(len(well)) if k not in TARGETS)
    call(CHECKS, do="confuse_sources", ms=ms, named=[[one, well[other]], [other, 99]])
    assert call(CHECKS, do="sources", ms=ms) != well
    assert load("source_rows_lost").applies(nothing(), call("inspect_ms", ms=[ms])) is None
    changes = mend(call, load("source_ids_inconsistent"), nothing(), ms)
    assert [change["after"] for change in changes] == [well[one], well[other]]
    assert call(CHECKS, do="sources", ms=ms) == well


@pytest.mark.parametrize(
    ("manager", "sound"), [("IncrementalStMan", True), ("StandardStMan", None)]
)
def test_only_an_incremental_flag_row_is_tested(call, tmp_path, manager, sound):
    path = str(tmp_path / "t.tab")
    assert call(CHECKS, do="test_flag_row", path=path, manager=manager) is sound
