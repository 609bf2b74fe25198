"""Clues: the single things that a judgement rests on, and how a text is searched for them.

A clue is one grave or warning message of a CASA log, one exception with its innermost frames, one
line of output that speaks of trouble, or one structural fact (a code, a signal, a limit crossed).
Rules are asked of one clue at a time.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from reimage.casa import log
from reimage.model import Stage
from reimage.triage.signature import mask, unwrap

MOST_CLUES = 200
"""Kept of one text: the first ones; the last `LAST_CLUES` after a gap."""
LAST_CLUES = 50
MOST_KINDS = 5000
"""Of messages in one text that are masked; in a text of more kinds, the rest are told apart roughly."""
MOST_CHARACTERS = 1000
"""Of a clue's text: no pattern is ever asked about more."""
MOST_EXCEPTION_LINES = 6
N_FRAMES = 3

_TRACEBACK = "Traceback (most recent call last):"
_FRAME = re.compile(r'\s+File "(?P<file>[^"]*)", line \d+, in (?P<function>\S+)')
_EXCEPTION = re.compile(r"^[A-Za-z_][\w.]*(?:: |(?:Error|Exception|Exit|Interrupt|Iteration)$)")
_RAISED = re.compile(r"^[A-Za-z_][\w.]*(?:Error|Exception): ")
_TROUBLE = re.compile(
    r"\bERROR\b|\bFATAL\b|\bCRITICAL\b|\bWARNING\b|Error\b|Exception\b|terminate called|what\(\):|"
    r"FITSIO status|\bKilled\b|[Ss]egmentation|[Cc]ore dumped|Illegal instruction|No space left|[Qq]uota|"
    r"(?:slurmstepd|sbatch|srun|sacct|squeue|scontrol|scancel): error|slurm_load_jobs error|symbol lookup error|"
    r"free\(\)|malloc|munmap_chunk|corrupted (?:size|double)|double free|[Bb]us error|"
    r"Input/output error|Stale (?:NFS )?file handle|Resource temporarily unavailable|"
    r"not enough slots|was unable to|Unexpected EOF|not in gzip format|"
    r"cannot |could not |not found|not permitted|"
    r"does not exist|no corresponding|no unflagged|\bAborted\b|\bfailed\b"
)
_ECHO = re.compile(
    r"(?:\x1b\[\d+m)?(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?P<severity>ERROR|WARNING): (?P<message>[^\x1b]*)"
)
_INFO = "\tINFO\t"
_DIGITS = re.compile(r"\d+")
VERSION = re.compile(r"CASA Version (?:[A-Za-z]+ )?(?P<version>\d+\.[\w.-]*\w)")
_GRAVITY = {"WARN": "WARN", "WARNING": "WARN", "SEVERE": "SEVERE", "ERROR": "SEVERE"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clue:
    """One thing that was seen.

    ``source`` is a file (relative to the run directory), ``fault``, ``supervisor`` or ``plan``.
    ``why`` names the limit that somebody ended a process for: ``memory``, ``wall``, ``silent``,
    or ``oom`` for the kernel's own hand.
    """

    source: str
    text: str = ""
    at: datetime | None = None
    stage: Stage | None = None
    severity: str = ""
    """SEVERE, WARN, EXCEPTION, OUTPUT; empty for a structural fact."""
    origin: str = ""
    frames: tuple[str, ...] = ()
    """``module.function``, innermost last."""
    count: int = 1
    """How often the same message came, but for its numbers and names."""
    code: str | None = None
    exit_code: int | None = None
    signal: str | None = None
    why: str | None = None
    scheduler: str | None = None
    """State of a batch job or of one of its steps: ``OUT_OF_MEMORY``."""
    casa: str | None = None
    """Version of the CASA whose text it is, as far as the text or its job tells."""


class _Reader:
    """Reads a text line by line; `found` has what it saw."""

    def __init__(self, source: str, stage: Stage | None) -> None:
        self._blank = Clue(source=source, stage=stage)
        self._stamp = ""
        """Time of the last line that bore one."""
        self._pending: log.LogLine | None = None
        self._frames: list[str] | None = None
        self._exception: list[str] = []
        self.found: deque[Clue] = deque()

    def feed(self, text: str) -> None:
        if text[19:25] == _INFO and self._frames is None and _TRACEBACK not in text:
            self.end_message()  # nearly every line of a log: not taken apart
            self._stamp = text[:19]
            if text.startswith("::casa", 25) and (found := VERSION.search(text)):
                self._blank = replace(self._blank, casa=found["version"])
            return
        line = log.parse_line(text)
        if line is None:
            self.end_message()
            self._plain(text.rstrip("\r\n"), trouble=True)
            return
        if self._pending is not None and log.continues(line, self._pending):
            self._pending = log.join(self._pending, line)
        elif line.origin.endswith("+"):  # its head was cut off
            self.end_message()
            self._plain(line.message, trouble=True)
            return
        else:
            self.end_message()
            if self._exception:
                self.end_exception()
            self._pending, self._stamp = line, text[:19]
        # a script may print its traceback through the log, line by line or in one message
        if line.severity not in _GRAVITY or self._frames is not None or _TRACEBACK in line.message:
            self._plain(line.message, trouble=False)

    def end_message(self) -> None:
        line, self._pending = self._pending, None
        if line is None or line.severity not in _GRAVITY or log.is_harmless(line.message):
            return
        message = line.message.partition(_TRACEBACK)[0].strip()
        if message:
            self._add(unwrap(message), severity=_GRAVITY[line.severity], origin=line.origin)

    def end_exception(self) -> None:
        message = "\n".join(self._exception)
        if message and not log.is_harmless(message):
            self._add(
                message,
                severity="EXCEPTION",
                frames=tuple((self._frames or [])[-N_FRAMES:]),
            )
        self._frames, self._exception = None, []

    def _plain(self, text: str, *, trouble: bool) -> None:
        if self._frames is not None and self._in_traceback(text):
            return
        if text.rstrip().endswith(_TRACEBACK):
            self.end_exception()
            self._frames = []
        elif trouble and _TROUBLE.search(text) and not log.is_harmless(text):
            self._output(text)

    def _output(self, text: str) -> None:
        echo = _ECHO.match(text)
        if echo is not None:  # what the pipeline also writes into the log of CASA
            self._stamp = echo["at"]
            self._add(echo["message"].strip(), severity=_GRAVITY[echo["severity"]])
        else:
            self._add(text.strip(), severity="EXCEPTION" if _RAISED.match(text) else "OUTPUT")

    def _in_traceback(self, text: str) -> bool:
        """Take a line of the traceback that is being read; False when it is over."""
        if self._exception:
            # further lines of a message are indented or in brackets: "(near char. 4 in ...)"
            if text[:1] in {" ", "\t", "("} and len(self._exception) < MOST_EXCEPTION_LINES:
                self._exception.append(text.rstrip())
                return True
            self.end_exception()
            return False
        frame = _FRAME.match(text)
        if frame and self._frames is not None:
            module = frame["file"].rsplit("/", 1)[-1].removesuffix(".py")
            self._frames.append(f"{module}.{frame['function']}")
        elif text.rstrip().endswith(_TRACEBACK):  # an exception whose message is a traceback
            self._frames = []
        elif _EXCEPTION.match(text):
            self._exception = [text.rstrip()]
        elif text and not text[0].isspace():  # it was cut off
            self.end_exception()
            return False
        return True

    def _add(
        self, text: str, *, severity: str, origin: str = "", frames: tuple[str, ...] = ()
    ) -> None:
        self.found.append(
            replace(
                self._blank,
                text=text[:MOST_CHARACTERS],
                at=_time(self._stamp),
                severity=severity,
                origin=origin,
                frames=frames,
            )
        )


def _time(stamp: str) -> datetime | None:
    try:
        return datetime.fromisoformat(stamp).replace(tzinfo=UTC)
    except ValueError:
        return None


def read(lines: Iterable[str], source: str, stage: Stage | None = None) -> Iterator[Clue]:
    """Yield the clues of a text in order: CASA log, stderr and stdout, alone or mixed."""
    reader = _Reader(source, stage)
    for text in lines:
        reader.feed(text)
        while reader.found:
            yield reader.found.popleft()
    reader.end_message()
    reader.end_exception()
    yield from reader.found


def scan(lines: Iterable[str], source: str, stage: Stage | None = None) -> tuple[Clue, ...]:
    """Return the clues of a text, repetitions counted, bounded in number.

    Messages that are the same but for names and numbers are one clue, with the text, the time and
    the place of the first.  Of more than `MOST_CLUES` the first and the last are kept.
    """
    first: dict[tuple[str, str], Clue] = {}
    last: dict[tuple[str, str], Clue] = {}
    like = _Likeness()
    for clue in read(lines, source, stage):
        key = (clue.severity, like.of(clue.text))
        group = first if key in first or len(first) < MOST_CLUES else last
        known = group.get(key)
        group[key] = clue if known is None else replace(known, count=known.count + 1)
        if len(last) > LAST_CLUES:
            del last[next(iter(last))]
    return (*first.values(), *last.values())


class _Likeness:
    """What messages of one kind share: their mask, asked for as seldom as can be."""

    def __init__(self) -> None:
        self._masks: dict[str, str] = {}

    def of(self, text: str) -> str:
        """Return a message's mask; of one of very many kinds, the message without its digits."""
        rough = _DIGITS.sub("0", text)
        if rough not in self._masks and len(self._masks) < MOST_KINDS:
            self._masks[rough] = mask(text)
        return self._masks.get(rough, rough)
