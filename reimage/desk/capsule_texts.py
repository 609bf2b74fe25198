"""What ``call.sh`` and ``fetch.sh`` of a capsule say; ``run.sh`` is the same in all."""

from __future__ import annotations

import re
import shlex
import signal
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from reimage.archive import opened
from reimage.casa import place
from reimage.desk.capsule_call import Call
from reimage.desk.capsule_entry import Entry
from reimage.run import Run

FILES = Path(__file__).with_name("capsule_files")
LEAST_EXPECTED = 12
"""Characters of a line that is looked for; a shorter one could be anywhere."""
MOST_EXPECTED = 120
_JOB = Path("/@JOB@")
_SPLITS = re.compile(r"@RUN@\S*|[\"'`\\\n\t]|\.\.\.|…|\s{2,}")
"""What differs from place to place, or is written otherwise in JSON and by triage."""
_SECRETS = re.compile(
    r"(?P<head>://)[^/@\s\"]+@"
    r"|(?P<key>[?&\"](?:token|ticket|password|secret|apikey)\"?\s*[=:]\s*\"?)[^&\s,}\"]+",
    re.IGNORECASE,
)


def public(text: str) -> str:
    """Return a text without who asked: no user or password in an address, no token."""
    return _SECRETS.sub(lambda found: found["head"] or f"{found['key']}[removed]", text)


def expected(decisive: str | None) -> str:
    """Return the part of a decisive line that is the same wherever the call is repeated; empty: none.

    Parameters
    ----------
    decisive
        With ``@RUN@`` for the run directory.
    """
    parts = [part.strip() for part in _SPLITS.split(decisive or "")]
    longest = max(parts, key=len, default="")[:MOST_EXPECTED].strip()
    return longest if len(longest) >= LEAST_EXPECTED else ""


def call_sh(call: Call, run: Run, *, decisive: str | None, looked: Sequence[str]) -> str:
    """Return what ``run.sh`` reads: the program, its words, its environment, and how it ended."""
    build = call.build
    program = (build.casa if call.in_shell else build.python) or ""
    job = f"{call.job}.py"
    words = ['"$here/jobs/' + job + '"', '"$job/job.json"']
    if call.in_shell:
        words = ["--nogui", "--nologger", "--logfile", '"$job/casa.log"']
        words += ["--pipeline"] if call.pipeline else []
        words += ["-c", '"$here/jobs/' + job + '"']
    values = {
        "title": f"{call.job} with CASA {build.version}",
        "directory": call.directory,
        "origin": str(call.run_dir),
        "wall_s": str(int(run.limits.wall_s)),
        "expected_exit": _exit(call),
        "ended": _ended(call),
        "expected": expected((decisive or "").removeprefix(f"{call.job}: ")),
        "looked": " ".join(looked),
        "install": install(call),
    }
    environment = place.environment(build, _JOB)
    given = [f"        {name}={_shell(value, call)} \\" for name, value in environment.items()]
    return "\n".join(
        [
            "# What is called, in which environment, and how it ended in the service; for run.sh.",
            f"program=${{REIMAGE_PROGRAM:-{_bare(program)}}}",
            f"casadata=${{REIMAGE_CASADATA:-{_bare(build.casadata)}}}",
            *(f"{name}={shlex.quote(value)}" for name, value in values.items()),
            "origin=${REIMAGE_RUN:-$origin}",
            "call() {",
            "    env -i \\",
            *given,
            f'        "$@" "$program" {" ".join(words)}',
            "}",
            "",
        ]
    )


def install(call: Call) -> str:
    """Return how the build is had elsewhere."""
    if call.build.python is not None and call.build.kind == "modular":
        return (
            f"`reimage casa install {call.build.version}` makes it; any Python with casatools and casatasks "
            f"{call.build.version} will do: REIMAGE_PROGRAM=/.../bin/python ./run.sh"
        )
    return f"CASA {call.build.version} is needed: REIMAGE_PROGRAM=/.../bin/casa ./run.sh"


def _exit(call: Call) -> str:
    """Return the exit code as a shell tells it; empty where we ended the call."""
    ended = call.ended
    if ended.why not in (None, "exit", "signal"):
        return ""
    if ended.signal:
        return str(128 + signal.Signals[ended.signal])
    return "" if ended.exit_code is None else str(ended.exit_code)


def _ended(call: Call) -> str:
    told = {
        "wall": "it was ended: it took longer than it may",
        "silent": "it was ended: it was silent for too long",
        "flood": "it was ended: it wrote too much",
    }
    why = call.ended.why or ""
    return told.get(why, "nothing says how it ended" if not _exit(call) else f"exit {_exit(call)}")


def _shell(value: str, call: Call) -> str:
    """Return a value for a shell, with its variables where a place is meant."""
    known = {str(_JOB): '"$job"', str(place.JOBS): '"$here/jobs"'}
    if call.build.casadata:
        known[call.build.casadata] = '"$casadata"'
    parts = re.split("(" + "|".join(map(re.escape, known)) + ")", value)
    return "".join(known.get(part) or shlex.quote(part) for part in parts if part) or "''"


def _bare(value: str) -> str:
    """Return a default value for ``${name:-...}``: what a shell would take for its own is escaped."""
    return re.sub(r"([^\w./+,:@-])", r"\\\1", value)


def tree(entries: Iterable[Entry]) -> str:
    """Return the list of what the call found, in an order in which it can be made."""
    order = ("folder", "text", "read", "copy", "link", "unpack")
    told = sorted(entries, key=lambda one: (order.index(one.kind), one.path))
    return "".join(f"{one.kind}\t{one.path}\t{one.target}".rstrip("\t") + "\n" for one in told)


def fetch_sh(run: Run, files: Sequence[Mapping[str, str]]) -> str:
    """Return a script that fetches what the run fetched, and proves it by its checksums."""
    archive = public(run.archive).rstrip("/")
    get = (
        'curl --fail --location --continue-at - --remote-name "$archive/dataPortal/$1"'
        if opened.is_address(run.archive)
        else 'cp "$archive/dataPortal/$1" .'
    )
    known = [one for one in files if one["sha256"]]
    sums = [f"{one['sha256']}  {one['name']}" for one in known]
    return "\n".join(
        [
            "#!/bin/sh",
            f"# Fetch the files of {run.dataset} as the run fetched them, into the directory you are in.",
            "# Data that are not public yet want your own account: curl --netrc, and never a password here.",
            "set -eu",
            f"archive=${{REIMAGE_ARCHIVE:-{_bare(archive)}}}",
            f'fetch() {{ echo "$1" >&2; {get}; }}',
            *(f"fetch {shlex.quote(one['name'])}" for one in files),
            *(["sha256sum --check <<'END'", *sums, "END"] if sums else []),
            "",
        ]
    )
