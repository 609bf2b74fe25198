"""``/tap/async``: jobs over HTTP, as UWS 1.1 has it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, PlainTextResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from reimage.archive.server import uws_documents, votable
from reimage.archive.server.asking import Sent
from reimage.archive.server.receiving import received
from reimage.archive.server.uws import Job, Jobs, JobUnknown, Phase

_XML: Final = "text/xml"
_SEE_OTHER: Final = 303
Place = Callable[[Request], str]
"""Gives the address of the list of jobs."""


def add(routes: APIRouter, jobs: Jobs, place: Place) -> None:
    """Add the routes of the jobs."""
    _Routes(jobs, place).add(routes)


class _Routes:
    def __init__(self, jobs: Jobs, place: Place) -> None:
        self.jobs, self.place = jobs, place

    def add(self, routes: APIRouter) -> None:
        one = "/async/{name}"
        for path, method, answer in (
            ("/async", "GET", self.listed),
            ("/async", "POST", self.created),
            (one, "GET", self.shown),
            (one, "POST", self.acted),
            (one, "DELETE", self.deleted),
            (f"{one}/results/result", "GET", self.result),
            (f"{one}/{{part}}", "GET", self.part),
            (f"{one}/{{part}}", "POST", self.changed),
        ):
            routes.add_api_route(path, answer, methods=[method], response_model=None)

    def listed(self, request: Request) -> Response:
        """Return the list of jobs, as far as asked for."""
        said = {name.upper(): value for name, value in request.query_params.multi_items()}
        phases = {
            value.upper()
            for name, value in request.query_params.multi_items()
            if name.upper() == "PHASE"
        }
        jobs = [job for job in self.jobs.all() if not phases or job.phase.value in phases]
        if after := _moment(said.get("AFTER", "")):
            jobs = [job for job in jobs if job.created > after]
        if said.get("LAST", "").isdigit():
            jobs = jobs[: int(said["LAST"])]
        return _xml(uws_documents.job_list(jobs, self.place(request)))

    async def created(self, request: Request) -> Response:
        """Make a job; start it where that is asked for."""
        sent = await received(request)
        parameters = {name: value for name, value in sent.parameters.items() if name != "PHASE"}
        job = self.jobs.create(Sent(parameters=parameters, files=sent.files))
        if sent.parameters.get("PHASE", "").upper() == "RUN":
            self.jobs.run(job)
        return self._to(request, job)

    async def shown(self, request: Request, name: str) -> Response:
        """Return a job, after a while where that is asked for."""
        said = {key.upper(): value for key, value in request.query_params.multi_items()}
        try:
            if "WAIT" in said:
                seconds = _number(said["WAIT"])
                phase = said.get("PHASE", "").upper()
                job = await run_in_threadpool(self.jobs.wait, name, seconds or 0, phase)
            else:
                job = self.jobs.one(name)
        except JobUnknown:
            return _missing(name)
        return _xml(uws_documents.job(job, self.place(request)))

    async def acted(self, request: Request, name: str) -> Response:
        """Delete a job by POST, or set its parameters."""
        said = dict((await received(request)).parameters)
        if said.pop("ACTION", "").upper() == "DELETE":
            return self.deleted(request, name)
        try:
            job = self.jobs.one(name)
        except JobUnknown:
            return _missing(name)
        if not self.jobs.change(job, said):
            return _refused("its parameters cannot be changed any more")
        return self._to(request, job)

    def deleted(self, request: Request, name: str) -> Response:
        """End and forget a job."""
        try:
            self.jobs.delete(self.jobs.one(name))
        except JobUnknown:
            return _missing(name)
        return RedirectResponse(self.place(request), status_code=_SEE_OTHER)

    def result(self, name: str) -> Response:
        """Return the answer itself."""
        try:
            job = self.jobs.one(name)
        except JobUnknown:
            return _missing(name)
        if job.phase is not Phase.COMPLETED:
            return PlainTextResponse("there is no result\n", status_code=404)
        return FileResponse(job.result, media_type=job.media_type)

    def part(self, request: Request, name: str, part: str) -> Response:
        """Return one part of a job."""
        try:
            job = self.jobs.one(name)
        except JobUnknown:
            return _missing(name)
        match part:
            case "parameters":
                return _xml(uws_documents.parameters(job))
            case "results":
                return _xml(uws_documents.results(job, self.place(request)))
            case "error" if job.phase is Phase.ERROR:
                document = votable.error_document(job.message)
                return Response(document, media_type=votable.MEDIA_TYPE)
        text = _PLAIN[part](job) if part in _PLAIN else None
        return _missing(f"{name}/{part}") if text is None else PlainTextResponse(text)

    async def changed(self, request: Request, name: str, part: str) -> Response:
        """Change a part of a job."""
        said = (await received(request)).parameters
        try:
            job = self.jobs.one(name)
        except JobUnknown:
            return _missing(name)
        wrong = self._change(job, part, dict(said))
        return _refused(wrong) if wrong else self._to(request, job)

    def _change(self, job: Job, part: str, said: dict[str, str]) -> str:
        """Change a job; return why not."""
        wanted = said.get(part.upper(), "")
        match part:
            case "phase" if wanted.upper() == "RUN":
                self.jobs.run(job)
            case "phase" if wanted.upper() == "ABORT":
                self.jobs.abort(job)
            case "parameters":
                if not self.jobs.change(job, said):
                    return "its parameters cannot be changed any more"
            case "executionduration" if (seconds := _number(wanted)) is not None and seconds >= 0:
                job.duration_s = min(seconds or self.jobs.duration_s, self.jobs.duration_s)
            case "destruction" if when := _moment(wanted):
                job.destruction = min(when, job.latest)
            case _:
                return f"{part} cannot be {wanted!r}"
        return ""

    def _to(self, request: Request, job: Job) -> Response:
        return RedirectResponse(f"{self.place(request)}/{job.id}", status_code=_SEE_OTHER)


_PLAIN: Final[dict[str, Callable[[Job], str]]] = {
    "phase": lambda job: job.phase.value,
    "executionduration": lambda job: str(int(job.duration_s)),
    "destruction": lambda job: uws_documents.moment(job.destruction),
    "quote": lambda _job: "",
    "owner": lambda _job: "",
    "error": lambda _job: "",
}


def _xml(text: str) -> Response:
    return Response(text, media_type=_XML)


def _missing(name: str) -> Response:
    return PlainTextResponse(f"there is no job {name}\n", status_code=404)


def _refused(why: str) -> Response:
    return PlainTextResponse(f"{why}\n", status_code=400)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _moment(text: str) -> datetime | None:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
