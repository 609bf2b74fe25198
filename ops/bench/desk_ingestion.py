"""How fast journals become rows, with everything that is kept right on the way: failures, products, sums.

Runs as a controller finds them that was away: each has its log, the journal of its attempt and its outcome on
disk, and a queued row.  Three of four were imaged, the fourth failed at its first stage.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from reimage import document, ingest
from reimage.ingest import LOG, Place
from reimage.model import CasaBuild, Product, ProductState, Result, Stage
from reimage.run import Exit, Fault, Judgement, Limits, Outcome, Run
from reimage.store import datasets, moves
from reimage.store.session import Database

BEGUN = datetime(2026, 11, 20, tzinfo=UTC)
BUILD = CasaBuild(id="casa-6.7", version="6.7.0", kind="modular")
PRODUCTS = 20
"""Of a run that was imaged: 20 million of a million runs."""
IMAGES = 8


def measure(database: Database, folder: Path, *, runs: int = 400) -> float:
    """Return how many events a second are ingested into a database; ``folder`` is for the journals."""
    places = list(_prepare(database, folder, runs))
    count = 0
    begun = time.perf_counter()
    for place in places:
        with database.write() as session:
            ingest.ingest_log(session, place)
    seconds = time.perf_counter() - begun
    for place in places:
        for path in (place.directory / LOG, ingest.journal_path(place.directory, 1)):
            count += path.read_bytes().count(b"\n")
    return count / seconds


def _prepare(database: Database, folder: Path, runs: int) -> Iterator[Place]:
    stamp = f"{time.time_ns():x}"
    for number in range(runs):
        run = Run(
            run=f"b{stamp}-{number}",
            holding="alma",
            dataset=f"uid://A001/Xbe/X{number:x}",
            facts={"mous": f"uid://A001/Xbe/X{number:x}", "bands": [3, 6], "cycle": number % 12},
            recipe={"id": f"bench-{stamp}"},
            recipe_digest="0",
            archive="archive",
            builds=(BUILD,),
            fixes=(),
            limits=Limits(memory_mb=4000, wall_s=600, silence_s=60),
            created_at=BEGUN,
            category=f"category-{number % 40}",
        )
        directory = folder / run.run
        (directory / "attempts" / "1").mkdir(parents=True)
        write_history(run, directory, fails=number % 4 == 3, number=number)
        with database.write() as session:
            row = datasets.ensure(session, "alma", run.dataset, run.facts, BEGUN)
            run_id = moves.insert_run(session, run, dataset_id=row, directory=str(directory))
        yield Place(run=run.run, run_id=run_id, directory=directory)


def write_history(run: Run, directory: Path, *, fails: bool, number: int) -> None:
    """Write what a run leaves on disk."""
    said = list(_events(fails=fails))
    journal = _lines(1, said)
    ingest.journal_path(directory, 1).write_bytes(journal)
    error_class = ("archive-file-damaged", "memory", "unclassified")[number % 3] if fails else None
    judged = Judgement(
        result=Result.FAILED if fails else Result.IMAGED,
        error_class=error_class,
        signature=f"sv1:{number % 50:08x}" if fails else None,
        rule="structure@1",
        decisive="ERROR: a line of a log that decides" if fails else None,
    )
    products = tuple(_products()) if not fails else ()
    fault = Fault(
        code="archive-file-damaged", message="a tar is cut", hint="", evidence={}, stage=Stage.FETCH
    )
    outcome = Outcome(
        run=run.run,
        attempt=1,
        stage=Stage.FETCH if fails else Stage.ASSESS,
        finished=not fails,
        fault=fault if fails else None,
        products=products,
        build=BUILD.id,
        ended_at=BEGUN,
    )
    document.write(directory / "outcome.json", outcome)
    facts = {
        "number": 1,
        "stage": outcome.stage,
        "exit": document.dump(_exit(number)),
        "judgement": document.dump(judged),
        "decision": {"kind": "end", "reason": "as it was judged"},
        "evidence": [],
        "code": fault.code if fails else None,
        "message": fault.message if fails else None,
        "journal_offset": len(journal),
    }
    log = [
        ("attempt.submitting", {"number": 1, "executor": "local"}),
        ("attempt.submitted", {"number": 1, "job": f"job-{number}"}),
        ("attempt.judged", facts),
    ]
    (directory / LOG).write_bytes(_lines(0, log))


def _events(*, fails: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "attempt.started", {"pid": 1}
    if fails:
        yield "stage.started", {"stage": "fetch"}
        yield "stage.failed", {"stage": "fetch", "code": "archive-file-damaged"}
        yield "attempt.ended", {"finished": False}
        return
    for stage in Stage:
        yield "stage.started", {"stage": stage.value}
        if stage is Stage.CHOOSE:
            yield "casa.chosen", {"build": BUILD.id, "because": ["README, line 1"]}
        if stage in {Stage.RESTORE, Stage.IMAGE}:
            yield "casa.started", {"build": BUILD.id, "pid": 2}
        for image in range(IMAGES if stage is Stage.IMAGE else 0):
            yield "image.made", {"image": f"NGC_1.spw{image}", "wall_s": 12.5}
        yield "stage.proven", {"stage": stage.value}
    yield "attempt.ended", {"finished": True}


def _lines(attempt: int, events: list[tuple[str, dict[str, Any]]]) -> bytes:
    lines = (
        {
            "v": 1,
            "attempt": attempt,
            "seq": seq,
            "at": (BEGUN + timedelta(seconds=10 * seq)).isoformat(),
            "event": event,
            **data,
        }
        for seq, (event, data) in enumerate(events, 1)
    )
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def _products() -> Iterator[Product]:
    for number in range(PRODUCTS):
        yield Product(
            name=f"NGC_1.spw{number}.cube.pbcor.fits",
            kind="pbcor",
            image=f"spw{number}",
            target="NGC_1",
            spws=str(number),
            specmode="cube",
            state=ProductState.MADE,
            reason=None,
            path=f"image/products/{number}.fits",
            n_bytes=2880 * number,
            sha256="0" * 64,
            numbers={"rms_jy_beam": 0.001},
        )


def _exit(number: int) -> Exit:
    return Exit(
        attempt=1,
        host=f"node{number % 30}",
        boot_id="b",
        pid=1,
        started_at=BEGUN,
        ended_at=BEGUN,
        exit_code=0,
        signal=None,
        why="exit",
        wall_s=300.0,
        cpu_s=280.0,
        peak_tree_mb=1000,
        peak_process_mb=900,
    )
