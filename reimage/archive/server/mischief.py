"""Misbehaviour on command: what real archives have done, for tests and demonstrations.

A rule is ``KIND[=VALUE][@PATTERN][ +M][ xN]``: what is done, to which requests (a shell pattern over the path
below the root, or over path and query), how many matching requests are first let pass, and to how
many it is done (without ``x``: to all).  ``status=500@dataPortal/*.tar x1`` fails the first request
for a tar; ``down=5@dataPortal/*.asdm.sdm.tar +1 x1`` goes away for five seconds at the second raw file.
"""

from __future__ import annotations

import re
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from reimage.errors import UsageError

KINDS: dict[str, str] = {
    "status": "CODE or CODE/SECONDS: answers with this status (and Retry-After), and nothing else",
    "html": "an error page of a web server in place of what was asked; CODE, otherwise 200",
    "redirect": "to this URL; without one to itself, for ever",
    "drop": "cuts the connection before the answer",
    "down": "SECONDS: away; every connection is cut, from the first that matches on",
    "latency": "SECONDS of waiting before the answer",
    "drip": "BYTES a second",
    "truncate": "cuts the connection after so many BYTES of the body",
    "stall": "goes silent after so many BYTES of the body",
    "growth": "sends so many BYTES more than there are",
    "norange": "ignores Range: the whole file with status 200",
    "shift": "a partial answer begins so many BYTES later than was asked",
    "etag": "says that the file has this ETAG, so that an If-Range no longer fits",
    "corrupt": "changes the byte at this OFFSET of the body",
    "nolength": "without Content-Length",
    "type": "says this content type",
    "nodisposition": "without Content-Disposition",
    "name": "this file name in Content-Disposition",
    "blank": "DataLink: rows of matching files have no access_url",
    "size": "DataLink: this content_length for matching files; `none`: no length",
    "unlisted": "DataLink: matching files are left out",
    "twice": "DataLink: matching files have two rows",
    "empty": "DataLink: no rows for matching datasets",
    "unreadable": "DataLink: matching files are not readable",
    "sameid": "DataLink: all cut-out services of an answer have one ID (XML forbids it; the archive does it)",
}
"""Every kind of misbehaviour and what its value means."""

WITHOUT_VALUE = {"drop", "norange", "nolength", "nodisposition", "blank", "unlisted", "twice"}
WITHOUT_VALUE |= {"empty", "unreadable", "sameid"}
OPTIONAL_VALUE = {"html", "redirect"}
WHOLE = {"truncate", "stall", "growth", "shift", "corrupt", "html"}
SECONDS = {"latency", "down", "drip"}
OF_FILES = frozenset({"blank", "size", "unlisted", "twice", "unreadable"})
"""Kinds that change what DataLink says, matched with the paths of the files it lists."""
OF_CUTOUTS = frozenset({"sameid"})
"""The same, for the images that can be cut out of."""
OF_IDS = frozenset({"empty"})
"""The same, matched with ``datalink/sync?ID=...``, the ID as it was asked for."""

_RULE = re.compile(
    r"(?P<kind>[a-z]+)(?:=(?P<value>[^@]*?))?(?:@(?P<pattern>\S+))?(?:\s+\+(?P<skip>\d+))?(?:\s+x(?P<times>\d+))?"
)
REMEMBERED = 20_000
"""Requests kept for those who count them."""


class MischiefMalformed(UsageError):
    """A rule of misbehaviour cannot be understood."""

    code = "mischief-malformed"
    hint = "Write KIND[=VALUE][@PATTERN][ +M][ xN], e.g. `status=500@dataPortal/*.tar x1`."


@dataclass(kw_only=True)
class Rule:
    """One misbehaviour, and how often it came to pass."""

    text: str
    kind: str
    value: str
    pattern: str
    skip: int
    """Matching requests still to be let pass."""
    times: int | None
    """How often still; None: always."""
    hits: int = 0

    @classmethod
    def parse(cls, text: str) -> Rule:
        """Read a rule.

        Raises
        ------
        MischiefMalformed
        """
        match = _RULE.fullmatch(text.strip())
        if match is None or match["kind"] not in KINDS:
            known = ", ".join(sorted(KINDS))
            raise MischiefMalformed(f"not a rule: {text!r} (kinds: {known})")
        kind, value = match["kind"], match["value"] or ""
        _check(text, kind, value)
        return cls(
            text=text.strip(),
            kind=kind,
            value=value,
            pattern=match["pattern"] or "*",
            skip=int(match["skip"] or 0),
            times=None if match["times"] is None else int(match["times"]),
        )

    def matches(self, *subjects: str) -> bool:
        """Tell whether the rule is about one of these paths."""
        return any(fnmatchcase(subject, self.pattern) for subject in subjects)

    def take(self) -> bool:
        """Tell whether it is done this time, and count."""
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None and self.hits >= self.times:
            return False
        self.hits += 1
        return True


