"""The plan of the ALMA pipeline, from its lists, and the reasons of what is absent."""

from __future__ import annotations

from dataclasses import replace

from reimage.imaging import pipeline_findings, pipeline_outcome, pipeline_plan
from reimage.imaging.pipeline_steps import ExportedFile, ListedImage, Message, PipelineStep
from reimage.model import ProductState

MOUS = "uid://A001/X1/X2"
OUS = "uid___A001_X1_X2"


def listed(spw, specmode="mfs", data=".regcal", **other):
    which = spw.replace(",", "_")
    name = f"{OUS}.sSTAGENUMBER.N_1_sci.spw{which}.{specmode}{data}"
    return ListedImage(
        **{"name": name, "target": "N 1", "spw": spw, "specmode": specmode, "nterms": 1, **other}
    )


def lists(step, *images, specmode="mfs", **arguments):
    return PipelineStep(
        step=step,
        task="hif_makeimlist",
        arguments={"specmode": specmode, **arguments},
        state="done",
        images=images,
    )


def makes(step, *images, state="done", **other):
    return PipelineStep(step=step, task="hif_makeimages", state=state, images=images, **other)


def ids(steps):
    findings = pipeline_findings.find(steps)
    return [one.image.id for one in pipeline_plan.expect(steps, findings, MOUS)]


def reasons(steps, files=None):
    findings = pipeline_findings.find(steps)
    expected = pipeline_plan.expect(steps, findings, MOUS)
    rows = pipeline_outcome.products(expected, steps, findings, files or {}, "image/products")
    return {row.image: row.reason for row in rows if row.state is ProductState.ABSENT}


def test_names_of_all_years_lose_the_stage():
    for data in ("", ".regcal", ".selfcal"):
        image = listed("0", data=data)
        old = replace(image, name=image.name.replace("sSTAGENUMBER", "s12_3"))
        steps = [lists("l", old), makes("m")]
        (one,) = pipeline_plan.expect(steps, (), MOUS)
        assert one.image.basename == f"{OUS}.N_1_sci.spw0.mfs{data}.I"


def test_what_a_list_names_and_no_list_has_is_a_caveat():
    """What CASA's syntax says by ids, patterns or ranges is the pipeline's own business."""

    def said(**arguments):
        steps = [lists("l", listed("0"), **arguments), makes("m")]
        return pipeline_plan.caveats(steps, ())

    assert said(field="N 1,M 2", spw="0,5") == (
        "selection-not-found:field=M 2",
        "selection-not-found:spw=5",
    )
    assert said(field="N 1", spw="0") == said(field="N*,3", spw="0~3") == said() == ()
    skipped = replace(lists("l", field="M 2"), state="skipped")
    assert (
        pipeline_plan.caveats([lists("k", listed("0")), makes("m"), skipped, makes("n")], ()) == ()
    )


def test_a_flagged_spw_that_is_named_was_there():
    flagged = Message(
        level="WARNING", text="Data for EB a.ms, field N 1, spw 1 is completely flagged."
    )
    one = replace(lists("l", listed("0"), spw="0,1"), messages=(flagged,))
    steps = [one, makes("m")]
    assert pipeline_plan.caveats(steps, pipeline_findings.find(steps)) == ()


def test_self_calibrated_images_are_images_of_their_own():
    again = lists("l2", listed("0", data=".selfcal"), datatype="selfcal")
    steps = [lists("l", listed("0")), makes("m"), again, makes("m2")]
    assert ids(steps) == ["N 1.spw0.mfs", "N 1.spw0.mfs.selfcal"]


def test_empty_lists_of_self_calibrated_data_lack_nothing():
    steps = [lists("l", listed("0")), makes("m"), lists("l2", datatype="selfcal"), makes("m2")]
    assert ids(steps) == ["N 1.spw0.mfs"]


def test_a_narrow_representative_window_lacks_nothing():
    steps = [lists("l", listed("0")), makes("m"), lists("r", specmode="repBW"), makes("m2")]
    assert ids(steps) == ["N 1.spw0.mfs"]


