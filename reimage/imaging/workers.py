"""The CASA processes of the *tasks* engine: they share the work, and are stood by while they do.

Each claims what it does in a directory that is new for every start (job ``image_make``).  Of a process that
died the claim says what it was doing: that image is given up, or forgiven once where the death came from
outside, and the others go on.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from reimage import document
from reimage.casa import process
from reimage.casa.place import Setting
from reimage.imaging import deaths, memory, records
from reimage.imaging.request import ImagingRequest
from reimage.model import PlannedImage

JOB = "image_make"
Planner = Callable[[Mapping[str, Any]], Sequence[PlannedImage]]


class Workers:
    """As many processes as the run's cores and memory allow.

    Parameters
    ----------
    inputs
        Of the job, without what this class adds: ``worker``, ``claims``, ``plan``.
    planner
        Makes the plan of the facts, once they are there.
    """

    def __init__(
        self, request: ImagingRequest, inputs: Mapping[str, Any], planner: Planner
    ) -> None:
        self._request, self._planner = request, planner
        self._claims = request.directory / "scratch" / f"claims-{secrets.token_hex(4)}"
        self._plan = self._claims.with_suffix(".json")
        self._prepared, self._digest = Path(inputs["prepared"]), inputs["digest"]
        self._inputs = {**inputs, "claims": str(self._claims), "plan": str(self._plan)}
        self._room_mb = memory.room_mb(request.limits.memory_mb)
        least_each = memory.PROCESS_MB * 2
        self._most = max(1, min(request.limits.cores, self._room_mb // least_each))
        self._alive: set[int] = set()
        self.planned: tuple[PlannedImage, ...] = ()

    def run(self) -> None:
        """Work until every image of the plan has a record.

        Raises
        ------
        CasaJobFailed, CasaSilent, CasaTimeout, CasaOutputFlood
            A process died where no single image is to blame, or the time is over.
        """
        for stale in self._claims.parent.glob("claims-*"):
            shutil.rmtree(stale) if stale.is_dir() else stale.unlink()
        self._claims.mkdir()
        self._make_plan()
        self._start(range(self._most))
        while any(not records.path_of(self._work, image).exists() for image in self.planned):
            self._start([0])  # the others ended; what they left is made by one

    @property
    def _work(self) -> Path:
        return self._request.directory

    def _start(self, workers: Sequence[int]) -> None:
        self._alive = set(workers)
        process.run_jobs(
            [self._call(worker) for worker in workers],
            at_once=len(workers),
            then=self._then,
            meanwhile=self._make_plan,
        )

    def _call(self, worker: int) -> process.Call:
        request = self._request
        setting = Setting(
            directory=self._work / f"make-{worker}",
            limits=request.limits,
            emit=request.emit,
            writable=request.root,
            casa_memory_mb=memory.share_mb(self._room_mb, self._most),
        )
        return process.call_of(request.build, JOB, {**self._inputs, "worker": worker}, setting)

    def _make_plan(self) -> None:
        """Write the plan when the facts are there, once."""
        if self.planned or not self._prepared.exists():
            return
        kept = document.read_json(self._prepared)
        if kept["digest"] != self._digest:
            return
        facts = kept["facts"]
        self.planned = tuple(self._planner(facts))
        needs = {image.id: memory.least_mb(image, facts) for image in self.planned}
        allowed = self._request.limits.memory_mb - memory.OURS_MB
        for image in self.planned:
            reason = image.dropped
            if reason is None and needs[image.id] > allowed:
                reason = f"memory-predicted: needs {needs[image.id]} MB of {allowed}"
            if reason is not None and not records.path_of(self._work, image).exists():
                self._give_up(image, reason)
        possible = [need for need in needs.values() if need <= allowed]
        images = [
            {
                **document.dump(image),
                "record": records.path_of(self._work, image).name,
                "cost": memory.cost(image, facts),
            }
            for image in self.planned
        ]
        count = memory.processes(self._most, possible, self._room_mb)
        document.write(self._plan, {"images": images, "workers": count})

    def _then(self, call: process.Call, answer: process.Answer) -> process.Call | None:
        """Say whether a process that ended is to be started again."""
        worker = int(call.inputs["worker"])
        if isinstance(answer, process.CasaJobFailed | process.CasaSilent):
            self._request.still_current()
            self._after_death(worker, answer)
            outside = deaths.is_from_outside(answer)
            if not (outside and self._alive - {worker}):
                return call
        elif not isinstance(answer, dict):
            raise answer
        self._alive.discard(worker)  # where memory was short there is more of it for the others
        return None

    def _after_death(self, worker: int, error: deaths.Death) -> None:
        """Make sure that the work gets further without what a process died of, or raise.

        A signal that only others send is forgiven once.  Else the image that was being made is given up.
        """
        claim = self._claim_of(worker)
        is_outside = deaths.is_from_outside(error)
        if deaths.is_fatal(error):
            raise error
        if claim is None:
            if is_outside and self._alive - {worker}:
                return  # it waited for the others, who go on
            raise error
        forgiven = records.path_of_kill(self._work, claim.name)
        if is_outside and not forgiven.exists():
            document.write(forgiven, {"what": claim.name, "message": error.message})
            self._request.emit("image.killed", what=claim.name, reason=error.message)
        else:
            image = next((one for one in self.planned if one.basename == claim.name), None)
            if image is None:
                raise error  # no single image is to blame
            if not records.is_proven(self._work, image):
                self._give_up(image, deaths.reason(error))
        claim.unlink()

    def _claim_of(self, worker: int) -> Path | None:
        """Return the claim that a process did not take back."""
        for claim in self._claims.iterdir():
            with suppress(FileNotFoundError):  # of another process, which took it back just now
                if str(claim.readlink()) == str(worker):
                    return claim
        return None

    def _give_up(self, image: PlannedImage, reason: str) -> None:
        records.give_up(self._work, image, reason)
        self._request.emit("image.absent", image=image.id, reason=reason)
