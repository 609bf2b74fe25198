"""Jobs as UWS 1.1 shows them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from reimage.archive.server.uws import Job, Phase

_SPACES: Final = (
    'xmlns:uws="http://www.ivoa.net/xml/UWS/v1.0" xmlns:xlink="http://www.w3.org/1999/xlink"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'


def moment(when: datetime) -> str:
    """Return a time as UWS writes it."""
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}Z"


def job_list(jobs: Iterable[Job], place: str) -> str:
    """Return the list of jobs; ``place`` is the address that their names follow."""
    inner = "".join(
        f"<uws:jobref id={quoteattr(job.id)} xlink:href={quoteattr(f'{place}/{job.id}')}>"
        f"<uws:phase>{job.phase}</uws:phase>"
        f"<uws:creationTime>{moment(job.created)}</uws:creationTime></uws:jobref>"
        for job in jobs
    )
    return f'{_HEAD}<uws:jobs {_SPACES} version="1.1">{inner}</uws:jobs>'


def job(job: Job, place: str) -> str:
    """Return everything about a job."""
    return (
        f'{_HEAD}<uws:job {_SPACES} version="1.1"><uws:jobId>{job.id}</uws:jobId>'
        f'{_said("runId", job.parameters.get("RUNID"))}<uws:ownerId xsi:nil="true"/>'
        f'<uws:phase>{job.phase}</uws:phase><uws:quote xsi:nil="true"/>'
        f"<uws:creationTime>{moment(job.created)}</uws:creationTime>"
        f"{_time('startTime', job.started)}{_time('endTime', job.ended)}"
        f"<uws:executionDuration>{int(job.duration_s)}</uws:executionDuration>"
        f"<uws:destruction>{moment(job.destruction)}</uws:destruction>"
        f"{_parameters(job)}{_results(job, place)}{_error(job)}</uws:job>"
    )


def parameters(job: Job) -> str:
    """Return a job's parameters."""
    return _HEAD + _parameters(job, _SPACES)


def results(job: Job, place: str) -> str:
    """Return where a job's results are."""
    return _HEAD + _results(job, place, _SPACES)


def _said(name: str, text: str | None) -> str:
    return f"<uws:{name}>{escape(text)}</uws:{name}>" if text else ""


def _time(name: str, when: datetime | None) -> str:
    """Return a time that may not have come."""
    return f'<uws:{name} xsi:nil="true"/>' if when is None else _said(name, moment(when))


def _parameters(job: Job, spaces: str = "") -> str:
    inner = "".join(
        f"<uws:parameter id={quoteattr(name.lower())}>{escape(value)}</uws:parameter>"
        for name, value in job.parameters.items()
    )
    return f"<uws:parameters {spaces}>{inner}</uws:parameters>"


def _results(job: Job, place: str, spaces: str = "") -> str:
    inner = ""
    if job.phase is Phase.COMPLETED:
        href = quoteattr(f"{place}/{job.id}/results/result")
        inner = (
            f'<uws:result id="result" xlink:href={href} mime-type={quoteattr(job.media_type)}'
            f' size="{job.result.stat().st_size}"/>'
        )
    return f"<uws:results {spaces}>{inner}</uws:results>"


def _error(job: Job) -> str:
    if job.phase is not Phase.ERROR:
        return ""
    message = escape(job.message)
    return (
        '<uws:errorSummary type="fatal" hasDetail="true">'
        f"<uws:message>{message}</uws:message></uws:errorSummary>"
    )
