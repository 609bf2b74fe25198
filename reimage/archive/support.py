"""What the archive's ``frequency_support`` says: the windows of an observation.

``[112.35..114.23GHz,1952.95kHz,8mJy/beam@10km/s,360.2uJy/beam@native, XX YY] U [...]``: one bracket
for each window, with its edges, the width of its channels, estimates of the noise (in mJy or uJy,
as it falls) and the polarisations.  How many parts a bracket has is nowhere promised: each part is
known by its form, and what has no known form is kept as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

_NUMBER = r"\d+(?:\.\d*)?(?:[eE][-+]?\d+)?"
_WINDOW = re.compile(r"\[([^][]*)\]")
_UNION = re.compile(r"(?<!\S)U(?!\S)")
_EDGES = re.compile(rf"({_NUMBER})\s*\.\.\s*({_NUMBER})\s*(GHz|MHz)", re.IGNORECASE)
_WIDTH = re.compile(rf"({_NUMBER})\s*(Hz|kHz|MHz|GHz)", re.IGNORECASE)
_NOISE = re.compile(rf"({_NUMBER})\s*(n|u|m|)Jy(?:/beam)?\s*@\s*(\S+)", re.IGNORECASE)
_POLARISATIONS = re.compile(r"[XYRLIQUV]{1,2}(?:[ /][XYRLIQUV]{1,2})*")
_HERTZ = {"hz": 0, "khz": 3, "mhz": 6, "ghz": 9}
_JANSKY = {"": 0, "m": -3, "u": -6, "n": -9}


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """An estimate of the noise of one window."""

    jy_beam: float
    at: str
    """For which width: ``10km/s``, ``native``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One window of an observation."""

    low_ghz: float
    high_ghz: float
    channel_hz: float | None = None
    noise: tuple[Noise, ...] = ()
    polarisations: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    """Parts without a known form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """All windows of a ``frequency_support``, in its order."""

    windows: tuple[Window, ...]
    unread: tuple[str, ...] = ()
    """Brackets without edges, and text outside of any bracket."""


def parse(text: str) -> Support:
    """Read a ``frequency_support``; any text is one, what cannot be read is kept in ``unread``."""
    windows: list[Window] = []
    unread: list[str] = []
    for bracket in _WINDOW.findall(text):
        window = _window(bracket)
        if window is None:
            unread.append(f"[{bracket}]")
        else:
            windows.append(window)
    between = _UNION.split(_WINDOW.sub(" U ", text))
    unread += [rest.strip() for rest in between if rest.strip()]
    return Support(windows=tuple(windows), unread=tuple(unread))


def _window(bracket: str) -> Window | None:
    edges: tuple[float, float] | None = None
    width: float | None = None
    noise: list[Noise] = []
    polarisations: tuple[str, ...] = ()
    other: list[str] = []
    for part in (part.strip() for part in bracket.split(",")):
        if edges is None and (found := _EDGES.fullmatch(part)):
            shift = _HERTZ[found[3].lower()] - 9
            low, high = (_scaled(found[i], shift) for i in (1, 2))
            edges = (min(low, high), max(low, high))
        elif width is None and (found := _WIDTH.fullmatch(part)):
            width = _scaled(found[1], _HERTZ[found[2].lower()])
        elif found := _NOISE.fullmatch(part):
            noise.append(Noise(jy_beam=_scaled(found[1], _JANSKY[found[2].lower()]), at=found[3]))
        elif not polarisations and _POLARISATIONS.fullmatch(part):
            polarisations = tuple(re.split(r"[ /]", part))
        elif part:
            other.append(part)
    if edges is None:
        return None
    return Window(
        low_ghz=edges[0],
        high_ghz=edges[1],
        channel_hz=width,
        noise=tuple(noise),
        polarisations=polarisations,
        other=tuple(other),
    )


def _scaled(digits: str, shift: int) -> float:
    """Return a number times a power of ten: exactly, so that what is written is read again."""
    return float(Decimal(digits).scaleb(shift))
