"""The runner: one attempt at one run, in one directory.

It needs that directory and nothing else.  Killed at any instruction and started again, it goes on
from the last proven stage: a stage is done when its ``PROVEN.json`` exists and has the digest of the
stage's inputs.  It ends with ``outcome.json``, whatever happened.

    python -m reimage.runner RUN_DIRECTORY ATTEMPT
"""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from reimage import adoption, document, journal, log
from reimage.errors import NO_ROOM, DiskFull, Refusal, ReimageError
from reimage.model import Product, Stage
from reimage.run import Fault, Outcome, Run
from reimage.stages.context import PROVEN, StageContext

RESERVE_BYTES = 256 << 10
"""Kept free to be able to say that the disk is full."""
OUR_BUG = 3


class AttemptSuperseded(ReimageError):
    """Another attempt at this run has been started: this one must not write any more."""

    code = "attempt-superseded"
    hint = "Nothing to do: the later attempt goes on."


class _StageModule(Protocol):
    def run(self, context: StageContext) -> Any: ...  # noqa: ANN401 -- each stage has its own value


def main(arguments: list[str] | None = None) -> int:
    """Carry out one attempt; the exit code says only whether an outcome was written."""
    directory, attempt = (arguments or sys.argv[1:])[:2]
    log.configure(json=True, verbose=True)
    outcome = run_attempt(Path(directory).absolute(), int(attempt))
    return OUR_BUG if outcome.fault is not None and outcome.fault.code == "internal" else 0


def run_attempt(directory: Path, attempt: int, clock: journal.Clock = journal.now) -> Outcome:
    """Run every stage that is not proven yet and write the outcome.

    Raises
    ------
    AttemptSuperseded
        Before anything is written, or at the next proof.
    """
    run = document.read(Run, directory / "run.json")
    _require_current(directory, attempt)
    folder = directory / "attempts" / str(attempt)
    folder.mkdir(parents=True, exist_ok=True)
    reserve = folder / "reserve"
    with suppress(OSError):
        reserve.write_bytes(bytes(RESERVE_BYTES))
    with closing(journal.Journal(folder / "journal.jsonl", attempt, clock)) as events:
        context = StageContext(
            run=run,
            directory=directory,
            attempt=attempt,
            emit=events.emit,
            still_current=lambda: _require_current(directory, attempt),
        )
        progress = _Progress()
        fault = _carry_out(context, progress)
        reserve.unlink(missing_ok=True)
        outcome = progress.outcome(run, attempt, fault, clock())
        _require_current(directory, attempt)
        document.write(directory / "outcome.json", outcome)
        told = {"code": fault.code, "message": fault.message} if fault else {}
        events.emit("attempt.ended", finished=outcome.finished, refused=outcome.refused, **told)
    if fault is not None and not outcome.refused:
        log.logger(__name__).error("run.failed", run=run.run, **told)
    return outcome


class _Progress:
    """What an outcome says of the stages so far."""

    def __init__(self) -> None:
        self.stage: Stage | None = None
        self.caveats: list[str] = []
        self.products: tuple[Product, ...] = ()
        self.build: str | None = None
        self.refused = False

    def take(self, stage: Stage, value: dict[str, Any]) -> None:
        self.caveats += [c for c in value.get("caveats", ()) if c not in self.caveats]
        if "products" in value:
            self.products = document.load(tuple[Product, ...], value["products"])
        if stage is Stage.CHOOSE:
            self.build = value["choice"]["build"]

    def outcome(self, run: Run, attempt: int, fault: Fault | None, at: datetime) -> Outcome:
        return Outcome(
            run=run.run,
            attempt=attempt,
            stage=self.stage,
            finished=fault is None,
            refused=self.refused,
            fault=fault,
            caveats=tuple(self.caveats),
            products=self.products,
            build=self.build,
            ended_at=at,
        )


def _carry_out(context: StageContext, progress: _Progress) -> Fault | None:
    """Run the stages; return what stopped them, None when nothing did."""
    try:
        _run_stages(context, progress)
    except AttemptSuperseded:
        raise
    except ReimageError as error:
        progress.refused = isinstance(error, Refusal)
        return _fault(error, progress.stage)
    except Exception as error:  # noqa: BLE001 -- one of the two places: whatever it is, it is recorded
        return _unexpected(error, progress.stage)
    return None


def stages(run: Run) -> Iterator[Stage]:
    """Yield the stages of a run's recipe, up to the one it is to stop after."""
    for name in run.recipe["stages"]:
        yield Stage(name)
        if run.until is not None and Stage(name) is run.until:
            return


def _run_stages(context: StageContext, progress: _Progress) -> None:
    context.emit("attempt.started", run=context.run.run, dataset=context.run.dataset)
    digests: dict[Stage, str] = {}
    for stage in stages(context.run):
        progress.stage = stage
        digest = digests[stage] = adoption.input_digest(context, stage, digests)
        proven = context.work(stage) / PROVEN
        adoption.adopt(context, stage, digest)
        if not _is_proven(proven, digest):
            context.emit("stage.started", stage=stage.value)
            # imported when its turn comes: a run that is refused never pays for matplotlib
            module: _StageModule = importlib.import_module(f"reimage.stages.{stage.value}")
            value = document.dump(module.run(context))
            context.still_current()
            document.write(proven, {"stage": stage.value, "digest": digest, "value": value})
            context.emit("stage.proven", stage=stage.value, caveats=list(value.get("caveats", ())))
        else:
            context.emit("stage.kept", stage=stage.value)
        progress.take(stage, document.read_json(proven)["value"])


def _is_proven(path: Path, digest: str) -> bool:
    return path.exists() and document.read_json(path)["digest"] == digest


def _require_current(directory: Path, attempt: int) -> None:
    current = (directory / "ATTEMPT").read_text().strip()
    if current != str(attempt):
        raise AttemptSuperseded(f"attempt {attempt} was superseded by {current}")


def _fault(error: ReimageError, stage: Stage | None) -> Fault:
    return Fault(
        code=error.code,
        message=error.message,
        hint=error.hint,
        evidence=error.evidence,
        stage=stage,
    )


def _unexpected(error: Exception, stage: Stage | None) -> Fault:
    """Tell a full disk from a bug of ours."""
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return _fault(
            DiskFull(f"no room left: {error}", evidence={"path": str(error.filename)}), stage
        )
    return Fault(
        code="internal",
        message=f"{type(error).__name__}: {error}",
        hint="This is a bug of reimage: report it with the run's evidence.",
        evidence={},
        stage=stage,
        traceback="".join(traceback.format_exception(error)),
    )


if __name__ == "__main__":
    sys.exit(main())