def _check(text: str, kind: str, value: str) -> None:
    """Refuse a value that its kind cannot use."""
    if kind in WITHOUT_VALUE:
        fits = not value
    elif kind in WHOLE:
        fits = value.isdigit() or (not value and kind in OPTIONAL_VALUE)
    elif kind in SECONDS:
        fits = re.fullmatch(r"\d+(\.\d+)?", value) is not None and float(value) > 0
    elif kind == "status":
        fits = re.fullmatch(r"[2-5]\d\d(/\d+)?", value) is not None
    elif kind == "size":
        fits = value == "none" or value.isdigit()
    else:
        fits = bool(value) or kind in OPTIONAL_VALUE
    if not fits:
        raise MischiefMalformed(f"{text!r}: {kind} is {KINDS[kind]}")


@dataclass(kw_only=True)
class Asked:
    """One request, as the server saw it."""

    method: str
    path: str
    """Below the root, decoded, without the query."""
    query: str
    range: str
    status: int = 0
    """0: no answer was given."""
    n_bytes: int = 0
    """Of the body, handed to the connection."""
    agent: str = ""


@dataclass
class Mischief:
    """The rules in force, and what was asked so far.  Safe for threads."""

    rules: list[Rule] = field(default_factory=list)
    clock: Callable[[], float] = time.monotonic
    asked: deque[Asked] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    _away_until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, rules: Iterable[str]) -> Mischief:
        """Make one of written rules.

        Raises
        ------
        MischiefMalformed
        """
        return cls([Rule.parse(text) for text in rules])

    def add(self, *rules: str) -> None:
        """Put rules in force, after those that are; ``down`` without a pattern begins at once.

        Raises
        ------
        MischiefMalformed
        """
        made = [Rule.parse(text) for text in rules]
        with self._lock:
            for rule in made:
                if rule.kind == "down" and "@" not in rule.text:
                    self._away_until = self.clock() + float(rule.value)
                else:
                    self.rules.append(rule)

    def clear(self) -> None:
        """Behave, and forget what was asked."""
        with self._lock:
            self.rules.clear()
            self.asked.clear()
            self._away_until = 0.0

    def taken(self, path: str, query: str = "") -> dict[str, str]:
        """Return what is to be done to a request: values by kind; each counts once.

        Of two rules of one kind the first that is still in force is taken.
        """
        subjects = (path, f"{path}?{query}") if query else (path,)
        return self._take(subjects, lambda kind: kind not in OF_FILES | OF_CUTOUTS | OF_IDS)

    def listed(self, path: str, kinds: AbstractSet[str]) -> dict[str, str]:
        """Return what DataLink is to say wrongly of the file (or ID) with this path."""
        return self._take((path,), kinds.__contains__)

    def _take(self, subjects: tuple[str, ...], wanted: Callable[[str], bool]) -> dict[str, str]:
        found: dict[str, str] = {}
        with self._lock:
            for rule in self.rules:
                fresh = wanted(rule.kind) and rule.kind not in found
                if fresh and rule.matches(*subjects) and rule.take():
                    found[rule.kind] = rule.value
            if "down" in found:
                self._away_until = self.clock() + float(found["down"])
        return found

    @property
    def is_away(self) -> bool:
        """Whether the archive plays dead now."""
        return self.clock() < self._away_until

    def remember(self, asked: Asked) -> None:
        """Keep a request for those who count."""
        self.asked.append(asked)

    def n_requests(self, pattern: str = "*", method: str = "") -> int:
        """Return how many requests there were for paths that match."""
        return sum(
            fnmatchcase(one.path, pattern) and method in {"", one.method} for one in [*self.asked]
        )

    def n_bytes(self, pattern: str = "*") -> int:
        """Return how many bytes of bodies were handed out for paths that match."""
        return sum(one.n_bytes for one in [*self.asked] if fnmatchcase(one.path, pattern))

    def report(self) -> dict[str, Any]:
        """Return rules and requests as JSON values."""
        with self._lock:
            rules = [{"rule": rule.text, "hits": rule.hits} for rule in self.rules]
        seen = [*self.asked]
        return {
            "rules": rules,
            "is_away": self.is_away,
            "requests": dict(Counter(one.path for one in seen)),
            "asked": [asdict(one) for one in seen],
        }
