"""Failures that a real CASA makes, from its process to the judgement."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reimage.casa import process
from reimage.errors import ReimageError
from reimage.model import Result, Stage
from reimage.run import Fault, Limits, Outcome
from reimage.triage.catalogue import load_classes
from reimage.triage.evidence import collect
from reimage.triage.judge import judge

HEAD = b"\xbe\xbe\xbe\xbe\x00\x00)k\x00\x00\x00\x05Table\x00\x00\x00\x02\x00\x00\x03"
"""How a casacore table begins; shorter, CASA says that there is none."""

pytestmark = pytest.mark.casa


def judged(build, run_dir, ms, limits):
    """Have CASA inspect a measurement set that is no good; judge what comes of it."""
    with pytest.raises(ReimageError) as caught:
        process.run_job(
            build,
            "inspect_ms",
            {"ms": [str(ms)]},
            directory=run_dir / "restore" / "inspect",
            limits=limits,
            emit=lambda *_, **__: None,
        )
    error = caught.value
    fault = Fault(
        code=error.code,
        message=error.message,
        hint=error.hint,
        evidence=error.evidence,
        stage=Stage.RESTORE,
    )
    outcome = Outcome(
        run="r1",
        attempt=1,
        stage=Stage.RESTORE,
        finished=False,
        fault=fault,
        ended_at=datetime.now(UTC),
    )
    return judge(outcome, None, collect(run_dir, 1, outcome, None), load_classes())


@pytest.fixture
def limits():
    return Limits(memory_mb=4000, wall_s=120, silence_s=60)


def test_a_measurement_set_that_is_not_there(casa, tmp_path, limits):
    judgement = judged(casa, tmp_path, tmp_path / "gone.ms", limits)
    assert (judgement.result, judgement.error_class) == (Result.FAILED, "input-missing")


def test_a_measurement_set_that_is_cut_off(casa, tmp_path, limits):
    ms = tmp_path / "cut.ms"
    ms.mkdir()
    (ms / "table.dat").write_bytes(HEAD)
    judgement = judged(casa, tmp_path, ms, limits)
    assert judgement.error_class == "corrupt-table"
    assert judgement.signature
    assert judgement.signature.startswith("sv1:")


def test_a_process_that_takes_too_long(casa, tmp_path):
    limits = Limits(memory_mb=4000, wall_s=0.3, silence_s=60)
    assert judged(casa, tmp_path, tmp_path / "x.ms", limits).error_class == "wall-time"
