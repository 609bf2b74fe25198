"""The fingerprint of a failure: what is left of its decisive message when one dataset's own is gone.

Two failures of one kind differ in uids, names, numbers, times and places.  Masking these in the way
of our domain groups better than any learned parser (arXiv:2412.05254); a wrong merge is worse than a
missed one, so words are left alone.  The version is part of the signature: changing a mask makes
new groups and leaves history as it was.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

VERSION = "sv1"
MOST_CHARACTERS = 400
N_FRAMES = 3
MOST_PASSES = 20
"""Masking ends when nothing changes; two or three passes do."""

_NUMBER = r"\d+(?:\.\d*)?(?:[eE][-+]?\d+)?"
_PART = r"(?:[\w.+@%=~-]|<uid>)"
_SUFFIX = (
    r"(?:ms|sdm|asdm|tbl|cal|image|psf|pb|mask|model|residual|sumwt|fits|tar|tgz|gz|xml|txt|log|py|"
    r"dat|dat_tmp|lock|split|flagversions|png|json|tt\d|TSM\d|im)"
)
_LETTER = r"[^\s,'\"<>]"
_WORD = rf"(?!Intent\b|SPWs?\b){_LETTER}"
_NAME = rf"(?:{_WORD}{{1,40}} )?{_WORD}{{0,40}}[A-Z0-9]{_LETTER}{{0,40}}(?: {_WORD}{{1,40}})?"
"""Of a source, unquoted as the pipeline writes it: two or three parts, one with a capital or a digit."""

_MASKS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), mask)
    for pattern, mask in (
        (r"\b(?:\d{4}|E2E\d)\.[0-9A-Z]\.\d{5}\.[A-Z]{1,4}\b", "<project>"),
        (rf"\b([Ff]ield:?) {_NAME}(?=, (?:intent|spw)\b| (?:SPWs?|Intent)\b)", r"\1 <text>"),
        (rf"\bfor {_NAME} / spw", "for <text> / spw"),
        (r"\b(?:DA|DV|PM|CM)\d\d\b", "<antenna>"),
        (r"\bJ\d{4}[-+]\d{3,4}\b", "<text>"),
        (r"[-+]\d\d?\.\d\d\.\d\d(?:\.\d+)?\b", "<n>"),
        (r"\[[A-Za-z][\w.-]*:\d+\]", "[<host>]"),
        (r"\bON [a-z][\w.-]*\d[\w.-]*", "ON <host>"),
        (r"\d{4}[-/]\d\d[-/]\d\d(?:[T /_]\d\d:\d\d:\d\d(?:\.\d+)?)?(?:Z|[-+]\d\d:\d\d)?", "<time>"),
        (r"\b\d\d?:\d\d:\d\d(?:\.\d+)?", "<time>"),
        (r"(?i)uid(?:://|___)A\d{3}(?:[/_]X[0-9a-f]+)+", "<uid>"),
        (r"\b(?:https?|ftp)://[^\s'\"<>]+", "<url>"),
        (r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b", "<host>"),
        (r"(?i)\b(?:[a-z0-9-]+\.)+(?:edu|org|cl|com|net|int|jp|eu|de|local|cluster)\b", "<host>"),
        (r"(?i)\b(host(?:name)?|node)([= :]+)[a-z][a-z0-9.-]*\d[a-z0-9.-]*", r"\1\2<host>"),
        (r'"[^"\n]*"', '"<text>"'),
        (r"(?i)\b(field|source|target)(\s*[:=]?\s*)'[^'\n]*'", r"\1\2'<text>'"),
        (rf"(?<![\w<])(?:~|\.{{1,2}})?(?:/{_PART}+)+/?", "<path>"),
        (rf"(?<![\w/.+@%=~-]){_PART}+(?:/{_PART}+)+/?", "<path>"),
        (rf"(?<![\w/.+@%=~-]){_PART}+\.{_SUFFIX}\b", "<path>"),
        (r"\b0[xX][0-9a-fA-F]+\b", "<n>"),
        (r"(?<![\w.])(?!\d+e\d+\b)(?=[0-9a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}\b(?![-+.]\d)", "<n>"),
        (r"(?<!\w)[-+]?(?:nan|inf)\b", "<n>"),
        (rf"(?<![\w>])[-+]?{_NUMBER}", "<n>"),
        (r"\d+", "<n>"),
        (r"<n>\s*(?:[kMGT]?Hz|[kKMGT]i?B|bytes|m?Jy|arcsec)\b", "<n>"),
        (r"<n>(?:[\s,;:~x]+<n>)+", "<n>"),
        (r"(\[C<n>:P<n>\])(?:\s*\[C<n>:P<n>\])+", r"\1"),
        (r"\s+", " "),
        (r"(?<!\S)(\S+)(?: \1(?!\S))+", r"\1"),
    )
)

_WRAPPERS = (
    re.compile(r"^Task \w+ raised an exception of class (\w+) with the following message: "),
    re.compile(r"^(?:Exception Reported|Exception \(std\)): (?:Exception: )?()"),
)

_USELESS = tuple(
    re.compile(pattern)
    for pattern in (
        r"ASDM conversion error\. Check the logs",
        r"Error in Calibrater::setapply\.?$",
        r"initial creation of the measurementset failed",
        r"if an MS exists then additional steps usually done",
        r"The MS should only be used for looking into why the fill failed",
        r"An error occurred running task",
        r"See (?:the )?log for (?:more )?details?",
        r"^Traceback \(most recent call last\)",
        r"^terminate called after throwing",
        r"^SystemExit\b",
        r"^PipelineException\b",
    )
)
"""Messages that only say that something else went wrong."""


def unwrap(message: str) -> str:
    """Return a message as it was raised: ``RuntimeError: Table x does not exist``.

    CASA repeats an exception as ``Task split raised an exception of class OSError with the
    following message: ...`` and ``Exception Reported: ...``.
    """
    for pattern in _WRAPPERS:
        match = pattern.match(message)
        if match is not None:
            kind = f"{match[1]}: " if match[1] else ""
            return kind + message[match.end() :]
    return message


def is_useless(message: str) -> bool:
    """Whether a message only points to another one: it never is the decisive line."""
    return any(pattern.search(message) for pattern in _USELESS)


@lru_cache(maxsize=4096)
def mask(message: str) -> str:
    """Return a message without what is one dataset's, host's or moment's own.

    Masking twice is masking once.
    """
    text = message[: 5 * MOST_CHARACTERS]
    for _ in range(MOST_PASSES):
        masked = text
        for pattern, replacement in _MASKS:
            masked = pattern.sub(replacement, masked)
        masked = masked[:MOST_CHARACTERS].strip()
        if masked == text:
            break
        text = masked
    return text


def signature(stage: str, message: str, frames: tuple[str, ...] = ()) -> str:
    """Return ``sv1:<12 hex>``: stage, innermost frames and masked message.

    Parameters
    ----------
    stage
        Where it happened; empty when unknown.
    message
        The decisive message as it was printed, ``Type: text`` for an exception.
    frames
        ``module.function`` of the traceback, innermost last; the last three count.
    """
    parts = (stage, *frames[-N_FRAMES:], mask(unwrap(message)))
    return f"{VERSION}:{hashlib.sha256('|'.join(parts).encode()).hexdigest()[:12]}"
