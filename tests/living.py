"""Runs moved through their lives by the store's own moves, as ingestion does it, without a runner."""

from __future__ import annotations

from making import WHEN, make_run

from reimage.model import Product, ProductState, Result, Stage
from reimage.run import Exit, Judgement
from reimage.store import datasets, failures, judgements, moves, products, stage_records
from reimage.store.failures import NewFailure
from reimage.store.judgements import NewJudgement
from reimage.store.moves import Ending
from reimage.store.run_tables import StageState
from reimage.store.stage_records import Change

KEYS = [f"uid://A001/X1/X{n}" for n in range(1, 4)]
CLASSES = ("memory", "disk-full", "unclassified")
SIGNATURES = (None, "sv1:aa", "sv1:bb")
RESULTS = (Result.IMAGED, Result.FAILED, Result.PARTIAL, Result.REFUSED, Result.CANCELLED)


def facts_of(key):
    number = KEYS.index(key)
    return {"mous": key, "bands": [[6], [3, 7], []][number], "cycle": [4, 4, None][number]}


def add(session, name, key, recipe="test", **fields):
    run = make_run("archive", run=name, dataset=key, recipe={"id": recipe, "stages": []}, **fields)
    dataset_id = datasets.ensure(session, "alma", key, facts_of(key), WHEN)
    return moves.insert_run(session, run, dataset_id=dataset_id, directory=f"runs/{name}")


def ended(attempt, at, *, cpu_s=10.0, host="node1"):
    return Exit(
        attempt=attempt,
        host=host,
        boot_id="b",
        pid=1,
        started_at=at,
        ended_at=at,
        exit_code=0,
        signal=None,
        why="exit",
        wall_s=2.0,
        cpu_s=cpu_s,
        peak_tree_mb=1,
        peak_process_mb=1,
    )


def fail(session, run_id, attempt, at, *, result, judged, final):
    failures.add(
        session,
        NewFailure(
            run_id=run_id,
            attempt=attempt,
            stage=Stage.IMAGE,
            judgement=Judgement(
                result=result,
                error_class=judged[0],
                signature=judged[1],
                rule="structure@1",
                decisive="a line",
            ),
            code=None,
            message=None,
            failed_at=at,
            final=final,
            build="casa-6.7" if final else None,
        ),
    )


def end(session, run_id, attempt, at, *, result, judged=("memory", None), host="node1"):
    """End a run as ingestion does: attempt, stages, failure, products, the run itself."""
    moves.end_attempt(session, run_id, attempt, ended(attempt, at, host=host))
    is_bad = result is not Result.IMAGED
    state = StageState.FAILED if is_bad else StageState.PROVEN
    told = (StageState.BEGUN, state)
    stage_records.follow(session, run_id, attempt, [Change(Stage.IMAGE, one, at) for one in told])
    if is_bad:
        fail(session, run_id, attempt, at, result=result, judged=judged, final=True)
    made = ProductState.ABSENT if is_bad else ProductState.MADE
    products.replace(
        session,
        run_id,
        [
            Product(name=f"{n}.fits", kind="pbcor", image=n, target="t", spws="0", specmode="mfs",
                    state=made, reason=None, n_bytes=2880, numbers={})
            for n in "ab"
        ],
    )  # fmt: skip
    ending = Ending(
        result=result,
        error_class=judged[0] if is_bad else None,
        signature=judged[1] if is_bad else None,
        decisive=None,
        caveats=(),
        build="casa-6.7",
        stage=Stage.IMAGE,
        products_planned=2,
        products_made=0 if is_bad else 2,
        ended_at=at,
    )
    return moves.finish(session, run_id, ending, 2.0)


def walk(session, name, key, result, judged=("memory", None), *, at=WHEN, **fields):
    run_id = add(session, name, key, **fields)
    assert moves.submit(session, run_id, 1, "local", at)
    assert end(session, run_id, 1, at, result=result, judged=judged)
    return run_id


def rejudge(session, run, attempt, judged):
    new = NewJudgement(
        run=run,
        attempt=attempt,
        error_class=judged[0],
        signature=judged[1],
        decisive=None,
        symptoms=(),
        author="somebody",
        reason="looked at it",
        judged_at=WHEN,
    )
    return judgements.add(session, [new])
