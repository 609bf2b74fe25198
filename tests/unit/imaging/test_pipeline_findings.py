"""What the ALMA pipeline says without raising: found, placed, and not seen where nothing is wrong."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from reimage.casa import log
from reimage.imaging import pipeline_findings
from reimage.imaging.pipeline_steps import Message, PipelineStep, Score

CORPUS = Path(__file__).parents[2] / "corpus"
EXPECTED = tomllib.loads((CORPUS / "pipeline" / "findings.toml").read_text())


STDOUT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ([A-Z]+): (.*)")
"""As the pipeline prints it."""


def messages_of(lines):
    """Yield the messages of a log, of CASA or as the pipeline prints it, each once."""
    seen = set()
    for line in lines:
        parsed, printed = log.parse_line(line), STDOUT.match(line)
        if parsed is not None:
            level, text = parsed.severity, parsed.message.strip()
        elif printed:
            level, text = printed[1], printed[2].strip()
        else:
            level, text = "", line.strip()
        if text and text not in seen:
            seen.add(text)
            yield Message(level=level, text=text)


def found_in(text, task="hif_makeimages"):
    return list(pipeline_findings.of_messages(messages_of(text.splitlines()), "s", task))


@pytest.mark.parametrize("case", sorted(EXPECTED))
def test_logs_of_the_pipeline(case):
    path = CORPUS / "pipeline" / f"{case}.log"
    if not path.exists():
        path = CORPUS / f"pipeline-{case}.log"
    kinds = [one.kind for one in found_in(path.read_text())]
    assert list(dict.fromkeys(kinds)) == EXPECTED[case]


def test_every_log_has_its_expectation():
    logs = {path.stem for path in (CORPUS / "pipeline").glob("*.log")}
    assert logs <= set(EXPECTED)


@pytest.mark.parametrize(
    "text",
    [
        "Leap second table TAI_UTC seems out-of-date.",
        "QA execution failed with an exception: 'list' object has no attribute 'score'",
        "Could not find the ImageMagick 'convert' or macOS 'sips' command. Thumbnails will not be made",
        "J0423-0120 is not recognized by Perley-Butler 2010",
        "Error reading science goals from x.ms/ASDM_SBSUMMARY",
        "Undefined angular resolution limits for data set",
        "ComplexWarning: Casting complex values to real discards the imaginary part",
        "Final apply commands files Undefined are missing",
        "No intent matching '*CALIBRATE_PHASE*' exists in this dataset.",
    ],
)
def test_noise_is_never_a_finding(text):
    assert found_in(text) == []


@pytest.mark.parametrize(
    ("text", "kind", "target", "spws"),
    [
        (
            "Data for EB u.ms, field NGC 1614, spw 3 is completely flagged.",
            "spw-flagged",
            "NGC 1614",
            (3,),
        ),
        (
            'Cleaning failure for field "NGC 1614", intent TARGET, specmode cont, spw 0,1, iteration 0: x',
            "clean-failed",
            "NGC 1614",
            (0, 1),
        ),
        ("NGC_1614/TARGET/spw17 clean error: no data", "clean-failed", "NGC_1614", (17,)),
        (
            "No frequency intersect among selected MSs for Field M82 SPW 25",
            "no-common-frequency",
            "M82",
            (25,),
        ),
        (
            "tclean reached niter limit of 3000 for M82 / spw25",
            "iterations-exhausted",
            "M82",
            (25,),
        ),
        ("imsize of [0, 0] is degenerate.", "image-degenerate", None, ()),
        ("Caught mstransform exception: x", "caught-exception", None, ()),
        ("Falling back to raw data for imaging.", "raw-data", None, ()),
        (
            "Output MS x_targets.ms already exists - will not overwrite it.",
            "output-exists",
            None,
            (),
        ),
        ("'list' object has no attribute 'task_counter'", "list-empty", None, ()),
    ],
)
def test_a_line_means_something_at_a_place(text, kind, target, spws):
    (one,) = found_in(text)
    assert (one.kind, one.target, one.spws) == (kind, target, spws)


def test_continuum_is_unknown_only_to_those_who_need_it():
    text = "No continuum frequency selection for Target Field M82 SPW 25"
    assert found_in(text, "hif_findcont") == []
    assert [one.kind for one in found_in(text, "hif_uvcontsub")] == ["continuum-unknown"]


def test_causes_come_before_symptoms_and_each_once():
    said = (
        Message(level="ERROR", text="tclean failed to produce an image"),
        Message(level="WARN", text="Vis list ['a'] does not contain any MS with data for spw 3"),
        Message(level="WARN", text="Vis list ['a'] does not contain any MS with data for spw 3!"),
    )
    step = PipelineStep(step="m", task="hif_makeimages", state="done", messages=said)
    assert [one.kind for one in pipeline_findings.find([step])] == ["data-missing", "clean-failed"]


@pytest.mark.parametrize(
    ("score", "long", "kinds"),
    [
        (0.34, "Observed RMS. Field: M82 Intent: TARGET SPW: 25", ["qa-low"]),
        (0.9, "Observed RMS. Field: M82 Intent: TARGET SPW: 25", []),
        (-0.1, "Unable to calculate QA scores.", []),
        (0.0, "Caltables files Undefined are missing", []),
        (-0.1, "Exception scoring imaging result by RMS: x", ["qa-unknown"]),
    ],
)
def test_low_scores_are_findings(score, long, kinds):
    qa = (Score(score=score, short="s", long=long),)
    step = PipelineStep(step="m", task="hif_makeimages", state="done", qa=qa)
    found = pipeline_findings.find([step])
    assert [one.kind for one in found] == kinds
    if kinds == ["qa-low"]:
        assert (found[0].target, found[0].spws) == ("M82", (25,))
