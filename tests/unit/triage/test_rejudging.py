"""What was judged once is judged the same from what was kept of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reimage import SCHEMA_VERSION, document
from reimage.errors import DocumentUnreadable
from reimage.model import Product, ProductState, Result, Stage
from reimage.run import Exit, Fault, Outcome
from reimage.triage import rejudging
from reimage.triage.catalogue import load_classes
from reimage.triage.clues import scan
from reimage.triage.evidence import Absence, Evidence
from reimage.triage.judge import judge
from reimage.triage.rejudging import Stored, Unjudged

CLASSES = load_classes()
NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
LINES = (
    "terminate called after throwing an instance of 'std::bad_alloc'",
    "2026-11-20 06:13:54\tSEVERE\ttclean::::\tsomething that nobody knows, uid___A002_X1_X2.ms",
    "RuntimeError: Table nocal.tbl does not exist.",
)


def an_exit(why="exit", code=0, signal=None, oom=0):
    return Exit(
        attempt=1,
        host="here",
        boot_id="b",
        pid=1,
        started_at=NOW,
        ended_at=NOW,
        exit_code=code,
        signal=signal,
        why=why,
        wall_s=1.0,
        cpu_s=1.0,
        peak_tree_mb=10,
        peak_process_mb=10,
        oom_kills=oom,
    )


EXITS = (
    None,
    an_exit(),
    an_exit(code=1),
    an_exit("signal", None, "SIGKILL"),
    an_exit("signal", None, "SIGKILL", oom=1),
    an_exit("signal", None, "SIGSEGV"),
    an_exit("memory", None, "SIGKILL"),
    an_exit("wall", None, "SIGTERM"),
)
FAULTS = (
    None,
    Fault(code="casa-failed", message="it failed", hint="", evidence={}, stage=Stage.IMAGE),
    Fault(
        code="casa-timeout",
        message="too long",
        hint="",
        evidence={"signal": "SIGKILL", "directory": "image/job"},
        stage=Stage.RESTORE,
    ),
    Fault(
        code="images-absent",
        message="none",
        hint="",
        evidence={"reasons": {"a": "memory-predicted: needs 12800 MB of 7850"}},
        stage=Stage.IMAGE,
    ),
    Fault(code="cancelled", message="by request", hint="", evidence={}, stage=Stage.FETCH),
    Fault(code="internal", message="a bug", hint="", evidence={}, stage=None, traceback="x"),
)
STATES = st.lists(st.sampled_from(list(ProductState)), max_size=4)


def products(states):
    return tuple(
        Product(
            name=str(n),
            kind="pbcor",
            image=str(n),
            target="t",
            spws="0",
            specmode="mfs",
            state=state,
            reason="no unflagged data of spw 3",
        )
        for n, state in enumerate(states)
    )


@st.composite
def endings(draw):
    """Draw an outcome, an exit and the evidence that would have been collected of them."""
    exit_ = draw(st.sampled_from(EXITS))
    fault = draw(st.sampled_from(FAULTS))
    stage = fault.stage if fault else draw(st.sampled_from([None, *Stage]))
    made = products(draw(STATES)) if fault is None else ()
    outcome = Outcome(
        run="r",
        attempt=1,
        stage=stage,
        finished=fault is None,
        refused=fault is not None and draw(st.booleans()),
        fault=fault,
        caveats=draw(st.sampled_from([(), ("restored-partially:uid___A002_X1_X1",)])),
        products=made,
        ended_at=NOW,
    )
    if draw(st.booleans()):
        outcome = None
    elif fault is None:
        exit_ = an_exit()  # who came to his end has left well
    planned = outcome.products if outcome else ()
    missing = [p for p in planned if p.state in (ProductState.ABSENT, ProductState.PLANNED)]
    lines = draw(st.lists(st.sampled_from(LINES), max_size=3))
    evidence = Evidence(
        run="r",
        attempt=1,
        stage=stage if outcome else None,
        fault=outcome.fault if outcome else None,
        exit=exit_,
        clues=scan(lines, "image/job/casa.log", stage),
        absent=tuple(Absence(name=p.name, image=p.image, reason=p.reason) for p in missing),
        n_planned=len(planned),
        n_made=len(planned) - len(missing),
    )
    return outcome, exit_, evidence, draw(st.booleans())


@settings(deadline=None, max_examples=600)
@given(endings())
def test_the_same_judgement_from_what_was_kept(ending):
    outcome, exit_, evidence, cancelled = ending
    if outcome is None and exit_ is not None and (exit_.why, exit_.exit_code) == ("exit", 0):
        return  # a runner that leaves well without a word: told apart by its outcome alone
    first = judge(outcome, exit_, evidence, CLASSES, cancelled=cancelled)
    if first.result is Result.IMAGED:
        return
    kept = document.load(Evidence, json.loads(json.dumps(document.dump(evidence))))
    again = rejudging.rejudge(kept, first.result, first.caveats, CLASSES)
    assert again.kept() == first.kept()


def test_evidence_that_cannot_be_read_is_told_and_the_rest_is_judged(tmp_path):
    good = tmp_path / "good.json"
    document.write(good, Evidence(run="r", attempt=1, exit=EXITS[6]))
    torn = tmp_path / "torn.json"
    torn.write_bytes(good.read_bytes()[:100])
    other = tmp_path / "other.json"
    other.write_text("[1, 2]")
    paths = [tmp_path / "absent.json", torn, other, good]
    found = rejudging.of_files([Stored(path=path) for path in paths], CLASSES)
    assert [isinstance(one, Unjudged) for one in found] == [True, True, True, False]
    assert all(str(tmp_path) in one.reason for one in found[:3])
    assert found[3].error_class == "memory"


def test_evidence_of_a_newer_reimage_is_refused_by_name(tmp_path):
    path = tmp_path / "attempt-1.json"
    document.write(path, Evidence(run="r", attempt=1, schema=SCHEMA_VERSION + 1))
    with pytest.raises(DocumentUnreadable, match="newer reimage"):
        rejudging.read(path)