def test_lists_that_were_never_made_are_planned_as_the_others():
    broken = PipelineStep(step="u", task="hif_uvcontsub", state="failed", reason="OSError: x")
    steps = [
        lists("l", listed("0"), listed("2")),
        broken,
        makes("m", state="skipped"),
        replace(lists("c", specmode="cont"), state="skipped"),
        makes("m2", state="skipped"),
    ]
    assert ids(steps) == ["N 1.spw0.mfs", "N 1.spw2.mfs", "N 1.spw0_2.cont"]
    assert set(reasons(steps).values()) == {"pipeline-failed: hif_uvcontsub (u): OSError: x"}


def test_a_list_that_was_asked_for_less_lacks_nothing():
    steps = [
        lists("l", listed("0"), listed("1")),
        makes("m"),
        lists("c", listed("1", "cube"), specmode="cube", spw="1"),
        makes("m2"),
    ]
    assert ids(steps) == ["N 1.spw0.mfs", "N 1.spw1.mfs", "N 1.spw1.cube"]


def test_taylor_terms_are_those_of_the_image_that_was_made():
    one = listed("0,1", "cont")
    steps = [lists("l", one, specmode="cont"), makes("m", replace(one, nterms=2, made="x"))]
    (expected,) = pipeline_plan.expect(steps, (), MOUS)
    assert set(expected.image.files) == {"tt0.pbcor", "tt1.pbcor", "alpha", "alpha.error", "pb.tt0"}


def test_a_list_whose_images_nobody_makes_plans_nothing():
    steps = [lists("l", listed("0")), lists("l2", listed("0", "cube"), specmode="cube"), makes("m")]
    assert ids(steps) == ["N 1.spw0.cube"]


def test_the_cause_wins_over_the_symptom():
    flagged = "Data for EB u.ms, field N 1, spw 0 is completely flagged."
    said = (Message(level="SEVERE", text="selectinit failed for datadescid 0"),)
    steps = [
        replace(lists("l", listed("0")), messages=(Message(level="WARN", text=flagged),)),
        makes("m", replace(listed("0"), error="tclean failed to produce an image"), messages=said),
    ]
    assert reasons(steps) == {"N 1.spw0.mfs": f"spw-flagged: {flagged}"}


def test_what_the_pipeline_keeps_to_itself_is_said_too():
    steps = [lists("l", listed("0")), makes("m", listed("0"))]
    assert reasons(steps)["N 1.spw0.mfs"].startswith("pipeline-silent: ")
    steps = [lists("l", listed("0")), makes("m", replace(listed("0"), made="x"))]
    assert reasons(steps)["N 1.spw0.mfs"].startswith("not-exported: ")


def test_an_unsound_image_is_absent_with_all_its_files():
    base = f"{OUS}.N_1_sci.spw0.mfs.regcal.I"
    files = {
        f"{base}.pbcor.fits": ExportedFile(bytes=9, wrong="NotAnImage: blank"),
        f"{base}.pb.fits": ExportedFile(bytes=9),
        f"{base}.mask.fits": ExportedFile(bytes=9),
    }
    steps = [lists("l", listed("0")), makes("m", replace(listed("0"), made="x"))]
    assert reasons(steps, files) == {"N 1.spw0.mfs": "NotAnImage: blank"}


def test_mitigated_images_say_how_and_dropped_ones_why():
    limits = PipelineStep(
        step="s",
        task="hif_checkproductsize",
        state="done",
        mitigation={"nbins": "0:2,1:1", "hm_imsize": "0.3pb", "spw": "0", "status": "OK"},
    )
    steps = [
        limits,
        lists("l", listed("0"), listed("1")),
        makes("m"),
        lists("c", listed("0", "cube"), specmode="cube"),
        makes("m2"),
    ]
    expected = {one.image.id: one for one in pipeline_plan.expect(steps, (), MOUS)}
    assert expected["N 1.spw0.mfs"].image.mitigation == "image size 0.3pb"
    assert expected["N 1.spw0.cube"].image.mitigation == "2 channels in one, image size 0.3pb"
    assert expected["N 1.spw1.cube"].listed is None
    assert reasons(steps)["N 1.spw1.cube"] == "mitigated-away: spw=0"
    base = expected["N 1.spw0.cube"].image.basename
    files = {f"{base}.{kind}.fits": ExportedFile(bytes=9) for kind in ("pbcor", "pb")}
    rows = pipeline_outcome.products([expected["N 1.spw0.cube"]], steps, (), files, "p")
    assert {row.state for row in rows} == {ProductState.MITIGATED}
    assert {row.reason for row in rows} == {"2 channels in one, image size 0.3pb"}
